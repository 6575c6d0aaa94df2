# SPDX-License-Identifier: AGPL-3.0-or-later
"""The founding of the commission: a plan, sheets and shares, signatures, the portal."""

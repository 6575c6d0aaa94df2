# SPDX-License-Identifier: AGPL-3.0-or-later
"""The collector: the exchange between the portal and this office, visit by visit."""

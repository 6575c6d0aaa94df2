# SPDX-License-Identifier: AGPL-3.0-or-later
"""The public register: the findings of commissions, as pages and files that are the same for everyone."""

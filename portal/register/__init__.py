# SPDX-License-Identifier: AGPL-3.0-or-later
"""The public register: what commissions have found, as pages and files that are the same for everyone."""

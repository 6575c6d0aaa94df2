# SPDX-License-Identifier: AGPL-3.0-or-later
"""The office of one commission: it pulls sealed reports from the portal, and its members open and answer them."""

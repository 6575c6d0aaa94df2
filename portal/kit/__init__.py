# SPDX-License-Identifier: AGPL-3.0-or-later
"""The page kit: what portal and office share of headers, checks, templates and translations."""

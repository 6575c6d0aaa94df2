# SPDX-License-Identifier: AGPL-3.0-or-later
"""The workflow of a case: rules, conditions, clocks, access. Pure: no database, no web, no page."""

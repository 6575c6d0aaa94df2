# SPDX-License-Identifier: AGPL-3.0-or-later
"""Findings in the office: drafting, the outgoing check, signing, publishing."""

# SPDX-License-Identifier: AGPL-3.0-or-later
"""Ledgers: chains of signed events, kept and verified. What the events mean is for ``oversight.cases``."""

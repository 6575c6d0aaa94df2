# SPDX-License-Identifier: AGPL-3.0-or-later
"""Ledgers: chains of signed events, stored and verified. The meaning of events is in ``oversight.workflow``."""

# SPDX-License-Identifier: AGPL-3.0-or-later
"""The charters of the commissions that this portal serves."""

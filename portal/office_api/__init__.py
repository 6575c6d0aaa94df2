# SPDX-License-Identifier: AGPL-3.0-or-later
"""The signed requests of the commissions' offices."""

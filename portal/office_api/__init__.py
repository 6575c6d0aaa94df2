# SPDX-License-Identifier: AGPL-3.0-or-later
"""What the offices of the commissions ask for, by signed requests."""

# SPDX-License-Identifier: AGPL-3.0-or-later
"""Cases: what may happen in them, what their ledgers make of them, and the commands by which members work on them."""

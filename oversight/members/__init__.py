# SPDX-License-Identifier: AGPL-3.0-or-later
"""Who works in the office: accounts, keys, sessions, second factor."""

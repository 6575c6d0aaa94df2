# SPDX-License-Identifier: AGPL-3.0-or-later
"""Mailboxes: replies waiting for the reporter, follow-ups waiting for the commission."""

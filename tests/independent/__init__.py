# SPDX-License-Identifier: AGPL-3.0-or-later
"""Readers written from docs/protocol.md alone: what they can't read, the text doesn't say."""

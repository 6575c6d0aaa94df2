# SPDX-License-Identifier: AGPL-3.0-or-later
"""Receives sealed submissions: parts of attachments, bundles, acknowledgements; deletes them when they expire."""

# SPDX-License-Identifier: AGPL-3.0-or-later
"""Takes sealed submissions in: parts of attachments, bundles, acknowledgements; and deletes what has had its time."""

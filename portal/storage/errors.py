# SPDX-License-Identifier: AGPL-3.0-or-later
"""The errors of storage that a client is told about."""


class StorageFullError(Exception):
    """The disk, the quota or the database is full. The write did not take effect."""


class BusyError(Exception):
    """More requests are waiting than the portal handles at once."""


class DuplicateError(Exception):
    """A row with the same unique key already exists."""


class BlobMissingError(Exception):
    """An expected blob does not exist."""

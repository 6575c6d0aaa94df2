# SPDX-License-Identifier: AGPL-3.0-or-later
"""What can go wrong with storage in a way that a client is told about."""


class StorageFullError(Exception):
    """The disk, the quota or the database is full. Nothing of what was to be written counts."""


class BusyError(Exception):
    """More is waiting than the portal takes on at once."""


class DuplicateError(Exception):
    """A row with the same unique key is there already."""


class BlobMissingError(Exception):
    """A blob that should be there is not."""

# SPDX-License-Identifier: AGPL-3.0-or-later
"""Opens the blob store of a URL."""

from pathlib import Path

from portal.storage.blobs import BlobStore


def open_blobs(url: str, free_bytes_min: int) -> BlobStore:
    """Open a local folder, or ``s3://bucket/prefix``. Raises OSError when that can't be done."""
    if url.startswith("s3://"):
        from portal.storage.s3_blobs import S3Blobs

        return S3Blobs.open(url)
    from portal.storage.local_blobs import LocalBlobs

    return LocalBlobs(Path(url), free_bytes_min)

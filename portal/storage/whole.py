# SPDX-License-Identifier: AGPL-3.0-or-later
"""Whether the parts that an accepted submission names are all stored, told from a listing, without reading them."""

from collections.abc import Mapping, Sequence

from crypto.errors import CryptoError
from crypto.ids import SubmissionId
from crypto.manifest import read_manifest
from portal.storage.blobs import BLOCK_BYTES, BlobStore, Part
from portal.storage.records import SubmissionRecord
from portal.storage.submissions import decode_parts


async def is_whole(
    blobs: BlobStore, submission: SubmissionId, manifest: bytes, file: str, names: Sequence[str]
) -> bool:
    """Whether the parts of this file are there, each with its length."""
    return _are_there(await blobs.parts(submission, file), names, _sizes(manifest).get(file))


async def missing_files(blobs: BlobStore, row: SubmissionRecord) -> list[str]:
    """The files that are not whole; ``row`` has ``submission``, ``manifest`` and ``parts``. Raises UnreadableError."""
    there, sizes = await blobs.parts(row.submission), _sizes(bytes(row.manifest))
    return [
        file
        for file, names in decode_parts(bytes(row.parts)).items()
        if not _are_there([part for part in there if part.file == file], names, sizes.get(file))
    ]


def _are_there(there: Sequence[Part], names: Sequence[str], size: int | None) -> bool:
    """``size``: of the whole file in bytes, if it is known. All parts but the last one are of the same size."""
    found = {part.name: part.size for part in there}
    sizes = [found.get(name) for name in names]
    if None in sizes or any((each or 0) % BLOCK_BYTES for each in sizes[:-1]):
        return False
    return size is None or sum(each or 0 for each in sizes) == size


def _sizes(manifest: bytes) -> Mapping[str, int]:
    """By the manifest; nothing by a damaged one, of whose files the office tells what is wrong."""
    try:
        return {file.name: file.size for file in read_manifest(manifest).files}
    except CryptoError:
        return {}

# SPDX-License-Identifier: AGPL-3.0-or-later
"""Parts in an S3-compatible object store, through ``obstore``. A put is durable once the store has answered it.

A store that is away, answers with an error, or breaks off in the middle is a ConnectionError, after few and quick
repeats: whoever asked is told to come back. What the store says names the parts, and goes no further than here.
"""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, timedelta
from typing import TYPE_CHECKING

import obstore
from obstore.store import S3Store

from crypto.ids import SubmissionId
from portal.storage import weights
from portal.storage.blobs import Part, PartWriter, Room, Stored, parse_part, part_name, part_order
from portal.storage.errors import BlobMissingError, StorageFullError

if TYPE_CHECKING:
    from obstore import GetOptions, ObjectMeta

# As much of a part as one request asks for. Each is over soon: whoever reads slowly leaves none waiting, and open.
ASKED_BYTES = 1024 * 1024
# By default a store would be asked ten times more, for three minutes. Each wait is about twice the one before.
RETRIES_MAX = 3
RETRY_SECONDS_MAX = 10
FIRST_WAIT_SECONDS = 0.1
# What stores answer when they are full, or the quota is used up.
_FULL_MARKS = ("status code: 507", "QuotaExceeded", "InsufficientStorage", "StorageFull")


class S3Blobs:
    """A bucket, or a prefix in one. Listings are strongly consistent in S3 and in compatible stores."""

    def __init__(self, store: S3Store) -> None:
        self._store = store

    @classmethod
    def open(cls, url: str) -> "S3Blobs":
        """Open ``s3://bucket/prefix``; endpoint, region and keys come from the AWS_… variables. Raises OSError."""
        try:
            store = S3Store.from_url(
                url,
                retry_config={
                    "max_retries": RETRIES_MAX,
                    "retry_timeout": timedelta(seconds=RETRY_SECONDS_MAX),
                    "backoff": {"init_backoff": timedelta(seconds=FIRST_WAIT_SECONDS)},
                },
            )
        except obstore.exceptions.BaseError:
            # The library's own words are many lines, and quote the variables.
            raise OSError("the object store can't be opened: one of its AWS_… variables can't be used") from None
        return cls(store)

    def new_part(self, submission: SubmissionId) -> PartWriter:
        return S3PartWriter(self._store, f"parts/{submission}")

    async def parts(self, submission: SubmissionId, file: str | None = None) -> list[Part]:
        prefix = f"parts/{submission}" + (f"/{file}" if file else "")
        found = []
        with _told():
            async for page in obstore.list(self._store, prefix):
                found += [part for each in page if (part := _parse(each))]
        return sorted(found, key=part_order)

    async def read(self, submission: SubmissionId, file: str, name: str) -> AsyncIterator[bytes]:
        key, start, size = f"parts/{submission}/{file}/{name}", 0, 1
        while start < size:
            options: GetOptions = {"range": (start, start + ASKED_BYTES)}
            with _told():
                answer = await obstore.get_async(self._store, key, options=options)
                size = answer.meta["size"]
                piece = bytes(await answer.bytes_async())
            yield piece
            start += ASKED_BYTES

    async def stored(self) -> dict[SubmissionId, Stored]:
        by_submission: dict[SubmissionId, list[Part]] = {}
        with _told():
            async for page in obstore.list(self._store, "parts"):
                for each in page:
                    if part := _parse(each):
                        submission = SubmissionId(each["path"].split("/")[1])
                        by_submission.setdefault(submission, []).append(part)
        found = {submission: weights.stored(parts) for submission, parts in by_submission.items()}
        return {submission: stored for submission, stored in found.items() if stored is not None}

    async def room(self) -> Room | None:
        return None

    async def delete(self, submission: SubmissionId, parts: Sequence[Part]) -> None:
        if parts:
            with _told():
                keys = [f"parts/{submission}/{part.file}/{part.name}" for part in parts]
                await obstore.delete_async(self._store, keys)

    async def sweep(self, today: date) -> None:
        """Do nothing: no unfinished object is visible."""

    async def close(self) -> None:
        """Do nothing: connections end with the program."""


class S3PartWriter:
    """Collects one part in memory, because an object is put in one request."""

    def __init__(self, store: S3Store, path: str) -> None:
        self.size = 0
        self._store = store
        self._path = path
        self._data = bytearray()
        self._sha256 = ""

    async def write(self, chunk: bytes) -> None:
        self.size += len(chunk)
        self._data += chunk

    async def digest(self) -> str:
        self._sha256 = (await asyncio.to_thread(hashlib.sha256, self._data)).hexdigest()
        return self._sha256

    async def keep(self, file: str, index: int, day: date) -> str:
        name = part_name(index, self._sha256, day)
        with _told():
            await obstore.put_async(self._store, f"{self._path}/{file}/{name}", self._data)
        return name

    async def discard(self) -> None:
        self._data = bytearray()


@contextmanager
def _told() -> Iterator[None]:
    """What a store did not do, in our words: BlobMissingError, StorageFullError or ConnectionError."""
    try:
        yield
    except FileNotFoundError:
        raise BlobMissingError from None
    except obstore.exceptions.BaseError as error:
        if any(mark in str(error) for mark in _FULL_MARKS):
            raise StorageFullError from None
        raise ConnectionError("the object store does not do what it is asked for") from None


def _parse(found: "ObjectMeta") -> Part | None:
    file, _, name = found["path"].removeprefix("parts/").partition("/")[2].partition("/")
    return parse_part(file, name, found["size"])

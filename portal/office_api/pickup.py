# SPDX-License-Identifier: AGPL-3.0-or-later
"""The submissions that an office fetches, and its notes of having them (docs/protocol.md §10)."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from crypto.charter import Charter
from crypto.collection import read_collection
from crypto.encoding import encode_base64
from crypto.errors import CryptoError
from crypto.ids import SubmissionId
from crypto.manifest import GRANT_FILE, REPORT_FILE, URGENCY_FILE
from portal.api.refusals import Refusal
from portal.kit.columns import is_unset
from portal.office_api.listing import PAGE, first_page
from portal.office_api.own import own_submission
from portal.storage.blobs import BlobStore
from portal.storage.database import transaction
from portal.storage.errors import BlobMissingError
from portal.storage.office_days import first_day_of_grace
from portal.storage.records import SubmissionRecord
from portal.storage.submissions import decode_parts
from portal.storage.whole import is_whole

_COLUMNS = {REPORT_FILE: "report", GRANT_FILE: "grant", URGENCY_FILE: "urgency"}


@dataclass(frozen=True)
class Pickup:
    """Submissions for the offices, collection notes from them."""

    realm: str
    blobs: BlobStore
    clock: Callable[[], datetime]

    async def submissions(self, slug: str, after: int) -> dict[str, Any]:
        """Return a page of the submissions after a sequence, without deleted ones."""
        fields = ("sequence", "submission", "manifest", "acknowledgement")
        query = SubmissionRecord.filter(is_unset("deleted"), slug=slug, sequence__gt=after)
        rows = await query.order_by("sequence").limit(PAGE + 1).values(*fields)
        page, more = first_page(rows, lambda row: len(row["manifest"]))
        listed = [{**row, "manifest": encode_base64(bytes(row["manifest"]))} for row in page]
        return {"submissions": listed, "more": more}

    async def file(self, slug: str, submission: SubmissionId, name: str) -> AsyncIterator[bytes]:
        """The bytes of a sealed file, in pieces. Refusal ``not-found`` or ``not-your-commission``."""
        columns = (_COLUMNS[name],) if name in _COLUMNS else ("parts", "manifest")
        row = await own_submission(slug, submission, *columns)
        if row.deleted is True:
            raise Refusal("not-found")
        if name in _COLUMNS:
            return _once(bytes(getattr(row, _COLUMNS[name]) or b""))
        parts = decode_parts(row.parts).get(name)
        # Told before the answer begins, which could only break off: the office writes it down, and goes on.
        if parts is None or not await is_whole(self.blobs, submission, bytes(row.manifest), name, parts):
            raise Refusal("not-found")
        return await _begun(self._parts(submission, name, parts))

    async def collect(self, charter: Charter, submission: SubmissionId, note: bytes) -> None:
        """Keep an office's collection note; from its first one the grace runs.

        Raises Refusal ``malformed-request`` unless it is a collection note for this submission.
        """
        row = await own_submission(charter.slug, submission, "manifest_sha256", "collection")
        try:
            collection = read_collection(note, charter.office)
            collection.check(realm=self.realm, submission=submission, manifest_hash=row.manifest_sha256)
        except CryptoError:
            raise Refusal("malformed-request") from None
        if row.collection is not None:
            return
        held_since = await first_day_of_grace(self.clock().date(), collection.collected)
        delete_from = held_since + timedelta(days=charter.grace_days)
        async with transaction():
            waiting = SubmissionRecord.filter(sequence=row.sequence, collection=None)
            await waiting.update(collection=note.decode("utf-8"), delete_from=delete_from)

    async def _parts(self, submission: SubmissionId, file: str, names: list[str]) -> AsyncIterator[bytes]:
        for name in names:
            async for piece in self.blobs.read(submission, file, name):
                yield piece


async def _begun(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The same pieces once the first one is there, so that what can't be read at all gets an answer that says so."""
    try:
        first = await anext(pieces, b"")
    except BlobMissingError:
        raise Refusal("not-found") from None

    async def all_of_them() -> AsyncIterator[bytes]:
        yield first
        async for piece in pieces:
            yield piece

    return all_of_them()


async def _once(data: bytes) -> AsyncIterator[bytes]:
    yield data

# SPDX-License-Identifier: AGPL-3.0-or-later
"""What an office fetches and delivers (docs/protocol.md §10). A commission sees only its own submissions."""

import re
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from crypto.age import check_sealed_prefix
from crypto.charter import Charter
from crypto.collection import read_collection
from crypto.encoding import encode_base64
from crypto.errors import CryptoError
from crypto.ids import SubmissionId
from crypto.manifest import GRANT_FILE, REPORT_FILE, STATE_FILE
from crypto.message import message_id
from portal.api.refusals import Refusal
from portal.storage.blobs import BlobStore
from portal.storage.database import transaction
from portal.storage.errors import DuplicateError
from portal.storage.group_commit import GroupCommit
from portal.storage.records import FollowUpRecord, ReplyRecord, SubmissionRecord
from portal.storage.submissions import decode_parts

PAGE = 100
_ID = re.compile(r"[0-9a-f]{32}")
_COLUMNS = {REPORT_FILE: "report", GRANT_FILE: "grant", STATE_FILE: "state"}


@dataclass(frozen=True)
class Pickup:
    """Submissions and follow-ups for the offices, collection notes and replies from them."""

    origin: str
    blobs: BlobStore
    commits: GroupCommit
    clock: Callable[[], datetime]

    async def submissions(self, slug: str, after: int) -> dict[str, Any]:
        """Return a page of the submissions after a sequence, without deleted ones."""
        fields = ("sequence", "submission", "manifest", "received")
        query = SubmissionRecord.filter(slug=slug, sequence__gt=after, deleted=False).order_by("sequence")
        rows = await query.limit(PAGE + 1).values(*fields)
        listed = [
            {**row, "manifest": encode_base64(bytes(row["manifest"])), "received": row["received"].isoformat()}
            for row in rows[:PAGE]
        ]
        return {"submissions": listed, "more": len(rows) > PAGE}

    async def file(self, slug: str, submission: SubmissionId, name: str) -> AsyncIterator[bytes]:
        """The bytes of a sealed file, in pieces. Refusal ``not-found`` or ``not-your-commission``."""
        row = await self._own(slug, submission, _COLUMNS.get(name, "parts"))
        if row.deleted:
            raise Refusal("not-found")
        if name in _COLUMNS:
            return _once(bytes(getattr(row, _COLUMNS[name])))
        parts = decode_parts(row.parts).get(name)
        if parts is None:
            raise Refusal("not-found")
        return self._parts(submission, name, parts)

    async def collect(self, charter: Charter, submission: SubmissionId, note: bytes) -> None:
        """Keep an office's collection note; from its first one the grace runs.

        Raises Refusal ``malformed-request`` unless it is a collection note for this submission.
        """
        row = await self._own(charter.slug, submission, "manifest_sha256", "collection")
        try:
            collection = read_collection(note, charter.office)
            collection.check(origin=self.origin, submission=submission, manifest_hash=row.manifest_sha256)
        except CryptoError:
            raise Refusal("malformed-request") from None
        if row.collection is not None:
            return
        delete_from = self.clock().date() + timedelta(days=charter.grace_days)
        async with transaction():
            waiting = SubmissionRecord.filter(sequence=row.sequence, collection=None)
            await waiting.update(collection=note.decode("utf-8"), delete_from=delete_from)

    async def reply(self, slug: str, submission: SubmissionId, sealed: bytes) -> bool:
        """Put a sealed reply into the mailbox; False when it was there. Refusal ``not-sealed``."""
        await self._own(slug, submission)
        try:
            check_sealed_prefix(sealed)
        except CryptoError:
            raise Refusal("not-sealed") from None
        message = message_id(sealed)
        row = ReplyRecord(submission=submission, message=message, day=self.clock().date(), sealed=sealed)
        try:
            await self.commits.insert(row)
        except DuplicateError:
            return False
        return True

    async def follow_ups(self, slug: str, after: int) -> dict[str, Any]:
        """Return a page of the follow-ups after a sequence."""
        query = FollowUpRecord.filter(slug=slug, sequence__gt=after).order_by("sequence").limit(PAGE + 1)
        rows = await query.values("sequence", "submission", "sealed", "day")
        listed = [
            {**row, "sealed": encode_base64(bytes(row["sealed"])), "day": row["day"].isoformat()} for row in rows[:PAGE]
        ]
        return {"follow_ups": listed, "more": len(rows) > PAGE}

    async def forget_follow_ups(self, slug: str, up_to: int) -> None:
        """Delete the follow-ups that an office has."""
        async with transaction():
            await FollowUpRecord.filter(slug=slug, sequence__lte=up_to).delete()

    async def _own(self, slug: str, submission: SubmissionId, *columns: str) -> SubmissionRecord:
        if not _ID.fullmatch(submission):
            raise Refusal("not-found")
        query = SubmissionRecord.filter(submission=submission).only("sequence", "slug", "deleted", *columns)
        row = await query.first()
        if row is None:
            raise Refusal("not-found")
        if row.slug != slug:
            raise Refusal("not-your-commission")
        return row

    async def _parts(self, submission: SubmissionId, file: str, names: list[str]) -> AsyncIterator[bytes]:
        for name in names:
            yield await self.blobs.read(submission, file, name)


async def _once(data: bytes) -> AsyncIterator[bytes]:
    yield data

# SPDX-License-Identifier: AGPL-3.0-or-later
"""A reply between its pages: kept sealed under the member's index key, never plain, until it is sent or thrown away."""

import hashlib
from dataclasses import dataclass, field

from crypto.encoding import label
from crypto.errors import CryptoError
from crypto.keyring import open_bytes, seal_bytes
from crypto.padding import MESSAGE_FLOOR, pad_document, unpad_document
from oversight.letters.records import ReplyDraftRecord
from oversight.members.sessions import OpenSession

DRAFT_BYTES_MAX = 128 * 1024


@dataclass(frozen=True)
class ReplyDraft:
    """A reply that was not sent. ``sealed`` is the row's content, empty for a draft that was not saved."""

    language: str
    body: str = field(repr=False)
    sealed: bytes = field(default=b"", repr=False)

    @property
    def token(self) -> str:
        """Names exactly this text of the draft, so that what is sent is what was seen before."""
        return hashlib.sha256(self.sealed).hexdigest()[:32]


async def load_draft(session: OpenSession, submission: str) -> ReplyDraft | None:
    """The member's draft to this report; one that does not open is as good as none."""
    record = await ReplyDraftRecord.get_or_none(member=session.member.label, submission=submission)
    if record is None:
        return None
    try:
        padded = open_bytes(session.keyring.index_key, record.sealed, _associated(session, submission))
        language, _, body = unpad_document(padded, MESSAGE_FLOOR, DRAFT_BYTES_MAX).decode("utf-8").partition("\n")
    except (CryptoError, UnicodeDecodeError):
        return None
    return ReplyDraft(language, body, record.sealed)


async def save_draft(session: OpenSession, submission: str, draft: ReplyDraft) -> None:
    """Keep the draft in place of the one before."""
    plain = pad_document(f"{draft.language}\n{draft.body}".encode(), MESSAGE_FLOOR)
    sealed = seal_bytes(session.keyring.index_key, plain, _associated(session, submission))
    await ReplyDraftRecord.update_or_create({"sealed": sealed}, member=session.member.label, submission=submission)


async def discard_draft(session: OpenSession, submission: str) -> None:
    await ReplyDraftRecord.filter(member=session.member.label, submission=submission).delete()


def _associated(session: OpenSession, submission: str) -> bytes:
    return label("draft") + f"{session.member.label}\n{submission}".encode("ascii")

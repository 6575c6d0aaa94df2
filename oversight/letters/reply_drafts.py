# SPDX-License-Identifier: AGPL-3.0-or-later
"""A reply between its pages: stored sealed under the member's index key until it is sent or deleted."""

import hashlib
from dataclasses import dataclass, field

from crypto.errors import CryptoError
from crypto.ids import SubmissionId
from oversight.letters.records import ReplyDraftRecord
from oversight.members.sealed_draft import open_draft, seal_draft
from oversight.members.sessions import OpenSession
from portal.kit.database import forget_deleted

KIND = "draft"


@dataclass(frozen=True)
class ReplyDraft:
    """A reply that was not sent. ``sealed`` is the row's content, empty for a draft that was not saved."""

    language: str
    body: str = field(repr=False)
    sealed: bytes = field(default=b"", repr=False)

    @property
    def token(self) -> str:
        """Identifies this text of the draft, so that the text sent is the one that was shown."""
        return hashlib.sha256(self.sealed).hexdigest()[:32]


async def load_draft(session: OpenSession, submission: SubmissionId) -> ReplyDraft | None:
    """The member's draft to this report; one that does not open is as good as none."""
    record = await ReplyDraftRecord.get_or_none(member=session.member.label, submission=submission)
    if record is None:
        return None
    try:
        content = open_draft(session, KIND, submission, bytes(record.sealed))
        language, _, body = content.decode("utf-8").partition("\n")
    except (CryptoError, UnicodeDecodeError):
        return None
    return ReplyDraft(language, body, record.sealed)


async def save_draft(session: OpenSession, submission: SubmissionId, draft: ReplyDraft) -> None:
    """Keep the draft in place of the one before."""
    sealed = seal_draft(session, KIND, submission, f"{draft.language}\n{draft.body}".encode())
    await ReplyDraftRecord.update_or_create({"sealed": sealed}, member=session.member.label, submission=submission)


async def discard_draft(session: OpenSession, submission: SubmissionId) -> None:
    await ReplyDraftRecord.filter(member=session.member.label, submission=submission).delete()
    await forget_deleted()

# SPDX-License-Identifier: AGPL-3.0-or-later
"""A reply between its pages: kept sealed under the member's index key, never plain, until it is sent or thrown away."""

import hashlib
from dataclasses import dataclass, field

from crypto.encoding import label
from crypto.errors import CryptoError
from crypto.keyring import open_bytes, seal_bytes
from crypto.padding import MESSAGE_FLOOR, pad_document, unpad_document
from oversight.letters.records import ReplyDraft
from oversight.members.sessions import Unlocked

LANGUAGE_CHARS_MAX = 35
DRAFT_BYTES_MAX = 128 * 1024


@dataclass(frozen=True)
class Draft:
    """A reply that was not sent. ``sealed`` is the row's content, empty for a draft that was not saved."""

    language: str
    body: str = field(repr=False)
    sealed: bytes = field(default=b"", repr=False)

    @property
    def token(self) -> str:
        """Names exactly this text of the draft, so that what is sent is what was seen before."""
        return hashlib.sha256(self.sealed).hexdigest()[:32]


async def load_draft(unlocked: Unlocked, submission: str) -> Draft | None:
    """The member's draft to this report; one that does not open is as good as none."""
    record = await ReplyDraft.get_or_none(member=unlocked.member.label, submission=submission)
    if record is None:
        return None
    try:
        padded = open_bytes(unlocked.keyring.index_key, record.sealed, _associated(unlocked, submission))
        language, _, body = unpad_document(padded, MESSAGE_FLOOR, DRAFT_BYTES_MAX).decode("utf-8").partition("\n")
    except (CryptoError, UnicodeDecodeError):
        return None
    return Draft(language, body, record.sealed)


async def save_draft(unlocked: Unlocked, submission: str, draft: Draft) -> None:
    """Keep the draft in place of the one before."""
    plain = pad_document(f"{draft.language}\n{draft.body}".encode(), MESSAGE_FLOOR)
    sealed = seal_bytes(unlocked.keyring.index_key, plain, _associated(unlocked, submission))
    await ReplyDraft.update_or_create({"sealed": sealed}, member=unlocked.member.label, submission=submission)


async def discard_draft(unlocked: Unlocked, submission: str) -> None:
    await ReplyDraft.filter(member=unlocked.member.label, submission=submission).delete()


def _associated(unlocked: Unlocked, submission: str) -> bytes:
    return label("draft") + f"{unlocked.member.label}\n{submission}".encode("ascii")

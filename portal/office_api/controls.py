# SPDX-License-Identifier: AGPL-3.0-or-later
"""Control notes that delete or close: handed to the offices, and taken from them again after a restore
(docs/protocol.md §9.3, §10). V signed them, so that an office can bring none that the reporter did not make."""

from dataclasses import dataclass
from typing import Any

from crypto.control import Control, read_control
from crypto.errors import CryptoError
from crypto.ids import SubmissionId
from portal.api.refusals import Refusal
from portal.office_api.listing import PAGE
from portal.office_api.own import own_submission
from portal.storage.commands import obey
from portal.storage.group_commit import GroupCommit
from portal.storage.records import ControlRecord, MailboxRecord


@dataclass(frozen=True)
class Controls:
    """The control notes of all commissions' threads, each for its own offices."""

    realm: str
    commits: GroupCommit

    async def listing(self, slug: str, after: int) -> dict[str, Any]:
        """Return a page of the control notes after a sequence."""
        query = ControlRecord.filter(slug=slug, sequence__gt=after).order_by("sequence").limit(PAGE + 1)
        rows = await query.values("sequence", "submission", control="note")
        return {"controls": rows[:PAGE], "more": len(rows) > PAGE}

    async def bring(self, slug: str, submission: SubmissionId, note: bytes) -> None:
        """Apply a control note again, durably; the state stays as it is.

        Raises Refusal ``malformed-request`` unless V of this mailbox signed it, and it deletes or closes.
        """
        await own_submission(slug, submission)
        mailbox = await MailboxRecord.get_or_none(submission=submission).only("sequence", "mailbox", "control")
        if mailbox is None:
            raise Refusal("not-found")
        control = self._read(note, mailbox)
        await self.commits.apply(lambda: obey(slug, submission, control, note.decode("utf-8")))

    def _read(self, note: bytes, mailbox: MailboxRecord) -> Control:
        try:
            control = read_control(note, mailbox.control)
        except CryptoError:
            raise Refusal("malformed-request") from None
        if (control.realm, control.mailbox) != (self.realm, mailbox.mailbox) or not (control.delete or control.close):
            raise Refusal("malformed-request")
        return control

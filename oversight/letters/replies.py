# SPDX-License-Identifier: AGPL-3.0-or-later
"""Sending a reply: signed by the member, sealed to the reporter's mailbox and to the thread, stored in the outbox."""

import asyncio

from crypto.ids import CaseId
from crypto.manifest import manifest_hash
from crypto.message import Reply, message_id, seal_reply
from oversight.cases.actor import Actor
from oversight.cases.report_access import OpenReport
from oversight.letters.case_events import record_letter
from oversight.letters.outbox import LETTERS
from oversight.letters.records import ReplyDraftRecord, ReplyRecord
from oversight.letters.reply_drafts import ReplyDraft
from oversight.letters.thread_keys import newest_keys
from oversight.reports.records import SubmissionRecord
from oversight.workflow.rules import RuleError
from portal.kit.database import forget_deleted


class DraftChangedError(Exception):
    """The draft was sent, thrown away or changed in the meantime: a second click, or another window."""


async def store_reply(
    report: OpenReport, draft: ReplyDraft, writer: Actor, purpose: str
) -> tuple[ReplyRecord, CaseId | None]:
    """Sign, seal and store a reply under the newest charter; the reply, and the case that has it as an event.

    It may be over: whoever was its member on the day answers the reports of before, until there is another one.

    In the same transaction its draft goes and the event comes: either all of it is kept or nothing.

    Raises DraftChangedError when the draft is not there any more as it is given, MalformedError or LimitError for a
    text that no reply can hold, RuleError as ``newest_keys`` and ``moved-on`` when the keys of the thread were renewed
    meanwhile.
    """
    charter, today = writer.charter, writer.now.date()
    submission = report.submission.id
    keys = await newest_keys(report)
    reply = Reply(
        submission=submission,
        manifest=manifest_hash(report.submission.manifest),
        charter=charter.hash,
        day=today,
        language=draft.language,
        keys=keys,
        body=draft.body,
    )
    recipients = (report.opened.manifest.recipient, keys.recipient)
    sealed = await asyncio.to_thread(seal_reply, reply, report.session.signing_key, recipients)
    author = report.session.member.label

    case: CaseId | None = None

    async def make(number: int) -> ReplyRecord:
        nonlocal case
        if not await ReplyDraftRecord.filter(member=author, submission=submission, sealed=draft.sealed).delete():
            raise DraftChangedError
        # Keys that were renewed meanwhile would open it for somebody who must not read on.
        if not await SubmissionRecord.filter(id=submission, generation=keys.generation).update(
            generation=keys.generation
        ):
            raise RuleError("moved-on")
        await SubmissionRecord.filter(id=submission, answered_on=None).update(answered_on=today)
        record = await ReplyRecord.create(
            id=message_id(sealed),
            number=number,
            submission=submission,
            author=author,
            charter=charter.hash,
            day=today,
            sealed=sealed,
        )
        case = await record_letter(writer, submission, record.id, purpose)
        return record

    record = await LETTERS.store(make)
    await forget_deleted()
    return record, case

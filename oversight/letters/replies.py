# SPDX-License-Identifier: AGPL-3.0-or-later
"""Sending a reply: signed by the member, sealed to the reporter's mailbox and to the thread, stored, then posted.

It is stored before it is posted, so that a portal that can't be reached or a crash in between delays a letter and never
loses or doubles it.
"""

import asyncio
from datetime import date

from tortoise.exceptions import IntegrityError

from crypto.charter import Charter
from crypto.message import Reply, message_id, seal_reply
from oversight.cases.report_access import OpenReport
from oversight.letters.records import ReplyDraftRecord, ReplyRecord
from oversight.letters.reply_drafts import ReplyDraft
from oversight.reports.records import SubmissionRecord
from portal.kit.database import transaction

ATTEMPTS = 3


class DraftChangedError(Exception):
    """The draft was sent, thrown away or changed in the meantime: a second click, or another window."""


async def store_reply(report: OpenReport, charter: Charter, draft: ReplyDraft, today: date) -> ReplyRecord:
    """Sign, seal and store a reply under the charter in force; its draft goes in the same transaction.

    Raises DraftChangedError when the draft is not there any more as it is given, MalformedError or LimitError for a
    text that no reply can hold, NotInForceError when the charter is over.
    """
    charter.check_day(today)
    submission = report.submission.id
    reply = Reply(submission, charter.hash, today, draft.language, draft.body)
    recipients = (report.opened.report.mailbox, report.opened.thread.recipient())
    sealed = await asyncio.to_thread(seal_reply, reply, report.session.signing_key, recipients)
    for attempt in range(ATTEMPTS):
        try:
            return await _store(report, draft, sealed, today)
        except IntegrityError:
            # Another member's reply took the number at the same moment.
            if attempt == ATTEMPTS - 1:
                raise
    raise AssertionError("unreachable: the loop returns or raises")


async def _store(report: OpenReport, draft: ReplyDraft, sealed: bytes, today: date) -> ReplyRecord:
    submission, author = report.submission.id, report.session.member.label
    async with transaction():
        if not await ReplyDraftRecord.filter(member=author, submission=submission, sealed=draft.sealed).delete():
            raise DraftChangedError
        last = await ReplyRecord.all().order_by("-number").only("number").first()
        record = await ReplyRecord.create(
            id=message_id(sealed),
            number=1 if last is None else last.number + 1,
            submission=submission,
            author=author,
            day=today,
            sealed=sealed,
        )
        await SubmissionRecord.filter(id=submission, answered_on=None).update(answered_on=today)
    return record

# SPDX-License-Identifier: AGPL-3.0-or-later
"""The letters of one report, opened with the identity of its thread; one that is broken is shown as broken."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from crypto.charter import Charter
from crypto.errors import AuthenticationError, CryptoError
from crypto.ids import MemberLabel, SubmissionId
from crypto.message import open_follow_up, open_reply
from crypto.taxonomy import MESSAGE
from oversight.letters.records import FollowUpRecord, ReplyRecord
from oversight.reports.opening import OpenedReport
from portal.kit.i18n import text_direction


@dataclass(frozen=True)
class Letter:
    """One message of the thread, in either direction.

    ``author`` is the name of the member who signed it, empty for the reporter. ``broken`` means that it does not open,
    or that it is not from its claimed author: then there is no ``body``.
    """

    day: date
    outgoing: bool
    body: str
    dir: str
    language: str
    author: str = ""
    kind: str = MESSAGE
    broken: bool = False
    unseen: bool = False
    delivery: str = ""


async def read_thread(submission: SubmissionId, opened: OpenedReport, charters: Sequence[Charter]) -> list[Letter]:
    """Every letter of the thread, oldest first; on one day the reporter's stand before ours."""
    replies = await ReplyRecord.filter(submission=submission).order_by("number")
    follow_ups = await FollowUpRecord.filter(submission=submission).order_by("sequence")
    return await asyncio.to_thread(_open_all, replies, follow_ups, opened, charters)


async def mark_seen(submission: SubmissionId, label: MemberLabel, today: date) -> None:
    """The follow-ups of this thread were shown to a member."""
    await FollowUpRecord.filter(submission=submission, seen_on=None).update(seen_on=today, seen_by=label)


def _open_all(
    replies: list[ReplyRecord], follow_ups: list[FollowUpRecord], opened: OpenedReport, charters: Sequence[Charter]
) -> list[Letter]:
    letters = [
        *(_open_follow_up(record, opened) for record in follow_ups),
        *(_open_reply(record, opened, charters) for record in replies),
    ]
    return sorted(letters, key=lambda letter: letter.day)


def _open_follow_up(record: FollowUpRecord, opened: OpenedReport) -> Letter:
    unseen = record.seen_on is None
    language = opened.report.language
    try:
        follow_up = open_follow_up(record.sealed, opened.thread, opened.report.message_mac)
        if follow_up.submission != opened.report.submission:
            raise AuthenticationError("a follow-up is of another submission")
    except CryptoError:
        return Letter(record.day, False, "", "auto", language, broken=True, unseen=unseen)
    body = follow_up.body
    return Letter(record.day, False, body, text_direction(body, language), language, kind=follow_up.kind, unseen=unseen)


def _open_reply(record: ReplyRecord, opened: OpenedReport, charters: Sequence[Charter]) -> Letter:
    delivery = record.delivery
    try:
        reply = open_reply(record.sealed, opened.thread, charters)
        if reply.submission != opened.report.submission:
            raise AuthenticationError("a reply is of another submission")
    except CryptoError:
        return Letter(record.day, True, "", "auto", "", record.author, broken=True, delivery=delivery)
    direction = text_direction(reply.body, reply.language)
    return Letter(reply.day, True, reply.body, direction, reply.language, reply.signer.name, delivery=delivery)

# SPDX-License-Identifier: AGPL-3.0-or-later
"""What a portal and an office hold together, read from their rows, and whether it is all at its place."""

from dataclasses import dataclass

from oversight.findings.records import PublicationRecord
from oversight.letters.records import ControlRecord, FollowUpRecord, PostingRecord, ReplyRecord
from oversight.reports.beyond_help import MAILBOX
from oversight.reports.records import BeyondHelpRecord, MailboxStateRecord, SubmissionRecord
from portal.kit.columns import NUMBER_MAX
from portal.storage import records as portal
from tests.oversight.restores import Pair


@dataclass(frozen=True)
class Holdings:
    """Reports, follow-ups, findings and letters, by their ids; the reports' ids of mailboxes that are open, or of
    which the office has the state, and of those that are closed; and up to which reply each reporter deleted.

    ``follow_ups`` and ``letters`` are of a report; letters have a number there, one that waits for it the highest. Of
    the office's findings those count of which it has the portal's receipt: another one may have to be numbered anew.
    """

    reports: frozenset[str]
    follow_ups: dict[str, str]
    letters: dict[str, tuple[str, int]]
    findings: frozenset[str]
    mailboxes: frozenset[str]
    closed: frozenset[str]
    deleted_to: dict[str, int]


async def at_portal(pair: Pair) -> Holdings:
    with pair.portal.database.use():
        mailboxes = await portal.MailboxRecord.all()
        replies = await portal.ReplyRecord.all()
        return Holdings(
            reports=frozenset(row.submission for row in await portal.SubmissionRecord.filter(deleted=False)),
            follow_ups={row.message: row.submission for row in await portal.FollowUpRecord.all()},
            letters={row.message: (row.submission, row.number) for row in replies},
            findings=frozenset(row.hash for row in await portal.FindingRecord.all()),
            mailboxes=frozenset(row.submission for row in mailboxes if not row.closed),
            closed=frozenset(row.submission for row in mailboxes if row.closed),
            deleted_to={row.submission: row.deleted_to for row in await portal.ThreadRecord.all()},
        )


async def at_office(pair: Pair) -> Holdings:
    with pair.office.database.use():
        controls = await ControlRecord.all().order_by("delete_to")
        replies = await ReplyRecord.filter(refused=None)
        numbers = dict(await PostingRecord.all().values_list("message", "number"))
        states = await MailboxStateRecord.exclude(sealed=None)
        return Holdings(
            reports=frozenset(row.id for row in await SubmissionRecord.all()),
            follow_ups={row.id: row.submission for row in await FollowUpRecord.all()},
            letters={row.id: (row.submission, numbers.get(row.id, NUMBER_MAX)) for row in replies},
            findings=frozenset(row.hash for row in await PublicationRecord.exclude(receipt=None)),
            mailboxes=frozenset(row.submission for row in states),
            closed=frozenset(row.submission for row in controls if row.close),
            deleted_to={row.submission: row.delete_to for row in controls},
        )


async def check(pair: Pair, portal_before: Holdings, office_before: Holdings) -> None:
    """Fail unless whatever either of them held before is where it belongs."""
    portal_now, office_now = await at_portal(pair), await at_office(pair)
    reports = portal_before.reports | office_before.reports
    assert reports <= office_now.reports, "a report is not at the office"
    # Of a report that was announced again the office alone had the files: when it is restored too, they are lost.
    follow_ups = {**portal_before.follow_ups, **office_before.follow_ups}
    due = {message for message, report in follow_ups.items() if report in reports}
    assert due <= office_now.follow_ups.keys(), "a message of a reporter is not at the office"
    closed = portal_before.closed | office_before.closed
    assert closed & reports <= office_now.closed, "the office lacks a command that closes"
    assert not closed & portal_now.mailboxes, "a mailbox that was closed is open"
    assert portal_before.findings | office_before.findings <= portal_now.findings, "a finding is not in the register"
    for name, thread in pair.threads.items():
        submission = thread.sealed.manifest.submission
        if submission not in reports - closed:
            continue
        if submission in portal_before.mailboxes | office_before.mailboxes:
            await _check_mailbox(pair, name, submission, portal_before, office_before)
        else:
            assert await _is_listed(pair, submission), f"{name}: its mailbox is lost, and no member is told"


async def _is_listed(pair: Pair, submission: str) -> bool:
    with pair.office.database.use():
        return await BeyondHelpRecord.filter(kind=MAILBOX, item=submission).exists()


async def _check_mailbox(pair: Pair, name: str, submission: str, portal_before: Holdings, office: Holdings) -> None:
    """As its reporter sees it."""
    seen = await pair.seen(name)
    assert seen is not None, f"{name}: its code opens nothing"
    assert seen.collected is not None and seen.confirmed is not None, f"{name}: not confirmed"
    assert seen.alarms == (), f"{name}: {seen.alarms}"
    assert not seen.older, f"{name}: an older mailbox than before"
    there = await at_portal(pair)
    deleted_to = max(held.deleted_to.get(submission, 0) for held in (portal_before, office))
    assert there.deleted_to.get(submission, 0) >= deleted_to, f"{name}: what was deleted came back"
    # A number that neither side held before is missing for good, and said so.
    letters = {**office.letters, **portal_before.letters}
    # What the reporter deleted may be said so too, by a state from before that.
    held = {number for of, number in letters.values() if of == submission and number > deleted_to}
    assert not held & set(seen.missing), f"{name}: replies are missing"
    shown = {message for message, (of, _) in there.letters.items() if of == submission}
    # A letter that waited may have been posted before, under a number that the office has taken up again since.
    letters |= (await at_office(pair)).letters
    due = {message for message, (of, number) in letters.items() if of == submission and number > deleted_to}
    assert due <= shown, f"{name}: a reply is not there"
    assert len(seen.replies) == len(shown), f"{name}: a reply can't be read"

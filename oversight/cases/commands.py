# SPDX-License-Identifier: AGPL-3.0-or-later
"""What members do in cases. Each command signs one event and appends it; the answer is the case after it.

Every command raises RuleError for what the rules refuse (``code`` says why), NoSuchCaseError, ConflictError when others
were faster several times in a row, and CryptoError when something stored is not what it should be.
"""

import hashlib
import re
import secrets
from collections.abc import Sequence
from datetime import date
from typing import Any

from crypto.age import PqIdentity
from crypto.encoding import ID_BYTES
from crypto.errors import NotARecipientError
from crypto.event_types import (
    Approved,
    Assigned,
    Checked,
    ClockExtended,
    Corrected,
    Declared,
    Drafted,
    Left,
    Moved,
    Noted,
    Opened,
    PartyAdded,
    Proposed,
    Published,
    RecommendationStatus,
    Recused,
    Replied,
    ReportAdded,
    Returned,
    Signed,
    Waived,
    Withdrawn,
)
from crypto.grant import CaseGrant
from crypto.ids import CaseId, EventHash, MemberLabel, MessageId, SubmissionId, TextHash
from crypto.sealed_parts import Keys, Party, Text
from crypto.taxonomy import CASE_PREFIX
from oversight.cases.actor import Actor
from oversight.cases.case_keys import open_keys, seal_to_holders, sha256, thread_parts
from oversight.cases.event_drafts import ATTEMPTS_MAX, EventDraft, act, act_later, append_draft, loaded_case
from oversight.cases.records import CaseRecord, CaseReportRecord
from oversight.cases.thread_renewal import check_newest, newest_of, renew_threads
from oversight.ledger.append import ConflictError
from oversight.reports.opening import ThreadIdentities, load_sealed, open_thread
from oversight.reports.records import SubmissionRecord
from oversight.workflow.rules import RuleError, find_transition
from oversight.workflow.state import CaseState

# --- opening a case, and its reports -------------------------------------------------------------------------------


async def open_case(actor: Actor, reports: Sequence[SubmissionId], policy: str) -> CaseState:
    """Make a case of these reports (submission ids); the member becomes its first holder.

    By opening it the member declares to have no conflict: pages must say so. RuleError ``no-report``,
    ``report-in-a-case``, or ``report-not-granted`` when a reporter kept a report from the member.
    """
    for _ in range(ATTEMPTS_MAX):
        threads, received = await _open_threads(actor, reports)
        case_id, identity = CaseId(secrets.token_bytes(ID_BYTES).hex()), PqIdentity.generate()
        grant = seal_to_holders(actor.charter, [actor.label], CaseGrant(case_id, 1, identity))
        public = Opened(
            number=await _next_number(actor.now.year),
            policy=policy,
            received=received,
            reports=tuple(reports),
            generation=1,
            recipient=str(identity.recipient()),
            grant_sha256=sha256(grant),
            holders=(actor.label,),
        )
        draft = EventDraft(public, Keys(thread_parts(threads)), identity.recipient(), grant, newest_of(threads))
        try:
            return await append_draft(actor, case_id, None, draft)
        except ConflictError:
            continue
    raise ConflictError


async def add_report(actor: Actor, case_id: CaseId, submission: SubmissionId) -> CaseState:
    """Add a report. Every other holder must have declared that its reporter let them read it."""

    async def draft(_: CaseState) -> EventDraft:
        threads, received = await _open_threads(actor, [submission])
        keys = Keys(thread_parts(threads))
        return EventDraft(ReportAdded(submission, received), keys, threads=newest_of(threads))

    return await act_later(actor, case_id, draft)


# --- who holds it --------------------------------------------------------------------------------------------------


async def declare(
    actor: Actor, case_id: CaseId, *, conflict: bool, reason: str = "", further: Sequence[SubmissionId] = ()
) -> CaseState:
    """Say whether the member has a conflict; which reports the reporters let them read is found out here.

    ``further`` are reports that are about to be added. ``reason`` is left out when it could be read by somebody in
    conflict who still holds the case.
    """
    state = await loaded_case(actor, case_id)
    granted = await _granted(actor, [*state.reports, *(report for report in further if report not in state.reports)])
    part = Text(reason) if reason else None
    return await act(actor, case_id, lambda _: EventDraft(Declared(conflict, granted), part))


async def assign(actor: Actor, case_id: CaseId, label: MemberLabel) -> CaseState:
    """Let a member who has declared to have no conflict hold the case."""

    async def draft(state: CaseState) -> EventDraft:
        if label in state.holders:
            raise RuleError("member-holds")
        keys = await open_keys(actor, state, hands_over=True)
        holders = (*state.holders, label)
        grant = CaseGrant(case_id, state.generation, keys.identities[state.generation])
        sealed = seal_to_holders(actor.charter, holders, grant)
        return EventDraft(Assigned(label, sha256(sealed), holders), grant=sealed)

    return await act_later(actor, case_id, draft)


async def recuse(actor: Actor, case_id: CaseId, label: MemberLabel, reason: str) -> CaseState:
    """Shut a member out for good: the case and the threads of its reports get new keys, granted to the others."""
    return await _renew(actor, case_id, Recused, label, reason)


async def leave(actor: Actor, case_id: CaseId, label: MemberLabel, reason: str) -> CaseState:
    """As ``recuse``, of a member without a conflict, who may come back."""
    return await _renew(actor, case_id, Left, label, reason)


# --- transitions and four eyes -------------------------------------------------------------------------------------


async def change_state(
    actor: Actor, case_id: CaseId, to_state: str, ground: str | None = None, reasons: str = ""
) -> CaseState:
    """Move the case on, or propose to, where the transition takes four eyes (then ``reasons`` are required)."""

    def draft(state: CaseState) -> EventDraft:
        transition = find_transition(state.state, to_state, ground)
        if transition.four_eyes:
            return EventDraft(Proposed(state.state, to_state, ground), Text(reasons))
        return EventDraft(Moved(state.state, to_state, ground), Text(reasons) if reasons else None)

    return await act(actor, case_id, draft)


async def approve(actor: Actor, case_id: CaseId, subject: EventHash, reasons: str = "") -> CaseState:
    """Approve what another member proposed; ``subject`` is the hash of that event, as the member saw it."""
    return await act(actor, case_id, lambda _: EventDraft(Approved(subject), Text(reasons) if reasons else None))


async def send_back(actor: Actor, case_id: CaseId, subject: EventHash, reasons: str) -> CaseState:
    """Refuse what another member proposed."""
    return await act(actor, case_id, lambda _: EventDraft(Returned(subject), Text(reasons)))


async def waive(actor: Actor, case_id: CaseId, subject: EventHash, reasons: str) -> CaseState:
    """Propose to set aside a check that blocks, or that a reporter's grant is missing."""
    return await act(actor, case_id, lambda _: EventDraft(Waived(subject), Text(reasons)))


# --- work ----------------------------------------------------------------------------------------------------------


async def note(actor: Actor, case_id: CaseId, text: str) -> CaseState:
    """Write a note for those who hold the case."""
    return await act(actor, case_id, lambda _: EventDraft(Noted(), Text(text)))


async def add_party(actor: Actor, case_id: CaseId, party: Party) -> CaseState:
    """Name a person or body that the case is about."""
    return await act(actor, case_id, lambda _: EventDraft(PartyAdded(), party))


async def extend_clock(actor: Actor, case_id: CaseId, clock: str, due: date, reasons: str) -> CaseState:
    """Give a clock a later end."""
    return await act(actor, case_id, lambda _: EventDraft(ClockExtended(clock, due), Text(reasons)))


async def record_reply(
    actor: Actor, case_id: CaseId, report: SubmissionId, message: MessageId, purpose: str
) -> CaseState:
    """Record a message to a reporter; ``purpose`` is one of PURPOSES."""
    return await act(actor, case_id, lambda _: EventDraft(Replied(report, message, purpose)))


# --- the finding ---------------------------------------------------------------------------------------------------


async def draft_finding(actor: Actor, case_id: CaseId, revision: int, text: str) -> CaseState:
    """Keep a revision of the finding; ``text`` is the whole text of the note that will be signed and published.

    ``revision`` is the one after what the member saw, so that nobody overwrites a colleague's.
    """
    digest = TextHash(hashlib.sha256(text.encode("utf-8")).hexdigest())
    return await act(actor, case_id, lambda _: EventDraft(Drafted(revision, digest), Text(text)))


async def record_signature(actor: Actor, case_id: CaseId, text_sha256: TextHash, signature: str) -> CaseState:
    """Record the member's signature (64 bytes, base64) of the finding's note."""
    return await act(actor, case_id, lambda _: EventDraft(Signed(text_sha256, signature)))


async def record_check(actor: Actor, case_id: CaseId, text_sha256: TextHash, outcome: str, report: str) -> CaseState:
    """Record an outgoing check of the finding's text; ``outcome`` is ``pass``, ``warn`` or ``block``."""
    digest = hashlib.sha256(report.encode("utf-8")).hexdigest()
    return await act(actor, case_id, lambda _: EventDraft(Checked(text_sha256, outcome, digest), Text(report)))


async def record_publication(actor: Actor, case_id: CaseId, done: Published | Corrected | Withdrawn) -> CaseState:
    """Record that the portal has published, corrected or withdrawn the finding, as it was decided."""
    return await act(actor, case_id, lambda _: EventDraft(done))


async def set_recommendation(
    actor: Actor, case_id: CaseId, recommendation: str, status: str, text: str = ""
) -> CaseState:
    """Record what became of a recommendation."""
    part = Text(text) if text else None
    return await act(actor, case_id, lambda _: EventDraft(RecommendationStatus(recommendation, status), part))


# --- how it is done ------------------------------------------------------------------------------------------------


async def _renew(
    actor: Actor, case_id: CaseId, kind: type[Recused | Left], label: MemberLabel, reason: str
) -> CaseState:
    async def draft(state: CaseState) -> EventDraft:
        if label == actor.label:
            raise RuleError("renews-against-oneself")
        keys = await open_keys(actor, state)
        fresh, generation = PqIdentity.generate(), state.generation + 1
        today = {entry.label for entry in actor.charter.members_on(actor.now.date())}
        holders = tuple(holder for holder in state.holders if holder != label and holder in today)
        sealed = seal_to_holders(actor.charter, holders, CaseGrant(case_id, generation, fresh))
        public = kind(label, generation, str(fresh.recipient()), sha256(sealed), holders)
        threads, renewals = await renew_threads(actor, keys.threads)
        part = keys.renewal(reason, threads)
        return EventDraft(public, part, fresh.recipient(), sealed, newest_of(keys.threads), renewals)

    return await act_later(actor, case_id, draft)


async def _open_threads(
    actor: Actor, reports: Sequence[SubmissionId]
) -> tuple[dict[SubmissionId, ThreadIdentities], date]:
    """The keys of the threads by the member's own grants, and the day on which the first report came.

    RuleError ``thread-renewed`` for a member who was not granted the newest of them.
    """
    if not reports:
        raise RuleError("no-report")
    await _refuse_taken(reports)
    submissions = await SubmissionRecord.filter(id__in=list(reports))
    if len(submissions) != len(set(reports)):
        raise RuleError("no-report")
    try:
        opened = {sealed.submission: open_thread(sealed, actor.identity) for sealed in await load_sealed(submissions)}
    except NotARecipientError:
        raise RuleError("report-not-granted") from None
    for submission in submissions:
        check_newest(opened[submission.id], submission)
    return opened, min(submission.received for submission in submissions)


async def _granted(actor: Actor, reports: Sequence[SubmissionId]) -> tuple[SubmissionId, ...]:
    """Those of the reports that the member's own grants open."""
    submissions = await SubmissionRecord.filter(id__in=list(reports))
    granted = []
    for sealed in await load_sealed(submissions):
        try:
            open_thread(sealed, actor.identity)
        except NotARecipientError:
            continue
        granted.append(sealed.submission)
    return tuple(sorted(granted))


async def _refuse_taken(reports: Sequence[SubmissionId]) -> None:
    if await CaseReportRecord.filter(submission__in=list(reports)).exists():
        raise RuleError("report-in-a-case")


async def _next_number(year: int) -> str:
    """The number after the last one of this year. Whoever takes the same at once is refused by the unique column."""
    prefix = f"{CASE_PREFIX}{year:04d}-"
    numbers: list[Any] = await CaseRecord.filter(number__startswith=prefix).values_list("number", flat=True)
    serials = (number.removeprefix(prefix) for number in numbers)
    # One that is damaged is none.
    last = max((int(serial) for serial in serials if re.fullmatch("[0-9]{1,9}", serial)), default=0)
    return f"{prefix}{last + 1:04d}"

# SPDX-License-Identifier: AGPL-3.0-or-later
"""What members do in cases. Each command signs one event and appends it; the answer is the case after it.

Every command raises RuleError for what the rules refuse (``code`` says why), NoSuchCaseError, ConflictError when others
were faster several times in a row, and CryptoError when something stored is not what it should be.
"""

import hashlib
import secrets
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date

from crypto.age import PqIdentity, PqRecipient
from crypto.encoding import ID_BYTES
from crypto.errors import NotARecipientError
from crypto.event import Event, seal_part, sign_event
from crypto.event_parts import (
    Approved,
    Assigned,
    Checked,
    ClockExtended,
    Corrected,
    Declared,
    Drafted,
    Keys,
    Left,
    Moved,
    Noted,
    Opened,
    Part,
    Party,
    PartyAdded,
    Proposed,
    Public,
    Published,
    RecommendationStatus,
    Recused,
    Replied,
    ReportAdded,
    Returned,
    Signed,
    Text,
    Thread,
    Waived,
    Withdrawn,
)
from crypto.grant import CaseGrant
from oversight.cases.actor import Acting
from oversight.cases.case_keys import open_keys, seal_to_holders, sha256
from oversight.cases.case_store import CaseProjection, load_case
from oversight.cases.records import CaseRecord, CaseReport
from oversight.ledger.append import ConflictError, append
from oversight.reports.opening import load_sealed, open_thread
from oversight.reports.records import Submission
from oversight.workflow.rules import RuleError, find_transition
from oversight.workflow.state import CaseState

ATTEMPTS_MAX = 5


@dataclass(frozen=True)
class Draft:
    """An event before it has its place. ``recipient`` is to whom the sealed part goes, if not to the case as it is."""

    public: Public
    part: Part | None = None
    recipient: PqRecipient | None = None
    grant: bytes | None = None


# --- opening a case, and its reports -------------------------------------------------------------------------------


async def open_case(acting: Acting, reports: Sequence[str], policy: str) -> CaseState:
    """Make a case of these reports (submission ids); the member becomes its first holder.

    By opening it the member declares to have no conflict: pages must say so. RuleError ``no-report``,
    ``report-in-a-case``, or ``report-not-granted`` when a reporter kept a report from the member.
    """
    threads, received = await _open_threads(acting, reports)
    for _ in range(ATTEMPTS_MAX):
        case, identity = secrets.token_bytes(ID_BYTES).hex(), PqIdentity.generate()
        grant = seal_to_holders(acting.charter, [acting.label], CaseGrant(case, 1, identity))
        public = Opened(
            number=await _next_number(acting.now.year),
            policy=policy,
            received=received,
            reports=tuple(reports),
            generation=1,
            recipient=str(identity.recipient()),
            grant_sha256=sha256(grant),
            holders=(acting.label,),
        )
        draft = Draft(public, Keys(threads), identity.recipient(), grant)
        try:
            return await _append(acting, case, None, draft)
        except ConflictError:
            await _refuse_taken(reports)
    raise ConflictError


async def add_report(acting: Acting, case: str, report: str) -> CaseState:
    """Add a report. Every other holder must have declared that its reporter let them read it."""
    threads, received = await _open_threads(acting, [report])
    return await _act(acting, case, lambda _: Draft(ReportAdded(report, received), Keys(threads)))


# --- who holds it --------------------------------------------------------------------------------------------------


async def declare(
    acting: Acting, case: str, *, conflict: bool, reason: str = "", further: Sequence[str] = ()
) -> CaseState:
    """Say whether the member has a conflict; which reports the reporters let them read is found out here.

    ``further`` are reports that are about to be added. ``reason`` is left out when it could be read by somebody in
    conflict who still holds the case.
    """
    state = await load_case(case)
    granted = await _granted(acting, [*state.reports, *(report for report in further if report not in state.reports)])
    part = Text(reason) if reason else None
    return await _act(acting, case, lambda _: Draft(Declared(conflict, granted), part))


async def assign(acting: Acting, case: str, member: str) -> CaseState:
    """Let a member who has declared to have no conflict hold the case."""

    async def draft(state: CaseState) -> Draft:
        if member in state.holders:
            raise RuleError("member-holds")
        keys = await open_keys(acting, state, hands_over=True)
        holders = (*state.holders, member)
        grant = CaseGrant(case, state.generation, keys.identities[state.generation])
        sealed = seal_to_holders(acting.charter, holders, grant)
        return Draft(Assigned(member, sha256(sealed), holders), grant=sealed)

    return await _act_later(acting, case, draft)


async def recuse(acting: Acting, case: str, member: str, reason: str) -> CaseState:
    """Shut a member out for good: the case gets a new identity, granted to the others."""
    return await _renew(acting, case, Recused, member, reason)


async def leave(acting: Acting, case: str, member: str, reason: str) -> CaseState:
    """As ``recuse``, of a member without a conflict, who may come back."""
    return await _renew(acting, case, Left, member, reason)


# --- moves and four eyes -------------------------------------------------------------------------------------------


async def move(acting: Acting, case: str, to_state: str, ground: str | None = None, reasons: str = "") -> CaseState:
    """Move the case on, or propose to, where the move takes four eyes (then ``reasons`` are due)."""

    def draft(state: CaseState) -> Draft:
        transition = find_transition(state.state, to_state, ground)
        if transition.four_eyes:
            return Draft(Proposed(state.state, to_state, ground), Text(reasons))
        return Draft(Moved(state.state, to_state, ground), Text(reasons) if reasons else None)

    return await _act(acting, case, draft)


async def approve(acting: Acting, case: str, subject: str, reasons: str = "") -> CaseState:
    """Approve what another member proposed; ``subject`` is the hash of that event, as the member saw it."""
    return await _act(acting, case, lambda _: Draft(Approved(subject), Text(reasons) if reasons else None))


async def send_back(acting: Acting, case: str, subject: str, reasons: str) -> CaseState:
    """Refuse what another member proposed."""
    return await _act(acting, case, lambda _: Draft(Returned(subject), Text(reasons)))


async def waive(acting: Acting, case: str, subject: str, reasons: str) -> CaseState:
    """Propose to set aside a check that blocks, or that a reporter's grant is missing."""
    return await _act(acting, case, lambda _: Draft(Waived(subject), Text(reasons)))


# --- work ----------------------------------------------------------------------------------------------------------


async def note(acting: Acting, case: str, text: str) -> CaseState:
    """Write a note for those who hold the case."""
    return await _act(acting, case, lambda _: Draft(Noted(), Text(text)))


async def add_party(acting: Acting, case: str, party: Party) -> CaseState:
    """Name a person or body that the case is about."""
    return await _act(acting, case, lambda _: Draft(PartyAdded(), party))


async def extend_clock(acting: Acting, case: str, clock: str, due: date, reasons: str) -> CaseState:
    """Give a clock a later end."""
    return await _act(acting, case, lambda _: Draft(ClockExtended(clock, due), Text(reasons)))


async def record_reply(acting: Acting, case: str, report: str, message: str, purpose: str) -> CaseState:
    """Record a message to a reporter; ``purpose`` is ``message``, ``acknowledgement`` or ``feedback``."""
    return await _act(acting, case, lambda _: Draft(Replied(report, message, purpose)))


# --- the finding ---------------------------------------------------------------------------------------------------


async def draft_finding(acting: Acting, case: str, revision: int, text: str) -> CaseState:
    """Keep a revision of the finding; ``text`` is the whole text of the note that will be signed and published.

    ``revision`` is the one after what the member saw, so that nobody overwrites a colleague's.
    """
    digest = hashlib.sha256(text.encode("utf-8")).hexdigest()
    return await _act(acting, case, lambda _: Draft(Drafted(revision, digest), Text(text)))


async def record_signature(acting: Acting, case: str, text_sha256: str, signature: str) -> CaseState:
    """Record the member's signature (64 bytes, base64) of the finding's note."""
    return await _act(acting, case, lambda _: Draft(Signed(text_sha256, signature)))


async def record_check(acting: Acting, case: str, text_sha256: str, outcome: str, report: str) -> CaseState:
    """Record an outgoing check of the finding's text; ``outcome`` is ``pass``, ``warn`` or ``block``."""
    digest = hashlib.sha256(report.encode("utf-8")).hexdigest()
    return await _act(acting, case, lambda _: Draft(Checked(text_sha256, outcome, digest), Text(report)))


async def record_publication(acting: Acting, case: str, done: Published | Corrected | Withdrawn) -> CaseState:
    """Record that the portal has published, corrected or withdrawn the finding, as it was decided."""
    return await _act(acting, case, lambda _: Draft(done))


async def set_recommendation(acting: Acting, case: str, recommendation: str, status: str, text: str = "") -> CaseState:
    """Record what became of a recommendation."""
    part = Text(text) if text else None
    return await _act(acting, case, lambda _: Draft(RecommendationStatus(recommendation, status), part))


# --- how it is done ------------------------------------------------------------------------------------------------


async def _act(acting: Acting, case: str, draft: Callable[[CaseState], Draft]) -> CaseState:
    async def later(state: CaseState) -> Draft:
        return draft(state)

    return await _act_later(acting, case, later)


async def _act_later(acting: Acting, case: str, draft: Callable[[CaseState], Awaitable[Draft]]) -> CaseState:
    """Draft for the case as it is, sign, append; again when somebody else was faster, for the rules judge anew."""
    for _ in range(ATTEMPTS_MAX):
        state = await load_case(case)
        if acting.seen is not None and acting.seen != state.head.hash:
            raise ConflictError
        try:
            return await _append(acting, case, state, await draft(state))
        except ConflictError:
            continue
    raise ConflictError


async def _append(acting: Acting, case: str, state: CaseState | None, draft: Draft) -> CaseState:
    sequence = 0 if state is None else state.head.sequence + 1
    sealed = None
    if draft.part is not None:
        recipient = draft.recipient or PqRecipient.from_string(state.recipient if state else "")
        sealed = seal_part(draft.part, case, sequence, recipient)
    now = acting.now.astimezone(UTC).replace(microsecond=0)
    event = Event(
        case=case,
        sequence=sequence,
        previous=None if state is None else state.head.hash,
        actor=acting.label,
        charter=acting.charter.hash,
        # A clock that was set back must not stop the office.
        time=now if state is None else max(now, state.head.time),
        public=draft.public,
        sealed=sealed,
    )
    signed = sign_event(event, acting.signing_key)
    return await append(signed, {acting.charter.hash: acting.charter}, CaseProjection(draft.grant))


async def _renew(acting: Acting, case: str, kind: type[Recused | Left], member: str, reason: str) -> CaseState:
    async def draft(state: CaseState) -> Draft:
        if member == acting.label:
            raise RuleError("renews-against-oneself")
        keys = await open_keys(acting, state)
        fresh, generation = PqIdentity.generate(), state.generation + 1
        today = {entry.label for entry in acting.charter.members_on(acting.now.date())}
        holders = tuple(label for label in state.holders if label != member and label in today)
        sealed = seal_to_holders(acting.charter, holders, CaseGrant(case, generation, fresh))
        public = kind(member, generation, str(fresh.recipient()), sha256(sealed), holders)
        return Draft(public, keys.renewal(reason), fresh.recipient(), sealed)

    return await _act_later(acting, case, draft)


async def _open_threads(acting: Acting, reports: Sequence[str]) -> tuple[tuple[Thread, ...], date]:
    """The identities of the threads by the member's own grants, and the day on which the first report came."""
    if not reports:
        raise RuleError("no-report")
    await _refuse_taken(reports)
    submissions = await Submission.filter(id__in=list(reports))
    if len(submissions) != len(set(reports)):
        raise RuleError("no-report")
    try:
        opened = [
            Thread(sealed.submission, open_thread(sealed, acting.identity)) for sealed in await load_sealed(submissions)
        ]
    except NotARecipientError:
        raise RuleError("report-not-granted") from None
    return tuple(opened), min(submission.received for submission in submissions)


async def _granted(acting: Acting, reports: Sequence[str]) -> tuple[str, ...]:
    """Those of the reports that the member's own grants open."""
    submissions = await Submission.filter(id__in=list(reports))
    granted = []
    for sealed in await load_sealed(submissions):
        try:
            open_thread(sealed, acting.identity)
        except NotARecipientError:
            continue
        granted.append(sealed.submission)
    return tuple(sorted(granted))


async def _refuse_taken(reports: Sequence[str]) -> None:
    if await CaseReport.filter(submission__in=list(reports)).exists():
        raise RuleError("report-in-a-case")


async def _next_number(year: int) -> str:
    """The number after the last one of this year. Whoever takes the same at once is refused by the unique column."""
    prefix = f"C-{year:04d}-"
    last = await CaseRecord.filter(number__startswith=prefix).order_by("-serial").first()
    return f"{prefix}{1 if last is None else last.serial + 1:04d}"

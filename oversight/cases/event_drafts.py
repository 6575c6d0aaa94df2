# SPDX-License-Identifier: AGPL-3.0-or-later
"""From the draft of an event to its place in the ledger: sealed, signed, appended; again when others were faster."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC

from crypto.age import PqRecipient
from crypto.charter import NotInForceError
from crypto.event import Event, seal_part, sign_event
from crypto.event_fields import Part
from crypto.event_types import Public
from crypto.ids import CaseId, SubmissionId
from oversight.cases.actor import Actor
from oversight.cases.case_store import CaseProjection, load_case
from oversight.ledger.append import ConflictError, append
from oversight.workflow.rules import RuleError
from oversight.workflow.state import CaseState

ATTEMPTS_MAX = 5


@dataclass(frozen=True)
class EventDraft:
    """An event before it has its place. ``recipient`` is to whom the sealed part goes, if not to the case as it is.

    ``threads`` and ``renewals`` as in ``CaseProjection``.
    """

    public: Public
    part: Part | None = None
    recipient: PqRecipient | None = None
    grant: bytes | None = None
    threads: Mapping[SubmissionId, int] = field(default_factory=dict)
    renewals: Mapping[SubmissionId, bytes] = field(default_factory=dict)


async def act(actor: Actor, case_id: CaseId, draft: Callable[[CaseState], EventDraft]) -> CaseState:
    """As ``act_later``, for a draft that takes nothing but the state of the case."""

    async def later(state: CaseState) -> EventDraft:
        return draft(state)

    return await act_later(actor, case_id, later)


async def act_later(actor: Actor, case_id: CaseId, draft: Callable[[CaseState], Awaitable[EventDraft]]) -> CaseState:
    """Draft for the case as it is, sign, append; again when somebody else was faster, for the rules judge anew.

    The first attempt starts from the case as the request has read it. It may be out of date: the transaction that
    appends reads the case again and finds the place taken, and then every further attempt reads it anew.
    """
    for attempt in range(ATTEMPTS_MAX):
        state = await (loaded_case(actor, case_id) if attempt == 0 else load_case(case_id))
        if actor.seen is not None and actor.seen != state.head.hash:
            raise ConflictError
        try:
            return await append_draft(actor, case_id, state, await draft(state))
        except ConflictError:
            continue
    raise ConflictError


async def loaded_case(actor: Actor, case_id: CaseId) -> CaseState:
    """The case as this request has read it, or as it is now if it has not."""
    if actor.loaded is not None and actor.loaded.head.case == case_id:
        return actor.loaded
    return await load_case(case_id)


async def append_draft(actor: Actor, case_id: CaseId, state: CaseState | None, draft: EventDraft) -> CaseState:
    """Seal, sign and append the draft after ``state``, None for the first event. Raises as ``ledger.append.append``,
    and RuleError ``charter-over`` when the charter is not in force on the event's day."""
    now = actor.now.astimezone(UTC).replace(microsecond=0)
    # A clock that was set back must not stop the office.
    time = now if state is None else max(now, state.head.time)
    try:
        actor.charter.check_day(time.date())
    except NotInForceError:
        raise RuleError("charter-over") from None
    sequence = 0 if state is None else state.head.sequence + 1
    sealed = None
    if draft.part is not None:
        recipient = draft.recipient or PqRecipient.from_string(state.recipient if state else "")
        sealed = seal_part(draft.part, case_id, sequence, recipient)
    event = Event(
        case=case_id,
        sequence=sequence,
        previous=None if state is None else state.head.hash,
        actor=actor.label,
        charter=actor.charter.hash,
        time=time,
        public=draft.public,
        sealed=sealed,
    )
    signed = sign_event(event, actor.signing_key)
    projection = CaseProjection(draft.grant, draft.threads, draft.renewals)
    return await append(signed, {actor.charter.hash: actor.charter}, projection)

# SPDX-License-Identifier: AGPL-3.0-or-later
"""From events to the state of a case. ``apply_event`` is the one judge, of appending and of verifying alike.

It is pure: a state, an event whose signature was verified, the event's charter; out comes the next state, or a refusal.
"""

from dataclasses import replace

from crypto.charter import Charter
from crypto.event import SignedEvent, check_follows
from crypto.event_types import Opened
from oversight.workflow import clocks
from oversight.workflow.access import check_access, check_role, members_of
from oversight.workflow.event_types import EVENT_TYPES
from oversight.workflow.rules import RECEIVED, RuleError
from oversight.workflow.state import CaseState, Declaration
from oversight.workflow.step import Step


def apply_event(state: CaseState | None, event: SignedEvent, charter: Charter) -> CaseState:
    """The state after ``event``, which must follow ``state`` (None before the first one).

    Raises ProofError when it does not continue the ledger and RuleError when it may not be. *Not* checked: the
    signature (``crypto.event.read_event``), and what is in the sealed part.
    """
    check_follows(None if state is None else state.head, event)
    if state is None:
        return _open(event)
    row = EVENT_TYPES[event.type]
    if row.effect is None:
        raise RuleError("opened-before")
    step = Step(state.with_actor(event.signer), event, members_of(charter, event))
    check_access(step.state, event, step.members, row.act)
    return replace(row.effect(step), head=event.head)


def _open(event: SignedEvent) -> CaseState:
    public = event.public
    if not isinstance(public, Opened):
        raise RuleError("not-opened")
    check_role(event, EVENT_TYPES["opened"].act.roles)
    day = event.time.date()
    if public.policy not in clocks.PACKS:
        raise RuleError("policy")
    if public.holders != (event.actor,):
        raise RuleError("holders")
    if public.received > day:
        raise RuleError("received")
    return CaseState(
        head=event.head,
        number=public.number,
        policy=public.policy,
        opened=day,
        received=public.received,
        reports=public.reports,
        state=RECEIVED,
        since=day,
        generation=1,
        recipient=public.recipient,
        grant_sha256=public.grant_sha256,
        holders=public.holders,
        declarations=(Declaration(event.actor, event.hash, conflict=False, granted=public.reports),),
        clocks=clocks.start_clocks(public.policy, public.received),
    ).with_actor(event.signer)

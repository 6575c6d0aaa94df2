# SPDX-License-Identifier: AGPL-3.0-or-later
"""The identity of a case: who gets it, and what it opens. docs/protocol.md §13.4.

The current generation opens everything: each renewal carries the earlier identities and the threads. A member who was
removed by a renewal cannot open anything sealed after it.
"""

import hashlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from crypto.age import PqIdentity
from crypto.charter import Charter
from crypto.errors import AuthenticationError, NotARecipientError
from crypto.event import SignedEvent, open_part, read_event
from crypto.event_fields import Part
from crypto.grant import CaseGrant, open_case_grant, seal_case_grant
from crypto.ids import MemberLabel, SubmissionId
from crypto.sealed_parts import Generation, Keys, Renewal, Thread
from oversight.cases.actor import Actor
from oversight.cases.records import CaseGrantRecord
from oversight.commission.charters import charters_by_hash
from oversight.ledger.records import EventRecord
from oversight.reports.opening import ThreadGeneration, ThreadIdentities, load_sealed, open_later_grants
from oversight.reports.records import SubmissionRecord
from oversight.workflow.rules import RuleError
from oversight.workflow.state import CaseState
from portal.kit.columns import NUMBER_MAX, readable


@dataclass(frozen=True)
class CaseKeys:
    """What somebody who holds a case can open: its sealed parts by generation, its reports by submission id."""

    identities: Mapping[int, PqIdentity] = field(repr=False)
    threads: Mapping[SubmissionId, ThreadIdentities] = field(repr=False)

    def open(self, event: SignedEvent, generation: int) -> Part | None:
        """The sealed part of an event of this generation. Raises as ``crypto.event.open_part``."""
        if event.sealed is None:
            return None
        identity = self.identities.get(generation)
        if identity is None:
            raise NotARecipientError("the identity of this generation is not at hand")
        return open_part(event, identity)

    def renewal(self, text: str, fresh: Mapping[SubmissionId, ThreadGeneration]) -> Renewal:
        """The sealed part by which those who stay keep everything that came before.

        ``fresh`` are the new keys of every thread of the case, one generation more than it has here.
        """
        identities = tuple(Generation(number, self.identities[number]) for number in sorted(self.identities))
        threads = {
            report: known.joined({known.newest + 1: fresh[report]}) for report, known in sorted(self.threads.items())
        }
        return Renewal(text, identities, thread_parts(threads))


def thread_parts(threads: Mapping[SubmissionId, ThreadIdentities]) -> tuple[Thread, ...]:
    """The keys of these threads as they stand in events, every generation of each."""
    return tuple(
        Thread(report, generation, pair.identity, None if pair.message_mac is None else pair.message_mac.hex())
        for report, known in threads.items()
        for generation, pair in sorted(known.generations.items())
    )


def read_threads(parts: Iterable[Thread]) -> dict[SubmissionId, ThreadIdentities]:
    """What ``thread_parts`` wrote."""
    found: dict[SubmissionId, dict[int, ThreadGeneration]] = {}
    for part in parts:
        message_mac = None if part.message_mac is None else bytes.fromhex(part.message_mac)
        found.setdefault(part.report, {})[part.generation] = ThreadGeneration(part.identity, message_mac)
    return {report: ThreadIdentities(generations) for report, generations in found.items()}


def seal_to_holders(charter: Charter, holders: Collection[MemberLabel], grant: CaseGrant) -> bytes:
    """The grant of a case's identity to these members and the reserve. RuleError ``member`` for one without a key."""
    recipients = {member.label: member.recipient for member in charter.members}
    if not set(holders) <= set(recipients):
        raise RuleError("member")
    return seal_case_grant(grant, [*(recipients[label] for label in sorted(holders)), charter.reserve.recipient])


def sha256(sealed: bytes) -> str:
    """The hash of a grant, as events name it."""
    return hashlib.sha256(sealed).hexdigest()


async def open_keys(actor: Actor, state: CaseState, *, hands_over: bool = False) -> CaseKeys:
    """Open the case as this member; ``hands_over`` for the only act left to a member in conflict.

    Raises RuleError ``recused``, ``in-conflict`` or ``not-a-holder`` for those who must not, before any key is tried;
    another CryptoError when a row is not what the ledger says it is.
    """
    if state.is_recused(actor.label):
        raise RuleError("recused")
    if state.in_conflict(actor.label) and not hands_over:
        raise RuleError("in-conflict")
    if actor.label not in state.holders:
        raise RuleError("not-a-holder")
    record = await CaseGrantRecord.get_or_none(case=state.head.case, generation=state.generation)
    sealed = b"" if record is None else bytes(record.sealed)
    if sha256(sealed) != state.grant_sha256:
        raise AuthenticationError("a grant is not the one that the ledger names")
    grant = open_case_grant(sealed, [actor.identity])
    return await gather_keys(state, grant)


async def gather_keys(state: CaseState, grant: CaseGrant) -> CaseKeys:
    """What the identity of the present generation leads to. Raises AuthenticationError if it is another one."""
    case_id, generation = state.head.case, state.generation
    is_this = (grant.subject, grant.generation) == (case_id, generation)
    if not is_this or str(grant.identity.recipient()) != state.recipient:
        raise AuthenticationError("a grant is of another case or generation")
    identities: dict[int, PqIdentity] = {generation: grant.identity}
    parts: list[Thread] = []
    charters = await charters_by_hash()
    carrying = EventRecord.filter(
        case=case_id, generation=generation, type__in=("opened", "report-added", "recused", "left")
    )
    for data in await carrying.order_by("sequence").values_list("note", flat=True):
        part = open_part(read_event(bytes(data), charters), grant.identity)
        if isinstance(part, Renewal):
            identities.update({entry.generation: entry.identity for entry in part.identities})
        if isinstance(part, Renewal | Keys):
            parts.extend(part.threads)
    return CaseKeys(identities, await _with_later_grants(read_threads(parts), list(identities.values())))


async def _with_later_grants(
    threads: dict[SubmissionId, ThreadIdentities], identities: list[PqIdentity]
) -> dict[SubmissionId, ThreadIdentities]:
    """The threads, with the keys that were made for the case and outside of its ledger (``thread_renewal``)."""
    submissions = await SubmissionRecord.filter(id__in=list(threads), generation__gt=0)
    behind = [entry for entry in submissions if threads[entry.id].newest < readable(entry.generation, NUMBER_MAX)]
    for sealed in await load_sealed(behind):
        threads[sealed.submission] = open_later_grants(threads[sealed.submission], sealed, identities)
    return threads

# SPDX-License-Identifier: AGPL-3.0-or-later
"""From signatures in the ledger to a note in the register, once.

The note waits in the outbox; the ledger gets its event from a member, who signs it.
"""

from collections.abc import Mapping
from datetime import date

from crypto.charter import Charter
from crypto.errors import CryptoError
from crypto.event_types import Corrected, Published, Withdrawn
from crypto.finding import Finding, read_finding, read_finding_text
from crypto.ids import CaseId, CharterHash
from crypto.note import Note
from oversight.cases import commands
from oversight.cases.actor import Actor
from oversight.findings.history import Revision
from oversight.findings.records import PublicationRecord
from oversight.findings.register_comparison import compare_register
from oversight.wire.outbox import Outbox
from oversight.wire.portal_client import PortalClient
from oversight.wire.portal_errors import PortalRefused, PortalUnreachable
from oversight.workflow.rules import CORRECTION, PUBLISHED, WITHDRAWAL, RuleError
from oversight.workflow.state import CaseState

# What the portal will say of this note every time.
FINAL_REFUSALS = frozenset(
    {
        "finding-malformed",
        "finding-signatures",
        "finding-number",
        "finding-conflict",
        "not-your-commission",
        "charter-unknown",
        "malformed-request",
        "too-large",
    }
)


BY_WHAT_IS_THERE = frozenset({"finding-number", "finding-conflict", "charter-unknown"})
WAITS = "waits"


async def store_publication(case_id: CaseId, revision: Revision, charter: Charter) -> PublicationRecord:
    """The signed note on its way, made now or by an earlier click.

    Raises MalformedError, FindingSignersError and the like for a note that no portal would take.
    """
    finding = read_finding(revision.note.encode(), charter)

    async def make(number: int) -> PublicationRecord:
        return await PublicationRecord.get_or_none(hash=finding.hash) or await PublicationRecord.create(
            hash=finding.hash, number=number, case=case_id, finding=finding.id, note=finding.note
        )

    return await FINDINGS.store(make)


async def _post(client: PortalClient, record: PublicationRecord, today: date) -> None:
    """Post a note; once more by its receipt, if the portal took it before."""
    try:
        if record.receipt is not None:
            await client.publish_again(bytes(record.note), bytes(record.receipt))
        else:
            await client.publish_finding(bytes(record.note))
    except PortalRefused as error:
        if record.receipt is not None:
            # What the portal said that it took is not given up, whatever it says now.
            raise PortalUnreachable("the register does not take back what it had", error.problem) from None
        # A register that went back has other numbers free, and knows fewer charters: this is not what it says for good.
        if error.code not in BY_WHAT_IS_THERE or not await _went_back(client, record, today):
            raise
        raise PortalUnreachable("the register went back", WAITS) from None


async def _went_back(client: PortalClient, record: PublicationRecord, today: date) -> bool:
    """Whether the register lacks what it had before this one."""
    earlier = PublicationRecord.filter(number__lt=record.number, posted_on=None, refused=None)
    return await compare_register(client, today) or await earlier.exists()


def _lane(record: PublicationRecord) -> str:
    """New findings are numbered in their order; a later revision waits for those of its own finding alone."""
    try:
        first = read_finding_text(Note.parse(bytes(record.note)).text).revision == 1
    except CryptoError:
        first = True
    return "" if first else record.finding


FINDINGS = Outbox(PublicationRecord, _post, FINAL_REFUSALS, _lane)


async def complete(actor: Actor, state: CaseState, record: PublicationRecord) -> CaseState:
    """Record in the ledger that the portal has the note, if that is not recorded yet. Raises RuleError."""
    assert record.posted_on is not None
    if state.published is not None and state.published.note_sha256 == record.hash:
        return state
    if state.decided is None or state.finding is None or state.finding.text_sha256 != record.hash:
        raise RuleError("not-decided")
    done: Published | Corrected | Withdrawn
    revision = state.finding.revision
    if state.decided.ground == WITHDRAWAL:
        done = Withdrawn(record.finding, record.hash)
    elif state.decided.ground == CORRECTION:
        done = Corrected(record.finding, record.hash, revision)
    elif state.decided.to_state == PUBLISHED:
        done = Published(record.finding, record.hash, revision)
    else:
        raise RuleError("not-decided")
    return await commands.record_publication(actor, state.head.case, done)


async def standing(state: CaseState, charters: Mapping[CharterHash, Charter]) -> Finding | None:
    """What stands in the register of this case's finding, verified again. None before it is published."""
    if state.published is None:
        return None
    record = await PublicationRecord.get(hash=state.published.note_sha256)
    note = bytes(record.note)
    draft = read_finding_text(Note.parse(note).text)
    return read_finding(note, charters[draft.charter])

# SPDX-License-Identifier: AGPL-3.0-or-later
"""From signatures in the ledger to a note in the register, once.

The note is stored before it is posted, so that a portal that can't be reached or a crash in between delays a
publication and never loses or doubles it. The collector posts what waits; the ledger gets its event from a
member, who signs it.
"""

from datetime import date

from tortoise.exceptions import IntegrityError

from crypto.charter import Charter
from crypto.event_types import Corrected, Published, Withdrawn
from crypto.finding import Finding, read_finding, read_finding_text
from crypto.note import Note
from oversight.cases import commands
from oversight.cases.actor import Actor
from oversight.findings.history import Revision
from oversight.findings.records import PublicationRecord
from oversight.wire.portal_client import PortalClient, PortalRefused
from oversight.workflow.rules import CORRECTION, PUBLISHED, WITHDRAWAL, RuleError
from oversight.workflow.state import CaseState
from portal.kit.database import transaction

# What the portal will say of this note every time. Any other refusal may pass, and the note waits.
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
ATTEMPTS = 3


async def store_publication(case: str, revision: Revision, charter: Charter) -> PublicationRecord:
    """The signed note on its way, made now or by an earlier click.

    Raises MalformedError, FindingSignersError and the like for a note that no portal would take.
    """
    note = revision.note.encode()
    finding = read_finding(note, charter)
    for attempt in range(ATTEMPTS):
        record = await PublicationRecord.get_or_none(hash=finding.hash)
        if record is not None:
            return record
        try:
            return await _store(case, finding)
        except IntegrityError:
            # Another click stored it, or another case's finding took the number.
            if attempt == ATTEMPTS - 1:
                raise
    raise AssertionError("unreachable: the loop returns or raises")


async def _store(case: str, finding: Finding) -> PublicationRecord:
    async with transaction():
        last = await PublicationRecord.all().order_by("-number").only("number").first()
        return await PublicationRecord.create(
            hash=finding.hash,
            number=1 if last is None else last.number + 1,
            case=case,
            finding=finding.id,
            note=finding.note,
        )


async def post_findings(client: PortalClient, today: date) -> int:
    """Post what waits, oldest first; how many went out.

    Raises PortalUnreachable, and PortalRefused when the portal refuses for a reason that may pass; the rest then waits.
    """
    posted = 0
    for record in await PublicationRecord.filter(posted_on=None, refused=None).order_by("number"):
        posted += await post_one(client, record, today)
    return posted


async def post_one(client: PortalClient, record: PublicationRecord, today: date) -> bool:
    """Post one note; False when the portal refused it for good, which its row then says."""
    try:
        await client.publish_finding(bytes(record.note))
    except PortalRefused as error:
        if error.code not in FINAL_REFUSALS:
            raise
        record.refused = error.code
        await record.save(update_fields=["refused"])
        return False
    record.posted_on = today
    await record.save(update_fields=["posted_on"])
    return True


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


async def standing(state: CaseState, charters: dict[str, Charter]) -> Finding | None:
    """What stands in the register of this case's finding, verified again. None before it is published."""
    if state.published is None:
        return None
    record = await PublicationRecord.get(hash=state.published.note_sha256)
    note = bytes(record.note)
    draft = read_finding_text(Note.parse(note).text)
    return read_finding(note, charters[draft.charter])

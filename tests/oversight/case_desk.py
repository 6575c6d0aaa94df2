# SPDX-License-Identifier: AGPL-3.0-or-later
"""A commission's desk in a test: received reports, and its members working on cases, day by day."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta

from crypto.charter import Charter, make_charter, read_charter
from crypto.note import sign
from crypto.submission import SealedSubmission
from oversight.cases import commands
from oversight.cases.actor import Actor
from oversight.commission.records import CharterRecord
from oversight.reports.records import SealedFileRecord, SubmissionRecord
from oversight.workflow.state import CaseState
from tests.oversight.portal_simulator import PortalSimulator, acknowledge
from tests.oversight.sealed_reports import sealed_report
from tests.people import NOW, World

REASONS = "Because of what the report says."
FINDING = '{"title":"A finding"}\n'


@dataclass
class Desk:
    """The people of ``world`` and a clock that a test moves."""

    world: World
    now: datetime = NOW
    successors: list[Charter] = field(default_factory=list)

    @property
    def charters(self) -> dict[str, Charter]:
        return {charter.hash: charter for charter in (self.world.charter, *self.successors)}

    @property
    def charter(self) -> Charter:
        """The charter in force."""
        return self.successors[-1] if self.successors else self.world.charter

    @property
    def today(self) -> date:
        return self.now.date()

    def person(self, label: str) -> Actor:
        """The person at work now. Each act takes a second, so that times differ."""
        self.now += timedelta(seconds=1)
        person = self.world[label]
        return Actor(label, self.charter, self.now.astimezone(UTC), person.identity, person.signing_key)

    async def dismiss(self, label: str) -> None:
        """A new charter without this member."""
        members = tuple(member for member in self.charter.members if member.label != label)
        draft = replace(self.charter, number=self.charter.number + 1, previous=self.charter.hash, members=members)
        signed = sign(make_charter(draft), [person.signing_key for person in self.world.governors])
        charter = read_charter(signed.encode())
        await CharterRecord.create(hash=charter.hash, number=charter.number, note=charter.note, published=True)
        self.successors.append(charter)

    def forward(self, **duration: float) -> None:
        self.now += timedelta(**duration)

    async def receive(self, *, exclude: Sequence[str] = (), received: date | None = None) -> str:
        """Receive a report whose reporter excludes the members ``exclude``; return its id."""
        sealed = sealed_report(self.world, exclude=tuple(exclude))
        await store(sealed, received or self.today)
        return sealed.manifest.submission

    async def open_case(self, *, holders: Sequence[str] = ("chiara", "bruno"), opener: str = "amina") -> CaseState:
        """A case of one report, opened by ``opener`` and held by ``holders`` as well."""
        state = await commands.open_case(self.person(opener), [await self.receive()], "eu-2019-1937")
        for label in holders:
            state = await self.bring_in(state.head.case, label, by=opener)
        return state

    async def bring_in(self, case: str, label: str, by: str = "amina") -> CaseState:
        """The member declares to have no conflict and comes to hold the case."""
        await commands.declare(self.person(label), case, conflict=False)
        return await commands.assign(self.person(by), case, label)

    async def decide(
        self, case: str, to_state: str, ground: str | None = None, *, by: str, approver: str = "chiara"
    ) -> CaseState:
        """A move that takes four eyes, proposed by one member and approved by the other."""
        state = await commands.change_state(self.person(by), case, to_state, ground, REASONS)
        assert state.proposed_transition is not None
        return await commands.approve(self.person(approver), case, state.proposed_transition.hash)

    async def admit(self, case: str) -> CaseState:
        """From RECEIVED to ADMITTED, on the shortest way."""
        await commands.change_state(self.person("amina"), case, "ACKNOWLEDGED", "sent")
        await commands.change_state(self.person("amina"), case, "TRIAGE")
        await commands.change_state(self.person("amina"), case, "CONFLICT_CHECK")
        await self.decide(case, "ASSIGNED", by="amina")
        return await self.decide(case, "ADMITTED", by="bruno")

    async def draft(self, case: str, text: str = FINDING, revision: int = 1) -> CaseState:
        """From ADMITTED to a finding that is drafted."""
        await commands.change_state(self.person("bruno"), case, "INVESTIGATING")
        await commands.change_state(self.person("bruno"), case, "FINDING_DRAFT")
        return await commands.draft_finding(self.person("bruno"), case, revision, text)


async def store(sealed: SealedSubmission, received: date) -> SubmissionRecord:
    """Put a sealed report where the collector puts it."""
    submission = await SubmissionRecord.create(
        id=sealed.manifest.submission,
        number=await SubmissionRecord.all().count() + 1,
        charter=sealed.manifest.charter,
        manifest=sealed.manifest_bytes,
        acknowledgement=acknowledge(sealed),
        commitment=sealed.commitment,
        received=received,
        collected=received,
    )
    await SealedFileRecord.bulk_create(
        SealedFileRecord(
            submission=submission, name=file.name, size=file.size, sha256=file.sha256, sealed=sealed.files[file.name]
        )
        for file in sealed.manifest.files
    )
    return submission


async def store_at_both(portal: PortalSimulator, sealed: SealedSubmission, received: date) -> SubmissionRecord:
    """A report that the portal has too, as it is with every one that was collected."""
    portal.add(sealed)
    return await store(sealed, received)

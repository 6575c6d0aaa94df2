# SPDX-License-Identifier: AGPL-3.0-or-later
"""Declaring conflicts before a grant, and recusal: what a recused member can still do and open."""

import pytest

from crypto.age import PqIdentity
from crypto.errors import AuthenticationError, CryptoError, NotARecipientError, ProofError
from crypto.event import open_part, read_event
from crypto.grant import open_case_grant
from crypto.sealed_parts import Keys, Renewal, Text
from oversight.cases import commands
from oversight.cases.case_keys import open_keys
from oversight.cases.case_store import load_case, load_notes
from oversight.cases.records import CaseGrantRecord
from oversight.ledger.records import EventRecord
from oversight.ledger.verify import verify_events
from oversight.reports.records import SubmissionRecord
from oversight.workflow.projection import apply_event
from oversight.workflow.rules import RuleError
from tests.oversight.case_desk import Desk


async def refused(command: object) -> str:
    """The code with which the rules refuse this command."""
    with pytest.raises(RuleError) as refusal:
        await command  # type: ignore[misc]
    return refusal.value.code


async def openable(desk: Desk, label: str, case: str) -> set[int]:
    """The events whose sealed part somebody can open who has this person's keys and every row of the database.

    No rule is asked: it tries every identity that turns up anywhere on every sealed part, until nothing new turns up.
    """
    found = {desk.world[label].identity}
    for record in await CaseGrantRecord.filter(case=case):
        try:
            found.add(open_case_grant(bytes(record.sealed), [desk.world[label].identity]).identity)
        except NotARecipientError:
            continue
    opened: set[int] = set()
    while True:
        before = len(opened)
        for data in await EventRecord.filter(case=case).order_by("sequence").values_list("note", flat=True):
            event = read_event(bytes(data), desk.charters)
            for identity in list(found):
                try:
                    part = open_part(event, identity)
                except CryptoError:
                    continue
                if part is not None:
                    opened.add(event.sequence)
                if isinstance(part, Renewal):
                    found.update(entry.identity for entry in part.identities)
                if isinstance(part, Renewal | Keys):
                    found.update(entry.identity for entry in part.threads)
        if len(opened) == before:
            return opened


async def test_nobody_is_assigned_who_has_not_declared(desk: Desk) -> None:
    case = (await desk.open_case(holders=())).head.case
    assert await refused(commands.assign(desk.person("amina"), case, "bruno")) == "member-not-declared"
    await commands.declare(desk.person("bruno"), case, conflict=True)
    assert await refused(commands.assign(desk.person("amina"), case, "bruno")) == "member-not-declared"
    assert await CaseGrantRecord.filter(case=case).count() == 1
    assert await openable(desk, "bruno", case) == set()


async def test_a_holder_can_read_the_reports_and_every_sealed_part(desk: Desk) -> None:
    state = await desk.open_case()
    state = await commands.note(desk.person("amina"), state.head.case, "Call the lawyer.")
    keys = await open_keys(desk.person("bruno"), state)
    assert set(keys.threads) == set(state.reports)
    record = await EventRecord.get(case=state.head.case, sequence=state.head.sequence)
    event = read_event(bytes(record.note), desk.charters)
    assert keys.open(event, record.generation) == Text("Call the lawyer.")


async def test_a_recused_member_opens_nothing_that_comes_later(desk: Desk) -> None:
    case = (await desk.open_case()).head.case
    await commands.note(desk.person("bruno"), case, "Written before.")
    before = await openable(desk, "bruno", case)
    declared = await commands.declare(desk.person("bruno"), case, conflict=True)
    recused = await commands.recuse(desk.person("chiara"), case, "bruno", "He knows the judge.")
    await commands.note(desk.person("chiara"), case, "Written after.")
    await desk.bring_in(case, "daud")
    last = await commands.note(desk.person("daud"), case, "Written by somebody who came later.")

    assert before == await openable(desk, "bruno", case)
    assert max(before) < declared.head.sequence < recused.head.sequence
    later = {recused.head.sequence, recused.head.sequence + 1, last.head.sequence}
    for label in ("chiara", "amina", "daud"):
        assert before | later <= await openable(desk, label, case), label
    assert await refused(open_keys(desk.person("bruno"), last)) == "recused"


async def test_a_later_holder_reads_the_history_of_earlier_generations(desk: Desk) -> None:
    case = (await desk.open_case()).head.case
    first = await commands.note(desk.person("bruno"), case, "In the first generation.")
    await commands.leave(desk.person("chiara"), case, "bruno", "On leave.")
    await commands.declare(desk.person("bruno"), case, conflict=True)
    await desk.bring_in(case, "daud")
    state = await commands.leave(desk.person("chiara"), case, "amina", "Her part is done.")
    keys = await open_keys(desk.person("daud"), state)
    assert set(keys.identities) == {1, 2, 3}
    assert set(keys.threads) == set(state.reports)
    record = await EventRecord.get(case=case, sequence=first.head.sequence)
    event = read_event(bytes(record.note), desk.charters)
    assert keys.open(event, record.generation) == Text("In the first generation.")


async def test_nothing_is_sealed_to_a_case_that_somebody_in_conflict_holds(desk: Desk) -> None:
    case = (await desk.open_case()).head.case
    await commands.declare(desk.person("bruno"), case, conflict=True)
    assert await refused(commands.note(desk.person("chiara"), case, "Not for Bruno.")) == "renewal-due"
    await commands.recuse(desk.person("amina"), case, "bruno", "He knows the judge.")
    assert (await commands.note(desk.person("chiara"), case, "Not for Bruno.")).notes == 1


async def test_a_member_in_conflict_does_nothing_more(desk: Desk) -> None:
    case = (await desk.open_case()).head.case
    await commands.declare(desk.person("bruno"), case, conflict=True)
    assert await refused(commands.change_state(desk.person("bruno"), case, "ACKNOWLEDGED", "sent")) == "in-conflict"
    assert await refused(commands.note(desk.person("bruno"), case, "Still here.")) == "in-conflict"
    assert await refused(commands.declare(desk.person("bruno"), case, conflict=False)) == "conflict-stands"


async def test_a_recused_member_can_neither_act_nor_come_back(desk: Desk) -> None:
    case = (await desk.open_case()).head.case
    await commands.recuse(desk.person("chiara"), case, "bruno", "He knows the judge.")
    assert await refused(commands.declare(desk.person("bruno"), case, conflict=False)) == "recused"
    assert await refused(commands.note(desk.person("bruno"), case, "Still here.")) == "recused"
    assert await refused(commands.assign(desk.person("amina"), case, "bruno")) == "member-recused"


async def test_nobody_makes_the_identity_that_shuts_them_out(desk: Desk) -> None:
    case = (await desk.open_case()).head.case
    assert await refused(commands.recuse(desk.person("chiara"), case, "chiara", "")) == "renews-against-oneself"
    assert await refused(commands.leave(desk.person("chiara"), case, "chiara", "")) == "renews-against-oneself"


async def test_only_a_chair_shuts_out_a_member_who_declared_nothing(desk: Desk) -> None:
    case = (await desk.open_case()).head.case
    assert await refused(commands.recuse(desk.person("bruno"), case, "chiara", "I want her out.")) == "role"
    state = await commands.recuse(desk.person("chiara"), case, "bruno", "He knows the judge.")
    assert state.recused == ("bruno",)


async def test_the_only_holder_in_conflict_hands_over_and_is_shut_out(desk: Desk) -> None:
    case = (await desk.open_case(holders=())).head.case
    await commands.declare(desk.person("amina"), case, conflict=True)
    await commands.declare(desk.person("chiara"), case, conflict=False)
    await commands.assign(desk.person("amina"), case, "chiara")
    await commands.declare(desk.person("daud"), case, conflict=False)
    assert await refused(commands.assign(desk.person("amina"), case, "daud")) == "in-conflict"
    state = await commands.recuse(desk.person("chiara"), case, "amina", "She declared it.")
    assert state.holders == ("chiara",)


async def test_a_holder_who_is_no_longer_a_member_is_shut_out_before_anything_is_sealed(desk: Desk) -> None:
    case = (await desk.open_case()).head.case
    await desk.dismiss("bruno")
    assert await refused(commands.note(desk.person("chiara"), case, "Not for Bruno.")) == "renewal-due"
    with pytest.raises(AuthenticationError):
        await commands.change_state(desk.person("bruno"), case, "ACKNOWLEDGED", "sent")
    # Any holder of the case may do it, because it takes no judgement.
    state = await commands.leave(desk.person("amina"), case, "bruno", "No longer a member.")
    state = await commands.note(desk.person("chiara"), case, "Not for Bruno.")
    assert state.holders == ("amina", "chiara")
    assert state.head.sequence not in await openable(desk, "bruno", case)
    notes = [data async for data in load_notes(case)]
    assert verify_events(notes, desk.charters, apply_event, RuleError).state == state


async def test_an_event_under_an_older_charter_than_the_last_is_refused(desk: Desk) -> None:
    case = (await desk.open_case()).head.case
    before = desk.person("bruno")
    await desk.dismiss("bruno")
    await commands.leave(desk.person("amina"), case, "bruno", "No longer a member.")
    with pytest.raises(ProofError):
        await commands.declare(before, case, conflict=False)


async def test_a_member_whom_the_reporter_left_out_is_not_assigned(desk: Desk) -> None:
    report = await desk.receive(exclude=["bruno"])
    case = (await commands.open_case(desk.person("amina"), [report], "none")).head.case
    state = await commands.declare(desk.person("bruno"), case, conflict=False)
    assert await refused(commands.assign(desk.person("amina"), case, "bruno")) == "member-not-granted"
    await desk.bring_in(case, "chiara")

    declaration = state.declaration("bruno")
    assert declaration is not None
    state = await commands.waive(desk.person("amina"), case, declaration.hash, "He joined after the report.")
    assert await refused(commands.assign(desk.person("amina"), case, "bruno")) == "member-not-granted"
    await commands.approve(desk.person("chiara"), case, state.proposals[0].hash)
    assert "bruno" in (await commands.assign(desk.person("amina"), case, "bruno")).holders


async def test_a_report_is_not_added_over_the_head_of_a_reporter_who_left_a_holder_out(desk: Desk) -> None:
    case = (await desk.open_case()).head.case
    kept_from_bruno, for_all = await desk.receive(exclude=["bruno"]), await desk.receive()
    assert await refused(commands.add_report(desk.person("amina"), case, for_all)) == "holder-not-granted"
    for label in ("bruno", "chiara"):
        await commands.declare(desk.person(label), case, conflict=False, further=[kept_from_bruno, for_all])
    assert await refused(commands.add_report(desk.person("amina"), case, kept_from_bruno)) == "holder-not-granted"
    state = await commands.add_report(desk.person("amina"), case, for_all)
    assert set((await open_keys(desk.person("bruno"), state)).threads) == set(state.reports)


async def test_nobody_opens_a_case_of_a_report_that_was_kept_from_them(desk: Desk) -> None:
    report = await desk.receive(exclude=["amina"])
    assert await refused(commands.open_case(desk.person("amina"), [report], "none")) == "report-not-granted"
    assert await EventRecord.all().count() == 0
    assert await SubmissionRecord.all().count() == 1


async def test_a_report_belongs_to_one_case(desk: Desk) -> None:
    state = await desk.open_case(holders=())
    assert await refused(commands.open_case(desk.person("amina"), state.reports, "none")) == "report-in-a-case"


async def test_the_reserve_opens_a_case(desk: Desk) -> None:
    state = await desk.open_case()
    record = await CaseGrantRecord.get(case=state.head.case)
    grant = open_case_grant(bytes(record.sealed), [desk.world.reserve_identity])
    assert str(grant.identity.recipient()) == state.recipient
    with pytest.raises(NotARecipientError):
        open_case_grant(bytes(record.sealed), [PqIdentity.generate()])


async def test_a_swapped_grant_is_noticed(desk: Desk) -> None:
    first, second = await desk.open_case(), await desk.open_case()
    other = await CaseGrantRecord.get(case=second.head.case)
    await CaseGrantRecord.filter(case=first.head.case).update(sealed=other.sealed)
    with pytest.raises(CryptoError, match="not the one that the ledger names"):
        await open_keys(desk.person("amina"), await load_case(first.head.case))

# SPDX-License-Identifier: AGPL-3.0-or-later
"""Whatever members come and go: who holds a case has every generation of its threads, who was shut out no later one."""

import asyncio
from random import Random

import pytest

from oversight.cases import commands
from oversight.cases.case_keys import open_keys
from oversight.cases.case_store import load_case
from oversight.cases.thread_renewal import renew_if_due
from oversight.commission.charters import charters_by_hash
from oversight.ledger.append import ConflictError
from oversight.reports.opening import OpenedReport, ThreadIdentities, load_sealed, open_with_grant
from oversight.reports.records import SubmissionRecord, ThreadGrantRecord, ThreadRenewalRecord
from oversight.workflow.rules import RuleError
from oversight.workflow.state import CaseState
from tests.oversight.case_desk import Desk
from tests.people import REALM

ACTS = ("assign", "assign", "recuse", "leave", "leave", "add")
OTHERS = ("bruno", "daud", "elif")
STEPS = 9


def keys_of(known: ThreadIdentities) -> dict[int, str]:
    return {number: str(pair.identity) for number, pair in known.generations.items()}


async def step(desk: Desk, case: str, act: str, label: str) -> CaseState:
    if act == "assign":
        return await desk.bring_in(case, label)
    if act == "add":
        report = await desk.receive()
        for holder in (await load_case(case)).holders:
            await commands.declare(desk.person(holder), case, conflict=False, further=[report])
        return await commands.add_report(desk.person("amina"), case, report)
    shut_out = commands.recuse if act == "recuse" else commands.leave
    return await shut_out(desk.person("chiara"), case, label, "Out.")


@pytest.mark.parametrize("seed", range(8))
async def test_holders_have_every_generation_and_those_shut_out_no_later_one(desk: Desk, seed: int) -> None:
    chance = Random(seed)
    case = (await desk.open_case(holders=("chiara", "bruno"))).head.case
    shut_out: dict[str, set[str]] = {}
    for _ in range(STEPS):
        act, label = chance.choice(ACTS), chance.choice(OTHERS)
        before = await open_keys(desk.person("chiara"), await load_case(case))
        try:
            await step(desk, case, act, label)
        except RuleError:
            continue
        if act in {"recuse", "leave"}:
            shut_out[label] = {key for known in before.threads.values() for key in keys_of(known).values()}
    state = await load_case(case)
    threads = (await open_keys(desk.person("chiara"), state)).threads
    everything = {report: keys_of(known) for report, known in threads.items()}
    assert set(everything) == set(state.reports)
    for report, keys in everything.items():
        newest = (await SubmissionRecord.get(id=report)).generation
        assert set(keys) == set(range(newest + 1))
        assert await ThreadRenewalRecord.filter(submission=report).count() == newest
    for label in state.holders:
        held = (await open_keys(desk.person(label), state)).threads
        assert {report: keys_of(known) for report, known in held.items()} == everything, label
    for label, had in shut_out.items():
        if label not in state.holders:
            assert not had & {keys[max(keys)] for keys in everything.values()}, label


async def opened(desk: Desk, label: str, submission: SubmissionRecord) -> OpenedReport:
    [sealed] = await load_sealed([submission])
    return open_with_grant(sealed, desk.world[label].identity, REALM)


async def test_of_two_members_who_renew_at_once_one_wins_and_both_have_the_keys(desk: Desk) -> None:
    report = await desk.receive()
    await desk.dismiss("bruno")
    charters = await charters_by_hash()

    async def renew(label: str) -> bool:
        submission = await SubmissionRecord.get(id=report)
        return await renew_if_due(desk.person(label), submission, await opened(desk, label, submission), charters)

    done = await asyncio.gather(renew("amina"), renew("chiara"), renew("daud"))
    assert sum(done) == 1
    submission = await SubmissionRecord.get(id=report)
    assert (submission.generation, await ThreadGrantRecord.all().count()) == (1, 1)
    for label in ("amina", "chiara", "daud"):
        assert (await opened(desk, label, submission)).identities.newest == 1
    assert (await opened(desk, "bruno", submission)).identities.newest == 0


async def test_a_case_that_lacks_a_generation_is_not_opened(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    report = await desk.receive()
    await desk.dismiss("bruno")
    submission, charters = await SubmissionRecord.get(id=report), await charters_by_hash()
    seen = await opened(desk, "chiara", submission)
    loaded: list[object] = []

    async def overtaken(submissions: list[SubmissionRecord]) -> object:
        """Somebody renews between the reading of the keys and the transaction, the first time."""
        result = await load_sealed(submissions)
        if not loaded:
            assert await renew_if_due(desk.person("chiara"), submission, seen, charters)
        loaded.append(result)
        return result

    monkeypatch.setattr(commands, "load_sealed", overtaken)
    state = await commands.open_case(desk.person("amina"), [report], "eu-2019-1937")
    assert len(loaded) == 2
    assert set((await open_keys(desk.person("amina"), state)).threads[report].generations) == {0, 1}


async def test_whoever_did_not_get_the_newest_keys_opens_no_case_with_the_report(desk: Desk) -> None:
    report = await desk.receive()
    await desk.dismiss("bruno")
    submission, charters = await SubmissionRecord.get(id=report), await charters_by_hash()
    assert await renew_if_due(desk.person("amina"), submission, await opened(desk, "amina", submission), charters)
    await ThreadGrantRecord.all().delete()
    with pytest.raises(RuleError) as refusal:
        await commands.open_case(desk.person("amina"), [report], "eu-2019-1937")
    assert refusal.value.code == "thread-renewed"


async def test_a_member_who_left_renews_nothing(desk: Desk) -> None:
    report = await desk.receive()
    await desk.dismiss("bruno")
    submission, charters = await SubmissionRecord.get(id=report), await charters_by_hash()
    assert not await renew_if_due(desk.person("bruno"), submission, await opened(desk, "bruno", submission), charters)


async def test_the_grant_of_later_keys_does_not_tell_how_many_readers_there_are(desk: Desk) -> None:
    for exclude in ((), ("chiara", "daud")):
        submission = await SubmissionRecord.get(id=await desk.receive(exclude=exclude))
        if not desk.successors:
            await desk.dismiss("bruno")
        charters = await charters_by_hash()
        assert await renew_if_due(desk.person("amina"), submission, await opened(desk, "amina", submission), charters)
    first, second = await ThreadGrantRecord.all().order_by("id")
    assert len(first.sealed) == len(second.sealed)


async def test_a_renewal_that_fails_leaves_the_thread_as_it_was(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    report = await desk.receive()
    await desk.dismiss("bruno")
    submission, charters = await SubmissionRecord.get(id=report), await charters_by_hash()

    async def fails(*_: object, **__: object) -> None:
        raise ConflictError

    seen = await opened(desk, "amina", submission)
    monkeypatch.setattr(ThreadGrantRecord, "save", fails)
    assert not await renew_if_due(desk.person("amina"), submission, seen, charters)
    assert (await SubmissionRecord.get(id=report)).generation == 0
    assert await ThreadRenewalRecord.all().count() == 0

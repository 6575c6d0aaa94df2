# SPDX-License-Identifier: AGPL-3.0-or-later
"""Strangers are asked for work under pressure and only then; each work counts once, for what it was done for (§7.4)."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import pytest_asyncio

from crypto.bundle import MEDIA_TYPE
from crypto.work import HEADER, AskedWork, do_work, parse_work, read_asked_work
from portal.api.pressure import CALM, PERIOD, PERIOD_SECONDS, STEPS
from portal.storage.errors import BusyError
from tests.chance import fresh_bytes, fresh_id
from tests.portal.threads import blind_change, shown_state
from tests.portal.working import asked, post_bundle, work_for
from tests.portal.world import (
    API,
    Clock,
    RunningPortal,
    attachments,
    bundle_without_attachments,
    cut,
    digest_header,
    error_code,
    fresh_report,
    fresh_secrets,
    in_place,
    running_portal,
)

NEEDED = (503, "work-needed")
FILE = "attachment-1.age"


@pytest_asyncio.fixture
async def pressed(tmp_path: Path) -> AsyncIterator[RunningPortal]:
    """A portal that has just been under pressure: two of its three turns were taken."""
    async with running_portal(tmp_path, waiting_max=3) as portal:
        await press(portal)
        yield portal


async def press(portal: RunningPortal) -> None:
    headers = {"content-digest": digest_header(b"")}
    async with silent_body(portal):
        assert await asked(portal) is None
        answer = await portal.client.put(f"{API}/uploads/{fresh_id()}/{FILE}/0", content=b"", headers=headers)
    assert error_code(answer) == NEEDED
    assert await asked(portal) is not None


@asynccontextmanager
async def silent_body(portal: RunningPortal) -> AsyncIterator[None]:
    """Somebody sends a part and stops in the middle; at the end they go on."""
    begun, going_on, data = asyncio.Event(), asyncio.Event(), b"nothing that is sealed"

    async def body() -> AsyncIterator[bytes]:
        begun.set()
        await going_on.wait()
        yield data

    path, headers = f"{API}/uploads/{fresh_id()}/{FILE}/0", {"content-digest": digest_header(data)}
    request = asyncio.create_task(portal.client.put(path, content=body(), headers=headers))
    beginning = asyncio.create_task(begun.wait())
    await asyncio.wait([request, beginning], return_when=asyncio.FIRST_COMPLETED)
    assert begun.is_set()
    try:
        yield
    finally:
        going_on.set()
        await request


async def test_below_the_threshold_nobody_meets_it(tmp_path: Path) -> None:
    async with running_portal(tmp_path, waiting_max=5) as portal, silent_body(portal):
        assert await asked(portal) is None
        sealed = fresh_report(10)
        await portal.put_parts(sealed)
        assert (await portal.submit(bundle_without_attachments(sealed))).status_code == 201
        secrets = fresh_secrets()
        change = blind_change(secrets, await shown_state(portal, secrets))
        assert (await portal.change(change)).status_code == 202


async def test_work_that_nobody_asks_for_is_not_looked_at(portal: RunningPortal) -> None:
    bundle = fresh_report().bundle()
    headers = {HEADER: "nothing", "content-digest": digest_header(bundle)}
    assert (await post_bundle(portal, bundle, headers)).status_code == 201


async def test_under_pressure_strangers_writes_are_asked_for_work_before_a_body_is_read(
    pressed: RunningPortal,
) -> None:
    async def body() -> AsyncIterator[bytes]:
        raise AssertionError("the body was read")
        yield b""

    client, digest = pressed.client, {"content-digest": digest_header(b"")}
    upload = f"{API}/uploads/{fresh_id()}/{FILE}/0"
    answers = [
        await client.post(f"{API}/submissions", content=body(), headers={"content-type": MEDIA_TYPE}),
        await client.put(upload, content=body(), headers=digest),
        await client.post(f"{API}/mailbox/changes", content=body()),
    ]
    assert [error_code(answer) for answer in answers] == [NEEDED] * 3
    assert {read_asked_work(answer.content) for answer in answers} == {await asked(pressed)}
    # The work takes its time; nobody is kept waiting before it.
    assert {answer.headers["retry-after"] for answer in answers} == {"1"}


async def test_under_pressure_work_opens_the_door_to_all_that_is_sent(pressed: RunningPortal) -> None:
    sealed = fresh_report(10)
    submission, part = sealed.manifest.submission, attachments(sealed)[FILE]
    path = f"uploads/{submission}/{FILE}/0"
    answer = await pressed.client.put(f"{API}/{path}", content=part, headers=await work_for(pressed, path, part))
    assert answer.status_code == 201
    bundle = bundle_without_attachments(sealed)
    answer = await post_bundle(pressed, bundle, await work_for(pressed, "submissions", bundle))
    assert answer.status_code == 201
    secrets = fresh_secrets()
    change = blind_change(secrets, await shown_state(pressed, secrets)).encode()
    headers = await work_for(pressed, "mailbox/changes", change)
    answer = await pressed.client.post(f"{API}/mailbox/changes", content=change, headers=headers)
    assert answer.status_code == 202


async def test_reading_and_offices_are_never_asked(pressed: RunningPortal) -> None:
    await pressed.read_mailbox(fresh_secrets())
    charter = pressed.world.charter.hash
    assert (await pressed.client.get(f"{API}/charters/{charter}/chain")).status_code == 200
    assert (await pressed.client.get(f"{API}/uploads/{fresh_id()}")).status_code == 200
    assert (await pressed.office("GET", "/submissions?after=0")).status_code == 200


async def test_work_counts_once(pressed: RunningPortal) -> None:
    bundle = fresh_report().bundle()
    headers = await work_for(pressed, "submissions", bundle)
    assert (await post_bundle(pressed, bundle, headers)).status_code == 201
    assert error_code(await post_bundle(pressed, bundle, headers)) == NEEDED
    again = await work_for(pressed, "submissions", bundle)
    assert (await post_bundle(pressed, bundle, again)).status_code == 200


async def test_work_counts_once_also_when_it_came_to_nothing(pressed: RunningPortal) -> None:
    headers = await work_for(pressed, "submissions", b"no bundle")
    assert error_code(await post_bundle(pressed, b"no bundle", headers)) == (400, "malformed-bundle")
    assert error_code(await post_bundle(pressed, b"no bundle", headers)) == NEEDED


async def test_who_was_told_that_the_portal_is_busy_has_not_used_it_up(
    pressed: RunningPortal, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def insert(*_: object) -> None:
        raise BusyError

    bundle = fresh_report().bundle()
    headers = await work_for(pressed, "submissions", bundle)
    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(pressed.assembly.commits, "insert", insert)
        assert error_code(await post_bundle(pressed, bundle, headers)) == (503, "busy")
        assert error_code(await post_bundle(pressed, bundle, headers)) == (503, "busy")
    assert (await post_bundle(pressed, bundle, headers)).status_code == 201


async def test_the_work_of_one_bundle_pays_for_no_attachment_inside(pressed: RunningPortal) -> None:
    sealed = fresh_report(9_000_000)
    headers = await work_for(pressed, "submissions", sealed.bundle())
    answer = await post_bundle(pressed, sealed.bundle(), headers)
    assert (error_code(answer), answer.json()["error"]["field"]) == ((422, "parts-needed"), FILE)
    assert await pressed.assembly.blobs.stored() == {}
    assert error_code(await post_bundle(pressed, sealed.bundle(), headers)) == NEEDED


async def test_who_is_told_to_send_parts_gets_through_with_work_for_each(pressed: RunningPortal) -> None:
    sealed = fresh_report(9_000_000)
    refused = await post_bundle(pressed, sealed.bundle(), await work_for(pressed, "submissions", sealed.bundle()))
    assert error_code(refused) == (422, "parts-needed")
    for index, part in in_place(cut(sealed.files[FILE])):
        path = f"uploads/{sealed.manifest.submission}/{FILE}/{index}"
        answer = await pressed.client.put(f"{API}/{path}", content=part, headers=await work_for(pressed, path, part))
        assert answer.status_code == 201
    bundle = bundle_without_attachments(sealed)
    answer = await post_bundle(pressed, bundle, await work_for(pressed, "submissions", bundle))
    assert answer.status_code == 201
    # Whoever lost the answer and sends the first bundle again has nothing to bring.
    again = await post_bundle(pressed, sealed.bundle(), await work_for(pressed, "submissions", sealed.bundle()))
    assert (again.status_code, again.json()) == (200, answer.json())


async def test_a_bundle_that_began_before_the_pressure_brings_no_more_parts(tmp_path: Path) -> None:
    sealed = fresh_report(14_000_000)
    bundle = sealed.bundle()
    async with running_portal(tmp_path) as portal:
        blobs = portal.assembly.blobs

        async def body() -> AsyncIterator[bytes]:
            yield bundle[: len(bundle) // 2]
            assert len(await blobs.parts(sealed.manifest.submission)) == 1
            portal.assembly.work.pressure.gauges = (lambda: 1.0,)
            yield bundle[len(bundle) // 2 :]

        answer = await portal.client.post(f"{API}/submissions", content=body(), headers={"content-type": MEDIA_TYPE})
        assert error_code(answer) == (422, "parts-needed")
        # The second one had begun.
        assert len(await blobs.parts(sealed.manifest.submission)) == 2 < len(cut(sealed.files[FILE]))


async def test_work_for_one_thing_is_none_for_another(pressed: RunningPortal) -> None:
    bundle, other = fresh_report().bundle(), fresh_report().bundle()
    headers = await work_for(pressed, "submissions", bundle)
    assert error_code(await post_bundle(pressed, other, {**headers, "content-digest": digest_header(other)})) == NEEDED
    part = await work_for(pressed, f"uploads/{fresh_id()}/{FILE}/0", bundle)
    assert error_code(await post_bundle(pressed, bundle, part)) == NEEDED
    # Under its own digest the other body is noticed when it has come.
    assert error_code(await post_bundle(pressed, other, headers)) == (400, "digest-mismatch")
    found = await pressed.office("GET", "/submissions?after=0")
    assert found.json()["submissions"] == []


async def test_a_change_of_a_mailbox_is_held_to_its_digest(portal: RunningPortal) -> None:
    headers = {"content-digest": digest_header(b"another")}
    answer = await portal.client.post(f"{API}/mailbox/changes", content=b"{}", headers=headers)
    assert error_code(answer) == (400, "digest-mismatch")


async def test_work_without_a_digest_is_refused(pressed: RunningPortal) -> None:
    bundle = fresh_report().bundle()
    headers = await work_for(pressed, "submissions", bundle)
    answer = await post_bundle(pressed, bundle, {HEADER: headers[HEADER]})
    assert error_code(answer) == (400, "digest-missing")


async def test_too_little_work_and_what_is_none_is_refused(pressed: RunningPortal) -> None:
    bundle = fresh_report().bundle()
    wanted, digest = await asked(pressed), hashlib.sha256(bundle).digest()
    assert wanted is not None
    easy = do_work(AskedWork(wanted.challenge, wanted.bits - 6), "submissions", digest, fresh_bytes)
    for value in (easy.encode(), easy.encode()[:-4], "", "not base64", "A" * 128):
        headers = {HEADER: value, "content-digest": digest_header(bundle)}
        assert error_code(await post_bundle(pressed, bundle, headers)) == NEEDED


async def test_a_challenge_counts_for_its_period_and_the_next(pressed: RunningPortal) -> None:
    first, second = fresh_report().bundle(), fresh_report().bundle()
    headers = [await work_for(pressed, "submissions", bundle) for bundle in (first, second)]
    pressed.clock.now += PERIOD
    assert (await post_bundle(pressed, first, headers[0])).status_code == 201
    assert error_code(await post_bundle(pressed, first, headers[0])) == NEEDED
    pressed.clock.now += PERIOD
    assert error_code(await post_bundle(pressed, second, headers[1])) == NEEDED
    assert (await post_bundle(pressed, second, await work_for(pressed, "submissions", second))).status_code == 201


async def test_nothing_that_is_told_is_of_one_person_alone(pressed: RunningPortal) -> None:
    """The clock of the tests stands at the beginning of a period."""
    assert pressed.clock.now.timestamp() % PERIOD_SECONDS == 0
    answers = set()
    for _ in range(3):
        answers.add((await pressed.client.get(f"{API}/work")).content)
        pressed.clock.now += PERIOD / 4
    assert len(answers) == 1


async def test_another_process_and_a_restart_take_the_same_work(tmp_path: Path) -> None:
    clock, bundle = Clock(), fresh_report().bundle()
    async with running_portal(tmp_path, clock=clock, waiting_max=3) as portal:
        await press(portal)
        headers = await work_for(portal, "submissions", bundle)
    async with running_portal(tmp_path, clock=clock, waiting_max=3) as portal:
        await press(portal)
        assert (await post_bundle(portal, bundle, headers)).status_code == 201


async def test_work_for_another_portal_is_none_here(tmp_path: Path, pressed: RunningPortal) -> None:
    bundle = fresh_report().bundle()
    async with running_portal(tmp_path / "other", waiting_max=3) as other:
        await press(other)
        headers = await work_for(other, "submissions", bundle)
    assert error_code(await post_bundle(pressed, bundle, headers)) == NEEDED
    assert parse_work(headers[HEADER]).challenge != bytes(16)


async def test_when_the_pressure_is_over_the_door_is_open(pressed: RunningPortal) -> None:
    pressed.clock.now += CALM * len(STEPS)
    assert await asked(pressed) is None
    assert (await pressed.submit(fresh_report().bundle())).status_code == 201

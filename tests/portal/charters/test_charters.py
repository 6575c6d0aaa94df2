# SPDX-License-Identifier: AGPL-3.0-or-later
"""Charters are accepted by invitation and by their governors' signatures (docs/protocol.md §4.2, §10)."""

import asyncio
from collections.abc import Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.types import Message

from crypto.charter import Charter, CharterDraft, make_charter, read_charter
from crypto.note import NOTE_BYTES_MAX, SigningKey, sign
from portal.charters import known
from portal.charters.known import Charters, invite
from portal.storage.records import CharterRecord, InvitationRecord
from tests.people import PORTAL_ORIGIN, REALM, World, found_test_commission, portal_key, write_charter
from tests.portal.threads import Thread, start_thread
from tests.portal.world import API, RunningPortal, another, error_code, running_portal, sealed_report


def successor(
    world: World,
    charter: Charter,
    signers: tuple[str, ...] = ("amina", "chiara"),
    others: Sequence[SigningKey] = (),
    **changes: object,
) -> bytes:
    """The note of the charter after ``charter``, with what it changes; ``others`` sign as well."""
    members = {each.name: getattr(charter, each.name) for each in fields(CharterDraft)}
    members |= {"number": charter.number + 1, "previous": charter.hash, **changes}
    keys = [*(world[label].signing_key for label in signers), *others]
    return sign(make_charter(CharterDraft(**members)), keys).encode()


async def post(portal: RunningPortal, note: bytes, invitation: str = "") -> httpx.Response:
    headers = {"amparo-invitation": invitation} if invitation else {}
    return await portal.client.post(f"{API}/charters", content=note, headers=headers)


async def test_a_portal_says_its_origin_and_its_key(portal: RunningPortal) -> None:
    answer = (await portal.client.get(f"{API}/portal")).json()
    assert answer == {
        "origin": PORTAL_ORIGIN,
        "realm": REALM,
        "verifier": str(portal_key().verifier),
        "charters": [portal.world.charter.hash],
    }


async def test_a_first_charter_needs_an_invitation_for_its_name_that_is_used_once(portal_on: RunningPortal) -> None:
    other = found_test_commission(slug="second-commission")
    with portal_on.database.use():
        wrong, right = await invite("third-commission"), await invite(other.slug)
        assert right not in [row.token_sha256 for row in await InvitationRecord.all()]
    for invitation in ("", "guess", wrong):
        assert error_code(await post(portal_on, other.charter.note, invitation)) == (403, "invitation-invalid")
    assert (await post(portal_on, other.charter.note, right)).status_code == 201
    again = found_test_commission(slug="second-commission", slots=9)
    assert error_code(await post(portal_on, again.charter.note, right)) == (409, "charter-conflict")


async def test_a_repeated_charter_is_taken_and_needs_no_invitation(portal: RunningPortal) -> None:
    assert (await post(portal, portal.world.charter.note)).status_code == 200


async def test_a_charter_is_served_by_its_hash_and_by_its_commission(portal: RunningPortal) -> None:
    charter = portal.world.charter
    for path in (f"/charters/{charter.hash}", f"/commissions/{charter.slug}/charter"):
        answer = await portal.client.get(API + path)
        assert answer.content == charter.note
        assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert error_code(await portal.client.get(f"{API}/charters/{'ab' * 32}")) == (404, "charter-unknown")
    assert error_code(await portal.client.get(f"{API}/commissions/nobody/charter")) == (404, "not-found")


async def test_the_next_charter_is_taken_by_its_governors_signatures(portal_on: RunningPortal) -> None:
    world = portal_on.world
    second = successor(world, world.charter, grace_days=1)
    third = successor(world, read_charter(second), grace_days=2)
    assert (await post(portal_on, second)).status_code == 201
    assert (await post(portal_on, third)).status_code == 201
    newest = await portal_on.client.get(f"{API}/commissions/{world.slug}/charter")
    assert newest.content == third
    chain = await portal_on.client.get(f"{API}/charters/{world.charter.hash}/successors")
    assert chain.json()["charters"] == [second.decode(), third.decode()]
    end = await portal_on.client.get(f"{API}/charters/{read_charter(third).hash}/successors")
    assert end.json() == {"charters": [], "newest": None}


async def test_a_charter_that_does_not_continue_the_chain_is_refused(portal: RunningPortal) -> None:
    world = portal.world
    wrong = {
        "number": successor(world, world.charter, number=3),
        "previous": successor(world, world.charter, previous="ab" * 32),
    }
    for note in wrong.values():
        assert error_code(await post(portal, note)) == (422, "charter-invalid")


async def test_a_charter_signed_by_too_few_governors_is_refused(portal: RunningPortal) -> None:
    world = portal.world
    own = [SigningKey.generate(f"governors.test/{name}") for name in ("one", "two")]
    governors = replace(world.charter.governors, keys=tuple(key.verifier for key in own))
    note = successor(world, world.charter, signers=("amina",), others=own, governors=governors)
    assert error_code(await post(portal, note)) == (422, "charter-invalid")


async def test_a_charter_for_another_portal_is_refused(portal: RunningPortal) -> None:
    stranger = found_test_commission(origin="http://portal.elsewhere", slug="second-commission")
    key = SigningKey.generate("portal.test")
    other_key = found_test_commission(portal_verifier=key.verifier, slug="second-commission")
    other_realm = found_test_commission(realm="ab" * 16, slug="second-commission")
    for charter in (stranger.charter, other_key.charter, other_realm.charter):
        assert error_code(await post(portal, charter.note)) == (422, "charter-invalid")
    assert error_code(await post(portal, b"not a note")) == (422, "charter-invalid")


@pytest.mark.parametrize(
    "name", ["Amina\u200b Haddad", "AMINA HADDAD", "\u0391\u039c\u0399\u039d\u0391 Haddad", " ", "Ada\u202e"]
)
async def test_a_charter_in_which_one_person_is_two_is_refused(portal: RunningPortal, name: str) -> None:
    world = portal.world
    members = tuple(replace(each, name=name) if each.label == "daud" else each for each in world.charter.members)
    draft = replace(world.charter, number=2, previous=world.charter.hash, members=members)
    note = sign(write_charter(draft), [person.signing_key for person in world.governors]).encode()
    answer = await post(portal, note)
    assert error_code(answer) == (422, "charter-invalid")


async def test_two_different_second_charters_at_once_leave_one(portal_on: RunningPortal) -> None:
    world = portal_on.world
    notes = [successor(world, world.charter, grace_days=days) for days in (1, 2)]
    answers = await asyncio.gather(*(post(portal_on, note) for note in notes))
    assert sorted(answer.status_code for answer in answers) == [201, 409]
    with portal_on.database.use():
        assert await CharterRecord.all().count() == 2


async def test_a_charter_that_another_process_took_is_known_when_it_is_asked_for(portal: RunningPortal) -> None:
    note = successor(portal.world, portal.world.charter, grace_days=3)
    elsewhere = Charters(PORTAL_ORIGIN, REALM, portal_key().verifier)
    with portal.database.use():
        await elsewhere.take(note, None)
    charter = read_charter(note)
    sealed = another(sealed_report(), charter=charter.hash)
    assert (await portal.submit(sealed.bundle())).status_code == 201
    newest = await portal.client.get(f"{API}/commissions/{charter.slug}/charter")
    assert newest.content == note


async def test_strangers_who_ask_for_charters_that_are_none_do_not_line_up_before_the_database(
    portal: RunningPortal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A silent one would keep the last waiting as often as there are others."""
    asked: list[object] = []
    original = CharterRecord.filter

    def asking(**given: Any) -> Any:
        asked.append(given)
        return original(**given)

    monkeypatch.setattr(CharterRecord, "filter", asking)
    for name in ("ab" * 31, "AB" * 32, "ab" * 33, "charter"):
        assert error_code(await portal.client.get(f"{API}/charters/{name}")) == (404, "charter-unknown")
    assert asked == []
    many = [f"{API}/charters/{number:064x}" for number in range(20)]
    answers = await asyncio.gather(*(portal.client.get(path) for path in many))
    assert {error_code(answer) for answer in answers} == {(404, "charter-unknown")}
    assert len(asked) < len(many) / 2


async def test_a_submission_under_the_charter_before_is_still_taken(portal: RunningPortal) -> None:
    """A form that is open, or that travels on a stick, does not turn to waste because a member was added."""
    assert (await post(portal, successor(portal.world, portal.world.charter, grace_days=3))).status_code == 201
    assert (await portal.submit(another(sealed_report()).bundle())).status_code == 201


async def test_a_portal_whose_name_was_seized_goes_on_under_another_and_codes_still_open(tmp_path: Path) -> None:
    """It takes its data along; its charters say the new name as soon as the governors have signed the next one."""
    moved = "http://portal.elsewhere"
    async with running_portal(tmp_path) as portal:
        thread = await start_thread(portal)
        before = await thread.read()
    async with running_portal(tmp_path, origin=moved) as portal:
        assert (await portal.client.get(f"{API}/portal")).json()["origin"] == moved
        assert await Thread(portal, thread.secrets, thread.sealed).read() == before
        first = portal.world.charter
        assert error_code(await post(portal, successor(portal.world, first))) == (422, "charter-invalid")
        note = successor(portal.world, first, origin=moved, portal=portal_key(moved).verifier)
        assert (await post(portal, note)).status_code == 201
        chain = await portal.client.get(f"{API}/charters/{first.hash}/successors")
        assert chain.json()["charters"] == [note.decode()]
        # A report that was sealed under the name before is taken, and acknowledged under the same realm.
        answer = await portal.submit(another(sealed_report()).bundle())
        assert answer.status_code == 201
        assert answer.json()["acknowledgement"].split("\n")[1] == REALM


async def test_charters_are_known_after_a_restart(tmp_path: Path) -> None:
    async with running_portal(tmp_path) as portal:
        assert (await post(portal, successor(portal.world, portal.world.charter, grace_days=1))).status_code == 201
    async with running_portal(tmp_path) as portal:
        assert portal.assembly.charters.newest(portal.world.slug).grace_days == 1


@pytest.mark.parametrize("size", [1024 * 1024 + 1])
async def test_a_charter_that_is_too_large_is_refused(portal: RunningPortal, size: int) -> None:
    assert error_code(await post(portal, bytes(size))) == (413, "too-large")


@pytest.mark.parametrize("bound", ["CHAIN_BYTES_MAX", "CHAIN_MAX"])
async def test_a_chain_that_not_all_could_read_goes_no_further(
    portal: RunningPortal, monkeypatch: pytest.MonkeyPatch, bound: str
) -> None:
    """An office, a device and a command read so much and no more, and the newest one has to have room."""
    own = len(portal.assembly.charters.as_json(portal.world.charter))
    monkeypatch.setattr(known, bound, {"CHAIN_BYTES_MAX": own + NOTE_BYTES_MAX, "CHAIN_MAX": 2}[bound])
    second = successor(portal.world, portal.world.charter)
    assert (await post(portal, second)).status_code == 201
    third = successor(portal.world, read_charter(second))
    assert error_code(await post(portal, third)) == (413, "too-large")
    assert (await portal.client.get(f"{API}/commissions/{portal.world.slug}/charter")).content == second


async def test_all_who_ask_for_a_chain_get_the_same_bytes_and_not_each_their_own(portal: RunningPortal) -> None:
    """Who does not read it keeps them in memory."""

    async def pieces() -> list[bytes]:
        sent: list[Message] = []

        async def receive() -> Message:
            raise AssertionError("it has no body")

        async def send(message: Message) -> None:
            sent.append(message)

        path = f"{API}/charters/{portal.world.charter.hash}/chain"
        scope = {"type": "http", "method": "GET", "path": path, "headers": [], "query_string": b""}
        await portal.app({**scope, "asgi": {"spec_version": "2.4"}}, receive, send)
        return [message["body"] for message in sent if message.get("body")]

    first, second = await pieces(), await pieces()
    assert b"".join(first) == b"".join(second)
    assert max(first, key=len) is max(second, key=len)
    assert sum(map(len, first)) - len(max(first, key=len)) < 100

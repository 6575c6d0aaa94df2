# SPDX-License-Identifier: AGPL-3.0-or-later
"""Charters that anyone may post: what costs little to refuse is refused before anything is read (§10)."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from crypto.charter import Charter
from crypto.note import SigningKey, sign
from portal.charters import known
from portal.charters.known import invite
from portal.storage.records import CharterRecord
from tests.people import found_test_commission
from tests.portal.charters.test_charters import post, successor
from tests.portal.world import API, RunningPortal, error_code, running_portal


@pytest.fixture
def readings(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """The notes that the portal has read as charters, at some length."""
    read: list[bytes] = []
    original: Callable[[bytes], Charter] = known.read_charter

    def reading(note: bytes) -> Charter:
        read.append(note)
        return original(note)

    monkeypatch.setattr(known, "read_charter", reading)
    return read


async def test_the_public_charter_posted_again_is_recognised_without_being_read(
    portal: RunningPortal, readings: list[bytes]
) -> None:
    assert (await post(portal, portal.world.charter.note)).status_code == 200
    assert readings == []


def zeros(charter: Charter) -> bytes:
    signatures = charter.note.rpartition(b"\n\n")[2]
    return b"[" + b"0," * 500_000 + b"0]\n\n" + signatures


def zeros_with_the_end_of_a_charter(charter: Charter) -> bytes:
    text, _, signatures = charter.note.rpartition(b"\n\n")
    return b'{"governors":[' + b"0," * 500_000 + b"0]" + text[-20_000:] + b"\n\n" + signatures


def signed_by_strangers(charter: Charter) -> bytes:
    text = charter.note.rpartition(b"\n\n")[0].decode()
    follows = text.replace('"number":1,', '"number":2,').replace('"previous":null', f'"previous":"{charter.hash}"')
    return sign(follows + "\n", [SigningKey.generate(f"stranger.test/{name}") for name in "ab"]).encode()


def with_the_names_of_governors(charter: Charter) -> bytes:
    """The signatures of charter 1 under a text that follows it."""
    text, _, signatures = charter.note.rpartition(b"\n\n")
    previous = b'"previous":"' + charter.hash.encode() + b'"'
    return text.replace(b'"number":1,', b'"number":2,').replace(b'"previous":null', previous) + b"\n\n" + signatures


@pytest.mark.parametrize(
    "make",
    [zeros, zeros_with_the_end_of_a_charter, signed_by_strangers, with_the_names_of_governors],
    ids=lambda make: str(make.__name__),
)
async def test_what_nobody_entitled_has_signed_is_not_read(
    portal: RunningPortal, readings: list[bytes], make: Callable[[Charter], bytes]
) -> None:
    assert error_code(await post(portal, make(portal.world.charter)))[0] in (409, 422)
    assert readings == []


async def test_a_first_charter_without_an_invitation_is_not_read(portal: RunningPortal, readings: list[bytes]) -> None:
    other = found_test_commission(slug="second-commission")
    assert error_code(await post(portal, other.charter.note, "guess")) == (403, "invitation-invalid")
    assert readings == []
    with portal.database.use():
        token = await invite(other.slug)
    assert (await post(portal, other.charter.note, token)).status_code == 201


async def test_what_stands_elsewhere_in_a_charter_than_it_seemed_is_refused(portal: RunningPortal) -> None:
    """A commission's governors sign what looks like a charter of this portal, and is one of another."""
    world = portal.world
    note = successor(world, world.charter, grace_days=3)
    text = note.rpartition(b"\n\n")[0].decode()
    stranger = text.replace(f'"origin":"{world.charter.origin}"', '"origin":"http://portal.elsewhere"').replace(
        '"mandate":{', f'"mandate":{{"x":{{"a":0,"origin":"{world.charter.origin}","portal":"{world.charter.portal}",'
        f'"previous":"{world.charter.hash}","questionnaire":{{}}}},',
    )  # fmt: skip
    signed = sign(stranger + "\n", [person.signing_key for person in world.governors]).encode()
    assert error_code(await post(portal, signed)) == (422, "charter-invalid")


async def test_charters_loaded_twice_at_once_are_there_once(portal: RunningPortal) -> None:
    note = successor(portal.world, portal.world.charter, grace_days=3)
    elsewhere = known.Charters(portal.assembly.charters.origin, portal.world.charter.realm, portal.world.charter.portal)
    with portal.database.use():
        await elsewhere.take(note, None)
        await asyncio.gather(*(portal.assembly.charters.refresh() for _ in range(3)))
    assert [each.number for each in portal.assembly.charters.chain(portal.world.slug)] == [1, 2]


async def test_a_stored_charter_that_cannot_be_read_takes_only_its_own_commission_away(tmp_path: Path) -> None:
    """The charter before it is not the newest: nothing may be sealed to it, so that it is not served either."""
    other = found_test_commission(slug="second-commission")
    async with running_portal(tmp_path) as portal:
        with portal.database.use():
            await post(portal, other.charter.note, await invite(other.slug))
            await CharterRecord.create(hash="ab" * 32, slug=other.slug, number=2, note="not a note")
    async with running_portal(tmp_path) as portal:
        assert (await portal.office("GET", "/submissions")).status_code == 200
        charters = (await portal.client.get(f"{API}/portal")).json()["charters"]
        assert charters == [portal.world.charter.hash]
        for path in (f"/charters/{other.charter.hash}", f"/commissions/{other.slug}/charter"):
            assert (await portal.client.get(API + path)).status_code == 404
        refused = await portal.office("GET", "/submissions", key=other.office_key)
        assert error_code(refused) == (401, "signature-invalid")
        assert error_code(await post(portal, successor(other, other.charter))) == (409, "charter-conflict")


async def test_a_charter_is_read_while_all_turns_to_post_one_are_taken(tmp_path: Path) -> None:
    async with running_portal(tmp_path, waiting_max=1) as portal:
        portal.assembly.turns.charters.take(comes=False)
        assert error_code(await portal.client.post(f"{API}/charters", content=b"")) == (503, "busy")
        charter = portal.world.charter.hash
        for path in (f"charters/{charter}/chain", f"commissions/{portal.world.slug}/charter", "portal"):
            assert (await portal.client.get(f"{API}/{path}")).status_code == 200

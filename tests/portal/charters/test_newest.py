# SPDX-License-Identifier: AGPL-3.0-or-later
"""Which charter is the newest, in an office's words and with a day (docs/protocol.md §4.2, §10)."""

from datetime import date, timedelta
from typing import Any

import pytest

from crypto.charter import Charter
from crypto.note import SigningKey
from tests.people import TODAY, found_test_commission
from tests.portal.charters.test_charters import post, successor
from tests.portal.threads import newest_note
from tests.portal.world import API, RunningPortal, error_code, publish

PATH = "/newest-charter"
MALFORMED = (400, "malformed-request")


async def latest(portal: RunningPortal, charter: Charter | None = None) -> str | None:
    answer = await portal.client.get(f"{API}/charters/{(charter or portal.world.charter).hash}/successors")
    note: str | None = answer.json()["newest"]
    return note


async def send(portal: RunningPortal, note: bytes) -> int:
    return (await portal.office("POST", PATH, note)).status_code


async def second_charter(portal: RunningPortal) -> Charter:
    assert (await post(portal, successor(portal.world, portal.world.charter, grace_days=3))).status_code == 201
    return portal.assembly.charters.newest(portal.world.slug)


def naming(charter: Charter) -> dict[str, Any]:
    return {"charter": charter.hash, "number": charter.number}


async def test_the_latest_note_is_given_with_the_chain(portal_on: RunningPortal) -> None:
    assert await latest(portal_on) is None
    note = newest_note(portal_on)
    assert await send(portal_on, note) == 200
    assert await latest(portal_on) == note.decode()
    tomorrow = newest_note(portal_on, day=TODAY + timedelta(days=1))
    assert await send(portal_on, tomorrow) == 200
    assert await latest(portal_on) == tomorrow.decode()


async def test_an_earlier_day_or_a_lower_number_changes_nothing(portal_on: RunningPortal) -> None:
    second = await second_charter(portal_on)
    kept = newest_note(portal_on, **naming(second))
    for note in (
        kept,
        newest_note(portal_on, **naming(second), day=TODAY - timedelta(days=1)),
        newest_note(portal_on, day=TODAY + timedelta(days=1)),
    ):
        assert await send(portal_on, note) == 200
        assert await latest(portal_on) == await latest(portal_on, second) == kept.decode()


async def test_a_note_that_names_no_charter_of_the_commission_is_refused(portal: RunningPortal) -> None:
    other = found_test_commission(slug="second-commission")
    await publish(portal, other)
    wrong = [
        newest_note(portal, number=2),
        newest_note(portal, charter="ab" * 32),
        newest_note(portal, slug=other.slug),
        newest_note(portal, realm="ab" * 16),
        newest_note(portal, other.office_key, slug=other.slug, charter=other.charter.hash),
        newest_note(portal, SigningKey.generate(f"{portal.world.slug}/office")),
        newest_note(portal, portal.world["amina"].signing_key),
        b"not a note",
    ]
    for note in wrong:
        assert error_code(await portal.office("POST", PATH, note)) == MALFORMED
    assert await latest(portal) is None
    assert await latest(portal, other.charter) is None


async def test_a_day_to_come_is_refused_for_it_would_stay_the_latest(portal: RunningPortal) -> None:
    note = newest_note(portal, day=TODAY + timedelta(days=2))
    assert error_code(await portal.office("POST", PATH, note)) == MALFORMED
    assert await send(portal, newest_note(portal)) == 200


@pytest.mark.parametrize("year", [1, 1899])
async def test_a_day_that_no_column_keeps_is_refused(portal: RunningPortal, year: int) -> None:
    assert error_code(await portal.office("POST", PATH, newest_note(portal, day=date(year, 12, 31)))) == MALFORMED
    assert await latest(portal) is None


async def test_an_office_key_of_the_charter_before_can_not_speak_for_the_next_one(portal: RunningPortal) -> None:
    new_key = SigningKey.generate(f"{portal.world.slug}/office-2")
    note = successor(portal.world, portal.world.charter, office=(new_key.verifier,))
    assert (await post(portal, note)).status_code == 201
    second = portal.assembly.charters.newest(portal.world.slug)
    forged = newest_note(portal, **naming(second))
    assert error_code(await portal.office("POST", PATH, forged, new_key)) == MALFORMED
    genuine = newest_note(portal, new_key, **naming(second))
    assert (await portal.office("POST", PATH, genuine, new_key)).status_code == 200
    assert await latest(portal, second) == genuine.decode()

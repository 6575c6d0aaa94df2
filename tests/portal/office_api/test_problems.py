# SPDX-License-Identifier: AGPL-3.0-or-later
"""What can't be shown of a commission is said to its own offices (docs/protocol.md §10)."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from crypto.finding import finding_id
from portal.pages import build
from portal.register.register_pages import RegisterMaker
from tests.people import found_test_commission
from tests.portal.register.test_register import portal_with_styles, put_one
from tests.portal.world import API, RunningPortal, error_code, publish


@pytest_asyncio.fixture
async def broken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[RunningPortal]:
    """A portal that can show nothing of the commission, which it took when it still could."""

    def fail(*_: object) -> Any:
        raise ValueError

    monkeypatch.setattr(build, "_commission_pages", fail)
    monkeypatch.setattr(RegisterMaker, "show", fail)
    async with portal_with_styles(tmp_path) as running:
        yield running


async def test_nothing_is_missing_of_a_commission_that_is_shown(portal: RunningPortal) -> None:
    assert (await portal.office("GET", "/problems")).json() == {"problems": []}


async def test_an_office_learns_what_is_missing_of_its_own_commission(broken: RunningPortal) -> None:
    await put_one(broken)
    await broken.client.get("/en/")
    answer = (await broken.office("GET", "/problems")).json()
    assert answer == {
        "problems": [
            {"kind": "charter", "name": broken.world.charter.hash},
            {"kind": "finding", "name": finding_id(broken.world.slug, 2026, 1)},
        ]
    }
    page = await broken.client.get(f"/en/{broken.world.slug}/report")
    assert page.status_code == 503
    assert "This page can’t be shown at the moment" in page.text


async def test_an_office_learns_nothing_of_another_commission(
    broken: RunningPortal, monkeypatch: pytest.MonkeyPatch
) -> None:
    await put_one(broken)
    await broken.client.get("/en/")
    monkeypatch.undo()
    other = found_test_commission(slug="other-commission")
    await publish(broken, other)
    assert (await broken.client.get(f"/en/{other.slug}/report")).status_code == 200
    assert (await broken.office("GET", "/problems", key=other.office_key)).json() == {"problems": []}


async def test_who_is_no_office_learns_nothing(portal: RunningPortal) -> None:
    assert error_code(await portal.client.get(f"{API}/office/problems")) == (401, "signature-missing")

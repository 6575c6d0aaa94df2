# SPDX-License-Identifier: AGPL-3.0-or-later
"""Bytes that one of the databases can't hold get an answer like any other, with each of them."""

from pathlib import Path

import pytest

from oversight.settings import Settings
from tests.oversight.office import OFFICE_ORIGIN, Office


@pytest.fixture
def settings(tmp_path: Path, static_folder: Path, database_url: str) -> Settings:
    return Settings(data=tmp_path / "office", database=database_url, origin=OFFICE_ORIGIN, static=static_folder)


async def test_a_null_byte_is_a_wrong_username_and_no_address(office: Office) -> None:
    stranger = office.browser()
    assert (await stranger.log_in(office.world["amina"], username="nobody\0")).status_code == 403
    member = await office.browser_of("amina")
    for path in ("/reports/%00", "/reports/%00/reply", "/cases/%00", "/findings/%00", "/queue?after=%00"):
        assert (await member.get(path)).status_code == 404, path

# SPDX-License-Identifier: AGPL-3.0-or-later
"""Many processes that start at once on a database in which nothing is yet: one makes the tables, and each comes up."""

from pathlib import Path

import pytest

from tests.servers import Program, office_program, portal_program

MANY = 5


def programs(kind: str, folder: Path, url: str) -> list[Program]:
    """Programs with one data folder and one database, and ports of their own."""
    if kind == "portal":
        return [portal_program(folder, PORTAL_DATABASE=url, PORTAL_STATIC="/nothing") for _ in range(MANY)]
    portal = portal_program(folder)
    return [office_program(folder, portal, OVERSIGHT_DATABASE=url) for _ in range(MANY)]


@pytest.mark.parametrize("kind", ["portal", "office"])
def test_each_of_many_that_start_at_once_comes_up(kind: str, tmp_path: Path, empty_database_url: str) -> None:
    started = programs(kind, tmp_path, empty_database_url)
    try:
        for program in started:
            program.launch()
        for program in started:
            program.wait_until_up()
    finally:
        for program in started:
            program.kill()

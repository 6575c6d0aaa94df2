# SPDX-License-Identifier: AGPL-3.0-or-later
"""The office as a process: how it starts, what it says, how it ends."""

import stat
from pathlib import Path

import httpx

from tests.servers import Program, free_port
from tests.waiting import SECONDS_MAX


def office_alone(folder: Path, static: Path) -> Program:
    port = free_port()
    settings = {"OVERSIGHT_DATA": str(folder / "office"), "OVERSIGHT_PORT": str(port), "OVERSIGHT_STATIC": str(static)}
    return Program("oversight", port, settings, folder / "office.log")


def test_serving_prints_the_setup_token_and_nothing_about_requests_and_leaves_no_core(
    tmp_path: Path, static_folder: Path
) -> None:
    office = office_alone(tmp_path, static_folder)
    office.start()
    try:
        client = httpx.Client(base_url=office.origin, trust_env=False, timeout=SECONDS_MAX)
        for path in ("/found", "/no-such-page-canary", "/login?next=canary"):
            client.get(path, headers={"user-agent": "canary"})
        token = (tmp_path / "office" / "secrets" / "setup.token").read_text().strip()
        answer = client.post("/found", data={"token": token}, headers={"origin": office.origin})
        assert answer.status_code == 303
        client.close()
        limits = Path(f"/proc/{office.pid}/limits").read_text()
    finally:
        office.stop()
    log = office.log.read_text()
    assert ["Max", "core", "file", "size", "0", "0", "bytes"] in [line.split() for line in limits.splitlines()]
    assert token in log
    assert "canary" not in log
    assert len(log.splitlines()) == 2
    files = [path for path in (tmp_path / "office").rglob("*") if path.is_file()]
    assert files
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}


def test_the_office_says_in_one_line_what_is_missing(tmp_path: Path, static_folder: Path) -> None:
    office = office_alone(tmp_path, static_folder)
    office.settings = {**office.settings, "OVERSIGHT_STATIC": str(tmp_path / "none")}
    try:
        office.run("serve")
    except AssertionError as error:
        message = str(error)
    assert "build the scripts first" in message
    assert "Traceback" not in message

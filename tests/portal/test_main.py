# SPDX-License-Identifier: AGPL-3.0-or-later
"""``python -m portal`` as an operator uses it: real processes, real files."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from crypto.bundle import MEDIA_TYPE
from crypto.fingerprint import key_fingerprint
from crypto.note import VerifierKey
from portal.pages.build import PAGE_ASSETS
from tests.postgres import Postgres
from tests.servers import Program, portal_program, post_test_charter
from tests.waiting import SECONDS_MAX

RARE = "quokka"
ITEMS = ["settings", "keys", "database", "realm", "signing", "blobs", "files", "pages", "disk", "clock", "charter"]


@pytest.fixture
def program(tmp_path: Path) -> Iterator[Program]:
    running = portal_program(tmp_path, PORTAL_STATIC=str(_built(tmp_path)))
    yield running
    running.kill()


def _built(folder: Path) -> Path:
    """Scripts and styles as small as can be."""
    static = folder / "static"
    static.mkdir()
    for name in (*PAGE_ASSETS, "register.css"):
        (static / name).write_text("/* */")
    return static


def run(program: Program, *arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "portal", *arguments]
    return subprocess.run(
        command, env=program.environment(), capture_output=True, text=True, timeout=SECONDS_MAX, check=False
    )


def test_check_says_of_every_item_whether_it_is_well(program: Program) -> None:
    done = run(program, "check")
    assert done.returncode == 0, done.stdout + done.stderr
    lines = done.stdout.splitlines()
    assert [line.split()[:2] for line in lines] == [["ok", name] for name in ITEMS]


def test_check_shows_the_fingerprint_of_the_key_that_governors_compare(program: Program) -> None:
    program.start()
    said = run(program, "check").stdout
    about = httpx.get(f"{program.origin}/api/v1/portal", timeout=SECONDS_MAX).json()
    assert f"fingerprint {key_fingerprint(VerifierKey.parse(about['verifier']))}" in said


def test_check_goes_on_after_a_failure_and_fails(program: Program, tmp_path: Path) -> None:
    blocked = tmp_path / "blocked"
    blocked.write_text("a file, not a folder")
    broken = Program("portal", program.port, {**program.settings, "PORTAL_BLOBS": str(blocked)}, program.log)
    done = run(broken, "check")
    assert done.returncode == 1
    failed = [line.split()[1] for line in done.stdout.splitlines() if line.split()[0] == "failed"]
    assert failed == ["blobs", "files"]
    assert len(done.stdout.splitlines()) == len(ITEMS)


def test_a_missing_setting_is_one_line(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "portal", "serve"],
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        timeout=SECONDS_MAX,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (1, "", "portal: PORTAL_ORIGIN is missing\n")


def test_keys_are_made_once_for_their_owner_only(program: Program) -> None:
    secrets = Path(program.settings["PORTAL_DATA"]) / "secrets"
    program.start()
    program.stop()
    first = run(program, "check").stdout
    assert {path.name for path in secrets.iterdir()} == {"signing.key", "decoy.key", "realm"}
    assert {path.stat().st_mode & 0o777 for path in secrets.iterdir()} == {0o600}
    assert secrets.stat().st_mode & 0o777 == 0o700
    assert run(program, "check").stdout.splitlines()[1] == first.splitlines()[1]
    (secrets / "signing.key").write_bytes(b"half")
    assert run(program, "check").returncode == 1


def test_a_realm_that_is_missing_is_not_made_anew_once_charters_name_it(program: Program) -> None:
    """Every receipt code is derived with it: under another one, none would open its mailbox."""
    program.start()
    world = post_test_charter(program)
    program.stop()
    realm = Path(program.settings["PORTAL_DATA"]) / "secrets" / "realm"
    kept = realm.read_bytes()
    assert kept.hex() == world.charter.realm
    realm.unlink()
    done = run(program, "check")
    assert done.returncode == 1
    [line] = [line for line in done.stdout.splitlines() if line.startswith("failed")]
    assert line.split()[1] == "realm"
    assert kept.hex() in line
    assert not realm.exists()
    realm.write_bytes(bytes(16))
    assert run(program, "check").returncode == 1
    done = run(program, "serve")
    assert done.returncode != 0
    assert kept.hex() in done.stderr
    realm.write_bytes(kept)
    assert run(program, "check").returncode == 0


@pytest.mark.parametrize("settings", [{}, {"PORTAL_WORKERS": "2", "PORTAL_DATABASE": "asyncpg://nobody@127.0.0.1:9/x"}])
def test_a_signing_key_under_its_former_name_stops_the_portal_before_it_makes_another(
    program: Program, settings: dict[str, str]
) -> None:
    secrets = Path(program.settings["PORTAL_DATA"]) / "secrets"
    secrets.mkdir(parents=True)
    key = bytes(range(32))
    (secrets / "log.key").write_bytes(key)
    done = run(Program("portal", program.port, {**program.settings, **settings}, program.log), "serve")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"portal: the signing key is called signing.key now: rename {secrets / 'log.key'}\n"
    assert not (secrets / "signing.key").exists()
    assert (secrets / "log.key").read_bytes() == key


def test_an_invitation_is_printed_and_its_token_is_not_kept(program: Program) -> None:
    token = run(program, "invite", "demo-commission").stdout.strip()
    database = Path(program.settings["PORTAL_DATA"]) / "portal.sqlite3"
    kept = b"".join(path.read_bytes() for path in database.parent.glob("portal.sqlite3*"))
    assert len(token) >= 32
    assert token.encode() not in kept
    assert run(program, "invite", "Not A Name").returncode == 1


def test_build_writes_the_pages(program: Program, tmp_path: Path) -> None:
    done = run(program, "build", str(tmp_path / "out"))
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out" / "en" / "index.html").is_file()
    assert (tmp_path / "out" / "manifest.json").is_file()


def test_a_charter_brings_its_form_and_serving_ends_when_asked(program: Program) -> None:
    program.start()
    world = post_test_charter(program)
    page = httpx.get(f"{program.origin}/en/{world.slug}/report", timeout=SECONDS_MAX)
    assert page.status_code == 200
    assert "trusted-types" in page.headers["content-security-policy"]
    assert "server" not in page.headers
    pid = program.pid
    os.kill(pid, signal.SIGTERM)
    program.stop()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_the_log_of_a_running_portal_holds_nothing_of_a_request(program: Program) -> None:
    program.start()
    api = f"{program.origin}/api/v1"
    headers = {"user-agent": RARE, "referer": f"http://{RARE}", "content-type": RARE}
    with httpx.Client(timeout=SECONDS_MAX) as client:
        client.post(f"{api}/submissions?{RARE}=1", content=RARE, headers=headers)
        client.put(f"{api}/uploads/{RARE}/{RARE}/{RARE}", content=RARE, headers=headers)
        client.get(f"{api}/office/submissions?after={RARE}", headers={"signature": RARE, "signature-input": RARE})
        client.post(f"{api}/mailbox", content=RARE)
        client.get(f"{program.origin}/{RARE}", headers=headers)
    program.stop()
    log = program.log.read_text()
    assert RARE not in log
    assert "127.0.0.1" not in log


def test_several_processes_share_a_database(postgres: Postgres, tmp_path: Path) -> None:
    """Two portals with the same keys and the same PostgreSQL: what one has taken, the other knows."""
    from tests.portal.world import another, sealed_report

    with postgres.database() as url:
        one = portal_program(tmp_path, PORTAL_DATABASE=url, PORTAL_STATIC="/nothing")
        two = portal_program(tmp_path, PORTAL_DATABASE=url, PORTAL_STATIC="/nothing", PORTAL_ORIGIN=one.origin)
        try:
            one.start()
            world = post_test_charter(one)
            two.start()
            keys = [
                httpx.get(f"http://127.0.0.1:{each.port}/api/v1/portal", timeout=SECONDS_MAX).json()["verifier"]
                for each in (one, two)
            ]
            assert VerifierKey.parse(keys[0]) == VerifierKey.parse(keys[1])
            bundle = another(sealed_report(), charter=world.charter.hash).bundle()
            answers = [
                httpx.post(
                    f"http://127.0.0.1:{each.port}/api/v1/submissions",
                    content=bundle,
                    headers={"content-type": MEDIA_TYPE},
                    timeout=SECONDS_MAX,
                )
                for each in (one, two)
            ]
            assert [answer.status_code for answer in answers] == [201, 200]
            assert answers[0].json() == answers[1].json()
        finally:
            one.kill()
            two.kill()


def test_without_its_database_it_ends_with_one_line(tmp_path: Path) -> None:
    away = portal_program(tmp_path, PORTAL_DATABASE=f"asyncpg://{RARE}@127.0.0.1:1/none")
    done = run(away, "serve")
    assert (done.returncode, done.stderr) == (1, "portal: the database can't be opened (ConnectionRefusedError)\n")

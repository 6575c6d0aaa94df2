# SPDX-License-Identifier: AGPL-3.0-or-later
"""Settings of any value: each is refused in one line that shows none, or works wherever the portal uses it."""

import json
import os
import re
import xml.etree.ElementTree as ET
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from crypto.charter import ORIGIN
from crypto.note import SigningKey
from portal.__main__ import main
from portal.kit.compression import Compressed
from portal.kit.settings import SettingsError
from portal.pages.build import SiteMaker
from portal.register.feeds import atom_feed, json_feed
from portal.settings import PREFIX, Settings
from portal.storage.database import SCHEMA
from tests.environments import check_refusal, environments, refusal_of
from tests.people import REALM
from tests.portal.pages.test_pages import fake_assets
from tests.postgres import Postgres

BASE = {"PORTAL_ORIGIN": "https://portal.example"}
ODD_FOLDER = "a b?c#d%20e;f[g]@h:i&'\"<é>\\"
VISIBLE = st.characters(exclude_categories=["C", "Z"])
ATOM = "{http://www.w3.org/2005/Atom}"


@given(environments(Settings, PREFIX, BASE))
def test_settings_are_refused_in_one_line_or_can_be_used(environment: dict[str, str]) -> None:
    try:
        settings = Settings.from_environment(environment)
    except SettingsError as error:
        check_refusal(error, environment)
        return
    assert re.fullmatch(ORIGIN, settings.origin)
    assert SigningKey.from_seed(settings.key_name, bytes(32)).verifier.name in settings.origin
    assert list(SCHEMA.config(settings.database_url)["connections"]) in (["portal-sqlite"], ["portal-asyncpg"])
    feed = ET.fromstring(atom_feed([], settings.origin, ""))
    assert (feed.findtext(f"{ATOM}id") or "").startswith(f"{settings.origin}/")
    assert json.loads(json_feed([], settings.origin, ""))["home_page_url"].startswith(f"{settings.origin}/")


@hypothesis_settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(environment=environments(Settings, PREFIX, BASE))
def test_a_command_with_refused_settings_ends_with_their_line(
    environment: dict[str, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    message = refusal_of(Settings.from_environment, environment)
    monkeypatch.setattr(os, "environ", environment)
    for command in (["serve"], ["check"], ["invite", "demo"], ["build", "out"]):
        assert main(command) == 1
        assert capsys.readouterr() == ("", f"portal: {message}\n")


class Addresses(HTMLParser):
    """The addresses to which a page's way out goes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[str | None] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.found += [given["data-leave-url"]] if "data-leave-url" in given else []
        self.found += [given.get("href")] if "data-leave" in given else []


@hypothesis_settings(max_examples=5, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(value=st.text(VISIBLE, max_size=40).map("https://a.example/".__add__) | st.just("about:blank"))
@pytest.mark.usefixtures("nothing_compressed")
def test_every_page_shows_the_way_out_as_it_was_set(value: str) -> None:
    try:
        settings = Settings.from_environment({**BASE, "PORTAL_LEAVE_URL": value})
    except SettingsError:
        assume(False)
        raise
    pages = SiteMaker(settings, fake_assets(), REALM).build([]).pages
    shown = [page.body.decode() for page in pages.values() if page.content_type.startswith("text/html")]
    assert len(shown) > 5
    for page in shown:
        assert Addresses(page).found == [value, value]


@pytest.fixture
def nothing_compressed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Building pages takes little time but for compressing them."""
    for module in ("portal.pages.site", "portal.kit.assets"):
        monkeypatch.setattr(f"{module}.compress", lambda body, **_: Compressed(body, body))


def run(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, command: str, **changed: object
) -> tuple[int, list[str]]:
    """A command's status, and the lines that it printed."""
    environment = {f"{PREFIX}{name}": str(value) for name, value in changed.items()}
    monkeypatch.setattr(os, "environ", {**BASE, **environment})
    status = main([command] + (["out"] if command == "build" else []))
    printed = capsys.readouterr()
    return status, (printed.out + printed.err).splitlines()


@pytest.mark.usefixtures("nothing_compressed")
def test_whatever_its_folder_is_called_everything_is_in_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    static = tmp_path / "static"
    static.mkdir()
    for name in fake_assets():
        (static / name).write_text("/* */")
    status, lines = run(capsys, monkeypatch, "check", DATA=ODD_FOLDER, STATIC=static)
    assert (status, len(lines)) == (0, 11), lines
    assert {path.name for path in tmp_path.iterdir()} == {ODD_FOLDER, "static"}
    assert {"portal.sqlite3", "blobs"} <= {path.name for path in (tmp_path / ODD_FOLDER).iterdir()}


def test_what_can_not_be_opened_ends_a_command_with_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("no folder")
    (tmp_path / "static").mkdir()
    monkeypatch.setenv("AWS_ALLOW_HTTP", "perhaps")
    for command, changed in (
        ("serve", {"DATA": "file"}),
        ("serve", {"DATA": "x" * 300}),
        ("serve", {"DATABASE": f"sqlite://{tmp_path}/static"}),
        ("serve", {"BLOBS": "file"}),
        ("serve", {"BLOBS": "s3://bucket"}),
        ("build", {"STATIC": "static"}),
        ("build", {"STATIC": "none"}),
    ):
        status, lines = run(capsys, monkeypatch, command, **{"DATA": "data", "STATIC": "static", **changed})
        said = [line for line in lines if "files may be open" not in line]
        assert (status, len(said)) == (1, 1), lines
        assert said[0].startswith("portal: "), lines


def test_what_a_server_of_postgresql_refuses_is_one_line(
    postgres: Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    url = f"postgresql://nobody:quokka@127.0.0.1:{postgres.port}/postgres"
    status, lines = run(capsys, monkeypatch, "serve", DATA=tmp_path, DATABASE=url)
    assert (status, lines) == (1, ["portal: the database can't be opened (InvalidAuthorizationSpecificationError)"])

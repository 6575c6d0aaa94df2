# SPDX-License-Identifier: AGPL-3.0-or-later
"""Settings from the environment, refused with a name and without a value."""

from dataclasses import fields
from pathlib import Path

import pytest

from portal.kit.settings import SettingsError
from portal.settings import Settings

ORIGIN = {"PORTAL_ORIGIN": "https://portal.example"}


def test_one_setting_is_enough() -> None:
    settings = Settings.from_environment(ORIGIN)
    assert settings.key_name == "portal.example"
    assert settings.database_url.startswith("sqlite:///")
    assert settings.https


def test_every_setting_can_be_set_and_says_what_it_is() -> None:
    given = {
        "leave_url": "about:blank",
        "host": "::1",
        "database": "sqlite:///x",
        "port": "8100",
        "workers": "1",
        "waiting_max": "7",
        "connections_max": "9",
        "store_bytes": "0",
        "free_bytes_min": "0",
    }
    environment = {f"PORTAL_{each.name.upper()}": given.get(each.name, "/x") for each in fields(Settings)} | ORIGIN
    settings = Settings.from_environment(environment)
    assert (settings.port, settings.data, settings.static, settings.waiting_max) == (8100, Path("/x"), Path("/x"), 7)
    assert all(each.metadata["help"].endswith(".") for each in fields(Settings))


def test_bytes_that_are_no_text_are_no_number() -> None:
    with pytest.raises(SettingsError, match="PORTAL_PORT must be a whole number"):
        Settings.from_environment({**ORIGIN, "PORTAL_PORT": "80\udc8a"})


def test_an_empty_setting_is_as_good_as_none() -> None:
    assert Settings.from_environment({**ORIGIN, "PORTAL_BLOBS": ""}).blobs_url == "var/portal/blobs"


@pytest.mark.parametrize(
    "origin",
    ["", "portal.example", "https://portal.example/", "https://portal.example:443", "HTTPS://portal.example",
     "https://Portal.example", "ftp://portal.example", "https://user@portal.example", "https://portal.example:x",
     "https://portal.example?x", "http://portal.example:80", "https://pörtal.example"],
)  # fmt: skip
def test_an_origin_of_another_spelling_is_refused(origin: str) -> None:
    with pytest.raises(SettingsError) as refused:
        Settings.from_environment({"PORTAL_ORIGIN": origin})
    assert "PORTAL_ORIGIN" in str(refused.value)


@pytest.mark.parametrize("origin", ["http://127.0.0.1:8000", "https://portal.example:8443", "http://abc.onion"])
def test_an_origin_may_have_a_port(origin: str) -> None:
    assert Settings.from_environment({"PORTAL_ORIGIN": origin}).key_name == origin.split("//")[1]


def test_a_setting_that_does_not_exist_is_refused() -> None:
    with pytest.raises(SettingsError, match="PORTAL_PROT is not a setting"):
        Settings.from_environment({**ORIGIN, "PORTAL_PROT": "1"})


@pytest.mark.parametrize("value", ["x", "-1", "0", "65536", "1.5", "٣"])
def test_a_number_that_is_none_is_refused_without_showing_it(value: str) -> None:
    with pytest.raises(SettingsError) as refused:
        Settings.from_environment({**ORIGIN, "PORTAL_PORT": value})
    assert str(refused.value) == "PORTAL_PORT must be a whole number from 1 to 65535"


def test_several_workers_need_postgresql() -> None:
    with pytest.raises(SettingsError, match="PostgreSQL"):
        Settings.from_environment({**ORIGIN, "PORTAL_WORKERS": "2"})
    Settings.from_environment({**ORIGIN, "PORTAL_WORKERS": "2", "PORTAL_DATABASE": "asyncpg://a@b/c"})

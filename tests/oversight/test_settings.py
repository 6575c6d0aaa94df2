# SPDX-License-Identifier: AGPL-3.0-or-later
"""Settings from the environment."""

import dataclasses
from pathlib import Path

import pytest

from oversight.settings import Settings
from portal.kit.settings import SettingsError


def test_only_the_data_folder_must_be_named() -> None:
    settings = Settings.from_environment({"OVERSIGHT_DATA": "/var/lib/office", "HOME": "/root"})
    assert settings.data == Path("/var/lib/office")
    assert settings.database_url == "sqlite:///var/lib/office/office.sqlite3"
    assert settings.own_origin == "http://127.0.0.1:8001"
    assert not settings.https


def test_the_portals_name_is_the_origin_of_its_address_unless_it_is_given() -> None:
    base = {"OVERSIGHT_DATA": "x", "OVERSIGHT_PORTAL_URL": "http://10.0.0.2:8080"}
    assert Settings.from_environment(base).portal_name == "http://10.0.0.2:8080"
    named = Settings.from_environment({**base, "OVERSIGHT_PORTAL_ORIGIN": "https://portal.example"})
    assert named.portal_name == "https://portal.example"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("OVERSIGHT_PORT", "0"),
        ("OVERSIGHT_PORT", "eighty"),
        ("OVERSIGHT_PORT", "65536"),
        ("OVERSIGHT_IDLE_MINUTES", "-1"),
        ("OVERSIGHT_ORIGIN", "https://office.example/"),
        ("OVERSIGHT_ORIGIN", "office.example"),
        ("OVERSIGHT_ORIGIN", "https://office.example/path"),
        ("OVERSIGHT_PORTAL_ORIGIN", "https://Portal.example"),
        ("OVERSIGHT_PORTAL_URL", "ftp://portal.example"),
        ("OVERSIGHT_PORTAL_URL", "https://portal.example/"),
        ("OVERSIGHT_PORTAL_URL", "https://portal.example:port"),
        ("OVERSIGHT_DATA", ""),
        ("OVERSIGHT_IDLE_MINUTE", "5"),
    ],
)
def test_a_setting_that_cannot_be_read_is_named(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=name):
        Settings.from_environment({"OVERSIGHT_DATA": "x", name: value})


def test_every_setting_says_what_it_is_for() -> None:
    assert all(len(field.metadata["help"]) > 14 for field in dataclasses.fields(Settings))

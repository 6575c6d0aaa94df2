# SPDX-License-Identifier: AGPL-3.0-or-later
"""Settings from the environment, by a program that has a few."""

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from portal.kit.settings import Bytes, Count, Port, SettingsError, help_text, read_settings


@dataclass(frozen=True)
class Aviary:
    keeper: str = field(metadata=help_text("Who feeds the birds."))
    folder: Path = field(default=Path("birds"), metadata=help_text("Where they are listed."))
    port: Port = field(default=80, metadata=help_text("Where they sing."))
    birds: Count = field(default=3, metadata=help_text("How many there are."))
    seed: Bytes = field(default=0, metadata=help_text("How much there is to eat."))


def read(**given: str) -> Aviary:
    return read_settings(
        Aviary, "AVIARY_", {"PATH": "/bin", **{f"AVIARY_{name}": text for name, text in given.items()}}
    )


def test_what_is_not_given_has_its_default_and_an_empty_one_was_not_given() -> None:
    assert read(KEEPER="Ada") == read(KEEPER="Ada", FOLDER="", PORT="") == Aviary("Ada")


def test_each_value_becomes_what_its_field_is() -> None:
    given = read(KEEPER="007", FOLDER="/x/y", PORT="65535", BIRDS="1", SEED="9223372036854775807")
    assert given == Aviary("007", Path("/x/y"), 65_535, 1, 2**63 - 1)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "AVIARY_KEEPER is missing"),
        ({"KEEPER": ""}, "AVIARY_KEEPER is missing"),
        ({"KEEPER": "Ada", "CAT": "quokka"}, "AVIARY_CAT is not a setting"),
        ({"KEEPER": "Ada", "PORT": "quokka"}, "AVIARY_PORT must be a whole number from 1 to 65535"),
        ({"KEEPER": "Ada", "PORT": "0"}, "AVIARY_PORT must be a whole number from 1 to 65535"),
        ({"KEEPER": "Ada", "PORT": "65536"}, "AVIARY_PORT must be a whole number from 1 to 65535"),
        ({"KEEPER": "Ada", "BIRDS": "1.5"}, "AVIARY_BIRDS must be a whole number from 1 to 99999"),
        ({"KEEPER": "Ada", "BIRDS": "100000"}, "AVIARY_BIRDS must be a whole number from 1 to 99999"),
        ({"KEEPER": "Ada", "SEED": "-1"}, "AVIARY_SEED must be a whole number from 0 to 9223372036854775807"),
        ({"KEEPER": "Ada", "SEED": "9" * 400}, "AVIARY_SEED must be a whole number from 0 to 9223372036854775807"),
    ],
)
def test_an_error_names_the_variable_and_what_is_expected_and_not_the_value(
    given: dict[str, str], message: str
) -> None:
    with pytest.raises(SettingsError) as refused:
        read(**given)
    assert str(refused.value) == message
    assert refused.value.__suppress_context__ or refused.value.__context__ is None

# SPDX-License-Identifier: AGPL-3.0-or-later
"""Both languages read the same: a few hundred altered inputs. ``python -m tests.fuzz.differential`` tries more."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from random import Random
from typing import Any

import pytest

from crypto.encoding import decode_json, encode_json
from crypto.errors import MalformedError
from tests.chance import fresh_bytes
from tests.fuzz import differential
from tests.fuzz.comparison import Comparison, Script, running_script
from tests.fuzz.formats import Format, load_formats

FORMATS = {each.name: each for each in load_formats()}
INPUTS = {"signature": 2000, "charter": 50}
INPUTS_OTHERWISE = 100


@pytest.fixture(scope="module")
def script() -> Iterator[Script]:
    with running_script() as running:
        yield running


def refuse(data: bytes) -> None:
    raise MalformedError("refused")


def fail(data: bytes) -> None:
    raise KeyError("a fault of the reader")


@pytest.fixture
def format_(request: pytest.FixtureRequest) -> Format:
    return FORMATS[request.param]


@pytest.mark.parametrize("format_", FORMATS, indirect=True)
def test_both_languages_accept_and_refuse_the_same(format_: Format, script: Script) -> None:
    comparison = Comparison(script)
    comparison.try_as_it_is(format_)
    seed = fresh_bytes(8).hex()
    generator = Random(seed)
    for _ in range(INPUTS.get(format_.name, INPUTS_OTHERWISE)):
        comparison.try_altered(format_, generator)
    assert [str(each) for each in comparison.differences] == [], f"seed {seed}"
    assert len([name for name, _ in comparison.outcomes]) > 1, "nothing but one outcome"


def change(value: Any, path: str, to: Any) -> None:
    """Set the member at this path of a JSON value; ``None`` takes it away."""
    *above, name = path.split("/")
    for each in above:
        value = value[each]
    if to is None:
        del value[name]
    else:
        value[name] = to


# One is out of bounds, the other is missing: of different classes, whichever comes first.
TWO_FAULTS = [
    ({"number": -7, "replies/message": None}, "LimitError"),
    ({"number": -7, "newest": None}, "LimitError"),
    ({"replies/last": -7, "renewal": None}, "LimitError"),
    ({"replies/message": None, "held/count": -7}, "MalformedError"),
]


@pytest.mark.parametrize(("changes", "error"), TWO_FAULTS, ids=str)
def test_of_two_faults_both_languages_name_the_first_in_the_order_of_reading(
    changes: dict[str, Any], error: str, script: Script
) -> None:
    format_ = FORMATS["thread-note"]
    value = decode_json(format_.inputs[0], 1 << 20)
    for path, to in changes.items():
        change(value, path, to)
    comparison = Comparison(script)
    assert comparison.compare(format_, encode_json(value)) == {"refused": error}
    assert comparison.differences == []


@pytest.mark.parametrize("read", [refuse, fail, lambda data: "something else"], ids=["refusing", "failing", "other"])
def test_a_reader_that_says_something_else_is_found_out(read: Callable[[bytes], object], script: Script) -> None:
    comparison = Comparison(script)
    comparison.try_as_it_is(replace(FORMATS["verifier-key"], read=read))
    assert len({each.data for each in comparison.differences}) == len(set(FORMATS["verifier-key"].inputs))


def test_one_seed_alters_inputs_the_same_way_again() -> None:
    for format_ in FORMATS.values():
        for alter in format_.alter:
            once, again = ([alter(Random(seed), format_.inputs[0]) for seed in range(20)] for _ in range(2))
            assert once == again
            assert set(once) != {format_.inputs[0]}


def test_a_run_that_tries_nothing_fails(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    for options, code in ((["--only", "unheard-of"], 1), (["--only", "verifier-key"], 0)):
        monkeypatch.setattr("sys.argv", ["differential", "--seconds", "0", *options])
        assert differential.main() == code
    assert f"verifier-key: {len(FORMATS['verifier-key'].inputs)} tried" in capsys.readouterr().out

# SPDX-License-Identifier: AGPL-3.0-or-later
"""``python -m crypto receipt``: a code is made, and slips are named by their group without any network."""

import io
import sys

import pytest

from crypto.__main__ import main
from crypto.receipt_code import add_checks, format_code, groups, parse_code

CODE = format_code(add_checks("31415926535897932384626433"))


def type_in(monkeypatch, data: bytes) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data), "utf-8"))


def test_a_new_code_is_printed_in_seven_groups(capsys):
    assert main(["receipt", "new"]) == 0
    printed = capsys.readouterr().out
    assert [len(group) for group in printed.removesuffix("\n").split(" ")] == [5] * 7
    parse_code(printed)


@pytest.mark.parametrize("arguments", [[], ["-"]], ids=["nothing", "dash"])
def test_a_code_typed_in_arabic_digits_on_standard_input_is_well_formed(capsys, monkeypatch, arguments):
    arabic = "".join(chr(ord("٠") + int(digit)) if digit.isdigit() else digit for digit in CODE)
    type_in(monkeypatch, f"{arabic}\n".encode())
    assert main(["receipt", "check", *arguments]) == 0
    assert capsys.readouterr().out == "receipt code: well-formed\n"


def test_a_code_may_be_given_as_an_argument(capsys):
    assert main(["receipt", "check", CODE]) == 0
    assert "well-formed" in capsys.readouterr().out


def test_swapped_groups_are_named_and_no_digit_is_printed(capsys):
    first, second, *rest = groups(parse_code(CODE))
    assert main(["receipt", "check", " ".join([second, first, *rest])]) == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err == "amparo: receipt code: groups 1, 2 do not match their check digits\n"


def test_a_slip_that_only_the_whole_shows_sends_the_reporter_back_to_the_paper(capsys):
    """Two digits of the fourth group are swapped across a third, and its check digit is the same."""
    assert CODE[18:23] == "97934"
    assert main(["receipt", "check", CODE[:18] + "97439" + CODE[23:]]) == 1
    printed = capsys.readouterr()
    said = "one of the groups is not as it was written: compare all of them with your paper"
    assert (printed.out, printed.err) == ("", f"amparo: receipt code: {said}\n")


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "not 35 digits"),
        (CODE.encode()[:-1], "not 35 digits"),
        (b"\xff" + CODE.encode()[1:], "group 1 holds something that is not a digit"),
        (b"1" * 100_000, "not 35 digits"),
    ],
    ids=["nothing", "a digit short", "not UTF-8", "endless"],
)
def test_what_is_no_code_fails_with_one_line(capsys, monkeypatch, data, said):
    type_in(monkeypatch, data)
    assert main(["receipt", "check"]) == 1
    printed = capsys.readouterr()
    assert (printed.out, printed.err) == ("", f"amparo: receipt code: {said}\n")

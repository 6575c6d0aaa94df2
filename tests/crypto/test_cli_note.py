# SPDX-License-Identifier: AGPL-3.0-or-later
"""``python -m crypto verify-note``: the text is printed if a named key signed it, and nothing of it otherwise."""

import io
import sys

import pytest

from crypto.__main__ import main
from crypto.note import NOTE_BYTES_MAX, SigningKey, sign

CHAIR = SigningKey.from_seed("acme/chair", b"chair".ljust(32, b"."))
LEGAL = SigningKey.from_seed("acme/legal", b"legal".ljust(32, b"."))
TEXT = "محضر\nfinding\n"


@pytest.fixture
def note(tmp_path):
    file = tmp_path / "note"
    file.write_bytes(sign(TEXT, [CHAIR, LEGAL]).encode())
    return file


def assert_fails(capsys, *arguments: object) -> str:
    """Run the command, which must fail with status 1 and one line, and return that line."""
    assert main(["verify-note", *map(str, arguments)]) == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("amparo: ")
    assert printed.err.count("\n") == 1
    return printed.err


def test_the_text_and_the_known_signers_are_printed(capsys, note):
    assert main(["verify-note", "-k", str(CHAIR.verifier), str(note)]) == 0
    assert tuple(capsys.readouterr()) == (TEXT, "signed by acme/chair\n")


def test_several_keys_may_be_known(capsys, note):
    assert main(["verify-note", "-k", str(LEGAL.verifier), "-k", str(CHAIR.verifier), str(note)]) == 0
    assert tuple(capsys.readouterr()) == (TEXT, "signed by acme/chair\nsigned by acme/legal\n")


def test_a_note_is_read_from_standard_input(capsys, monkeypatch, note):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(note.read_bytes())))
    assert main(["verify-note", "-k", str(CHAIR.verifier), "-"]) == 0
    assert capsys.readouterr().out == TEXT


def test_an_altered_text_is_not_printed(capsys, note):
    note.write_bytes(note.read_bytes().replace(b"finding", b"binding"))
    assert "does not match" in assert_fails(capsys, "-k", CHAIR.verifier, note)


def test_a_note_by_others_is_not_printed(capsys, note):
    stranger = SigningKey.generate("acme/chair").verifier
    assert "not signed by a known key" in assert_fails(capsys, "-k", stranger, note)


def test_what_is_no_verifier_key_is_refused(capsys, note):
    assert "verifier key" in assert_fails(capsys, "-k", "acme/chair", note)


def test_a_file_that_is_no_note_is_refused(capsys, note):
    note.write_bytes(TEXT.encode())
    assert "no signatures" in assert_fails(capsys, "-k", CHAIR.verifier, note)


def test_a_file_that_is_too_large_is_refused(capsys, note):
    note.write_bytes(b"a" * (NOTE_BYTES_MAX + 1))
    assert "more than" in assert_fails(capsys, "-k", CHAIR.verifier, note)


def test_a_file_that_is_not_there_is_named(capsys, tmp_path):
    assert "absent" in assert_fails(capsys, "-k", CHAIR.verifier, tmp_path / "absent")

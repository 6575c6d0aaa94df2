# SPDX-License-Identifier: AGPL-3.0-or-later
"""The command ``verify``, as a reader of a register meets it."""

import io
import json
from dataclasses import replace

import pytest

from crypto.__main__ import main
from crypto.charter import make_charter
from crypto.encoding import encode_json
from crypto.note import Note, sign
from crypto.published_finding import write_published_finding
from tests.findings import (
    CHAIR,
    PUBLISHER,
    draft_finding,
    publish_finding,
    sign_finding,
    successor_charter,
    withdrawal_of,
)
from tests.people import found_test_commission, write_charter

WORLD = found_test_commission()


def file_of(note=None, charters=None):
    notes = charters or [WORLD.charter.note]
    return write_published_finding(note or sign_finding(WORLD, draft_finding(WORLD)), notes)


@pytest.fixture
def verify(tmp_path, capfd):
    def run(data, *options):
        path = tmp_path / "finding.json"
        path.write_bytes(data)
        status = main(["verify", str(path), *options])
        out, err = capfd.readouterr()
        return status, out, err

    return run


def test_a_downloaded_finding_is_verified_and_says_whose_it_is(verify):
    status, out, err = verify(file_of())
    assert (status, err) == (0, "")
    assert out.startswith("verified\n")
    for expected in ("XFI:ZZ:DEMO-COMMISSION:2026:F.0001", "Held for nineteen days", "Chiara Lombardi, chair"):
        assert expected in out
    assert WORLD.charter.hash in out.replace(" ", "")
    assert "--charter" in out


def test_with_the_right_charter_there_is_nothing_left_to_compare(verify):
    grouped = f"{WORLD.charter.hash[:8]} {WORLD.charter.hash[8:].upper()}"
    status, out, _ = verify(file_of(), "--charter", grouped)
    assert status == 0
    assert "--charter" not in out


def test_another_first_charter_is_refused(verify):
    status, out, err = verify(file_of(), "--charter", "ab" * 32)
    assert (status, out) == (1, "")
    assert "first charter is not the expected one" in err


def test_what_is_no_hash_is_refused(verify):
    assert verify(file_of(), "--charter", "abc")[0] == 1


def test_a_finding_under_a_later_charter_brings_the_chain(verify):
    charter = successor_charter(WORLD, grace_days=8)
    note = sign_finding(WORLD, draft_finding(WORLD, charter=charter.hash))
    status, out, _ = verify(file_of(note, [WORLD.charter.note, charter.note]), "--charter", WORLD.charter.hash)
    assert status == 0
    assert charter.hash in out.replace(" ", "")


def test_it_reads_standard_input(monkeypatch, capfd):
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(file_of())))
    assert main(["verify", "-"]) == 0
    assert "verified" in capfd.readouterr().out


def mixed_signature():
    good = Note.parse(sign_finding(WORLD, draft_finding(WORLD)))
    other = Note.parse(sign_finding(WORLD, draft_finding(WORLD, 2)))
    return Note(good.text, (good.signatures[0], other.signatures[1])).encode()


def outsider():
    other = found_test_commission(slug="other-commission")
    text = Note.parse(sign_finding(WORLD, draft_finding(WORLD), [CHAIR]))
    stranger = Note.parse(sign_finding(other, draft_finding(other), [PUBLISHER])).signatures
    return Note(text.text, (*text.signatures, *stranger)).encode()


def charter_gap():
    second = successor_charter(WORLD, grace_days=8)
    return file_of(sign_finding(WORLD, draft_finding(WORLD, charter=second.hash)), [second.note])


def charter_altered():
    return file_of(charters=[WORLD.charter.note.replace(b"Chiara Lombardi", b"Chiara Lombardo")])


def member_added():
    value = json.loads(file_of())
    return encode_json({**value, "comment": "hello"})


ALTERED = {
    "a word of the text": (
        lambda: file_of(sign_finding(WORLD, draft_finding(WORLD)).replace(b"No court", b"A court")),
        "no signature matches",
    ),
    "one signature": (lambda: file_of(mixed_signature()), "signature of demo-commission/elif does not match"),
    "a signer from elsewhere": (lambda: file_of(outsider()), "not in the charter"),
    "one signature gone": (lambda: file_of(sign_finding(WORLD, draft_finding(WORLD), [CHAIR])), "fewer than 2"),
    "a signer without the role": (
        lambda: file_of(sign_finding(WORLD, draft_finding(WORLD), [CHAIR, "amina"])),
        "neither chair nor publisher",
    ),
    "the author is the chair": (
        lambda: file_of(sign_finding(WORLD, draft_finding(WORLD, author=CHAIR))),
        "chair who signed is the author",
    ),
    "the charter": (charter_altered, "signature does not match"),
    "the first charter is left out": (charter_gap, "from the first to the finding"),
    "the charter of another finding": (
        lambda: file_of(charters=[WORLD.charter.note, successor_charter(WORLD, grace_days=9).note]),
        "another charter than this one",
    ),
    "cut short": (lambda: file_of()[:-40], "not JSON"),
    "white space": (lambda: file_of() + b"\n", "not canonical"),
    "a member more": (member_added, "not specified"),
    "another kind of file": (lambda: b"a letter", "JSON"),
}


@pytest.mark.parametrize(("alter", "says"), ALTERED.values(), ids=ALTERED.keys())
def test_an_altered_file_is_refused_and_says_what_is_wrong(verify, alter, says):
    status, out, err = verify(alter())
    assert (status, out) == (1, "")
    assert says in err
    assert err.startswith("amparo: ")
    assert err.count("\n") == 1


def test_a_tombstone_is_verified_too(verify):
    note = sign_finding(WORLD, withdrawal_of(publish_finding(WORLD)))
    status, out, _ = verify(file_of(note))
    assert status == 0
    assert "withdrawal" in out


def test_a_name_cannot_speak_to_the_terminal(verify):
    draft = replace(WORLD.charter, name={"en": "Demo\n\u200bsigned by all", "ar": "ع"})
    charter = sign(make_charter(draft), [person.signing_key for person in WORLD.governors])
    note = sign_finding(WORLD, draft_finding(WORLD, charter=charter.hash))
    status, out, _ = verify(file_of(note, [charter.encode()]))
    assert status == 0
    assert "Demo\ufffd\ufffdsigned by all" in out
    text = write_charter(replace(draft, name={"en": "Demo\x1b[2J", "ar": "ع"}))
    forged = sign(text, [person.signing_key for person in WORLD.governors])
    status, out, err = verify(file_of(note, [forged.encode()]))
    assert (status, out) == (1, "")
    assert "\x1b" not in err

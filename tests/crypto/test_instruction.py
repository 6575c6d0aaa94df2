# SPDX-License-Identifier: AGPL-3.0-or-later
"""What a reporter permits, forbids or withdraws: signed by the control key, and by nobody else."""

from dataclasses import replace

import pytest

from crypto.errors import AuthenticationError, MalformedError, UnsupportedVersionError
from crypto.instruction import CODES_MAX, Instruction, read_instruction, read_text
from crypto.note import Note
from tests.vectors.commission import load_commission

ACME = load_commission()
MAILBOX = ACME.mailbox
SAID = Instruction(ACME.charter.realm, "0d" * 32, 3, "permit", ("CO-CASE", "CO-PUB-ANON"))


def read(data):
    return read_instruction(data, MAILBOX.mailbox_id, MAILBOX.control)


@pytest.mark.parametrize(
    "said", [SAID, replace(SAID, act="forbid"), replace(SAID, act="withdraw", codes=())], ids=lambda said: said.act
)
def test_what_the_control_key_signed_is_read(said):
    assert read(said.sign(MAILBOX.control_key).encode()) == said


def test_whoever_opened_the_report_can_not_make_one():
    for key in ACME.keys.values():
        with pytest.raises(AuthenticationError):
            read(SAID.sign(key).encode())


def test_the_right_key_under_another_name_does_not_count():
    named = replace(MAILBOX.control_key, name="acme/chair")
    with pytest.raises(AuthenticationError):
        read(SAID.sign(named).encode())


def test_an_altered_one_is_refused():
    signed = SAID.sign(MAILBOX.control_key)
    altered = Note(signed.text.replace("CO-PUB-ANON", "CO-PUB-NAMED"), signed.signatures)
    with pytest.raises(AuthenticationError):
        read(altered.encode())


@pytest.mark.parametrize(
    "changes",
    [
        {"act": "allow"},
        {"act": "withdraw"},
        {"codes": ()},
        {"codes": ("CO-PUB-ANON", "CO-CASE")},
        {"codes": ("CO-CASE", "CO-CASE")},
        {"codes": ("co-case",)},
        {"codes": ("CO CASE",)},
        {"codes": tuple(sorted(f"CO-{number:03}" for number in range(CODES_MAX + 1)))},
        {"follow_up": 0},
        {"manifest": "0d"},
        {"realm": "zz" * 16},
    ],
    ids=str,
)
def test_what_can_not_be_instructed_is_refused(changes):
    with pytest.raises(MalformedError):
        replace(SAID, **changes).sign(MAILBOX.control_key)


@pytest.mark.parametrize(
    "cut", [lambda text: text[:-1], lambda text: text + "\n", lambda text: text.replace("3\n", "03\n")]
)
def test_another_spelling_is_refused(cut):
    with pytest.raises(MalformedError):
        read_text(cut(SAID.text()))


def test_another_version_is_told_as_such():
    with pytest.raises(UnsupportedVersionError):
        read_text(SAID.text().replace("instruction v1", "instruction v2"))

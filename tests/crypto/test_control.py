# SPDX-License-Identifier: AGPL-3.0-or-later
"""A mailbox obeys the control key of its code alone: not the portal, not the office, not who opened the report."""

from dataclasses import replace

import pytest

from crypto.control import NO_MESSAGE, Control, control_verifier, read_control, read_text
from crypto.errors import AuthenticationError, MalformedError
from crypto.note import SigningKey, sign
from crypto.receipt_code import add_checks, derive
from tests.vectors import expected_error, join_parts, load_vectors
from tests.vectors.commission import load_commission

ACME = load_commission()
MAILBOX = ACME.mailbox
CHANGE = Control(ACME.charter.realm, MAILBOX.mailbox_id, "0a" * 32, "0b" * 32, "0c" * 16)


class TestVectors:
    @pytest.mark.parametrize("vector", load_vectors("control", "sign"))
    def test_signing(self, vector):
        assert Control(**vector["input"]).sign(MAILBOX.control_key).encode() == join_parts(vector["value"])

    @pytest.mark.parametrize("vector", load_vectors("control", "read"))
    def test_reading(self, vector):
        data, control = join_parts(vector["input"]["note"]), vector["input"]["control"]
        if "error" in vector:
            with pytest.raises(expected_error(vector)):
                read_control(data, control)
            return
        assert vars(read_control(data, control)) == vector["value"]


@pytest.mark.parametrize(
    "change",
    [
        CHANGE,
        replace(CHANGE, follow_up=NO_MESSAGE),
        replace(CHANGE, delete=1_000_000),
        replace(CHANGE, follow_up=NO_MESSAGE, delete=3, close=True),
    ],
)
def test_a_change_is_read_back_as_it_was_signed(change):
    assert read_control(change.sign(MAILBOX.control_key).encode(), MAILBOX.control) == change


def test_a_portal_cannot_close_a_mailbox_or_delete_its_replies():
    """It may know S, V, the token and every state: none of them signs."""
    forged = replace(CHANGE, delete=1, close=True)
    strangers = [ACME.keys["portal.example"], ACME.keys["acme/office"]]
    in_its_name = SigningKey.from_seed(MAILBOX.mailbox_id, b"p" * 32)
    for key in (*strangers, in_its_name):
        with pytest.raises(AuthenticationError):
            read_control(forged.sign(key).encode(), MAILBOX.control)


def test_a_change_is_signed_under_the_name_of_the_mailbox_that_it_changes():
    """V signs for its own mailbox alone: under another name the line is somebody else's."""
    for change in (replace(CHANGE, mailbox="ab" * 16), CHANGE):
        key = SigningKey.from_seed("ab" * 16 if change is CHANGE else MAILBOX.mailbox_id, MAILBOX.control_seed)
        with pytest.raises(AuthenticationError):
            read_control(change.sign(key).encode(), MAILBOX.control)


def test_another_code_does_not_command_the_mailbox():
    other = derive(add_checks("0" * 26), ACME.charter.realm)
    with pytest.raises(AuthenticationError):
        read_control(CHANGE.sign(other.control_key).encode(), MAILBOX.control)


def test_what_was_signed_for_one_state_is_not_read_for_another():
    signed = CHANGE.sign(MAILBOX.control_key).encode()
    with pytest.raises(AuthenticationError):
        read_control(signed.replace(b"0b" * 32, b"0d" * 32), MAILBOX.control)


@pytest.mark.parametrize(
    "changes",
    [
        {"realm": "x"}, {"mailbox": "AB" * 16}, {"replaces": "0a" * 31}, {"state": "x"}, {"follow_up": ""},
        {"follow_up": "0c" * 15}, {"delete": -1}, {"delete": 1_000_001}, {"state": f"{'0b' * 32}\nclose"},
    ],
)  # fmt: skip
def test_a_change_that_readers_would_refuse_is_not_signed(changes):
    with pytest.raises(MalformedError):
        replace(CHANGE, **changes).sign(MAILBOX.control_key)


def test_text_beside_the_lines_is_never_signed():
    """The key signs no free text, so that nothing that a reporter wrote can be proved to be theirs."""
    for text in (CHANGE.text() + "I saw it.\n", CHANGE.text().replace("open\n", "open it\n"), "I saw it.\n"):
        with pytest.raises(MalformedError):
            read_text(text)
        with pytest.raises(MalformedError):
            read_control(sign(text, [MAILBOX.control_key]).encode(), MAILBOX.control)


@pytest.mark.parametrize("control", ["02" + "00" * 31, "00" * 32, "01" + "00" * 31, "x", "AB" * 32])
def test_a_key_that_is_no_point_of_the_main_subgroup_commands_nothing(control):
    with pytest.raises(MalformedError):
        control_verifier(MAILBOX.mailbox_id, control)

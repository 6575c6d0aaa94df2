# SPDX-License-Identifier: AGPL-3.0-or-later
"""Every document has the members that docs/protocol.md names, no more and no fewer, in each of its objects."""

import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any, NamedTuple

import pytest

from crypto.attachment import read_attachment
from crypto.encoding import encode_json
from crypto.event import Event, read_event, sign_event
from crypto.event_types import Declared
from crypto.finding import make_finding, read_finding_text
from crypto.grant import CaseGrant, Grant, read_case_grant, read_grant
from crypto.key_renewal import KeyRenewal, open_renewal
from crypto.manifest import read_manifest
from crypto.message import FollowUp, Reply, read_follow_up, read_reply
from crypto.note import SigningKey, sign
from crypto.padding import MESSAGE_FLOOR
from crypto.published_finding import read_published_finding, write_published_finding
from crypto.report import read_report
from crypto.sealed_document import document_mac, seal_document
from crypto.state import Sent, State, ThreadState, read_state
from crypto.submission import OutgoingAttachment, open_grant, open_report, seal_submission
from crypto.thread_keys import ThreadKeys
from crypto.thread_note import ThreadNote, read_text
from tests.crypto.editing import taken, with_one_member_less, with_one_member_more
from tests.findings import draft_finding, sign_finding
from tests.people import found_test_commission
from tests.vectors.commission import load_commission

ACME = load_commission()
CHAIR = ACME.keys["acme/chair"]
THREAD = ACME.identities["R"]
KEY = ACME.mailbox.message_mac
WORLD = found_test_commission()
SUBMISSION = seal_submission(
    charter=ACME.charter,
    receipt_digits=ACME.receipt_digits,
    language="en",
    answers={"story": "They came at night."},
    attachments=[OutgoingAttachment("paper.pdf", "application/pdf", b"%PDF")],
    sealed_by="command-line",
    today=date(2026, 5, 1),
)
IDENTITY = open_grant(SUBMISSION.files["grant.age"], [ACME.identities["chair"]]).identity
REPORT = open_report(SUBMISSION.files["report.age"], IDENTITY)
DAY = date(2026, 5, 3)
KEYS = ThreadKeys(1, THREAD.recipient(), KEY)
SENT = (Sent("0c" * 16, DAY),)
STATE = State(
    ACME.charter.realm,
    ThreadState("0a" * 16, "0b" * 32, ACME.charter.hash, ("chair",), KEYS, sent_count=1, sent=SENT),
    1,
    ACME.charter.hash,
)
THREAD_NOTE = ThreadNote(ACME.charter.realm, "0a" * 16, "0b" * 32, 1, DAY, 1, ACME.charter.hash)
EVENT = Event(
    "0a" * 16, 1, "0b" * 32, "chair", ACME.charter.hash, datetime(2026, 5, 3, 10, tzinfo=UTC),
    Declared(conflict=False, granted=()),
)  # fmt: skip


class Kind(NamedTuple):
    """A document that is read, and the reader, which takes the JSON value."""

    value: Any
    read: Callable[[Any], object]


def signed(value: Any, key: SigningKey = CHAIR) -> bytes:
    return sign(encode_json(value).decode() + "\n", [key]).encode()


def with_mac(value: Any) -> bytes:
    said = {name: member for name, member in value.items() if name != "mac"}
    return encode_json({**value, "mac": document_mac(KEY, said)} if "mac" in value else value)


KINDS = {
    "manifest": Kind(json.loads(SUBMISSION.manifest_bytes), lambda value: read_manifest(encode_json(value))),
    "report": Kind(json.loads(REPORT.encode()), lambda value: read_report(encode_json(value))),
    "attachment": Kind(REPORT.attachments[0].to_value(), read_attachment),
    "grant": Kind(json.loads(Grant("0a" * 16, THREAD).encode()), lambda value: read_grant(encode_json(value))),
    "case grant": Kind(
        json.loads(CaseGrant("0a" * 16, 1, THREAD).encode()), lambda value: read_case_grant(encode_json(value))
    ),
    "state": Kind(
        json.loads(STATE.encode(KEY)),
        lambda value: read_state(with_mac(value), KEY),
    ),
    "reply": Kind(
        json.loads(Reply("0a" * 16, "0b" * 32, ACME.charter.hash, DAY, "en", KEYS, "We have read it.").text()),
        lambda value: read_reply(signed(value), [ACME.charter]),
    ),
    "follow-up": Kind(
        json.loads(FollowUp("0a" * 16, "0b" * 32, 1, DAY, "message", 0, "They moved me.").encode(KEY)),
        lambda value: read_follow_up(with_mac(value), KEY),
    ),
    "renewal": Kind(
        json.loads(KeyRenewal("0a" * 16, "0b" * 32, ACME.charter.hash, DAY, KEYS).text()),
        lambda value: open_renewal(
            seal_document(signed(value), MESSAGE_FLOOR, [THREAD.recipient()]), THREAD, [ACME.charter]
        ),
    ),
    "thread note": Kind(json.loads(THREAD_NOTE.text()), lambda value: read_text(encode_json(value).decode() + "\n")),
    "event": Kind(json.loads(EVENT.text()), lambda value: read_event(signed(value), {ACME.charter.hash: ACME.charter})),
    "finding": Kind(
        json.loads(make_finding(draft_finding(WORLD))),
        lambda value: read_finding_text(encode_json(value).decode() + "\n"),
    ),
    "published finding": Kind(
        json.loads(write_published_finding(sign_finding(WORLD, draft_finding(WORLD)), [WORLD.charter.note])),
        lambda value: read_published_finding(encode_json(value)),
    ),
}


@pytest.mark.parametrize("name", KINDS)
def test_a_document_that_is_whole_is_read(name: str) -> None:
    assert KINDS[name].read(KINDS[name].value)


@pytest.mark.parametrize("name", KINDS)
def test_a_member_that_is_not_specified_is_refused_wherever_it_stands(name: str) -> None:
    value, read = KINDS[name]
    # Whoever answers a questionnaire that a reader doesn't know has other answers.
    assert [path for path in taken(with_one_member_more(value), read) if path != ("answers",)] == []


@pytest.mark.parametrize("name", KINDS)
def test_a_member_that_is_missing_is_refused_wherever_it_is_expected(name: str) -> None:
    value, read = KINDS[name]
    assert [path for path in taken(with_one_member_less(value), read) if path[0] != "answers"] == []


def test_an_event_is_signed_over_all_that_it_says() -> None:
    read = read_event(sign_event(EVENT, CHAIR).encode(), {ACME.charter.hash: ACME.charter})
    assert {name: getattr(read, name) for name in vars(EVENT)} == vars(EVENT)

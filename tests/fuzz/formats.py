# SPDX-License-Identifier: AGPL-3.0-or-later
"""The table of what both languages read. A format more is a row here and one of its name in readers.mjs.

A reader returns what it has read as JSON, the same in both languages, or raises one of ``crypto/errors.py``.
"""

import functools
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from crypto.acknowledgement import read_acknowledgement
from crypto.charter import read_charter
from crypto.collection import read_collection
from crypto.ed25519 import check_public_key, check_signature
from crypto.encoding import decode_json, encode_json
from crypto.errors import MalformedError
from crypto.key_renewal import open_renewal
from crypto.mailbox_answer import answer_size, read_mailbox_answer
from crypto.message import read_reply
from crypto.newest_charter import read_newest_charter
from crypto.note import Note, SigningKey, VerifierKey, sign, verify
from crypto.padding import MESSAGE_FLOOR
from crypto.posting import read_posting
from crypto.receipt_code import ReceiptCodeError, parse_code
from crypto.receipt_text import read_digits
from crypto.sealed_document import seal_document
from crypto.state import read_state
from crypto.thread_keys import ThreadKeys
from crypto.thread_note import read_text as read_thread_note_text
from tests.fuzz.alterations import (
    Alter,
    alter_bytes,
    alter_json,
    alter_lines,
    alter_text,
    authenticated_again,
    signed_again,
)
from tests.fuzz.forged import KEY_BYTES, SIGNED_BYTES, forge
from tests.vectors import join_parts, load_vectors
from tests.vectors.commission import Commission, load_commission

JSON_MAX = 1 << 20
CONTENT_MAX = 20_000
LOGGED = "%Y-%m-%dT%H:%M:%SZ"


@dataclass(frozen=True)
class Format:
    """``inputs`` are valid ones; each ``alter`` of them is as likely as the others."""

    name: str
    inputs: Sequence[bytes]
    alter: Sequence[Alter]
    read: Callable[[bytes], Any]


def load_formats() -> list[Format]:
    known = _commission()
    keys = [*known.keys.values()]
    lines = signed_again(alter_lines, keys)
    members = signed_again(alter_json(), known.governors)
    content = signed_again(alter_json(), keys)
    state = authenticated_again(alter_json(), known.mailbox.state_mac)
    return [
        Format("canonical-json", _json_inputs(), [alter_bytes, alter_json()], _read_json),
        Format("verifier-key", _key_inputs(), [alter_bytes], _read_key),
        Format("signature", _signature_inputs(), [alter_bytes, forge], _read_signature),
        Format("receipt-code", _code_inputs(), [alter_bytes, alter_text, alter_text], _read_code),
        Format("note", _note_inputs(), [alter_bytes, alter_lines, lines], _read_note),
        Format("charter", _charter_inputs(), [alter_bytes, members, members, members], _read_charter),
        Format("acknowledgement", _signed("acknowledgement"), [alter_bytes, lines, lines], _read_acknowledgement),
        Format("collection", _signed("collection"), [alter_bytes, lines, lines], _read_collection),
        Format("posting", _signed("posting"), [alter_bytes, lines, lines], _read_posting),
        Format("newest-charter", _signed("newest-charter"), [alter_bytes, lines, lines], _read_newest_charter),
        Format("thread-note", _thread_note_inputs(), [alter_bytes, alter_json(), alter_json()], _read_thread_note),
        Format("renewal", _contents("renewal", "read-renewal"), [alter_bytes, content, content], _read_renewal),
        Format("reply", _contents("message", "read-reply"), [alter_bytes, content, content], _read_reply),
        Format("state", _contents("submission", "read-state"), [alter_bytes, state, state, state], _read_state),
        Format("mailbox-answer", _answer_inputs(), [alter_bytes, alter_json(), alter_json()], _read_answer),
    ]


@functools.cache
def _commission() -> Commission:
    return load_commission()


def _valid(name: str, operation: str) -> list[dict[str, Any]]:
    vectors = [parameters.values[0] for parameters in load_vectors(name, operation)]
    return [vector for vector in vectors if "error" not in vector]


def _json_inputs() -> list[bytes]:
    decoded = [join_parts(vector["input"]["bytes"]) for vector in _valid("canonical-json", "decode")]
    encoded = [vector["value"].encode() for vector in _valid("canonical-json", "encode")]
    manifests = [join_parts(vector["input"]["data"]) for vector in _valid("manifest", "read")]
    return [data for data in (*decoded, *encoded, *manifests) if len(data) < JSON_MAX // 10]


def _key_inputs() -> list[bytes]:
    written = [vector["input"]["text"] for vector in _valid("note", "parse-key")]
    return [text.encode() for text in (*written, *(str(key.verifier) for key in _commission().keys.values()))]


def _signature_inputs() -> list[bytes]:
    given = [vector["input"] for vector in _valid("ed25519", "verify")]
    return [bytes.fromhex(each["public"] + each["signature"] + each["message"]) for each in given]


def _code_inputs() -> list[bytes]:
    return [vector["input"]["text"].encode() for vector in _valid("receipt-code", "parse")]


def _note_inputs() -> list[bytes]:
    commission = _commission()
    office: SigningKey = commission.keys["acme/office"]
    texts = ("a\n", "a\n\nb\n", "a\n\n— acme/office AQIDBAU=\n", "\n", "é\u2028\ufeff\n")
    return [sign(text, [office, *commission.governors[:count]]).encode() for count, text in enumerate(texts)]


def _charter_inputs() -> list[bytes]:
    """With the questions and, so that the rest is altered as often, without."""
    commission = _commission()
    found = [charter.note for charter in commission.charters.values()]
    for note in tuple(found):
        value = json.loads(Note.parse(note).text)
        value["questionnaire"]["panels"] = []
        found.append(sign(encode_json(value).decode() + "\n", commission.governors).encode())
    return found


def _signed(name: str) -> list[bytes]:
    return [join_parts(vector["input"]["note"]) for vector in _valid(name, "read")]


def _contents(name: str, operation: str) -> list[bytes]:
    """What is inside the padding; long ones left out, so that much is tried."""
    contents = [join_parts(vector["input"]["content"]) for vector in _valid(name, operation)]
    return [content for content in contents if len(content) < CONTENT_MAX]


def _thread_note_inputs() -> list[bytes]:
    """The JSON in each of them, without the newline: whoever signs is looked at with notes."""
    return [Note.parse(content).text[:-1].encode() for content in _contents("thread-note", "read-thread-note")]


def _answer_inputs() -> list[bytes]:
    """The JSON of an answer; reading begins with the padding."""
    empty = {"version": "amparo/v1/mailbox", "state": "c3RhdGU=", "messages": [], "more": False}
    nothing = {"acknowledgement": None, "collection": None, "thread": None}
    message = {"posting": _signed("posting")[0].decode(), "sealed": "c2VhbGVk"}
    notes = {name: _signed(name)[0].decode() for name in ("acknowledgement", "collection")}
    full = {**notes, "thread": "dGhyZWFk", "messages": [message, message], "more": True}
    return [encode_json({**empty, **nothing}), encode_json({**empty, **full})]


def _read_json(data: bytes) -> Any:
    return encode_json(decode_json(data, JSON_MAX)).hex()


def _text(data: bytes) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        raise MalformedError("not UTF-8") from None


def _read_key(data: bytes) -> Any:
    key = VerifierKey.parse(_text(data))
    return [key.name, key.key_id, key.public.hex()]


def _read_signature(data: bytes) -> Any:
    check_public_key(data[:KEY_BYTES])
    check_signature(data[:KEY_BYTES], data[SIGNED_BYTES:], data[KEY_BYTES:SIGNED_BYTES])
    return True


def _read_code(data: bytes) -> Any:
    text = _text(data)
    try:
        return [read_digits(text), parse_code(text)]
    except ReceiptCodeError as error:
        return [read_digits(text), error.reason, list(error.groups)]


def _read_note(data: bytes) -> Any:
    note, charter = Note.parse(data), _commission().charter
    signers = verify(note, [*charter.governors.keys, *charter.office, charter.portal])
    return [note.text, note.hash, [key.name for key in signers]]


def _read_charter(data: bytes) -> Any:
    charter = read_charter(data)
    members = [[member.label, member.name, list(member.roles), str(member.recipient)] for member in charter.members]
    return [charter.hash, charter.slug, charter.number, charter.previous, charter.origin, charter.slots, members]


def _read_acknowledgement(data: bytes) -> Any:
    read = read_acknowledgement(data, [_commission().charter.portal])
    logged = read.logged_before and read.logged_before.strftime(LOGGED)
    return [read.realm, read.submission, read.manifest_hash, read.commitment, read.received.isoformat(), logged]


def _read_collection(data: bytes) -> Any:
    read = read_collection(data, _commission().charter.office)
    return [read.realm, read.submission, read.manifest_hash, read.collected.isoformat()]


def _read_posting(data: bytes) -> Any:
    read = read_posting(data, _commission().charter.office)
    newest = [read.charter_number, read.charter]
    return [read.realm, read.manifest, read.number, read.message, *newest, read.posted.isoformat()]


def _read_newest_charter(data: bytes) -> Any:
    read = read_newest_charter(data, _commission().charter.office)
    return [read.realm, read.slug, read.number, read.charter, read.day.isoformat()]


def _read_thread_note(data: bytes) -> Any:
    read = read_thread_note_text(_text(data) + "\n")
    newest = [read.charter_number, read.charter]
    replies = [read.oldest_reply, read.last_reply, read.last_message]
    held = [read.held_count, list(read.held)]
    thread = [read.realm, read.submission, read.manifest, read.number, read.day.isoformat()]
    return [*thread, *newest, *replies, *held, read.renewal.hex()]


def _read_renewal(data: bytes) -> Any:
    commission = _commission()
    sealed = seal_document(data, MESSAGE_FLOOR, [commission.mailbox.recipient])
    read = open_renewal(sealed, commission.mailbox.identity, [*commission.charters.values()])
    signed = [read.charter, read.day.isoformat(), read.signer.label]
    return [read.submission, read.manifest, *signed, *_values(read.keys)]


def _read_reply(data: bytes) -> Any:
    read = read_reply(data, [*_commission().charters.values()])
    signed = [read.charter, read.day.isoformat(), read.signer.label]
    return [read.submission, read.manifest, *signed, read.language, read.body, *_values(read.keys)]


def _read_state(data: bytes) -> Any:
    key = _commission().mailbox.state_mac
    return read_state(data, key).encode(key).hex()


def _read_answer(data: bytes) -> Any:
    padded = (len(data).to_bytes(4, "big") + data).ljust(answer_size(len(data)), b"\0")
    read = read_mailbox_answer(padded)
    thread = None if read.thread is None else read.thread.hex()
    messages = [[message.posting, message.sealed.hex()] for message in read.messages]
    return [read.state.hex(), read.acknowledgement, read.collection, thread, messages, read.more]


def _values(keys: ThreadKeys) -> list[Any]:
    return [keys.generation, str(keys.recipient), keys.message_mac.hex()]

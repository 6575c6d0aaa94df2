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
from crypto.note import Note, SigningKey, VerifierKey, sign, verify
from tests.fuzz.alterations import Alter, alter_bytes, alter_json, alter_lines, signed_again
from tests.fuzz.forged import KEY_BYTES, SIGNED_BYTES, forge
from tests.vectors import join_parts, load_vectors
from tests.vectors.commission import Commission, load_commission

JSON_MAX = 1 << 20
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
    # Scripts leave the questions alone: pages are rendered from what Python has read (§4.3).
    members = signed_again(alter_json(frozenset({"panels"})), known.governors)
    return [
        Format("canonical-json", _json_inputs(), [alter_bytes, alter_json()], _read_json),
        Format("verifier-key", _key_inputs(), [alter_bytes], _read_key),
        Format("signature", _signature_inputs(), [alter_bytes, forge], _read_signature),
        Format("note", _note_inputs(), [alter_bytes, alter_lines, lines], _read_note),
        Format("charter", _charter_inputs(), [alter_bytes, members, members, members], _read_charter),
        Format("acknowledgement", _signed("acknowledgement"), [alter_bytes, lines, lines], _read_acknowledgement),
        Format("collection", _signed("collection"), [alter_bytes, lines, lines], _read_collection),
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


def _note_inputs() -> list[bytes]:
    commission = _commission()
    office: SigningKey = commission.keys["acme/office"]
    texts = ("a\n", "a\n\nb\n", "a\n\n— acme/office AQIDBAU=\n", "\n", "é\u2028\ufeff\n")
    return [sign(text, [office, *commission.governors[:count]]).encode() for count, text in enumerate(texts)]


def _charter_inputs() -> list[bytes]:
    commission = _commission()
    found = []
    for charter in commission.charters.values():
        value = json.loads(Note.parse(charter.note).text)
        value["questionnaire"]["panels"] = []
        found.append(sign(encode_json(value).decode() + "\n", commission.governors).encode())
    return found


def _signed(name: str) -> list[bytes]:
    return [join_parts(vector["input"]["note"]) for vector in _valid(name, "read")]


def _read_json(data: bytes) -> Any:
    return encode_json(decode_json(data, JSON_MAX)).hex()


def _read_key(data: bytes) -> Any:
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        raise MalformedError("not UTF-8") from None
    key = VerifierKey.parse(text)
    return [key.name, key.key_id, key.public.hex()]


def _read_signature(data: bytes) -> Any:
    check_public_key(data[:KEY_BYTES])
    check_signature(data[:KEY_BYTES], data[SIGNED_BYTES:], data[KEY_BYTES:SIGNED_BYTES])
    return True


def _read_note(data: bytes) -> Any:
    note, charter = Note.parse(data), _commission().charter
    signers = verify(note, [*charter.governors.keys, *charter.office, charter.portal])
    return [note.text, note.hash, [key.name for key in signers]]


def _read_charter(data: bytes) -> Any:
    charter = read_charter(data)
    members = [[member.label, member.name, list(member.roles), str(member.recipient)] for member in charter.members]
    return [charter.hash, charter.slug, charter.number, charter.previous, charter.origin, charter.slots, members]


def _read_acknowledgement(data: bytes) -> Any:
    read = read_acknowledgement(data, _commission().charter.portal)
    logged = read.logged_before and read.logged_before.strftime(LOGGED)
    return [read.origin, read.submission, read.manifest_hash, read.commitment, read.received.isoformat(), logged]


def _read_collection(data: bytes) -> Any:
    read = read_collection(data, _commission().charter.office)
    return [read.origin, read.submission, read.manifest_hash, read.collected.isoformat()]

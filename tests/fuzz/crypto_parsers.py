# SPDX-License-Identifier: AGPL-3.0-or-later
"""Every parser of ``crypto``, with valid inputs from the vectors. A parser more is a row here."""

import json
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from io import BytesIO
from typing import Any

from crypto import age, armor, bech32
from crypto.age_header import MAX_HEADER_SIZE, read_header
from crypto.answers import answers_value, read_answers
from crypto.attachment import open_attachment, read_attachment
from crypto.bundle import BundleReader, FileData
from crypto.charter import read_draft
from crypto.control import read_control
from crypto.encoding import decode_base64, decode_json, encode_base64, encode_json
from crypto.errors import CryptoError
from crypto.event import open_part, parse_time, read_event
from crypto.evidence import check_evidence, split_notes
from crypto.finding import make_finding, read_finding, read_finding_text
from crypto.follow_up_receipt import read_follow_up_receipt
from crypto.grant import GRANT_SEALED_MAX, read_case_grant, read_grant, read_thread_grant
from crypto.ids import SubmissionId
from crypto.instruction import Instruction, read_instruction
from crypto.keyring import Keyring
from crypto.mailbox_visit import read_portal_info
from crypto.manifest import read_manifest
from crypto.message import read_follow_up
from crypto.note import Note
from crypto.padding import REPORT_FLOOR, pad_document, unpad_document
from crypto.person_name import check_person_name
from crypto.public_text import check_public_texts
from crypto.publication import Publication, read_publication
from crypto.published_finding import read_published_finding, write_published_finding
from crypto.questionnaire import read_questionnaire
from crypto.quorum import check_share, recombine_reserve
from crypto.receipt_code import parse_code
from crypto.report import read_report
from crypto.sealed_document import open_strictly
from crypto.urgency import read_urgency
from crypto.work import parse_work, read_asked_work
from tests.crypto.test_person_name import HONEST as NAMES
from tests.crypto.test_public_text import HONEST as TEXTS
from tests.findings import draft_finding, sign_finding
from tests.fuzz.alterations import alter_bytes, alter_json, alter_lines, authenticated_again, signed_again, swell
from tests.fuzz.formats import JSON_MAX, load_formats
from tests.fuzz.parser import Parser, as_text
from tests.people import found_test_commission
from tests.vectors import join_parts, load_vectors
from tests.vectors.commission import Commission, load_commission

INPUT_MAX = 20_000
SEPARATOR = b"\n========\n"
SHARES = "|"
LINES = (alter_bytes, alter_lines, swell)
JSON = (alter_bytes, alter_json(), alter_json(), alter_json(), swell)


def load_parsers() -> list[Parser]:
    """Those that both languages have (``formats.py``), and the rest."""
    shared = [Parser(each.name, each.inputs, (*each.alter, swell), each.read) for each in load_formats()]
    return [*shared, *_age(), *_notes(), *_documents(), *_secrets(), *_texts()]


@cache
def acme() -> Commission:
    return load_commission()


def _valid(name: str, operation: str) -> list[dict[str, Any]]:
    vectors = [parameters.values[0] for parameters in load_vectors(name, operation)]
    return [vector["input"] for vector in vectors if "error" not in vector]


def inputs(name: str, operation: str, field: str) -> list[bytes]:
    """The inputs of one operation's vectors that are valid and not long."""
    given = [each[field] for each in _valid(name, operation)]
    found = [item.encode() if isinstance(item, str) else join_parts(item) for item in given]
    return [data for data in found if len(data) < INPUT_MAX] or [min(found, key=len)]


def _age() -> list[Parser]:
    identity = acme().identities["R"]
    sealed = [*inputs("submission", "open-attachment", "sealed"), *inputs("message", "open-follow-up", "sealed")]
    headers = [each[:MAX_HEADER_SIZE] for each in sealed]
    keys = [str(identity).encode(), str(identity.recipient()).encode()]
    files = [b"# a comment\n\n" + key + b"\n" for key in keys]
    armored = [_armor(each) for each in sealed]
    return [
        Parser("age-header", headers, LINES, lambda data: read_header(BytesIO(data))),
        Parser("age-prefix", headers, LINES, age.check_sealed_prefix),
        Parser("age-file", sealed, LINES, lambda data: age.open_sealed(data, [identity])),
        Parser("age-armor", armored, LINES, lambda data: armor.read_armor(BytesIO(data)).read()),
        Parser("age-identity", keys[:1], (alter_bytes, swell), as_text(age.parse_identity), _text_of(str)),
        Parser("age-recipient", keys[1:], (alter_bytes, swell), as_text(age.parse_recipient), _text_of(str)),
        Parser("age-identity-file", files[:1], LINES, as_text(age.parse_identity_file)),
        Parser("age-recipient-file", files[1:], LINES, as_text(age.parse_recipient_file)),
        Parser("bech32", keys[1:], (alter_bytes,), as_text(lambda text: bech32.decode("age1pq", text))),
    ]


def _notes() -> list[Parser]:
    known, mailbox, keys = acme(), acme().mailbox, [*acme().keys.values(), acme().mailbox.control_key]
    lines = (*LINES, signed_again(alter_lines, keys), signed_again(alter_lines, keys), signed_again(swell, keys))
    content = (*LINES, signed_again(alter_json(), keys), signed_again(alter_json(), keys), signed_again(swell, keys))
    said = Instruction(known.charter.realm, "0d" * 32, 3, "permit", ("CO-CASE", "CO-PUB-ANON"))
    controls, instructions = inputs("control", "read", "note"), [said.sign(mailbox.control_key).encode()]
    receipts, events = inputs("follow-up-receipt", "read", "note"), inputs("event", "read", "note")
    evidence = [SEPARATOR.join([known.charter.note, *inputs("acknowledgement", "read", "note")])]
    drafts = [Note.parse(charter.note).text.encode() for charter in known.charters.values()]
    return [
        Parser("control", controls, lines, lambda data: read_control(data, mailbox.control)),
        Parser("instruction", instructions, lines, _read_instruction),
        Parser("follow-up-receipt", receipts, lines, lambda data: read_follow_up_receipt(data, known.charter.office)),
        Parser("publication", inputs("publication", "read", "note"), lines, _read_publication),
        Parser("event", events, content, _read_event),
        Parser("charter-draft", drafts, JSON, as_text(read_draft)),
        Parser("evidence", evidence, LINES, as_text(lambda text: check_evidence(split_notes(text)))),
        *_findings(),
    ]


def _findings() -> list[Parser]:
    world, chain = found_test_commission(), [found_test_commission().charter.note]
    keys = [person.signing_key for person in world.people]
    drafts = [_finding_text(draft_finding(world))]
    notes = [sign_finding(world, draft_finding(world))]
    content = (*LINES, signed_again(alter_json(), keys), signed_again(alter_json(), keys))
    published = [write_published_finding(note, chain) for note in notes]
    return [
        Parser("finding", notes, content, lambda data: read_finding(data, world.charter)),
        Parser(
            "finding-draft",
            drafts,
            JSON,
            as_text(read_finding_text),
            _finding_text,
        ),
        Parser("published-finding", published, JSON, read_published_finding),
    ]


def _documents() -> list[Parser]:
    follow_ups = inputs("message", "read-follow-up", "content")
    message_mac = bytes.fromhex(_valid("message", "read-follow-up")[0]["message_mac"])
    followed = authenticated_again(alter_json(), message_mac)
    reports = inputs("submission", "read-report", "content")
    attachments = [
        encode_json(json.loads(data)["attachments"][0]) for data in reports if json.loads(data)["attachments"]
    ]
    answers = [encode_json(json.loads(data)["answers"]) for data in reports]
    first = _valid("submission", "open-attachment")[0]
    sealed, entry = [join_parts(first["sealed"])], read_attachment(first["entry"])
    panels = [encode_json(json.loads(Note.parse(acme().charter.note).text)["questionnaire"])]
    languages = acme().charter.languages
    info = {"origin": "https://portal.example", "realm": "0" * 32, "charters": [acme().charter.hash]}
    works = [encode_base64(bytes(range(96))).encode("ascii")]
    asked = [b'{"work": null}', b'{"work": {"challenge": "' + b"0a" * 16 + b'", "bits": 12}}']
    padded = [pad_document(data, REPORT_FLOOR) for data in (b"", b"a", b"b" * REPORT_FLOOR)]
    return [
        Parser("work", works, (alter_bytes, swell), as_text(parse_work), lambda read: read.encode().encode()),
        Parser("asked-work", asked, (alter_bytes, swell), read_asked_work),
        Parser("manifest", inputs("manifest", "read", "data"), JSON, read_manifest, lambda read: read.encode()),
        Parser("bundle", inputs("bundle", "read", "archive"), LINES, _read_bundle),
        Parser("report", reports, JSON, read_report, lambda read: read.encode()),
        Parser("answers", answers, JSON, _json_reader(read_answers), lambda read: encode_json(answers_value(read))),
        Parser("attachment", sealed, LINES, lambda data: open_attachment(data, entry, acme().identities["R"])),
        Parser("attachment-entry", attachments, JSON, _json_reader(read_attachment)),
        Parser("questionnaire", panels, JSON, _json_reader(lambda value: read_questionnaire(value, languages))),
        Parser("follow-up", follow_ups, (*JSON, followed, followed), lambda data: read_follow_up(data, message_mac)),
        Parser("grant", [_grant()], JSON, read_grant, lambda read: read.encode()),
        Parser("case-grant", inputs("event", "read-case-grant", "grant"), JSON, read_case_grant, _encode),
        Parser("thread-grant", inputs("event", "read-thread-grant", "grant"), JSON, read_thread_grant, _encode),
        Parser("urgency", inputs("submission", "read-urgency", "content"), JSON, _read_urgency),
        Parser("portal-info", [json.dumps(info).encode()], JSON, read_portal_info),
        Parser("padding", padded, LINES, lambda data: unpad_document(data, REPORT_FLOOR, 1 << 20)),
    ]


def _secrets() -> list[Parser]:
    shares = [SHARES.join(each["shares"]).encode() for each in _valid("quorum", "recombine")]
    codes = inputs("receipt-code", "parse", "text")
    rings = [Keyring.generate(lambda size: bytes(range(size))).to_bytes()]
    return [
        Parser("keyring", rings, LINES, Keyring.from_bytes, lambda read: read.to_bytes()),
        Parser("share", [each.split(SHARES.encode())[0] for each in shares], LINES, as_text(check_share)),
        Parser("shares", shares, LINES, as_text(lambda text: recombine_reserve(text.split(SHARES)))),
        Parser("receipt-code", codes, LINES, as_text(parse_code)),
    ]


def _texts() -> list[Parser]:
    names, texts = [name.encode() for name in NAMES], [encode_json({"text": text}) + b"\n" for text in TEXTS]
    return [
        Parser("person-name", names, LINES, as_text(check_person_name)),
        Parser("public-text", texts, LINES, as_text(check_public_texts)),
        Parser("time", [b"2026-07-28T12:00:00Z"], LINES, as_text(parse_time)),
        Parser("base64", [encode_base64(bytes(range(99))).encode()], LINES, as_text(decode_base64), _base64),
    ]


def _finding_text(read: Any) -> bytes:
    return make_finding(read).encode().removesuffix(b"\n")


def _text_of(write: Callable[[Any], str]) -> Callable[[Any], bytes]:
    return lambda value: write(value).encode()


def _encode(read: Any) -> bytes:
    return read.encode()  # type: ignore[no-any-return]


def _base64(read: bytes) -> bytes:
    return encode_base64(read).encode()


def _json_reader(read: Callable[[Any], Any]) -> Callable[[bytes], Any]:
    return lambda data: read(decode_json(data, JSON_MAX))


def _armor(sealed: bytes) -> bytes:
    text = encode_base64(sealed).encode()
    lines = [text[at : at + 64] for at in range(0, len(text), 64)]
    return b"\n".join([b"-----BEGIN AGE ENCRYPTED FILE-----", *lines, b"-----END AGE ENCRYPTED FILE-----", b""])


def _grant() -> bytes:
    """What a sealed grant of the vectors holds."""
    sealed = _valid("submission", "open-grant")[0]
    return open_strictly(join_parts(sealed["sealed"]), [acme().identities[sealed["identity"]]], GRANT_SEALED_MAX)


def _read_urgency(data: bytes) -> object:
    return read_urgency(data, SubmissionId("00112233445566778899aabbccddeeff"))


def _read_instruction(data: bytes) -> Instruction:
    mailbox = acme().mailbox
    return read_instruction(data, mailbox.mailbox_id, mailbox.control)


def _read_publication(data: bytes) -> Publication:
    return read_publication(data, [acme().keys["portal.example"].verifier])


def _read_event(data: bytes) -> object:
    """The event, and its sealed part with whatever key opens it."""
    known = acme()
    event = read_event(data, {charter.hash: charter for charter in known.charters.values()})
    for identity in known.identities.values():
        with suppress(CryptoError):
            return event, open_part(event, identity)
    return event


def _read_bundle(data: bytes) -> object:
    """The events of a bundle, the same in whatever chunks it comes."""
    at_once, in_pieces = (_feed(data, size) for size in (len(data) or 1, 100))
    if at_once != in_pieces:
        raise AssertionError("what a bundle is depends on the chunks that it comes in")
    if isinstance(at_once, type):
        raise at_once
    return at_once


def _feed(data: bytes, size: int) -> object:
    reader, events = BundleReader(), []
    try:
        for at in range(0, len(data), size):
            events += reader.feed(data[at : at + size])
        reader.finish()
    except CryptoError as error:
        return type(error)
    return [event for event in events if not isinstance(event, FileData)]

# SPDX-License-Identifier: AGPL-3.0-or-later
"""What the two programs read besides the formats of ``crypto``: each other's answers, headers, files, settings."""

import json
from collections.abc import Callable
from datetime import date
from io import BytesIO
from typing import Any

from starlette.requests import Request

from crypto.encoding import encode_base64, encode_json
from crypto.errors import CryptoError
from oversight.founding.plan import read_plan
from oversight.ledger.export import read_export
from oversight.ledger.verify import LedgerError
from oversight.settings import Settings as OfficeSettings
from oversight.wire import portal_responses
from portal.api.content_digest import content_digest
from portal.api.refusals import Refusal
from portal.kit.settings import SettingsError, read_settings
from portal.settings import Settings as PortalSettings
from tests.fuzz.alterations import alter_bytes, alter_json, alter_lines, swell
from tests.fuzz.crypto_parsers import JSON, LINES, acme, inputs
from tests.fuzz.parser import Parser

SUBMISSION = "0d" * 16


def load_program_parsers() -> list[Parser]:
    return [*_of_the_portal(), *_of_the_office()]


def _of_the_portal() -> list[Parser]:
    digests = [b"sha-256=:" + encode_base64(b"d" * 32).encode() + b":, sha-512=:YQ==:", b"a;b=?1, c=(1.0 2);d"]
    settings = [b"ORIGIN=https://portal.example\nPORT=8000\nWORKERS=1\nBLOBS=s3://bucket/b\nFREE_BYTES_MIN=0"]
    return [
        Parser("content-digest", digests[:1], (alter_bytes, swell), _content_digest, refusals=(Refusal,)),
        Parser("portal-settings", settings, LINES, _settings(PortalSettings), refusals=(SettingsError,)),
    ]


def _of_the_office() -> list[Parser]:
    entry = {"sequence": 1, "submission": SUBMISSION}
    answers: dict[str, tuple[Callable[[Any], object], dict[str, Any]]] = {
        "info": (
            portal_responses.read_info,
            {"origin": "https://portal.example", "realm": SUBMISSION, "verifier": str(acme().charter.portal)},
        ),
        "submissions": (
            portal_responses.read_submissions,
            {"submissions": [{**entry, "manifest": "YQ==", "acknowledgement": "a"}], "more": True},
        ),
        "follow-ups": (
            portal_responses.read_follow_ups,
            {"follow_ups": [{**entry, "sealed": "YQ==", "day": str(date(2026, 7, 28))}], "more": False},
        ),
        "controls": (portal_responses.read_controls, {"controls": [{**entry, "control": "a"}], "more": False}),
        "posting": (portal_responses.read_posting_answer, {"posting": "a"}),
        "thread": (portal_responses.read_thread_standing, {"number": 1, "last": 1, "postings": ["a", None]}),
        "refused": (portal_responses.read_refused_threads, {"refused": [SUBMISSION]}),
        "next-finding": (portal_responses.read_next_finding, {"next": "XFI:ZZ:DEMO:2026:F.0001"}),
    }
    ledger = (alter_bytes, alter_lines, _alter_header, swell)
    settings = [b"DATA=/x\nPORTAL_URL=https://portal.example\nORIGIN=https://office.example\nCOLLECT_SECONDS=60"]
    return [
        *(
            Parser(f"answer-{name}", [json.dumps(value).encode()], JSON, _answer(read))
            for name, (read, value) in answers.items()
        ),
        Parser("plan", [json.dumps(PLAN).encode()], JSON, _answer(read_plan)),
        Parser("ledger", [_ledger()], ledger, _export, refusals=(LedgerError,)),
        Parser("office-settings", settings, LINES, _settings(OfficeSettings), refusals=(SettingsError,)),
    ]


def _ledger() -> bytes:
    header = {"version": "amparo/v1/ledger", "case": SUBMISSION, "charters": [acme().charter.note.decode()]}
    notes = [encode_json(note.decode()) for note in inputs("event", "read", "note")]
    return b"".join(line + b"\n" for line in (encode_json(header), *notes))


def _alter_header(chance: Any, data: bytes) -> bytes:
    header, _, rest = data.partition(b"\n")
    return alter_json()(chance, header) + b"\n" + rest


def _export(data: bytes) -> object:
    header, notes = read_export(BytesIO(data))
    return header, [*notes]


def _answer(read: Callable[[Any], object]) -> Callable[[bytes], object]:
    """A reader of what json.loads gives, as the office has it of an answer."""

    def read_bytes(data: bytes) -> object:
        try:
            value = json.loads(data)
        except (ValueError, RecursionError):
            raise CryptoError from None
        return read(value)

    return read_bytes


def _content_digest(data: bytes) -> str:
    headers = [(b"content-digest", line) for line in data.split(b"\n")]
    return content_digest(Request({"type": "http", "headers": headers}))


def _settings(kind: type[Any]) -> Callable[[bytes], object]:
    prefix = "PORTAL_" if kind is PortalSettings else "OVERSIGHT_"

    def read(data: bytes) -> object:
        lines = data.decode("utf-8", "surrogateescape").split("\n")
        environment = {f"{prefix}{name}": value for name, _, value in (line.partition("=") for line in lines)}
        return read_settings(kind, prefix, environment)

    return read


PLAN = {
    "slug": "demo",
    "name": {"en": "Commission", "ar": "لجنة"},
    "mandate": {"en": "To look into it.", "ar": "تنظر"},
    "jurisdictions": ["ZZ"],
    "days_valid": 365,
    "slots": 8,
    "grace_days": 7,
    "limits": {"attachments": 3, "attachment_bytes": 1_000_000},
    "members": [
        {"label": "chair", "name": "Amina Example", "roles": ["chair"]},
        {"label": "second", "name": "Bruno Example", "username": "bruno", "roles": ["registrar"], "locale": "ar"},
    ],
    "governors": {"members": ["chair", "second"], "threshold": 2},
    "reserve": {"threshold": 2, "shares": 2},
}

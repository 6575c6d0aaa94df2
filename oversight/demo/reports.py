# SPDX-License-Identifier: AGPL-3.0-or-later
"""The invented reports of the demonstration, read from ``reports.json``, and small files to enclose."""

import json
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crypto.answers import Answers, PartialDate
from crypto.submission import OutgoingAttachment
from crypto.taxonomy import (
    CONSENT_CASE,
    CONSENT_PUBLISH_ANONYMOUSLY,
    CONSENT_STATISTICS,
    QUESTION_AUTHORITY,
    QUESTION_CONSENTS,
    QUESTION_PLACE,
    QUESTION_WHAT,
)

_REPORTS = Path(__file__).with_name("reports.json")
IMAGE_SIDE = 96


@dataclass(frozen=True)
class DemoReport:
    """One invented report, what the commission answers to it, and what the reporter writes then.

    ``case`` is the state to which a case with it is taken, ``finding`` the text of ``findings.json`` that comes of it,
    ``days_ago`` how far its day of receipt is set back.
    """

    language: str
    urgency: tuple[str, ...]
    answers: Answers
    attachments: tuple[OutgoingAttachment, ...]
    reply: str | None
    reply_language: str | None
    follow_up: str | None
    case: str | None
    finding: int | None
    days_ago: int | None


def load_reports() -> tuple[str, tuple[DemoReport, ...]]:
    """The notice that nothing here is real, and the reports."""
    data = json.loads(_REPORTS.read_text(encoding="utf-8"))
    return data["notice"], tuple(_read(item) for item in data["reports"])


def _read(item: dict[str, Any]) -> DemoReport:
    year, month, day, about = item["when"]
    publication = () if item.get("finding") is None else (CONSENT_PUBLISH_ANONYMOUSLY,)
    answers: dict[str, Any] = {
        "situation": item["situation"],
        "urgency": tuple(item["urgency"]),
        QUESTION_WHAT: tuple(item["what"]),
        "story": item["story"],
        "when": PartialDate(year, month, day, about),
        "country": item["country"],
        QUESTION_PLACE: item["place"],
        QUESTION_AUTHORITY: item["authority"],
        QUESTION_CONSENTS: (CONSENT_CASE, *publication, CONSENT_STATISTICS),
    }
    files = tuple(_attachment(file["name"], file["kind"], item["story"]) for file in item["files"])
    answered = {key: value for key, value in answers.items() if value}
    return DemoReport(
        item["language"],
        tuple(item["urgency"]),
        answered,
        files,
        item["reply"],
        item["reply_language"],
        item["follow_up"],
        item.get("case"),
        item.get("finding"),
        item.get("days_ago"),
    )


def _attachment(name: str, kind: str, story: str) -> OutgoingAttachment:
    if kind == "image":
        return OutgoingAttachment(name, "image/png", _image(zlib.crc32(name.encode())), stripped=True)
    return OutgoingAttachment(name, "text/plain", f"{name}\n\n{story}\n".encode())


def _image(seed: int) -> bytes:
    """A small PNG of two soft colours, so that a file is really a picture."""
    tint = 96 + seed % 96
    rows = b"".join(
        b"\0" + b"".join(bytes((tint, 128 + y // 2, 255 - x)) for x in range(IMAGE_SIDE)) for y in range(IMAGE_SIDE)
    )
    header = struct.pack(">IIBBBBB", IMAGE_SIDE, IMAGE_SIDE, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(map(_chunk, chunks))


def _chunk(part: tuple[bytes, bytes]) -> bytes:
    kind, data = part
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

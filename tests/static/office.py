# SPDX-License-Identifier: AGPL-3.0-or-later
"""The commission's side for the script tests: opens files that a browser sealed, and seals files that it opens.

Each line of standard input is a JSON object with ``action`` and ``request``; a line of standard output answers it.
Bytes are base64. The commission is the one of tests/vectors/commission.json.
"""

import base64
import json
import sys
from collections.abc import Mapping
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from crypto.acknowledgement import Acknowledgement
from crypto.age import PqIdentity, open_sealed
from crypto.bundle import BundleReader, CommitmentEvent, FileData, FileStart, ManifestEvent
from crypto.charter import Charter, read_charter
from crypto.errors import NotARecipientError
from crypto.manifest import Manifest, manifest_hash
from crypto.message import open_follow_up
from crypto.note import SigningKey
from crypto.receipt_code import MailboxSecrets, derive
from crypto.submission import (
    check_report,
    open_attachment,
    open_grant,
    open_report,
    open_state,
)
from crypto.urgency import open_urgency

COMMISSION = json.loads((Path(__file__).parents[1] / "vectors" / "commission.json").read_text("utf-8"))


def identity(name: str) -> PqIdentity:
    return PqIdentity.from_seed(bytes.fromhex(COMMISSION["identities"][name]))


def signing_key(name: str) -> SigningKey:
    return SigningKey.from_seed(name, bytes.fromhex(COMMISSION["signing_keys"][name]))


@cache
def charter(name: str) -> Charter:
    return read_charter(COMMISSION["charters"][name].encode("utf-8"))


@cache
def mailbox_secrets(digits: str) -> MailboxSecrets:
    return derive(digits, charter("first").realm)


def encoded(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def read_bundle(data: bytes) -> tuple[Manifest, bytes, str, dict[str, bytes]]:
    reader = BundleReader()
    events = reader.feed(data)
    reader.finish()
    files: dict[str, bytes] = {}
    for event in events:
        match event:
            case ManifestEvent():
                manifest, manifest_bytes = event.manifest, event.data
            case CommitmentEvent():
                commitment = event.commitment
            case FileStart():
                name = event.name
                files[name] = b""
            case FileData():
                files[name] += event.data
    return manifest, manifest_bytes, commitment, files


def acknowledge(request: Mapping[str, Any]) -> dict[str, Any]:
    """Read a bundle as the portal does and sign its acknowledgement."""
    manifest, manifest_bytes, commitment, _ = read_bundle(base64.b64decode(request["bundle"]))
    acknowledgement = Acknowledgement(
        realm=charter("first").realm,
        submission=manifest.submission,
        manifest_hash=manifest_hash(manifest_bytes),
        commitment=commitment,
        received=date(2026, 5, 1),
    )
    note = acknowledgement.sign(signing_key("portal.example")).encode().decode("utf-8")
    return {"submission": manifest.submission, "acknowledgement": note}


def open_submission(request: Mapping[str, Any]) -> dict[str, Any]:
    """Open a submission as a member: ``attachments`` holds the files uploaded before the bundle."""
    manifest, _, commitment, files = read_bundle(base64.b64decode(request["bundle"]))
    files |= {name: base64.b64decode(data) for name, data in request["attachments"].items()}
    grant = open_grant(files["grant.age"], [identity(request["member"])])
    report = open_report(files["report.age"], grant.identity)
    check_report(report, manifest, commitment)
    state = open_state(files["state.age"], mailbox_secrets(request["digits"]))
    opened = [open_attachment(files[entry.file], entry, grant.identity) for entry in report.attachments]
    return {
        "submission": grant.subject,
        "stanzas": files["grant.age"].count(b"\n-> mlkem768x25519 "),
        "charter": report.charter,
        "language": report.language,
        "answers": json.loads(report.encode())["answers"],
        "sealed_by": report.sealed_by,
        "questionnaire": list(report.questionnaire),
        "excluded": list(report.excluded),
        "thread": {**state.thread.to_value(), "keys": state.thread.keys.generation},
        "newest": [state.charter_number, state.newest_charter],
        "is_whole": state.thread.manifest == manifest_hash(manifest.encode())
        and state.thread.keys.recipient == grant.identity.recipient()
        and state.thread.keys.message_mac == report.message_mac,
        "names": [[entry.name, entry.media_type, entry.stripped] for entry in report.attachments],
        "attachments": [encoded(data) for data in opened],
        "urgency": open_urgency(files["urgency.age"], identity("office"), grant.subject),
        "urgency_readers": [name for name in COMMISSION["identities"] if _opens(files["urgency.age"], name)],
        "urgency_size": len(files["urgency.age"]),
        "readers": [name for name in COMMISSION["identities"] if _opens(files["grant.age"], name)],
    }


def _opens(sealed: bytes, name: str) -> bool:
    try:
        open_sealed(sealed, [identity(name)])
    except NotARecipientError:
        return False
    return True


def open_message(request: Mapping[str, Any]) -> dict[str, Any]:
    """Open a follow-up with the thread's identity and message key."""
    thread = PqIdentity.from_string(request["thread"])
    mac = bytes.fromhex(request["message_mac"])
    follow_up = open_follow_up(base64.b64decode(request["sealed"]), thread, mac)
    return {**vars(follow_up), "day": follow_up.day.isoformat()}


if __name__ == "__main__":
    actions = {
        "acknowledge": acknowledge,
        "open-submission": open_submission,
        "open-message": open_message,
    }
    for line in sys.stdin:
        asked = json.loads(line)
        print(json.dumps(actions[asked["action"]](asked["request"])), flush=True)

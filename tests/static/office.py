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
from crypto.age import PqIdentity, PqRecipient
from crypto.bundle import BundleReader, CommitmentEvent, FileData, FileStart, ManifestEvent
from crypto.charter import Charter, read_charter
from crypto.collection import Collection
from crypto.errors import NotARecipientError
from crypto.manifest import Manifest, manifest_hash
from crypto.message import Reply, open_follow_up, seal_reply
from crypto.note import SigningKey
from crypto.receipt_code import MailboxSecrets, derive
from crypto.submission import (
    SealedSubmission,
    check_report,
    open_attachment,
    open_grant,
    open_report,
    open_state,
    seal_submission,
)

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
    return derive(digits, charter("first").origin)


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
        origin=charter("first").origin,
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
        "recipient": str(grant.identity.recipient()),
        "state": [str(state.recipient), state.charter, state.submission],
        "mailbox": str(report.mailbox),
        "names": [[entry.name, entry.media_type, entry.stripped] for entry in report.attachments],
        "attachments": [encoded(data) for data in opened],
        "readers": [name for name in COMMISSION["identities"] if _opens(files["grant.age"], name)],
    }


def _opens(grant: bytes, name: str) -> bool:
    try:
        open_grant(grant, [identity(name)])
    except NotARecipientError:
        return False
    return True


@cache
def sealed_submission(number: int) -> SealedSubmission:
    """The submissions of the commission's reporter, distinguished by their number."""
    return seal_submission(
        charter=charter("first"),
        receipt_digits=COMMISSION["receipt_digits"],
        language="en",
        answers={"story": f"What happened, part {number}."},
        sealed_by="command-line",
        today=date(2026, 5, 1),
    )


def make_mailbox(request: Mapping[str, Any]) -> dict[str, Any]:
    """A thread as Python made it: its state, replies signed by ``signers`` in turn, and a collection note."""
    first = charter("first")
    digits = COMMISSION["receipt_digits"]
    secrets = mailbox_secrets(digits)
    sealed = sealed_submission(request.get("number", 1))
    submission = sealed.manifest.submission
    grant = open_grant(sealed.files["grant.age"], [identity("chair")])
    recipients = [secrets.identity.recipient(), grant.identity.recipient()]
    replies = [_reply(submission, recipients, **reply) for reply in request["replies"]]
    collection = Collection(first.origin, submission, sealed.manifest_hash, date(2026, 5, 2))
    return {
        "digits": digits,
        "mailbox": secrets.mailbox_id,
        "token": secrets.token.hex(),
        "submission": submission,
        "state": encoded(sealed.files["state.age"]),
        "replies": [encoded(reply) for reply in replies],
        "collection": collection.sign(signing_key("acme/office")).encode().decode("utf-8"),
        "thread": str(grant.identity),
    }


def _reply(due: str, recipients: list[PqRecipient], **given: str) -> bytes:
    reply = Reply(
        submission=given.get("submission", due),
        charter=charter(given.get("charter", "first")).hash,
        day=date.fromisoformat(given.get("day", "2026-05-03")),
        language="en",
        body=given["body"],
    )
    return seal_reply(reply, signing_key(given.get("signer", "acme/chair")), recipients)


def open_message(request: Mapping[str, Any]) -> dict[str, Any]:
    """Open a follow-up with the thread's identity."""
    secrets = mailbox_secrets(COMMISSION["receipt_digits"])
    thread = PqIdentity.from_string(request["thread"])
    follow_up = open_follow_up(base64.b64decode(request["sealed"]), thread, secrets.message_mac)
    return {
        "submission": follow_up.submission,
        "day": follow_up.day.isoformat(),
        "kind": follow_up.kind,
        "body": follow_up.body,
    }


if __name__ == "__main__":
    actions = {
        "acknowledge": acknowledge,
        "open-submission": open_submission,
        "make-mailbox": make_mailbox,
        "open-message": open_message,
    }
    for line in sys.stdin:
        asked = json.loads(line)
        print(json.dumps(actions[asked["action"]](asked["request"])), flush=True)

# SPDX-License-Identifier: AGPL-3.0-or-later
"""Bytes of every format, and what a return visit asks: ``python -m benchmarks.formats``.

Method. A report without attachments is sealed to the commission of the tests, and what its thread needs is made once:
lengths don't depend on chance. Beside them stand the lengths of the same texts at commit 06b5593, before the formats
named a manifest, keys and a state of one size. Then the portal runs as its own process; the report is sent, fetched and
answered there. Somebody visits with the code and with one that opens nothing, before and after the answer, and
everything that goes over the line is counted. It fails when a known and an unknown code are not asked the same, in
the same sizes, when a visit did not find what it must, or when it left no state behind.
"""

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path

import httpx

from crypto.bundle import MEDIA_TYPE
from crypto.control import Control
from crypto.encoding import encode_base64, encode_json
from crypto.follow_up_receipt import FollowUpReceipt
from crypto.mailbox_answer import PostedReply
from crypto.mailbox_visit import Visit, send_follow_up, visit
from crypto.manifest import STATE_FILE
from crypto.message import FollowUp, message_id, seal_follow_up
from crypto.portal_requests import PortalConnection
from crypto.receipt_code import new_code
from tests.crypto.mailbox_portal import encode_answer
from tests.portal.office_api.request_signer import RequestSigner
from tests.servers import Program, portal_program, post_test_charter
from tests.threads import DIGITS, VISITED, Thread, start_thread
from tests.waiting import SECONDS_MAX

# At commit 06b5593, by the same texts; what is not here did not exist.
BEFORE = {
    "manifest": 624,
    "report": 18_043,
    "grant": 12_739,
    "state": 5_755,
    "bundle": 37_729,
    "bundle beside its sealed files": 1_192,
    "acknowledgement": 349,
    "collection note": 280,
    "reply": 7_312,
    "follow-up": 5_755,
    "mailbox answer, nothing in it": 65_536,
    "mailbox answer, one reply": 65_536,
}
MESSAGE = "They came again."

Sent = tuple[str, int, int]


def measure(thread: Thread) -> dict[str, int]:
    """Bytes of each format."""
    sealed, charter, office = thread.sealed, thread.newest, thread.world.office_key
    manifest, keys = sealed.manifest_hash, thread.first_keys
    reply = thread.reply()
    noted = thread.note(replies=[reply])
    follow_up = seal_follow_up(FollowUp(thread.submission, manifest, 1, VISITED, "message", 0, MESSAGE), keys)
    control = Control(charter.realm, thread.secrets.mailbox_id, "0" * 64, "0" * 64)
    receipt = FollowUpReceipt(charter.realm, (message_id(follow_up),), VISITED)
    collection = thread.collection()
    return {
        "manifest": len(sealed.manifest_bytes),
        "report": len(sealed.files["report.age"]),
        "grant": len(sealed.files["grant.age"]),
        "state": len(sealed.files[STATE_FILE]),
        "bundle": len(sealed.bundle()),
        "bundle beside its sealed files": len(sealed.bundle()) - sum(map(len, sealed.files.values())),
        "acknowledgement": len(thread.acknowledgement().encode()),
        "collection note": len(collection.encode()),
        "newest-charter note": len(thread.newest_note().encode()),
        "reply": len(reply.sealed),
        "posting note": len(reply.posting.encode()),
        "thread note": len(noted),
        "renewal": len(thread.renewal()),
        "follow-up": len(follow_up),
        "control note": len(control.sign(thread.secrets.control_key).encode()),
        "follow-up receipt, one message": len(receipt.sign(office).encode()),
        "mailbox answer, nothing in it": len(encode_answer(thread.answer())),
        "mailbox answer, one reply": len(encode_answer(thread.answer(reply, thread=noted, collection=collection))),
    }


@dataclass
class Counting:
    """The portal as the command speaks to it; ``sent`` are path, bytes of the request's body, bytes of the answer."""

    connection: PortalConnection
    sent: list[Sent] = field(default_factory=list)

    def get(self, path: str) -> bytes:
        answer = self.connection.get(path)
        self.sent.append((_kind(path), 0, len(answer)))
        return answer

    def post(self, path: str, body: bytes, *, once: bool = False) -> bytes:
        answer = self.connection.post(path, body, once=once)
        self.sent.append((path, len(body), len(answer)))
        return answer


def _kind(path: str) -> str:
    return "/".join("{hash}" if len(part) == 64 else part for part in path.split("/"))


@contextmanager
def running_portal() -> Iterator[Program]:
    with tempfile.TemporaryDirectory() as folder:
        portal = portal_program(Path(folder))
        portal.start()
        try:
            yield portal
        finally:
            portal.stop()


def send_report(portal: Program) -> Thread:
    thread = start_thread(post_test_charter(portal))
    answer = httpx.post(
        f"{portal.origin}/api/v1/submissions",
        content=thread.sealed.bundle(),
        headers={"content-type": MEDIA_TYPE},
        timeout=SECONDS_MAX,
    )
    assert answer.status_code == 201, answer.text
    return thread


def answer_report(portal: Program, thread: Thread) -> None:
    """The office has fetched the report, and posts a reply with a thread note."""
    reply = thread.reply(day=_today(), posted=_today())
    note = thread.note(replies=[reply], day=_today())
    _office(portal, thread, "collection", thread.collection(collected=_today()).encode(), 200)
    _office(portal, thread, "replies", _reply_body(reply, note), 201)


def _reply_body(reply: PostedReply, note: bytes) -> bytes:
    thread = {"number": 1, "sealed": encode_base64(note)}
    return encode_json({"posting": reply.posting, "last": 0, "sealed": encode_base64(reply.sealed), "thread": thread})


def _office(portal: Program, thread: Thread, what: str, body: bytes, expected: int) -> None:
    uri = f"{portal.origin}/api/v1/office/submissions/{thread.submission}/{what}"
    headers = RequestSigner(thread.world.office_key, lambda: datetime.now(UTC)).headers("POST", uri, body)
    answer = httpx.post(uri, content=body, headers=headers, timeout=SECONDS_MAX)
    assert answer.status_code == expected, answer.text


def _today() -> date:
    return datetime.now(UTC).date()


def change_charter(portal: Program, thread: Thread) -> None:
    charter = thread.change_charter()
    answer = httpx.post(f"{portal.origin}/api/v1/charters", content=charter.note, timeout=SECONDS_MAX)
    assert answer.status_code == 201, answer.text


def compare_visits(portal: Program, digits: str, replies: int, sent: int) -> bool:
    """Visit, and send a message, with both codes: whether they asked the same, and found what is there."""
    unknown = new_code()
    known_visit, known = _count(portal, digits)
    unknown_visit, other = _count(portal, unknown)
    for ours, theirs in zip(known, other, strict=False):
        print(f"  {ours[0]:34} {ours[1]:9,} → {ours[2]:9,} bytes    unknown {theirs[1]:9,} → {theirs[2]:9,}")
    same = known == other
    mailbox = known_visit.found
    found = mailbox is not None and (len(mailbox.replies), mailbox.state.thread.sent_count) == (replies, sent)
    strange = unknown_visit.found is None and known_visit.saved and unknown_visit.saved
    what = "the same" if same else "NOT THE SAME"
    print(f"  {len(known)} requests, unknown {len(other)}: {what}")
    if not found or not strange:
        print("  NOT FOUND WHAT IS THERE, OR NOT SAVED")
    return same and found and strange


def _count(portal: Program, digits: str) -> tuple[Visit, list[Sent]]:
    """A visit, then a message."""
    counting = Counting(PortalConnection(portal.origin))
    seen = visit(counting, digits)
    send_follow_up(counting, seen, _today(), "message", MESSAGE)
    return seen, counting.sent


def main() -> int:
    print("bytes of each format, and at commit 06b5593")
    for name, size in measure(start_thread()).items():
        before = BEFORE.get(name)
        print(f"  {name:34} {size:9,}    {'new' if before is None else f'{before:9,}  {size - before:+,}'}")
    with running_portal() as portal:
        thread = send_report(portal)
        print("a visit and a message, before the commission answered")
        good = compare_visits(portal, DIGITS, 0, 0)
        answer_report(portal, thread)
        print("with an answer")
        good = compare_visits(portal, DIGITS, 1, 1) and good
        change_charter(portal, thread)
        print("after a new charter, whose answers may differ")
        good = compare_visits(portal, DIGITS, 1, 2) and good
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())

# SPDX-License-Identifier: AGPL-3.0-or-later
"""A thread of the tests: the reporter's devices on one side of the portal, offices on the other, by its requests."""

import hashlib
from dataclasses import dataclass, replace
from typing import Any

import httpx

from crypto.collection import Collection
from crypto.control import NO_MESSAGE, Control
from crypto.encoding import decode_base64, encode_base64, encode_json
from crypto.follow_up_receipt import FollowUpReceipt
from crypto.ids import MessageId
from crypto.mailbox_answer import MailboxAnswer, read_mailbox_answer
from crypto.mailbox_change import MailboxChange, add_follow_up, delete_replies, make_change
from crypto.message import Reply, message_id, seal_reply
from crypto.newest_charter import NewestCharter
from crypto.note import SigningKey
from crypto.posting import Posting
from crypto.receipt_code import MailboxSecrets
from crypto.state import State, open_state
from crypto.submission import SealedSubmission
from crypto.thread_note import ThreadNote, seal_thread_note
from tests.chance import fresh_bytes
from tests.people import NOW, REALM
from tests.portal.world import API, RunningPortal, fresh_secrets, in_mailbox, sealed_report

TODAY = NOW.date()


@dataclass(frozen=True)
class Asker:
    """Who asks for a mailbox by its id, with whatever token and command key: one who has no receipt code for it."""

    mailbox_id: str
    token: bytes
    control_key: SigningKey


def with_token(secrets: MailboxSecrets, token: bytes) -> Asker:
    return Asker(secrets.mailbox_id, token, secrets.control_key)


@dataclass(frozen=True)
class Thread:
    """A report that was sent, and its mailbox."""

    portal: RunningPortal
    secrets: MailboxSecrets
    sealed: SealedSubmission

    @property
    def path(self) -> str:
        """Under the office's requests."""
        return f"/submissions/{self.sealed.manifest.submission}"

    @property
    def state(self) -> State:
        """The state as it was when the report was sent."""
        return open_state(self.sealed.files["state.age"], self.secrets)

    # The reporter

    async def read(self, after: int = 0) -> MailboxAnswer:
        return read_mailbox_answer(await raw_answer(self.portal, self.secrets, after))

    async def send(self, body: str = "They came back.", **changes: Any) -> MailboxChange:
        """Read, then send a follow-up; with what was sent."""
        shown = (await self.read()).state
        change = follow_up_change(self.secrets, shown, body, **changes)
        answer = await self.portal.change(change)
        assert answer.status_code == 202, answer.text
        return change

    async def command(self, **what: Any) -> MailboxChange:
        """Delete or close."""
        shown = (await self.read()).state
        state = delete_replies(open_state(shown, self.secrets), what.get("delete", 0))
        change = make_change(self.secrets, shown, state, **what)
        answer = await self.portal.change(change)
        assert answer.status_code == 202, answer.text
        return change

    # The office

    def reply(self, body: str = "We have read it.") -> bytes:
        """A reply by a member."""
        thread = self.state.thread
        reply = Reply(thread.submission, thread.manifest, thread.charter, TODAY, "en", thread.keys, body)
        recipients = (self.secrets.recipient, thread.keys.recipient)
        return seal_reply(reply, self.portal.world["amina"].signing_key, recipients)

    def posting(self, number: int, sealed: bytes, key: SigningKey | None = None, **changes: Any) -> str:
        charter = self.portal.world.charter
        manifest = self.sealed.manifest_hash
        posting = Posting(REALM, manifest, number, message_id(sealed), charter.number, charter.hash, TODAY)
        signed = replace(posting, **changes).sign(key or self.portal.world.office_key)
        return signed.encode().decode()

    def note(self, number: int) -> bytes:
        """A sealed thread note."""
        thread, charter = self.state.thread, self.portal.world.charter
        note = ThreadNote(REALM, thread.submission, thread.manifest, number, TODAY, charter.number, charter.hash)
        return seal_thread_note(note, self.portal.world.office_key, self.secrets.recipient)

    async def post(self, number: int, sealed: bytes, thread: int = 0, **changes: Any) -> httpx.Response:
        """Post a reply with a thread note, of the same number unless another is given."""
        key, last = changes.pop("key", None), changes.pop("last", number - 1)
        posting, note = self.posting(number, sealed, **changes), self.note(thread or number)
        body = reply_body(posting, sealed, thread or number, note, last)
        return await self.portal.office("POST", f"{self.path}/replies", body, key)

    async def post_next(self, count: int = 1) -> list[bytes]:
        """Post the first replies."""
        replies = [self.reply(f"Reply {number}") for number in range(1, count + 1)]
        for number, sealed in enumerate(replies, 1):
            answer = await self.post(number, sealed)
            assert answer.status_code == 201, answer.text
        return replies


def announcement(thread: Thread, acknowledgement: str, **changes: Any) -> dict[str, Any]:
    """What an office that has collected this report says to a portal that has lost it; ``changes`` replace members."""
    manifest = thread.sealed.manifest
    collected = Collection(REALM, manifest.submission, thread.sealed.manifest_hash, TODAY)
    true = {
        "manifest": encode_base64(thread.sealed.manifest_bytes),
        "acknowledgement": acknowledgement,
        "collection": collected.sign(thread.portal.world.office_key).encode().decode(),
        "state": encode_base64(thread.sealed.files["state.age"]),
        "control": None,
        "told": 0,
        "commands": [],
    }
    return {**true, **changes}


async def start_thread(portal: RunningPortal) -> Thread:
    """A report in a mailbox of its own."""
    secrets = fresh_secrets()
    sealed = in_mailbox(sealed_report(), secrets)
    answer = await portal.submit(sealed.bundle())
    assert answer.status_code == 201, answer.text
    return Thread(portal, secrets, sealed)


def reply_body(posting: str, sealed: bytes, number: int, note: bytes, last: int) -> bytes:
    thread = {"number": number, "sealed": encode_base64(note)}
    return encode_json({"posting": posting, "last": last, "sealed": encode_base64(sealed), "thread": thread})


def follow_up_change(secrets: MailboxSecrets, shown: bytes, body: str, **changes: Any) -> MailboxChange:
    """A change with one more follow-up, on top of the state file that was shown."""
    sealed, state = add_follow_up(open_state(shown, secrets), TODAY, "message", body)
    return make_change(secrets, shown, state, follow_up=sealed, **changes)


def blind_change(
    secrets: MailboxSecrets | Asker,
    shown: bytes,
    follow_up: bytes | None = None,
    key: SigningKey | None = None,
    **more: Any,
) -> MailboxChange:
    """A change that opens nothing and seals nothing: its files are others with a few bytes altered, as only who opens
    them can tell. So any mailbox can be visited, and quickly."""
    state = altered(sealed_report().files["state.age"])
    message = NO_MESSAGE if follow_up is None else message_id(follow_up)
    control = Control(REALM, secrets.mailbox_id, sha256(shown), sha256(state), message, **more)
    signed = control.sign(key or secrets.control_key).encode().decode()
    return MailboxChange(secrets.mailbox_id, secrets.token, signed, state, follow_up)


def blind_follow_up() -> bytes:
    """A sealed file that nobody opens."""
    return altered(sealed_report().files["state.age"])


def altered(sealed: bytes) -> bytes:
    return sealed[:-16] + fresh_bytes(16)


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


async def raw_answer(portal: RunningPortal, secrets: MailboxSecrets | Asker, after: int = 0) -> bytes:
    return (await ask(portal, secrets, after)).content


async def ask(portal: RunningPortal, secrets: MailboxSecrets | Asker, after: int = 0) -> httpx.Response:
    body = {"mailbox": secrets.mailbox_id, "token": secrets.token.hex(), **({"after": after} if after else {})}
    answer = await portal.client.post(f"{API}/mailbox", json=body)
    assert answer.status_code == 200, answer.text
    return answer


async def shown_state(portal: RunningPortal, secrets: MailboxSecrets | Asker) -> bytes:
    return read_mailbox_answer(await raw_answer(portal, secrets)).state


async def post_notes(portal: RunningPortal, *notes: tuple[Thread, int, bytes]) -> list[str]:
    """Post thread notes in one request; the submissions whose note was refused."""
    threads = [
        {"submission": thread.sealed.manifest.submission, "number": number, "sealed": encode_base64(sealed)}
        for thread, number, sealed in notes
    ]
    answer = await portal.office("POST", "/threads", encode_json({"threads": threads}))
    assert answer.status_code == 200, answer.text
    refused: list[str] = answer.json()["refused"]
    return refused


async def waiting(portal: RunningPortal) -> list[MessageId]:
    """The ids of the follow-ups that an office is handed, in their order."""
    rows = (await portal.office("GET", "/follow-ups?after=0")).json()["follow_ups"]
    return [message_id(decode_base64(row["sealed"])) for row in rows]


def receipt(messages: list[MessageId], key: SigningKey, realm: str = REALM) -> bytes:
    return FollowUpReceipt(realm, tuple(sorted(messages)), TODAY).sign(key).encode()


def newest_note(portal: RunningPortal, key: SigningKey | None = None, **changes: Any) -> bytes:
    charter = portal.world.charter
    newest = NewestCharter(REALM, charter.slug, charter.number, charter.hash, TODAY)
    return replace(newest, **changes).sign(key or portal.world.office_key).encode()

# SPDX-License-Identifier: AGPL-3.0-or-later
"""A portal in memory that keeps one mailbox, as docs/protocol.md §8 and §9.3 say; tests make it lie or break off."""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from crypto.age import PqIdentity, seal
from crypto.charter import Charter
from crypto.control import read_control
from crypto.encoding import decode_base64, encode_base64, encode_json
from crypto.mailbox_answer import MailboxAnswer, answer_size
from crypto.mailbox_visit import PortalRefusedError
from crypto.message import message_id
from crypto.padding import STATE_SIZE
from tests.threads import Thread


def encode_answer(answer: MailboxAnswer) -> bytes:
    """The padded bytes of an answer."""
    content = encode_json(
        {
            "version": "amparo/v1/mailbox",
            "state": encode_base64(answer.state),
            "acknowledgement": answer.acknowledgement,
            "collection": answer.collection,
            "thread": None if answer.thread is None else encode_base64(answer.thread),
            "messages": [{"posting": each.posting, "sealed": encode_base64(each.sealed)} for each in answer.messages],
            "more": answer.more,
        }
    )
    return (len(content).to_bytes(4, "big") + content).ljust(answer_size(len(content)), b"\0")


@dataclass
class MemoryPortal:
    """Holds the mailbox of ``thread``; ``requests`` are the paths and sizes of what was asked, and of the answers."""

    thread: Thread
    shown: MailboxAnswer
    newest: str | None = None
    charters: Sequence[Charter] = ()
    follow_ups: dict[str, bytes] = field(default_factory=dict)
    closed: bool = False
    deleted: int = 0
    requests: list[tuple[str, int, int]] = field(default_factory=list)
    before_change: Callable[[], None] = lambda: None
    loses_answers: Callable[[], bool] = lambda: False
    _others: dict[str, bytes] = field(default_factory=dict)

    def get(self, path: str) -> bytes:
        answer = self._get(path)
        self.requests.append((path.split("/", maxsplit=1)[0], 0, len(answer)))
        return answer

    def post(self, path: str, body: bytes, *, once: bool = False) -> bytes:
        asked = json.loads(body)
        if path == "mailbox":
            answer = encode_answer(self.answer(asked["mailbox"], asked["token"]))
        else:
            self.before_change()
            answer = self._change(asked)
            if self.loses_answers():
                raise OSError(0, "the line broke", "the portal")
        self.requests.append((path, len(body), len(answer)))
        return answer

    def answer(self, mailbox: str, token: str) -> MailboxAnswer:
        """What is shown to who asks."""
        if self._is_ours(mailbox, token):
            return self.shown
        return MailboxAnswer(self._state_of(mailbox), None, None, None)

    def _get(self, path: str) -> bytes:
        charters = list(self.charters or self.thread.charters)
        if path == "portal":
            newest = charters[-1]
            return json.dumps({"origin": newest.origin, "realm": newest.realm, "charters": [newest.hash]}).encode()
        kind, named, *rest = path.split("/")
        known = {charter.hash: index for index, charter in enumerate(charters)}
        if kind != "charters" or named not in known:
            raise PortalRefusedError("charter-unknown")
        assert rest == ["chain"]
        notes = [charter.note.decode() for charter in charters]
        return json.dumps({"charters": notes, "newest": self.newest}).encode()

    def _change(self, asked: dict[str, str]) -> bytes:
        state, follow_up = decode_base64(asked["state"]), asked["follow_up"]
        sealed = decode_base64(follow_up) if follow_up else None
        ours = self._is_ours(asked["mailbox"], asked["token"])
        control = read_control(asked["control"].encode(), self.thread.secrets.control) if ours else None
        if ours and sealed is not None and message_id(sealed) in self.follow_ups:
            return b'{"status":"accepted"}'
        before = self.shown.state if ours else self._state_of(asked["mailbox"])
        replaces = asked["control"].split("\n")[3].split(" ")[1]
        if hashlib.sha256(before).hexdigest() != replaces:
            raise PortalRefusedError("state-conflict")
        if control is None:
            self._others[asked["mailbox"]] = state
            return b'{"status":"accepted"}'
        self.shown = MailboxAnswer(
            state, self.shown.acknowledgement, self.shown.collection, self.shown.thread, self.shown.messages
        )
        if sealed is not None:
            self.follow_ups[message_id(sealed)] = sealed
        self.closed, self.deleted = self.closed or control.close, max(self.deleted, control.delete)
        return b'{"status":"accepted"}'

    def _is_ours(self, mailbox: str, token: str) -> bool:
        secrets = self.thread.secrets
        return not self.closed and (mailbox, token) == (secrets.mailbox_id, secrets.token.hex())

    def _state_of(self, mailbox: str) -> bytes:
        nobody = PqIdentity.from_seed(bytes(32)).recipient()
        return self._others.setdefault(mailbox, seal(bytes(STATE_SIZE), [nobody]))

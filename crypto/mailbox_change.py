# SPDX-License-Identifier: AGPL-3.0-or-later
"""Changes of a mailbox: the new state, and what goes with it, signed by V. docs/protocol.md §9.3, §9.4."""

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from crypto.age import PqIdentity, seal
from crypto.control import NO_MESSAGE, Control
from crypto.encoding import encode_base64, encode_json
from crypto.instruction import Instruction
from crypto.message import FollowUp, message_id, seal_follow_up
from crypto.padding import STATE_SIZE
from crypto.receipt_code import MailboxSecrets
from crypto.state import SENT_KEPT_MAX, Sent, State, seal_state
from crypto.taxonomy import INSTRUCTION


@dataclass(frozen=True)
class MailboxChange:
    """The members of a request ``POST mailbox/changes``; ``token`` are 32 bytes."""

    mailbox: str
    token: bytes = field(repr=False)
    control: str
    state: bytes = field(repr=False)
    follow_up: bytes | None = field(default=None, repr=False)

    def encode(self) -> bytes:
        """The body of the request."""
        follow_up = None if self.follow_up is None else encode_base64(self.follow_up)
        return encode_json(
            {
                "mailbox": self.mailbox,
                "token": self.token.hex(),
                "control": self.control,
                "state": encode_base64(self.state),
                "follow_up": follow_up,
            }
        )


def make_change(  # noqa: PLR0913 - all but the first three by name
    secrets: MailboxSecrets,
    replaces: bytes,
    state: State,
    *,
    follow_up: bytes | None = None,
    delete: int = 0,
    close: bool = False,
) -> MailboxChange:
    """A change that puts ``state`` in the place of the state file ``replaces``.

    ``delete`` is the number of the last reply to be deleted, 0 for none; the state must say the same.
    """
    sealed = seal_state(state, secrets)
    message = NO_MESSAGE if follow_up is None else message_id(follow_up)
    control = Control(state.realm, secrets.mailbox_id, _sha256(replaces), _sha256(sealed), message, delete, close)
    return _sign(secrets, control, sealed, follow_up)


def change_of_nothing(
    secrets: MailboxSecrets, realm: str, replaces: bytes, follow_up: bytes | None = None
) -> MailboxChange:
    """A change by a code that opens nothing: noise of the size of a state, sealed to nobody."""
    nobody = PqIdentity.from_seed(os.urandom(32)).recipient()
    sealed = seal(bytes(STATE_SIZE), [nobody])
    message = NO_MESSAGE if follow_up is None else message_id(follow_up)
    control = Control(realm, secrets.mailbox_id, _sha256(replaces), _sha256(sealed), message)
    return _sign(secrets, control, sealed, follow_up)


def add_follow_up(state: State, day: date, kind: str, body: str) -> tuple[bytes, State]:
    """Seal the next follow-up to the newest keys of the thread; the state that lists it. LimitError when too long."""
    thread = state.thread
    number = thread.sent_count + 1
    follow_up = FollowUp(
        submission=thread.submission,
        manifest=thread.manifest,
        number=number,
        day=day,
        kind=kind,
        generation=thread.keys.generation,
        body=body,
    )
    sealed = seal_follow_up(follow_up, thread.keys)
    sent = (*thread.sent, Sent(message_id(sealed), day))[-SENT_KEPT_MAX:]
    return sealed, replace(state, thread=replace(thread, sent_count=number, sent=sent))


def add_instruction(
    state: State, secrets: MailboxSecrets, day: date, act: str, codes: Sequence[str] = ()
) -> tuple[bytes, State]:
    """Seal an instruction, signed by V, as the next follow-up; the state that lists it.

    MalformedError for an act that there is not, or codes that it can't have.
    """
    thread = state.thread
    said = Instruction(state.realm, thread.manifest, thread.sent_count + 1, act, tuple(sorted(set(codes))))
    body = said.sign(secrets.control_key).encode().decode("utf-8")
    return add_follow_up(state, day, INSTRUCTION, body)


def delete_replies(state: State, up_to: int) -> State:
    """The state after the replies up to this number were deleted."""
    return replace(state, thread=replace(state.thread, deleted=max(state.thread.deleted, up_to)))


def _sign(secrets: MailboxSecrets, control: Control, sealed: bytes, follow_up: bytes | None) -> MailboxChange:
    signed = control.sign(secrets.control_key).encode().decode("utf-8")
    return MailboxChange(secrets.mailbox_id, secrets.token, signed, sealed, follow_up)


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()

# SPDX-License-Identifier: AGPL-3.0-or-later
"""A change that a device asks for: a new state and perhaps a follow-up, under one control note (docs/protocol.md §9.3).

What is refused here is refused whether or not there is such a mailbox.
"""

import hashlib
from dataclasses import dataclass

from crypto.age import check_sealed_prefix
from crypto.control import NO_MESSAGE, Control, read_text
from crypto.errors import CryptoError, MalformedError
from crypto.manifest import STATE_FILE
from crypto.message import FOLLOW_UP_SEALED_MAX, message_id
from crypto.note import Note
from crypto.padding import STATE_SIZE
from portal.api.refusals import Refusal
from portal.api.sealed_form import check_sealed_size

HEADER_BYTES_MAX = 4096


@dataclass(frozen=True)
class Credentials:
    """The id (hex) of a mailbox and its token (32 bytes)."""

    mailbox: str
    token: bytes

    @property
    def token_sha256(self) -> str:
        return hashlib.sha256(self.token).hexdigest()


@dataclass(frozen=True)
class Change:
    """What ``control`` asks for, in its own words; its signature (in ``note``) is not verified yet."""

    credentials: Credentials
    control: Control
    note: str
    state: bytes
    follow_up: bytes | None


def make_change(credentials: Credentials, note: str, state: bytes, follow_up: bytes | None, realm: str) -> Change:
    """Check that everything fits together.

    Raises Refusal: ``malformed-request`` when the note is none, is for another realm or mailbox, or names another state
    or follow-up than these; ``too-large``; ``not-sealed``, also for a state of another length.
    """
    try:
        control = read_text(Note.parse(note.encode("utf-8")).text)
    except (CryptoError, UnicodeEncodeError):
        raise Refusal("malformed-request", "control") from None
    if (control.realm, control.mailbox) != (realm, credentials.mailbox):
        raise Refusal("malformed-request", "control")
    if follow_up is not None:
        _check_follow_up(follow_up)
    check_sealed_size(STATE_FILE, state, STATE_SIZE)
    named = (hashlib.sha256(state).hexdigest(), NO_MESSAGE if follow_up is None else message_id(follow_up))
    if (control.state, control.follow_up) != named:
        raise Refusal("malformed-request", "control")
    return Change(credentials, control, note, state, follow_up)


def _check_follow_up(sealed: bytes) -> None:
    if len(sealed) > FOLLOW_UP_SEALED_MAX + HEADER_BYTES_MAX:
        raise Refusal("too-large", "follow_up")
    try:
        if len(check_sealed_prefix(sealed).stanzas) != 1:
            raise MalformedError("a follow-up has one recipient")
    except CryptoError:
        raise Refusal("not-sealed", "follow_up") from None

# SPDX-License-Identifier: AGPL-3.0-or-later
"""Control notes: what a mailbox is told to do, signed by the control key V of its receipt code. docs/protocol.md §9.3.

V never signs free text: that stays deniable. A portal, or whoever opened the report, can forge none of these.
"""

from dataclasses import dataclass

from crypto import note
from crypto.encoding import HASH_BYTES, ID_BYTES, decode_hex
from crypto.errors import MalformedError
from crypto.ids import MessageId
from crypto.note import Note, SigningKey, VerifierKey
from crypto.statement import after, number, read_lines, split, write_lines

NAME = "control"
LINES = 6
NO_MESSAGE = MessageId("0" * 2 * ID_BYTES)
_OPEN, _CLOSE = "open", "close"


@dataclass(frozen=True)
class Control:
    """A change of a mailbox: ids and hashes in hex.

    ``replaces`` and ``state`` are the SHA-256 of the old and the new state file; ``follow_up`` is the message that goes
    with it, or NO_MESSAGE; replies up to the number ``delete`` are deleted, none for 0; ``close`` ends the mailbox.
    """

    realm: str
    mailbox: str
    replaces: str
    state: str
    follow_up: MessageId = NO_MESSAGE
    delete: int = 0
    close: bool = False

    def text(self) -> str:
        """The text of the note: seven lines."""
        return write_lines(
            NAME,
            (
                self.realm,
                self.mailbox,
                f"state {self.replaces} {self.state}",
                f"follow-up {self.follow_up}",
                f"delete {self.delete}",
                _CLOSE if self.close else _OPEN,
            ),
        )

    def sign(self, key: SigningKey) -> Note:
        """The note, signed by V under the key name of the mailbox id."""
        read_text(self.text())
        return note.sign(self.text(), [key])


def control_verifier(mailbox: str, control: str) -> VerifierKey:
    """V as a verifier key: ``mailbox`` is the mailbox id, ``control`` V, both in hex. MalformedError if it is none."""
    return VerifierKey(mailbox, decode_hex(control, HASH_BYTES))


def read_control(data: bytes, control: str) -> Control:
    """Read a control note that V (``control``, hex) signed, under the name of the mailbox that it names.

    Raises AuthenticationError unless V signed it, MalformedError, LimitError or UnsupportedVersionError for another
    form. *Not* checked: which mailbox it names, and that the state is the one replaced.
    """
    parsed = Note.parse(data)
    change = read_text(parsed.text)
    note.verify(parsed, [control_verifier(change.mailbox, control)])
    return change


def read_text(text: str) -> Control:
    """Read the text of a control note, whose signature is not looked at. Raises as ``read_control``."""
    realm, mailbox, state, follow_up, delete, ends = read_lines(text, NAME, LINES)
    decode_hex(mailbox, ID_BYTES)
    replaces, new = split(after(state, "state"), 2)
    decode_hex(replaces, HASH_BYTES)
    decode_hex(new, HASH_BYTES)
    message = after(follow_up, "follow-up")
    decode_hex(message, ID_BYTES)
    if ends not in (_OPEN, _CLOSE):
        raise MalformedError("a control note neither opens nor closes")
    up_to = number(after(delete, "delete"), 0)
    change = Control(realm, mailbox, replaces, new, MessageId(message), up_to, ends == _CLOSE)
    if change.text() != text:
        raise MalformedError("the control note is not in its only allowed form")
    return change

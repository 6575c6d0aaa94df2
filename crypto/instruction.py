# SPDX-License-Identifier: AGPL-3.0-or-later
"""Instructions: what a reporter permits, forbids or withdraws, signed by the control key V. docs/protocol.md §9.3.

It travels as the body of a follow-up. A message under the message key alone could be made by whoever opened the report;
"you may name me" must not be.
"""

import re
from dataclasses import dataclass

from crypto import note
from crypto.control import control_verifier
from crypto.encoding import HASH_BYTES, decode_hex
from crypto.errors import MalformedError
from crypto.note import Note, SigningKey
from crypto.statement import number, read_lines, write_lines

NAME = "instruction"
LINES = 4
CODES_MAX = 32
WITHDRAW, PERMIT, FORBID = "withdraw", "permit", "forbid"
ACTS = (WITHDRAW, PERMIT, FORBID)
_CODE = re.compile(r"[A-Z][A-Z0-9-]{1,31}")


@dataclass(frozen=True)
class Instruction:
    """What is instructed in the follow-up ``follow_up`` (its number) of the thread with this manifest hash.

    ``act`` is one of ACTS. ``codes`` are 1 to 32 codes of uses, each once and in rising order; none for ``withdraw``.
    """

    realm: str
    manifest: str
    follow_up: int
    act: str
    codes: tuple[str, ...] = ()

    def text(self) -> str:
        """The text of the note: five lines."""
        return write_lines(NAME, (self.realm, self.manifest, str(self.follow_up), " ".join((self.act, *self.codes))))

    def sign(self, key: SigningKey) -> Note:
        """The note, signed by V under the key name of the mailbox id. Raises as ``read_text``."""
        read_text(self.text())
        return note.sign(self.text(), [key])


def read_instruction(data: bytes, mailbox: str, control: str) -> Instruction:
    """Read an instruction that V (``control``, hex) signed for this mailbox.

    Raises AuthenticationError unless V signed it, MalformedError, LimitError or UnsupportedVersionError for another
    form. *Not* checked: which thread and follow-up it names.
    """
    parsed = Note.parse(data)
    instruction = read_text(parsed.text)
    note.verify(parsed, [control_verifier(mailbox, control)])
    return instruction


def read_text(text: str) -> Instruction:
    """Read the text of an instruction, whose signature is not looked at. Raises as ``read_instruction``."""
    realm, manifest, follow_up, what = read_lines(text, NAME, LINES)
    decode_hex(manifest, HASH_BYTES)
    act, *codes = what.split(" ")
    if act not in ACTS or not all(_CODE.fullmatch(code) for code in codes) or codes != sorted(set(codes)):
        raise MalformedError("an instruction does what none can do, or names codes that are malformed or not in order")
    if (act == WITHDRAW) != (not codes) or len(codes) > CODES_MAX:
        raise MalformedError("an instruction names too many codes, or too few")
    return Instruction(realm, manifest, number(follow_up), act, tuple(codes))

# SPDX-License-Identifier: AGPL-3.0-or-later
"""The commission of commission.json: its keys, its two charters, and a receipt code of one of its reporters."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crypto import note
from crypto.age import PqIdentity
from crypto.charter import Charter, read_charter
from crypto.note import Note, SigningKey
from crypto.receipt_code import MailboxSecrets, derive


@dataclass(frozen=True)
class Commission:
    """``keys`` by key name; ``identities`` by label, S (mailbox) and R (thread) among them; ``charters`` by ordinal."""

    keys: dict[str, SigningKey]
    identities: dict[str, PqIdentity]
    charters: dict[str, Charter]
    receipt_digits: str
    mailbox: MailboxSecrets

    @property
    def charter(self) -> Charter:
        return self.charters["first"]

    @property
    def governors(self) -> list[SigningKey]:
        return [key for name, key in self.keys.items() if name.startswith("governors.example/")]

    def sign_charter(self, text: str) -> Charter:
        """The charter of this text, signed by all governors."""
        return read_charter(note.sign(text, self.governors).encode())

    def charter_note(self, edit: dict[str, Any]) -> bytes:
        """The note that a vector describes: the text of a charter with replacements, and signatures."""
        text = Note.parse(self.charters[edit["charter"]].note).text
        for old, new in edit["replace"]:
            assert text.count(old) == 1
            text = text.replace(old, new)
        return f"{text}\n{edit['signatures']}".encode()


def load_commission() -> Commission:
    """Read the file; a tenth of a second goes into deriving the mailbox."""
    data = json.loads(Path(__file__).with_suffix(".json").read_text("utf-8"))
    charters = {name: read_charter(text.encode()) for name, text in data["charters"].items()}
    mailbox = derive(data["receipt_digits"], charters["first"].realm)
    identities = {label: PqIdentity.from_seed(bytes.fromhex(seed)) for label, seed in data["identities"].items()}
    return Commission(
        keys={name: SigningKey.from_seed(name, bytes.fromhex(seed)) for name, seed in data["signing_keys"].items()},
        identities={**identities, "S": mailbox.identity, "R": identities["thread"]},
        charters=charters,
        receipt_digits=data["receipt_digits"],
        mailbox=mailbox,
    )

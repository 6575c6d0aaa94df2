# SPDX-License-Identifier: AGPL-3.0-or-later
"""Keys of a thread that move on when somebody must not read on. docs/protocol.md §9.2."""

from dataclasses import dataclass, field
from typing import Any

from crypto.age import PqRecipient
from crypto.document import Fields
from crypto.encoding import HASH_BYTES

GENERATION_MAX = 1_000


@dataclass(frozen=True)
class ThreadKeys:
    """Where follow-ups go: the newest recipient of the thread, and the message key of its generation (32 bytes).

    Generation 0 is R, with the key derived from the receipt code.
    """

    generation: int
    recipient: PqRecipient
    message_mac: bytes = field(repr=False)

    def to_value(self) -> dict[str, Any]:
        """The object that stands in documents."""
        return {
            "generation": self.generation,
            "recipient": str(self.recipient),
            "message_mac": self.message_mac.hex(),
        }


def read_thread_keys(fields: Fields) -> ThreadKeys:
    """Read the object ``keys`` of a state, a reply or a renewal. Raises MalformedError or LimitError."""
    keys = ThreadKeys(
        generation=fields.integer("generation", 0, GENERATION_MAX),
        recipient=PqRecipient.from_string(fields.text("recipient")),
        message_mac=bytes.fromhex(fields.hex("message_mac", HASH_BYTES)),
    )
    fields.end()
    return keys

# SPDX-License-Identifier: AGPL-3.0-or-later
"""The state: the data that the reporter's device needs on return, sealed to the mailbox. docs/protocol.md §5.4."""

from dataclasses import dataclass

from crypto.age import PqRecipient
from crypto.document import read_document
from crypto.encoding import HASH_BYTES, ID_BYTES, encode_json
from crypto.ids import CharterHash, SubmissionId
from crypto.padding import STATE_FLOOR
from crypto.receipt_code import MailboxSecrets
from crypto.sealed_document import check_document_mac, document_mac, open_document, seal_document

STATE_MAX = 8192


@dataclass(frozen=True)
class State:
    """``recipient`` is R, ``charter`` the hash of the charter that the report was sealed under."""

    recipient: PqRecipient
    charter: CharterHash
    submission: SubmissionId

    def encode(self, mac_key: bytes) -> bytes:
        """Return canonical JSON, authenticated under state-mac (32 bytes)."""
        value = self._value()
        return encode_json({**value, "mac": document_mac(mac_key, value)})

    def _value(self) -> dict[str, str]:
        return {
            "version": "amparo/v1/state",
            "recipient": str(self.recipient),
            "charter": self.charter,
            "submission": self.submission,
        }


def read_state(data: bytes, mac_key: bytes) -> State:
    """Read a state's JSON. Raises MalformedError or LimitError, and AuthenticationError when its MAC is wrong.

    The commission knows S and could seal a forged state to it: only the MAC binds the state to the code.
    """
    fields = read_document(data, "state", STATE_MAX)
    state = State(
        recipient=PqRecipient.from_string(fields.text("recipient")),
        charter=CharterHash(fields.hex("charter", HASH_BYTES)),
        submission=SubmissionId(fields.hex("submission", ID_BYTES)),
    )
    mac = fields.hex("mac", HASH_BYTES)
    fields.end()
    check_document_mac(mac_key, state._value(), mac)
    return state


def seal_state(state: State, secrets: MailboxSecrets) -> bytes:
    """Seal the state to S."""
    return seal_document(state.encode(secrets.state_mac), STATE_FLOOR, [secrets.identity.recipient()])


def open_state(sealed: bytes, secrets: MailboxSecrets) -> State:
    """Open and read ``state.age``. NotARecipientError if it is of another code; else raises as ``read_state``."""
    return read_state(open_document(sealed, secrets.identity, STATE_FLOOR, STATE_MAX), secrets.state_mac)

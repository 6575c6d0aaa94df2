# SPDX-License-Identifier: AGPL-3.0-or-later
"""What a member is writing, between pages: sealed under the member's index key, and padded.

The length of the row tells no more than a size class: at least 4,096 bytes, then Padmé (docs/protocol.md §1.1). To
which kind of draft, member and subject it belongs is bound into it, so that no row opens in the place of another.
"""

from crypto.encoding import label
from crypto.keyring import open_bytes, seal_bytes
from crypto.padding import MESSAGE_FLOOR, pad_document, unpad_document
from oversight.members.sessions import OpenSession

DRAFT_BYTES_MAX = 4 * 1024 * 1024


def seal_draft(session: OpenSession, kind: str, subject: str, content: bytes) -> bytes:
    """Seal ``content`` for the member alone. ``kind`` is a label; ``subject`` the id (hex) of what it is about."""
    padded = pad_document(content, MESSAGE_FLOOR)
    return seal_bytes(session.keyring.index_key, padded, _associated(session, kind, subject))


def open_draft(session: OpenSession, kind: str, subject: str, sealed: bytes) -> bytes:
    """Open what ``seal_draft`` made for the same member, kind and subject.

    Raises AuthenticationError for anything else, MalformedError, and LimitError above DRAFT_BYTES_MAX.
    """
    padded = open_bytes(session.keyring.index_key, sealed, _associated(session, kind, subject))
    return unpad_document(padded, MESSAGE_FLOOR, DRAFT_BYTES_MAX)


def _associated(session: OpenSession, kind: str, subject: str) -> bytes:
    return label(kind) + f"{session.member.label}\n{subject}".encode()

# SPDX-License-Identifier: AGPL-3.0-or-later
"""Mailboxes that don't exist, as those who ask for them see them (docs/protocol.md §8).

- Each is told apart by its id and token, as a real one is: another token shows another state.
- A changed state reads back, a known follow-up is answered as known, and the mailbox gets full, as a real one does.
- It is in memory, for the mailboxes that were changed last. A restart forgets it, and so does more than one process.
"""

import hashlib
from collections import OrderedDict
from dataclasses import dataclass, field

from crypto.control import NO_MESSAGE
from portal.api.refusals import Refusal
from portal.mailbox.change import Change, Credentials
from portal.mailbox.decoy import Decoys

MAILBOXES_MAX = 1024
FOLLOW_UPS_MAX = 256


@dataclass
class _Changed:
    """What was changed of one mailbox: its state, and the ids (16 bytes) of the follow-ups sent to it."""

    state: bytes
    sha256: str
    messages: set[bytes] = field(default_factory=set)


class Strangers:
    """Unknown mailboxes. Of ``mailboxes_max`` that were changed last, the changes are kept: 45 KB each at most."""

    def __init__(self, decoys: Decoys, mailboxes_max: int = MAILBOXES_MAX) -> None:
        self._decoys = decoys
        self._mailboxes_max = mailboxes_max
        self._changed: OrderedDict[tuple[str, str], _Changed] = OrderedDict()

    def state(self, credentials: Credentials) -> bytes:
        """The state that these credentials are shown, the one that they left or their decoy; as slowly for both."""
        decoy = self._decoys.state(credentials.mailbox, credentials.token_sha256)
        changed = self._changed.get(_key(credentials))
        return decoy if changed is None else changed.state

    def change(self, change: Change, shown: bytes) -> None:
        """Take a change as a real mailbox would, where this state is shown before it.

        Raises Refusal ``state-conflict`` or ``mailbox-full``.
        """
        key, message = _key(change.credentials), change.control.follow_up
        changed = self._changed.get(key) or _Changed(shown, hashlib.sha256(shown).hexdigest())
        if bytes.fromhex(message) in changed.messages:
            return
        if changed.sha256 != change.control.replaces:
            raise Refusal("state-conflict")
        if message != NO_MESSAGE and len(changed.messages) >= FOLLOW_UPS_MAX:
            raise Refusal("mailbox-full")
        changed.state, changed.sha256 = change.state, change.control.state
        if message != NO_MESSAGE:
            changed.messages.add(bytes.fromhex(message))
        self._changed[key] = changed
        self._changed.move_to_end(key)
        if len(self._changed) > self._mailboxes_max:
            self._changed.popitem(last=False)


def _key(credentials: Credentials) -> tuple[str, str]:
    return credentials.mailbox, credentials.token_sha256

# SPDX-License-Identifier: AGPL-3.0-or-later
"""Reporters as their devices work, each on the day that it is: they seal and send, write again, read and delete."""

from dataclasses import dataclass, field
from datetime import date
from random import Random

import httpx

from crypto.charter import Charter
from crypto.mailbox_answer import read_mailbox_answer
from crypto.mailbox_change import add_follow_up, delete_replies, make_change
from crypto.mailbox_reader import read_chain, read_mailbox
from crypto.mailbox_view import ReadMailbox
from crypto.receipt_code import MailboxSecrets, derive, new_code
from crypto.state import State, open_state
from crypto.submission import OutgoingAttachment, SealedSubmission, seal_submission
from tests.oversight.sealed_reports import ANSWERS
from tests.portal.threads import raw_answer, shown_state
from tests.portal.world import API, RunningPortal

MESSAGES_MAX = 20
"""Of one reporter: a mailbox that is full takes no more until the office has collected."""


@dataclass
class Reporter:
    """Who has a sealed report, and its code; ``due`` are the replies that must be there at the next look."""

    portal: RunningPortal
    secrets: MailboxSecrets
    sealed: SealedSubmission
    messages: int = 0
    has_case: bool = False
    due: list[str] = field(default_factory=list)

    @property
    def submission(self) -> str:
        return self.sealed.manifest.submission

    @property
    def today(self) -> date:
        return self.portal.clock.now.date()

    async def send(self) -> httpx.Response:
        """Send the report."""
        return await self.portal.submit(self.sealed.bundle())

    async def write(self) -> bool:
        """A message to the commission; nothing once there were many."""
        if self.messages == MESSAGES_MAX:
            return False
        self.messages += 1
        shown = await shown_state(self.portal, self.secrets)
        sealed, state = add_follow_up(self._open(shown), self.today, "message", f"Message {self.messages}.")
        answer = await self.portal.change(make_change(self.secrets, shown, state, follow_up=sealed))
        assert answer.status_code == 202, answer.text
        return True

    async def look(self) -> ReadMailbox:
        """What the page shows. The office has visited since the last message: it says that all is there."""
        seen = await self._read()
        assert seen.shown and seen.collected is not None and seen.confirmed is not None, "not confirmed"
        assert seen.alarms == () and not seen.older and not seen.replaced, f"{seen.alarms}"
        assert all(message.fetched for message in seen.sent), "a message is not confirmed"
        assert not [reply for reply in seen.replies if reply.problem], "a reply can't be read"
        missing = set(self.due) - {reply.body for reply in seen.replies}
        assert not missing, f"replies are not there: {missing}"
        self.due.clear()
        return seen

    async def delete(self) -> bool:
        """Delete all replies that are there; False if there is none."""
        numbers = [reply.number or 0 for reply in (await self._read()).replies]
        if not numbers:
            return False
        shown = await shown_state(self.portal, self.secrets)
        state = delete_replies(self._open(shown), max(numbers))
        answer = await self.portal.change(make_change(self.secrets, shown, state, delete=max(numbers)))
        assert answer.status_code == 202, answer.text
        assert (await self._read()).replies == (), "a deleted reply is there"
        return True

    async def _read(self) -> ReadMailbox:
        answer = read_mailbox_answer(await raw_answer(self.portal, self.secrets))
        state = self._open(answer.state)
        first = await self.portal.client.get(f"{API}/charters/{self.sealed.manifest.charter}")
        later = (await self.portal.client.get(f"{API}/charters/{self.sealed.manifest.charter}/successors")).json()
        chain = read_chain(state, [first.content, *(note.encode() for note in later["charters"])])
        newest = later["newest"]
        return read_mailbox(answer, state, self.secrets, chain, newest)

    def _open(self, state: bytes) -> State:
        return open_state(state, self.secrets)


def seal(portal: RunningPortal, charter: Charter, rng: Random, *attachments: OutgoingAttachment) -> Reporter:
    """A report that is sealed today, and not sent yet."""
    digits = new_code(rng.randbytes)
    sealed = seal_submission(
        charter=charter,
        receipt_digits=digits,
        language="ar",
        answers=ANSWERS,
        attachments=attachments,
        sealed_by="browser",
        today=portal.clock.now.date(),
        random=rng.randbytes,
    )
    return Reporter(portal, derive(digits, charter.realm), sealed)

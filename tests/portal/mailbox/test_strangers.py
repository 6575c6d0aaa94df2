# SPDX-License-Identifier: AGPL-3.0-or-later
"""Mailboxes that don't exist, visited as often and in the same ways as one that does (docs/protocol.md §8, §9.4)."""

from dataclasses import dataclass, field

import httpx
import pytest

from crypto.mailbox_answer import read_mailbox_answer
from crypto.mailbox_change import MailboxChange
from crypto.note import SigningKey
from crypto.receipt_code import MailboxSecrets
from portal.mailbox.strangers import FOLLOW_UPS_MAX, MAILBOXES_MAX
from portal.storage.records import FollowUpRecord
from tests.portal.threads import (
    Asker,
    ask,
    blind_change,
    blind_follow_up,
    shown_state,
    start_thread,
    with_token,
)
from tests.portal.world import RunningPortal, error_code, fresh_secrets


@dataclass
class Visitor:
    """Makes changes, and notes what can be seen of the answers: status, headers, bytes; of states, the length."""

    portal: RunningPortal
    secrets: MailboxSecrets | Asker
    seen: list[tuple[object, ...]] = field(default_factory=list)

    async def read(self) -> bytes:
        answer = await ask(self.portal, self.secrets)
        self.seen.append((answer.status_code, dict(answer.headers), len(answer.content)))
        return read_mailbox_answer(answer.content).state

    async def change(self, change: MailboxChange) -> httpx.Response:
        answer = await self.portal.change(change)
        self.seen.append((answer.status_code, dict(answer.headers), answer.content))
        return answer

    async def visit(self) -> None:
        """A few visits, with everything that a device does and some things that it does not."""
        first = await self.read()
        written = blind_change(self.secrets, first)
        await self.change(written)
        self.seen.append(("reads back", await self.read() == written.state))
        await self.change(written)
        sent = blind_change(self.secrets, written.state, blind_follow_up())
        await self.change(sent)
        await self.change(sent)
        self.seen.append(("reads back", await self.read() == sent.state))
        await self.change(blind_change(self.secrets, first, blind_follow_up()))
        await self.change(blind_change(self.secrets, sent.state, sent.follow_up))
        self.seen.append(("unchanged", await self.read() == sent.state))
        await self.change(blind_change(self.secrets, sent.state, b"not sealed"))
        shown = sent.state
        for _ in range(FOLLOW_UPS_MAX - 1):
            more = blind_change(self.secrets, shown, blind_follow_up())
            assert (await self.change(more)).status_code == 202
            shown = more.state
        full = await self.change(blind_change(self.secrets, shown, blind_follow_up()))
        assert error_code(full) == (429, "mailbox-full")
        last = blind_change(self.secrets, shown)
        await self.change(last)
        self.seen.append(("reads back", await self.read() == last.state))


async def test_an_unknown_mailbox_can_not_be_told_from_an_empty_one_by_visits(portal: RunningPortal) -> None:
    thread, closed = await start_thread(portal), await start_thread(portal)
    await closed.command(close=True)
    visitors = [
        Visitor(portal, secrets)
        for secrets in (
            thread.secrets,
            fresh_secrets(),
            with_token(thread.secrets, bytes(32)),
            closed.secrets,
        )
    ]
    for visitor in visitors:
        await visitor.visit()
    known, *others = visitors
    assert ("reads back", False) not in known.seen
    assert len({status for status, *_ in known.seen}) > 4
    for other in others:
        assert other.seen == known.seen
    with portal.database.use():
        kept = await FollowUpRecord.exclude(slug="").values_list("submission", flat=True)
        assert kept == [thread.sealed.manifest.submission] * FOLLOW_UPS_MAX
        # What was written for the others is noise over one row.
        assert await FollowUpRecord.filter(slug="").count() == 1


async def test_a_signature_by_any_key_will_do_for_a_mailbox_that_nobody_commands(portal: RunningPortal) -> None:
    stranger = fresh_secrets()
    shown = await shown_state(portal, stranger)
    change = blind_change(stranger, shown, key=SigningKey.generate("anybody"))
    assert (await portal.change(change)).status_code == 202
    assert await shown_state(portal, stranger) == change.state


async def test_no_more_than_a_bound_of_changed_states_is_kept(
    portal: RunningPortal, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert MAILBOXES_MAX == 1024
    strangers = portal.assembly.mailbox._mailboxes.strangers
    monkeypatch.setattr(strangers, "_mailboxes_max", 3)
    visitors = [fresh_secrets() for _ in range(4)]
    decoys = [await shown_state(portal, each) for each in visitors]

    async def write(number: int) -> None:
        change = blind_change(visitors[number], await shown_state(portal, visitors[number]))
        assert (await portal.change(change)).status_code == 202

    for number in (0, 1, 2, 0, 3):
        await write(number)
    assert len(strangers._changed) == 3
    shown = [await shown_state(portal, each) for each in visitors]
    # The second was changed longest ago.
    assert [one == other for one, other in zip(shown, decoys, strict=True)] == [False, True, False, False]


async def test_visits_that_only_read_take_no_memory(portal: RunningPortal) -> None:
    for _ in range(5):
        await shown_state(portal, fresh_secrets())
    assert len(portal.assembly.mailbox._mailboxes.strangers._changed) == 0


async def test_a_refused_change_takes_no_memory(portal: RunningPortal) -> None:
    for _ in range(5):
        stranger = fresh_secrets()
        refused = await portal.change(blind_change(stranger, b"another state", blind_follow_up()))
        assert error_code(refused) == (409, "state-conflict")
    assert len(portal.assembly.mailbox._mailboxes.strangers._changed) == 0

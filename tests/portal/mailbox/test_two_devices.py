# SPDX-License-Identifier: AGPL-3.0-or-later
"""Two devices with one receipt code, lines that lose answers: no message that was accepted is missing from the state.

With the last writer's state winning, most runs lost one. Here each change names the state that it replaces (§9.3).
"""

import itertools
import random
from collections.abc import Sequence
from dataclasses import dataclass, field

from crypto.ids import MessageId
from crypto.mailbox_change import MailboxChange
from crypto.message import message_id
from crypto.state import open_state
from tests.portal.threads import Thread, follow_up_change, start_thread, waiting
from tests.portal.world import RunningPortal

LONGER_RUNS = 25


@dataclass
class Device:
    """Sends its texts in turn, a request at each step: reads, sends, sends again when it heard nothing."""

    thread: Thread
    texts: list[str]
    shown: bytes | None = None
    pending: MailboxChange | None = None
    accepted: list[MessageId] = field(default_factory=list)

    @property
    def is_done(self) -> bool:
        return not self.texts

    async def step(self, answer_is_lost: bool) -> None:
        if self.is_done:
            return
        if self.shown is None:
            self.shown = (await self.thread.read()).state
            return
        change = self.pending or follow_up_change(self.thread.secrets, self.shown, self.texts[0])
        self.pending = change
        answer = await self.thread.portal.change(change)
        if answer_is_lost:
            return
        self.pending = None
        if answer.status_code == 202:
            assert change.follow_up is not None
            self.accepted.append(message_id(change.follow_up))
            self.texts.pop(0)
            self.shown = change.state
        else:
            assert answer.status_code == 409
            self.shown = None


async def run(portal: RunningPortal, steps: Sequence[tuple[int, bool]], messages: int) -> None:
    """Two devices take turns as ``steps`` say; then both finish, and every message is where it belongs."""
    thread = await start_thread(portal)
    devices = [Device(thread, [f"{name}{number}" for number in range(messages)]) for name in "ab"]
    before = set(await waiting(portal))
    for number, is_lost in steps:
        await devices[number].step(is_lost)
    for _ in range(100):
        for device in devices:
            await device.step(answer_is_lost=False)
    assert all(device.is_done for device in devices)
    accepted = [message for device in devices for message in device.accepted]
    state = open_state((await thread.read()).state, thread.secrets).thread
    stored = [message for message in await waiting(portal) if message not in before]
    assert sorted(sent.message for sent in state.sent) == sorted(accepted) == sorted(stored)
    assert state.sent_count == len(stored) == 2 * messages
    await clear(portal, stored)


async def clear(portal: RunningPortal, messages: list[MessageId]) -> None:
    """Confirmed and deleted, so that one page lists what waits."""
    from tests.portal.office_api.test_follow_ups import confirm

    await confirm(portal, messages)
    portal.clock.pass_days(portal.world.charter.grace_days)
    await portal.sweep()


async def test_in_every_order_of_two_devices_no_accepted_message_is_lost(portal: RunningPortal) -> None:
    orders = set(itertools.permutations((0, 0, 0, 1, 1, 1)))
    assert len(orders) == 20
    for order in sorted(orders):
        # The first answer to a change of either device is lost, or none.
        for losing in ((), (0,), (1,), (0, 1)):
            steps = [
                (device, device in losing and order[:place].count(device) == 1) for place, device in enumerate(order)
            ]
            await run(portal, steps, 1)


async def test_in_long_runs_with_lost_answers_no_accepted_message_is_lost(
    portal: RunningPortal, rng: random.Random
) -> None:
    for _ in range(LONGER_RUNS):
        steps = [(rng.randrange(2), rng.random() < 0.4) for _ in range(rng.randrange(6, 24))]
        await run(portal, steps, 3)

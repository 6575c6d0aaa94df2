# SPDX-License-Identifier: AGPL-3.0-or-later
"""``python -m tests.endurance.troubles --minutes M --seed N [--only kill]``: a portal and an office meet with trouble.

Both run as programs, on real files; reporters send reports, files in parts and follow-ups, a member answers them.
From the seed is drawn what happens, to which of the two or to both, and when:

- ``kill``: ended without warning, and started again;
- ``freeze``: stands still, longer than others wait, and goes on;
- ``disk``: its disk is full, and is not any more; it may be killed meanwhile (needs root, who can mount a small disk);
- ``clock``: its clock is weeks or a year off, and is mended; it may be started anew meanwhile.

After each trouble, whatever the portal acknowledged is there, with the same answer for the same bundle, and what the
office confirmed is in its files. In the end the office has all of it, and what the member sent is at the portal, once.
"""

import argparse
import json
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random
from typing import TypeVar

from crypto.mailbox_answer import read_mailbox_answer
from tests.endurance.command import Minutes, begin, say
from tests.endurance.machine import Machine, NoSmallDiskError
from tests.endurance.senders import ask, reading, sending
from tests.endurance.sites import FREEZE_SECONDS_MAX, Sites, built
from tests.waiting import wait_until

TROUBLES = ("kill", "freeze", "disk", "clock")
OF_ONE_LIFE = 12
"""Troubles; then another life begins, with empty folders."""
ANSWERS_MAX = 25
PAUSE_SECONDS_MAX = 0.3
LEFT_BYTES = (0, 4096, 300_000, 20_000_000)
DAYS_OFF = (-400, -40, 40, 400)
SAMPLE = 15
T = TypeVar("T")


class Life:
    """Both programs, those who use them, and what has happened so far."""

    def __init__(self, sites: Sites, rng: Random, counts: Counter[str]) -> None:
        self.sites = sites
        self.rng = rng
        self.counts = counts
        self._checked = 0

    def meet(self, trouble: str) -> None:
        """One trouble, in the middle of the work, and then what has to be so."""
        self.sites.senders.wait_for(self.rng.randrange(ANSWERS_MAX))
        self._pause()
        name, machines = self.rng.choice(
            [("portal", [self.sites.portal]), ("office", [self.sites.office]), ("both", [*self.sites.machines])]
        )
        self._act(trouble)(machines)
        self.counts[f"{trouble}, {name}"] += 1
        for machine in self.sites.machines:
            machine.start()
        self._check_portal()
        self.sites.check_confirmed()

    def _act(self, trouble: str) -> Callable[[list[Machine]], None]:
        return {"kill": self._kill, "freeze": self._freeze, "disk": self._fill, "clock": self._set_clock}[trouble]

    def _pause(self) -> None:
        time.sleep(self.rng.uniform(0, PAUSE_SECONDS_MAX))

    def _kill(self, machines: list[Machine]) -> None:
        for machine in machines:
            machine.kill()

    def _freeze(self, machines: list[Machine]) -> None:
        for machine in machines:
            machine.freeze()
        time.sleep(self.rng.uniform(0, FREEZE_SECONDS_MAX))
        for machine in machines:
            machine.thaw()

    def _fill(self, machines: list[Machine]) -> None:
        for machine in machines:
            machine.fill_disk(self.rng.choice(LEFT_BYTES))
        self._go_on(machines)
        for machine in machines:
            machine.free_disk()

    def _set_clock(self, machines: list[Machine]) -> None:
        # By a wrong clock she can't log in, and would have to wait longer each time.
        self.sites.member.away.set()
        days = self.rng.choice(DAYS_OFF)
        for machine in machines:
            machine.set_clock(days)
        self._go_on(machines)
        for machine in machines:
            machine.set_clock(0)
        self.sites.member.away.clear()

    def _go_on(self, machines: list[Machine]) -> None:
        """Work while they are in trouble, and maybe a start."""
        if self.rng.random() < 0.5:
            for machine in machines:
                machine.kill()
                # It may refuse to start, and say why.
                machine.launch()
        self._pause()
        if all(machine.is_alive() for machine in machines):
            self._pause()

    def _check_portal(self) -> None:
        known, port = self.sites.senders.known, self.sites.portal.port
        fresh, self._checked = known.reports[self._checked :], len(known.reports)
        for _, bundle, acknowledgement in self._some(fresh):
            status, body = ask(port, sending(bundle))
            assert (status, json.loads(body).get("acknowledgement")) == (200, acknowledgement), body
        sent = set(known.follow_ups)
        for secrets, state in self._some(known.mailboxes):
            status, body = ask(port, reading(secrets))
            assert (status, read_mailbox_answer(body).state) == (200, state)
        submissions = self.sites.portal_rows("SELECT submission FROM submission WHERE NOT deleted")
        assert {sealed.manifest.submission for sealed, _, _ in fresh} <= {row[0] for row in submissions}
        messages = {row[0] for row in self.sites.portal_rows("SELECT message FROM follow_up")}
        assert sent <= messages

    def _some(self, of: Sequence[T]) -> list[T]:
        return self.rng.sample(list(of), min(SAMPLE, len(of)))

    def settle(self) -> None:
        """Nobody writes any more: the office catches up, by itself, and has everything."""
        self.sites.senders.end()
        member, readable = self.sites.member, self.sites.senders.known.readable
        _wait(self.sites.left)
        _wait(lambda: "" if len(member.answered) == len(readable) else f"the member was told {member.told}")
        member.end()
        _wait(self.sites.left)
        self.sites.check_confirmed()
        self.sites.check_all()
        known = self.sites.senders.known
        self.counts["reports"] += len(known.reports)
        self.counts["parts"] += len(known.parts)
        self.counts["follow-ups"] += len(known.follow_ups)
        self.counts["answers of a member"] += len(member.answered)
        self.counts["sent again"] += self.sites.senders.sent_again
        self.counts["refused"] += self.sites.senders.refused
        self.counts["lives"] += 1


def _wait(left: Callable[[], str]) -> None:
    """Return once nothing is left to do."""
    try:
        wait_until(lambda: not left(), "the office catches up")
    except AssertionError as error:
        raise AssertionError(f"{error}: {left()}") from None


def live(folder: Path, troubles: Sequence[str], goes_on: Callable[[Counter[str]], bool], rng: Random) -> Counter[str]:
    """Lives one after the other, for as long as ``goes_on`` says; how often what happened.

    Raises AssertionError at the first fault, and NoSmallDiskError for a full disk without the right to mount one.
    """
    counts: Counter[str] = Counter()
    while goes_on(counts):
        root = folder / f"life {counts['lives']}"
        root.mkdir()
        with built(root, rng.getrandbits(32), troubles) as sites:
            life = Life(sites, rng, counts)
            for _ in range(OF_ONE_LIFE):
                if goes_on(counts):
                    life.meet(rng.choice(troubles))
                    counts["troubles"] += 1
            life.settle()
        shutil.rmtree(root)
    return counts


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.endurance.troubles")
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--folder", type=Path, help="an empty folder for the data, which stays; a temporary one")
    parser.add_argument("--only", nargs="+", choices=TROUBLES, default=TROUBLES)
    given = begin(parser)
    with tempfile.TemporaryDirectory() as folder:
        try:
            say(live(given.folder or Path(folder), given.only, Minutes(given.minutes), Random(given.seed)))
        except NoSmallDiskError as error:
            print(f"{error}: choose others by --only", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

# SPDX-License-Identifier: AGPL-3.0-or-later
"""What can be fuzzed, in families: each target takes one altered input at a time, and says what is wrong."""

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random

from tests.fuzz.comparison import Comparison, running_script
from tests.fuzz.crypto_parsers import load_parsers
from tests.fuzz.floods import Floods
from tests.fuzz.formats import load_formats
from tests.fuzz.foundings import foundings
from tests.fuzz.office_surface import office_surface
from tests.fuzz.parser import Parser, shortest
from tests.fuzz.portal_surface import portal_surface
from tests.fuzz.program_parsers import load_program_parsers
from tests.fuzz.visits import Visits
from tests.fuzz.wire import Wire, running_office_wire, running_portal_wire

# What an input may cost in a parser: this, and this for each of its bytes.
SECONDS_MAX = 0.5
SECONDS_PER_BYTE_MAX = 10e-6


@dataclass(frozen=True)
class Fault:
    """``data`` is the input, which ``--again`` takes."""

    target: str
    what: str
    data: bytes


@dataclass(frozen=True)
class Target:
    """``attempt`` tries one altered input, ``again`` a given one; ``is_well`` says whether honest requests still go."""

    name: str
    attempt: Callable[[Random], Awaitable[tuple[bytes, str] | None]]
    again: Callable[[bytes], Awaitable[str | None]]
    is_well: Callable[[], Awaitable[bool]] | None = None

    async def fault(self, chance: Random) -> Fault | None:
        found = await self.attempt(chance)
        return found and Fault(self.name, found[1], found[0])


def parser_target(parser: Parser, *, timed: bool) -> Target:
    """With ``timed`` an input that takes longer than it weighs is at fault too."""

    def check(data: bytes) -> str | None:
        start = time.process_time()
        fault = parser.fault(data)
        took = time.process_time() - start
        if fault is None and timed and took > SECONDS_MAX + SECONDS_PER_BYTE_MAX * len(data):
            return f"took {took:.1f} s for {len(data)} bytes"
        return fault

    async def attempt(chance: Random) -> tuple[bytes, str] | None:
        data = parser.altered(chance)
        if check(data) is None:
            return None
        data = shortest(data, lambda shorter: check(shorter) is not None)
        return data, check(data) or "once, and not again"

    async def again(data: bytes) -> str | None:
        return check(data)

    return Target(f"parsers/{parser.name}", attempt, again)


@asynccontextmanager
async def parsers(folder: Path) -> AsyncIterator[list[Target]]:
    yield [parser_target(parser, timed=True) for parser in (*load_parsers(), *load_program_parsers())]


@asynccontextmanager
async def languages(folder: Path) -> AsyncIterator[list[Target]]:
    """Python and script on one input, each format."""
    with running_script() as script:
        comparison = Comparison(script)

        def target(name: str) -> Target:
            format_ = next(each for each in load_formats() if each.name == name)

            async def attempt(chance: Random) -> tuple[bytes, str] | None:
                comparison.try_altered(format_, chance)
                return _taken(comparison)

            async def again(data: bytes) -> str | None:
                comparison.compare(format_, data)
                found = _taken(comparison)
                return found and found[1]

            return Target(f"languages/{name}", attempt, again)

        yield [target(format_.name) for format_ in load_formats()]


def _taken(comparison: Comparison) -> tuple[bytes, str] | None:
    if not comparison.differences:
        return None
    difference = comparison.differences.pop()
    return difference.data, str(difference)


@asynccontextmanager
async def portal(folder: Path) -> AsyncIterator[list[Target]]:
    async with portal_surface(folder) as surface:

        def target(name: str) -> Target:
            return Target(
                f"portal/{name}", lambda chance: surface.fault(name, chance), surface.again, surface.still_serves
            )

        yield [target(name) for name in surface.ways]


@asynccontextmanager
async def office(folder: Path) -> AsyncIterator[list[Target]]:
    async with office_surface(folder) as surface:

        def target(name: str) -> Target:
            return Target(
                f"office/{name}", lambda chance: surface.fault(name, chance), surface.again, surface.still_serves
            )

        yield [target(name) for name in surface.ways]


@asynccontextmanager
async def wire(folder: Path) -> AsyncIterator[list[Target]]:
    def target(name: str, program: Wire) -> Target:
        return Target(f"wire/{name}", program.fault, program.again, program.still_serves)

    (folder / "of-portal").mkdir()
    (folder / "of-office").mkdir()
    with running_portal_wire(folder / "of-portal") as one, running_office_wire(folder / "of-office") as other:
        yield [target("portal", one), target("office", other)]


@asynccontextmanager
async def collector(folder: Path) -> AsyncIterator[list[Target]]:
    visits = Visits(folder)
    yield [Target("collector/visits", visits.fault, visits.again)]


@asynccontextmanager
async def founding(folder: Path) -> AsyncIterator[list[Target]]:
    async with foundings(folder) as several:
        yield [Target("founding/forms", several.fault, several.again)]


@asynccontextmanager
async def floods(folder: Path) -> AsyncIterator[list[Target]]:
    several = Floods(folder)
    yield [Target("floods/uploads", several.fault, several.again)]


FAMILIES = {
    "parsers": parsers,
    "languages": languages,
    "portal": portal,
    "office": office,
    "wire": wire,
    "collector": collector,
    "founding": founding,
    "floods": floods,
}


@asynccontextmanager
async def opened(names: set[str], folder: Path) -> AsyncIterator[list[Target]]:
    """The targets of these families, in running order; ``folder`` is for what they store."""
    async with AsyncExitStack() as stack:
        targets: list[Target] = []
        for name, family in FAMILIES.items():
            if name in names:
                (folder / name).mkdir()
                targets += await stack.enter_async_context(family(folder / name))
        yield targets

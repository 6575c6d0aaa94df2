# SPDX-License-Identifier: AGPL-3.0-or-later
"""A portal that lies, in ways that compose: true reports among invented ones, lists that are no lists, slow bytes.

It is a ``PortalSimulator`` whose requests a table of lies may answer instead. Every lie is drawn from the generator
that it is given, so that the same seed tells the same lies. Slowness passes on the clock that it is given, never on the
machine's.
"""

import json
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any

import httpx

from crypto.encoding import encode_base64
from crypto.submission import SealedSubmission
from tests.oversight.portal_simulator import PortalSimulator, answer, refusal

Lie = Callable[["HostilePortal", httpx.Request], httpx.Response | None]
LISTS = {"/submissions": "submissions", "/follow-ups": "follow_ups", "/controls": "controls"}
REFUSALS = (
    (400, "malformed-request"),
    (401, "signature-invalid"),
    (403, "not-your-commission"),
    (404, "not-found"),
    (409, "state-conflict"),
    (409, "damaged"),
    (429, "mailbox-full"),
    (500, "internal"),
    (503, "busy"),
    (507, "storage-full"),
    (418, "x" * 64),
)
WRONG = (None, True, -1, 0, 2**63, 1.5, "", "x" * 33, "../../etc/passwd", [], {}, "\ud800", "0" * 32, [[]] * 50)


@dataclass
class Seconds:
    """A monotonic clock that only the portal's slowness moves."""

    now: float = 0.0

    def __call__(self) -> float:
        return self.now


@dataclass
class HostilePortal(PortalSimulator):
    """``lies`` by name are told in ``share`` of the requests; ``spared`` says which requests are never lied to."""

    random: Random = field(default_factory=lambda: Random(0))
    seconds: Seconds = field(default_factory=Seconds)
    lies: tuple[str, ...] = ()
    share: float = 1.0
    spared: Callable[[httpx.Request], bool] = lambda request: False

    def __post_init__(self) -> None:
        self.faults.append(self._lie)

    def be_honest(self) -> None:
        """From now on only the truth."""
        self.lies = ()

    def invent(self, sealed: SealedSubmission) -> None:
        """An entry that nobody sent, which the portal's own key acknowledges."""
        self.add(sealed)

    def _lie(self, request: httpx.Request) -> httpx.Response | None:
        if not self.lies or self.spared(request) or self.random.random() >= self.share:
            return None
        return LIES[self.random.choice(self.lies)](self, request)

    def honest_list(self, request: httpx.Request) -> dict[str, Any] | None:
        """What a true portal answers to a request for a list."""
        path = request.url.path.removeprefix("/api/v1/office")
        return json.loads(self._serve(request).read()) if path in LISTS else None


def refuse(portal: HostilePortal, request: httpx.Request) -> httpx.Response:
    return refusal(*portal.random.choice(REFUSALS))


def refuse_files(portal: HostilePortal, request: httpx.Request) -> httpx.Response | None:
    return refuse(portal, request) if "/files/" in request.url.path else None


def proxy_page(portal: HostilePortal, request: httpx.Request) -> httpx.Response:
    status = portal.random.choice((200, 204, 302, 403, 404, 500, 502, 599))
    headers = {"location": "https://elsewhere.example/", "content-type": "text/html"}
    return httpx.Response(status, headers=headers, stream=httpx.ByteStream(b"<html>" * portal.random.randrange(5)))


def wrong_types(portal: HostilePortal, request: httpx.Request) -> httpx.Response | None:
    """Entries whose members are of other types and forms; the true ones stand among them."""
    page = portal.honest_list(request)
    if page is None:
        return answer(200, portal.random.choice(WRONG[:4] + WRONG[6:]))
    name = LISTS[request.url.path.removeprefix("/api/v1/office")]
    true = list(page[name]) or [{"sequence": 1}]
    for _ in range(portal.random.randrange(1, 4)):
        entry = dict(portal.random.choice(true))
        entry[portal.random.choice([*entry, "more"])] = portal.random.choice(WRONG)
        page[name].insert(portal.random.randrange(len(page[name]) + 1), portal.random.choice((entry, 7, None, [])))
    return answer(200, page)


def endless(portal: HostilePortal, request: httpx.Request) -> httpx.Response | None:
    """Always more, under numbers that rise or don't."""
    page = portal.honest_list(request)
    if page is None:
        return None
    name, after = LISTS[request.url.path.removeprefix("/api/v1/office")], int(request.url.params["after"])
    rising = portal.random.random() < 0.8
    page[name] = [*page[name], *({"sequence": after + n + 1} for n in range(50) if rising)][:100]
    return answer(200, {**page, "more": True})


def rewound(portal: HostilePortal, request: httpx.Request) -> httpx.Response | None:
    """The list in another order, with repeats, under other numbers, or without some."""
    page = portal.honest_list(request)
    if page is None:
        return None
    name, chance = LISTS[request.url.path.removeprefix("/api/v1/office")], portal.random
    entries = [entry for entry in page[name] if chance.random() < 0.7]
    entries = (entries + chance.choices(page[name], k=3))[:100] if page[name] else []
    chance.shuffle(entries)
    shift = chance.choice((0, -1, 1000, 2**40))
    return answer(200, {name: [{**each, "sequence": each["sequence"] + shift} for each in entries], "more": False})


def empty_objects(portal: HostilePortal, request: httpx.Request) -> httpx.Response:
    return answer(200, b'{"submissions":[' + b"{}," * 400_000 + b'{}],"more":false}')


def deep(portal: HostilePortal, request: httpx.Request) -> httpx.Response:
    return answer(200, b"[" * 100_000)


def huge(portal: HostilePortal, request: httpx.Request) -> httpx.Response:
    """A body that never ends."""

    async def body() -> AsyncIterator[bytes]:
        while True:
            yield b" " * 1_000_000

    return httpx.Response(200, content=body())


def slow(portal: HostilePortal, request: httpx.Request) -> httpx.Response:
    """One byte a second."""

    async def body() -> AsyncIterator[bytes]:
        while True:
            portal.seconds.now += 1
            yield b" "

    return httpx.Response(200, content=body())


def cut(portal: HostilePortal, request: httpx.Request) -> httpx.Response:
    kind = portal.random.choice((httpx.ReadError, httpx.ReadTimeout, httpx.RemoteProtocolError, httpx.PoolTimeout))
    raise kind("cut", request=request)


def bomb(portal: HostilePortal, request: httpx.Request) -> httpx.Response:
    """What says that it is compressed, and is not asked to be."""
    return httpx.Response(200, headers={"content-encoding": "gzip"}, stream=httpx.ByteStream(b"\x1f\x8b" + b"\0" * 999))


def altered_files(portal: HostilePortal, request: httpx.Request) -> httpx.Response | None:
    if "/files/" not in request.url.path:
        return None
    data = bytearray(portal._serve(request).read())
    data[portal.random.randrange(len(data))] ^= 1
    return answer(200, bytes(data[: portal.random.choice((len(data), 0, len(data) // 2))]))


def lost_answer(portal: HostilePortal, request: httpx.Request) -> httpx.Response:
    """The request has its effect, and the answer never comes."""
    portal._serve(request)
    raise httpx.ReadError("lost", request=request)


def other_follow_ups(portal: HostilePortal, request: httpx.Request) -> httpx.Response | None:
    """Follow-ups of reports that nobody has, too large ones, and empty ones, among the true ones."""
    if not request.url.path.endswith("/office/follow-ups"):
        return None
    page, last = portal.honest_list(request), 10**6
    assert page is not None
    for size in (0, 17, 70_000, 300_000):
        last += 1
        sealed = encode_base64(portal.random.randbytes(size))
        submission = portal.random.randbytes(16).hex()
        page["follow_ups"].append({"sequence": last, "submission": submission, "sealed": sealed, "day": "2026-11-21"})
    return answer(200, {**page, "follow_ups": page["follow_ups"][:100]})


LIES: Mapping[str, Lie] = {
    lie.__name__: lie
    for lie in (
        refuse,
        refuse_files,
        proxy_page,
        wrong_types,
        endless,
        rewound,
        empty_objects,
        deep,
        huge,
        slow,
        cut,
        bomb,
        altered_files,
        lost_answer,
        other_follow_ups,
    )
}

# SPDX-License-Identifier: AGPL-3.0-or-later
"""What the server does with bytes that no honest client sends, and how little they cost."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from portal.kit.body import GATHERED_BYTES
from portal.kit.connections import CALM_PACE, CROWDED_PACE, HEAD_SECONDS_MAX, IDLE_SECONDS_MAX, SECONDS_MIN
from portal.kit.headers import API_CSP, security_headers
from portal.kit.http_protocol import HEAD_BYTES_MAX, HEADERS_MAX, PIECE_BYTES, PIECES_FREE
from tests.portal.kit.http_server import GET, LARGE, Client, Served, post, serving, until
from tests.waiting import SECONDS_MAX

HOST = b"Host: portal.example\r\n"
CHUNKED = b"POST / HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n"
REFUSED = {
    "no HTTP": (400, b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n"),
    "HTTP/2": (400, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    "CONNECT": (400, b"CONNECT portal.example:443 HTTP/1.1\r\n" + HOST + b"\r\n"),
    "method unknown": (400, b"STEAL / HTTP/1.1\r\n" + HOST + b"\r\n"),
    "version unknown": (400, b"GET / HTTP/7.3\r\n" + HOST + b"\r\n"),
    "address with letters": (400, "GET /é HTTP/1.1\r\n".encode() + HOST + b"\r\n"),
    "null byte in the address": (400, b"GET /\0 HTTP/1.1\r\n" + HOST + b"\r\n"),
    "null byte in a header": (400, b"GET / HTTP/1.1\r\n" + HOST + b"X: a\0b\r\n\r\n"),
    "space before the colon": (400, b"GET / HTTP/1.1\r\n" + HOST + b"Content-Length : 3\r\n\r\nabc"),
    "line feeds alone": (400, b"GET / HTTP/1.1\nHost: portal.example\n\n"),
    "folded header": (400, b"GET / HTTP/1.1\r\n" + HOST + b"X: a\r\n b\r\n\r\n"),
    "length and chunks": (
        400,
        b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ),
    "chunks and length": (
        400,
        b"POST / HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n",
    ),
    "not chunked at last": (400, b"POST / HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n"),
    "two lengths": (400, b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd"),
    "the same length twice": (
        400,
        b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc",
    ),
    "negative length": (400, b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: -1\r\n\r\n"),
    "length with a sign": (400, b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: +3\r\n\r\nabc"),
    "length beyond all numbers": (400, b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: " + b"9" * 30 + b"\r\n\r\n"),
    "chunk beyond all numbers": (400, CHUNKED + b"f" * 17 + b"\r\n"),
    "chunk that is none": (400, CHUNKED + b"-1\r\n"),
    "chunks of a byte": (400, CHUNKED + b"1\r\na\r\n" * (PIECES_FREE + 100)),
    "ends of heads within a chunk": (400, CHUNKED + b"%x\r\n" % (8 * PIECES_FREE) + b"\r\n" * (4 * PIECES_FREE)),
    "trailer": (400, CHUNKED + b"3\r\nabc\r\n0\r\nX: a\r\n\r\n"),
    "long header": (431, GET[:-2] + b"X: " + b"a" * HEAD_BYTES_MAX + b"\r\n\r\n"),
    "long header without an end": (431, GET[:-2] + b"X: " + b"a" * HEAD_BYTES_MAX),
    "long address": (431, b"GET /" + b"a" * HEAD_BYTES_MAX),
    "many headers": (431, GET[:-2] + b"X: a\r\n" * HEADERS_MAX + b"\r\n"),
    "long extension of a chunk": (431, CHUNKED + b"3;" + b"a" * HEAD_BYTES_MAX),
}


@pytest_asyncio.fixture
async def served(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Served]:
    async with serving(monkeypatch) as running:
        yield running


def check_own_headers(headers: dict[str, str]) -> None:
    expected = security_headers(API_CSP, https=True)
    assert {name: headers.get(name) for name in expected} == expected
    assert headers["connection"] == "close"


@pytest.mark.parametrize("name", REFUSED)
async def test_what_is_no_request_is_refused_with_the_headers_of_all_answers(served: Served, name: str) -> None:
    status, sent = REFUSED[name]
    client = await served.connect(sent)
    answered, headers, body = await client.answer()
    assert answered == status
    check_own_headers(headers)
    assert b"portal.example" not in body + str(headers).encode()
    assert await client.is_hung_up_on()
    assert served.bodies == []
    assert await served.ask() == 200


@pytest.mark.parametrize(
    "sent",
    [
        GET[:-2] + b"Upgrade: websocket\r\nConnection: upgrade\r\nSec-WebSocket-Key: YQ==\r\n\r\n",
        GET[:-2] + b"Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: YQ\r\n\r\n",
    ],
    ids=["websocket", "HTTP/2"],
)
async def test_who_asks_for_another_protocol_gets_this_one_and_no_more(served: Served, sent: bytes) -> None:
    client = await served.connect(sent + GET)
    status, headers, _ = await client.answer()
    assert (status, headers["connection"]) == (200, "close")
    assert await client.is_hung_up_on()
    assert served.seen == ["/"]


async def test_nothing_of_this_is_logged(served: Served, caplog: pytest.LogCaptureFixture) -> None:
    for _, sent in REFUSED.values():
        assert await (await served.connect(sent)).is_hung_up_on()
    assert caplog.records == []


async def test_an_address_with_a_host_is_the_same_address(served: Served) -> None:
    client = await served.connect(b"GET http://other.example/there HTTP/1.1\r\nHost: other.example\r\n\r\n")
    assert (await client.answer())[0] == 200
    assert served.seen == ["/there"]


async def test_who_waits_for_100_continue_gets_it_and_the_request_begins_with_the_body(served: Served) -> None:
    client = await served.connect(post(length=3)[:-2] + b"Expect: 100-continue\r\n\r\n")
    assert (await client.answer())[0] == 100
    assert served.seen == []
    await client.send(b"abc")
    assert (await client.answer())[2] == b"3"


async def test_chunks_are_put_together(served: Served) -> None:
    client = await served.connect(CHUNKED + b"3\r\nabc\r\n4;x=y\r\n\r\n\r\n\r\n0\r\n\r\n" + GET)
    assert (await client.answer())[2] == b"7"
    assert (await client.answer())[2] == b"0"


@pytest.mark.parametrize(("count", "size"), [(PIECES_FREE, 1), (4 * PIECES_FREE, PIECE_BYTES + 2)])
async def test_many_chunks_are_taken_when_they_are_few_for_what_they_hold(
    served: Served, count: int, size: int
) -> None:
    client = await served.connect(CHUNKED + b"%x\r\n%s\r\n" % (size, b"a" * size) * count + b"0\r\n\r\n")
    assert (await client.answer())[2] == str(count * size).encode()


async def test_each_request_of_a_connection_may_come_in_as_many_pieces(served: Served) -> None:
    client = await served.connect()
    for _ in range(3):
        await client.send(CHUNKED + b"1\r\na\r\n" * PIECES_FREE + b"0\r\n\r\n")
        assert (await client.answer())[2] == str(PIECES_FREE).encode()


async def test_a_request_begins_when_its_body_is_there(served: Served) -> None:
    slow = await served.connect(post(b"a" * 10, length=GATHERED_BYTES))
    await served.until_gathered(10)
    assert served.seen == []
    await slow.send(b"a" * (GATHERED_BYTES - 10))
    assert (await slow.answer())[2] == str(GATHERED_BYTES).encode()
    assert served.connections.gathered == 0


async def test_a_long_body_begins_when_much_of_it_has_come(served: Served) -> None:
    slow = await served.connect(post(b"a" * GATHERED_BYTES, length=GATHERED_BYTES + 1))
    await served.until_seen("/")
    assert served.bodies == []
    await slow.send(b"a")
    assert (await slow.answer())[2] == str(GATHERED_BYTES + 1).encode()


async def test_requests_sent_ahead_are_answered_in_their_order(served: Served) -> None:
    client = await served.connect(post(b"a") + GET + post(b"abc", path="/wait") + post(b"ab"))
    assert [(await client.answer())[2] for _ in range(2)] == [b"1", b"0"]
    served.go_on.set()
    assert [(await client.answer())[2] for _ in range(2)] == [b"3", b"2"]


async def test_a_request_whose_head_ends_with_the_one_before_is_answered_too(served: Served) -> None:
    client = await served.connect(GET[:-2])
    await served.until_gathered(len(GET) - 2)
    await client.send(b"\r\n" + post(b"ab"))
    assert [(await client.answer())[2] for _ in range(2)] == [b"0", b"2"]


async def test_of_requests_sent_ahead_no_more_than_a_head_is_kept(served: Served) -> None:
    client = await served.connect(post(path="/wait") + GET * 20_000)
    await served.until_seen("/wait")
    served.go_on.set()
    assert (await client.answer())[0] == 200
    assert await client.is_hung_up_on()
    assert served.seen == ["/wait"]


@pytest.mark.parametrize("sent", ["together", "when the first is answered"])
async def test_of_requests_sent_ahead_none_begins_before_the_answers_are_read(served: Served, sent: str) -> None:
    large, behind = GET.replace(b"/ ", b"/large ", 1), post(b"ab", path="/behind") * 2
    client = await served.connect(large + behind if sent == "together" else large)
    await served.until_unsent()
    if sent != "together":
        await client.send(behind)
    (connection,) = served.connections._all
    await until(connection.is_held_back)
    assert await served.ask() == 200
    assert served.seen == ["/large", "/"]
    assert [len((await client.answer())[2]) for _ in range(3)] == [LARGE, 1, 1]
    await client.send(GET)
    assert (await client.answer())[0] == 200


async def test_a_request_whose_head_ends_with_one_whose_answer_is_not_read_waits(served: Served) -> None:
    head = GET.replace(b"/ ", b"/large ", 1)
    client = await served.connect(head[:-2])
    await served.until_gathered(len(head) - 2)
    await client.send(b"\r\n" + post(b"ab", path="/behind"))
    await served.until_unsent()
    assert await served.ask() == 200
    assert served.seen == ["/large", "/"]
    assert [len((await client.answer())[2]) for _ in range(2)] == [LARGE, 1]


async def test_who_sends_too_much_ahead_of_what_is_read_is_hung_up_on(served: Served) -> None:
    client = await served.connect(GET.replace(b"/ ", b"/large ", 1))
    await served.until_unsent()
    await client.send(GET * 20_000)
    assert await client.is_hung_up_on()
    assert served.seen == ["/large"]


async def test_an_answer_before_the_end_of_the_body_leaves_the_connection_usable(served: Served) -> None:
    client = await served.connect(post(b"a" * GATHERED_BYTES, length=GATHERED_BYTES + 1, path="/early"))
    assert (await client.answer())[0] == 413
    await client.send(b"a" + GET)
    assert (await client.answer())[0] == 200


@pytest.mark.parametrize("rest", ["garbage", "nothing"])
async def test_a_request_has_one_answer_whatever_becomes_of_its_rest(served: Served, rest: str) -> None:
    head = CHUNKED.replace(b"/ ", b"/early ", 1)
    client = await served.connect(head + b"%x\r\n" % GATHERED_BYTES + b"a" * GATHERED_BYTES + b"\r\n")
    assert (await client.answer())[0] == 413
    if rest == "garbage":
        await client.send(b"-1\r\n")
    else:
        served.pass_seconds(CALM_PACE.patience + GATHERED_BYTES // CALM_PACE.rate + 1)
    async with asyncio.timeout(SECONDS_MAX):
        assert await client.reader.read() == b""


async def test_who_sends_on_and_on_after_the_answer_is_hung_up_on(served: Served) -> None:
    client = await served.connect(post(b"a" * GATHERED_BYTES, length=2**40, path="/early"))
    assert (await client.answer())[0] == 413
    with pytest.raises(ConnectionError):
        while True:
            await client.send(bytes(65536))


async def test_who_sends_no_head_is_hung_up_on(served: Served) -> None:
    silent, slow = await served.connect(), await served.connect(GET[:10])
    await served.until_gathered(10)
    served.pass_seconds(HEAD_SECONDS_MAX)
    await slow.send(GET[10:20])
    assert len(served.connections) == 2
    served.pass_seconds(1)
    assert [(await client.answer())[0] for client in (silent, slow)] == [408, 408]
    await served.until_held(0)


async def test_who_asks_for_nothing_more_is_hung_up_on(served: Served) -> None:
    client = await served.connect(GET)
    await client.answer()
    served.pass_seconds(IDLE_SECONDS_MAX)
    await client.send(GET)
    assert (await client.answer())[0] == 200
    served.pass_seconds(IDLE_SECONDS_MAX + 1)
    assert await client.is_hung_up_on()


async def test_a_body_that_hardly_moves_is_refused_and_its_request_never_begins(served: Served) -> None:
    slow = await served.connect(post(b"a", length=1000))
    await served.until_gathered(1)
    served.pass_seconds(CALM_PACE.patience + 2)
    assert (await slow.answer())[0] == 408
    await served.until_held(0)
    assert (served.seen, served.connections.gathered) == ([], 0)


async def test_a_body_that_moves_at_the_least_rate_has_the_time_it_needs(served: Served) -> None:
    slow = await served.connect(post(length=50_000))
    for minute in range(1, 41):
        await slow.send(b"a" * CALM_PACE.rate)
        await served.until_gathered(minute * CALM_PACE.rate)
        served.pass_seconds(2 if minute % 2 else 1)
    assert len(served.connections) == 1


async def test_a_body_that_stops_after_it_began_ends_its_request(served: Served) -> None:
    slow = await served.connect(post(b"a" * GATHERED_BYTES, length=2**30))
    await served.until_seen("/")
    served.pass_seconds(CALM_PACE.patience + GATHERED_BYTES // CALM_PACE.rate + 1)
    assert (await slow.answer())[0] == 408
    await served.until_seen("/", "gone")


async def test_who_does_not_read_is_hung_up_on(served: Served) -> None:
    client = await served.connect(GET.replace(b"/ ", b"/large ", 1), limit=1)
    await served.until_unsent()
    served.pass_seconds(CALM_PACE.patience + 1)
    assert len(served.connections) == 1
    served.pass_seconds(1)
    await served.until_held(0)
    with pytest.raises(asyncio.IncompleteReadError):
        await client.reader.readexactly(LARGE)


async def test_who_reads_slowly_gets_everything(served: Served) -> None:
    client = await served.connect(GET.replace(b"/ ", b"/large ", 1))
    await served.until_unsent()
    await client.reader.readuntil(b"\r\n\r\n")
    (connection,) = served.connections._all
    served.pass_seconds(1)
    left, read = connection.unsent(), 0
    while read < LARGE:
        read += len(await client.reader.readexactly(min(65536, LARGE - read)))
        moved, left = left - connection.unsent(), connection.unsent()
        served.pass_seconds(moved // CALM_PACE.rate)
    assert read == LARGE


async def test_the_silent_make_room_for_newcomers_and_bodies_under_way_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    async with serving(monkeypatch, count_max=20) as served:
        honest = await served.connect(post(b"a" * 1000, length=1001))
        await served.until_gathered(1000)
        served.pass_seconds(SECONDS_MIN)
        silent = [await served.connect() for _ in range(100)]
        await served.until_held(20)
        assert await served.ask() == 200
        await honest.send(b"a")
        assert (await honest.answer())[2] == b"1001"
        assert [await client.is_hung_up_on() for client in silent[:80]] == [True] * 80


async def test_whoever_still_reads_an_answer_does_not_make_room_for_the_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    async with serving(monkeypatch, count_max=4) as served:
        reader = await served.connect(GET.replace(b"/ ", b"/large ", 1))
        await served.until_unsent()
        served.pass_seconds(1)
        silent = [await served.connect() for _ in range(12)]
        await served.until_held(4)
        assert await served.ask() == 200
        assert [await client.is_hung_up_on() for client in silent[:9]] == [True] * 9
        _, _, body = await reader.answer()
        assert len(body) == LARGE


async def test_the_slowest_body_makes_room_and_who_just_began_is_spared(monkeypatch: pytest.MonkeyPatch) -> None:
    async with serving(monkeypatch, count_max=3) as served:
        faster, slower = [await served.connect(post(b"a" * size, length=9999)) for size in (1000, 10)]
        await served.until_gathered(1010)
        served.pass_seconds(SECONDS_MIN)
        fresh = await served.connect(post(b"a", length=9999))
        await served.until_gathered(1011)
        assert await served.ask() == 200
        status, headers, _ = await slower.answer()
        assert (status, headers["retry-after"]) == (503, "5")
        check_own_headers(headers)
        for client, left in ((faster, 8999), (fresh, 9998)):
            await client.send(b"a" * left)
            assert (await client.answer())[2] == b"9999"


async def test_with_nobody_to_spare_a_newcomer_is_told_to_come_back(monkeypatch: pytest.MonkeyPatch) -> None:
    async with serving(monkeypatch, count_max=2) as served:
        working = [await served.connect(post(path="/wait")) for _ in range(2)]
        await served.until_seen("/wait", "/wait")
        status, headers, _ = await (await served.connect()).answer()
        assert (status, headers["retry-after"]) == (503, "5")
        check_own_headers(headers)
        served.go_on.set()
        assert [(await client.answer())[0] for client in working] == [200, 200]


async def test_what_all_bodies_hold_together_has_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    async with serving(monkeypatch, bytes_max=1000) as served:
        fast = await served.connect(post(b"a" * 400, length=401))
        await served.until_gathered(400)
        slow = [await served.connect(post(b"a" * 100, length=9999)) for _ in range(20)]
        dropped = [await first_of(client) for client in slow[:12]]
        assert dropped == [503] * 12
        assert served.connections.gathered <= 1000
        await fast.send(b"a")
        assert (await fast.answer())[2] == b"401"


async def first_of(client: Client) -> int:
    return (await client.answer())[0]


async def test_when_it_is_crowded_the_slow_have_less_time(monkeypatch: pytest.MonkeyPatch) -> None:
    async with serving(monkeypatch, count_max=4) as served:
        slow = await served.connect(post(b"a", length=1000))
        await served.until_gathered(1)
        served.pass_seconds(CROWDED_PACE.patience + 1)
        assert len(served.connections) == 1
        other = await served.connect(GET)
        assert (await other.answer())[0] == 200
        served.pass_seconds(1)
        assert (await slow.answer())[0] == 408

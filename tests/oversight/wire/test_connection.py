# SPDX-License-Identifier: AGPL-3.0-or-later
"""Answers take their time at the portal's cost: slow ones are given up, costly ones refused before they are read."""

import asyncio
import hashlib
import io
import json
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from ipaddress import ip_address
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from crypto.manifest import SealedFile
from crypto.note import SigningKey
from oversight.wire.connection import Connection
from oversight.wire.heads import HEAD_BYTES_MAX, HEAD_PIECE_BYTES
from oversight.wire.json_answer import NUMBER_CHARS_MAX, VALUES_MAX, read_json
from oversight.wire.patience import SECONDS, SLOWEST_BYTES_PER_SECOND, Patience
from oversight.wire.portal_client import PortalClient
from oversight.wire.portal_errors import PortalAway, PortalUnreachable
from oversight.wire.requests import ANSWER_BYTES_MAX

ORIGIN = "https://portal.example"


class Seconds:
    """A monotonic clock that a test moves."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def pieces_of(size: int, each_takes: float, seconds: Seconds, count: int = 10**6) -> Callable[..., httpx.Response]:
    async def body() -> AsyncIterator[bytes]:
        for _ in range(count):
            seconds.now += each_takes
            yield b"x" * size

    return lambda request: httpx.Response(200, content=body())


def client_over(handler: Callable[..., httpx.Response], seconds: Seconds) -> PortalClient:
    connection = Connection(ORIGIN, httpx.MockTransport(handler), seconds)
    return PortalClient(connection, ORIGIN, SigningKey.from_seed("demo/office", b"k" * 32))


async def test_a_file_of_one_byte_a_second_is_given_up_within_the_patience_of_a_minute() -> None:
    seconds = Seconds()
    file = SealedFile("report.age", 2 * 1024**3, "0" * 64)
    with pytest.raises(PortalUnreachable) as caught:
        await client_over(pieces_of(1, 1.0, seconds), seconds).fetch_file("a" * 32, file, io.BytesIO(), Patience())
    assert caught.value.problem == "slow"
    assert seconds.now <= SECONDS + 2


async def test_what_comes_at_the_slowest_rate_is_taken_whole() -> None:
    seconds = Seconds()
    data = b"x" * SLOWEST_BYTES_PER_SECOND * 200
    file = SealedFile("report.age", len(data), hashlib.sha256(data).hexdigest())
    sink = io.BytesIO()
    handler = pieces_of(SLOWEST_BYTES_PER_SECOND, 1.0, seconds, 200)
    await client_over(handler, seconds).fetch_file("a" * 32, file, sink, Patience())
    assert sink.getvalue() == data


async def test_a_slow_disk_is_not_the_portals_slowness() -> None:
    seconds = Seconds()

    class Disk:
        written = 0

        def write(self, chunk: bytes, /) -> None:
            seconds.now += 3600
            self.written += len(chunk)

    data, disk = b"x" * 1_000_000, Disk()
    file = SealedFile("report.age", len(data), hashlib.sha256(data).hexdigest())
    await client_over(pieces_of(1000, 0.001, seconds, 1000), seconds).fetch_file("a" * 32, file, disk, Patience())
    assert disk.written == len(data)


async def test_nobody_answering_is_told_from_a_bad_answer() -> None:
    def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("no", request=request)

    with pytest.raises(PortalAway):
        await client_over(refuse, Seconds()).submissions(0)


async def test_a_redirect_is_not_followed() -> None:
    asked: list[str] = []

    def handler(request: httpx.Request) -> httpx.Response:
        asked.append(str(request.url))
        return httpx.Response(307, headers={"location": "http://127.0.0.1/"}, stream=httpx.ByteStream(b""))

    with pytest.raises(PortalUnreachable):
        await client_over(handler, Seconds()).submissions(0)
    assert len(asked) == 1


async def test_nothing_that_an_answer_wants_kept_is_ever_sent_back() -> None:
    sent: list[httpx.Headers] = []

    def handler(request: httpx.Request) -> httpx.Response:
        sent.append(request.headers)
        cookies = [("set-cookie", f"{len(sent)}-{n}=1; Path=/") for n in range(100)]
        return httpx.Response(200, headers=cookies, stream=httpx.ByteStream(b'{"submissions":[],"more":false}'))

    client = client_over(handler, Seconds())
    for _ in range(3):
        await client.submissions(0)
    assert [headers.get("cookie") for headers in sent] == [None] * 3
    assert len({len(headers.raw) for headers in sent}) == 1


@pytest.mark.parametrize(
    "body",
    [
        b"[" + b"{}," * VALUES_MAX + b"{}]",
        b'{"a":' * VALUES_MAX + b"1" + b"}" * VALUES_MAX,
        b"[" * 10_000_000,
        b"[" * 20_000,
        b"9" * 5_000,
        b"9" * (NUMBER_CHARS_MAX + 1),
        b"-" + b"9" * NUMBER_CHARS_MAX,
        b"0." + b"9" * (NUMBER_CHARS_MAX - 1),
        b"1e" + b"9" * (NUMBER_CHARS_MAX - 1),
        json.dumps(["," * VALUES_MAX]).encode(),
    ],
    ids=[
        "empty objects",
        "nested objects",
        "brackets",
        "deep",
        "a very long number",
        "a long number",
        "a long negative",
        "a long fraction",
        "a long power",
        "commas in a text",
    ],
)
def test_json_of_more_values_than_any_answer_has_is_not_parsed(body: bytes) -> None:
    with pytest.raises(PortalUnreachable):
        read_json(body)


def test_the_longest_honest_answers_are_read() -> None:
    note = "amparo reply v1\n" + "x" * 500
    postings = json.dumps({"number": 1, "last": 1, "postings": [note] * 10_000}).encode()
    assert len(read_json(postings)["postings"]) == 10_000
    entry = {"sequence": 1, "submission": "a" * 32, "sealed": "A" * 92_000, "day": "2026-11-21"}
    assert len(read_json(json.dumps({"follow_ups": [entry] * 100, "more": True}).encode())["follow_ups"]) == 100


@pytest.mark.parametrize("number", [0, -(2**63), 2**63, 10**NUMBER_CHARS_MAX - 1, 1.5])
def test_a_number_of_usual_length_is_read(number: float) -> None:
    assert read_json(json.dumps([number]).encode()) == [number]


async def test_files_that_share_their_patience_take_no_longer_together_than_one() -> None:
    seconds, patience = Seconds(), Patience(10.0)
    data = b"x" * 100
    file = SealedFile("report.age", len(data), hashlib.sha256(data).hexdigest())
    client = client_over(pieces_of(len(data), 4.0, seconds, 1), seconds)
    await client.fetch_file("a" * 32, file, io.BytesIO(), patience)
    await client.fetch_file("a" * 32, file, io.BytesIO(), patience)
    with pytest.raises(PortalUnreachable) as caught:
        await client.fetch_file("a" * 32, file, io.BytesIO(), patience)
    assert caught.value.problem == "slow"


@pytest.mark.parametrize("pieces", [0, 1, 3])
async def test_what_comes_without_ever_being_a_piece_ends_with_the_patience(pieces: int) -> None:
    """As within the line that begins a chunk, or in the fields behind the last one: bytes come, and nothing of them."""
    turns = 0

    async def body() -> AsyncIterator[bytes]:
        nonlocal turns
        for _ in range(pieces):
            yield b"x" * 1_000_000
        while turns < 1_000_000:
            turns += 1
            await asyncio.sleep(0)

    client = client_over(lambda request: httpx.Response(200, content=body()), Seconds())
    file = SealedFile("report.age", 1024**3, "0" * 64)
    with pytest.raises(PortalUnreachable) as caught:
        await client.fetch_file("a" * 32, file, io.BytesIO(), Patience(0.1))
    assert caught.value.problem == "slow"
    assert turns < 1_000_000


async def test_the_wait_for_the_head_of_an_answer_is_part_of_the_patience() -> None:
    seconds = Seconds()

    def handler(request: httpx.Request) -> httpx.Response:
        seconds.now += 11
        return httpx.Response(200, stream=httpx.ByteStream(b"x"))

    file = SealedFile("report.age", 1, hashlib.sha256(b"x").hexdigest())
    with pytest.raises(PortalUnreachable) as caught:
        await client_over(handler, seconds).fetch_file("a" * 32, file, io.BytesIO(), Patience(10.0))
    assert caught.value.problem == "slow"


async def test_of_an_answer_without_an_end_no_more_is_gathered_than_an_answer_may_have() -> None:
    gathered = 0

    async def body() -> AsyncIterator[bytes]:
        nonlocal gathered
        while True:
            gathered += 100_000
            yield b" " * 100_000

    with pytest.raises(PortalUnreachable) as caught:
        await client_over(lambda request: httpx.Response(200, content=body()), Seconds()).submissions(0)
    assert caught.value.problem == "too-long"
    assert gathered <= ANSWER_BYTES_MAX + 100_000


async def test_between_any_two_pieces_of_an_answer_others_have_their_turn() -> None:
    """Pieces that lie ready come without the loop ever waiting: ten thousand of them must not be one long step."""
    steps, longest, in_one_step = 0, 0, 0

    async def body() -> AsyncIterator[bytes]:
        nonlocal in_one_step, longest
        for _ in range(10_000):
            in_one_step += 1
            longest = max(longest, in_one_step)
            yield b"x" * 128

    async def others() -> None:
        nonlocal steps, in_one_step
        while True:
            steps, in_one_step = steps + 1, 0
            await asyncio.sleep(0)

    other = asyncio.create_task(others())
    file = SealedFile("report.age", 1_280_000, hashlib.sha256(b"x" * 1_280_000).hexdigest())
    client = client_over(lambda request: httpx.Response(200, content=body()), Seconds())
    await client.fetch_file("a" * 32, file, io.BytesIO(), Patience())
    other.cancel()
    assert steps >= 10_000 and longest <= 2


async def test_pieces_of_next_to_nothing_are_slow_even_if_they_all_lie_ready() -> None:
    """Each costs the office as much as a large one: ten million of them would keep it at work for an hour."""
    gathered = 0

    async def body() -> AsyncIterator[bytes]:
        nonlocal gathered
        while True:
            gathered += 1
            yield b" "

    with pytest.raises(PortalUnreachable) as caught:
        await client_over(lambda request: httpx.Response(200, content=body()), Seconds()).submissions(0)
    assert caught.value.problem == "slow"
    assert gathered < 10_000


def own_certificate(folder: Path) -> ssl.SSLContext:
    """A server's side of TLS on 127.0.0.1; its certificate is in ``folder``, as ``certificate.pem``."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([])
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), 1, datetime(2020, 1, 1), datetime(2120, 1, 1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=True)
        .sign(key, hashes.SHA256())
    )
    (folder / "certificate.pem").write_bytes(certificate.public_bytes(Encoding.PEM))
    bare = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (folder / "key.pem").write_bytes(bare)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(folder / "certificate.pem", folder / "key.pem")
    return context


@pytest.fixture(params=["http", "https"])
def tls(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext | None:
    """How the portal is reached; its certificate is one that the office trusts."""
    if request.param == "http":
        return None
    served = own_certificate(tmp_path)
    trusting = ssl.create_default_context(cafile=str(tmp_path / "certificate.pem"))
    monkeypatch.setattr(httpx, "create_ssl_context", lambda **options: trusting)
    return served


@asynccontextmanager
async def portal_that_sends(head: bytes, then: bytes, tls: ssl.SSLContext | None) -> AsyncIterator[Connection]:
    """A connection to a real socket: each request is answered with ``head`` and then, without end, with ``then``."""
    answering: list[asyncio.Task[None] | None] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        answering.append(asyncio.current_task())
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            while True:
                await reader.readuntil(b"\r\n\r\n")
                writer.write(head)
                while then:
                    writer.write(then)
                    await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=tls)
    scheme, port = "https" if tls else "http", server.sockets[0].getsockname()[1]
    connection = Connection(f"{scheme}://127.0.0.1:{port}")
    try:
        yield connection
    finally:
        await connection.close()
        server.close()
        await asyncio.wait_for(asyncio.gather(*filter(None, answering)), 30)


async def ask(connection: Connection) -> bytes:
    async with connection.ask("GET", "/", None, {}, Patience()) as answered:
        return await answered.whole(ANSWER_BYTES_MAX)


INTERIM = b"HTTP/1.1 103 Early\r\nLink: </>\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + b"x" * 100_000


@pytest.mark.parametrize(
    ("head", "then"),
    [(b"", INTERIM * 4_000), (b"HTTP/1.1 200 OK\r\n", b"x: y\r\n" * 1_000), (b"HTTP/1.1 200 OK\r\n", b"x" * 9_000)],
    ids=["interim answers", "fields", "one field"],
)
async def test_what_comes_before_an_answer_ends_at_a_length_and_leaves_others_their_turn(
    head: bytes, then: bytes, tls: ssl.SSLContext | None
) -> None:
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    other = asyncio.create_task(others())
    async with portal_that_sends(head, then, tls) as connection:
        with pytest.raises(PortalUnreachable) as caught:
            await ask(connection)
        assert caught.value.problem == "too-long"
        assert connection.answers == 0
    other.cancel()
    assert turns > HEAD_BYTES_MAX // HEAD_PIECE_BYTES


async def test_an_answer_after_some_interim_ones_is_read_whole_each_time(tls: ssl.SSLContext | None) -> None:
    async with portal_that_sends(INTERIM * 50 + OK, b"", tls) as connection:
        assert [await ask(connection) for _ in range(3)] == [b"x" * 100_000] * 3


async def test_a_portal_with_a_certificate_that_nobody_vouches_for_is_not_asked(tmp_path: Path) -> None:
    async with portal_that_sends(OK, b"", own_certificate(tmp_path)) as connection:
        with pytest.raises(PortalAway):
            await ask(connection)

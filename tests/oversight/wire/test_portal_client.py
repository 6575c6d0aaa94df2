# SPDX-License-Identifier: AGPL-3.0-or-later
"""Requests to the portal: their signatures, and distrust of answers."""

import gzip
import hashlib
import io
from collections.abc import AsyncIterator, Callable

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from http_message_signatures import HTTPMessageVerifier, InvalidSignature, MappingKeyResolver, algorithms

from crypto.encoding import decode_base64
from crypto.manifest import SealedFile
from crypto.note import SigningKey
from oversight.wire.connection import Connection
from oversight.wire.patience import Patience
from oversight.wire.portal_client import PortalClient
from oversight.wire.portal_errors import DamagedFile, PortalRefused, PortalUnreachable
from oversight.wire.request_signature import SignedParts
from oversight.wire.requests import ANSWER_BYTES_MAX
from tests.oversight.portal_simulator import answer, refusal
from tests.people import NOW

ORIGIN = "https://portal.example"
KEY = SigningKey.from_seed("demo/office", b"k" * 32)
ID = "a" * 32


def client_of(handler: Callable[[httpx.Request], httpx.Response]) -> PortalClient:
    """The portal is reached at another address than the one it goes by, as over an onion service."""
    transport = httpx.MockTransport(handler)
    return PortalClient(Connection("http://127.0.0.1:9999", transport), ORIGIN, KEY, lambda: NOW)


class _Verifier(HTTPMessageVerifier):
    def validate_created_and_expires(self, sig_input: object, max_age: object = None) -> None:
        return


def verify(request: httpx.Request, origin: str) -> dict[str, object]:
    parts = SignedParts(request.method, origin + request.url.raw_path.decode(), dict(request.headers))
    public = Ed25519PublicKey.from_public_bytes(KEY.verifier.public)
    resolver = MappingKeyResolver(public_keys={KEY.verifier.short_id: public}, private_keys={})
    verifier = _Verifier(signature_algorithm=algorithms.ED25519, key_resolver=resolver)
    [result] = verifier.verify(parts, max_age=None)
    assert result.label == "amparo"
    return dict(result.parameters)


async def test_the_signature_covers_the_origin_that_the_portal_goes_by_the_body_and_a_fresh_nonce() -> None:
    seen: list[httpx.Request] = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return answer(200, {"status": "accepted"})

    client = client_of(handler)
    await client.collect(ID, b"note")
    await client.collect(ID, b"note")
    first, second = (verify(request, ORIGIN) for request in seen)
    assert first["created"] == int(NOW.timestamp()) and first["keyid"] == KEY.verifier.short_id
    nonces = [decode_base64(str(found["nonce"]), 16) for found in (first, second)]
    assert nonces[0] != nonces[1]
    with pytest.raises(InvalidSignature):
        verify(seen[0], "https://other.example")
    digest = seen[0].headers["content-digest"]
    assert decode_base64(digest.removeprefix("sha-256=:").removesuffix(":")) == hashlib.sha256(b"note").digest()
    assert '"content-digest"' in seen[0].headers["signature-input"]
    await client.close()


async def test_a_refusal_carries_the_portals_code() -> None:
    client = client_of(lambda request: refusal(403, "not-your-commission"))
    with pytest.raises(PortalRefused) as caught:
        await client.submissions(0)
    assert (caught.value.code, caught.value.status) == ("not-your-commission", 403)


@pytest.mark.parametrize(
    "given",
    [
        answer(503, {"error": {"code": "busy", "message": "", "field": None}}),
        answer(503, {"error": {"code": "unavailable", "message": "", "field": None}}),
        answer(502, b"<html>bad gateway</html>"),
        answer(404, {"error": "not found"}),
        answer(404, {"error": {"code": "Not A Code!"}}),
        answer(302, b""),
        answer(200, b"no json"),
        answer(200, {"submissions": "no list", "more": False}),
        answer(200, {"submissions": [{}] * 101, "more": False}),
        answer(200, b"[" + b"{}," * 1_000_000 + b"{}]"),
        answer(200, {"submissions": [{"sequence": 1, "submission": "../../etc", "manifest": ""}]}),
        answer(200, [[[]]]),
    ],
)
async def test_whatever_no_portal_would_answer_counts_as_unreachable(given: httpx.Response) -> None:
    with pytest.raises(PortalUnreachable):
        await client_of(lambda request: given).submissions(0)


async def test_an_endless_answer_is_given_up() -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while True:
            sent += 65_536
            yield b" " * 65_536

    with pytest.raises(PortalUnreachable):
        await client_of(lambda request: httpx.Response(200, content=endless())).submissions(0)
    assert sent < ANSWER_BYTES_MAX + 3 * 1024 * 1024


async def test_a_compressed_answer_is_not_unpacked() -> None:
    bomb = gzip.compress(b" " * 50_000_000)
    packed = httpx.Response(200, headers={"content-encoding": "gzip"}, stream=httpx.ByteStream(bomb))
    with pytest.raises(PortalUnreachable):
        await client_of(lambda request: packed).submissions(0)


@pytest.mark.parametrize(("content", "what"), [(b"too long by far", "size"), (b"shor", "size"), (b"other", "hash")])
async def test_a_file_that_is_not_the_manifests_is_refused(content: bytes, what: str) -> None:
    file = SealedFile("report.age", 5, hashlib.sha256(b"right").hexdigest())
    sink = io.BytesIO()
    with pytest.raises(DamagedFile) as caught:
        await client_of(lambda request: answer(200, content)).fetch_file(ID, file, sink, Patience())
    assert (caught.value.file, caught.value.what) == ("report.age", what)
    assert len(sink.getvalue()) <= 5


async def test_a_file_that_never_ends_is_cut_at_its_size() -> None:
    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield b"x" * 1_000_000

    file, sink = SealedFile("report.age", 5_000_000, "0" * 64), io.BytesIO()
    with pytest.raises(DamagedFile):
        await client_of(lambda request: httpx.Response(200, content=endless())).fetch_file(ID, file, sink, Patience())
    assert len(sink.getvalue()) <= 5_000_000


async def test_one_unreadable_manifest_does_not_hide_the_list() -> None:
    entries = [
        {"sequence": 1, "submission": ID, "manifest": "%%%", "acknowledgement": 7},
        {"sequence": 2, "submission": "b" * 32, "manifest": "e30=", "acknowledgement": "note"},
    ]
    page = await client_of(lambda request: answer(200, {"submissions": entries, "more": False})).submissions(0)
    assert [(entry.manifest, entry.acknowledgement) for entry in page.entries] == [(b"", b""), (b"{}", b"note")]

# SPDX-License-Identifier: AGPL-3.0-or-later
"""Requests in an office's name that anyone may send: what costs little to refuse is refused first (§10)."""

from datetime import timedelta
from typing import Any

import pytest

from crypto.note import SigningKey, VerifierKey
from portal.office_api import request_signature
from tests.people import NOW, PORTAL_ORIGIN
from tests.portal.office_api.request_signer import RequestSigner
from tests.portal.world import API, RunningPortal, digest_header, error_code

LIST = f"{API}/office/submissions"


def signed(portal: RunningPortal, key: SigningKey | None = None, **changes: Any) -> dict[str, str]:
    signer = RequestSigner(key or portal.world.office_key, portal.clock)
    return signer.headers("GET", PORTAL_ORIGIN + LIST, None, **changes)


@pytest.mark.parametrize("name", ["Signature", "Signature-Input"])
async def test_a_long_header_is_refused_unread(
    portal: RunningPortal, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    headers = signed(portal)
    headers[name] += ", " + ", ".join(f"s{number}=:AAAA:" for number in range(6000))
    monkeypatch.delattr(request_signature.http_sf, "parse")
    assert error_code(await portal.client.get(LIST, headers=headers)) == (401, "signature-invalid")


async def test_many_short_ones_of_a_name_are_as_long_as_one(portal: RunningPortal) -> None:
    headers = [*signed(portal).items(), *[("Signature", f"s{number}=:AAAA:") for number in range(100)]]
    assert error_code(await portal.client.get(LIST, headers=headers)) == (401, "signature-invalid")


async def test_a_long_digest_is_refused_unread(portal: RunningPortal, monkeypatch: pytest.MonkeyPatch) -> None:
    digest = digest_header(b"part") + ", sha-512=:AAAA:" * 4000
    monkeypatch.delattr(request_signature.http_sf, "parse")
    path = f"{API}/uploads/{'ab' * 16}/attachment-1.age/0"
    answer = await portal.client.put(path, content=b"part", headers={"content-digest": digest})
    assert error_code(answer) == (400, "digest-missing")


async def test_no_signature_is_verified_that_is_old_or_by_nobody(
    portal: RunningPortal, monkeypatch: pytest.MonkeyPatch
) -> None:
    def check(*_: object) -> None:
        raise AssertionError

    monkeypatch.setattr(VerifierKey, "check", check)
    old = signed(portal, created=NOW - timedelta(hours=1))
    assert error_code(await portal.client.get(LIST, headers=old)) == (401, "signature-expired")
    stranger = signed(portal, SigningKey.generate(f"{portal.world.slug}/office"))
    assert error_code(await portal.client.get(LIST, headers=stranger)) == (401, "signature-invalid")


@pytest.mark.parametrize(
    "claim",
    [
        "amparo",
        "amparo=1",
        'amparo=("@method");created=1;keyid=1;nonce=1',
        'amparo=("@method");created=1.5;keyid="a";nonce="b"',
        'amparo=("@method");created=1;keyid="a";nonce="b"',
        'amparo=("@method");created=1;keyid=a;nonce="IhzJWQCf/IzJ6hoHpqG7Lg=="',
        'amparo=("@method");created=1, amparo=("@method")',
        'other=("@method");created=1;keyid="a";nonce="IhzJWQCf/IzJ6hoHpqG7Lg=="',
        "\x80=(",
        "",
    ],
)
async def test_what_claims_nothing_that_could_be_checked_is_refused(portal: RunningPortal, claim: str) -> None:
    headers = {"signature": "amparo=:AAAA:", "signature-input": claim.encode("latin-1").decode("latin-1")}
    encoded = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
    answer = await portal.client.get(LIST, headers=encoded)
    assert error_code(answer) == (401, "signature-invalid")

# SPDX-License-Identifier: AGPL-3.0-or-later
"""What offices fetch and deliver, and which requests are refused (docs/protocol.md §10)."""

import hashlib
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from http_message_signatures import algorithms

from crypto.acknowledgement import read_acknowledgement
from crypto.collection import Collection
from crypto.encoding import decode_base64
from crypto.manifest import read_manifest
from crypto.note import SigningKey
from crypto.submission import SealedSubmission
from portal.storage.records import NonceRecord
from tests.crypto import edwards
from tests.people import NOW, PORTAL_ORIGIN, REALM, found_test_commission, portal_key
from tests.portal.charters.test_charters import post, successor
from tests.portal.office_api.request_signer import RequestSigner
from tests.portal.world import (
    API,
    RunningPortal,
    collected_files,
    error_code,
    fresh_report,
    mailbox_secrets,
    publish,
    running_portal,
)

LIST = f"{API}/office/submissions?after=0"


def collection_note(portal: RunningPortal, sealed: SealedSubmission, **changes: Any) -> bytes:
    collection = Collection(REALM, sealed.manifest.submission, sealed.manifest_hash, NOW.date())
    return replace(collection, **changes).sign(portal.world.office_key).encode()


async def test_an_office_lists_what_came_after_what_it_has(portal_on: RunningPortal) -> None:
    sealed = [fresh_report() for _ in range(3)]
    given = [await portal_on.submit(each.bundle()) for each in sealed]
    page = (await portal_on.office("GET", "/submissions?after=0")).json()
    assert page["more"] is False
    assert [each["submission"] for each in page["submissions"]] == [each.manifest.submission for each in sealed]
    first = page["submissions"][0]
    assert read_manifest(decode_base64(first["manifest"])) == sealed[0].manifest
    assert first["acknowledgement"] == given[0].json()["acknowledgement"]
    acknowledgement = read_acknowledgement(first["acknowledgement"].encode(), [portal_key().verifier])
    assert acknowledgement.received == NOW.date()
    rest = (await portal_on.office("GET", f"/submissions?after={first['sequence']}")).json()
    assert rest["submissions"] == page["submissions"][1:]


async def test_a_list_has_at_most_100_and_says_that_there_is_more(portal: RunningPortal) -> None:
    for _ in range(101):
        await portal.submit(fresh_report().bundle())
    page = (await portal.office("GET", "/submissions?after=0")).json()
    assert (len(page["submissions"]), page["more"]) == (100, True)
    rest = (await portal.office("GET", f"/submissions?after={page['submissions'][-1]['sequence']}")).json()
    assert (len(rest["submissions"]), rest["more"]) == (1, False)


async def test_an_office_fetches_every_file_as_it_was_sealed(portal_on: RunningPortal) -> None:
    sealed = fresh_report(5_000_000)
    await portal_on.submit(sealed.bundle())
    for name, data in collected_files(sealed).items():
        answer = await portal_on.office("GET", f"/submissions/{sealed.manifest.submission}/files/{name}")
        assert answer.content == data
    for path in (
        f"/submissions/{sealed.manifest.submission}/files/attachment-2.age",
        f"/submissions/{sealed.manifest.submission}/files/state.age",
        f"/submissions/{'ab' * 16}/files/report.age",
    ):
        assert error_code(await portal_on.office("GET", path)) == (404, "not-found")


async def test_the_reporter_sees_the_collection(portal_on: RunningPortal) -> None:
    sealed = fresh_report()
    await portal_on.submit(sealed.bundle())
    note = collection_note(portal_on, sealed)
    path = f"/submissions/{sealed.manifest.submission}/collection"
    assert (await portal_on.office("POST", path, note)).status_code == 200
    assert (await portal_on.office("POST", path, note)).status_code == 200
    assert (await portal_on.read_mailbox(mailbox_secrets()))["collection"] == note.decode()


async def test_a_collection_note_about_something_else_is_refused(portal: RunningPortal) -> None:
    sealed = fresh_report()
    await portal.submit(sealed.bundle())
    path = f"/submissions/{sealed.manifest.submission}/collection"
    stranger = SigningKey.generate(f"{portal.world.slug}/office")
    wrong = [
        collection_note(portal, sealed, submission="ab" * 16),
        collection_note(portal, sealed, manifest_hash="ab" * 32),
        collection_note(portal, sealed, realm="ab" * 16),
        Collection(REALM, sealed.manifest.submission, sealed.manifest_hash, NOW.date()).sign(stranger).encode(),
        b"not a note",
    ]
    for note in wrong:
        assert error_code(await portal.office("POST", path, note)) == (400, "malformed-request")
    assert (await portal.read_mailbox(mailbox_secrets()))["collection"] is None


async def test_an_unsigned_request_is_refused(portal: RunningPortal) -> None:
    assert error_code(await portal.client.get(LIST)) == (401, "signature-missing")


async def test_a_request_signed_by_a_stranger_is_refused(portal: RunningPortal) -> None:
    for key in (SigningKey.generate("second-commission/office"), SigningKey.generate(f"{portal.world.slug}/office")):
        assert error_code(await portal.office("GET", "/submissions?after=0", key=key)) == (401, "signature-invalid")


class _SignsWithZero(algorithms.HTTPSignatureAlgorithm):
    """By the office's own key, with the point zero for R, which OpenSSL takes and notes don't."""

    algorithm_id = "ed25519"

    def __init__(self, private_key: Ed25519PrivateKey) -> None:
        self._key = private_key

    def sign(self, message: bytes) -> bytes:
        public = self._key.public_key()
        half = hashlib.sha512(self._key.private_bytes_raw()).digest()[:32]
        scalar = int.from_bytes(half, "little") & (1 << 254) - 8 | 1 << 254
        signature = edwards.sign(message, scalar, 0, public.public_bytes_raw(), edwards.encode(edwards.ZERO))
        public.verify(signature, message)
        return signature


async def test_a_request_is_signed_as_notes_are_and_not_as_openssl_would_take_it(portal: RunningPortal) -> None:
    signer = RequestSigner(portal.world.office_key, portal.clock, _SignsWithZero)
    headers = signer.headers("GET", PORTAL_ORIGIN + LIST, None)
    assert error_code(await portal.client.get(LIST, headers=headers)) == (401, "signature-invalid")


async def test_a_member_may_not_sign_for_the_office(portal: RunningPortal) -> None:
    key = portal.world["amina"].signing_key
    assert error_code(await portal.office("GET", "/submissions?after=0", key=key)) == (401, "signature-invalid")


async def test_another_commission_sees_nothing_of_ours(portal: RunningPortal) -> None:
    other = found_test_commission(slug="second-commission")
    await publish(portal, other)
    sealed = fresh_report()
    await portal.submit(sealed.bundle())
    listed = await portal.office("GET", "/submissions?after=0", key=other.office_key)
    assert listed.json() == {"submissions": [], "more": False}
    submission = sealed.manifest.submission
    tries = [
        ("GET", f"/submissions/{submission}/files/report.age", None),
        ("POST", f"/submissions/{submission}/collection", collection_note(portal, sealed)),
    ]
    for method, path, body in tries:
        refused = await portal.office(method, path, body, key=other.office_key)
        assert error_code(refused) == (403, "not-your-commission")


async def test_a_key_of_an_older_charter_is_refused(portal: RunningPortal) -> None:
    new_key = SigningKey.generate(f"{portal.world.slug}/office-2")
    note = successor(portal.world, portal.world.charter, office=(new_key.verifier,))
    assert (await post(portal, note)).status_code == 201
    assert error_code(await portal.office("GET", "/submissions?after=0")) == (401, "signature-invalid")
    assert (await portal.office("GET", "/submissions?after=0", key=new_key)).status_code == 200


@pytest.mark.parametrize("seconds", [-301, 301])
async def test_a_signature_of_another_time_is_refused(portal: RunningPortal, seconds: int) -> None:
    signer = RequestSigner(portal.world.office_key, lambda: portal.clock() + timedelta(seconds=seconds))
    answer = await portal.client.get(LIST, headers=signer.headers("GET", PORTAL_ORIGIN + LIST, None))
    assert error_code(answer) == (401, "signature-expired")


@pytest.mark.parametrize("seconds", [-299, 299])
async def test_a_clock_may_be_a_little_wrong(portal: RunningPortal, seconds: int) -> None:
    signer = RequestSigner(portal.world.office_key, lambda: portal.clock() + timedelta(seconds=seconds))
    answer = await portal.client.get(LIST, headers=signer.headers("GET", PORTAL_ORIGIN + LIST, None))
    assert answer.status_code == 200


async def test_a_request_can_not_be_played_again_not_even_after_a_restart(tmp_path: Path, database_url: str) -> None:
    async with running_portal(tmp_path, database_url) as portal:
        signer = RequestSigner(portal.world.office_key, portal.clock)
        headers = signer.headers("GET", PORTAL_ORIGIN + LIST, None)
        assert (await portal.client.get(LIST, headers=headers)).status_code == 200
        assert error_code(await portal.client.get(LIST, headers=headers)) == (401, "signature-replayed")
    async with running_portal(tmp_path, database_url) as portal:
        assert error_code(await portal.client.get(LIST, headers=headers)) == (401, "signature-replayed")


async def test_old_nonces_are_forgotten_and_fresh_ones_are_not(portal: RunningPortal) -> None:
    signer = RequestSigner(portal.world.office_key, portal.clock)
    headers = signer.headers("GET", PORTAL_ORIGIN + LIST, None)
    await portal.client.get(LIST, headers=headers)
    await portal.sweep_alone()
    assert error_code(await portal.client.get(LIST, headers=headers)) == (401, "signature-replayed")
    portal.clock.pass_days(1)
    await portal.sweep_alone()
    with portal.database.use():
        assert await NonceRecord.all().count() == 0
    assert error_code(await portal.client.get(LIST, headers=headers)) == (401, "signature-expired")


async def test_what_is_kept_of_a_request_does_not_tell_when_in_the_hour_it_came(portal: RunningPortal) -> None:
    """An office comes for a report within a minute, so that the second would nearly be the reporter's."""
    signer = RequestSigner(portal.world.office_key, portal.clock)
    await portal.client.get(LIST, headers=signer.headers("GET", PORTAL_ORIGIN + LIST, None))
    with portal.database.use():
        [kept] = await NonceRecord.all()
    assert kept.expires % 3600 == 0
    assert kept.expires >= portal.clock().timestamp() + 600


async def test_an_altered_request_is_refused(portal: RunningPortal) -> None:
    sealed = fresh_report()
    await portal.submit(sealed.bundle())
    signer = RequestSigner(portal.world.office_key, portal.clock)
    path = f"{API}/office/submissions/{sealed.manifest.submission}/collection"
    body = collection_note(portal, sealed)

    def signed() -> dict[str, str]:
        return signer.headers("POST", PORTAL_ORIGIN + path, body)

    other_path = path.replace("collection", "control")
    altered_digest = {**signed(), "content-digest": "sha-256=:" + "A" * 43 + "=:"}
    headers = signed()
    no_digest = {name: value for name, value in headers.items() if name.lower() != "content-digest"}
    client = portal.client
    assert error_code(await client.post(path, content=body + b"x", headers=signed())) == (400, "digest-mismatch")
    assert error_code(await client.post(other_path, content=body, headers=signed())) == (401, "signature-invalid")
    assert error_code(await client.put(path, content=body, headers=signed())) == (405, "method-not-allowed")
    assert error_code(await client.post(path + "?x=1", content=body, headers=signed())) == (401, "signature-invalid")
    assert error_code(await client.post(path, content=body, headers=altered_digest)) == (401, "signature-invalid")
    assert error_code(await client.post(path, content=body, headers=no_digest)) == (401, "signature-invalid")
    assert (await client.post(path, content=body, headers=signed())).status_code == 200


@pytest.mark.parametrize(
    "changes",
    [
        {"label": "other"},
        {"nonce": None},
        {"nonce": "c2hvcnQ="},
        {"nonce": "not base64"},
        {"covered_component_ids": ("@method",)},
        {"covered_component_ids": ("@target-uri",)},
    ],
)
async def test_a_signature_that_covers_less_or_says_less_is_refused(
    portal: RunningPortal, changes: dict[str, object]
) -> None:
    signer = RequestSigner(portal.world.office_key, portal.clock)
    headers = signer.headers("GET", PORTAL_ORIGIN + LIST, None, **changes)
    assert error_code(await portal.client.get(LIST, headers=headers)) == (401, "signature-invalid")


async def test_a_signature_for_another_origin_is_refused(portal: RunningPortal) -> None:
    signer = RequestSigner(portal.world.office_key, portal.clock)
    headers = signer.headers("GET", "http://portal.elsewhere" + LIST, None)
    assert error_code(await portal.client.get(LIST, headers=headers)) == (401, "signature-invalid")


@pytest.mark.parametrize(
    "headers",
    [{"signature": "x", "signature-input": "y"}, {"signature": "amparo=:AA==:", "signature-input": "amparo=()"}],
)
async def test_headers_that_are_no_signature_are_refused(portal: RunningPortal, headers: dict[str, str]) -> None:
    assert error_code(await portal.client.get(LIST, headers=headers)) == (401, "signature-invalid")


@pytest.mark.parametrize("after", ["x", "-1", "1.5", "9" * 17])
async def test_a_sequence_that_is_none_is_refused(portal: RunningPortal, after: str) -> None:
    assert error_code(await portal.office("GET", f"/submissions?after={after}")) == (400, "malformed-request")

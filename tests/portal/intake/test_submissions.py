# SPDX-License-Identifier: AGPL-3.0-or-later
"""Bundles in, acknowledgements out (docs/protocol.md §6.1, §7.2)."""

import asyncio
import hashlib
import zipfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import httpx
import pytest

from crypto.acknowledgement import read_acknowledgement
from crypto.age import PqIdentity, seal
from crypto.bundle import MEDIA_TYPE, write_bundle
from crypto.encoding import decode_base64, encode_json
from crypto.manifest import Manifest, SealedFile
from crypto.padding import URGENCY_SIZE
from crypto.submission import SealedSubmission
from portal.storage.blobs import Part
from portal.storage.records import SubmissionRecord
from tests.people import NOW, REALM, VALID_FROM, VALID_UNTIL, found_test_commission, portal_key
from tests.portal.intake.raw_bundle import raw_bundle
from tests.portal.world import (
    API,
    Clock,
    RunningPortal,
    another,
    collected_files,
    commission,
    digest_header,
    error_code,
    fresh_report,
    fresh_secrets,
    in_mailbox,
    publish,
    running_portal,
    sealed_report,
)


async def stored(portal: RunningPortal) -> int:
    with portal.database.use():
        return await SubmissionRecord.all().count()


def with_files(sealed: SealedSubmission, **files: bytes) -> SealedSubmission:
    """The same submission with other bytes in some files, and a manifest that says so."""
    changed = {**sealed.files, **{name.replace("_", "."): data for name, data in files.items()}}
    other = replace(sealed, files=changed)
    files = collected_files(other).items()
    listed = tuple(SealedFile(name, len(data), hashlib.sha256(data).hexdigest()) for name, data in files)
    return another(other, files=listed)


def with_manifest(sealed: SealedSubmission, **changes: object) -> SealedSubmission:
    manifest = replace(sealed.manifest, **changes)  # type: ignore[arg-type]
    return replace(sealed, manifest=manifest, manifest_bytes=manifest.encode())


async def test_a_bundle_is_accepted_and_acknowledged(portal_on: RunningPortal) -> None:
    sealed = fresh_report()
    answer = await portal_on.submit(sealed.bundle())
    assert answer.status_code == 201, answer.text
    assert answer.json()["status"] == "accepted"
    acknowledgement = read_acknowledgement(answer.json()["acknowledgement"].encode(), [portal_key().verifier])
    acknowledgement.check(
        realm=REALM,
        submission=sealed.manifest.submission,
        manifest_hash=sealed.manifest_hash,
        commitment=sealed.commitment,
    )
    assert acknowledgement.received == portal_on.clock().date()


async def test_a_bundle_with_attachments_of_several_parts_is_accepted(portal: RunningPortal) -> None:
    sealed = fresh_report(9_000_000, 10)
    assert (await portal.submit(sealed.bundle())).status_code == 201
    for name in ("attachment-1.age", "attachment-2.age"):
        answer = await portal.office("GET", f"/submissions/{sealed.manifest.submission}/files/{name}")
        assert answer.content == sealed.files[name]


async def test_the_same_manifest_again_gets_the_same_acknowledgement(portal_on: RunningPortal) -> None:
    sealed = fresh_report()
    first = await portal_on.submit(sealed.bundle())
    portal_on.clock.pass_days(1)
    second = await portal_on.submit(sealed.bundle())
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json() == second.json()
    assert await stored(portal_on) == 1


async def test_a_repeat_is_known_after_its_charter_has_expired(portal: RunningPortal) -> None:
    sealed = fresh_report()
    first = await portal.submit(sealed.bundle())
    portal.clock.now = NOW.replace(year=VALID_UNTIL.year + 1)
    second = await portal.submit(sealed.bundle())
    assert second.status_code == 200
    assert first.json() == second.json()


async def test_a_repeat_is_known_after_a_restart(tmp_path: Path) -> None:
    sealed = fresh_report(100_000)
    async with running_portal(tmp_path) as portal:
        first = await portal.submit(sealed.bundle())
    async with running_portal(tmp_path) as portal:
        second = await portal.submit(sealed.bundle())
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json() == second.json()


async def test_the_same_bundle_sent_many_times_at_once_is_stored_once(portal_on: RunningPortal) -> None:
    sealed, other = fresh_report(), fresh_report()
    answers = await asyncio.gather(*(portal_on.submit(each.bundle()) for each in [sealed, other] * 5))
    assert sorted(answer.status_code for answer in answers) == [200] * 8 + [201] * 2
    assert len({answer.json()["acknowledgement"] for answer in answers}) == 2
    assert await stored(portal_on) == 2


async def test_another_manifest_under_a_used_id_is_refused(portal_on: RunningPortal) -> None:
    sealed = fresh_report()
    assert (await portal_on.submit(sealed.bundle())).status_code == 201
    forged = with_manifest(in_mailbox(sealed, fresh_secrets()), submission=sealed.manifest.submission)
    assert error_code(await portal_on.submit(forged.bundle())) == (409, "submission-conflict")
    assert (await portal_on.submit(sealed.bundle())).status_code == 200


async def test_two_manifests_under_one_id_at_once_leave_one(portal_on: RunningPortal) -> None:
    sealed = fresh_report()
    forged = with_manifest(in_mailbox(sealed, fresh_secrets()), submission=sealed.manifest.submission)
    answers = await asyncio.gather(portal_on.submit(sealed.bundle()), portal_on.submit(forged.bundle()))
    assert sorted(answer.status_code for answer in answers) == [201, 409]
    assert await stored(portal_on) == 1


async def test_a_connection_that_dies_before_the_answer_loses_nothing(portal: RunningPortal) -> None:
    sealed = fresh_report()
    bundle = sealed.bundle()

    async def die(_: object) -> None:
        raise OSError("the client has gone")

    messages = [{"type": "http.request", "body": bundle, "more_body": False}]

    async def receive() -> dict[str, object]:
        return messages.pop(0)

    scope = {
        "type": "http",
        "method": "POST",
        "path": f"{API}/submissions",
        "raw_path": f"{API}/submissions".encode(),
        "root_path": "",
        "query_string": b"",
        "headers": [(b"content-type", MEDIA_TYPE.encode())],
        "http_version": "1.1",
        "scheme": "http",
    }
    await portal.app(scope, receive, die)  # type: ignore[arg-type]
    answer = await portal.submit(bundle)
    assert answer.status_code == 200
    assert sealed.manifest_hash in answer.json()["acknowledgement"]


async def test_a_connection_that_dies_while_sending_leaves_nothing(portal: RunningPortal) -> None:
    sealed = fresh_report()
    bundle = sealed.bundle()

    async def half() -> AsyncIterator[bytes]:
        yield bundle[: len(bundle) // 2]

    answer = await portal.client.post(f"{API}/submissions", content=half(), headers={"content-type": MEDIA_TYPE})
    assert error_code(answer) == (400, "malformed-bundle")
    assert await stored(portal) == 0
    assert (await portal.submit(bundle)).status_code == 201


@pytest.mark.parametrize("keep", [0, 1, 29, 500, 20_000, -1])
async def test_a_truncated_bundle_is_refused(portal: RunningPortal, keep: int) -> None:
    assert error_code(await portal.submit(fresh_report().bundle()[:keep])) == (400, "malformed-bundle")
    assert await stored(portal) == 0


async def test_bytes_after_the_end_of_a_bundle_are_refused(portal: RunningPortal) -> None:
    assert error_code(await portal.submit(fresh_report().bundle() + b"\0")) == (400, "malformed-bundle")


async def test_an_archive_that_an_ordinary_tool_made_is_refused(portal: RunningPortal) -> None:
    sealed = fresh_report()
    archive = BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as zipped:
        zipped.writestr("manifest.json", sealed.manifest_bytes)
        zipped.writestr("commitment", sealed.commitment)
        for name, data in sealed.files.items():
            zipped.writestr(name, data)
    assert error_code(await portal.submit(archive.getvalue())) == (400, "malformed-bundle")


async def test_a_bundle_with_swapped_files_is_refused(portal: RunningPortal) -> None:
    sealed = fresh_report()
    bundle = bytearray(sealed.bundle())
    first, second = (bundle.find(name) for name in (b"report.age", b"state.age."))
    assert first > 0 > second
    swapped = bundle.replace(b"report.age", b"statex.age")
    assert error_code(await portal.submit(bytes(swapped)))[0] == 400


async def test_a_manifest_that_does_not_follow_the_format_is_refused(portal: RunningPortal) -> None:
    sealed = fresh_report()
    spaced = sealed.manifest_bytes.replace(b'"files":', b'"files": ')
    bundle = _unchecked_bundle(spaced, sealed)
    assert error_code(await portal.submit(bundle)) == (400, "malformed-manifest")


async def test_a_file_with_another_hash_than_the_manifest_says_is_refused(portal: RunningPortal) -> None:
    sealed = fresh_report()
    report = sealed.files["report.age"]
    flipped = report[:-1] + bytes([report[-1] ^ 1])
    bundle = _unchecked_bundle(sealed.manifest_bytes, replace(sealed, files={**sealed.files, "report.age": flipped}))
    answer = await portal.submit(bundle)
    assert error_code(answer) == (422, "file-hash-mismatch")
    assert answer.json()["error"]["field"] == "report.age"


async def test_a_file_with_another_size_than_the_manifest_says_is_refused(portal: RunningPortal) -> None:
    sealed = fresh_report()
    files = {**sealed.files, "grant.age": sealed.files["grant.age"] + b"\0"}
    bundle = _unchecked_bundle(sealed.manifest_bytes, replace(sealed, files=files))
    answer = await portal.submit(bundle)
    assert error_code(answer) == (422, "file-size-mismatch")
    assert answer.json()["error"]["field"] == "grant.age"


async def test_a_report_larger_than_allowed_is_refused(portal: RunningPortal) -> None:
    sealed = fresh_report()
    large = replace(
        sealed.manifest, files=(SealedFile("report.age", 2 * 1024**2 + 1, "00" * 32), *sealed.manifest.files[1:])
    )
    bundle = _unchecked_bundle(_encode_unchecked(large), sealed)
    assert error_code(await portal.submit(bundle)) == (413, "too-large")


async def test_an_attachment_larger_than_the_charter_allows_is_refused_before_it_is_taken(
    portal: RunningPortal,
) -> None:
    sealed = fresh_report(10)
    large = replace(sealed.manifest.files[3], size=80 * 1024**2)
    manifest = replace(sealed.manifest, files=(*sealed.manifest.files[:3], large))
    bundle = write_bundle(manifest.encode(), sealed.commitment, list(sealed.files.items())[:4])
    answer = await portal.submit(bundle)
    assert error_code(answer) == (413, "too-large")
    assert answer.json()["error"]["field"] == "attachment-1.age"


async def test_more_attachments_than_the_charter_allows_are_refused(portal: RunningPortal) -> None:
    sealed = fresh_report(10)
    entry = sealed.manifest.files[3]
    files = (*sealed.manifest.files[:3], *(replace(entry, name=f"attachment-{n}.age") for n in range(1, 6)))
    manifest = replace(sealed.manifest, files=files)
    bundle = write_bundle(manifest.encode(), sealed.commitment, list(sealed.files.items())[:4])
    assert error_code(await portal.submit(bundle)) == (413, "too-large")


@pytest.mark.parametrize("name", ["report_age", "grant_age", "urgency_age", "state_age"])
async def test_a_file_that_is_not_sealed_is_refused(portal: RunningPortal, name: str) -> None:
    plain = with_files(sealed_report(), **{name: b"They took him at the border crossing. " * 400})
    answer = await portal.submit(plain.bundle())
    assert error_code(answer) == (400, "not-sealed")
    assert answer.json()["error"]["field"] == name.replace("_", ".")
    assert await stored(portal) == 0


@pytest.mark.parametrize("change", [-1, 1, 512])
async def test_a_state_of_another_length_is_refused(portal: RunningPortal, change: int) -> None:
    """All states have one length, so that none tells how much was written."""
    state = sealed_report().files["state.age"]
    other = state[:change] if change < 0 else state + bytes(change)
    answer = await portal.submit(with_files(sealed_report(), state_age=other).bundle())
    assert (error_code(answer), answer.json()["error"]["field"]) == ((400, "not-sealed"), "state.age")


async def test_a_mailbox_id_that_does_not_commit_to_its_keys_is_refused(portal: RunningPortal) -> None:
    """Whoever put another reader or another command key into a manifest would get another mailbox."""
    sealed, other = fresh_report(), fresh_secrets()
    for changes in ({"recipient": other.recipient}, {"control": other.control}, {"token_sha256": other.token_sha256}):
        bundle = _unchecked_bundle(_encode_unchecked(replace(sealed.manifest, **changes)), sealed)
        assert error_code(await portal.submit(bundle)) == (400, "malformed-manifest")


async def test_the_first_state_stays_when_the_bundle_comes_again_with_another(portal: RunningPortal) -> None:
    secrets = fresh_secrets()
    first = in_mailbox(sealed_report(), secrets)
    second = replace(first, files={**first.files, "state.age": in_mailbox(sealed_report(), secrets).files["state.age"]})
    answers = [await portal.submit(each.bundle()) for each in (first, second)]
    assert [answer.status_code for answer in answers] == [201, 200]
    assert answers[0].json() == answers[1].json()
    assert decode_base64((await portal.read_mailbox(secrets))["state"]) == first.files["state.age"]


async def test_an_attachment_that_is_not_sealed_is_refused(portal: RunningPortal) -> None:
    plain = with_files(sealed_report((10,)), **{"attachment-1_age": b"a photograph " * 10_000})
    assert error_code(await portal.submit(plain.bundle())) == (400, "not-sealed")
    assert await portal.assembly.blobs.stored() == {}


async def test_urgency_is_taken_in_one_size_only_and_for_the_offices_of_the_charter_alone(
    portal: RunningPortal,
) -> None:
    sealed, [office] = sealed_report(), commission().charter.urgency
    plain = bytes(URGENCY_SIZE)
    others = {
        "for one office too many": seal(plain, [office, PqIdentity.generate().recipient()]),
        "one byte longer": seal(bytes(URGENCY_SIZE + 1), [office]),
        "one byte shorter": seal(bytes(URGENCY_SIZE - 1), [office]),
        "with bytes behind it": sealed.files["urgency.age"] + b"\0",
    }
    for what, data in others.items():
        answer = await portal.submit(with_files(sealed, urgency_age=data).bundle())
        assert error_code(answer) == (400, "not-sealed"), what
        assert answer.json()["error"]["field"] == "urgency.age"
    assert (await portal.submit(sealed.bundle())).status_code == 201


async def test_a_grant_with_another_number_of_stanzas_is_refused(portal: RunningPortal) -> None:
    short = seal(b"{}", [PqIdentity.generate().recipient() for _ in range(7)])
    answer = await portal.submit(with_files(sealed_report(), grant_age=short).bundle())
    assert error_code(answer) == (422, "grant-slots")


async def test_an_unknown_charter_is_refused(portal: RunningPortal) -> None:
    sealed = another(sealed_report(), charter="ab" * 32)
    assert error_code(await portal.submit(sealed.bundle())) == (404, "charter-unknown")


@pytest.mark.parametrize("day", [NOW.replace(year=VALID_FROM.year - 1), NOW.replace(year=VALID_UNTIL.year + 1)])
async def test_a_charter_outside_its_days_is_refused(tmp_path: Path, day: object) -> None:
    clock = Clock()
    async with running_portal(tmp_path, clock=clock) as portal:
        clock.now = day  # type: ignore[assignment]
        assert error_code(await portal.submit(fresh_report().bundle())) == (422, "charter-expired")


@pytest.mark.parametrize(("days", "status"), [(0, 201), (1, 201), (2, 201), (3, 422)])
async def test_a_report_that_was_sealed_on_the_last_day_may_arrive_two_days_later(
    portal: RunningPortal, days: int, status: int
) -> None:
    """Its parts may have taken hours, and gone through midnight."""
    portal.clock.now = NOW.replace(year=VALID_UNTIL.year, month=VALID_UNTIL.month, day=VALID_UNTIL.day)
    portal.clock.pass_days(days)
    answer = await portal.submit(fresh_report().bundle())
    assert answer.status_code == status
    if status == 201:
        # The day in it is the true one.
        assert f"received {portal.clock.now.date()}" in answer.json()["acknowledgement"]


async def test_a_body_of_another_media_type_is_refused(portal: RunningPortal) -> None:
    answer = await portal.client.post(f"{API}/submissions", content=b"x", headers={"content-type": "application/zip"})
    assert error_code(answer) == (415, "unsupported-media-type")


async def test_a_body_that_says_it_is_too_large_is_refused_unread(portal: RunningPortal) -> None:
    async def endless() -> AsyncIterator[bytes]:
        raise AssertionError("the body was read")
        yield b""

    headers = {"content-type": MEDIA_TYPE, "content-length": str(2**32)}
    answer = await portal.client.post(f"{API}/submissions", content=endless(), headers=headers)
    assert error_code(answer) == (413, "too-large")


@asynccontextmanager
async def portal_with_one_turn(folder: Path) -> AsyncIterator[RunningPortal]:
    """Of each kind; whoever comes then is asked for no work."""
    async with running_portal(folder, waiting_max=1) as portal:
        portal.ask_for_no_work()
        yield portal


@asynccontextmanager
async def report_that_stops(portal: RunningPortal) -> AsyncIterator["asyncio.Task[httpx.Response]"]:
    """A report of unknown length whose first bytes came; the rest follows at the end."""
    bundle = fresh_report().bundle()
    started, go_on = asyncio.Event(), asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        yield bundle[:100]
        started.set()
        await go_on.wait()
        yield bundle[100:]

    posting = asyncio.create_task(
        portal.client.post(f"{API}/submissions", content=slow(), headers={"content-type": MEDIA_TYPE})
    )
    began = asyncio.create_task(started.wait())
    await asyncio.wait([posting, began], return_when=asyncio.FIRST_COMPLETED)
    yield posting
    began.cancel()
    go_on.set()
    await asyncio.wait([posting])


async def test_reports_that_are_here_do_not_wait_for_those_that_are_coming(tmp_path: Path) -> None:
    async with portal_with_one_turn(tmp_path) as portal, report_that_stops(portal) as slow:
        assert portal.assembly.turns.share_in_use() == 1
        assert (await portal.submit(fresh_report().bundle())).status_code == 201
    assert slow.result().status_code == 201
    assert portal.assembly.turns.share_in_use() == 0


async def test_with_too_much_under_way_clients_are_told_to_come_back(tmp_path: Path) -> None:
    async with portal_with_one_turn(tmp_path) as portal:
        async with report_that_stops(portal) as first, report_that_stops(portal) as second:
            await asyncio.wait([second])
            assert error_code(second.result()) == (503, "busy")
            assert second.result().headers["retry-after"].isdigit()
            assert (await portal.office("GET", "/submissions?after=0")).status_code == 200
            sealed = fresh_report(10)
            await portal.put_parts(sealed)
            assert (await portal.client.get(f"{API}/portal")).status_code == 200
        assert first.result().status_code == 201


async def test_who_comes_slowest_gives_its_turn_to_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("portal.api.turns.SECONDS_MIN", 0)
    async with portal_with_one_turn(tmp_path) as portal:
        async with report_that_stops(portal) as first, report_that_stops(portal) as second:
            await asyncio.wait([first])
            assert error_code(first.result()) == (503, "busy")
        assert second.result().status_code == 201
        assert await stored(portal) == 1


async def test_a_request_that_is_here_keeps_its_turn_however_long_the_disk_takes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("portal.api.turns.SECONDS_MIN", 0)
    sealed, other = fresh_report(10), fresh_report(10)
    file = "attachment-1.age"
    began, go_on = asyncio.Event(), asyncio.Event()

    async def slow(*given: object) -> list[Part]:
        began.set()
        await go_on.wait()
        return []

    async with portal_with_one_turn(tmp_path) as portal:
        monkeypatch.setattr(portal.assembly.blobs, "parts", slow)
        first = asyncio.create_task(portal.put_part(sealed.manifest.submission, file, 0, sealed.files[file]))
        await began.wait()
        second = asyncio.create_task(portal.put_part(other.manifest.submission, file, 0, other.files[file]))
        await asyncio.wait([first, second], return_when=asyncio.FIRST_COMPLETED)
        go_on.set()
        assert error_code(await second) == (503, "busy")
        assert (await first).status_code == 201


async def test_a_second_commission_gets_its_own_submissions_only(portal: RunningPortal) -> None:
    other = found_test_commission(slug="second-commission")
    await publish(portal, other)
    mine = fresh_report()
    theirs = another(sealed_report(), charter=other.charter.hash)
    assert (await portal.submit(mine.bundle())).status_code == 201
    assert (await portal.submit(theirs.bundle())).status_code == 201
    listed = (await portal.office("GET", "/submissions?after=0")).json()["submissions"]
    assert [each["submission"] for each in listed] == [mine.manifest.submission]
    path = f"/submissions/{theirs.manifest.submission}/files/report.age"
    assert error_code(await portal.office("GET", path)) == (403, "not-your-commission")
    assert (await portal.office("GET", path, key=other.office_key)).content == theirs.files["report.age"]


async def test_nothing_more_exact_than_a_day_is_kept_of_a_submission(portal: RunningPortal) -> None:
    await portal.submit(fresh_report(100).bundle())
    with portal.database.use():
        (row,) = await SubmissionRecord.all().values()
    assert str(row["received"]) == NOW.date().isoformat()
    clock_times = [value for value in row.values() if hasattr(value, "hour")]
    assert clock_times == []
    midnight = int(NOW.replace(hour=0, minute=0).timestamp())
    kept = [path for path in (portal.data / "blobs" / "parts").rglob("*") if path.is_file()]
    assert [int(path.stat().st_mtime) for path in kept] == [midnight]


def _encode_unchecked(manifest: Manifest) -> bytes:
    files = [{"name": file.name, "size": file.size, "sha256": file.sha256} for file in manifest.files]
    members = {
        name: getattr(manifest, name) for name in ("submission", "charter", "mailbox", "control", "token_sha256")
    }
    members["recipient"] = str(manifest.recipient)
    return encode_json({"version": "amparo/v1/manifest", **members, "files": files})


def _unchecked_bundle(manifest_bytes: bytes, sealed: SealedSubmission) -> bytes:
    """A bundle in the right encoding whose content nobody has checked."""
    return raw_bundle(
        [("manifest.json", manifest_bytes), ("commitment", sealed.commitment.encode()), *sealed.files.items()]
    )


@pytest.mark.parametrize("length", ["²", "9" * 5000, "0" * 5000, "-1", "", " ", "1e3", "0x10", "1_0", "12, 12"])
@pytest.mark.parametrize("method", ["submissions", "part", "mailbox/changes"])
async def test_a_length_that_is_no_number_is_no_failure(portal: RunningPortal, method: str, length: str) -> None:
    """The server lets no such head pass; a proxy or another server may."""
    sealed = fresh_report(10)
    headers = {b"content-type": MEDIA_TYPE.encode(), b"content-length": length.encode("latin-1")}
    if method == "part":
        data = sealed.files["attachment-1.age"]
        path = f"{API}/uploads/{sealed.manifest.submission}/attachment-1.age/0"
        headers[b"content-digest"] = digest_header(data).encode()
        request = portal.client.build_request("PUT", path, content=data, headers=headers)
    else:
        request = portal.client.build_request("POST", f"{API}/{method}", content=sealed.bundle(), headers=headers)
    answer = await portal.client.send(request)
    assert answer.status_code in {"submissions": (201, 413), "part": (201, 413)}.get(method, (400, 413))

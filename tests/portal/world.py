# SPDX-License-Identifier: AGPL-3.0-or-later
"""A portal of the tests: its app in this process, its clock in our hands, and a client of it."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache
from itertools import accumulate
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx
from starlette.applications import Starlette

from crypto.bundle import MEDIA_TYPE, write_bundle
from crypto.encoding import decode_json, encode_base64
from crypto.mailbox_change import MailboxChange
from crypto.manifest import REQUIRED_FILES, STATE_FILE
from crypto.newest_charter import NewestCharter
from crypto.note import SigningKey
from crypto.receipt_code import MailboxSecrets, derive, new_code
from crypto.state import open_state, seal_state
from crypto.submission import OutgoingAttachment, SealedSubmission, seal_submission
from portal.app import create_app
from portal.assembly import Assembly
from portal.charters.known import invite
from portal.settings import Settings
from portal.storage.blobs import BLOCK_BYTES, PART_BYTES, BlobStore
from portal.storage.database import Database
from tests.chance import fresh_bytes, fresh_id
from tests.people import NOW, PORTAL_ORIGIN, REALM, World, found_test_commission, portal_key
from tests.portal.office_api.request_signer import RequestSigner

API = "/api/v1"
DATABASE = "portal.sqlite3"
SMALL_FILES = (*REQUIRED_FILES, STATE_FILE)
BLOCKS = PART_BYTES // BLOCK_BYTES
"""Of a part of the largest size."""
DIGITS = new_code(lambda size: bytes(range(size)))


@dataclass
class Clock:
    """The time that the portal is told."""

    now: datetime = NOW
    seconds: float = 0

    def __call__(self) -> datetime:
        return self.now

    def monotonic(self) -> float:
        """Seconds that have really passed."""
        return self.seconds

    def pass_days(self, days: int) -> None:
        self.jump(days)
        self.seconds += days * 86_400

    def jump(self, days: int) -> None:
        """Somebody sets the clock."""
        self.now += timedelta(days=days)


@dataclass
class RunningPortal:
    """An app that is up, a client of it, and the commission that it serves."""

    app: Starlette
    client: httpx.AsyncClient
    clock: Clock
    world: World
    data: Path

    @property
    def assembly(self) -> Assembly:
        assembly: Assembly = self.app.state.assembly
        return assembly

    @property
    def database(self) -> Database:
        database: Database = self.app.state.database
        return database

    def ask_for_no_work(self) -> None:
        """However fast its shares fill."""
        self.assembly.work.pressure.gauges = ()

    async def submit(self, bundle: bytes | AsyncIterator[bytes]) -> httpx.Response:
        return await self.client.post(f"{API}/submissions", content=bundle, headers={"content-type": MEDIA_TYPE})

    async def put_part(
        self, submission: str, file: str, index: int, data: bytes, body: AsyncIterator[bytes] | None = None
    ) -> httpx.Response:
        """``body`` brings ``data`` bit by bit."""
        path, headers = f"{API}/uploads/{submission}/{file}/{index}", {"content-digest": digest_header(data)}
        return await self.client.put(path, content=body or data, headers=headers)

    async def put_parts(self, sealed: SealedSubmission) -> None:
        for file, data in attachments(sealed).items():
            for index, part in in_place(cut(data)):
                answer = await self.put_part(sealed.manifest.submission, file, index, part)
                assert answer.status_code in (200, 201), answer.text

    async def read_mailbox(self, secrets: MailboxSecrets, **more: int) -> dict[str, Any]:
        ask = {"mailbox": secrets.mailbox_id, "token": secrets.token.hex(), **more}
        answer = await self.client.post(f"{API}/mailbox", json=ask)
        assert answer.status_code == 200, answer.text
        return read_mailbox_answer(answer.content)

    async def change(self, change: MailboxChange) -> httpx.Response:
        return await self.client.post(f"{API}/mailbox/changes", content=change.encode())

    async def office(
        self, method: str, path: str, body: bytes | None = None, key: SigningKey | None = None
    ) -> httpx.Response:
        """A signed request of the office."""
        path = f"{API}/office{path}"
        signer = RequestSigner(key or self.world.office_key, self.clock)
        headers = signer.headers(method, PORTAL_ORIGIN + path, body)
        return await self.client.request(method, path, content=body, headers=headers)

    async def sign_day(self) -> httpx.Response:
        """What the office does at its first visit of a day."""
        charter = self.world.charter
        note = NewestCharter(charter.realm, charter.slug, charter.number, charter.hash, self.clock.now.date())
        return await self.office("POST", "/newest-charter", note.sign(self.world.office_key).encode())

    async def sweep(self) -> None:
        """A sweep of a day on which the office visited the portal."""
        await self.sign_day()
        await self.sweep_alone()

    async def sweep_alone(self) -> None:
        with self.database.use():
            await self.assembly.sweep()


@asynccontextmanager
async def running_portal(
    folder: Path, database: str = "", clock: Clock | None = None, blobs: BlobStore | None = None, **changes: Any
) -> AsyncIterator[RunningPortal]:
    """A portal with its data in ``folder``, which may hold that of an earlier one; it has its commission's charter."""
    data = folder / "data"
    (data / "secrets").mkdir(parents=True, exist_ok=True)
    (data / "secrets" / "signing.key").write_bytes(portal_key().seed)
    (data / "secrets" / "realm").write_bytes(bytes.fromhex(REALM))
    if not database and not (data / DATABASE).exists():
        (data / DATABASE).write_bytes(founded_database())
    settings = Settings(
        data=data,
        database=database,
        static=folder / "nothing",
        **{"origin": PORTAL_ORIGIN, "free_bytes_min": 0, **changes},
    )
    clock = clock or Clock()
    app = create_app(settings, clock, blobs, clock.monotonic)
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url=PORTAL_ORIGIN) as client:
            portal = RunningPortal(app, client, clock, commission(), data)
            with portal.database.use():
                # Before a test moves the clock: the portal's own first sweep may come later than that.
                await portal.assembly.sweeper.watch.believed_day()
            if database:
                await publish(portal, portal.world)
            yield portal


@cache
def founded_database() -> bytes:
    """A portal's SQLite file with the commission's charter in it: making one takes longer than most tests do."""

    async def found(folder: Path) -> bytes:
        async with running_portal(folder, f"sqlite://{folder / DATABASE}"):
            pass
        return (folder / DATABASE).read_bytes()

    # Not on the event loop of the test that comes first.
    with TemporaryDirectory() as folder, ThreadPoolExecutor(1) as executor:
        return executor.submit(asyncio.run, found(Path(folder))).result()


async def publish(portal: RunningPortal, world: World) -> None:
    """Post a commission's first charter, with an invitation."""
    with portal.database.use():
        token = await invite(world.slug)
    headers = {"amparo-invitation": token}
    answer = await portal.client.post(f"{API}/charters", content=world.charter.note, headers=headers)
    assert answer.status_code in (200, 201), answer.text


@cache
def commission() -> World:
    return found_test_commission()


@cache
def mailbox_secrets() -> MailboxSecrets:
    return derive(DIGITS, REALM)


def fresh_secrets() -> MailboxSecrets:
    """The secrets of a mailbox that nobody else has."""
    return MailboxSecrets(*(fresh_bytes(32) for _ in range(6)))


@cache
def sealed_report(attachment_bytes: tuple[int, ...] = ()) -> SealedSubmission:
    """One real submission to the test commission, with attachments of these sizes."""
    return seal_submission(
        charter=commission().charter,
        receipt_digits=DIGITS,
        language="en",
        answers={"story": "They took him at the border crossing."},
        attachments=[
            OutgoingAttachment(f"file-{number}.bin", "application/octet-stream", bytes([number]) * size)
            for number, size in enumerate(attachment_bytes)
        ],
        sealed_by="command-line",
        today=NOW.date(),
    )


def another(sealed: SealedSubmission, **changes: Any) -> SealedSubmission:
    """The same sealed files under another submission id: cheap, and the portal cannot tell."""
    manifest = replace(sealed.manifest, submission=fresh_id(), **changes)
    return replace(sealed, manifest=manifest, manifest_bytes=manifest.encode())


def in_mailbox(sealed: SealedSubmission, secrets: MailboxSecrets) -> SealedSubmission:
    """The same sealed files under another id and in another mailbox, with a state of that mailbox."""
    own = {
        "mailbox": secrets.mailbox_id,
        "recipient": secrets.recipient,
        "control": secrets.control,
        "token_sha256": secrets.token_sha256,
    }
    moved = another(sealed, **own)
    state = open_state(sealed.files[STATE_FILE], mailbox_secrets())
    thread = replace(state.thread, submission=moved.manifest.submission, manifest=moved.manifest_hash)
    files = {**moved.files, STATE_FILE: seal_state(replace(state, thread=thread), secrets)}
    return replace(moved, files=files)


def fresh_report(*attachment_bytes: int) -> SealedSubmission:
    return another(sealed_report(attachment_bytes))


def collected_files(sealed: SealedSubmission) -> dict[str, bytes]:
    """The sealed files that an office fetches: those of the manifest."""
    return {name: data for name, data in sealed.files.items() if name != STATE_FILE}


def attachments(sealed: SealedSubmission) -> dict[str, bytes]:
    return {name: data for name, data in sealed.files.items() if name not in SMALL_FILES}


def bundle_without_attachments(sealed: SealedSubmission) -> bytes:
    small = [(name, data) for name, data in sealed.files.items() if name in SMALL_FILES]
    return write_bundle(sealed.manifest_bytes, sealed.commitment, small)


def bundle_that_misnames(sealed: SealedSubmission, file: str) -> bytes:
    """The bundle without attachments, and with another hash for one of them."""
    files = [
        replace(each, sha256=fresh_bytes(32).hex()) if each.name == file else each for each in sealed.manifest.files
    ]
    manifest = replace(sealed.manifest, files=tuple(files))
    return bundle_without_attachments(replace(sealed, manifest=manifest, manifest_bytes=manifest.encode()))


def cut(data: bytes) -> list[bytes]:
    return [data[start : start + PART_BYTES] for start in range(0, len(data), PART_BYTES)]


def in_place(parts: Sequence[bytes]) -> list[tuple[int, bytes]]:
    """Each part with its index: the block in which it begins."""
    starts = accumulate((len(part) for part in parts), initial=0)
    return [(start // BLOCK_BYTES, part) for start, part in zip(starts, parts, strict=False)]


def digest_header(data: bytes) -> str:
    return f"sha-256=:{encode_base64(hashlib.sha256(data).digest())}:"


def read_mailbox_answer(answer: bytes) -> dict[str, Any]:
    size = int.from_bytes(answer[:4], "big")
    assert answer[4 + size :].count(0) == len(answer) - 4 - size
    value: dict[str, Any] = decode_json(answer[4 : 4 + size], len(answer))
    return value


def error_code(answer: httpx.Response) -> tuple[int, str]:
    code: str = answer.json()["error"]["code"]
    return answer.status_code, code

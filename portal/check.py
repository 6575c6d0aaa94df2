# SPDX-License-Identifier: AGPL-3.0-or-later
"""``python -m portal check``, and what ``serve`` refuses: can the portal serve with these settings and this data?

Nothing is made that would stand for something lost: no key, no realm.
"""

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from time import monotonic

from crypto.fingerprint import key_fingerprint
from crypto.ids import SubmissionId
from crypto.note import SigningKey
from portal.charters.known import Charters
from portal.kit.checks import Check, SoonError, check_charter_ends, print_checks, refuse
from portal.kit.columns import is_unset, readable
from portal.kit.free_space import free_bytes
from portal.pages.live_pages import build_pages
from portal.settings import Settings
from portal.storage.blobs import BlobStore
from portal.storage.clock_watch import describe_jump, jump_since_last_sweep
from portal.storage.database import Database, server_time
from portal.storage.errors import StorageFullError
from portal.storage.keys import DECOY_KEY, REALM, SIGNING_KEY, has, load_decoy_key, load_realm, load_signing_key
from portal.storage.open_blobs import open_blobs
from portal.storage.records import CharterRecord, SubmissionRecord
from portal.storage.whole import missing_files

ATTACHMENTS_SECONDS_MAX = 60.0
ROWS_AT_ONCE = 100
CLOCK_SECONDS_MAX = 60
FREE_TIMES = 2
"""Below so many times what has to stay free, somebody should make room."""
MIB = 1024 * 1024


async def check(settings: Settings, now: datetime) -> int:
    """Look at every item, print a line for each, and return the exit status (``portal.kit.checks``)."""
    print(f"ok      settings  {settings.origin}")
    looking = _Checks(settings, now)
    return await print_checks([*looking.before_serving(), *looking.beside_serving()])


async def refuse_to_serve(settings: Settings, now: datetime, *, new_key: bool) -> None:
    """Raise what is wrong with what serving needs. With ``new_key`` a signing key or decoy key that is missing, or of
    which no charter knows, is no reason: it is lost, and new charters are to name another."""
    await refuse(_Checks(settings, now, new_key=new_key).before_serving())


async def refuse_lost_keys(settings: Settings, now: datetime) -> None:
    """Raise what is wrong with the keys and the realm, before a command that would make those that are missing."""
    looking = _Checks(settings, now)
    await refuse([("keys", looking.keys), ("realm", looking.realm)])


@dataclass
class _Checks:
    settings: Settings
    now: datetime
    new_key: bool = False
    _known: Charters | None = None
    """The charters, once they are read."""
    _are_charters: bool = False
    """Whether there are rows of charters, also if none can be read."""

    def before_serving(self) -> list[Check]:
        """What is quick, and without which nothing is served."""
        return [
            ("keys", self.keys),
            ("database", self.database),
            ("realm", self.realm),
            ("signing", self.signing),
            # An object store that is away keeps nobody from what needs no attachments.
            *([] if self._is_remote else [("blobs", self.blobs)]),
        ]

    def beside_serving(self) -> list[Check]:
        """What takes long, or keeps nobody from serving."""
        return [
            *([("blobs", self.blobs)] if self._is_remote else []),
            ("files", self.files),
            ("pages", self.pages),
            ("disk", self.disk),
            ("clock", self.clock),
            ("charter", self.charter),
        ]

    async def keys(self) -> str:
        """Those that are there; a key is made at the first start alone, when there is no charter yet."""
        data = self.settings.data
        missing = [name for name in (SIGNING_KEY, DECOY_KEY) if not has(data, name)]
        verifier = None
        if has(data, SIGNING_KEY):
            verifier = load_signing_key(data, self.settings.key_name).verifier
        if has(data, DECOY_KEY):
            load_decoy_key(data)
        if missing and not self.new_key:
            await self._charters()
            if self._are_charters:
                raise FileNotFoundError(
                    f"secrets/{missing[0]} is missing, and there are charters: bring it back from the backup (if it is "
                    "lost: serve --new-key)"
                )
        if verifier is None:
            return "none yet: made at the first start"
        return f"{verifier}, fingerprint {key_fingerprint(verifier)}"

    async def database(self) -> str:
        """A portal whose keys were made has taken a charter before long: without one, another database is named."""
        count = len((await self._charters()).all_newest())
        if not self._are_charters and has(self.settings.data, SIGNING_KEY):
            raise SoonError("up to date, no commission yet: if there was one, this is not the portal's database")
        return f"up to date, {count} commissions"

    async def realm(self) -> str:
        """A missing realm is made only while no charter names one: another one would turn every code to waste."""
        charters = await self._charters()
        if not has(self.settings.data, REALM):
            if self._are_charters:
                named = ", ".join({charter.realm for charter in charters.all_newest()})
                raise FileNotFoundError(f"secrets/realm is missing, and charters name it: {named}")
            return "none yet: made at the first start"
        charters.realm = load_realm(self.settings.data)
        charters.check_realm()
        return charters.realm

    async def signing(self) -> str:
        """Whether charters name the signing key: under another one no acknowledgement verifies. Its name may be new."""
        charters = (await self._charters()).all_newest()
        if not charters or not has(self.settings.data, SIGNING_KEY):
            return "no charter names a key yet"
        public = load_signing_key(self.settings.data, self.settings.key_name).verifier.public
        others = [charter.slug for charter in charters if charter.portal.public != public]
        if others and (len(others) < len(charters) or self.new_key):
            raise SoonError(f"another signing key is named by the newest charter of {', '.join(sorted(others))}")
        if others:
            raise ValueError(
                "secrets/signing.key is not the key that charters name: bring theirs back from the backup (if it is "
                "lost: serve --new-key)"
            )
        return "the key that charters name"

    async def blobs(self) -> str:
        """A full disk keeps nobody from what needs no attachments, and from making room."""
        try:
            async with _opened(self.settings) as blobs:
                await _try_out(blobs, self.now)
        except StorageFullError:
            raise SoonError("there is no room for attachments") from None
        return "written, read and deleted"

    async def files(self) -> str:
        """Whether the files that rows name are there, as far as a minute suffices."""
        database = await Database.open(self.settings.database_url)
        try:
            with database.use():
                async with _opened(self.settings) as blobs:
                    return await _look_for_files(blobs)
        finally:
            await database.close()

    async def pages(self) -> str:
        return f"{len(build_pages(self.settings, '', []).pages)} files"

    async def disk(self) -> str:
        folders = [self.settings.data, *([] if self._is_remote else [Path(self.settings.blobs_url)])]
        free = min(free_bytes(folder) for folder in folders if folder.exists())
        said = f"{free // MIB} MiB free"
        if free < FREE_TIMES * self.settings.free_bytes_min:
            raise SoonError(f"{said}; below {self.settings.free_bytes_min // MIB} MiB attachments are refused")
        return said

    async def clock(self) -> str:
        """Against the database server's clock, the days of the reports that came, and the day of the last sweep."""
        database = await Database.open(self.settings.database_url)
        try:
            with database.use():
                theirs = await server_time()
                last = await SubmissionRecord.all().order_by("-sequence").first().only("sequence", "received")
                jumped = await jump_since_last_sweep(self.now.date())
        finally:
            await database.close()
        if theirs is not None and abs((theirs - self.now).total_seconds()) > CLOCK_SECONDS_MAX:
            raise SoonError(f"this machine says {self.now:%Y-%m-%d %H:%M} UTC, the database {theirs:%Y-%m-%d %H:%M}")
        received = readable(last.received, None) if last is not None else None
        if received is not None and received > self.now.date() + timedelta(days=1):
            raise SoonError(f"this machine says {self.now:%Y-%m-%d}, and a report came on {received}")
        if jumped:
            raise SoonError(describe_jump(jumped))
        return f"{self.now:%Y-%m-%d}"

    async def charter(self) -> str:
        newest = (await self._charters()).all_newest()
        if others := sorted(each.slug for each in newest if each.origin != self.settings.origin):
            raise SoonError(f"another origin than PORTAL_ORIGIN is named by the newest charter of {', '.join(others)}")
        return check_charter_ends([(each.slug, each.valid_until) for each in newest], self.now.date())

    @property
    def _is_remote(self) -> bool:
        return "://" in self.settings.blobs_url

    async def _charters(self) -> Charters:
        if self._known is None:
            database = await Database.open(self.settings.database_url)
            try:
                with database.use():
                    # Nothing is taken, so the key stands for none.
                    charters = Charters(self.settings.origin, "", SigningKey.generate("check").verifier)
                    await charters.refresh()
                    self._are_charters = await CharterRecord.exists()
            finally:
                await database.close()
            self._known = charters
        return self._known


@asynccontextmanager
async def _opened(settings: Settings) -> AsyncIterator[BlobStore]:
    blobs = open_blobs(settings.blobs_url, settings.free_bytes_min)
    try:
        yield blobs
    finally:
        await blobs.close()


async def _try_out(blobs: BlobStore, now: datetime) -> None:
    """Write a part as a reporter's would be, read it back, and delete it. Raises what the store raises."""
    submission, written = SubmissionId(secrets.token_hex(16)), secrets.token_bytes(16)
    writer = blobs.new_part(submission)
    try:
        await writer.write(written)
        await writer.digest()
        name = await writer.keep("attachment-1.age", 0, now.date())
    finally:
        await writer.discard()
    try:
        read = b"".join([piece async for piece in blobs.read(submission, "attachment-1.age", name)])
        if read != written:
            raise OSError("what was written is not what is read")
    finally:
        await blobs.delete(submission, await blobs.parts(submission))
    if await blobs.parts(submission):
        raise OSError("what was written can't be deleted")


async def _look_for_files(blobs: BlobStore) -> str:
    deadline, done_to, looked, short = monotonic() + ATTACHMENTS_SECONDS_MAX, 0, 0, 0
    query = SubmissionRecord.filter(is_unset("deleted"), attachment_bytes__gt=0)
    total = await query.count()
    while monotonic() < deadline:
        batch = query.filter(sequence__gt=done_to).order_by("sequence").limit(ROWS_AT_ONCE)
        rows = await batch.only("sequence", "submission", "manifest", "parts")
        if not rows:
            break
        for row in rows:
            looked, done_to = looked + 1, row.sequence
            # One that was deleted meanwhile lacks nothing.
            if await missing_files(blobs, row) and await query.filter(sequence=row.sequence).exists():
                short += 1
    if short:
        raise FileNotFoundError(f"{short} of {looked} reports with attachments have lost some of their files")
    return f"of {looked} reports, all there" + (f" ({total - looked} were not looked at)" if looked < total else "")

# SPDX-License-Identifier: AGPL-3.0-or-later
"""``python -m oversight check``, and what ``serve`` refuses: is everything there that the office needs?"""

from dataclasses import dataclass
from datetime import datetime
from time import monotonic

from oversight.commission.charters import current_charter, is_founded
from oversight.commission.keys import OfficeSafe, load_start_identity, open_at_start
from oversight.commission.portal import connect_before_founding
from oversight.members.records import MemberRecord
from oversight.reports.blobs import KEPT_FREE_BYTES, Blobs
from oversight.reports.records import SealedFileRecord
from oversight.settings import Settings
from oversight.storage import Database
from oversight.wire.portal_errors import PortalError
from portal.kit.checks import Check, SoonError, check_charter_ends, print_checks, refuse
from portal.kit.columns import readable
from portal.kit.free_space import free_bytes

FILES_SECONDS_MAX = 60.0
ROWS_AT_ONCE = 500
MIB = 1024 * 1024


async def check(settings: Settings, now: datetime) -> int:
    """Look at every item, print a line for each, and return the exit status (``portal.kit.checks``)."""
    print(f"ok      settings  {settings.own_origin}")
    looking = _Checks(settings, now)
    return await print_checks([*looking.before_serving(), *looking.beside_serving()])


async def refuse_to_serve(settings: Settings, now: datetime) -> None:
    """Raise what is wrong with what serving needs: DatabaseError, OSError or SettingsError."""
    await refuse(_Checks(settings, now).before_serving())


@dataclass(frozen=True)
class _Checks:
    settings: Settings
    now: datetime

    def before_serving(self) -> list[Check]:
        """What is quick, and without which nobody can work."""
        return [("database", self.database), ("keys", self.keys)]

    def beside_serving(self) -> list[Check]:
        """What takes long, or keeps nobody from working."""
        return [("files", self.files), ("disk", self.disk), ("portal", self.portal), ("charter", self.charter)]

    async def database(self) -> str:
        database = await Database.open(self.settings.database_url)
        try:
            with database.use():
                return "up to date, " + ("founded" if await is_founded() else "not founded yet")
        finally:
            await database.close()

    async def keys(self) -> str:
        """Whether the office's own keys are there, and whether the start identity opens them, if there is one."""
        safe = OfficeSafe(self.settings.secrets, load_start_identity(self.settings.start_key_file))
        database = await Database.open(self.settings.database_url)
        try:
            with database.use():
                if not await MemberRecord.exists():
                    if safe.is_there:
                        # Whoever made an account now would put other keys in their place.
                        raise FileExistsError(
                            "secrets/office.age is there, and the database has no account: it is another office's (if "
                            "the very first account was broken off, move that file away)"
                        )
                    return "none yet: made with the first account"
                if not safe.is_there:
                    raise FileNotFoundError(
                        "secrets/office.age is missing, and nobody could log in: bring it back from the backup"
                    )
                if safe.is_damaged:
                    raise ValueError(
                        "secrets/office.age is damaged, and nobody could log in: bring it back from the backup"
                    )
                if not self.settings.start_key:
                    return "closed at the start, until a member logs in"
                await open_at_start(safe)
        finally:
            await database.close()
        if not safe.is_open:
            raise SoonError(
                "OVERSIGHT_START_KEY does not open them: if it is new, it does after the next login; otherwise "
                "secrets/office.age is not the one of this office"
            )
        return "opened at the start"

    async def files(self) -> str:
        """Whether the files that rows name are there, as far as a minute suffices."""
        database = await Database.open(self.settings.database_url)
        try:
            with database.use():
                return await _look_for_files(Blobs(self.settings.data / "blobs"))
        finally:
            await database.close()

    async def disk(self) -> str:
        free = free_bytes(self.settings.data)
        if free < 2 * KEPT_FREE_BYTES:
            raise SoonError(f"{free // MIB} MiB free; below {KEPT_FREE_BYTES // MIB} MiB no report is collected")
        return f"{free // MIB} MiB free"

    async def portal(self) -> str:
        if not self.settings.portal_url:
            return "none is set: nothing is collected"
        async with connect_before_founding(self.settings) as client:
            try:
                await client.portal_info()
            except PortalError as error:
                raise SoonError(f"can't be reached: {error}") from None
        return "answers"

    async def charter(self) -> str:
        database = await Database.open(self.settings.database_url)
        try:
            with database.use():
                charters = [await current_charter()] if await is_founded() else []
        finally:
            await database.close()
        return check_charter_ends([(each.slug, each.valid_until) for each in charters], self.now.date())


async def _look_for_files(blobs: Blobs) -> str:
    deadline, done_to, looked, gone = monotonic() + FILES_SECONDS_MAX, 0, 0, 0
    query = SealedFileRecord.filter(sealed=None)
    total = await query.count()
    while monotonic() < deadline:
        rows = await query.filter(id__gt=done_to).order_by("id").limit(ROWS_AT_ONCE)
        if not rows:
            break
        looked, done_to = looked + len(rows), rows[-1].id
        gone += sum(not _is_there(blobs, row) for row in rows)
    if gone:
        raise FileNotFoundError(f"{gone} of {looked} attachments are not in the folder blobs: bring them back")
    return f"of {looked} attachments, all there" + (f" ({total - looked} were not looked at)" if looked < total else "")


def _is_there(blobs: Blobs, row: SealedFileRecord) -> bool:
    size = readable(row.size, None)
    path = blobs.path(row.submission_id, row.name)  # type: ignore[attr-defined]
    return path.is_file() if size is None else blobs.has(row.submission_id, row.name, size)  # type: ignore[attr-defined]

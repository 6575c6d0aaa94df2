# SPDX-License-Identifier: AGPL-3.0-or-later
"""Foundings that are broken off at some stage, to be taken up again: what comes before it is done once."""

import shutil
from pathlib import Path

from oversight.settings import Settings
from tests.oversight.founding.party import Kept, party_at, take_up
from tests.oversight.office import OFFICE_ORIGIN, Clock
from tests.oversight.portals import running_portal
from tests.people import PORTAL_ORIGIN


async def make_stages(folder: Path, static: Path, first_portal: Path, empty_database: Path | None) -> dict[str, Kept]:
    """``gathered``: all three have keys. ``laid-out``: the draft waits for signatures.

    ``first_portal`` is the folder of the portal that the draft names, ``empty_database`` a file with all migrations.
    """
    settings = office_settings(folder / "gathered", static)
    settings.data.mkdir()
    if empty_database is not None:
        shutil.copy(empty_database, settings.data)
    async with party_at(settings, Clock()) as party:
        await party.convene()
        await party.enter_plan()
        await party.gather()
        gathered = await party.keep(settings.data)
    async with (
        running_portal(first_portal, static) as portal,
        take_up(gathered, settings, folder / "laid-out", portal) as party,
    ):
        await party.make_reserve()
        await party.put_on_paper()
        await party.lay_out()
        laid_out = await party.keep(folder / "laid-out")
    return {"gathered": gathered, "laid-out": laid_out}


def office_settings(data: Path, static: Path) -> Settings:
    return Settings(data=data, origin=OFFICE_ORIGIN, static=static, portal_url=PORTAL_ORIGIN)

# SPDX-License-Identifier: AGPL-3.0-or-later
"""Which charter is the newest, said to the portal once a day and signed, so that it can't give out an older one.

docs/protocol.md §4.2.
"""

from datetime import date

from crypto.newest_charter import NewestCharter
from oversight.commission.charters import current_charter
from oversight.reports.records import STATE_ROW, CollectorStateRecord
from oversight.wire.portal_client import PortalClient


async def note_newest_charter(client: PortalClient, today: date) -> None:
    """Post the note at the first visit of a day, and again when the charter has changed since."""
    charter = await current_charter()
    state = await CollectorStateRecord.get(id=STATE_ROW)
    if (state.charter_noted_on, state.charter_noted) == (today, charter.hash):
        return
    note = NewestCharter(charter.realm, charter.slug, charter.number, charter.hash, today)
    await client.post_newest_charter(note.sign(client.office_key).encode())
    await CollectorStateRecord.filter(id=STATE_ROW).update(charter_noted_on=today, charter_noted=charter.hash)

# SPDX-License-Identifier: AGPL-3.0-or-later
"""The portal and this commission's charters: which is the newest, signed once a day, so that it can't give out an older
one (docs/protocol.md §4.2); and those that a portal lost which was restored (§10.2)."""

from datetime import date

from crypto.newest_charter import NewestCharter
from oversight.commission.charters import charters_by_hash, current_charter
from oversight.reports.records import STATE_ROW, CollectorStateRecord
from oversight.wire.portal_client import PortalClient
from oversight.wire.portal_errors import PortalRefused


async def note_newest_charter(client: PortalClient, today: date) -> None:
    """Post the note at the first visit of a day, and again when the charter has changed since."""
    charter = await current_charter()
    state = await CollectorStateRecord.get(id=STATE_ROW)
    if (state.charter_noted_on, state.charter_noted) == (today, charter.hash):
        return
    note = NewestCharter(charter.realm, charter.slug, charter.number, charter.hash, today)
    await client.post_newest_charter(note.sign(client.office_key).encode())
    await CollectorStateRecord.filter(id=STATE_ROW).update(charter_noted_on=today, charter_noted=charter.hash)


async def bring_charters(client: PortalClient) -> None:
    """Post the newest charter, and if the portal can't take it those before it: a repeat changes nothing.

    Raises PortalError; PortalRefused ``invitation-invalid`` by a portal that does not know the commission at all.
    """
    newest = await current_charter()
    try:
        await client.post_charter(newest.note)
    except PortalRefused:
        for charter in sorted((await charters_by_hash()).values(), key=lambda charter: charter.number):
            if charter.number <= newest.number:
                await client.post_charter(charter.note)

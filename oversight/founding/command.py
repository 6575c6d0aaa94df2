# SPDX-License-Identifier: AGPL-3.0-or-later
"""``python -m oversight found``: the whole ceremony from a founding file, for those who prefer a terminal.

Its steps are those of the pages. Killed at any point it can be run again: until the members and the charter are stored,
which happens at once, everything is made again and the sheets are rewritten; from then on the same charter is sent.
"""

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from importlib.resources import files
from pathlib import Path
from typing import Any

from crypto.charter import Charter
from crypto.fingerprint import member_fingerprint
from crypto.keyring import DEFAULT, Parameters
from oversight.commission.charters import current_charter, is_founded
from oversight.commission.keys import office_key
from oversight.founding.ceremony import (
    Ceremony,
    Sheet,
    Terms,
    make_shares,
    make_sheet,
    member_entry,
    prove_shares,
    sign_charter,
)
from oversight.founding.plan import Plan
from oversight.founding.sheets import MemberSheet, ShareSheet, remove_sheets, write_member_sheet, write_share_sheet
from oversight.founding.store import keep, publish, waiting_charter
from oversight.members.accounts import Derivations
from oversight.settings import Settings
from oversight.wire.portal_client import PortalClient


@dataclass(frozen=True)
class Founded:
    """What a run of the ceremony made. ``sheets`` is empty when only the sending had been left to do."""

    charter: Charter
    sheets: Mapping[str, Sheet] = field(default_factory=dict, repr=False)


async def found(  # noqa: PLR0913 - each stands for one thing that the ceremony needs
    plan: Plan,
    *,
    settings: Settings,
    client: PortalClient,
    invitation: str,
    out: Path,
    today: date,
    parameters: Parameters = DEFAULT,
) -> Founded:
    """Found the commission, or finish a founding that was broken off. The database is that of the running task.

    Raises CryptoError when the plan gives no charter; PortalError when the portal can't be reached or refuses, with
    everything kept if the charter was signed before.
    """
    if await is_founded():
        return Founded(await current_charter())
    charter = await waiting_charter()
    sheets: dict[str, Sheet] = {}
    if charter is None:
        terms = await _terms(plan, settings, client)
        ceremony, sheets = _make_keys(plan, Derivations(parameters))
        charter = sign_charter(ceremony, terms, today)
        assert ceremony.shares is not None
        _write_sheets(ceremony, sheets, out, settings, today)
        await keep(charter, prove_shares(ceremony, _last_shares(ceremony)), settings.secrets)
    await publish(charter, client, invitation, settings.secrets)
    return Founded(charter, sheets)


def default_questionnaire() -> Any:
    """The questions that a new commission starts with."""
    return json.loads((files("oversight") / "questionnaires" / "default.json").read_text(encoding="utf-8"))


async def _terms(plan: Plan, settings: Settings, client: PortalClient) -> Terms:
    info = await client.portal_info()
    office = office_key(settings.secrets, plan.slug).verifier
    return Terms(info.origin, info.realm, info.verifier, office, default_questionnaire())


def _make_keys(plan: Plan, derivations: Derivations) -> tuple[Ceremony, dict[str, Sheet]]:
    ceremony = Ceremony(plan)
    sheets: dict[str, Sheet] = {}
    for member in plan.members:
        ceremony, sheets[member.label] = make_sheet(ceremony, member, derivations.seal_here, secrets.token_bytes)
    return make_shares(ceremony, secrets.token_bytes), sheets


def _write_sheets(ceremony: Ceremony, sheets: Mapping[str, Sheet], out: Path, settings: Settings, today: date) -> None:
    remove_sheets(out)
    for member in ceremony.plan.members:
        keys = member_fingerprint(member_entry(ceremony, member, today))
        write_member_sheet(out, MemberSheet(sheets[member.label], keys, settings.own_origin))
    assert ceremony.shares is not None
    locale = ceremony.plan.members[0].locale
    for mnemonic in ceremony.shares.mnemonics:
        write_share_sheet(out, ShareSheet(mnemonic, ceremony.shares.count), locale)


def _last_shares(ceremony: Ceremony) -> tuple[str, ...]:
    assert ceremony.shares is not None
    return ceremony.shares.mnemonics[-ceremony.shares.threshold :]

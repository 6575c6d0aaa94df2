# SPDX-License-Identifier: AGPL-3.0-or-later
"""Founding in one sitting, from a founding file up to a charter at the portal, however often it is broken off."""

import re
import stat
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pyotp
import pytest

from crypto.age import PqIdentity
from crypto.charter import read_charter
from crypto.errors import AuthenticationError, CryptoError
from crypto.fingerprint import member_fingerprint
from crypto.keyring import MINIMUM, open_keyring
from crypto.note import SigningKey
from crypto.quorum import ShareError, recombine_reserve, split_reserve
from oversight.commission.charters import current_charter, is_founded
from oversight.commission.keys import OfficeSafe
from oversight.commission.records import CharterRecord
from oversight.founding import command
from oversight.founding.command import Founded, found
from oversight.founding.plan import Plan, PlanError, load_plan, read_plan
from oversight.founding.reserve import check_subsets
from oversight.founding.store import publish, start_over
from oversight.members.records import MemberRecord
from oversight.members.second_factor import open_secret
from oversight.settings import Settings
from oversight.storage import Database
from oversight.wire.connection import Connection
from oversight.wire.portal_client import PortalClient
from oversight.wire.portal_errors import PortalRefused, PortalUnreachable
from tests.oversight.founding.party import Paper, expect, party_at
from tests.oversight.founding.plans import write_plan
from tests.oversight.office import Clock
from tests.oversight.portals import Portal
from tests.people import PORTAL_ORIGIN, TODAY


class Killed(BaseException):
    """Stands for the end of the process at this point."""


@dataclass
class Command:
    """A founding that can be run again and again."""

    plan: Plan
    settings: Settings
    safe: OfficeSafe
    client: PortalClient
    invitation: str
    out: Path

    async def run(self, **changed: Any) -> Founded:
        arguments = {
            "settings": self.settings,
            "safe": self.safe,
            "client": self.client,
            "invitation": self.invitation,
            "out": self.out,
        }
        return await found(self.plan, **{**arguments, **changed}, today=TODAY, parameters=MINIMUM)


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    return load_plan(write_plan(tmp_path))


@pytest.fixture
async def command_line(plan: Plan, settings: Settings, portal: Portal, tmp_path: Path) -> AsyncIterator[Command]:
    client = PortalClient(Connection(PORTAL_ORIGIN, portal.transport), PORTAL_ORIGIN, SigningKey.generate("founding"))
    database = await Database.open(settings.database_url)
    with database.use():
        safe = OfficeSafe(settings.secrets)
        yield Command(plan, settings, safe, client, await portal.invitation(plan.slug), tmp_path / "sheets")
    await client.close()
    await database.close()


def read_sheet(path: Path) -> Paper:
    passphrase, secret = re.findall(r'class="sheet__secret">([^<]+)<', path.read_text())
    return Paper(passphrase, secret.replace(" ", ""))


async def check_founded(command_line: Command, portal: Portal) -> None:
    """That the paper, the office and the portal fit together."""
    charter = await current_charter()
    async with httpx.AsyncClient(transport=portal.transport, base_url=PORTAL_ORIGIN) as client:
        answer = await client.get(f"/api/v1/commissions/{charter.slug}/charter")
    assert read_charter(answer.content) == charter
    assert await MemberRecord.all().count() == len(command_line.plan.members)
    for planned in command_line.plan.members:
        path = command_line.out / f"member-{planned.label}.html"
        sheet, paper = path.read_text(), read_sheet(path)
        member = await MemberRecord.get(label=planned.label)
        keyring = open_keyring(member.keyring, paper.passphrase, planned.label)
        entry = next(entry for entry in charter.members if entry.label == planned.label)
        assert keyring.identity.recipient() == entry.recipient
        assert SigningKey.from_seed(member.key_name, keyring.signing_seed).verifier == entry.verifier
        factor_key = OfficeSafe(command_line.settings.secrets).read_with(keyring.identity).record_key
        assert open_secret(factor_key, member.second_factor, member.label) == paper.secret
        assert member_fingerprint(entry) in sheet
        assert len(paper.passphrase.split()) == 6
    shares = [
        " ".join(re.findall(r'class="sheet__word">([a-z]+)<', path.read_text()))
        for path in sorted(command_line.out.glob("reserve-share-*"))
    ]
    assert len(shares) == command_line.plan.reserve_shares
    for left_out in range(len(shares)):
        seed = recombine_reserve([share for at, share in enumerate(shares) if at != left_out])
        assert PqIdentity.from_seed(seed).recipient() == charter.reserve.recipient


async def test_a_founding_file_becomes_a_commission(command_line: Command, portal: Portal) -> None:
    done = await command_line.run()
    await check_founded(command_line, portal)
    charter = done.charter
    assert charter.members[0].roles == ("registrar", "administrator")
    assert charter.realm == (await command_line.client.portal_info()).realm
    assert (charter.grace_days, charter.reply_days) == (14, 365)
    assert charter.valid_from == TODAY
    assert (charter.valid_until - charter.valid_from).days == 29
    assert (charter.governors.threshold, len(charter.governors.keys)) == (2, 2)
    assert charter.questionnaire.questions
    assert set(done.sheets) == {"amina", "bruno", "chiara"}
    assert (await MemberRecord.get(label="bruno")).username == "bruno.k"


async def test_sheets_are_for_their_owner_alone_and_name_no_commission(command_line: Command) -> None:
    await command_line.run()
    paths = [*command_line.out.iterdir(), *command_line.settings.secrets.iterdir()]
    assert len(paths) == 7
    assert {stat.S_IMODE(path.stat().st_mode) for path in paths} == {0o600}
    assert stat.S_IMODE(command_line.out.stat().st_mode) == 0o700
    for path in command_line.out.iterdir():
        assert not re.search("harbour|commission|amparo|لجنة", path.read_text(), re.I)
    assert 'dir="rtl"' in (command_line.out / "member-bruno.html").read_text()


async def test_the_office_keeps_no_passphrase_and_no_key(command_line: Command) -> None:
    done = await command_line.run()
    stored = b"".join(path.read_bytes() for path in command_line.settings.data.rglob("*") if path.is_file())
    for sheet in done.sheets.values():
        assert sheet.passphrase.encode() not in stored
        assert sheet.totp_secret.encode() not in stored
        keyring = open_keyring(
            (await MemberRecord.get(label=sheet.member.label)).keyring, sheet.passphrase, sheet.member.label
        )
        for secret in (keyring.identity_seed, keyring.signing_seed, keyring.index_key):
            assert secret not in stored
    for path in command_line.out.glob("reserve-share-*"):
        words = re.findall(r'class="sheet__word">([a-z]+)<', path.read_text())
        assert " ".join(words[4:]).encode() not in stored


STEPS = ("sit", "sign_charter", "write_sheets", "keep", "publish")


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_founding_killed_at_any_step_is_finished_by_running_it_again(
    command_line: Command, portal: Portal, monkeypatch: pytest.MonkeyPatch, step: str, when: str
) -> None:
    original = getattr(command, step)

    def killed(*arguments: Any, **named: Any) -> Any:
        if when == "before":
            raise Killed
        original(*arguments, **named)
        raise Killed

    async def killed_later(*arguments: Any, **named: Any) -> Any:
        if when == "before":
            raise Killed
        await original(*arguments, **named)
        raise Killed

    later = step in {"keep", "publish"}
    with monkeypatch.context() as patch:
        patch.setattr(command, step, killed_later if later else killed)
        with pytest.raises(Killed):
            await command_line.run()
    await command_line.run()
    await check_founded(command_line, portal)


async def test_what_was_signed_is_kept_when_the_portal_refuses(command_line: Command, portal: Portal) -> None:
    with pytest.raises(PortalRefused) as refusal:
        await command_line.run(invitation="made-up")
    assert refusal.value.code == "invitation-invalid"
    assert not await is_founded()
    signed = (await CharterRecord.get()).hash
    sheets = {path.name: path.read_text() for path in command_line.out.iterdir()}
    done = await command_line.run()
    assert done.charter.hash == signed
    assert {path.name: path.read_text() for path in command_line.out.iterdir()} == sheets
    await check_founded(command_line, portal)


async def test_nothing_is_made_while_the_portal_can_not_be_reached(command_line: Command, portal: Portal) -> None:
    portal.cut_off = True
    with pytest.raises(PortalUnreachable):
        await command_line.run()
    assert await CharterRecord.all().count() == 0
    assert not command_line.out.exists()
    portal.cut_off = False
    await command_line.run()
    await check_founded(command_line, portal)


async def test_an_answer_that_was_lost_is_asked_for_again(
    command_line: Command, portal: Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def lose(*arguments: Any) -> None:
        portal.loses_answers = True
        await publish(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(command, "publish", lose)
        with pytest.raises(PortalUnreachable):
            await command_line.run()
    portal.loses_answers = False
    await command_line.run()
    await check_founded(command_line, portal)


async def test_a_founded_commission_is_not_founded_again(command_line: Command, portal: Portal) -> None:
    first = await command_line.run()
    requests = portal.requests
    again = await command_line.run()
    assert again.charter == first.charter
    assert not again.sheets
    assert portal.requests == requests
    assert not await start_over(command_line.safe)
    assert await is_founded()


async def test_starting_over_drops_what_the_portal_has_not_taken(command_line: Command, portal: Portal) -> None:
    with pytest.raises(PortalRefused):
        await command_line.run(invitation="made-up")
    before = (await CharterRecord.get()).hash
    assert await start_over(command_line.safe)
    assert (await command_line.run()).charter.hash != before
    await check_founded(command_line, portal)


async def test_a_founding_on_the_pages_is_not_founded_over(command_line: Command) -> None:
    with pytest.raises(PortalRefused):
        await command_line.run(invitation="made-up")
    await CharterRecord.all().delete()
    with pytest.raises(PlanError):
        await command_line.run()
    assert await MemberRecord.all().count() == 3
    assert await start_over(command_line.safe)
    assert not (command_line.settings.secrets / "office.age").exists()
    await command_line.run()


async def test_what_one_sitting_has_signed_can_be_sent_from_the_pages(command_line: Command, portal: Portal) -> None:
    with pytest.raises(PortalRefused):
        await command_line.run(invitation="made-up")
    signed = (await CharterRecord.get()).hash
    sheet = read_sheet(command_line.out / "member-amina.html")
    async with party_at(command_line.settings, Clock(), portal) as party:
        party.papers["amina"] = sheet
        expect(await party.log_in("amina"), "/")
        expect(await party["amina"].get("/found"), "/found/publish")
        assert "The commission is founded" in (await party.publish(command_line.invitation)).text
    assert (await current_charter()).hash == signed
    await check_founded(command_line, portal)


async def test_sheets_of_an_earlier_attempt_do_not_stay_among_the_new_ones(command_line: Command) -> None:
    command_line.out.mkdir()
    (command_line.out / "member-gone.html").write_text("old")
    (command_line.out / "reserve-share-4-of-5.html").write_text("old")
    await command_line.run()
    assert len(list(command_line.out.iterdir())) == 6


async def test_codes_of_the_sheet_open_the_office(command_line: Command) -> None:
    done = await command_line.run()
    sheet = done.sheets["amina"]
    assert pyotp.TOTP(sheet.totp_secret).now().isdecimal()
    assert len(sheet.totp_secret) == 32


def test_a_share_that_does_not_fit_is_found_before_it_is_printed() -> None:
    seed, other = bytes(range(32)), bytes(32)
    shares, strange = split_reserve(seed, 2, 3), split_reserve(other, 2, 3)
    check_subsets(seed, shares, 2)
    with pytest.raises(AuthenticationError):
        check_subsets(seed, strange, 2)
    with pytest.raises((AuthenticationError, ShareError)):
        check_subsets(seed, [shares[0], shares[1], strange[2]], 2)


async def test_a_language_without_questions_is_said_to_be_missing(command_line: Command) -> None:
    value = command_line.plan.to_value()
    command_line.plan = read_plan({**value, "name": {"fr": "X"}, "mandate": {"fr": "X"}})
    with pytest.raises(CryptoError, match="fr"):
        await command_line.run()
    assert await CharterRecord.all().count() == 0

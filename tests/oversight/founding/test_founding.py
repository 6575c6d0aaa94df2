# SPDX-License-Identifier: AGPL-3.0-or-later
"""The ceremony from a founding file, up to a charter at the portal, however often it is broken off."""

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
from oversight.commission.keys import second_factor_key
from oversight.commission.records import CharterRecord
from oversight.founding import command
from oversight.founding.ceremony import check_subsets
from oversight.founding.command import Founded, found
from oversight.founding.plan import Plan, PlanError, load_plan, read_plan
from oversight.founding.store import publish, start_over
from oversight.members.records import MemberRecord
from oversight.members.second_factor import open_secret
from oversight.settings import Settings
from oversight.storage import Database
from oversight.wire.portal_client import PortalClient, PortalRefused, PortalUnreachable
from tests.oversight.portals import Portal
from tests.people import PORTAL_ORIGIN, TODAY

FILE = """
slug = "harbour"
jurisdictions = ["ZZ"]
days_valid = 30
slots = 8
grace_days = 14
name = { en = "Harbour Commission", ar = "لجنة الميناء" }
mandate = { en = "Fictional.", ar = "خيالية." }
governors = { threshold = 2, members = ["amina", "chiara"] }
reserve = { threshold = 2, shares = 3 }
limits = { attachments = 4, attachment_bytes = 1000000 }

[[members]]
label = "amina"
name = "Amina Haddad"
roles = ["registrar", "administrator"]

[[members]]
label = "bruno"
name = "Bruno Keller"
roles = ["investigator"]
username = "Bruno.K"
locale = "ar"

[[members]]
label = "chiara"
name = "Chiara Lombardi"
roles = ["chair"]
"""


class Killed(BaseException):
    """Stands for the end of the process at this point."""


@dataclass
class Ceremony:
    """A founding that can be run again and again."""

    plan: Plan
    settings: Settings
    client: PortalClient
    invitation: str
    out: Path

    async def run(self, **changed: Any) -> Founded:
        arguments = {"settings": self.settings, "client": self.client, "invitation": self.invitation, "out": self.out}
        return await found(self.plan, **{**arguments, **changed}, today=TODAY, parameters=MINIMUM)


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    path = tmp_path / "founding.toml"
    path.write_text(FILE, encoding="utf-8")
    return load_plan(path)


@pytest.fixture
async def ceremony(plan: Plan, settings: Settings, portal: Portal, tmp_path: Path) -> AsyncIterator[Ceremony]:
    client = PortalClient(PORTAL_ORIGIN, PORTAL_ORIGIN, SigningKey.generate("founding"), portal.transport)
    database = await Database.open(settings.database_url)
    with database.use():
        yield Ceremony(plan, settings, client, await portal.invitation(plan.slug), tmp_path / "sheets")
    await client.close()
    await database.close()


async def check_founded(ceremony: Ceremony, portal: Portal) -> None:
    """That the paper, the office and the portal fit together."""
    charter = await current_charter()
    async with httpx.AsyncClient(transport=portal.transport, base_url=PORTAL_ORIGIN) as client:
        answer = await client.get(f"/api/v1/commissions/{charter.slug}/charter")
    assert read_charter(answer.content) == charter
    factor_key = second_factor_key(ceremony.settings.secrets)
    assert await MemberRecord.all().count() == len(ceremony.plan.members)
    for planned in ceremony.plan.members:
        sheet = (ceremony.out / f"member-{planned.label}.html").read_text()
        passphrase, secret = re.findall(r'class="sheet__secret">([^<]+)<', sheet)
        member = await MemberRecord.get(label=planned.label)
        keyring = open_keyring(member.keyring, passphrase, planned.label)
        entry = next(entry for entry in charter.members if entry.label == planned.label)
        assert keyring.identity.recipient() == entry.recipient
        assert SigningKey.from_seed(member.key_name, keyring.signing_seed).verifier == entry.verifier
        assert open_secret(factor_key, member.second_factor, member.label) == secret.replace(" ", "")
        assert member_fingerprint(entry) in sheet
        assert len(passphrase.split()) == 6
    shares = [
        " ".join(re.findall(r'class="sheet__word">([a-z]+)<', path.read_text()))
        for path in sorted(ceremony.out.glob("reserve-share-*"))
    ]
    assert len(shares) == ceremony.plan.reserve_shares
    for left_out in range(len(shares)):
        seed = recombine_reserve([share for at, share in enumerate(shares) if at != left_out])
        assert PqIdentity.from_seed(seed).recipient() == charter.reserve.recipient


async def test_a_founding_file_becomes_a_commission(ceremony: Ceremony, portal: Portal) -> None:
    done = await ceremony.run()
    await check_founded(ceremony, portal)
    charter = done.charter
    assert charter.members[0].roles == ("registrar", "administrator")
    assert charter.realm == (await ceremony.client.portal_info()).realm
    assert (charter.grace_days, charter.reply_days) == (14, 365)
    assert charter.valid_from == TODAY
    assert (charter.valid_until - charter.valid_from).days == 29
    assert (charter.governors.threshold, len(charter.governors.keys)) == (2, 2)
    assert charter.questionnaire.questions
    assert set(done.sheets) == {"amina", "bruno", "chiara"}
    assert (await MemberRecord.get(label="bruno")).username == "bruno.k"


async def test_sheets_are_for_their_owner_alone_and_name_no_commission(ceremony: Ceremony) -> None:
    await ceremony.run()
    paths = [*ceremony.out.iterdir(), *ceremony.settings.secrets.iterdir()]
    assert len(paths) >= 8
    assert {stat.S_IMODE(path.stat().st_mode) for path in paths} == {0o600}
    assert stat.S_IMODE(ceremony.out.stat().st_mode) == 0o700
    for path in ceremony.out.iterdir():
        assert not re.search("harbour|commission|amparo|لجنة", path.read_text(), re.I)
    assert 'dir="rtl"' in (ceremony.out / "member-bruno.html").read_text()


async def test_the_office_keeps_no_passphrase_and_no_key(ceremony: Ceremony) -> None:
    done = await ceremony.run()
    stored = b"".join(path.read_bytes() for path in ceremony.settings.data.rglob("*") if path.is_file())
    for sheet in done.sheets.values():
        assert sheet.passphrase.encode() not in stored
        assert sheet.totp_secret.encode() not in stored
        keyring = open_keyring(
            (await MemberRecord.get(label=sheet.member.label)).keyring, sheet.passphrase, sheet.member.label
        )
        for secret in (keyring.identity_seed, keyring.signing_seed, keyring.index_key):
            assert secret not in stored
    for path in ceremony.out.glob("reserve-share-*"):
        words = re.findall(r'class="sheet__word">([a-z]+)<', path.read_text())
        assert " ".join(words[4:]).encode() not in stored


STEPS = ("_terms", "_make_keys", "sign_charter", "_write_sheets", "keep", "publish")


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_founding_killed_at_any_step_is_finished_by_running_it_again(
    ceremony: Ceremony, portal: Portal, monkeypatch: pytest.MonkeyPatch, step: str, when: str
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

    later = step in {"_terms", "keep", "publish"}
    with monkeypatch.context() as patch:
        patch.setattr(command, step, killed_later if later else killed)
        with pytest.raises(Killed):
            await ceremony.run()
    await ceremony.run()
    await check_founded(ceremony, portal)


async def test_what_was_signed_is_kept_when_the_portal_refuses(ceremony: Ceremony, portal: Portal) -> None:
    with pytest.raises(PortalRefused) as refusal:
        await ceremony.run(invitation="made-up")
    assert refusal.value.code == "invitation-invalid"
    assert not await is_founded()
    signed = (await CharterRecord.get()).hash
    done = await ceremony.run()
    assert done.charter.hash == signed
    await check_founded(ceremony, portal)


async def test_nothing_is_made_while_the_portal_can_not_be_reached(ceremony: Ceremony, portal: Portal) -> None:
    portal.cut_off = True
    with pytest.raises(PortalUnreachable):
        await ceremony.run()
    assert await CharterRecord.all().count() == 0
    assert not ceremony.out.exists()
    portal.cut_off = False
    await ceremony.run()
    await check_founded(ceremony, portal)


async def test_an_answer_that_was_lost_is_asked_for_again(
    ceremony: Ceremony, portal: Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def lose(*arguments: Any) -> None:
        portal.loses_answers = True
        await publish(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(command, "publish", lose)
        with pytest.raises(PortalUnreachable):
            await ceremony.run()
    portal.loses_answers = False
    await ceremony.run()
    await check_founded(ceremony, portal)


async def test_a_founded_commission_is_not_founded_again(ceremony: Ceremony, portal: Portal) -> None:
    first = await ceremony.run()
    requests = portal.requests
    again = await ceremony.run()
    assert again.charter == first.charter
    assert not again.sheets
    assert portal.requests == requests
    await start_over()
    assert await is_founded()


async def test_starting_over_drops_what_the_portal_has_not_taken(ceremony: Ceremony, portal: Portal) -> None:
    with pytest.raises(PortalRefused):
        await ceremony.run(invitation="made-up")
    before = (await CharterRecord.get()).hash
    await start_over()
    assert (await ceremony.run()).charter.hash != before
    await check_founded(ceremony, portal)


async def test_sheets_of_an_earlier_attempt_do_not_stay_among_the_new_ones(ceremony: Ceremony) -> None:
    ceremony.out.mkdir()
    (ceremony.out / "member-gone.html").write_text("old")
    (ceremony.out / "reserve-share-4-of-5.html").write_text("old")
    await ceremony.run()
    assert len(list(ceremony.out.iterdir())) == 6


async def test_codes_of_the_sheet_open_the_office(ceremony: Ceremony) -> None:
    done = await ceremony.run()
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


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('slug = "harbour"', 'slug = "Harbour"'),
        ('slug = "harbour"', ""),
        ('slug = "harbour"', 'slug = "harbour"\nslgu = "x"'),
        ("threshold = 2, members", "threshold = 3, members"),
        ('"chiara"]', '"nobody"]'),
        ('label = "bruno"', 'label = "amina"'),
        ('username = "Bruno.K"', 'username = "AMINA"'),
        ('roles = ["chair"]', 'roles = ["queen"]'),
        ("slots = 8", "slots = 3"),
        ("shares = 3", "shares = 1"),
        ("threshold = 2, shares = 3", "threshold = 1, shares = 3"),
        ("days_valid = 30", "days_valid = 0"),
        ('locale = "ar"', 'locale = "xx"'),
        ('mandate = { en = "Fictional.", ar = "خيالية." }', 'mandate = { en = "Fictional." }'),
        ("[[members]]", "[[members"),
    ],
)
def test_a_founding_file_that_can_not_be_used_is_refused_before_anything_is_made(
    tmp_path: Path, before: str, after: str
) -> None:
    assert before in FILE
    path = tmp_path / "founding.toml"
    path.write_text(FILE.replace(before, after, 1), encoding="utf-8")
    with pytest.raises(PlanError, match=r"founding\.toml"):
        load_plan(path)


def test_a_plan_is_read_back_from_what_it_says(plan: Plan) -> None:
    assert read_plan(plan.to_value()) == plan
    with pytest.raises(CryptoError):
        read_plan([])
    with pytest.raises(PlanError):
        load_plan(Path("/nowhere/founding.toml"))


async def test_a_language_without_questions_is_said_to_be_missing(ceremony: Ceremony) -> None:
    value = ceremony.plan.to_value()
    ceremony.plan = read_plan({**value, "name": {"fr": "X"}, "mandate": {"fr": "X"}})
    with pytest.raises(CryptoError, match="fr"):
        await ceremony.run()
    assert await CharterRecord.all().count() == 0

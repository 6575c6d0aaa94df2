# SPDX-License-Identifier: AGPL-3.0-or-later
"""A commission is founded by the people who belong to it, each at a browser of their own, on the real programs."""

import base64
import re
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, expect

from crypto.age import PqIdentity
from crypto.charter import Charter, read_charter
from crypto.keyring import open_keyring
from crypto.quorum import recombine_reserve
from oversight.commission.keys import OfficeSafe
from oversight.demo.reporter import DemoReporter
from oversight.demo.reports import load_reports
from portal.kit.checks import SOON
from tests.browser.browsing import TIMEOUT_MS, launched
from tests.chance import fresh_bytes
from tests.journeys.founders import Founder
from tests.journeys.leftovers import Secrets, find_leftovers, forms_of_bytes, forms_of_text, forms_of_words
from tests.journeys.world import reload_until_visible
from tests.servers import Program, office_program, portal_program
from tests.waiting import SECONDS_MAX

COMMISSION = {"name-en": "Harbour Commission", "name-ar": "لجنة الميناء", "slug": "harbour"}
MANDATE = {"mandate-en": "Whoever was surrendered from the harbour.", "mandate-ar": "من سُلّم من الميناء."}
OVERLOOKED = 7
"""Which word of her share somebody writes down wrong, from 0."""


@dataclass
class Setting:
    """A portal, an office in which nobody has an account, and browsers."""

    folder: Path
    portal: Program
    office: Program
    browser: Browser
    founders: list[Founder] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def founder(self, name: str, *, reloads: bool = False) -> Founder:
        """Somebody with a browser that nobody used before."""
        context = self.browser.new_context(viewport={"width": 1280, "height": 900}, locale="en")
        context.set_default_timeout(TIMEOUT_MS)
        context.on("weberror", lambda error: self.complaints.append(str(error.error)))
        founder = Founder(name, name.split(maxsplit=1)[0].lower(), context.new_page(), reloads=reloads)
        self.founders.append(founder)
        return founder

    @property
    def setup_link(self) -> str:
        """What the office printed on its terminal at its start."""
        return re.findall(r"http\S+/join/\S+", self.office.log.read_text())[-1]

    @property
    def portal_fingerprint(self) -> str:
        """What the portal's operator reads out."""
        return re.findall(r"([0-9a-f]{4}(?: [0-9a-f]{4}){7})", self.portal.run("check", status=SOON))[0]

    def invitation(self) -> str:
        """What the portal's operator gives to whoever convenes the founding."""
        return self.portal.run("invite", COMMISSION["slug"]).split()[-1]

    def charter(self) -> Charter:
        """Charter 1, as the portal hands it to everybody."""
        answer = httpx.get(f"{self.portal.origin}/api/v1/commissions/{COMMISSION['slug']}/charter", timeout=SECONDS_MAX)
        return read_charter(answer.raise_for_status().content)


def test_the_search_for_leftovers_finds_a_secret_in_every_form(tmp_path: Path) -> None:
    words = ["acid", "academic", "acne", "acquire"]
    key = fresh_bytes(32)
    secrets = {"words": forms_of_words(words, 3), "key": forms_of_bytes(key)}
    for at, before in enumerate((b"", b"a", b"ab")):
        (tmp_path / f"{at}").write_bytes(base64.b64encode(before + " ".join(words[1:]).encode() + b"after"))
        (tmp_path / f"{at}.key").write_bytes(b"before" + base64.urlsafe_b64encode(before + key))
    (tmp_path / "form").write_bytes(b"share=" + "+".join(words[:3]).encode())
    (tmp_path / "hex").write_bytes(key.hex().encode())
    (tmp_path / "two words").write_bytes(" ".join(words[:2]).encode())
    found = {each.split(":")[0] for each in find_leftovers(tmp_path, secrets)}
    assert found == {"0", "1", "2", "0.key", "1.key", "2.key", "form", "hex"}


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    with launched(chromium) as browser:
        yield browser


@pytest.fixture
def setting(tmp_path: Path, browser: Browser) -> Iterator[Setting]:
    portal = portal_program(tmp_path)
    office = office_program(tmp_path, portal, OVERSIGHT_COLLECT_SECONDS="1")
    setting = Setting(tmp_path, portal, office, browser)
    try:
        with ThreadPoolExecutor() as pool:
            list(pool.map(Program.start, [portal, office]))
        yield setting
    finally:
        for founder in setting.founders:
            founder.page.context.close()
        office.stop()
        portal.stop()


def test_three_people_found_a_commission_and_leave_nothing_of_it_behind(setting: Setting) -> None:
    amina, bruno, chiara = (
        setting.founder("Amina Haddad"),
        setting.founder("Bruno Keller"),
        setting.founder("Chiara Lombardi", reloads=True),
    )
    everybody = [amina, bruno, chiara]
    convene(setting, amina, [bruno, chiara])
    assert find_leftovers(setting.folder, plan_of(chiara)) == []
    for guest, link in zip([bruno, chiara], setting.links[1:], strict=True):
        guest.open(link)
        guest.make_keys()
    make_reserve(amina, [])
    for keeper in everybody:
        keeper.look_at_share()
    mistake = bruno.share.copy()
    mistake[OVERLOOKED] = "academic" if mistake[OVERLOOKED] != "academic" else "acid"
    bruno.type_share(mistake)
    bruno.sees(f"Word {OVERLOOKED + 1} is not the one that was shown")
    for keeper in everybody:
        keeper.type_share(keeper.share)
        keeper.sees("Your share is on paper")
    lay_out(amina)
    assert find_leftovers(setting.folder, plan_of()) == []
    portal_fingerprint = setting.portal_fingerprint
    for governor, others in ((bruno, [amina, chiara]), (chiara, [amina, bruno])):
        governor.compare(others, portal_fingerprint)
        governor.send("/found/draft/sign")
        governor.sees("You have signed")
    publish(setting, amina)
    secrets = secrets_of(setting)
    for founder in everybody:
        founder.lock()
        founder.log_in(setting.office.origin)
    check_that_nobody_has_much_to_do(convener=amina, others=[bruno, chiara])
    check_that_it_works(setting, bruno)
    assert find_leftovers(setting.folder, secrets) == ["office.log: the setup token (1)"]
    setting.office.stop()
    assert find_leftovers(setting.folder, secrets) == ["office.log: the setup token (1)"]
    assert setting.complaints == []


def test_a_wrong_fingerprint_voids_the_draft_for_everybody(setting: Setting) -> None:
    amina, bruno, chiara, stranger = (
        setting.founder("Amina Haddad"),
        setting.founder("Bruno Keller"),
        setting.founder("Chiara Lombardi"),
        setting.founder("A stranger"),
    )
    convene(setting, amina, [bruno, chiara])
    for guest, link in ((bruno, setting.links[1]), (stranger, setting.links[2])):
        guest.open(link)
        guest.make_keys()
    chiara.open(setting.links[2])
    chiara.sees("somebody else may have")
    make_reserve(amina, ["chiara"])
    for keeper in (amina, bruno):
        keeper.look_at_share()
        keeper.type_share(keeper.share)
    lay_out(amina)
    bruno.open_from_list("/found/draft")
    assert bruno.fingerprint_of("amina") == amina.read_out()
    assert bruno.fingerprint_of("chiara") == stranger.read_out()
    bruno.unfold("main details:has([name=about])")
    bruno.tick("[name=about][value=chiara]")
    bruno.send("/found/draft/object")
    for founder in (amina, bruno, stranger):
        founder.open_from_list("")
        founder.sees("The draft of the charter is void")
        founder.sees("Bruno Keller found that the fingerprint of Chiara Lombardi is another than the one read out")
    amina.open_from_list("/found/draft")
    assert amina.page.locator("form[action='/found/draft/sign'] button").count() == 0
    amina.open_from_list("/found/members")
    amina.unfold("li:has(form[action$='/chiara/invite']) details")
    amina.send("/found/members/chiara/invite")
    stranger.page.reload()
    expect(stranger.page).to_have_url(re.compile("/login"))
    chiara.open(amina.page.locator("main .to-copy").inner_text())
    chiara.make_keys()
    lay_out(amina)
    bruno.compare([amina, chiara], setting.portal_fingerprint)
    bruno.send("/found/draft/sign")
    bruno.sees("1 of 2 signatures")


def test_a_commission_of_one_is_told_what_it_is(setting: Setting) -> None:
    amina = setting.founder("Amina Haddad")
    convene(setting, amina, [])
    amina.open_from_list("")
    amina.sees("A commission of one")
    amina.sees("nobody checks you")
    amina.open_from_list("/found/reserve")
    amina.sees("Whoever finds that paper can read every report")
    amina.type("outside", "0")
    amina.type("threshold", "1")
    amina.send("/found/reserve")
    amina.look_at_share()
    check_that_the_sheet_is_printed_alone(amina)
    amina.type_share(amina.share)
    lay_out(amina)
    amina.tick("[name=compared][value='.portal']")
    amina.send("/found/draft/sign")
    publish(setting, amina)
    assert [member.name for member in setting.charter().members] == ["Amina Haddad"]


def convene(setting: Setting, convener: Founder, others: list[Founder]) -> None:
    """Keys by the link of the terminal, the plan, a link for everybody else."""
    setting.links.append(setting.setup_link)
    convener.open(setting.setup_link)
    convener.type("member", convener.name)
    convener.type("label", convener.label)
    convener.make_keys()
    convener.press(".task-list a[href='/found/commission']")
    for name, text in {**COMMISSION, **MANDATE, "jurisdictions": "DE"}.items():
        convener.type(name, text)
    convener.send("/found/commission")
    convener.press(".task-list a[href='/found/members']")
    for other in others:
        convener.type("member", other.name)
        convener.type("label", other.label)
        for tick in ("[name=roles][value=triage]", "[name=governor]"):
            convener.tick(f"form[action='/found/members'] {tick}")
        convener.send("/found/members")
    if not others:
        convener.type("threshold", "1")
        convener.send("/found/members/threshold")
    for other in others:
        convener.send(f"/found/members/{other.label}/invite")
        setting.links.append(convener.page.locator("main .to-copy").inner_text())
        convener.press("main a[href='/found/members']")


def make_reserve(convener: Founder, without: list[str]) -> None:
    convener.open_from_list("/found/reserve")
    for label in without:
        convener.clicks += 1
        convener.page.locator(f"[name=keepers][value={label}]").uncheck()
    convener.send("/found/reserve")


def lay_out(convener: Founder) -> None:
    convener.open_from_list("/found/draft")
    convener.send("/found/draft")


def publish(setting: Setting, convener: Founder) -> None:
    """With the operator's invitation; the charter stands on the portal, and its start page names the commission."""
    convener.open_from_list("/found/publish")
    invitation = setting.invitation()
    setting.links.append(f"invitation/{invitation}")
    convener.type("invitation", invitation)
    convener.send("/found/publish")
    convener.sees("The commission is founded")
    convener.sees(setting.charter().hash)
    page = setting.browser.new_page()
    page.goto(f"{setting.portal.origin}/en/")
    expect(page.locator("main")).to_contain_text(COMMISSION["name-en"])
    page.close()


def check_that_the_sheet_is_printed_alone(keeper: Founder) -> None:
    """One page, without the commission's name, the office's address, or anything to press."""
    keeper.page.emulate_media(media="print")
    printed, sheet = (keeper.page.locator(part).inner_text().strip() for part in ("body", ".sheet"))
    assert printed == sheet
    assert not [name for name in COMMISSION.values() if name in printed]
    assert re.findall(rb"/Type /Pages\b.*?/Count (\d+)", keeper.page.pdf(prefer_css_page_size=True), re.S) == [b"1"]
    keeper.page.emulate_media(media="screen")


def check_that_nobody_has_much_to_do(convener: Founder, others: list[Founder]) -> None:
    """Until the first ordinary login; a step more on the pages is a click more here."""
    assert convener.clicks <= 34 and convener.fields <= 20, convener
    assert all(other.clicks <= 18 and other.fields <= 8 for other in others), others


def check_that_it_works(setting: Setting, member: Founder) -> None:
    """A report that is sealed to the charter comes to the office."""
    report = load_reports()[1][0]
    with httpx.Client(base_url=setting.portal.origin, timeout=SECONDS_MAX) as http:
        DemoReporter(http, setting.charter(), datetime.now(UTC).date()).send(report)
    reload_until_visible(member.page, "main a[href^='/reports/']")


def plan_of(*people: Founder) -> Secrets:
    """What nobody outside is to know before the charter is public."""
    told = [*COMMISSION.values(), *MANDATE.values(), *(person.name for person in people)]
    return {text: forms_of_text(text) for text in told}


def secrets_of(setting: Setting) -> Secrets:
    """Everything that was secret in a founding by these people, opened with their passphrases where it is sealed."""
    found: Secrets = {"the setup token": forms_of_text(setting.links[0].split("/")[-1])}
    found |= {f"link {at}": forms_of_text(link.split("/")[-1]) for at, link in enumerate(setting.links[1:], 1)}
    office_folder = setting.folder / "office"
    with sqlite3.connect(f"file:{office_folder / 'office.sqlite3'}?mode=ro", uri=True) as database:
        sealed = dict(database.execute("SELECT label, keyring FROM member"))
    identity = None
    for founder in setting.founders:
        keyring = open_keyring(sealed[founder.label], founder.passphrase, founder.label)
        identity = keyring.identity
        (cookie,) = (each for each in founder.page.context.cookies() if each["name"] == "session")
        session = base64.urlsafe_b64decode(cookie["value"])
        of_them = {
            "passphrase": forms_of_text(founder.passphrase),
            "words of the passphrase": forms_of_words(founder.passphrase.split(), 3),
            "second factor": forms_of_text(founder.totp_secret) | forms_of_bytes(base64.b32decode(founder.totp_secret)),
            "share": forms_of_words(founder.share, 3),
            "identity": forms_of_bytes(keyring.identity_seed) | forms_of_text(str(keyring.identity)),
            "signing key": forms_of_bytes(keyring.signing_seed),
            "index key": forms_of_bytes(keyring.index_key),
            "session": forms_of_bytes(session) | forms_of_bytes(session[:16]) | forms_of_bytes(session[16:]),
        }
        found |= {f"{founder.label}'s {name}": forms for name, forms in of_them.items()}
    reserve = recombine_reserve([" ".join(founder.share) for founder in setting.founders[:2]])
    found["the reserve"] = forms_of_bytes(reserve) | forms_of_text(str(PqIdentity.from_seed(reserve)))
    assert identity is not None
    office = OfficeSafe(office_folder / "secrets").read_with(identity)
    found["the office's signing key"] = forms_of_bytes(office.signing_seed)
    found["the office's record key"] = forms_of_bytes(office.record_key)
    found["the office's key of urgency"] = forms_of_bytes(office.urgency_seed)
    return found

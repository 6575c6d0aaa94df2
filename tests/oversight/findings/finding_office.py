# SPDX-License-Identifier: AGPL-3.0-or-later
"""An office of the tests with a case that is ready for its finding, and the real portal to publish it at."""

import re
from dataclasses import dataclass, field
from typing import Any

import httpx

from oversight.cases import commands
from oversight.cases.case_store import load_case
from oversight.workflow.state import CaseState
from tests.oversight.case_desk import Desk, store
from tests.oversight.office import Browser, Office
from tests.oversight.portals import Portal
from tests.oversight.sealed_reports import ANSWERS, sealed_report

CONSENTING = {**ANSWERS, "consents": ("CO-CASE", "CO-PUB-ANON"), "place": "Northfield detention centre"}
TEXT: dict[str, Any] = {
    "base": "0",
    "language": "en",
    "title": "Held after the date of surrender had passed",
    "summary": "A person was held for weeks although the surrender could no longer take place.",
    "section_heading": ["What happened"],
    "section_text": ["The time limit passed in the second quarter. Nobody told a lawyer."],
    "quarter": "2026-Q2",
    "jurisdictions": "ZZ",
    "codes": ["EXT-NR-TORT"],
    "further_codes": "EXT-DET-SURR",
    "standard": "SP-RGB",
    "grade": "FN-SUBST",
    "recommendation_addressee": ["Ministry of Justice"],
    "recommendation_text": ["Release people on the day on which the limit passes."],
    "recommendation_status": ["open"],
    "recommendation_due": ["2027-Q1"],
    "reply": "",
    "dissent": "",
    "action": "keep",
}


@dataclass
class FindingOffice:
    """The office, the browsers of its people, and one case that bruno (investigator), chiara (chair), elif hold."""

    office: Office
    portal: Portal
    desk: Desk
    case: str
    browsers: dict[str, Browser] = field(default_factory=dict)

    @property
    def path(self) -> str:
        return f"/cases/{self.case}/finding"

    async def state(self) -> CaseState:
        with self.office.database.use():
            return await load_case(self.case)

    async def browser(self, label: str) -> Browser:
        if label not in self.browsers:
            self.browsers[label] = await self.office.browser_of(label)
        return self.browsers[label]

    async def act(self, browser: Browser, action: str, **form: str | list[str]) -> httpx.Response:
        """Post a form of the finding's page, as the page has it."""
        state = await self.state()
        return await browser.post(f"{self.path}/{action}", head=state.head.hash, **form)

    async def keep(self, browser: Browser, **changed: str | list[str]) -> httpx.Response:
        """Keep a text as the next revision."""
        state = await self.state()
        base = str(state.finding.revision if state.finding else 0)
        return await browser.post(f"{self.path}/edit", **{**TEXT, "base": base, **changed})

    async def sign(self, label: str) -> httpx.Response:
        state = await self.state()
        assert state.finding is not None
        return await self.act(await self.browser(label), "sign", text=state.finding.text_sha256)

    async def decide(self, to_state: str, ground: str | None = None, by: str = "elif") -> CaseState:
        with self.office.database.use():
            return await self.desk.decide(self.case, to_state, ground, by=by)

    async def until_decided(self, **changed: str | list[str]) -> None:
        """From an empty page to a text that is decided to be published."""
        assert (await self.keep(await self.browser("bruno"), **changed)).status_code == 303
        await self.sign_and_check()
        await self.decide("ADOPTED", by="bruno")
        await self.decide("PUBLISHED")

    async def sign_and_check(self) -> None:
        for label in ("chiara", "elif"):
            answer = await self.sign(label)
            assert answer.status_code == 303, answer.text
        assert (await self.act(await self.browser("elif"), "check")).status_code == 303

    async def publish(self) -> httpx.Response:
        return await self.act(await self.browser("elif"), "publish")


async def finding_office(office: Office, portal: Portal, **answers: Any) -> FindingOffice:
    """A case in FINDING_DRAFT of one report whose reporter agreed to a publication; ``answers`` replace its answers."""
    office.talk_to(portal)
    invitation = await portal.invitation(office.world.slug)
    async with httpx.AsyncClient(transport=portal.transport, base_url="http://portal.test") as client:
        posted = await client.post(
            "/api/v1/charters", content=office.world.charter.note, headers={"amparo-invitation": invitation}
        )
        assert posted.is_success, posted.text
    return await case_in_draft(office, portal, Desk(office.world, office.clock.now), **answers)


async def case_in_draft(office: Office, portal: Portal, desk: Desk, **answers: Any) -> FindingOffice:
    """A further case."""
    with office.database.use():
        sealed = sealed_report(office.world, answers={**CONSENTING, **answers})
        await store(sealed, desk.today)
        state = await commands.open_case(desk.person("amina"), [sealed.manifest.submission], "none")
        case = state.head.case
        for label in ("chiara", "bruno", "elif"):
            await desk.bring_in(case, label)
        await desk.admit(case)
        await commands.change_state(desk.person("bruno"), case, "INVESTIGATING")
        await commands.change_state(desk.person("bruno"), case, "FINDING_DRAFT")
    return FindingOffice(office, portal, desk, case)


async def second_case(work: FindingOffice) -> FindingOffice:
    """Another case of the same office, as far as this one."""
    return await case_in_draft(work.office, work.portal, work.desk)


def text_of(answer: httpx.Response) -> str:
    """What a page says, in one line."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.text))

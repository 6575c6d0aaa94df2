# SPDX-License-Identifier: AGPL-3.0-or-later
"""Cases of the tests, worked on through the office's pages as members do it."""

import re
from dataclasses import dataclass, field
from datetime import date

import httpx

from oversight.cases.case_store import load_case
from oversight.workflow.state import CaseState
from tests.oversight.case_desk import REASONS, store
from tests.oversight.office import Browser, Office
from tests.oversight.sealed_reports import sealed_report
from tests.people import TODAY

HEAD = re.compile(r'name="head" value="([0-9a-f]{64})"')


@dataclass
class CaseRoom:
    """Browsers of the members, each logged in once, over one office."""

    office: Office
    browsers: dict[str, Browser] = field(default_factory=dict)

    async def browser(self, label: str) -> Browser:
        if label not in self.browsers:
            self.browsers[label] = await self.office.browser_of(label)
        return self.browsers[label]

    async def get(self, label: str, path: str) -> httpx.Response:
        return await (await self.browser(label)).get(path)

    async def post(self, label: str, path: str, **form: str) -> httpx.Response:
        """Post a form without loading its page first."""
        return await (await self.browser(label)).post(path, **form)

    async def receive(self, received: date = TODAY, **changes: object) -> str:
        """Receive a report; return its id."""
        sealed = sealed_report(self.office.world, **changes)
        await store(sealed, received)
        return sealed.manifest.submission

    async def open_case(self, report: str = "", policy: str = "eu-2019-1937") -> str:
        """Amina opens a case with a report; the case's id."""
        report = report or await self.receive()
        answer = await self.post("amina", f"/reports/{report}/case", policy=policy, no_conflict="yes")
        assert answer.status_code == 303, answer.text
        found = re.fullmatch(r"/cases/([0-9a-f]{32})\?done=opened", answer.headers["location"])
        assert found
        return found[1]

    async def state(self, case: str) -> CaseState:
        return await load_case(case)

    async def act(self, label: str, case: str, path: str, **form: str) -> httpx.Response:
        """Post a form of the case as it is now."""
        head = (await self.state(case)).head.hash
        return await self.post(label, f"/cases/{case}{path}", head=head, **form)

    async def do(self, label: str, case: str, path: str, **form: str) -> None:
        """As ``act``, of what must succeed."""
        answer = await self.act(label, case, path, **form)
        assert answer.status_code == 303, answer.text

    async def bring_in(self, case: str, *labels: str) -> None:
        """These members declare to have no conflict, and Amina gives them the case."""
        for label in labels:
            await self.do(label, case, "/declare", conflict="no")
            await self.do("amina", case, f"/people/{label}/assign")

    async def to_conflict_check(self, case: str) -> None:
        await self.do("amina", case, "/transitions/ACKNOWLEDGED", ground="sent")
        await self.do("amina", case, "/transitions/TRIAGE")
        await self.do("amina", case, "/transitions/CONFLICT_CHECK")

    async def propose(self, label: str, case: str, to_state: str, **form: str) -> str:
        """A proposal; the hash of its event."""
        await self.do(label, case, f"/transitions/{to_state}", **{"reasons": REASONS, **form})
        proposal = (await self.state(case)).proposed_transition
        assert proposal is not None
        return proposal.hash

    async def decide(self, case: str, to_state: str, by: str, approver: str = "chiara", **form: str) -> None:
        proposal = await self.propose(by, case, to_state, **form)
        await self.do(approver, case, f"/proposals/{proposal}/approve")

    async def held_case(self) -> str:
        """A case of one report that Amina, Bruno and Chiara hold, before its handlers are assigned."""
        case = await self.open_case()
        await self.bring_in(case, "bruno", "chiara")
        await self.to_conflict_check(case)
        return case


def head_of(page: str) -> str:
    """The head that a page's form carries."""
    found = HEAD.search(page)
    assert found
    return found[1]

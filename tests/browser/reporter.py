# SPDX-License-Identifier: AGPL-3.0-or-later
"""A person in front of the reporter's pages: what the tests do with mouse and keyboard."""

import json
from dataclasses import dataclass

from playwright.sync_api import Locator, Page, Route, expect

from tests.people import SLUG

STORY = "They took my brother and showed no paper."


def refuse(route: Route, status: int, code: str) -> None:
    """Answer in the place of the portal, which asks to come back at once."""
    body = json.dumps({"error": {"code": code, "message": "", "field": None}})
    route.fulfill(status=status, body=body, content_type="application/json", headers={"Retry-After": "1"})


@dataclass(frozen=True)
class Reporter:
    """A person with the report form of the test commission open (tests/people.py has its questionnaire)."""

    page: Page
    origin: str
    locale: str = "en"

    def open_form(self) -> None:
        self.page.goto(f"{self.origin}/{self.locale}/{SLUG}/report")
        expect(self.page.locator("[data-report][data-ready]")).to_be_visible()

    def open_return(self) -> None:
        self.page.goto(f"{self.origin}/{self.locale}/return")
        expect(self.page.locator("[data-return][data-ready]")).to_be_visible()

    def panel(self, name: str) -> Locator:
        return self.page.locator(f'[data-panel="{name}"]')

    @property
    def shown(self) -> Locator:
        """The panel that is shown."""
        return self.page.locator("[data-panel]:visible")

    def go_on(self) -> None:
        self.shown.locator("[data-next]").click()

    def go_to_story(self) -> None:
        self.go_on()
        self.go_on()
        expect(self.panel("p-what")).to_be_visible()

    def write(self, story: str = STORY) -> None:
        self.page.locator("#q-story").fill(story)

    def attach(self, name: str, kind: str, data: bytes) -> None:
        file = {"name": name, "mimeType": kind, "buffer": data}
        self.page.locator("#q-files").set_input_files(file)  # type: ignore[arg-type]

    def go_to_code_without_news(self, story: str = STORY) -> None:
        """From the open form to the code, whether or not anything has come of the charter."""
        self.go_to_story()
        self.write(story)
        self.go_on()
        expect(self.panel("check")).to_be_visible()
        self.go_on()
        expect(self.panel("code")).to_be_visible()

    def go_to_code(self, story: str = STORY) -> None:
        """From the open form to the code, answering what must be answered."""
        self.go_to_code_without_news(story)
        # Whether there is a newer charter is asked from the first panel on; without it, "Send" would first say so.
        said = self.page.locator("[data-charter-day], [data-charter-old]").locator("visible=true")
        expect(said.first).to_be_visible()

    @property
    def code_groups(self) -> list[str]:
        return self.shown.locator(".code__group").all_inner_texts()

    def type_back(self) -> None:
        groups = self.code_groups
        labels = self.page.locator("[data-back-label]")
        for index in range(2):
            number = int(labels.nth(index).inner_text().split()[-1])
            self.page.locator("[data-back-field]").nth(index).fill(groups[number - 1])

    def send(self) -> None:
        self.page.locator('[data-panel="code"] [data-send]').click()

    def send_report(self, story: str = STORY) -> str:
        """From an opened form to "It has arrived"; gives the code."""
        self.go_to_code(story)
        code = " ".join(self.code_groups)
        self.type_back()
        self.send()
        expect(self.panel("sent")).to_be_visible()
        return code

    def enter_code(self, code: str) -> None:
        self.page.locator("#code").fill(code)
        self.page.locator("[data-open]").click()

# SPDX-License-Identifier: AGPL-3.0-or-later
"""A member who answers reports through the pages of an office that fails: looks what became of it, and goes on."""

import re
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import httpx
import pyotp

from crypto.ids import SubmissionId
from tests.people import Person
from tests.waiting import SECONDS_MAX

PAUSE_SECONDS = 0.1
WORDS = "The answer."


@dataclass
class Member:
    """``reports`` are those that she can open, as they come; she answers one after the other."""

    person: Person
    url: str
    reports: Sequence[SubmissionId]
    answered: list[SubmissionId] = field(default_factory=list)
    away: threading.Event = field(default_factory=threading.Event)
    """Set while she does not try: who logs in again and again has to wait longer and longer."""
    told: str = ""
    """What came of the last attempt."""
    _ended: threading.Event = field(default_factory=threading.Event)
    _tried: str = ""
    _cookies: httpx.Cookies = field(default_factory=httpx.Cookies)

    def __post_init__(self) -> None:
        self._thread = threading.Thread(target=self._work, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def end(self) -> None:
        self._ended.set()
        if self._thread.ident:
            self._thread.join(SECONDS_MAX)
            assert not self._thread.is_alive()

    def _work(self) -> None:
        while not self._ended.is_set():
            number = len(self.answered)
            if self.away.is_set() or number == len(self.reports) or not self._has_answered(self.reports[number]):
                self._ended.wait(PAUSE_SECONDS)
            else:
                self.answered.append(self.reports[number])

    def _has_answered(self, report: SubmissionId) -> bool:
        try:
            with httpx.Client(base_url=self.url, cookies=self._cookies, timeout=SECONDS_MAX) as browser:
                browser.headers["sec-fetch-site"] = "same-origin"
                return self._answer(browser, f"/reports/{report}")
        except httpx.HTTPError as error:
            self.told = repr(error)
            return False

    def _answer(self, browser: httpx.Client, page: str) -> bool:
        shown = browser.get(page)
        self.told = f"{page}: {shown.status_code} {shown.headers.get('location', '')}"
        if shown.status_code == 303:
            self._log_in(browser)
        if shown.status_code != 200:
            # Not collected yet, or the office can't now.
            return False
        preview = browser.get(f"{page}/reply/preview")
        if preview.status_code != 200 and WORDS not in shown.text:
            browser.post(f"{page}/reply", data={"language": "en", "body": WORDS})
            preview = browser.get(f"{page}/reply/preview")
        if preview.status_code == 200:
            [token] = re.findall(r'name="draft" value="([0-9a-f]{32})"', preview.text)
            browser.post(f"{page}/reply/send", data={"draft": token})
        return WORDS in browser.get(page).text

    def _log_in(self, browser: httpx.Client) -> None:
        code = pyotp.TOTP(self.person.totp_secret).at(datetime.now(UTC))
        if code == self._tried:
            # Each is taken once: she waits for the next one.
            return
        self._tried = code
        form = {"username": self.person.username, "passphrase": self.person.passphrase, "code": code}
        answer = browser.post("/login", data=form)
        self.told = f"login: {answer.status_code} {re.findall('field__error.*', answer.text)}"
        if answer.status_code == 303:
            self._cookies = browser.cookies

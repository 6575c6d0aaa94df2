# SPDX-License-Identifier: AGPL-3.0-or-later
"""A member of the demonstration's commission, who works through the office's own pages as a browser would."""

import re
import time
from datetime import UTC, datetime
from types import TracebackType
from typing import Self

import httpx
import pyotp

from crypto.ids import SubmissionId
from oversight.demo.programs import DemoError

REQUEST_SECONDS_MAX = 60.0
_DRAFT = re.compile(r'name="draft" value="([0-9a-f]+)"')


class DemoMember:
    """An open session in the office at ``url``; to be used in a ``with`` statement."""

    def __init__(self, url: str) -> None:
        self._http = httpx.Client(base_url=url, headers={"origin": url}, timeout=REQUEST_SECONDS_MAX)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.close()

    def log_in(self, username: str, passphrase: str, totp_secret: str) -> None:
        """Log in with a code of this moment. Raises DemoError when the office refuses."""
        code = pyotp.TOTP(totp_secret).at(datetime.now(UTC))
        self.post("/login", username=username, passphrase=passphrase, code=code, next="/")

    def wait_for_reports(self, count: int, seconds_max: float = 120.0) -> None:
        """Open the queue until it has opened ``count`` reports. Raises DemoError when that takes too long."""
        deadline = time.monotonic() + seconds_max
        while time.monotonic() < deadline:
            page = self._http.get("/queue").raise_for_status().text
            if len(set(re.findall(r'href="/reports/([0-9a-f]{32})"', page))) >= count:
                return
            time.sleep(0.3)
        raise DemoError("the office did not collect the reports in time")

    def read(self, submission: SubmissionId) -> None:
        """Open a report, as reading it does."""
        self._http.get(f"/reports/{submission}").raise_for_status()

    def reply(self, submission: SubmissionId, language: str, body: str) -> None:
        """Write a reply, look at it as the reporter will, sign and send it."""
        here = f"/reports/{submission}/reply"
        self.post(here, language=language, body=body)
        found = _DRAFT.search(self._http.get(f"{here}/preview").raise_for_status().text)
        if found is None:
            raise DemoError("the preview of a reply has no draft")
        self.post(f"{here}/send", draft=found[1])

    def post(self, path: str, **form: str) -> None:
        """Send a form. Raises DemoError unless the office goes on to another page."""
        answer = self._http.post(path, data=form)
        if answer.status_code != httpx.codes.SEE_OTHER:
            raise DemoError(f"the office answered {answer.status_code} to {path.partition('/reports')[0] or 'a form'}")

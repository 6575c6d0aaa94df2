# SPDX-License-Identifier: AGPL-3.0-or-later
"""What a reporter's device does, for the demonstration: seal, send, and write again, by the public interface alone."""

from datetime import date

import httpx

from crypto import receipt_code
from crypto.acknowledgement import read_acknowledgement
from crypto.charter import Charter
from crypto.ids import SubmissionId
from crypto.mailbox_answer import read_mailbox_answer
from crypto.mailbox_change import add_follow_up, make_change
from crypto.state import open_state
from crypto.submission import seal_submission
from crypto.taxonomy import MESSAGE
from crypto.urgency import level_of
from oversight.demo.reports import DemoReport

BUNDLE_TYPE = "application/vnd.amparo.bundle+zip"


class DemoReporter:
    """Somebody who reports to ``charter`` through ``portal``, an HTTP client that knows the portal's address."""

    def __init__(self, portal: httpx.Client, charter: Charter, today: date) -> None:
        self.portal = portal
        self.charter = charter
        self.today = today

    def send(self, report: DemoReport) -> tuple[SubmissionId, str]:
        """Seal and send a report; its submission id, and its receipt code of 35 digits."""
        digits = receipt_code.new_code()
        sealed = seal_submission(
            charter=self.charter,
            receipt_digits=digits,
            language=report.language,
            answers=report.answers,
            attachments=report.attachments,
            sealed_by="browser",
            urgency=level_of(report.urgency),
            today=self.today,
        )
        answer = self.portal.post(
            "/api/v1/submissions", content=sealed.bundle(), headers={"content-type": BUNDLE_TYPE}
        ).raise_for_status()
        acknowledgement = read_acknowledgement(answer.json()["acknowledgement"].encode(), [self.charter.portal])
        assert acknowledgement.manifest_hash == sealed.manifest_hash
        return sealed.manifest.submission, digits

    def follow_up(self, digits: str, body: str) -> None:
        """Write again with the code, as the return page does."""
        secret = receipt_code.derive(digits, self.charter.realm)
        access = {"mailbox": secret.mailbox_id, "token": secret.token.hex()}
        mailbox = self.portal.post("/api/v1/mailbox", json=access).raise_for_status().content
        sealed_state = read_mailbox_answer(mailbox).state
        follow_up, state = add_follow_up(open_state(sealed_state, secret), self.today, MESSAGE, body)
        change = make_change(secret, sealed_state, state, follow_up=follow_up)
        self.portal.post(
            "/api/v1/mailbox/changes", content=change.encode(), headers={"content-type": "application/json"}
        ).raise_for_status()

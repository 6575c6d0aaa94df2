# SPDX-License-Identifier: AGPL-3.0-or-later
"""What a reporter's device does, for the demonstration: seal, send, and write again, by the public interface alone."""

from datetime import date

import httpx

from crypto import receipt_code
from crypto.acknowledgement import read_acknowledgement
from crypto.charter import Charter
from crypto.document import read_document
from crypto.encoding import decode_base64, encode_base64
from crypto.ids import SubmissionId
from crypto.message import FollowUp, seal_follow_up
from crypto.state import open_state
from crypto.submission import seal_submission
from crypto.taxonomy import MESSAGE
from oversight.demo.reports import DemoReport

MAILBOX_BYTES_MAX = 1024 * 1024
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
            today=self.today,
        )
        answer = self.portal.post(
            "/api/v1/submissions", content=sealed.bundle(), headers={"content-type": BUNDLE_TYPE}
        ).raise_for_status()
        acknowledgement = read_acknowledgement(answer.json()["acknowledgement"].encode(), self.charter.portal)
        assert acknowledgement.manifest_hash == sealed.manifest_hash
        return sealed.manifest.submission, digits

    def follow_up(self, digits: str, body: str) -> None:
        """Write again with the code, as the return page does."""
        secret = receipt_code.derive(digits, self.charter.origin)
        access = {"mailbox": secret.mailbox_id, "token": secret.token.hex()}
        mailbox = self.portal.post("/api/v1/mailbox", json=access).raise_for_status().content
        state = open_state(_state_of(mailbox), secret)
        follow_up = FollowUp(submission=state.submission, day=self.today, kind=MESSAGE, body=body)
        sealed = seal_follow_up(follow_up, secret.message_mac, state.recipient)
        self.portal.post(
            "/api/v1/mailbox/follow-ups", json={**access, "sealed": encode_base64(sealed)}
        ).raise_for_status()


def _state_of(mailbox: bytes) -> bytes:
    size = int.from_bytes(mailbox[:4], "big")
    answer = read_document(mailbox[4 : 4 + size], "mailbox", MAILBOX_BYTES_MAX)
    return decode_base64(answer.text("state"))

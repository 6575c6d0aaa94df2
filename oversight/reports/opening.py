# SPDX-License-Identifier: AGPL-3.0-or-later
"""Opening a report with a member's own grant: grant → thread identity → report (docs/protocol.md §5).

Each step checks that what it opened belongs to this submission; a portal or a reporter could have put together files of
several ones, or another report in the place of this one.
"""

from dataclasses import dataclass, field

from crypto.age import PqIdentity
from crypto.errors import AuthenticationError, NotARecipientError, ProofError
from crypto.ids import SubmissionId
from crypto.manifest import GRANT_FILE, REPORT_FILE, Manifest, commitment, manifest_hash, read_manifest
from crypto.submission import Report, open_grant, open_report
from oversight.reports.records import SealedFileRecord, SubmissionRecord


@dataclass(frozen=True)
class SealedReport:
    """The stored files that are needed to open a report."""

    submission: SubmissionId
    number: int
    manifest: bytes
    commitment: str
    grant: bytes
    report: bytes


@dataclass(frozen=True)
class OpenedReport:
    """A report and the identity of its thread; ``thread`` opens attachments, replies and follow-ups."""

    manifest: Manifest
    report: Report
    thread: PqIdentity = field(repr=False)


async def load_sealed(submissions: list[SubmissionRecord]) -> list[SealedReport]:
    """The sealed grants and reports of these submissions, in their order; a missing one is empty."""
    rows = await SealedFileRecord.filter(
        submission_id__in=[submission.id for submission in submissions], name__in=[GRANT_FILE, REPORT_FILE]
    ).values_list("submission_id", "name", "sealed")
    files = {(submission, name): sealed for submission, name, sealed in rows}
    return [
        SealedReport(
            submission=submission.id,
            number=submission.number,
            manifest=submission.manifest,
            commitment=submission.commitment,
            grant=files.get((submission.id, GRANT_FILE)) or b"",
            report=files.get((submission.id, REPORT_FILE)) or b"",
        )
        for submission in submissions
    ]


def open_thread(sealed: SealedReport, member: PqIdentity) -> PqIdentity:
    """The identity of the thread.

    Raises NotARecipientError when this member holds no grant, and another CryptoError for a grant that is broken or of
    another submission.
    """
    grant = open_grant(sealed.grant, [member])
    if grant.subject != sealed.submission:
        raise AuthenticationError("a grant is of another submission")
    return grant.identity


def open_with_grant(sealed: SealedReport, member: PqIdentity, realm: str) -> OpenedReport:
    """Open a report and check it against its manifest.

    Raises NotARecipientError without a grant, ProofError for a report that is not the one which was acknowledged to the
    reporter, another CryptoError when report or manifest are not as they should be.
    *Not* checked: the attachments, which are judged one by one so that a wrong one does not hide the report.
    """
    return open_with_thread(sealed, open_thread(sealed, member), realm)


def open_with_thread(sealed: SealedReport, thread: PqIdentity, realm: str) -> OpenedReport:
    """As ``open_with_grant``, with a thread identity from the report's case."""
    manifest = read_manifest(sealed.manifest)
    try:
        report = open_report(sealed.report, thread)
    except NotARecipientError:
        raise AuthenticationError("a report is sealed to another thread than its grant") from None
    if report.submission != sealed.submission or report.charter != manifest.charter or report.realm != realm:
        raise AuthenticationError("a report is of another submission, charter or portal")
    if (report.mailbox, report.control) != (manifest.recipient, manifest.control):
        raise ProofError("a report names another mailbox than its manifest")
    if commitment(report.leaf_nonce, manifest_hash(sealed.manifest)) != sealed.commitment:
        raise ProofError("a report is not the one that was acknowledged")
    return OpenedReport(manifest, report, thread)

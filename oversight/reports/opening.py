# SPDX-License-Identifier: AGPL-3.0-or-later
"""Opening a report with a member's own grants: grant → thread identity → report (docs/protocol.md §5, §9.2).

Each step checks that what it opened belongs to this submission; a portal or a reporter could have put together files of
several ones, or another report in the place of this one.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from crypto.age import PqIdentity
from crypto.errors import AuthenticationError, NotARecipientError, ProofError
from crypto.grant import open_thread_grant
from crypto.ids import SubmissionId
from crypto.manifest import GRANT_FILE, REPORT_FILE, Manifest, commitment, manifest_hash, read_manifest
from crypto.submission import Report, open_grant, open_report
from oversight.reports.records import SealedFileRecord, SubmissionRecord, ThreadGrantRecord
from portal.kit.columns import UNREADABLE, readable


@dataclass(frozen=True)
class SealedReport:
    """The stored files that are needed to open a report; ``later_grants`` are those of generations 1, 2, … ."""

    submission: SubmissionId
    number: int
    manifest: bytes
    commitment: str
    grant: bytes
    report: bytes
    later_grants: Mapping[int, bytes] = field(default_factory=dict)


@dataclass(frozen=True)
class ThreadGeneration:
    """One generation of a thread's keys, as those who read have it.

    ``message_mac`` is None for generation 0, whose key is in the report.
    """

    identity: PqIdentity = field(repr=False)
    message_mac: bytes | None = field(repr=False)


@dataclass(frozen=True)
class ThreadIdentities:
    """The generations of a thread's keys that somebody has; the first, 0, is always there, for it opens the report."""

    generations: Mapping[int, ThreadGeneration] = field(repr=False)

    @classmethod
    def of_original(cls, identity: PqIdentity) -> "ThreadIdentities":
        return cls({0: ThreadGeneration(identity, None)})

    @property
    def original(self) -> PqIdentity:
        """The identity of R, to which report and attachments are sealed."""
        return self.generations[0].identity

    @property
    def newest(self) -> int:
        """The highest generation among them; there may be a higher one that they were not given."""
        return max(self.generations)

    @property
    def is_complete(self) -> bool:
        """Whether there is no gap below the newest."""
        return len(self.generations) == self.newest + 1

    def joined(self, others: Mapping[int, ThreadGeneration]) -> "ThreadIdentities":
        """These, and those of ``others`` that are not among them."""
        return ThreadIdentities({**others, **self.generations})


@dataclass(frozen=True)
class OpenedReport:
    """A report with the keys of its thread; ``manifest_hash`` is that of the manifest that the office stored."""

    manifest: Manifest
    manifest_hash: str
    report: Report
    identities: ThreadIdentities

    @property
    def thread(self) -> PqIdentity:
        """The identity that opens the report's attachments; messages may be of a later generation."""
        return self.identities.original

    def message_mac(self, generation: int) -> bytes:
        """The message key of a generation that is among ``identities`` (32 bytes)."""
        key = self.identities.generations[generation].message_mac
        return self.report.message_mac if key is None else key


async def load_sealed(submissions: list[SubmissionRecord]) -> list[SealedReport]:
    """The sealed grants and reports of these submissions, in their order; a missing one is empty."""
    ids = [submission.id for submission in submissions]
    rows = await SealedFileRecord.filter(submission_id__in=ids, name__in=[GRANT_FILE, REPORT_FILE]).values_list(
        "submission_id", "name", "sealed"
    )
    files = {(submission, name): sealed for submission, name, sealed in rows}
    later: dict[SubmissionId, dict[int, bytes]] = {submission: {} for submission in ids}
    # Most reports have none: then there is nothing to ask for.
    if renewed := [submission.id for submission in submissions if submission.generation]:
        for record in await ThreadGrantRecord.filter(submission__in=renewed):
            # Of a damaged generation nobody knows what it opens.
            if record.generation is not UNREADABLE:
                later[record.submission][record.generation] = bytes(record.sealed)
    return [
        SealedReport(
            submission=submission.id,
            number=readable(submission.number, 0),
            manifest=submission.manifest,
            commitment=submission.commitment,
            grant=files.get((submission.id, GRANT_FILE)) or b"",
            report=files.get((submission.id, REPORT_FILE)) or b"",
            later_grants=later[submission.id],
        )
        for submission in submissions
    ]


def open_thread(sealed: SealedReport, member: PqIdentity) -> ThreadIdentities:
    """The generations of the thread's keys that this member was granted.

    Raises NotARecipientError when this member holds no grant, and another CryptoError for a grant that is broken or of
    another submission.
    """
    grant = open_grant(sealed.grant, [member])
    if grant.subject != sealed.submission:
        raise AuthenticationError("a grant is of another submission")
    return open_later_grants(ThreadIdentities.of_original(grant.identity), sealed, [member])


def open_later_grants(known: ThreadIdentities, sealed: SealedReport, identities: list[PqIdentity]) -> ThreadIdentities:
    """``known`` and the later generations that one of ``identities`` opens. Raises CryptoError for a broken grant."""
    found: dict[int, ThreadGeneration] = {}
    for generation, data in sealed.later_grants.items():
        try:
            grant = open_thread_grant(data, identities)
        except NotARecipientError:
            continue
        if (grant.subject, grant.generation) != (sealed.submission, generation):
            raise AuthenticationError("a thread grant is of another submission or generation")
        found[generation] = ThreadGeneration(grant.identity, grant.message_mac)
    return known.joined(found)


def open_with_grant(sealed: SealedReport, member: PqIdentity, realm: str) -> OpenedReport:
    """Open a report and check it against its manifest; ``realm`` is that of the commission's portal.

    Raises NotARecipientError without a grant, ProofError for a report that is not the one which was acknowledged to the
    reporter, another CryptoError when report or manifest are not as they should be.
    *Not* checked: the attachments, which are judged one by one so that a wrong one does not hide the report.
    """
    return open_with_thread(sealed, open_thread(sealed, member), realm)


def open_with_thread(sealed: SealedReport, identities: ThreadIdentities, realm: str) -> OpenedReport:
    """As ``open_with_grant``, with keys from the report's case."""
    manifest, hash_of_manifest = read_manifest(sealed.manifest), manifest_hash(sealed.manifest)
    try:
        report = open_report(sealed.report, identities.original)
    except NotARecipientError:
        raise AuthenticationError("a report is sealed to another thread than its grant") from None
    if report.submission != sealed.submission or report.charter != manifest.charter or report.realm != realm:
        raise AuthenticationError("a report is of another submission, charter or portal")
    if (report.mailbox, report.control) != (manifest.recipient, manifest.control):
        raise ProofError("a report names another mailbox than its manifest")
    if commitment(report.leaf_nonce, hash_of_manifest) != sealed.commitment:
        raise ProofError("a report is not the one that was acknowledged")
    return OpenedReport(manifest, hash_of_manifest, report, identities)

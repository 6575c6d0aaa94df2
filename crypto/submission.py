# SPDX-License-Identifier: AGPL-3.0-or-later
"""A submission: all the files that a reporter's device seals and sends. docs/protocol.md §5, §6.

The browser makes the same files with its own script; this is for the command line and for tests. The formats are in
``report``, ``attachment``, ``grant``, ``state``, ``manifest`` and ``bundle`` of ``crypto``.
"""

import hashlib
import io
import secrets
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from crypto.age import PqIdentity
from crypto.answers import Answers, PartialDate, check_answers
from crypto.attachment import (
    Attachment,
    AttachmentDraft,
    open_attachment,
    open_attachment_stream,
    seal_attachment_stream,
)
from crypto.bundle import write_bundle
from crypto.charter import Charter
from crypto.encoding import HASH_BYTES, ID_BYTES
from crypto.errors import LimitError
from crypto.grant import Grant, grant_recipients, open_grant, seal_grant
from crypto.ids import MemberLabel, SubmissionId
from crypto.manifest import (
    GRANT_FILE,
    REPORT_FILE,
    STATE_FILE,
    URGENCY_FILE,
    Manifest,
    SealedFile,
    commitment,
    manifest_hash,
)
from crypto.receipt_code import MailboxSecrets, derive
from crypto.report import Report, check_report, open_report, seal_report
from crypto.state import State, ThreadState, open_state, seal_state
from crypto.thread_keys import ThreadKeys
from crypto.urgency import UrgencyLevel, seal_urgency

__all__ = [
    "Answers",
    "Attachment",
    "Grant",
    "OutgoingAttachment",
    "PartialDate",
    "Report",
    "SealedSubmission",
    "State",
    "check_report",
    "open_attachment",
    "open_attachment_stream",
    "open_grant",
    "open_report",
    "open_state",
    "seal_submission",
]

Random = Callable[[int], bytes]


@dataclass(frozen=True)
class OutgoingAttachment:
    """A file to enclose; ``stripped`` says that metadata was already removed from ``data``."""

    name: str
    media_type: str
    data: bytes = field(repr=False)
    stripped: bool = False


@dataclass(frozen=True)
class SealedSubmission:
    """A submission to send. ``files`` holds the sealed bytes by name: the state, then the manifest's in its order."""

    manifest: Manifest
    manifest_bytes: bytes = field(repr=False)
    commitment: str
    files: Mapping[str, bytes] = field(repr=False)

    @property
    def manifest_hash(self) -> str:
        return manifest_hash(self.manifest_bytes)

    def bundle(self) -> bytes:
        """Return the submission as one ``.amparo`` archive (§6.1)."""
        return write_bundle(self.manifest_bytes, self.commitment, self.files.items())


def seal_submission(  # noqa: PLR0913 - all by name, and each is a decision of its own
    *,
    charter: Charter,
    receipt_digits: str,
    language: str,
    answers: Answers,
    attachments: Sequence[OutgoingAttachment] = (),
    exclude: Collection[MemberLabel] = (),
    sealed_by: str,
    urgency: UrgencyLevel = "none",
    today: date,
    random: Random = secrets.token_bytes,
) -> SealedSubmission:
    """Seal a report under ``charter``, with the mailbox of a receipt code (35 digits).

    ``exclude`` holds the labels of members who must not read it, ``urgency`` is what the office reads at once. Raises
    NotInForceError when the charter is not valid today, MalformedError for answers that do not fit its questions or
    when no reader is left, LimitError for more or larger attachments than it allows. Two calls with the same arguments
    make two submissions.
    """
    charter.check_day(today)
    check_answers(answers, charter.questionnaire)
    _check_limits(attachments, charter)
    secret = derive(receipt_digits, charter.realm)
    thread = PqIdentity.from_seed(random(32))
    submission = SubmissionId(random(ID_BYTES).hex())
    sealed_attachments, entries = _seal_attachments(attachments, thread, random)
    report = Report(
        submission=submission,
        realm=charter.realm,
        charter=charter.hash,
        questionnaire=(charter.questionnaire.id, charter.questionnaire.number),
        language=language,
        answers=answers,
        attachments=entries,
        excluded=tuple(sorted(exclude)),
        mailbox=secret.recipient,
        control=secret.control,
        message_mac=secret.message_mac,
        leaf_nonce=secret.leaf_nonce,
        sealed_by=sealed_by,
    )
    recipients = grant_recipients(charter, today, exclude, random)
    files = {
        REPORT_FILE: seal_report(report, thread.recipient()),
        GRANT_FILE: seal_grant(Grant(submission, thread), recipients),
        URGENCY_FILE: seal_urgency(urgency, submission, charter),
        **sealed_attachments,
    }
    manifest = _make_manifest(submission, charter, secret, files)
    keys = ThreadKeys(0, thread.recipient(), secret.message_mac)
    thread_state = ThreadState(submission, manifest_hash(manifest.encode()), charter.hash, tuple(sorted(exclude)), keys)
    state = State(charter.realm, thread_state, charter.number, charter.hash)
    return _complete(manifest, secret, {STATE_FILE: seal_state(state, secret), **files})


def _make_manifest(
    submission: SubmissionId, charter: Charter, secret: MailboxSecrets, files: Mapping[str, bytes]
) -> Manifest:
    return Manifest(
        submission=submission,
        charter=charter.hash,
        mailbox=secret.mailbox_id,
        recipient=secret.recipient,
        control=secret.control,
        token_sha256=secret.token_sha256,
        files=tuple(SealedFile(name, len(data), hashlib.sha256(data).hexdigest()) for name, data in files.items()),
    )


def _complete(manifest: Manifest, secret: MailboxSecrets, files: Mapping[str, bytes]) -> SealedSubmission:
    manifest_bytes = manifest.encode()
    committed = commitment(secret.leaf_nonce, manifest_hash(manifest_bytes))
    return SealedSubmission(manifest, manifest_bytes, committed, files)


def _seal_attachments(
    attachments: Sequence[OutgoingAttachment], thread: PqIdentity, random: Random
) -> tuple[dict[str, bytes], tuple[Attachment, ...]]:
    files: dict[str, bytes] = {}
    entries = []
    for number, attachment in enumerate(attachments, 1):
        sink = io.BytesIO()
        draft = AttachmentDraft(
            number=number,
            name=attachment.name,
            media_type=attachment.media_type,
            size=len(attachment.data),
            salt=random(HASH_BYTES),
            stripped=attachment.stripped,
        )
        entry, sealed = seal_attachment_stream(io.BytesIO(attachment.data), sink, thread.recipient(), draft)
        files[sealed.name] = sink.getvalue()
        entries.append(entry)
    return files, tuple(entries)


def _check_limits(attachments: Sequence[OutgoingAttachment], charter: Charter) -> None:
    if len(attachments) > charter.limits.attachments:
        raise LimitError(f"more than {charter.limits.attachments} attachments")
    if any(len(attachment.data) > charter.limits.attachment_bytes for attachment in attachments):
        raise LimitError(f"an attachment is larger than {charter.limits.attachment_bytes} bytes")

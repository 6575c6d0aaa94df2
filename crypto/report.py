# SPDX-License-Identifier: AGPL-3.0-or-later
"""The report: a reporter's answers and texts, sealed to the thread. docs/protocol.md §5.1."""

from dataclasses import dataclass, field

from crypto.age import PqIdentity, PqRecipient
from crypto.answers import Answers, answers_value, read_answers
from crypto.attachment import Attachment, read_attachment
from crypto.charter import LANGUAGE, read_labels
from crypto.document import Fields, read_document
from crypto.encoding import HASH_BYTES, ID_BYTES, encode_json
from crypto.errors import MalformedError, ProofError
from crypto.ids import CharterHash, MemberLabel, SubmissionId
from crypto.manifest import ATTACHMENTS_MAX, Manifest, attachment_file, commitment, manifest_hash
from crypto.padding import REPORT_FLOOR
from crypto.questionnaire import ID, INTEGER_MAX
from crypto.sealed_document import open_document, seal_document
from crypto.taxonomy import SEALED_BY

REPORT_MAX = 1024 * 1024


@dataclass(frozen=True)
class Report:
    """``charter`` is a hash, ``excluded`` members must not read it, ``mailbox`` is S, ``control`` is V in hex.

    ``message_mac`` and ``leaf_nonce`` are 32 bytes each. ``questionnaire`` holds its id and number.
    """

    submission: SubmissionId
    realm: str
    charter: CharterHash
    questionnaire: tuple[str, int]
    language: str
    answers: Answers = field(repr=False)
    attachments: tuple[Attachment, ...] = field(repr=False)
    excluded: tuple[MemberLabel, ...]
    mailbox: PqRecipient
    control: str
    message_mac: bytes = field(repr=False)
    leaf_nonce: bytes = field(repr=False)
    sealed_by: str

    def encode(self) -> bytes:
        """Return canonical JSON of at most 1 MiB. Raises as ``read_report``."""
        encoded = encode_json(
            {
                "version": "amparo/v1/report",
                "submission": self.submission,
                "realm": self.realm,
                "charter": self.charter,
                "questionnaire": {"id": self.questionnaire[0], "number": self.questionnaire[1]},
                "language": self.language,
                "answers": answers_value(self.answers),
                "attachments": [attachment.to_value() for attachment in self.attachments],
                "excluded": list(self.excluded),
                "mailbox": str(self.mailbox),
                "control": self.control,
                "message_mac": self.message_mac.hex(),
                "leaf_nonce": self.leaf_nonce.hex(),
                "sealed_by": self.sealed_by,
            }
        )
        read_report(encoded)
        return encoded


def read_report(data: bytes) -> Report:
    """Read a report's JSON. Raises MalformedError, LimitError above 1 MiB, or UnsupportedVersionError."""
    fields = read_document(data, "report", REPORT_MAX)
    report = Report(
        submission=SubmissionId(fields.hex("submission", ID_BYTES)),
        realm=fields.hex("realm", ID_BYTES),
        charter=CharterHash(fields.hex("charter", HASH_BYTES)),
        questionnaire=_read_questionnaire_name(fields.child("questionnaire")),
        language=fields.text("language", pattern=LANGUAGE),
        answers=read_answers(fields.take("answers")),
        attachments=fields.items("attachments", ATTACHMENTS_MAX, read_attachment),
        excluded=read_labels(fields, "excluded"),
        mailbox=PqRecipient.from_string(fields.text("mailbox")),
        control=fields.hex("control", HASH_BYTES),
        message_mac=bytes.fromhex(fields.hex("message_mac", HASH_BYTES)),
        leaf_nonce=bytes.fromhex(fields.hex("leaf_nonce", HASH_BYTES)),
        sealed_by=fields.text("sealed_by"),
    )
    fields.end()
    if report.sealed_by not in SEALED_BY:
        raise MalformedError("the report names an unknown sealing program")
    if any(entry.file != attachment_file(number) for number, entry in enumerate(report.attachments, 1)):
        raise MalformedError("the attachments of the report are not numbered from 1 without gaps")
    return report


def seal_report(report: Report, thread: PqRecipient) -> bytes:
    """Pad the report and seal it to R."""
    return seal_document(report.encode(), REPORT_FLOOR, [thread])


def open_report(sealed: bytes, thread: PqIdentity) -> Report:
    """Open and read ``report.age``. Raises as ``crypto.sealed_document.open_document`` and ``read_report``."""
    return read_report(open_document(sealed, thread, REPORT_FLOOR, REPORT_MAX))


def check_report(report: Report, manifest: Manifest, commitment_hex: str | None = None) -> None:
    """Check that a report belongs to the manifest it arrived with, and to the commitment if one is given.

    Raises ProofError when submission, charter, mailbox, attachments or commitment differ. A portal that mixes the files
    of two submissions, or stores another report in the place of this one, is detected here at the latest.
    """
    if (report.submission, report.charter) != (manifest.submission, manifest.charter):
        raise ProofError("the report belongs to another submission than its manifest")
    if (report.mailbox, report.control) != (manifest.recipient, manifest.control):
        raise ProofError("the report names another mailbox than its manifest")
    sealed = [(file.name, file.sha256) for file in manifest.attachments]
    if [(entry.file, entry.sealed_sha256) for entry in report.attachments] != sealed:
        raise ProofError("the report names other attachments than its manifest")
    expected = commitment(report.leaf_nonce, manifest_hash(manifest.encode()))
    if commitment_hex is not None and commitment_hex != expected:
        raise ProofError("the commitment does not match this manifest")


def _read_questionnaire_name(fields: Fields) -> tuple[str, int]:
    name = fields.text("id", pattern=ID), fields.integer("number", 1, INTEGER_MAX)
    fields.end()
    return name

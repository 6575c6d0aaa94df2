# SPDX-License-Identifier: AGPL-3.0-or-later
"""Whether a report finds room: its rows, its mailbox and its attachments each have a share."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from crypto.manifest import Manifest
from portal.intake.uploads import Uploads
from portal.storage.errors import StorageFullError
from portal.storage.records import SubmissionRecord
from portal.storage.shares import LONG, SMALL_ROW_BYTES, Kind, Shares
from portal.storage.weights import MAILBOX_BYTES, file_weight, row_weight


@dataclass(frozen=True)
class Admission:
    """Counts reports as they are accepted."""

    shares: Shares
    uploads: Uploads

    def check_attachments(self, manifest: Manifest) -> None:
        """Raise StorageFullError while attachments find no room: before they are read, not after."""
        weight = attachments_weight(manifest)
        if weight and not self.shares.has_room(Kind.ATTACHMENTS, weight):
            raise StorageFullError

    def check(self, row: SubmissionRecord) -> None:
        """Raise StorageFullError unless a report finds room now."""
        if not all(self.shares.has_room(*each) for each in _weights(row)):
            self.shares.has_refused = True
            raise StorageFullError

    @contextmanager
    def admitted(self, row: SubmissionRecord) -> Iterator[None]:
        """Count a report while its rows are written, and for good if nothing is raised meanwhile.

        Raises StorageFullError.
        """
        taken: list[tuple[Kind, int, str]] = []
        try:
            for each in _weights(row):
                self.shares.take(*each)
                taken.append(each)
            yield
        except BaseException:
            for each in taken:
                self.shares.give_back(*each)
            raise
        self.uploads.accept(row.submission, row.attachment_bytes)


def _weights(row: SubmissionRecord) -> list[tuple[Kind, int, str]]:
    """What a report counts for, by kinds and portions."""
    rows = (Kind.REPORTS, row.row_bytes, LONG if row.row_bytes > SMALL_ROW_BYTES else "")
    attachments = [(Kind.ATTACHMENTS, row.attachment_bytes, "")] if row.attachment_bytes else []
    return [rows, (Kind.MAILBOXES, MAILBOX_BYTES, ""), *attachments]


def weigh(row: SubmissionRecord, manifest: Manifest) -> SubmissionRecord:
    """The row, with what it counts for."""
    row.row_bytes = row_weight(row.report, row.grant, row.urgency or b"", row.manifest, row.parts)
    row.attachment_bytes = attachments_weight(manifest)
    return row


def attachments_weight(manifest: Manifest) -> int:
    """What the attachments of a manifest count for."""
    return sum(file_weight(attachment.size) for attachment in manifest.attachments)

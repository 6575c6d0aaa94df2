# SPDX-License-Identifier: AGPL-3.0-or-later
"""The newest keys of a thread, as replies and thread notes carry them. docs/protocol.md §9.2."""

from crypto.ids import SubmissionId
from crypto.thread_keys import ThreadKeys
from oversight.cases.report_access import OpenReport


async def newest_keys(report: OpenReport) -> ThreadKeys:
    """Where the reporter's follow-ups go from now on: in every reply, and among its recipients."""
    return ThreadKeys(0, report.opened.thread.recipient(), report.opened.report.message_mac)


async def pending_renewal(submission: SubmissionId, *, weekly: bool) -> bytes:
    """The sealed renewal that a thread note carries, empty for none.

    A renewal travels first in a weekly round, which has one size for all threads, and then in every later note: the
    portal doesn't learn which threads were renewed, nor when.
    """
    return b""

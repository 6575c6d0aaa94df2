# SPDX-License-Identifier: AGPL-3.0-or-later
"""The newest keys of a thread, as replies and thread notes carry them. docs/protocol.md §9.2."""

from crypto.ids import SubmissionId
from crypto.thread_keys import ThreadKeys
from oversight.cases.report_access import OpenReport
from oversight.cases.thread_renewal import check_newest
from oversight.reports.records import ThreadRenewalRecord
from oversight.workflow.rules import RuleError
from portal.kit.columns import is_unset


async def newest_keys(report: OpenReport) -> ThreadKeys:
    """Where the reporter's follow-ups go from now on: in every reply, and among its recipients.

    RuleError ``renewal-due`` while somebody has them who must be shut out of the report's case first, and
    ``thread-renewed`` for a member who does not have the newest.
    """
    if report.renewal_due:
        raise RuleError("renewal-due")
    opened = report.opened
    check_newest(opened.identities, report.submission)
    newest = opened.identities.newest
    return ThreadKeys(newest, opened.identities.generations[newest].identity.recipient(), opened.message_mac(newest))


async def pending_renewal(submission: SubmissionId) -> bytes:
    """The sealed renewal that a thread note carries, empty for none."""
    rows = ThreadRenewalRecord.filter(submission=submission, announced=True)
    newest = await rows.order_by("-generation").first()
    return b"" if newest is None else bytes(newest.sealed)


async def announce_renewals() -> None:
    """From now on every thread note brings the renewals that are here, the round that begins first.

    It goes to all threads and has one size: the portal doesn't learn which threads were renewed, nor when.
    """
    await ThreadRenewalRecord.filter(is_unset("announced")).update(announced=True)

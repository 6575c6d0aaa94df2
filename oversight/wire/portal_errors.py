# SPDX-License-Identifier: AGPL-3.0-or-later
"""What can go wrong with a request to the portal.

PortalError
├── PortalUnreachable   no answer, or one that no portal would give: try again later
│   └── PortalAway      nobody answers at all: whatever else is asked now fails too
├── PortalRefused       the portal says no, with a code of docs/protocol.md §7.3
└── DamagedFile         the bytes are not those that the manifest names
"""

OFFICE_CODES = frozenset(
    {
        "malformed-request",
        "digest-missing",
        "digest-mismatch",
        "not-sealed",
        "finding-malformed",
        "signature-missing",
        "signature-invalid",
        "signature-expired",
        "signature-replayed",
        "not-your-commission",
        "invitation-invalid",
        "not-found",
        "charter-unknown",
        "mailbox-closed",
        "method-not-allowed",
        "state-conflict",
        "reply-number",
        "thread-number",
        "charter-conflict",
        "already-accepted",
        "office-elsewhere",
        "finding-number",
        "finding-conflict",
        "damaged",
        "unsupported-media-type",
        "charter-expired",
        "charter-invalid",
        "finding-signatures",
        "mailbox-full",
        "internal",
        "storage-full",
    }
)
"""Codes of docs/protocol.md §7.3 that an office's requests may meet.

Not ``too-large`` and ``file-missing``: of a report that waits these are what the office itself found.
"""

REFUSES_ALL = frozenset({"signature-invalid", "signature-expired", "not-your-commission", "office-elsewhere"})
"""What is wrong with the whole portal or the whole office, whichever request met it first."""


class PortalError(Exception):
    """Base of what can go wrong with a request to the portal. ``problem`` is a short code for rows and pages."""

    problem = "unreachable"


class PortalUnreachable(PortalError):
    """No answer in time, or an answer that no portal would give. The same request can be made again later.

    ``problem``: ``interrupted``, ``slow``, ``unreadable``, ``too-long``, ``endless`` (a list), ``busy``,
    ``unavailable``, ``error`` (a status and no code of ours: a proxy's page).
    """

    def __init__(self, message: str = "", problem: str = "interrupted") -> None:
        super().__init__(message)
        self.problem = problem


class PortalAway(PortalUnreachable):
    """No connection to the portal could be made; its ``problem`` is ``unreachable``."""

    def __init__(self, message: str = "") -> None:
        super().__init__(message, "unreachable")


class PortalRefused(PortalError):
    """The portal refused; ``code`` is what it says, and may be anything.

    ``problem`` is that code only if a portal has a reason to give it to an office, and ``refused`` otherwise: rows keep
    it beside this office's own words for what is wrong, none of which the portal may choose.
    """

    def __init__(self, code: str, status: int) -> None:
        super().__init__(f"the portal refused: {code}")
        self.code = code
        self.problem = code if code in OFFICE_CODES else "refused"
        self.status = status


class DamagedFile(PortalError):
    """A file differs from its entry in the manifest; ``what`` is ``size`` or ``hash``."""

    def __init__(self, file: str, what: str) -> None:
        super().__init__(f"{file} has another {what} than the manifest says")
        self.file = file
        self.what = what
        self.problem = f"file-{what}"

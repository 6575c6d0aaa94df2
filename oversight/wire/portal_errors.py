# SPDX-License-Identifier: AGPL-3.0-or-later
"""What can go wrong with a request to the portal.

PortalError
├── PortalUnreachable   no answer, or one that no portal would give: try again later
│   └── PortalAway      nobody answers at all: whatever else is asked now fails too
├── PortalRefused       the portal says no, with a code of docs/protocol.md §7.3
└── DamagedFile         the bytes are not those that the manifest names
"""


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
    """The portal refused; ``code`` is one of docs/protocol.md §7.3."""

    def __init__(self, code: str, status: int) -> None:
        super().__init__(f"the portal refused: {code}")
        self.code = self.problem = code
        self.status = status


class DamagedFile(PortalError):
    """A file differs from its entry in the manifest; ``what`` is ``size`` or ``hash``."""

    def __init__(self, file: str, what: str) -> None:
        super().__init__(f"{file} has another {what} than the manifest says")
        self.file = file
        self.what = what
        self.problem = f"file-{what}"

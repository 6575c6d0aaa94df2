# SPDX-License-Identifier: AGPL-3.0-or-later
"""Why the portal says no: one exception with a stable code of docs/protocol.md §7.3. ``answers`` makes HTTP of it."""


class Refusal(Exception):
    """A request that is not granted. ``code`` is of docs/protocol.md §7.3; ``field`` names a file or member, never a
    value that the client sent."""

    def __init__(self, code: str, field: str | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.field = field

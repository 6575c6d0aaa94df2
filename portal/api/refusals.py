# SPDX-License-Identifier: AGPL-3.0-or-later
"""A refused request: one exception with a stable code of docs/protocol.md §7.3. ``responses`` turns it into HTTP."""

from typing import Any


class Refusal(Exception):
    """A request is refused. ``code`` is of docs/protocol.md §7.3; ``field`` names a file or member, never a value that
    the client sent. ``beside``: members of the answer beside its ``error``."""

    def __init__(self, code: str, field: str | None = None, **beside: Any) -> None:
        super().__init__(code)
        self.code = code
        self.field = field
        self.beside = beside

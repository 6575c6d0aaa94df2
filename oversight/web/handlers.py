# SPDX-License-Identifier: AGPL-3.0-or-later
"""What a room offers beside its routes: which of its exceptions it answers, and how."""

from collections.abc import Awaitable, Callable, Mapping

from starlette.requests import Request
from starlette.responses import Response

Handler = Callable[[Request, Exception], Awaitable[Response]]
Handlers = Mapping[type[Exception], Handler]

# SPDX-License-Identifier: AGPL-3.0-or-later
"""The HTTP server that both programs run: its options, and how many connections the open files allow."""

import asyncio
import resource
from collections.abc import Callable
from functools import partial
from typing import Any, Protocol

from portal.kit.accepting import TAKEN_AT_ONCE, accepting_loop
from portal.kit.connections import Connections
from portal.kit.headers import API_CSP, security_headers
from portal.kit.http_protocol import LimitedHttpProtocol

# Connections that the system has taken and the program has not: far fewer than the program may have.
BACKLOG = 256
# The database, logs, what is read and written for a moment.
OTHER_FILES = 256
# More would be of no use, and a limit may be none at all.
FILES_MAX = 1024 * 1024


def raise_file_limit() -> int:
    """Allow this process, and those that it starts, as many open files as it may; return how many."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = FILES_MAX if hard == resource.RLIM_INFINITY else min(hard, FILES_MAX)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        return wanted
    return FILES_MAX if soft == resource.RLIM_INFINITY else soft


def connections_for(wanted: int, files: int, own_files: int = 0) -> int:
    """How many of the ``wanted`` connections ``files`` allow.

    The rest is for what is accepted in one go, for ``own_files`` that the program keeps open, and for others. With very
    few files half of them are for connections, and the program may fail for want of them.
    """
    return max(1, min(wanted, max(files - TAKEN_AT_ONCE - OTHER_FILES - own_files, files // 2)))


class _Listening(Protocol):
    """Of a program's settings: where it listens, and whether visitors come by https."""

    @property
    def host(self) -> str: ...

    @property
    def port(self) -> int: ...

    @property
    def https(self) -> bool: ...


def server_options(
    settings: _Listening, make_loop: Callable[[], asyncio.AbstractEventLoop], *, files: int, connections_max: int
) -> dict[str, Any]:
    """uvicorn's options, but for the lifespan and the seconds that stopping may take. ``files`` may be open at once."""
    own_headers = security_headers(API_CSP, settings.https)
    connections = Connections(connections_max)
    return {
        "loop": partial(accepting_loop, make_loop, connections, files),
        "host": settings.host,
        "port": settings.port,
        "http": partial(LimitedHttpProtocol, connections=connections, own_headers=own_headers),
        "ws": "none",
        "backlog": BACKLOG,
        "access_log": False,
        "log_config": None,
        "server_header": False,
        "proxy_headers": False,
    }

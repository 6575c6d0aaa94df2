# SPDX-License-Identifier: AGPL-3.0-or-later
"""The data folder and the sockets of a program that serves, taken before anything is served: what another program has
ends the start.
"""

import fcntl
import os
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

SERVING = "serving.lock"


class StartError(Exception):
    """Another program serves this data or listens there, or the address is none of this machine. One line says so."""


@contextmanager
def alone_at(data: Path) -> Iterator[None]:
    """Have a data folder that no other program serves; the system lets go of it when this one ends, however it does.

    Raises StartError, or OSError.
    """
    descriptor = os.open(data / SERVING, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StartError(f"another process serves the data of {data}") from None
        yield
    finally:
        os.close(descriptor)


def listen(host: str, port: int) -> list[socket.socket]:
    """A socket for each address of ``host``, as the loops themselves would open them. Raises StartError."""
    with ExitStack() as opened:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
            sockets = [
                opened.enter_context(_bound(family, address)) for family, _, _, _, address in dict.fromkeys(found)
            ]
        except OSError as error:
            # Not all of what the library says: it repeats the address.
            why = os.strerror(error.errno) if error.errno and error.errno > 0 else "no address is known of it"
            raise StartError(f"can't listen at port {port} of {host}: {why}") from None
        opened.pop_all()
        return sockets


def _bound(family: int, address: tuple[object, ...]) -> socket.socket:
    bound = socket.socket(family, socket.SOCK_STREAM)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            bound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        bound.bind(address)
    except OSError:
        bound.close()
        raise
    return bound

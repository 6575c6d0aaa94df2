# SPDX-License-Identifier: AGPL-3.0-or-later
"""The sockets that a program listens on, opened before anything is served: what can't be opened ends the start."""

import os
import socket
from contextlib import ExitStack


class StartError(Exception):
    """Nobody can listen there: another program does, or the address is none of this machine. One line says so."""


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

# SPDX-License-Identifier: AGPL-3.0-or-later
"""Clients that cost little themselves: prepared requests over plain sockets, one connection and one thread each."""

import queue
import socket
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Exchange:
    """What came back for one request, and how long it took."""

    status: int
    body: bytes
    seconds: float


def make_request(method: str, path: str, headers: dict[str, str], body: bytes) -> bytes:
    fields = {"Host": "127.0.0.1", "Content-Length": str(len(body)), **headers}
    head = f"{method} {path} HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return head.encode("ascii") + b"\r\n" + body


def exchange_all(port: int, requests: Sequence[bytes], clients: int) -> tuple[float, list[Exchange]]:
    """Send all requests over ``clients`` connections at once; seconds from first to last, and what came back."""
    waiting: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    for request in requests:
        waiting.put(request)
    done: list[Exchange] = []
    threads = [threading.Thread(target=_work, args=(port, waiting, done)) for _ in range(clients)]
    start = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return time.perf_counter() - start, done


def _work(port: int, waiting: "queue.SimpleQueue[bytes]", done: list[Exchange]) -> None:
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while True:
            try:
                request = waiting.get_nowait()
            except queue.Empty:
                return
            start = time.perf_counter()
            connection.sendall(request)
            status, body = _read(connection)
            done.append(Exchange(status, body, time.perf_counter() - start))


def _read(connection: socket.socket) -> tuple[int, bytes]:
    received = b""
    while b"\r\n\r\n" not in received:
        chunk = connection.recv(65536)
        if not chunk:
            raise ConnectionError("the server closed the connection")
        received += chunk
    head, _, body = received.partition(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    lengths = [line.split(":")[1] for line in lines if line.lower().startswith("content-length:")]
    while len(body) < int(lengths[0]):
        body += connection.recv(65536)
    return int(lines[0].split()[1]), body

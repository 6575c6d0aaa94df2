# SPDX-License-Identifier: AGPL-3.0-or-later
"""Looks for secrets in the memory of a running process, and in every byte of a folder."""

import ctypes
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

PIECE_BYTES = 16
CHUNK_BYTES = 16 * 1024 * 1024
OVERLAP_BYTES = 256
ZEROS = bytes(4096)
CAP_SYS_PTRACE = 19
_libc = ctypes.CDLL(None)
_libc.memmem.restype = ctypes.c_void_p
_libc.memmem.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_char_p, ctypes.c_size_t)

Secrets = Mapping[str, tuple[bytes, ...]]
"""What is looked for: the forms in which a secret may lie somewhere, by its name."""


def forms(*secrets: bytes | str) -> tuple[bytes, ...]:
    """The first and the last 16 bytes of every form that a secret may have; any of them found counts.

    Half of a secret is left where memory was given back and a part of it used again. A text may lie there in UTF-8 or
    as Python keeps it beside other scripts, in two or four bytes for each character.
    """
    whole = [secret for secret in secrets if isinstance(secret, bytes)]
    for text in (secret for secret in secrets if isinstance(secret, str)):
        whole += [text.encode(encoding) for encoding in ("utf-8", "utf-16-le", "utf-32-le")]
    return tuple(dict.fromkeys(piece for secret in whole for piece in _pieces(secret)))


def may_read_any() -> bool:
    """Whether this process has the right to read the memory of one that refuses it to its own user: CAP_SYS_PTRACE."""
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("CapEff:"))
    return bool(int(line.split()[1], 16) >> CAP_SYS_PTRACE & 1)


def in_memory(pid: int, secrets: Secrets) -> dict[str, int]:
    """How many pieces of each secret lie in memory that the process can read. Raises PermissionError, or OSError."""
    return _count(secrets, _memory(pid))


def in_files(folder: Path, secrets: Secrets) -> dict[str, int]:
    """How many pieces of each secret lie in the files of a folder, whatever they are."""
    return _count(secrets, (path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()))


def found(counted: Mapping[str, int]) -> dict[str, int]:
    """Those that were found."""
    return {name: count for name, count in counted.items() if count}


def _pieces(secret: bytes) -> Iterator[bytes]:
    yield secret[:PIECE_BYTES]
    yield secret[-PIECE_BYTES:]


def _count(secrets: Secrets, places: Iterable[bytes]) -> dict[str, int]:
    counted = dict.fromkeys(secrets, 0)
    for data in places:
        for name, pieces in secrets.items():
            counted[name] += sum(_occurrences(data, piece) for piece in pieces)
    return counted


def _occurrences(data: bytes, piece: bytes) -> int:
    """As ``data.count``, several times as fast."""
    start = ctypes.cast(ctypes.c_char_p(data), ctypes.c_void_p).value or 0
    count, at, end = 0, start, start + len(data)
    while place := _libc.memmem(at, end - at, piece, len(piece)):
        count, at = count + 1, place + len(piece)
    return count


def _memory(pid: int) -> Iterator[bytes]:
    """The process's memory, in chunks that overlap a little, without long rows of zeros."""
    with Path(f"/proc/{pid}/mem").open("rb", buffering=0) as memory:
        for start, end in _maps(pid):
            for at in range(start, end, CHUNK_BYTES):
                data = _read(memory.fileno(), at, min(CHUNK_BYTES + OVERLAP_BYTES, end - at))
                yield b"\0".join(part for part in data.split(ZEROS) if part)


def _maps(pid: int) -> list[tuple[int, int]]:
    """First and last address of what is readable, but of what can be nothing else than a file of the program."""
    spans = []
    for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
        addresses, rights, _, _, file, *name = line.split()
        if rights.startswith("rw") or (rights.startswith("r") and file == "0" and name != ["[vvar]"]):
            first, last = addresses.split("-")
            spans.append((int(first, 16), int(last, 16)))
    return spans


def _read(descriptor: int, at: int, size: int) -> bytes:
    """What is there; nothing if the process has given it back meanwhile."""
    try:
        return os.pread(descriptor, size, at)
    except OSError:
        return b""

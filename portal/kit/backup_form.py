# SPDX-License-Identifier: AGPL-3.0-or-later
"""What is in a backup, once its seal is open: a plain tar, so that ``age -d | tar x`` gives everything.

Its first member is ``backup.json`` (``BackupHead``), its last one ``contents.json`` (``BackupContents``), which names
every other one with its size and its SHA-256. Both are JSON without blanks, members sorted. The paths between are those
of a data folder. Times are 0: a backup says of which day it is, and nothing more exact.
"""

import hashlib
import io
import re
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, BinaryIO, Protocol, TypeVar

import msgspec

VERSION = "amparo/v1/backup"
HEAD, CONTENTS = "backup.json", "contents.json"
HEAD_BYTES_MAX = 4096
CONTENTS_BYTES_MAX = 512 * 1024 * 1024
PIECE_BYTES = 256 * 1024
# A multiple of tar's 512 bytes.
_BUFFER_BYTES = 64 * 1024
_PATH = re.compile(r"[a-z0-9][a-z0-9._-]*(/[a-z0-9][a-z0-9._-]*){0,8}")
T = TypeVar("T")


class BackupError(Exception):
    """A backup can't be made, read or restored; the message is one line for the operator."""


class BackupHead(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whose backup it is, of which day (ISO), and of which kind and state (the newest migration) its database is."""

    program: str
    day: str
    database: str
    migration: str
    version: str = VERSION


class BackupFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file of a backup: its size in bytes, and its SHA-256 in hex."""

    path: str
    size: int
    sha256: str


class BackupContents(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Everything in a backup but this list; how many reports its rows have; the files that rows name and that are not
    in it: ``expired`` ones were deleted while it was made, ``lost`` ones could not be found or read. Damaged ones are
    among the lost, and what is there of them may be in it."""

    files: tuple[BackupFile, ...]
    reports: int
    expired: tuple[str, ...]
    lost: tuple[str, ...]


class Readable(Protocol):
    """What can be read piece by piece."""

    def read(self, size: int = -1, /) -> bytes:
        """The next bytes, at most ``size``; none at the end."""


class HashedSource:
    """Hashes what is read of another one."""

    def __init__(self, source: Readable) -> None:
        self._source = source
        self._hash = hashlib.sha256()

    def read(self, size: int = -1, /) -> bytes:
        data = self._source.read(size)
        self._hash.update(data)
        return data

    @property
    def sha256(self) -> str:
        return self._hash.hexdigest()


@dataclass(frozen=True)
class _Forward:
    """A sink that has no places, such as a pipe, for tarfile, which asks where it begins."""

    sink: BinaryIO

    def write(self, data: bytes, /) -> int:
        return self.sink.write(data)

    def tell(self) -> int:
        return 0


class BackupWriter:
    """Writes the members of a backup one after another, the head first."""

    def __init__(self, sink: BinaryIO, head: BackupHead) -> None:
        # Not tarfile's own stream, which writes once more when it is forgotten after an error.
        self._tar = tarfile.TarFile(fileobj=_Forward(sink), mode="w", format=tarfile.PAX_FORMAT)  # type: ignore[arg-type]
        self.files: list[BackupFile] = []
        self._add_json(HEAD, head)

    def add(self, path: str, size: int, source: Readable) -> None:
        """Add a file of exactly ``size`` bytes. Raises OSError, also when the source has fewer."""
        hashed = HashedSource(source)
        member = tarfile.TarInfo(path)
        member.size, member.mode = size, 0o600
        self._tar.addfile(member, hashed)
        # tarfile keeps every member; nobody asks for them.
        self._tar.members.clear()  # type: ignore[attr-defined]
        self.files.append(BackupFile(path, size, hashed.sha256))

    def finish(self, reports: int, expired: list[str], lost: list[str]) -> BackupContents:
        """Add the list of contents and end the archive."""
        contents = BackupContents(tuple(self.files), reports, tuple(expired), tuple(lost))
        self._add_json(CONTENTS, contents)
        self._tar.close()
        return contents

    def _add_json(self, path: str, value: msgspec.Struct) -> None:
        data = msgspec.json.encode(value, order="sorted")
        self.add(path, len(data), io.BytesIO(data))


class BackupReader:
    """Reads what ``BackupWriter`` writes, and nothing else. Raises BackupError, and what the source raises."""

    def __init__(self, source: BinaryIO) -> None:
        self._source = source
        self.contents: BackupContents | None = None
        self._found: dict[str, BackupFile] = {}
        with _as_backup_error():
            self._tar = tarfile.open(fileobj=source, mode="r|", bufsize=_BUFFER_BYTES)  # noqa: SIM115
        self.head = self._read_head()

    def members(self) -> Iterator[tuple[str, int, Readable]]:
        """Path, size and bytes of each file between head and contents; what is not read of one is passed over.

        When it ends without an error, all was there as the list of contents says.
        """
        while True:
            path, size, source = self._next()
            if path == CONTENTS:
                break
            yield path, size, source
            self._list(path, size, source)
        self.contents = _decode(source, size, CONTENTS_BYTES_MAX, BackupContents)
        if list(self._found.values()) != list(self.contents.files):
            raise BackupError("the backup does not hold what its list of contents says")
        with _as_backup_error():
            if self._tar.next() is not None:
                raise BackupError("the backup goes on after its list of contents")
        # Whatever pads the archive: the end of the source is the end of its seal.
        while self._source.read(PIECE_BYTES):
            pass

    def _read_head(self) -> BackupHead:
        path, size, source = self._next()
        if path != HEAD:
            raise BackupError("this is no backup: it does not begin with backup.json")
        data = _decode(source, size, HEAD_BYTES_MAX, dict[str, Any])
        self._list(path, size, source)
        version = str(data.get("version"))
        if version != VERSION and re.fullmatch(r"amparo/v[0-9]+/backup", version):
            raise BackupError("the backup is of a later version of the program")
        if version != VERSION:
            raise BackupError("this is no backup: its backup.json has another label")
        try:
            return msgspec.convert(data, BackupHead)
        except msgspec.ValidationError:
            raise BackupError("the backup's backup.json is not as this version writes it") from None

    def _next(self) -> tuple[str, int, HashedSource]:
        with _as_backup_error():
            member = self._tar.next()
            if member is None:
                raise BackupError("the backup ends too early: it was cut")
            # tarfile keeps every member; nobody asks for them.
            self._tar.members.clear()  # type: ignore[attr-defined]
            plain = member.type == tarfile.REGTYPE and not member.issparse() and member.size >= 0
            if not plain or not _PATH.fullmatch(member.name) or member.name in self._found:
                raise BackupError("the backup holds what no backup holds: a link, a strange path, or a file twice")
            source = self._tar.extractfile(member)
            assert source is not None
            return member.name, member.size, HashedSource(_Checked(source))

    def _list(self, path: str, size: int, source: Readable) -> None:
        assert isinstance(source, HashedSource)
        while source.read(PIECE_BYTES):
            pass
        self._found[path] = BackupFile(path, size, source.sha256)


@dataclass(frozen=True)
class _Checked:
    """A member as tarfile reads it, with our error for its own."""

    source: Readable

    def read(self, size: int = -1, /) -> bytes:
        with _as_backup_error():
            return self.source.read(size)


def _decode(source: Readable, size: int, size_max: int, kind: type[T]) -> T:
    """Read all of a member as JSON."""
    if size > size_max:
        raise BackupError("the backup holds a list that is too long")
    try:
        return msgspec.json.decode(source.read(size), type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise BackupError("the backup holds a list that can't be read") from None


@contextmanager
def _as_backup_error() -> Iterator[None]:
    try:
        yield
    except (tarfile.TarError, ValueError, EOFError, OverflowError):
        raise BackupError("the backup is damaged, or is none") from None

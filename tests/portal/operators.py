# SPDX-License-Identifier: AGPL-3.0-or-later
"""An operator of a portal, who makes backups and restores them, and what becomes of a file of it."""

import asyncio
import tarfile
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import pytest

from crypto.age import PqIdentity, open_sealed, seal
from crypto.submission import SealedSubmission
from portal.__main__ import main
from tests.people import PORTAL_ORIGIN
from tests.portal.world import (
    RunningPortal,
    bundle_without_attachments,
    fresh_report,
)

FILE_BYTES = 20_000


@dataclass
class Operator:
    """Gives commands with the settings of one portal, and keeps the identity off it."""

    folder: Path
    identity: PqIdentity
    patch: pytest.MonkeyPatch
    capture: pytest.CaptureFixture[str]

    @property
    def file(self) -> Path:
        return self.folder / "backup.age"

    def settings(self, data: Path, database: str = "", **more: str) -> None:
        given = {"PORTAL_ORIGIN": PORTAL_ORIGIN, "PORTAL_DATA": str(data), "PORTAL_DATABASE": database, **more}
        for name, value in given.items():
            self.patch.setenv(name, value)

    async def give(self, command: str, file: Path | None = None, identity: PqIdentity | None = None) -> tuple[int, str]:
        """The status, and all that was printed."""
        key = self.folder / "identity"
        key.write_text(str(identity or self.identity))
        option = ["--recipient", str(self.identity.recipient())] if command == "backup" else ["--identity", str(key)]
        self.capture.readouterr()
        status = await asyncio.to_thread(main, [command, *option, str(file or self.file)])
        said = self.capture.readouterr()
        if status:
            assert len(said.err.splitlines()) <= 1, said.err
        return status, said.out + said.err


async def submit(portal: RunningPortal, sealed: SealedSubmission) -> None:
    await portal.put_parts(sealed)
    answer = await portal.submit(bundle_without_attachments(sealed))
    assert answer.status_code in (200, 201), answer.text


def all_files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def opened(operator: Operator) -> dict[str, bytes]:
    """What the ordinary tools make of a backup: ``age -d | tar x``."""
    with tarfile.open(fileobj=BytesIO(open_sealed(operator.file.read_bytes(), [operator.identity]))) as tar:
        assert all(member.isreg() and member.mtime == 0 for member in tar)
        return {member.name: tar.extractfile(member).read() for member in tar}  # type: ignore[union-attr]


async def with_a_backup(portal: RunningPortal, operator: Operator, *sizes: int) -> SealedSubmission:
    sealed = fresh_report(*sizes)
    await submit(portal, sealed)
    operator.settings(portal.data)
    status, said = await operator.give("backup")
    assert status == 0, said
    return sealed


def reseal(operator: Operator, members: list[tuple[tarfile.TarInfo, bytes]]) -> None:
    """Put another tar into the operator's file; anybody can seal to them."""
    tar = BytesIO()
    with tarfile.open(fileobj=tar, mode="w") as writer:
        for member, data in members:
            writer.addfile(member, BytesIO(data))
    operator.file.write_bytes(seal(tar.getvalue(), [operator.identity.recipient()]))


def member(name: str, data: bytes) -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(name)
    info.size = len(data)
    return info, data


def is_untouched(place: Path) -> bool:
    return not place.exists() or all_files(place) == []


async def refused(operator: Operator, place: Path, identity: PqIdentity | None = None) -> str:
    """What is said of a backup that is not restored; nothing is written."""
    operator.settings(place)
    status, said = await operator.give("restore", identity=identity)
    assert status == 1
    assert is_untouched(place)
    return said


def left_over(portal: RunningPortal, operator: Operator) -> list[str]:
    """What a backup that failed has left: of itself, and of its snapshot."""
    beside = [path.name for path in operator.folder.iterdir() if path.name.startswith(operator.file.name)]
    return [*beside, *(name for name in all_files(portal.data) if "snapshot" in name)]

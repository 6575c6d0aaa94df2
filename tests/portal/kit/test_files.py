# SPDX-License-Identifier: AGPL-3.0-or-later
"""Files that are whole or not there."""

import errno
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from portal.kit import free_space
from portal.kit.files import UnfinishedFile, load_or_make_secret, write_secret_file
from tests.chance import fresh_bytes


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def order(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The files that are synced and renamed, in order."""
    order: list[str] = []
    real_sync, real_replace, real_link = os.fsync, Path.replace, Path.hardlink_to

    def sync(descriptor: int) -> None:
        path = Path(f"/proc/self/fd/{descriptor}").readlink()
        order.append("sync folder" if path.is_dir() else "sync file")
        real_sync(descriptor)

    def replace(self: Path, target: Path) -> Path:
        order.append("rename")
        return real_replace(self, target)

    def link(self: Path, target: Path) -> None:
        order.append("rename")
        real_link(self, target)

    monkeypatch.setattr(os, "fsync", sync)
    monkeypatch.setattr(Path, "replace", replace)
    monkeypatch.setattr(Path, "hardlink_to", link)
    return order


def fail_to_write(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int, data: bytes) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "write", full)


def test_a_secret_file_is_for_its_owner_only_and_replaces_an_earlier_one(tmp_path: Path) -> None:
    path = tmp_path / "secrets" / "token"
    for data in (b"first", b"second"):
        write_secret_file(path, data)
        assert path.read_bytes() == data
    assert names(path.parent) == ["token"]
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)


def test_a_file_is_synced_before_it_has_its_name_and_its_folder_after(tmp_path: Path, order: list[str]) -> None:
    write_secret_file(tmp_path / "one", b"data")
    load_or_make_secret(tmp_path / "other", lambda: b"data")
    assert order == ["sync file", "rename", "sync folder"] * 2


def test_a_failed_write_leaves_the_earlier_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_secret_file(tmp_path / "token", b"earlier")
    fail_to_write(monkeypatch)
    with pytest.raises(OSError, match="No space"):
        write_secret_file(tmp_path / "token", b"later")
    with pytest.raises(OSError, match="No space"):
        load_or_make_secret(tmp_path / "key", lambda: b"key")
    assert names(tmp_path) == ["token"]
    assert (tmp_path / "token").read_bytes() == b"earlier"


def test_a_secret_is_made_once_even_when_many_ask_for_it_at_once(tmp_path: Path) -> None:
    makers = 8
    barrier = Barrier(makers)

    def make() -> bytes:
        barrier.wait(30)
        return fresh_bytes(32)

    with ThreadPoolExecutor(makers) as threads:
        asked = [threads.submit(load_or_make_secret, tmp_path / "secrets" / "key", make) for _ in range(makers)]
        made = {each.result() for each in asked}
    assert len(made) == 1
    assert load_or_make_secret(tmp_path / "secrets" / "key", lambda: b"another") in made
    assert names(tmp_path / "secrets") == ["key"]


def test_what_is_discarded_is_gone_and_what_was_renamed_stays(tmp_path: Path) -> None:
    file = UnfinishedFile(tmp_path / "incoming")
    file.write(b"bytes")
    file.discard()
    assert names(tmp_path) == []
    file = UnfinishedFile(tmp_path / "incoming")
    file.write(b"bytes")
    file.finish(modified=86_400)
    file.path.rename(tmp_path / "kept")
    file.discard()
    assert names(tmp_path) == ["kept"]
    assert (tmp_path / "kept").stat().st_mtime == 86_400


def test_two_writers_never_share_a_file(tmp_path: Path) -> None:
    UnfinishedFile(tmp_path / "incoming").finish()
    with pytest.raises(FileExistsError):
        UnfinishedFile(tmp_path / "incoming")


def test_a_ballast_is_written_in_pieces_and_is_as_large_as_it_should_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[int] = []
    real = free_space.secrets.token_bytes

    def token_bytes(size: int) -> bytes:
        made.append(size)
        return real(size)

    monkeypatch.setattr(free_space.secrets, "token_bytes", token_bytes)
    size = 3 * free_space.PIECE_BYTES + 1
    assert free_space.Ballast(tmp_path, size).adjust()
    assert (tmp_path / free_space.BALLAST).stat().st_size == size
    assert max(made) == free_space.PIECE_BYTES
    assert [path.name for path in tmp_path.iterdir()] == [free_space.BALLAST]

# SPDX-License-Identifier: AGPL-3.0-or-later
"""Sealed attachments as files of the office."""

import errno
from pathlib import Path

import pytest

from oversight.reports.blobs import DAY_SECONDS, Blobs


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_a_stored_file_and_its_folders_do_not_tell_at_what_time_it_came(tmp_path: Path) -> None:
    """The office collects within a minute, so that the second would nearly be the reporter's."""
    blobs = Blobs(tmp_path / "blobs")
    for name in ("attachment-1.age", "attachment-2.age"):
        writer = blobs.begin("ab" * 16, name)
        writer.write(b"sealed")
        writer.keep()
        assert blobs.has("ab" * 16, name, 6)
    times = [path.stat().st_mtime for path in (tmp_path / "blobs", *(tmp_path / "blobs").rglob("*"))]
    assert len(times) == 4
    assert all(time % DAY_SECONDS == 0 for time in times)


@pytest.mark.parametrize("step", ["os.fsync", "pathlib.Path.replace"])
def test_a_file_that_can_not_be_kept_leaves_nothing_and_is_not_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    def full(*given: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    blobs, files_open = Blobs(tmp_path / "blobs"), open_files()
    writer = blobs.begin("ab" * 16, "attachment-1.age")
    writer.write(b"sealed")
    monkeypatch.setattr(step, full)
    with pytest.raises(OSError, match="No space left"):
        writer.keep()
    assert list((tmp_path / "blobs" / ("ab" * 16)).iterdir()) == []
    assert open_files() == files_open

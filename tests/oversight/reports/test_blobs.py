# SPDX-License-Identifier: AGPL-3.0-or-later
"""Sealed attachments as files of the office."""

from pathlib import Path

from oversight.reports.blobs import DAY_SECONDS, Blobs


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

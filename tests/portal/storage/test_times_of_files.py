# SPDX-License-Identifier: AGPL-3.0-or-later
"""What a seized disk says of when a part came: the day, by files and by the folders around them."""

from datetime import UTC, date, datetime, time
from pathlib import Path

from crypto.ids import SubmissionId
from portal.storage.local_blobs import LocalBlobs

DAY = date(2026, 11, 22)


async def test_files_and_folders_bear_the_day_and_no_more_exact_time(tmp_path: Path) -> None:
    blobs = LocalBlobs(tmp_path / "blobs")
    for number in (1, 2):
        writer = blobs.new_part(SubmissionId("ab" * 16))
        await writer.write(b"sealed")
        await writer.digest()
        await writer.keep(f"attachment-{number}.age", 0, DAY)
    await blobs.close()
    midnight = datetime.combine(DAY, time(), UTC).timestamp()
    times = {path.relative_to(tmp_path): path.stat().st_mtime for path in (tmp_path / "blobs").rglob("*")}
    assert len(times) == 7
    assert set(times.values()) == {midnight}

# SPDX-License-Identifier: AGPL-3.0-or-later
"""A data folder in which a program must not begin anew: somebody's data was there, or is half there.

A program that began anew would look well: an empty portal answers every reporter as a stranger, an empty office lets
whoever comes first found a commission, and a restore finds its place taken.
"""

from pathlib import Path

from portal.kit.addresses import SQLITE
from portal.kit.backup_form import BackupError
from portal.kit.restore import RESTORING


def refuse_lost_data(data: Path, database_url: str, secret: Path) -> None:
    """Before a command that would make what is missing. Nothing is written.

    ``secret`` is a file that the program makes once it has a database. Raises BackupError after a restore that was
    killed, FileNotFoundError when the secret is there and SQLite's file is not, or is empty.
    """
    if (data / RESTORING).exists():
        raise BackupError(
            f"a restore into {data} goes on or was broken off: let it end, or empty the folder and restore"
        )
    file = Path(database_url.removeprefix(SQLITE))
    if database_url.startswith(SQLITE) and secret.exists() and not (file.exists() and file.stat().st_size):
        raise FileNotFoundError(f"{file} is lost, and {secret} is there: bring the database back from the backup")

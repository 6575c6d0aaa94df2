# SPDX-License-Identifier: AGPL-3.0-or-later
"""The portal's settings: environment variables ``PORTAL_…``, each with a help text."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from portal.kit.addresses import SQLITE, check_blobs, check_database, check_host, check_link, check_origin
from portal.kit.settings import Bytes, Count, Port, SettingsError, help_text, read_settings

PREFIX = "PORTAL_"
CHECKOUT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Settings:
    """What an operator decides. The environment variable of a field is ``PORTAL_`` and its name in capitals."""

    origin: str = field(
        metadata=help_text(
            "Origin under which reporters reach the portal, as in https://portal.example: scheme, host, and "
            "port if not the default, without a slash at the end. Charters name it: another one needs new charters."
        )
    )
    data: Path = field(
        default=Path("var/portal"),
        metadata=help_text("Folder of the portal's keys and, unless set otherwise, of its database and blobs."),
    )
    database: str = field(
        default="",
        metadata=help_text(
            "URL of the database: sqlite:///folder/file or postgresql://user:password@host:port/name. Default: "
            "portal.sqlite3 in the data folder."
        ),
    )
    blobs: str = field(
        default="",
        metadata=help_text(
            "Where attachments are kept: a folder, or s3://bucket/prefix with endpoint and keys in the usual "
            "AWS_… variables. Default: the folder blobs in the data folder."
        ),
    )
    static: Path = field(
        default=CHECKOUT / "static" / "dist", metadata=help_text("Folder of the bundled scripts and styles.")
    )
    leave_url: str = field(
        default="https://www.wikipedia.org/", metadata=help_text("Harmless page to which the button 'Leave now' goes.")
    )
    host: str = field(
        default="127.0.0.1",
        metadata=help_text("Address to listen on. Put a proxy that ends TLS, or an onion service, before it."),
    )
    port: Port = field(default=8000, metadata=help_text("Port to listen on."))
    workers: Count = field(default=1, metadata=help_text("Server processes. More than one needs PostgreSQL."))
    connections_max: Count = field(
        default=4096,
        metadata=help_text(
            "Connections that one process holds at once. Above it the silent and the slow give way. The limit on "
            "open files may allow fewer."
        ),
    )
    waiting_max: Count = field(
        default=256,
        metadata=help_text(
            "Requests of one kind (submissions, parts, mailboxes, offices) that may be under way at once in one "
            "process. Above it, clients are told to come back."
        ),
    )
    store_bytes: Bytes = field(
        default=0,
        metadata=help_text(
            "Bytes that strangers may fill in all. 0: what the portal holds and what is free on the disks of its data "
            "and its blobs. Set it when an object store keeps the blobs, or another machine the database."
        ),
    )
    free_bytes_min: Bytes = field(
        default=256 * 1024 * 1024,
        metadata=help_text(
            "Attachments are refused when the disk has fewer bytes left than this, and reports when it has a fourth "
            "of it left, so that what deletes and hands over still finds room."
        ),
    )

    def __post_init__(self) -> None:
        check_origin(f"{PREFIX}ORIGIN", self.origin)
        check_link(f"{PREFIX}LEAVE_URL", self.leave_url)
        check_host(f"{PREFIX}HOST", self.host)
        check_blobs(f"{PREFIX}BLOBS", self.blobs)
        if self.database:
            check_database(f"{PREFIX}DATABASE", self.database)
        if self.workers > 1 and self.database_url.startswith(SQLITE):
            raise SettingsError("PORTAL_WORKERS above 1 needs PostgreSQL in PORTAL_DATABASE")

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "Settings":
        """Read ``PORTAL_…``. Raises SettingsError for one that is unknown, missing, or can't be used."""
        return read_settings(cls, PREFIX, environment)

    @property
    def database_url(self) -> str:
        return self.database or f"{SQLITE}{self.data.absolute() / 'portal.sqlite3'}"

    @property
    def blobs_url(self) -> str:
        return self.blobs or str(self.data / "blobs")

    @property
    def key_name(self) -> str:
        """The name of the portal's signing key: the host of the origin, with its port if there is one."""
        return urlsplit(self.origin).netloc

    @property
    def https(self) -> bool:
        return self.origin.startswith("https://")

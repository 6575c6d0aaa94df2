# SPDX-License-Identifier: AGPL-3.0-or-later
"""The office's settings, read once from environment variables that begin with ``OVERSIGHT_``."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from portal.kit.addresses import SQLITE, check_address, check_database, check_host, check_origin, spell_origin
from portal.kit.settings import Count, Port, help_text, read_settings

PREFIX = "OVERSIGHT_"
_CHECKOUT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Settings:
    """Where the office runs and what it talks to. Each field is the variable ``OVERSIGHT_<NAME>``."""

    data: Path = field(
        metadata=help_text("Folder of the office's own files: its database, its secrets, sealed files. Must be set.")
    )
    database: str = field(
        default="",
        metadata=help_text(
            "URL of the database, sqlite:///folder/file or postgresql://user:password@host:port/name. "
            "Empty: the file office.sqlite3 in the data folder."
        ),
    )
    portal_url: str = field(
        default="",
        metadata=help_text("Address at which the office reaches the portal. Empty: nothing is collected."),
    )
    portal_origin: str = field(
        default="",
        metadata=help_text("Origin of the portal as reporters see it. Empty: the origin of OVERSIGHT_PORTAL_URL."),
    )
    origin: str = field(
        default="",
        metadata=help_text(
            "Origin of the office's pages as members' browsers see it: scheme, host and port, no trailing slash. "
            "Empty: http:// with the host and the port that it listens on."
        ),
    )
    host: str = field(
        default="127.0.0.1",
        metadata=help_text("Address to listen on. Leave it on loopback, behind a reverse proxy or an SSH tunnel."),
    )
    port: Port = field(default=8001, metadata=help_text("Port to listen on."))
    idle_minutes: Count = field(
        default=15, metadata=help_text("Minutes without a request after which a session locks itself.")
    )
    session_hours: Count = field(
        default=12, metadata=help_text("Hours after which a session ends, however busy it is.")
    )
    collect_seconds: Count = field(
        default=60, metadata=help_text("Seconds between two visits of the collector to the portal.")
    )
    start_key: str = field(
        default="",
        metadata=help_text(
            "File of an identity that opens the office's own keys at its start, so that it collects unattended. "
            "Keep it off the data folder and its backups. Empty: the first member who logs in opens the office."
        ),
    )
    static: Path = field(
        default=_CHECKOUT / "static" / "dist", metadata=help_text("Folder of the built scripts and styles.")
    )

    def __post_init__(self) -> None:
        check_host(f"{PREFIX}HOST", self.host)
        if self.database:
            check_database(f"{PREFIX}DATABASE", self.database)
        if self.portal_url:
            check_address(f"{PREFIX}PORTAL_URL", self.portal_url)
        if self.portal_origin:
            check_origin(f"{PREFIX}PORTAL_ORIGIN", self.portal_origin)
        if self.origin:
            check_origin(f"{PREFIX}ORIGIN", self.origin)

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "Settings":
        """Read ``OVERSIGHT_…``. Raises SettingsError for one that is unknown, missing, or can't be used."""
        return read_settings(cls, PREFIX, environment)

    @property
    def database_url(self) -> str:
        return self.database or f"{SQLITE}{self.data.resolve() / 'office.sqlite3'}"

    @property
    def secrets(self) -> Path:
        """Folder of the keys that the office itself holds; readable by its user alone."""
        return self.data / "secrets"

    @property
    def start_key_file(self) -> Path | None:
        return Path(self.start_key) if self.start_key else None

    @property
    def own_origin(self) -> str:
        return self.origin or spell_origin("http", self.host, self.port)

    @property
    def https(self) -> bool:
        return self.own_origin.startswith("https://")

    @property
    def portal_name(self) -> str:
        """The portal's origin: what charters and request signatures call it."""
        if self.portal_origin or not self.portal_url:
            return self.portal_origin
        parts = urlsplit(self.portal_url)
        return f"{parts.scheme}://{parts.netloc}"

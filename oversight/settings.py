# SPDX-License-Identifier: AGPL-3.0-or-later
"""The office's settings, read once from environment variables that begin with ``OVERSIGHT_``."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

PREFIX = "OVERSIGHT_"
NUMBER_MAX = 99_999
_CHECKOUT = Path(__file__).resolve().parent.parent


class SettingsError(Exception):
    """A setting is missing or can't be read; the message names it and says what is due."""


def _help(text: str) -> dict[str, str]:
    return {"help": text}


@dataclass(frozen=True)
class Settings:
    """Where the office runs and what it talks to. Each field is the variable ``OVERSIGHT_<NAME>``."""

    data: Path = field(
        metadata=_help("Folder of the office's own files: its database, its secrets, sealed files. Must be set.")
    )
    database: str = field(
        default="",
        metadata=_help(
            "URL of the database, sqlite:///folder/file or postgresql://user:password@host:port/name. "
            "Empty: the file office.sqlite3 in the data folder."
        ),
    )
    portal_url: str = field(
        default="",
        metadata=_help("Address at which the office reaches the portal. Empty: nothing is collected."),
    )
    portal_origin: str = field(
        default="",
        metadata=_help("Origin of the portal as reporters see it. Empty: the origin of OVERSIGHT_PORTAL_URL."),
    )
    origin: str = field(
        default="",
        metadata=_help(
            "Origin of the office's pages as members' browsers see it: scheme, host and port, no trailing slash. "
            "Empty: http:// with the host and the port that it listens on."
        ),
    )
    host: str = field(
        default="127.0.0.1",
        metadata=_help("Address to listen on. Leave it on loopback, behind a reverse proxy or an SSH tunnel."),
    )
    port: int = field(default=8001, metadata=_help("Port to listen on."))
    idle_minutes: int = field(
        default=15, metadata=_help("Minutes without a request after which a session locks itself.")
    )
    session_hours: int = field(default=12, metadata=_help("Hours after which a session ends, however busy it is."))
    collect_seconds: int = field(
        default=60, metadata=_help("Seconds between two visits of the collector to the portal.")
    )
    static: Path = field(
        default=_CHECKOUT / "static" / "dist", metadata=_help("Folder of the built scripts and styles.")
    )

    @property
    def database_url(self) -> str:
        return self.database or f"sqlite://{self.data.resolve() / 'office.sqlite3'}"

    @property
    def secrets(self) -> Path:
        """Folder of the keys that the office itself holds; readable by its user alone."""
        return self.data / "secrets"

    @property
    def own_origin(self) -> str:
        if self.origin:
            return self.origin
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"

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


def load_settings(environment: Mapping[str, str]) -> Settings:
    """Settings from variables such as ``os.environ``.

    Raises SettingsError when OVERSIGHT_DATA is missing, a variable with our prefix is unknown, a number is no number
    or out of bounds, or an address is none.
    """
    known = {f"{PREFIX}{item.name.upper()}": item for item in dataclasses.fields(Settings)}
    unknown = sorted(name for name in environment if name.startswith(PREFIX) and name not in known)
    if unknown:
        raise SettingsError(f"{unknown[0]} is not a setting of the office")
    if not environment.get(f"{PREFIX}DATA"):
        raise SettingsError(f"{PREFIX}DATA is not set: name the folder that holds the office's files")
    given = {name: item for name, item in known.items() if name in environment}
    values: dict[str, Any] = {item.name: _read(name, item.type, environment[name]) for name, item in given.items()}
    settings = Settings(**values)
    _check_address(f"{PREFIX}PORTAL_URL", settings.portal_url)
    _check_origin(f"{PREFIX}PORTAL_ORIGIN", settings.portal_origin)
    _check_origin(f"{PREFIX}ORIGIN", settings.origin)
    return settings


def _read(name: str, kind: object, text: str) -> object:
    if kind is Path:
        return Path(text)
    if kind is not int:
        return text
    if not text.isdecimal() or not 0 < int(text) <= NUMBER_MAX:
        raise SettingsError(f"{name} must be a whole number from 1 to {NUMBER_MAX}")
    return int(text)


def _check_address(name: str, text: str) -> None:
    parts = urlsplit(text)
    if text and (parts.scheme not in {"http", "https"} or not parts.hostname or text.endswith("/")):
        raise SettingsError(f"{name} must be an http or https address without a slash at its end")


def _check_origin(name: str, text: str) -> None:
    _check_address(name, text)
    parts = urlsplit(text)
    if text and (parts.path or parts.query or parts.fragment):
        raise SettingsError(f"{name} must be an origin: scheme, host and port, and nothing after them")

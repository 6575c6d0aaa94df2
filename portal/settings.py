# SPDX-License-Identifier: AGPL-3.0-or-later
"""The portal's settings: environment variables ``PORTAL_…``, each with a help text."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

CHECKOUT = Path(__file__).resolve().parent.parent


class SettingsError(Exception):
    """A setting is missing or can't be used; the message names it and never shows its value."""


@dataclass(frozen=True)
class Settings:
    """What an operator decides. The environment variable of a field is ``PORTAL_`` and its name in capitals."""

    origin: str = field(
        metadata={
            "help": "Origin under which reporters reach the portal, as in https://portal.example: scheme, host, and "
            "port if not the default, without a slash at the end. Receipt codes depend on it: it can't change later."
        }
    )
    data: Path = field(
        default=Path("var/portal"),
        metadata={"help": "Folder of the portal's keys and, unless set otherwise, of its database and blobs."},
    )
    database: str = field(
        default="",
        metadata={
            "help": "URL of the database: sqlite:///path or asyncpg://user@host/name. Default: portal.sqlite3 in the "
            "data folder."
        },
    )
    blobs: str = field(
        default="",
        metadata={
            "help": "Where attachments are kept: a folder, or s3://bucket/prefix with endpoint and keys in the usual "
            "AWS_… variables. Default: the folder blobs in the data folder."
        },
    )
    static: Path = field(
        default=CHECKOUT / "static" / "dist", metadata={"help": "Folder of the bundled scripts and styles."}
    )
    leave_url: str = field(
        default="https://www.wikipedia.org/", metadata={"help": "Harmless page to which the button 'Leave now' goes."}
    )
    host: str = field(
        default="127.0.0.1",
        metadata={"help": "Address to listen on. Put a proxy that ends TLS, or an onion service, before it."},
    )
    port: int = field(default=8000, metadata={"help": "Port to listen on."})
    workers: int = field(default=1, metadata={"help": "Server processes. More than one needs PostgreSQL."})
    waiting_max: int = field(
        default=256,
        metadata={
            "help": "Submissions and parts that may be under way at once in one process. Above it, clients are told to "
            "come back."
        },
    )
    free_bytes_min: int = field(
        default=256 * 1024 * 1024,
        metadata={
            "help": "Attachments are refused when the disk has fewer bytes left than this, so that reports still find "
            "room."
        },
    )

    def __post_init__(self) -> None:
        _check_origin(self.origin)
        if self.workers > 1 and self.database_url.startswith("sqlite"):
            raise SettingsError("PORTAL_WORKERS above 1 needs PostgreSQL in PORTAL_DATABASE")

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "Settings":
        """Read ``PORTAL_…``. Raises SettingsError for one that is unknown, missing, or can't be used."""
        known = {f"PORTAL_{each.name.upper()}": each for each in fields(cls)}
        given = {name: value for name, value in environment.items() if name.startswith("PORTAL_") and value}
        for name in given:
            if name not in known:
                raise SettingsError(f"{name} is not a setting")
        if "PORTAL_ORIGIN" not in given:
            raise SettingsError("PORTAL_ORIGIN is missing")
        return cls(**{known[name].name: _convert(name, value, known[name].type) for name, value in given.items()})

    @property
    def database_url(self) -> str:
        return self.database or f"sqlite://{self.data.absolute() / 'portal.sqlite3'}"

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


def _convert(name: str, value: str, kind: object) -> Any:
    if kind is int:
        if not value.isascii() or not value.isdigit() or int(value) >= 2**63:
            raise SettingsError(f"{name} is not a number")
        return int(value)
    return Path(value) if kind is Path else value


def _check_origin(origin: str) -> None:
    try:
        parts = urlsplit(origin)
        port = parts.port
    except ValueError:
        raise SettingsError("PORTAL_ORIGIN is not an origin") from None
    default = {"https": 443, "http": 80}.get(parts.scheme)
    host = parts.hostname or ""
    spelled = f"{parts.scheme}://{f'[{host}]' if ':' in host else host}" + (f":{port}" if port is not None else "")
    if default is None or not host or port == default or spelled != origin or not origin.isascii():
        raise SettingsError("PORTAL_ORIGIN is not an origin such as https://portal.example")

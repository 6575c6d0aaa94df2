# SPDX-License-Identifier: AGPL-3.0-or-later
"""Settings that are addresses: hosts, origins, URLs, databases. What is refused here would fail later.

Raises SettingsError, which names the setting and never shows its value: an address may hold a password.
"""

import re
from ipaddress import IPv6Address, ip_address
from urllib.parse import parse_qsl, urlsplit

from portal.kit.settings import SettingsError

# With a port it is the name of the portal's key, and a key's name has 255 characters at most (docs/protocol.md §3).
HOST_CHARS_MAX = 249
SQLITE = "sqlite://"
_POSTGRESQL = frozenset({"postgresql", "postgres", "asyncpg"})
_OPTIONS = {
    "host": re.compile(r".+", re.DOTALL),
    "ssl": re.compile("true"),
    "command_timeout": re.compile(r"[1-9][0-9]{0,3}"),
}
_DEFAULT_PORTS = {"https": 443, "http": 80}
_NAME = re.compile(r"[a-z0-9-]{1,63}(\.[a-z0-9-]{1,63})*")
# Browsers take such a name for an IPv4 address, however it is written.
_ENDS_IN_A_NUMBER = re.compile(r"(^|\.)([0-9]+|0x[0-9a-f]*)$")
_PATH = re.compile(r"(/[A-Za-z0-9._~!$&'()*+,;=:@%-]+)*")
_BUCKET = re.compile(r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[A-Za-z0-9_-][A-Za-z0-9._-]*)*")
_LINK = re.compile(r"([/?#][^\s\"<>\\^`{|}]*)?")


def check_host(name: str, host: str) -> None:
    """What can be listened on: an IP address, or a host's name."""
    if not _is_host(host):
        raise SettingsError(f"{name} must be an IP address or the name of a host, in small letters")


def check_origin(name: str, origin: str) -> None:
    """An origin, spelled as browsers spell it."""
    if origin != (_origin_of(origin) or ""):
        raise SettingsError(f"{name} is not an origin such as https://portal.example")


def check_address(name: str, address: str) -> None:
    """An origin, with a path or without, where a program is asked."""
    origin = _origin_of(address)
    if origin is None or not address.startswith(origin) or not _PATH.fullmatch(address.removeprefix(origin)):
        raise SettingsError(
            f"{name} must be an http or https address without a slash at its end, such as https://portal.example"
        )


def check_link(name: str, url: str) -> None:
    """A page of any site, or none: ``about:blank``."""
    origin = _origin_of(url)
    is_page = origin is not None and url.startswith(origin) and _LINK.fullmatch(url.removeprefix(origin))
    if not is_page and url != "about:blank":
        raise SettingsError(f"{name} must be the http or https address of a page, or about:blank")


def check_database(name: str, url: str) -> None:
    """The URL of a database of SQLite or PostgreSQL."""
    if not (_is_sqlite(url) if url.startswith(SQLITE) else _is_postgresql(url)):
        raise SettingsError(
            f"{name} must be as sqlite:///folder/file or postgresql://user:password@host:port/name, with ?host=/folder "
            "for a socket, ?ssl=true for a proven server or ?command_timeout=30 for seconds; in a password %40 stands "
            "for @, %2F for /"
        )


def check_blobs(name: str, place: str) -> None:
    """A folder, or ``s3://bucket/prefix``."""
    if "://" in place and not _BUCKET.fullmatch(place):
        raise SettingsError(f"{name} must be a folder, or as s3://bucket/prefix")


def spell_origin(scheme: str, host: str, port: int | None) -> str:
    """An origin as browsers spell it: without the port that goes without saying."""
    shown = f"[{host}]" if ":" in host else host
    return f"{scheme}://{shown}" + ("" if port in (None, _DEFAULT_PORTS[scheme]) else f":{port}")


def _is_host(host: str) -> bool:
    try:
        address = ip_address(host)
    except ValueError:
        is_short = len(host) <= HOST_CHARS_MAX
        return is_short and bool(_NAME.fullmatch(host)) and not _ENDS_IN_A_NUMBER.search(host)
    # Of an IPv4 address in IPv6, browsers and Python's versions have several spellings; of a zone, browsers none.
    if isinstance(address, IPv6Address) and (address.ipv4_mapped is not None or address.scope_id is not None):
        return False
    return str(address) == host


def _origin_of(url: str) -> str | None:
    """The origin of an http or https URL; None if it has none, or says a port that goes without saying."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    host = parts.hostname or ""
    default = _DEFAULT_PORTS.get(parts.scheme)
    if default is None or not _is_host(host) or port in (0, default):
        return None
    return spell_origin(parts.scheme, host, port)


def _is_sqlite(url: str) -> bool:
    """A file's path. What follows ? or # has never been a part of it, and would name another file now."""
    path = url.removeprefix(SQLITE)
    return path not in ("", ":memory:") and not {"?", "#"} & {*path}


def _is_postgresql(url: str) -> bool:
    try:
        parts = urlsplit(url)
        port = parts.port
        options = parse_qsl(parts.query, keep_blank_values=True, strict_parsing=True) if parts.query else []
    except ValueError:
        return False
    host_fits = parts.hostname is None or _is_host(parts.hostname)
    names_one = re.fullmatch(r"/[^/@]+", parts.path) is not None
    options_fit = all(name in _OPTIONS and _OPTIONS[name].fullmatch(value) for name, value in options)
    return parts.scheme in _POSTGRESQL and host_fits and port != 0 and names_one and options_fit and not parts.fragment

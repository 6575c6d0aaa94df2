# SPDX-License-Identifier: AGPL-3.0-or-later
"""Settings that are addresses: what can't be used later is refused at once, by the setting's name alone."""

from collections.abc import Callable

import pytest

from portal.kit.addresses import (
    check_address,
    check_blobs,
    check_database,
    check_host,
    check_link,
    check_origin,
    spell_origin,
)
from portal.kit.settings import SettingsError

Check = Callable[[str, str], None]
LONG = ".".join(["a" * 49] * 5)
TAKEN: tuple[tuple[Check, str], ...] = (
    *((check_host, host) for host in ("127.0.0.1", "::", "::1", "2001:db8::1", "localhost", "a-b.example", LONG)),
    *((check_origin, f"https://{host}") for host in ("portal.example", "[::1]:8443", "10.0.0.1", "x.onion", LONG)),
    *((check_address, f"http://10.0.0.2{rest}") for rest in ("", ":8080", "/a/b-c.d", "/~x;y=1")),
    *((check_link, f"https://a.example{rest}") for rest in ("", "/", "?q=1", "#x", "/wiki/الصفحة", "/a&b='c'")),
    (check_link, "about:blank"),
    *((check_blobs, place) for place in ("", "var/blobs", "/x y", "s3://bucket", "s3://my.bucket/a/b_c.d")),
    *((check_database, f"sqlite://{path}") for path in ("/x/y.sqlite3", "x", "/a b", "/a[b]@c", "/a%20b")),
    *(
        (check_database, f"postgresql://{rest}")
        for rest in ("u:p%40%2F@h/d", "h:5433/d", "/d?host=/run/pg", "h/d?ssl=true", "h/d?command_timeout=30")
    ),
    *((check_database, f"{scheme}://u@[::1]/d") for scheme in ("postgres", "asyncpg")),
)
REFUSED: tuple[tuple[Check, str], ...] = (
    *(
        (check_host, host)
        for host in ("", "A", "a_b", "a..b", "a.", "127.1", "0x7f.1", "1.2.3.256", "a" * 64, LONG + "a")
    ),
    *((check_host, host) for host in ("[::1]", "::0001", "::ffff:1.2.3.4", "fe80::1%eth0", "a b", "٣.example", "a:80")),
    *(
        (check_origin, f"https://{rest}")
        for rest in ("", "a:0", "a:443", "a:65536", "a/", "u@a", "a?", "a:", 'a"b', "[::1")
    ),
    *(
        (check_origin, origin)
        for origin in ("a.example", "ftp://a", "HTTPS://a", "http://a:80", "https:a", "https://A")
    ),
    *((check_address, f"https://a{rest}") for rest in ("/", ":443", "/x/", "//x", "/x?y", "/x#y", "/a b", '/"', "/é")),
    *((check_address, f"https://{rest}") for rest in ("u:p@a", "A", "", "a:x")),
    *(
        (check_link, url)
        for url in ("javascript:alert(1)", "data:,x", "https://a/<b>", 'https://a/"', "https://a/ b", "x")
    ),
    *(
        (check_blobs, place)
        for place in ("s3://", "s3://A", "S3://bucket", "s3://bucket//x", "s3://bucket/", "file:///x")
    ),
    *((check_database, f"sqlite://{path}") for path in ("", ":memory:", "/x?y=z", "/x#y")),
    *(
        (check_database, f"postgresql://{rest}")
        for rest in ("u:p/q@h/d", "u:p#q@h/d", "u:p?q@h/d", "u:p[@h/d", "h:x/d")
    ),
    *(
        (check_database, f"postgresql://{rest}")
        for rest in ("h", "h/", "h/a/b", "h/d#x", "h/d?ssl=false", "h/d?x=y", "h/d?x")
    ),
    *((check_database, url) for url in ("mysql://h/d", "/x/y.sqlite3", "sqlite:x", "postgresql://u:12/p@h/d")),
)


@pytest.mark.parametrize(("check", "value"), TAKEN)
def test_an_address_that_can_be_used_is_taken(check: Check, value: str) -> None:
    check("AVIARY_DOOR", value)


@pytest.mark.parametrize(("check", "value"), REFUSED)
def test_an_address_that_can_not_be_used_is_refused_without_being_shown(check: Check, value: str) -> None:
    with pytest.raises(SettingsError, match=r"^AVIARY_DOOR ") as refused:
        check("AVIARY_DOOR", value)
    assert refused.value.__suppress_context__ or refused.value.__context__ is None


def test_an_origin_is_without_the_port_that_goes_without_saying() -> None:
    assert spell_origin("http", "::1", 80) == "http://[::1]"
    assert spell_origin("https", "a.example", 443) == spell_origin("https", "a.example", None) == "https://a.example"
    assert spell_origin("https", "a.example", 80) == "https://a.example:80"

# SPDX-License-Identifier: AGPL-3.0-or-later
"""Whatever an environment can hold for a program's settings, and what a refusal may say of it."""

from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any

from hypothesis import reject
from hypothesis import strategies as st

from portal.kit.settings import SettingsError

# Stands where a password may: no message shows it.
SECRET = "wombat7Quokka"

_SCHEMES = ("https", "http", "HTTPS", "ftp", "javascript", "sqlite", "postgresql", "asyncpg", "mysql", "s3", "S3", "")
_USERS = ("", "", "", "a@", f"a:{SECRET}@", f"{SECRET}@", f"a:{SECRET}[@", f"a:{SECRET}/b@", f"a:{SECRET}#@", "@")
_HOSTS = (
    *("portal.example", "127.0.0.1", "[::1]", "localhost", "a" * 56 + ".onion", "xn--prtal-jua.example"),
    *(
        "Portal.example",
        "pörtal.example",
        "a_b",
        "a b",
        "a..b",
        ".",
        "-",
        "",
        "a" * 64,
        "a." * 130 + "a",
        "a." * 122 + "a",
    ),
    *(
        "127.1",
        "0x7f.1",
        "1.2.3.256",
        "[::0001]",
        "[::ffff:1.2.3.4]",
        "[fe80::1%25eth0]",
        "[v1.x]",
        "[::1",
        "٣.example",
    ),
    *("a;b", "a+b", 'a"b', "a<b>", "a%41", "a\\b"),
)
_PORTS = ("", "", "", ":80", ":443", ":8080", ":65535", ":65536", ":0", ":-1", ":²", ":٣", ":x", ":", f":{SECRET}")
_PATHS = (
    *("", "", "/", "/x", "/a/b.c", "//x", "/../x", "/%zz", "/a&b'c", '/"<b>', "/a b", "/é", "/a\nb", "/a/"),
    *("?q=1", "#f", "/x?ssl=true", "/x?ssl=false", "/x?host=/run", "/x?min_size=many", f"/x?password={SECRET}"),
)
_ODD = (
    *(
        "",
        " ",
        "\n",
        "x\n",
        " x",
        "x ",
        ".",
        "..",
        "~",
        "/",
        "/x",
        "a/b",
        "\u202ex",
        "\u200c",
        "\x1b[2J",
        "e\u0301",
        "/x?y#z",
    ),
    *(
        "about:blank",
        "javascript:alert(1)",
        "data:,x",
        "sqlite://",
        "sqlite://:memory:",
        "sqlite:///x?y",
        "s3://",
        "s3://b",
    ),
    *("s3://bucket", "s3://bucket/x", "s3://bucket//x", "file:///x", "::1", "::", "0.0.0.0", "LOCALHOST", "true"),
    *(
        "²",
        "٣",
        "1_0",
        "+1",
        "-0",
        "1e3",
        "1e400",
        "1.0",
        "NaN",
        "0x10",
        "0",
        "1",
        "65535",
        "65536",
        "9" * 5000,
        "x" * 5000,
    ),
)
_URLS = st.tuples(*map(st.sampled_from, (_SCHEMES, ("://", ":", ""), _USERS, _HOSTS, _PORTS, _PATHS))).map("".join)
_BYTES = st.binary(max_size=40).map(lambda data: data.replace(b"\0", b"").decode("utf-8", "surrogateescape"))
_TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=40)
VALUES = st.one_of(st.sampled_from(_ODD), _URLS, _URLS, _BYTES, _TEXTS, st.integers().map(str))


def environments(settings: type[Any], prefix: str, base: Mapping[str, str]) -> st.SearchStrategy[dict[str, str]]:
    """What is in ``base``, and one to three settings of any value, some of them unknown."""
    names = [f"{prefix}{field.name.upper()}" for field in fields(settings)]
    unknown = (f"{prefix}X", prefix, f"{prefix}\n", f"{prefix}\udcff\x1b[2J")
    name = st.one_of(*[st.sampled_from(names)] * 9, st.sampled_from(unknown))
    return st.dictionaries(name, VALUES, min_size=1, max_size=3).map(lambda given: {**base, **given})


def check_refusal(error: SettingsError, environment: Mapping[str, str]) -> None:
    """One line, which names a setting and shows nothing that may be a password."""
    message = str(error)
    assert message.isprintable()
    assert SECRET not in message
    assert any(name in message or ascii(name) in message for name in environment), message


def refusal_of(read: Callable[[Mapping[str, str]], object], environment: Mapping[str, str]) -> str:
    """What is said of an environment that is refused; for one that is taken another one is drawn."""
    try:
        read(environment)
    except SettingsError as error:
        return str(error)
    return reject()

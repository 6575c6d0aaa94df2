# SPDX-License-Identifier: AGPL-3.0-or-later
"""Forms as nobody fills them in: other values, fields left out, fields of other pages, or a body that is no form."""

import re
from functools import cache
from random import Random
from urllib.parse import quote_from_bytes

from tests.conftest import ROOT
from tests.fuzz.alterations import ODD_TEXTS, SWELLING, Alter, alter_bytes, swell
from tests.fuzz.asgi import MARK, quoted
from tests.fuzz.odd import ODD_BODIES, ODD_FIELDS

_READ = re.compile(
    r'form\.\w+\(\s*"([a-z_-]+)"|query_params(?:\.get\(|\[)"([a-z_]+)"|"([a-z_]+)" in request\.query_params'
)


@cache
def fields_read() -> tuple[str, ...]:
    """The names of every field and parameter that the office's source asks for."""
    sources = (path.read_text(encoding="utf-8") for path in sorted((ROOT / "oversight").rglob("*.py")))
    return tuple(sorted({name for source in sources for names in _READ.findall(source) for name in names if name}))


def alter_form(chance: Random, body: bytes) -> bytes:
    """The value of one field is another one; or a field is left out, there many times, or one of another form."""
    fields = body.split(b"&")
    at = chance.randrange(len(fields))
    name, _, value = fields[at].partition(b"=")
    alters: tuple[Alter, ...] = (alter_bytes, swell)
    match chance.randrange(10):
        case 0:
            return chance.choice(ODD_BODIES)
        case 1:
            del fields[at]
        case 2:
            fields[at:at] = [fields[at]] * chance.choice((1, 70, 1100))
        case 3 | 4:
            fields[at] = name + b"=" + quoted(chance.choice(alters)(chance, value or b"a"))
        case 5:
            names = chance.sample(fields_read(), chance.randint(1, 5))
            fields += [f"{each}={quote_from_bytes(_other(chance, value))}".encode() for each in names]
        case _:
            fields[at] = name + b"=" + quote_from_bytes(_other(chance, value)).encode()
    return b"&".join(fields)


def _other(chance: Random, value: bytes) -> bytes:
    odd = chance.choice((*ODD_TEXTS, *SWELLING)).encode("utf-8", "surrogatepass")
    return chance.choice((MARK, odd, odd * 70, odd * 7000, value + odd, *chance.sample(ODD_FIELDS, 5)))

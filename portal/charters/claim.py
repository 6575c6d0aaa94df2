# SPDX-License-Identifier: AGPL-3.0-or-later
"""What a note claims that is said to be a charter, seen without parsing it (docs/protocol.md §4.2, §10).

Anyone may post one, and reading it takes many milliseconds. The JSON is canonical, so that in a charter these members
stand where they are looked for here. A claim decides only whether reading is worth while: it proves nothing.
"""

import hashlib
import re
from dataclasses import dataclass

from crypto.ids import CharterHash
from portal.api.refusals import Refusal

# The recipients of 16 offices stand in it, each of less than 2 000 bytes.
_END_BYTES_MAX = 200 + 16 * 2000
_END = re.compile(
    rb',"slots":[0-9]{1,2},"slug":"([a-z][a-z0-9-]{1,30})",'
    rb'"urgency":\[[a-z0-9",]{1,32000}\],'
    rb'"valid":\{"from":"[0-9-]{10}","until":"[0-9-]{10}"\},"version":"amparo/v1/charter"\}\Z'
)
_NUMBER = re.compile(rb',"number":([0-9]{1,7}),"office":\[')
_PORTAL = re.compile(
    rb',"origin":"([^"\\]{1,300})","portal":"([^"\\]{1,400})","previous":(?:null|"([0-9a-f]{64})"),"questionnaire":\{'
)
_REALM = re.compile(rb'\},"realm":"([0-9a-f]{32})","reserve":\{')


@dataclass(frozen=True)
class Claim:
    """``hash`` is that of the note's text. The rest is what the text claims."""

    hash: CharterHash
    slug: str
    number: int
    previous: str | None
    origin: str
    realm: str
    portal: str


def read_claim(note: bytes) -> Claim:
    """Return what a note claims. Raises Refusal ``charter-invalid`` for one that can't be a charter's."""
    text, divider, _ = note.rpartition(b"\n\n")
    end = _END.search(text, max(0, len(text) - _END_BYTES_MAX)) if divider else None
    if end is None:
        raise Refusal("charter-invalid")
    number, portal, realm = _NUMBER.search(text), _PORTAL.search(text), _REALM.search(text)
    if number is None or portal is None or realm is None:
        raise Refusal("charter-invalid")
    return Claim(
        hash=CharterHash(hashlib.sha256(text + b"\n").hexdigest()),
        slug=end[1].decode("ascii"),
        number=int(number[1]),
        previous=portal[3].decode("ascii") if portal[3] else None,
        origin=portal[1].decode("utf-8", "replace"),
        realm=realm[1].decode("ascii"),
        portal=portal[2].decode("utf-8", "replace"),
    )

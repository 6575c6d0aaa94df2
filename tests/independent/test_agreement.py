# SPDX-License-Identifier: AGPL-3.0-or-later
"""Our reader and the independent one accept the same, of inputs that were altered as tests/fuzz alters them.

Which error refuses is not compared: docs/protocol.md §1 leaves that open where an input breaks several rules.
"""

from collections.abc import Callable
from random import Random

import pytest

from crypto.errors import CryptoError
from tests.chance import fresh_bytes
from tests.fuzz.formats import JSON_MAX, Format, load_formats
from tests.independent import reader
from tests.vectors.commission import load_commission

COMMISSION = load_commission()
CHARTERS = {each["hash"]: each for each in (reader.read_charter(known.note) for known in COMMISSION.charters.values())}
KNOWN = [*COMMISSION.charter.governors.keys, *COMMISSION.charter.office, COMMISSION.charter.portal]
INPUTS = 100


def read_key(data: bytes) -> object:
    try:
        return reader.parse_key(data.decode("utf-8"))
    except UnicodeDecodeError:
        raise reader.MalformedError("not UTF-8") from None


READ: dict[str, Callable[[bytes], object]] = {
    "canonical-json": lambda data: reader.decode_json(data, JSON_MAX),
    "verifier-key": read_key,
    "signature": lambda data: reader.verify_ed25519(data[:32], data[96:], data[32:96]),
    "note": lambda data: reader.verify_note(data, [str(key) for key in KNOWN]),
    "reply": lambda data: reader.read_reply(data, CHARTERS),
    "state": lambda data: reader.read_state(data, COMMISSION.mailbox.state_mac.hex()),
}
FORMATS = {each.name: each for each in load_formats() if each.name in READ}


def accepts(read: Callable[[bytes], object], data: bytes, refusal: type[Exception]) -> bool:
    try:
        read(data)
    except refusal:
        return False
    return True


@pytest.mark.parametrize("format_", [pytest.param(each, id=name) for name, each in FORMATS.items()])
def test_what_ours_accepts_the_independent_reader_accepts_and_nothing_else(format_: Format) -> None:
    seed = fresh_bytes(8).hex()
    chance = Random(seed)
    altered = [chance.choice(format_.alter)(chance, chance.choice(format_.inputs)) for _ in range(INPUTS)]
    found = set()
    for data in [*format_.inputs, *altered]:
        ours = accepts(format_.read, data, CryptoError)
        assert ours == accepts(READ[format_.name], data, reader.ReaderError), f"seed {seed}, input {data.hex()}"
        found.add(ours)
    assert found == {True, False}


def test_every_format_of_the_independent_reader_is_compared() -> None:
    assert set(FORMATS) == set(READ)

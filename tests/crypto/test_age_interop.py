# SPDX-License-Identifier: AGPL-3.0-or-later
"""What we seal, npm ``age-encryption`` opens, and the other way round: both come from one specification."""

import io
import random
import subprocess
from pathlib import Path

import pytest

from crypto.age import PqIdentity, X25519Identity, open_sealed, open_stream, seal
from crypto.armor import read_armor
from tests.waiting import SECONDS_MAX

SIZES = [0, 1, 65_535, 65_536, 65_537, 1 << 20, 20_000_000]
SEED = bytes(range(32))


def age_encryption(command: str, *parameters: object, stdin: bytes = b"") -> bytes:
    script = Path(__file__).with_name("age_interop.mjs")
    line = ["node", script, command, *map(str, parameters)]
    return subprocess.run(line, input=stdin, stdout=subprocess.PIPE, check=True, timeout=SECONDS_MAX).stdout


def plaintext_of(size: int) -> bytes:
    return random.Random(size).randbytes(size)


@pytest.fixture(params=[PqIdentity(SEED), X25519Identity(SEED)], ids=["mlkem768x25519", "X25519"])
def identity(request):
    return request.param


def test_both_derive_the_same_recipient_from_an_identity(identity):
    assert age_encryption("recipient", identity).decode() == str(identity.recipient())


@pytest.mark.parametrize("size", SIZES)
def test_age_encryption_opens_what_we_seal(size):
    identity = PqIdentity.generate()
    sealed = seal(plaintext_of(size), [PqIdentity.generate().recipient(), identity.recipient()])
    assert age_encryption("open", identity, stdin=sealed) == plaintext_of(size)


@pytest.mark.parametrize("size", SIZES)
def test_we_open_what_age_encryption_seals(size):
    identity = PqIdentity.generate()
    recipients = [PqIdentity.generate().recipient(), identity.recipient()]
    sealed = age_encryption("seal", *recipients, stdin=plaintext_of(size))
    assert open_sealed(sealed, [identity]) == plaintext_of(size)


def test_x25519_files_pass_both_ways():
    identity = X25519Identity.generate()
    assert age_encryption("open", identity, stdin=seal(b"out", [identity.recipient()])) == b"out"
    assert open_sealed(age_encryption("seal", identity.recipient(), stdin=b"in"), [identity]) == b"in"


@pytest.mark.parametrize("size", [1, 47, 48, 49, 200_000])
def test_we_read_the_armor_that_age_encryption_writes(size):
    armored = age_encryption("armor", stdin=plaintext_of(size))
    assert read_armor(io.BytesIO(armored)).read() == plaintext_of(size)


def test_we_open_an_armored_file():
    identity = PqIdentity.generate()
    armored = age_encryption("armor", stdin=seal(plaintext_of(300_000), [identity.recipient()]))
    sink = io.BytesIO()
    open_stream(read_armor(io.BytesIO(armored)), sink, [identity])
    assert sink.getvalue() == plaintext_of(300_000)

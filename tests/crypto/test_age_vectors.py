# SPDX-License-Identifier: AGPL-3.0-or-later
"""The C2SP test vectors of age (npm ``cctv-age``): each one has the outcome that it names."""

import base64
import functools
import hashlib
import io
import json
import subprocess
import zlib
from dataclasses import dataclass
from pathlib import Path

import pytest

from crypto.age import (
    Identity,
    PqIdentity,
    X25519Identity,
    open_stream,
    parse_identity,
    read_header,
    sealed_size,
)
from crypto.age_header import encode_header
from crypto.age_stream import open_payload
from crypto.armor import read_armor
from crypto.errors import (
    AuthenticationError,
    CryptoError,
    LimitError,
    MalformedError,
    NotARecipientError,
    UnsupportedVersionError,
)
from tests.waiting import SECONDS_MAX

# We have no passphrase recipients: such a file is whole, and nobody's. Where the header itself breaks the format, or
# the rule that a passphrase stands alone, which is found without the passphrase.
PASSPHRASE_FILES_THAT_NO_READER_TAKES = {"scrypt_and_x25519", "scrypt_double", "scrypt_not_canonical_body"}


@dataclass(frozen=True)
class Vector:
    name: str
    fields: dict[str, str]
    identities: list[Identity]
    file: bytes

    @property
    def expected(self) -> str:
        if "passphrase" in self.fields and self.name not in PASSPHRASE_FILES_THAT_NO_READER_TAKES:
            return "no match"
        return self.fields["expect"]


@functools.cache
def load_vectors() -> dict[str, Vector]:
    script = Path(__file__).with_name("age_vectors.mjs")
    printed = subprocess.run(["node", script], capture_output=True, check=True, timeout=SECONDS_MAX).stdout
    return {name: parse_vector(name, base64.b64decode(text)) for name, text in json.loads(printed).items()}


def parse_vector(name: str, text: bytes) -> Vector:
    head, _, file = text.partition(b"\n\n")
    pairs = [line.split(": ", 1) for line in head.decode().splitlines()]
    fields = dict(pairs)
    assert fields.keys() <= {
        "expect",
        "payload",
        "identity",
        "passphrase",
        "armored",
        "file key",
        "comment",
        "compressed",
    }
    identities = [parse_identity(value) for key, value in pairs if key == "identity"]
    strangers = [PqIdentity.from_seed(bytes(32)), X25519Identity(bytes(32))]
    return Vector(name, fields, identities or strangers, zlib.decompress(file) if "compressed" in fields else file)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give each test the vectors that its argument names, so that none passes by doing nothing."""
    vectors = load_vectors().values()
    binary = [vector for vector in vectors if "armored" not in vector.fields]
    selections = {
        "vector": list(vectors),
        "vector_with_header": [vector for vector in binary if vector.fields["expect"] != "header failure"],
        "vector_with_success": [vector for vector in binary if vector.expected == "success"],
    }
    for argument in selections.keys() & set(metafunc.fixturenames):
        chosen = selections[argument]
        metafunc.parametrize(argument, chosen, ids=[vector.name for vector in chosen])


def outcome_of(vector: Vector) -> str:
    """Open part by part, to see where it fails and not only that it does."""
    file = vector.file
    if "armored" in vector.fields:
        try:
            file = read_armor(io.BytesIO(file)).read()
        except MalformedError:
            return "armor failure"
    source = io.BytesIO(file)
    try:
        header = read_header(source)
        file_key = unwrap_with_first(vector.identities, header.stanzas)
    except NotARecipientError:
        return "no match"
    except (MalformedError, UnsupportedVersionError, LimitError):
        return "header failure"
    try:
        header.check_mac(file_key)
    except AuthenticationError:
        return "HMAC failure"
    try:
        open_payload(source, io.BytesIO(), file_key)
    except (MalformedError, AuthenticationError) as error:
        # The vectors count the nonce, which opens the payload, with the header.
        return "header failure" if "nonce" in str(error) else "payload failure"
    return "success"


def unwrap_with_first(identities: list[Identity], stanzas: tuple) -> bytes:
    for identity in identities[:-1]:
        try:
            return identity.unwrap(stanzas)
        except NotARecipientError:
            continue
    return identities[-1].unwrap(stanzas)


def test_every_vector_is_there():
    assert len(load_vectors()) >= 143


def test_the_vector_has_the_outcome_that_it_names(vector):
    assert outcome_of(vector) == vector.expected


def test_open_stream_releases_what_the_vector_says_and_no_more(vector):
    source = io.BytesIO(vector.file)
    sink = io.BytesIO()
    if vector.expected == "success":
        open_stream(read_armor(source) if "armored" in vector.fields else source, sink, vector.identities)
    else:
        with pytest.raises(CryptoError):
            open_stream(read_armor(source) if "armored" in vector.fields else source, sink, vector.identities)
    if vector.expected in ("success", "payload failure"):
        assert hashlib.sha256(sink.getvalue()).hexdigest() == vector.fields["payload"]
    elif vector.expected != "armor failure":
        assert sink.getvalue() == b""


def test_a_header_that_we_read_is_the_one_that_we_would_write(vector_with_header):
    vector = vector_with_header
    header = read_header(io.BytesIO(vector.file))
    written = encode_header(header.stanzas, bytes.fromhex(vector.fields["file key"]))
    assert written.startswith(header.covered)
    assert (written == vector.file[: header.size]) == (vector.expected != "HMAC failure")


def test_the_size_of_a_file_follows_from_its_plaintext(vector_with_success):
    vector = vector_with_success
    sink = io.BytesIO()
    open_stream(io.BytesIO(vector.file), sink, vector.identities)
    assert sealed_size(len(sink.getvalue()), read_header(io.BytesIO(vector.file)).size) == len(vector.file)

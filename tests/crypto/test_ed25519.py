# SPDX-License-Identifier: AGPL-3.0-or-later
"""One set of signatures, in both languages and wherever they are checked (docs/protocol.md §4.1)."""

import ast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto.ed25519 import check_public_key, check_signature
from crypto.errors import AuthenticationError, CryptoError, MalformedError
from crypto.note import Note, Signature, SigningKey, VerifierKey, verify
from tests.conftest import ROOT
from tests.crypto.ed25519_cases import FILE, MESSAGE, PUBLIC, SIGNATURE, A, R, written
from tests.crypto.edwards import BASE, ORDER, TORSION, add, cofactored_holds, encode, multiply, refusal, sign
from tests.vectors import expected_error, load_vectors

SCALARS = st.integers(1, ORDER - 1)
EIGHTHS = st.integers(0, 7)
# What may check a signature: the names under which the libraries offer it.
CHECKS = {"nacl.signing.VerifyKey", "Ed25519PublicKey", "algorithms.ED25519", "nacl.bindings.crypto_sign_open"}


def outcome(public: bytes, message: bytes, signature: bytes) -> str | None:
    """The name of the error that is raised, or None."""
    try:
        check_public_key(public)
        check_signature(public, message, signature)
    except CryptoError as error:
        return type(error).__name__
    return None


@pytest.mark.parametrize("vector", load_vectors("ed25519", "verify"))
def test_vectors(vector):
    public, message, signature = (bytes.fromhex(vector["input"][name]) for name in ("public", "message", "signature"))
    if "error" not in vector:
        VerifierKey("acme/chair", public).check(message, signature)
        return
    with pytest.raises(expected_error(vector)):
        VerifierKey("acme/chair", public).check(message, signature)


def test_the_vectors_are_what_the_algebra_makes_and_judges():
    assert FILE.read_text("utf-8") == written()


def test_among_the_vectors_are_such_as_lenient_readers_take():
    refused = [vector.values[0]["input"] for vector in load_vectors("ed25519", "verify") if "error" in vector.values[0]]
    signed = [[bytes.fromhex(given[name]) for name in ("public", "message", "signature")] for given in refused]
    whole = [given for given in signed if len(given[0]) == 32 and len(given[2]) == 64]
    assert len([given for given in whole if cofactored_holds(*given)]) > 30


@settings(max_examples=50)
@given(scalars=st.tuples(SCALARS, SCALARS), of_key=EIGHTHS, of_r=EIGHTHS, times=st.integers(0, 15))
def test_a_signature_with_anything_added_is_judged_as_the_algebra_does(scalars, of_key, of_r, times):
    (a, r), message = scalars, MESSAGE
    public = encode(add(multiply(a, BASE), TORSION[of_key]))
    signature = sign(message, a, r, public, encode(add(multiply(r, BASE), TORSION[of_r])))
    s = int.from_bytes(signature[32:], "little") + times * ORDER
    signature = signature[:32] + min(s, 2**256 - 1).to_bytes(32, "little")
    assert outcome(public, message, signature) == refusal(public, message, signature)
    assert (outcome(public, message, signature) is None) == (of_key == of_r == times == 0)


@given(place=st.integers(0, 8 * len(PUBLIC + SIGNATURE) - 1))
def test_any_flipped_bit_of_key_or_signature_is_refused_as_the_algebra_does(place):
    data = bytearray(PUBLIC + SIGNATURE)
    data[place // 8] ^= 1 << place % 8
    public, signature = bytes(data[:32]), bytes(data[32:])
    assert outcome(public, MESSAGE, signature) == refusal(public, MESSAGE, signature) is not None


def test_a_note_is_not_verified_by_a_signature_with_a_part_of_small_order():
    text = "amparo collection v1\n"
    key = VerifierKey("acme/chair", PUBLIC)
    for times, point in enumerate(TORSION):
        data = sign(text.encode(), A, R, PUBLIC, encode(add(multiply(R, BASE), point)))
        note = Note(text, (Signature(key.name, key.key_id, data),))
        if times == 0:
            assert verify(note, [key]) == (key,)
            continue
        with pytest.raises(AuthenticationError):
            verify(note, [key])


def test_no_verifier_key_has_a_part_of_small_order():
    for point in TORSION:
        for public in (encode(point), encode(add(multiply(A, BASE), point))):
            if public == PUBLIC:
                continue
            with pytest.raises(MalformedError):
                VerifierKey("acme/chair", public)


def test_what_we_sign_ourselves_is_in_the_set():
    for number in range(20):
        key = SigningKey("acme/chair", bytes([number]) * 32)
        assert refusal(key.verifier.public, MESSAGE, key.sign(MESSAGE)) is None


def test_nothing_else_in_the_programs_checks_a_signature():
    found = {
        path.relative_to(ROOT).as_posix()
        for program in ("crypto", "portal", "oversight")
        for path in (ROOT / program).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Name | ast.Attribute) and ast.unparse(node) in CHECKS
    }
    # The office signs its requests by the library's algorithm, and checks none.
    assert found == {"crypto/ed25519.py", "oversight/wire/request_signature.py"}


def test_nothing_else_in_the_scripts_checks_a_signature():
    scripts = (ROOT / "static/src").rglob("*.js")
    found = {path.name for path in scripts if "curves/ed25519" in path.read_text("utf-8")}
    assert found == {"ed25519.js"}

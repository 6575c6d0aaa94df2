# SPDX-License-Identifier: AGPL-3.0-or-later
"""A publication receipt is the portal's word that it took a finding: by it a register that went back takes it again."""

from dataclasses import replace

import pytest

from crypto.errors import AuthenticationError, CryptoError
from crypto.publication import Publication, read_publication
from tests.vectors import expected_error, join_parts, load_vectors
from tests.vectors.commission import load_commission

ACME = load_commission()
PORTAL = ACME.keys["portal.example"]
TAKEN = Publication(ACME.charter.realm, "XFI:ZZ:ACME:2026:F.0007", 1, "9f" * 32)


@pytest.mark.parametrize("vector", load_vectors("publication", "sign"))
def test_signing(vector):
    value = dict(vector["input"])
    key = ACME.keys[value.pop("key")]
    assert Publication(**value).sign(key).encode() == join_parts(vector["value"])


@pytest.mark.parametrize("vector", load_vectors("publication", "read"))
def test_reading(vector):
    data = join_parts(vector["input"]["note"])
    if "error" in vector:
        with pytest.raises(expected_error(vector)):
            read_publication(data, [PORTAL.verifier])
        return
    assert vars(read_publication(data, [PORTAL.verifier])) == vector["value"]


def test_nobody_but_the_portal_says_that_a_finding_was_taken():
    for name in ("acme/office", "acme/chair", "acme/stranger"):
        with pytest.raises(AuthenticationError):
            read_publication(TAKEN.sign(ACME.keys[name]).encode(), [PORTAL.verifier])


@pytest.mark.parametrize(
    "change", [{"revision": 0}, {"hash": "9f"}, {"finding": "XFI:ZZ:ACME:2026:F.7"}, {"realm": "portal.example"}]
)
def test_what_nobody_would_read_is_not_signed(change):
    with pytest.raises(CryptoError):
        replace(TAKEN, **change).sign(PORTAL)

# SPDX-License-Identifier: AGPL-3.0-or-later
"""Manifests have one encoding, and a commitment hides them until its nonce is shown."""

import json
from dataclasses import replace

import pytest

from crypto.age import PqRecipient
from crypto.errors import LimitError, UnsupportedVersionError
from crypto.manifest import (
    Manifest,
    ManifestError,
    SealedFile,
    commitment,
    mailbox_id,
    manifest_hash,
    read_manifest,
)
from tests.vectors import expected_error, join_parts, load_vectors
from tests.vectors.commission import load_commission

ACME = load_commission()


class TestVectors:
    @pytest.mark.parametrize("vector", load_vectors("manifest", "read"))
    def test_reading(self, vector):
        data = join_parts(vector["input"]["data"])
        if "error" in vector:
            with pytest.raises(expected_error(vector)) as caught:
                read_manifest(data)
            assert isinstance(caught.value, ManifestError | LimitError | UnsupportedVersionError)
            return
        assert json.loads(read_manifest(data).encode()) == vector["value"]

    @pytest.mark.parametrize("vector", load_vectors("manifest", "encode"))
    def test_encoding(self, vector):
        value = dict(vector["input"]["manifest"])
        del value["version"]
        value["recipient"] = PqRecipient.from_string(value["recipient"])
        files = tuple(SealedFile(**file) for file in value.pop("files"))
        assert Manifest(**value, files=files).encode() == join_parts(vector["value"])

    @pytest.mark.parametrize("vector", load_vectors("manifest", "hash"))
    def test_hashing(self, vector):
        assert manifest_hash(join_parts(vector["input"]["data"])) == vector["value"]

    @pytest.mark.parametrize("vector", load_vectors("manifest", "commitment"))
    def test_committing(self, vector):
        nonce = bytes.fromhex(vector["input"]["leaf_nonce"])
        if "error" in vector:
            with pytest.raises(expected_error(vector)):
                commitment(nonce, vector["input"]["manifest_hash"])
            return
        assert commitment(nonce, vector["input"]["manifest_hash"]) == vector["value"]


def test_a_manifest_that_readers_would_refuse_cannot_be_encoded():
    vector = next(param.values[0] for param in load_vectors("manifest", "read") if "error" not in param.values[0])
    manifest = read_manifest(join_parts(vector["input"]["data"]))
    with pytest.raises(ManifestError):
        replace(manifest, files=manifest.files[1:]).encode()
    with pytest.raises(ManifestError):
        replace(manifest, submission="x").encode()


def test_a_mailbox_id_commits_to_who_reads_who_commands_and_who_asks():
    mailbox = ACME.mailbox
    parts = (mailbox.recipient, mailbox.control, mailbox.token_sha256)
    assert mailbox_id(*parts) == mailbox.mailbox_id
    others = (ACME.identities["R"].recipient(), ACME.keys["acme/office"].verifier.public.hex(), "00" * 32)
    for place, other in enumerate(others):
        assert mailbox_id(*parts[:place], other, *parts[place + 1 :]) != mailbox.mailbox_id


def test_an_intermediary_cannot_put_its_own_keys_into_a_manifest():
    """Who swaps S or V has to swap the mailbox id as well, which the reporter's code no longer opens."""
    vector = next(param.values[0] for param in load_vectors("manifest", "read") if "error" not in param.values[0])
    manifest = read_manifest(join_parts(vector["input"]["data"]))
    for changes in (
        {"recipient": ACME.identities["stranger"].recipient()},
        {"control": ACME.keys["portal.example"].verifier.public.hex()},
        {"token_sha256": "00" * 32},
    ):
        with pytest.raises(ManifestError, match="commit"):
            replace(manifest, **changes).encode()

# SPDX-License-Identifier: AGPL-3.0-or-later
"""Manifests have one encoding, and a commitment hides them until its nonce is shown."""

import json
from dataclasses import replace

import pytest

from crypto.errors import LimitError, UnsupportedVersionError
from crypto.manifest import Manifest, ManifestError, SealedFile, commitment, manifest_hash, read_manifest
from tests.vectors import expected_error, join_parts, load_vectors


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

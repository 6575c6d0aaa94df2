# SPDX-License-Identifier: AGPL-3.0-or-later
"""The independent reader of each language passes every vector of the formats that a reporter's device reads."""

import ast
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.independent import reader
from tests.waiting import SECONDS_MAX

FOLDER = Path(__file__).parent
VECTORS = FOLDER.parent / "vectors"
NODE = shutil.which("node") or "node"

Arguments = dict[str, Any]


def join_parts(parts: list[dict[str, Any]]) -> bytes:
    return b"".join(read_part(part) * part.get("times", 1) for part in parts)


def read_part(part: dict[str, Any]) -> bytes:
    if "hex" in part:
        return bytes.fromhex(part["hex"])
    if "text" in part:
        return str(part["text"]).encode()
    data: bytes = (VECTORS / part["file"]).read_bytes()
    for old, new in part.get("replace", []):
        assert data.count(old.encode()) == 1
        data = data.replace(old.encode(), new.encode())
    return data


@cache
def commission() -> dict[str, Any]:
    data: dict[str, Any] = json.loads((VECTORS / "commission.json").read_text("utf-8"))
    return data


@cache
def charters() -> dict[str, dict[str, Any]]:
    return {name: reader.read_charter(text.encode()) for name, text in commission()["charters"].items()}


@cache
def identity(name: str) -> reader.Identity:
    if name == "S":
        realm = charters()["first"]["realm"]
        return reader.Identity(bytes.fromhex(reader.derive(commission()["receipt_digits"], realm)["mailbox_seed"]))
    return reader.Identity(bytes.fromhex(commission()["identities"]["thread" if name == "R" else name]))


def known(names: list[str]) -> dict[str, dict[str, Any]]:
    return {charters()[name]["hash"]: charters()[name] for name in names}


def without(name: str, given: Arguments) -> dict[str, Any]:
    return {key: value for key, value in given.items() if key != name}


def verify_note(given: Arguments) -> dict[str, Any]:
    text, signers = reader.verify_note(join_parts(given["note"]), given["keys"])
    return {"text": text, "signers": signers, "hash": reader.note_hash(text)}


def verify_ed25519(given: Arguments) -> bool:
    reader.verify_ed25519(*(bytes.fromhex(given[name]) for name in ("public", "message", "signature")))
    return True


def encode_manifest(given: Arguments) -> bytes:
    return reader.encode_json({"version": "amparo/v1/manifest", **given["manifest"]})


def manifest_hash(given: Arguments) -> str:
    return reader.note_hash(join_parts(given["data"]).decode())


OPERATIONS: dict[str, dict[str, Callable[[Arguments], Any]]] = {
    "canonical-json": {
        "encode": lambda given: reader.encode_json(given["value"]).decode(),
        "decode": lambda given: reader.decode_json(join_parts(given["bytes"]), given.get("size_max", 1 << 20)),
    },
    "padding": {
        "padme": lambda given: reader.padme(given["size"]),
        "attachment-size": lambda given: reader.padme(max(given["size"], 16_384)),
        "pad": lambda given: reader.pad(join_parts(given["content"]), given["floor"]),
        "unpad": lambda given: reader.unpad(join_parts(given["padded"]), given["floor"], given["content_max"]),
    },
    "receipt-code": {
        "create": lambda given: reader.create_code(given["digits"]),
        "parse": lambda given: reader.parse_code(given["text"]),
        "derive": lambda given: reader.derive(given["digits"], given["realm"]),
    },
    "ed25519": {"verify": verify_ed25519},
    "note": {"parse-key": lambda given: reader.parse_key(given["text"]), "verify": verify_note},
    "manifest": {
        "read": lambda given: reader.read_manifest(join_parts(given["data"])),
        "encode": encode_manifest,
        "hash": manifest_hash,
        "commitment": lambda given: reader.commitment(given["leaf_nonce"], given["manifest_hash"]),
    },
    "submission": {
        "encode-state": lambda given: reader.encode_state(given["state"], given["state_mac"]),
        "read-state": lambda given: reader.read_state(join_parts(given["content"]), given["state_mac"]),
        "open-state": lambda given: reader.open_state(
            join_parts(given["sealed"]), identity(given["identity"]), given["state_mac"]
        ),
        "read-urgency": lambda given: reader.read_urgency(join_parts(given["content"]), given["submission"]),
        "open-urgency": lambda given: reader.open_urgency(
            join_parts(given["sealed"]), identity(given["identity"]), given["submission"]
        ),
    },
    "message": {
        "read-reply": lambda given: reader.read_reply(join_parts(given["content"]), known(given["charters"])),
        "open-reply": lambda given: reader.open_reply(
            join_parts(given["sealed"]), identity(given["identity"]), known(given["charters"])
        ),
        "encode-follow-up": lambda given: reader.encode_follow_up(without("message_mac", given), given["message_mac"]),
        "read-follow-up": lambda given: reader.read_follow_up(join_parts(given["content"]), given["message_mac"]),
        "open-follow-up": lambda given: reader.open_follow_up(
            join_parts(given["sealed"]), identity(given["identity"]), given["message_mac"]
        ),
    },
}


def vectors() -> list[Any]:
    chosen = []
    for name, operations in OPERATIONS.items():
        every = json.loads((VECTORS / f"{name}.json").read_text("utf-8"))["vectors"]
        assert set(operations) <= {vector["operation"] for vector in every}
        for vector in every:
            if vector["operation"] in operations:
                chosen.append(pytest.param(name, vector, id=f"{name}, {vector['operation']}: {vector['name']!a}"))
    return chosen


@pytest.mark.parametrize(("name", "vector"), vectors())
def test_a_reader_written_from_the_protocol_alone_reads_what_ours_reads(name: str, vector: dict[str, Any]) -> None:
    run = OPERATIONS[name][vector["operation"]]
    if "error" in vector:
        with pytest.raises(reader.ReaderError) as caught:
            run(vector["input"])
        assert type(caught.value).__name__ == vector["error"]
        for member in ("reason", "groups"):
            assert getattr(caught.value, member, None) == vector.get(member)
        return
    value, expected = run(vector["input"]), vector["value"]
    assert value == (join_parts(expected) if isinstance(value, bytes) else expected)


def test_the_reader_in_javascript_passes_the_same_vectors() -> None:
    command = [NODE, "--test", str(FOLDER / "reader.test.mjs")]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS_MAX, check=False)
    assert ended.returncode == 0, ended.stdout[-20_000:]
    assert f"# pass {len(vectors()) + 1}\n" in ended.stdout


def test_the_readers_import_nothing_of_ours() -> None:
    tree = ast.parse((FOLDER / "reader.py").read_text("utf-8"))
    named = [each.name for node in ast.walk(tree) if isinstance(node, ast.Import) for each in node.names]
    named += [str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    assert not any(node.level for node in ast.walk(tree) if isinstance(node, ast.ImportFrom))
    assert {each.partition(".")[0] for each in named} - set(sys.stdlib_module_names) == {"cryptography"}
    age = "../../static/node_modules/age-encryption/dist/index.js"
    script = (FOLDER / "reader.mjs").read_text("utf-8")
    sources = re.findall(r'^import [^;]* from "([^"]*)";$', script, re.MULTILINE)
    assert len(sources) == len(re.findall(r"\b(?:import|require)\b", script))
    assert {each for each in sources if not each.startswith("node:")} == {age}

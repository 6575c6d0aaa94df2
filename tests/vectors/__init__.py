# SPDX-License-Identifier: AGPL-3.0-or-later
"""The test vectors, one file a format, read by the tests in Python and in JavaScript alike: see README.md."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from crypto import errors


def load_vectors(name: str, operation: str) -> list[Any]:
    """The vectors of ``<name>.json`` for one operation, as parameters of a test that are known by their names."""
    vectors = json.loads(Path(__file__).with_name(f"{name}.json").read_text("utf-8"))["vectors"]
    chosen = [pytest.param(vector, id=vector["name"]) for vector in vectors if vector["operation"] == operation]
    if not chosen:
        raise LookupError(f"no vectors for {operation!r} in {name}.json")
    return chosen


def join_parts(parts: Sequence[dict[str, Any]]) -> bytes:
    """Return the bytes of a list of parts: ``text`` in UTF-8, ``hex`` or a ``file``, as README.md says."""
    return b"".join(_part(part) * part.get("times", 1) for part in parts)


def expected_error(vector: dict[str, Any]) -> type[Exception]:
    """The class that ``error`` names: one of ``crypto/errors.py``, whose subclasses will do as well."""
    found: type[Exception] = getattr(errors, vector["error"])
    return found


def _part(part: dict[str, Any]) -> bytes:
    if "file" not in part:
        return part["text"].encode("utf-8") if "text" in part else bytes.fromhex(part["hex"])
    content = (Path(__file__).parent / part["file"]).read_bytes()
    for old, new in part.get("replace", ()):
        assert content.count(old.encode("utf-8")) == 1
        content = content.replace(old.encode("utf-8"), new.encode("utf-8"))
    return content

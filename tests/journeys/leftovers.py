# SPDX-License-Identifier: AGPL-3.0-or-later
"""Every byte that programs left in a folder, searched for secrets that a test knows."""

import base64
from collections.abc import Iterable
from pathlib import Path

Secrets = dict[str, frozenset[bytes]]
"""The forms of each secret by what it is called."""


def forms_of_bytes(secret: bytes) -> frozenset[bytes]:
    """As it is, in hex, and in base64 of both alphabets wherever in a text it may begin."""
    found = {secret, secret.hex().encode(), secret.hex().upper().encode()}
    for before in range(3):
        # The characters at both ends hold bits of what stands beside it.
        start, end = -(-before * 8 // 6), (before + len(secret)) * 8 // 6
        text = base64.b64encode(bytes(before) + secret + bytes(3))[start:end]
        found |= {text, text.replace(b"+", b"-").replace(b"/", b"_")}
    return frozenset(found)


def forms_of_text(secret: str) -> frozenset[bytes]:
    """As it is, as a form sends it, as JSON escapes it, and as other alphabets hold its bytes."""
    spaced = {secret, secret.replace(" ", "+"), secret.replace(" ", "%20"), secret.replace(" ", "\n")}
    escaped = secret.encode("ascii", "backslashreplace")
    return frozenset({*(each.encode() for each in spaced), escaped, *forms_of_bytes(secret.encode())})


def forms_of_words(words: list[str], count: int) -> frozenset[bytes]:
    """Any ``count`` of these words that follow each other."""
    runs = (" ".join(words[at : at + count]) for at in range(len(words) - count + 1))
    return frozenset().union(*(forms_of_text(run) for run in runs))


def find_leftovers(folder: Path, secrets: Secrets) -> list[str]:
    """In which file which secret stands, how often: ``office/office.sqlite3-wal: a passphrase (2)``."""
    found = []
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            data = path.read_bytes()
            found += [f"{path.relative_to(folder)}: {name} ({count})" for name, count in _count(data, secrets)]
    return found


def _count(data: bytes, secrets: Secrets) -> Iterable[tuple[str, int]]:
    for name, forms in secrets.items():
        count = sum(data.count(form) for form in forms)
        if count:
            yield name, count

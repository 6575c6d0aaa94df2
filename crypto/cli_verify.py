# SPDX-License-Identifier: AGPL-3.0-or-later
"""The command ``verify``: check a finding that was downloaded from a register. docs/protocol.md §14.3."""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

from crypto.encoding import HASH_BYTES, decode_hex
from crypto.fingerprint import key_fingerprint, member_fingerprint
from crypto.ids import CharterHash
from crypto.published_finding import FILE_BYTES_MAX, PublishedFinding, read_published_finding

STANDARD = "-"
_INDENT = " " * 14


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command ``verify``."""
    parser = subparsers.add_parser(
        "verify",
        help="check a finding that was downloaded from a register",
        description="Check the signatures of a published finding. If they fail, say why and exit with status 1.",
    )
    parser.add_argument(
        "--charter",
        metavar="HASH",
        help="hash of the commission's first charter, from another source than this file; spaces are ignored",
    )
    parser.add_argument("file", metavar="FILE", help=f"the downloaded file, or {STANDARD} for standard input")
    parser.set_defaults(run=run_verify)


def run_verify(arguments: argparse.Namespace) -> None:
    """Print the finding's commission and signers; raise before printing anything if a check fails."""
    known = None
    if arguments.charter is not None:
        known = CharterHash("".join(arguments.charter.split()).lower())
        decode_hex(known, HASH_BYTES)
    published = read_published_finding(_read(arguments.file), known)
    text = "".join(f"{_printable(line)}\n" for line in _describe(published, pinned=known is not None))
    sys.stdout.buffer.write(text.encode("utf-8"))
    sys.stdout.buffer.flush()


def _describe(published: PublishedFinding, pinned: bool) -> Iterator[str]:
    finding, charter, first = published.finding, published.charter, published.first_charter
    yield "verified"
    yield f"{'finding':14}{finding.id}"
    yield f"{'revision':14}{finding.revision}, {finding.kind}, {finding.day.isoformat()}"
    yield f"{'title':14}{finding.title or '(withdrawn)'}"
    for member in finding.signers:
        yield f"{'signed by':14}{member.name}, {' and '.join(member.roles)}"
        yield f"{_INDENT}{member_fingerprint(member)}"
    yield f"{'commission':14}{charter.name.get('en') or next(iter(charter.name.values()))} ({charter.slug})"
    yield f"{'charter':14}{charter.number}, {_grouped(charter.hash)}"
    yield f"{'charter 1':14}{_grouped(first.hash)}"
    for key in first.governors.keys:
        yield f"{'governor':14}{key.name}"
        yield f"{_INDENT}{key_fingerprint(key)}"
    if not pinned:
        yield "Anyone can found a commission of this name. Compare charter 1 or the governors with what the"
        yield "commission gave you in another way than this file, or pass the hash of charter 1 with --charter."


def _grouped(digits: str) -> str:
    return " ".join(digits[at : at + 8] for at in range(0, len(digits), 8))


def _printable(text: str) -> str:
    """Return the text without terminal control characters: names in a charter may hold any character."""
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text)


def _read(name: str) -> bytes:
    # One byte over the limit, so that a longer file is refused.
    if name == STANDARD:
        return sys.stdin.buffer.read(FILE_BYTES_MAX + 1)
    with Path(name).open("rb") as file:
        return file.read(FILE_BYTES_MAX + 1)

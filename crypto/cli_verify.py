# SPDX-License-Identifier: AGPL-3.0-or-later
"""The command ``verify``: a finding from a register, or notes that a reporter saved. docs/protocol.md §8.3, §14.3."""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

from crypto.charter import Charter
from crypto.encoding import HASH_BYTES, decode_hex
from crypto.errors import ProofError
from crypto.evidence import Evidence, check_evidence, split_notes
from crypto.fingerprint import key_fingerprint, member_fingerprint
from crypto.ids import CharterHash
from crypto.published_finding import FILE_BYTES_MAX, PublishedFinding, read_published_finding

STANDARD = "-"
# In a published finding, one line of JSON, the notes are strings.
SIGNATURES = "\n\n— ".encode()
_INDENT = " " * 14


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command ``verify``."""
    parser = subparsers.add_parser(
        "verify",
        help="check a finding from a register, or the notes that a reporter saved",
        description="Check the signatures of a published finding, or of notes that were saved: note.txt, evidence.txt, "
        "the folder of `mailbox save`. If they fail or contradict each other, say why and exit with status 1.",
    )
    parser.add_argument(
        "--charter",
        metavar="HASH",
        help="hash of the commission's first charter, from another source than this file; spaces are ignored",
    )
    parser.add_argument(
        "files",
        metavar="FILE",
        nargs="+",
        help=f"a downloaded file, a folder of notes, or {STANDARD} for standard input",
    )
    parser.set_defaults(run=run_verify)


def run_verify(arguments: argparse.Namespace) -> None:
    """Print who signed what; raise before printing anything if a finding's check fails, and after for notes."""
    contents = [data for name in arguments.files for data in _read_all(name)]
    if len(contents) == 1 and SIGNATURES not in contents[0]:
        _verify_finding(contents[0], arguments)
    else:
        _verify_notes(contents)


def _verify_finding(data: bytes, arguments: argparse.Namespace) -> None:
    known = None
    if arguments.charter is not None:
        known = CharterHash("".join(arguments.charter.split()).lower())
        decode_hex(known, HASH_BYTES)
    published = read_published_finding(data, known)
    _print(_describe(published, pinned=known is not None))


def _verify_notes(contents: list[bytes]) -> None:
    texts = [data.decode("utf-8", "replace") for data in contents]
    evidence = check_evidence([note for text in texts for note in split_notes(text)])
    _print(_describe_notes(evidence))
    if evidence.contradictions:
        raise ProofError("signed statements contradict each other")


def _describe_notes(evidence: Evidence) -> Iterator[str]:
    for statement in evidence.statements:
        yield f"{'signed by':14}{statement.signer}"
        yield f"{_INDENT}{statement.says}"
    if evidence.unverified:
        yield f"{'not counted':14}{evidence.unverified} notes that no key of these charters signed"
    for one, other in evidence.contradictions:
        yield f"{'CONTRADICTION':14}{one.signer}: {one.says}"
        yield f"{_INDENT}{other.signer}: {other.says}"
    for key in dict.fromkeys(key for charter in evidence.charters for key in charter.governors.keys):
        yield f"{'governor':14}{key.name}"
        yield f"{_INDENT}{key_fingerprint(key)}"
    yield "Compare the governors with what the commission gave you in another way than these notes."
    yield from _newer(evidence.charters[-1])


def _newer(charter: Charter) -> Iterator[str]:
    """When a newer charter than this could exist, and how to look for it."""
    yield f"Charter {charter.number} is for {charter.valid_from} to {charter.valid_until}. A newer one can have"
    yield f"replaced it; the newest that the portal has: {charter.origin}/api/v1/commissions/{charter.slug}/charter"


def _print(lines: Iterator[str]) -> None:
    sys.stdout.buffer.write("".join(f"{_printable(line)}\n" for line in lines).encode("utf-8"))
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
    yield from _newer(charter)


def _grouped(digits: str) -> str:
    return " ".join(digits[at : at + 8] for at in range(0, len(digits), 8))


def _printable(text: str) -> str:
    """Return the text as one line of what is seen: a commission's name may hold newlines, and what is not seen."""
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text)


def _read_all(name: str) -> list[bytes]:
    """The bytes of a file, or of all files right in a folder, by their names."""
    if name != STANDARD and Path(name).is_dir():
        return [_read(str(path)) for path in sorted(Path(name).iterdir()) if path.is_file()]
    return [_read(name)]


def _read(name: str) -> bytes:
    # One byte over the limit, so that a longer file is refused.
    if name == STANDARD:
        return sys.stdin.buffer.read(FILE_BYTES_MAX + 1)
    with Path(name).open("rb") as file:
        return file.read(FILE_BYTES_MAX + 1)

# SPDX-License-Identifier: AGPL-3.0-or-later
"""The command ``verify-note``: check a signed note and print its text. docs/protocol.md §4.1."""

import argparse
import sys
from pathlib import Path

from crypto.note import NOTE_BYTES_MAX, Note, VerifierKey, verify

STANDARD = "-"


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command ``verify-note``."""
    parser = subparsers.add_parser("verify-note", help="check the signatures of a note and print its text")
    parser.add_argument(
        "-k",
        "--key",
        action="append",
        required=True,
        dest="keys",
        metavar="VKEY",
        help="verifier key, <name>+<key id>+<key>; several times for several keys, one of which must have signed",
    )
    parser.add_argument("file", metavar="FILE", help=f"the note, or {STANDARD} for standard input")
    parser.set_defaults(run=run_verify_note)


def run_verify_note(arguments: argparse.Namespace) -> None:
    """Print the text on standard output and the signers on standard error; raise before printing if a check fails."""
    known = [VerifierKey.parse(text) for text in arguments.keys]
    note = Note.parse(_read(arguments.file))
    signers = verify(note, known)
    sys.stdout.buffer.write(note.text.encode("utf-8"))
    sys.stdout.buffer.flush()
    for key in signers:
        print(f"signed by {key.name}", file=sys.stderr)


def _read(name: str) -> bytes:
    # One byte over the limit, so that a longer note is refused.
    if name == STANDARD:
        return sys.stdin.buffer.read(NOTE_BYTES_MAX + 1)
    with Path(name).open("rb") as file:
        return file.read(NOTE_BYTES_MAX + 1)

# SPDX-License-Identifier: AGPL-3.0-or-later
"""The commands ``keygen``, ``seal`` and ``open``: age files, with the options of ``age``. docs/protocol.md §2.

Plaintext goes to the chosen output and nowhere else. An output file appears when it is complete: until then the bytes
are in a file beside it that only its owner can read, and that a failure removes. Whatever was printed on standard
output before a failure must be thrown away.
"""

import argparse
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from io import BufferedReader
from pathlib import Path
from typing import BinaryIO

from crypto.age import (
    Identity,
    PqIdentity,
    Recipient,
    open_stream,
    parse_identity_file,
    parse_recipient,
    parse_recipient_file,
    seal_stream,
)
from crypto.armor import read_armor
from crypto.errors import CryptoError, LimitError, MalformedError

STANDARD = "-"
MAX_KEY_FILE_SIZE = 1 << 20
SECRET_MODE = 0o600


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    keygen = subparsers.add_parser("keygen", help="make a post-quantum identity")
    keygen.add_argument("-o", "--output", metavar="FILE", help="write the identity here; never overwrites")
    keygen.set_defaults(run=run_keygen)

    seal = subparsers.add_parser("seal", help="seal a file to recipients")
    seal.add_argument("-r", "--recipient", action="append", default=[], help="a recipient, age1pq1…; may be repeated")
    seal.add_argument("-R", "--recipients-file", action="append", default=[], metavar="FILE", help="one a line")
    _add_files(seal)
    seal.set_defaults(run=run_seal)

    open_ = subparsers.add_parser("open", help="open an age file, binary or armored")
    open_.add_argument("-i", "--identity", action="append", required=True, metavar="FILE", help="may be repeated")
    _add_files(open_)
    open_.set_defaults(run=run_open)


def run_keygen(arguments: argparse.Namespace) -> None:
    """Write a fresh identity, to a file that only its owner can read, and its recipient to standard error."""
    identity = PqIdentity.generate()
    recipient = identity.recipient()
    created = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    text = f"# created: {created}\n# public key: {recipient}\n{identity}\n"
    if arguments.output in (None, STANDARD):
        sys.stdout.write(text)
    else:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
        with os.fdopen(os.open(arguments.output, flags, SECRET_MODE), "w", encoding="ascii") as sink:
            sink.write(text)
    print(f"Public key: {recipient}", file=sys.stderr)


def run_seal(arguments: argparse.Namespace) -> None:
    """Seal IN to all the recipients given, those of ``-r`` first."""
    recipients = list(_read_recipients(arguments))
    if arguments.output == STANDARD and sys.stdout.isatty():
        raise MalformedError("a sealed file is binary: name a file with -o, or redirect the output")
    with _open_input(arguments.input) as source, _open_output(arguments.output) as sink:
        seal_stream(source, sink, recipients)


def run_open(arguments: argparse.Namespace) -> None:
    """Open IN with the first identity that fits."""
    identities = list(_read_identities(arguments))
    with _open_input(arguments.input) as source:
        # A binary age file begins with a letter, armor with a hyphen or white space.
        armored = source.peek(1)[:1] in (b"-", b" ", b"\t", b"\r", b"\n")
        with _open_output(arguments.output) as sink:
            open_stream(read_armor(source) if armored else source, sink, identities)


def _add_files(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-o", "--output", default=STANDARD, metavar="OUT", help="default: standard output")
    parser.add_argument("input", nargs="?", default=STANDARD, metavar="IN", help="default: standard input")


def _read_recipients(arguments: argparse.Namespace) -> Iterator[Recipient]:
    for text in arguments.recipient:
        yield parse_recipient(text)
    for name in arguments.recipients_file:
        with _naming(name):
            yield from parse_recipient_file(_read_text(name))


def _read_identities(arguments: argparse.Namespace) -> Iterator[Identity]:
    for name in arguments.identity:
        with _naming(name):
            yield from parse_identity_file(_read_text(name))


def _read_text(name: str) -> str:
    with Path(name).open("rb") as source:
        data = source.read(MAX_KEY_FILE_SIZE + 1)
    if len(data) > MAX_KEY_FILE_SIZE:
        raise LimitError(f"longer than {MAX_KEY_FILE_SIZE} bytes")
    try:
        return data.decode()
    except UnicodeDecodeError:
        # The cause is suppressed: it holds the bytes, which may be a key.
        raise MalformedError("not a text file") from None


@contextmanager
def _naming(name: str) -> Iterator[None]:
    """Name the file of keys in the message of an error."""
    try:
        yield
    except CryptoError as error:
        raise type(error)(f"{name}: {error}") from error


def _open_input(name: str) -> BufferedReader:
    if name == STANDARD:
        return open(sys.stdin.fileno(), "rb", closefd=False)
    return Path(name).open("rb")


@contextmanager
def _open_output(name: str) -> Iterator[BinaryIO]:
    """Yield a sink that becomes the file ``name`` unless an error is raised; a device or pipe is written directly."""
    path = Path(name)
    if name == STANDARD:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
    elif path.exists() and not path.is_file():
        with path.open("wb") as sink:
            yield sink
    else:
        path = path.resolve()
        descriptor, temporary = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".partial", dir=path.parent)
        try:
            with os.fdopen(descriptor, "wb") as sink:
                yield sink
                sink.flush()
                os.fsync(descriptor)
            Path(temporary).replace(path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise

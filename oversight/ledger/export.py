# SPDX-License-Identifier: AGPL-3.0-or-later
"""A ledger as a file that can be verified elsewhere: JSON lines. docs/protocol.md §13.5.

The first line names the case and holds the chain of charters; each further line is one event's note as a JSON string.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from crypto.charter import Charter, check_chain, read_charter
from crypto.document import read_document
from crypto.encoding import ID_BYTES, decode_json, encode_json
from crypto.errors import CryptoError, MalformedError
from crypto.ids import CaseId, CharterHash
from crypto.note import NOTE_BYTES_MAX
from oversight.ledger.verify import LedgerError

CHARTERS_MAX = 1_000
HEADER_MAX = 64 * 1024 * 1024
# JSON writes the line breaks and quotation marks of a note with a backslash before them.
LINE_MAX = 2 * NOTE_BYTES_MAX + 16


@dataclass(frozen=True)
class ExportHeader:
    """The first line: the case, and the charters of its events, oldest first."""

    case: CaseId
    charters: tuple[Charter, ...]


def write_export(out: BinaryIO, case_id: CaseId, charters: Sequence[Charter], notes: Iterable[bytes]) -> None:
    """Write the header; then every note, which ``write_note`` can do one by one as well."""
    chain = [charter.note.decode("utf-8") for charter in charters]
    out.write(encode_json({"version": "amparo/v1/ledger", "case": case_id, "charters": chain}) + b"\n")
    for data in notes:
        write_note(out, data)


def write_note(out: BinaryIO, data: bytes) -> None:
    """Add one event to the file. Bytes that are no text stand in it as U+FFFD: they verify there as little as here."""
    out.write(encode_json(data.decode("utf-8", "replace")) + b"\n")


def read_export(source: BinaryIO) -> tuple[ExportHeader, Iterator[bytes]]:
    """Return the header, and an iterator that reads the notes one by one.

    Raises LedgerError for a malformed header or charters that are not a chain, and while reading, for a line that is
    not a note.
    """
    try:
        header = _read_header(_line(source, HEADER_MAX))
    except CryptoError as error:
        raise LedgerError(f"this is not an export of a ledger: {error}") from error
    return header, _read_notes(source)


def trusted_charters(header: ExportHeader, trusted: Iterable[Charter]) -> Mapping[CharterHash, Charter]:
    """The charters of the export by hash, if one of them is a charter that the reader trusts.

    Earlier ones are fixed by the hash that it holds, later ones by its governors' signatures. LedgerError if none of
    them is trusted: anybody can make a chain of charters.
    """
    chain = {charter.hash: charter for charter in header.charters}
    if not any(charter.hash in chain for charter in trusted):
        raise LedgerError("none of the charters given is among those of this ledger")
    return chain


def read_charter_file(path: Path) -> Charter:
    """Read a charter's note from a file. Raises LedgerError if it is not one, OSError if it can't be read."""
    try:
        return read_charter(path.read_bytes())
    except CryptoError as error:
        raise LedgerError(f"{path} is not a valid charter: {error}") from error


def _read_header(line: bytes) -> ExportHeader:
    fields = read_document(line, "ledger", HEADER_MAX)
    case_id = CaseId(fields.hex("case", ID_BYTES))
    texts = fields.texts("charters", CHARTERS_MAX, NOTE_BYTES_MAX)
    fields.end()
    charters = tuple(read_charter(text.encode("utf-8")) for text in texts)
    check_chain(charters)
    return ExportHeader(case_id, charters)


def _read_notes(source: BinaryIO) -> Iterator[bytes]:
    sequence = 0
    while True:
        try:
            line = _line(source, LINE_MAX)
            if not line:
                return
            value = decode_json(line, LINE_MAX)
            if not isinstance(value, str):
                raise MalformedError("a line is not a text")
        except CryptoError as error:
            raise LedgerError(f"not genuine: {error}", sequence) from error
        yield value.encode("utf-8")
        sequence += 1


def _line(source: BinaryIO, size_max: int) -> bytes:
    """Return the next line without its line break; empty at the end of the file."""
    line = source.readline(size_max + 2)
    if line and not line.endswith(b"\n"):
        raise MalformedError("a line is cut off, or too long")
    if line == b"\n":
        raise MalformedError("a line is empty")
    return line[:-1]

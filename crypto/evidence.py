# SPDX-License-Identifier: AGPL-3.0-or-later
"""Signed statements that a reporter has kept, checked by whoever is shown them. docs/protocol.md §8.3.

Who has the charters needs nothing else: which statements are genuine, what they name, and where two contradict each
other. It takes what the return page saves as evidence and what the command ``mailbox save`` writes.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from crypto import acknowledgement, collection, newest_charter, note, posting, thread_note
from crypto.charter import Charter, check_successor, read_charter
from crypto.errors import AuthenticationError, CryptoError, MalformedError, ProofError
from crypto.note import Note

NOTES_MAX = 5_000
# The return page writes a line of equals signs between two notes.
_RULE = re.compile(r"\n={8,}\n+")


@dataclass(frozen=True)
class VerifiedStatement:
    """A genuine statement: who signed it, what it says in words, and the claim that another one could contradict.

    Two statements with one ``about`` and different ``claim`` contradict each other; an empty ``about`` claims nothing.
    """

    signer: str
    says: str
    about: str = ""
    claim: str = ""


@dataclass(frozen=True)
class Evidence:
    """What was found: genuine statements in their order, how many notes count for nothing, and the contradictions."""

    statements: tuple[VerifiedStatement, ...]
    charters: tuple[Charter, ...]
    unverified: int
    contradictions: tuple[tuple[VerifiedStatement, VerifiedStatement], ...]


def split_notes(text: str) -> list[str]:
    """The notes of a text in which several stand one after the other. Raises MalformedError for more than 5,000."""
    notes = [part for part in _RULE.split(text.replace("\r\n", "\n")) if part.strip()]
    if len(notes) > NOTES_MAX:
        raise MalformedError(f"more than {NOTES_MAX} notes")
    return notes


def check_evidence(notes: Iterable[str]) -> Evidence:
    """Check every note by the charters among them.

    Raises MalformedError when there is no charter, ProofError when the charters are not of one chain: anyone can make a
    charter of any name, and what its office signs would look like a contradiction. *Not* checked: whose they are;
    compare the governors.
    """
    charters, others = _part(notes)
    if not charters:
        raise MalformedError("no charter is among the notes: it holds the keys by which the others are checked")
    _check_chain(charters)
    statements: list[VerifiedStatement] = [
        VerifiedStatement(
            f"governors of {charter.slug}",
            f"charter {charter.number} is {charter.hash}",
            f"charter {charter.realm} {charter.slug} {charter.number}",
            charter.hash,
        )
        for charter in charters
    ]
    unverified = 0
    for parsed in others:
        try:
            statements.append(_read(parsed, charters))
        except CryptoError:
            unverified += 1
    return Evidence(tuple(statements), charters, unverified, tuple(_contradictions(statements)))


def _part(notes: Iterable[str]) -> tuple[tuple[Charter, ...], list[Note]]:
    charters: dict[str, Charter] = {}
    others: list[Note] = []
    for text in dict.fromkeys(notes):
        try:
            parsed = Note.parse(text.encode("utf-8"))
        except (CryptoError, UnicodeEncodeError):
            continue
        try:
            charter = read_charter(text.encode("utf-8"))
            charters[charter.hash] = charter
        except CryptoError:
            others.append(parsed)
    return tuple(sorted(charters.values(), key=lambda charter: charter.number)), others


def _check_chain(charters: Sequence[Charter]) -> None:
    """Every charter but the first follows one of the others; two may follow the same one, which is a contradiction."""
    known = [charters[0]]
    for charter in charters[1:]:
        if not any(_follows(before, charter) for before in known):
            raise ProofError("a charter among the notes does not follow the others: check the notes of each one apart")
        known.append(charter)


def _follows(before: Charter, charter: Charter) -> bool:
    try:
        check_successor(before, charter)
    except CryptoError:
        return False
    return True


def _read(parsed: Note, charters: Sequence[Charter]) -> VerifiedStatement:
    """A statement of any kind that a key of these charters signed. Raises CryptoError."""
    office = list(dict.fromkeys(key for charter in charters for key in charter.office))
    portal = list(dict.fromkeys(charter.portal for charter in charters))
    kinds = ((portal, _acknowledged), (office, _collected), (office, _posted), (office, _newest), (office, _thread))
    for signers, read in kinds:
        try:
            says, about, claim = read(parsed.text)
        except CryptoError:
            continue
        signer = note.verify(parsed, signers)[0]
        return VerifiedStatement(signer.name, says, about, claim)
    raise AuthenticationError("a note of no kind that is known")


def _acknowledged(text: str) -> tuple[str, str, str]:
    said = acknowledgement.read_text(text)
    says = f"received submission {said.submission} with manifest {said.manifest_hash} on {said.received}"
    return says, f"submission {said.realm} {said.submission}", said.manifest_hash


def _collected(text: str) -> tuple[str, str, str]:
    said = collection.read_text(text)
    says = f"collected submission {said.submission} with manifest {said.manifest_hash} on {said.collected}"
    return says, f"submission {said.realm} {said.submission}", said.manifest_hash


def _posted(text: str) -> tuple[str, str, str]:
    said = posting.read_text(text)
    says = f"posted reply {said.number}, message {said.message}, to manifest {said.manifest} on {said.posted}"
    return says, f"reply {said.realm} {said.manifest} {said.number}", said.message


def _newest(text: str) -> tuple[str, str, str]:
    said = newest_charter.read_text(text)
    says = f"charter {said.number} is the newest on {said.day}: {said.charter}"
    return says, f"charter {said.realm} {said.slug} {said.number}", said.charter


def _thread(text: str) -> tuple[str, str, str]:
    said = thread_note.read_text(text)
    says = f"holds submission {said.submission} with manifest {said.manifest} on {said.day}"
    return says, f"submission {said.realm} {said.submission}", said.manifest


def _contradictions(statements: Sequence[VerifiedStatement]) -> Iterable[tuple[VerifiedStatement, VerifiedStatement]]:
    first: dict[str, VerifiedStatement] = {}
    for statement in statements:
        before = first.setdefault(statement.about, statement)
        if before.claim != statement.claim:
            yield before, statement

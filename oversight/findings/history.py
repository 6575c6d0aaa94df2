# SPDX-License-Identifier: AGPL-3.0-or-later
"""A case's finding in the ledger: its revisions, their signatures, the last check, the publications."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

from crypto.charter import Member
from crypto.encoding import decode_base64
from crypto.event_types import Checked, Corrected, Drafted, Published, Signed, Withdrawn
from crypto.finding import FindingDraft, read_finding_text
from crypto.ids import CaseId, MemberLabel, TextHash
from crypto.note import Note, Signature
from crypto.sealed_parts import Text
from oversight.cases.case_keys import CaseKeys
from oversight.cases.entries import Entry, read_entries
from oversight.findings.check import CheckReport

TYPES = ("drafted", "signed", "checked", "published", "corrected", "withdrawn")
EVENTS_MAX = 10_000


@dataclass(frozen=True)
class Revision:
    """One revision as it was drafted. ``number`` counts drafts, not publications."""

    number: int
    text: str = field(repr=False)
    text_sha256: TextHash
    author: MemberLabel
    day: date
    signers: tuple[Member, ...] = ()
    signatures: tuple[Signature, ...] = field(default=(), repr=False)

    @property
    def draft(self) -> FindingDraft:
        return read_finding_text(self.text)

    @property
    def note(self) -> Note:
        """The note with the signatures that were collected, which nobody has checked together yet."""
        return Note(self.text, self.signatures)


@dataclass(frozen=True)
class History:
    """``check`` is the last one of the newest revision; ``published`` the revisions that went out, in order."""

    revisions: tuple[Revision, ...]
    check: CheckReport | None
    published: tuple[Revision, ...]

    @property
    def newest(self) -> Revision | None:
        return self.revisions[-1] if self.revisions else None

    def revision(self, number: int) -> Revision | None:
        return next((each for each in self.revisions if each.number == number), None)

    def signed_before(self) -> tuple[Revision, Member] | None:
        """The last signature that a later revision has voided, while the newest one has none."""
        newest = self.newest
        if newest is None or newest.signers:
            return None
        sent = {each.number for each in self.published}
        for revision in reversed(self.revisions[:-1]):
            if revision.number in sent:
                return None
            if revision.signers:
                return revision, revision.signers[-1]
        return None


async def read_history(case_id: CaseId, keys: CaseKeys) -> History:
    """Raises CryptoError when an event is not genuine."""
    return _tell(await read_entries(case_id, keys, types=TYPES, limit=EVENTS_MAX))


def _tell(entries: Sequence[Entry]) -> History:
    drafts: list[Revision] = []
    signed: dict[TextHash, list[tuple[Member, Signature]]] = {}
    check: CheckReport | None = None
    sent: list[TextHash] = []
    for entry in entries:
        event, public, part = entry.event, entry.event.public, entry.part
        match public:
            case Drafted():
                assert isinstance(part, Text)
                day = event.time.date()
                drafts.append(Revision(public.revision, part.text, public.text_sha256, event.actor, day))
                # A text may come back; its signatures of then do not.
                signed[public.text_sha256], check = [], None
            case Signed():
                verifier = event.signer.verifier
                data = decode_base64(public.signature)
                line = Signature(verifier.name, verifier.key_id, data)
                signed.setdefault(public.text_sha256, []).append((event.signer, line))
            case Checked():
                assert isinstance(part, Text)
                check = CheckReport.decode(part.text)
            case Published() | Corrected() | Withdrawn():
                sent.append(public.note_sha256)
    revisions = tuple(_with_signatures(each, signed[each.text_sha256]) for each in drafts)
    by_hash = {each.text_sha256: each for each in revisions}
    return History(revisions, check, tuple(by_hash[digest] for digest in sent if digest in by_hash))


def _with_signatures(revision: Revision, signed: Sequence[tuple[Member, Signature]]) -> Revision:
    return Revision(
        revision.number,
        revision.text,
        revision.text_sha256,
        revision.author,
        revision.day,
        tuple(member for member, _ in signed),
        tuple(signature for _, signature in signed),
    )

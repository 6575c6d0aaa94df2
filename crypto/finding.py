# SPDX-License-Identifier: AGPL-3.0-or-later
"""The finding: what a commission has found, signed by two of its members, for the public. docs/protocol.md §14.

- Revision 1 is a ``finding``. Later ones are a ``correction``, an ``update`` (of the status of recommendations and the
  authority's reply) or a ``withdrawal``; each holds the hash of the revision before it and its reason.
- A withdrawal holds nothing of the finding but its id. Nothing follows it.
- ``crypto/finding_signers.py`` says who may sign.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from crypto.charter import JURISDICTION, LABEL, LANGUAGE, SLUG, Charter, Member
from crypto.document import Fields, read_document
from crypto.encoding import HASH_BYTES, encode_json
from crypto.errors import MalformedError, ProofError
from crypto.finding_signers import check_signers
from crypto.ids import CharterHash, FindingId, MemberLabel, TextHash
from crypto.note import Note
from crypto.public_text import check_public_texts
from crypto.questionnaire import refuse_repeats
from crypto.taxonomy import (
    FINDING_KINDS,
    FIRST,
    GRADES,
    RECOMMENDATION_STATUSES,
    STANDARDS,
    STATUS_OPEN,
    UPDATE,
    WITHDRAWAL,
)

# About 12,000 words of English: the page in the register must load over a slow connection.
FINDING_BYTES_MAX = 80 * 1024
LINE_CHARS_MAX = 200
SUMMARY_CHARS_MAX = 4000
REASON_CHARS_MAX = 4000
SECTIONS_MAX = 50
RECOMMENDATIONS_MAX = 50
JURISDICTIONS_MAX = 50
CODES_MAX = 50
REVISION_MAX = 10_000


QUARTER = r"[0-9]{4}-Q[1-4]"
CODE = r"[A-Z][A-Z0-9-]{1,31}"
_ID = re.compile(r"XFI:ZZ:([A-Z][A-Z0-9-]{1,30}):([0-9]{4}):F\.((?!0000)[0-9]{4}|[1-9][0-9]{4,5})")


@dataclass(frozen=True)
class Section:
    """A part of the finding; ``text`` in the subset of Markdown that §14 names."""

    heading: str
    text: str


@dataclass(frozen=True)
class Recommendation:
    """What somebody should do. ``status`` is one of RECOMMENDATION_STATUSES, ``due`` a quarter or ``None``."""

    number: int
    addressee: str
    text: str
    status: str = STATUS_OPEN
    due: str | None = None


@dataclass(frozen=True)
class FindingDraft:
    """The contents of a finding before it is signed. ``make_finding`` returns the text to sign.

    ``id`` is made by ``finding_id``, ``charter`` and ``previous`` are hashes of notes in hex. ``quarter``, ``standard``
    and ``grade`` are ``None`` in a withdrawal only; ``make_withdrawal`` makes one.
    """

    id: FindingId
    slug: str
    charter: CharterHash
    revision: int
    previous: TextHash | None
    kind: str
    reason: str | None
    day: date
    language: str
    title: str
    summary: str
    sections: tuple[Section, ...]
    quarter: str | None
    jurisdictions: tuple[str, ...]
    codes: tuple[str, ...]
    standard: str | None
    grade: str | None
    recommendations: tuple[Recommendation, ...]
    reply: str | None
    dissent: str | None
    author: MemberLabel

    @property
    def year(self) -> int:
        return parse_finding_id(self.id)[0]

    @property
    def number(self) -> int:
        """The number within its commission and year, from 1."""
        return parse_finding_id(self.id)[1]

    @property
    def is_withdrawn(self) -> bool:
        return self.kind == WITHDRAWAL


@dataclass(frozen=True)
class Finding(FindingDraft):
    """A finding whose signatures were checked. ``note`` holds its bytes as read, ``signers`` the members who signed."""

    hash: TextHash
    note: bytes = field(repr=False)
    signers: tuple[Member, ...]


def finding_id(slug: str, year: int, number: int) -> FindingId:
    """``XFI:ZZ:<SLUG>:<year>:F.0007``; ``number`` counts the findings of a commission within a year, from 1."""
    identifier = f"XFI:ZZ:{slug.upper()}:{year:04}:F.{number:04}"
    parse_finding_id(identifier)
    return FindingId(identifier)


def parse_finding_id(identifier: str) -> tuple[int, int]:
    """Return year and number of an id; MalformedError for any other spelling."""
    match = _ID.fullmatch(identifier)
    if match is None:
        raise MalformedError("not the id of a finding")
    return int(match[2]), int(match[3])


def path_name(identifier: FindingId) -> str:
    """The id as part of an address or a file's name: lower case, with hyphens. No two ids have the same."""
    parse_finding_id(identifier)
    return re.sub(r"[:.]", "-", identifier.lower())


def make_finding(draft: FindingDraft) -> str:
    """Return the text of the finding's note: one line of canonical JSON, to be signed by members (``note.sign``).

    Raises MalformedError or LimitError for a draft that a reader would refuse.
    """
    text = encode_json(_finding_value(draft)).decode("utf-8") + "\n"
    read_finding_text(text)
    return text


def read_finding_text(text: str) -> FindingDraft:
    """Read the text of a note without checking its signatures.

    Raises LimitError over 80 KiB or above another limit of §14, UnsupportedVersionError for another version, and
    MalformedError for everything else that does not follow §14.
    """
    fields = read_document(text.removesuffix("\n").encode("utf-8"), "finding", FINDING_BYTES_MAX)
    check_public_texts(text)
    draft = FindingDraft(
        id=FindingId(fields.text("id", pattern=_ID.pattern)),
        slug=fields.text("slug", pattern=SLUG),
        charter=CharterHash(fields.hex("charter", HASH_BYTES)),
        revision=fields.integer("revision", 1, REVISION_MAX),
        previous=_read_previous(fields),
        kind=_one_of(fields, "kind", FINDING_KINDS),
        reason=_optional_text(fields, "reason", REASON_CHARS_MAX),
        day=fields.day("day"),
        language=fields.text("language", pattern=LANGUAGE),
        title=_line(fields, "title"),
        summary=fields.text("summary", SUMMARY_CHARS_MAX),
        sections=fields.items("sections", SECTIONS_MAX, _read_section),
        quarter=_optional_text(fields, "quarter", pattern=QUARTER),
        jurisdictions=fields.texts("jurisdictions", JURISDICTIONS_MAX),
        codes=fields.texts("codes", CODES_MAX),
        standard=_optional_text(fields, "standard", pattern="|".join(STANDARDS)),
        grade=_optional_text(fields, "grade", pattern="|".join(GRADES)),
        recommendations=fields.items("recommendations", RECOMMENDATIONS_MAX, _read_recommendation),
        reply=_optional_text(fields, "reply"),
        dissent=_optional_text(fields, "dissent"),
        author=MemberLabel(fields.text("author", pattern=LABEL)),
    )
    fields.end()
    _check_rules(draft)
    return draft


def read_finding(data: bytes, charter: Charter) -> Finding:
    """Read a finding's note and check it against its charter.

    Raises MalformedError, LimitError or UnsupportedVersionError for a note that does not follow §14, and
    FindingSignersError, whose ``rule`` says why, when it is not signed by the required members. *Not* checked: the
    revision before it (``check_correction``), that its number is the next one, that the charter is still the newest.
    """
    note = Note.parse(data)
    return check_finding(data, note, read_finding_text(note.text), charter)


def check_finding(data: bytes, note: Note, draft: FindingDraft, charter: Charter) -> Finding:
    """The same for what is parsed already: ``note`` from ``data``, ``draft`` from the note's text.

    Raises FindingSignersError.
    """
    signers = check_signers(note, draft, charter)
    return Finding(**vars(draft), hash=TextHash(note.hash), note=data, signers=signers)


def check_correction(previous: Finding, following: FindingDraft) -> None:
    """Check that ``following`` is the revision after ``previous``. Raises ProofError."""
    if previous.is_withdrawn:
        raise ProofError("a withdrawn finding has no further revision")
    if (following.id, following.slug) != (previous.id, previous.slug):
        raise ProofError("the revision belongs to another finding")
    if following.revision != previous.revision + 1 or following.previous != previous.hash:
        raise ProofError("the revision does not continue the one before it")
    if following.day < previous.day:
        raise ProofError("a revision is older than the one before it")
    if following.kind == UPDATE and _kept_by_update(previous) != _kept_by_update(following):
        raise ProofError("an update changes more than recommendations' status and the authority's reply")


def make_withdrawal(
    previous: Finding, *, charter: CharterHash, day: date, reason: str, author: MemberLabel
) -> FindingDraft:
    """The tombstone of ``previous``: its id, the day, why; nothing else that it said."""
    return FindingDraft(
        id=previous.id,
        slug=previous.slug,
        charter=charter,
        revision=previous.revision + 1,
        previous=previous.hash,
        kind=WITHDRAWAL,
        reason=reason,
        day=day,
        language=previous.language,
        title="",
        summary="",
        sections=(),
        quarter=None,
        jurisdictions=(),
        codes=(),
        standard=None,
        grade=None,
        recommendations=(),
        reply=None,
        dissent=None,
        author=author,
    )


def _kept_by_update(finding: FindingDraft) -> dict[str, Any]:
    asked = tuple(replace(each, status=STATUS_OPEN, due=None) for each in finding.recommendations)
    value = _finding_value(replace(_plain(finding), recommendations=asked, reply=None))
    changing = ("charter", "revision", "previous", "kind", "reason", "day", "author")
    return {name: member for name, member in value.items() if name not in changing}


def _plain(finding: FindingDraft) -> FindingDraft:
    """Return only the draft, without the members of a Finding."""
    return FindingDraft(**{name: getattr(finding, name) for name in FindingDraft.__dataclass_fields__})


def _check_rules(draft: FindingDraft) -> None:
    """Check the rules of §14 that concern more than one member of the object."""
    first = draft.revision == 1
    if {first} != {draft.kind == FIRST, draft.previous is None, draft.reason is None}:
        raise MalformedError("revision 1 is a finding; every other one names the one before it, and a reason")
    if not draft.id.startswith(f"XFI:ZZ:{draft.slug.upper()}:"):
        raise MalformedError("the id of a finding is not of its commission")
    if draft.year > draft.day.year or (first and draft.year != draft.day.year):
        raise MalformedError("the id of a finding has another year than its day")
    if draft.is_withdrawn:
        _check_tombstone(draft)
    else:
        _check_content(draft)
    _check_texts(draft)


def _check_tombstone(draft: FindingDraft) -> None:
    lists = (draft.sections, draft.jurisdictions, draft.codes, draft.recommendations, draft.title, draft.summary)
    values = (draft.quarter, draft.standard, draft.grade, draft.reply, draft.dissent)
    if any(lists) or any(value is not None for value in values):
        raise MalformedError("a withdrawal must hold a reason and none of the finding's contents")


def _check_content(draft: FindingDraft) -> None:
    if not draft.title.strip() or not draft.summary.strip():
        raise MalformedError("a finding must have a title and a summary")
    if draft.quarter is None or draft.standard is None or draft.grade is None:
        raise MalformedError("a finding must have a quarter, a standard of proof and a grade")
    for codes, pattern, what in ((draft.jurisdictions, JURISDICTION, "jurisdictions"), (draft.codes, CODE, "codes")):
        refuse_repeats(list(codes), f"{what} of a finding")
        if not all(re.fullmatch(pattern, code) for code in codes):
            raise MalformedError(f"the {what} of a finding are not in the expected form")
    if [each.number for each in draft.recommendations] != list(range(1, len(draft.recommendations) + 1)):
        raise MalformedError("the recommendations of a finding are not numbered from 1")


def _check_texts(draft: FindingDraft) -> None:
    if any(text is not None and not text.strip() for text in (draft.reason, draft.reply, draft.dissent)):
        raise MalformedError("a reason, a reply or a dissent is empty")


def _read_section(item: object) -> Section:
    fields = Fields(item, "section")
    section = Section(_line(fields, "heading"), fields.text("text", FINDING_BYTES_MAX))
    fields.end()
    return section


def _read_recommendation(item: object) -> Recommendation:
    fields = Fields(item, "recommendation")
    recommendation = Recommendation(
        number=fields.integer("number", 1, RECOMMENDATIONS_MAX),
        addressee=_line(fields, "addressee"),
        text=fields.text("text", SUMMARY_CHARS_MAX),
        status=_one_of(fields, "status", RECOMMENDATION_STATUSES),
        due=_optional_text(fields, "due", pattern=QUARTER),
    )
    fields.end()
    return recommendation


def _line(fields: Fields, name: str) -> str:
    return fields.text(name, LINE_CHARS_MAX, pattern=r"[^\n]*")


def _one_of(fields: Fields, name: str, allowed: Sequence[str]) -> str:
    return fields.text(name, pattern="|".join(allowed))


def _optional_text(
    fields: Fields, name: str, max_chars: int = FINDING_BYTES_MAX, pattern: str | None = None
) -> str | None:
    value = fields.take(name)
    return None if value is None else Fields({name: value}, fields.where).text(name, max_chars, pattern)


def _read_previous(fields: Fields) -> TextHash | None:
    value = _optional_text(fields, "previous", pattern=r"[0-9a-f]{64}")
    return None if value is None else TextHash(value)


def _finding_value(draft: FindingDraft) -> dict[str, Any]:
    return {
        "version": "amparo/v1/finding",
        "id": draft.id,
        "slug": draft.slug,
        "charter": draft.charter,
        "revision": draft.revision,
        "previous": draft.previous,
        "kind": draft.kind,
        "reason": draft.reason,
        "day": draft.day.isoformat(),
        "language": draft.language,
        "title": draft.title,
        "summary": draft.summary,
        "sections": [{"heading": section.heading, "text": section.text} for section in draft.sections],
        "quarter": draft.quarter,
        "jurisdictions": list(draft.jurisdictions),
        "codes": list(draft.codes),
        "standard": draft.standard,
        "grade": draft.grade,
        "recommendations": [vars(each) for each in draft.recommendations],
        "reply": draft.reply,
        "dissent": draft.dissent,
        "author": draft.author,
    }

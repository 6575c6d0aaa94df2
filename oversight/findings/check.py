# SPDX-License-Identifier: AGPL-3.0-or-later
"""The outgoing check: what of a finding's text could give somebody away. Pure: texts in, hits out.

- **names** of the case's people and of the reports' places, their aliases and identifiers, in any script and spelling;
- **overlap**: passages that occur word for word in a report;
- **dates** of a day block, of a month warn; the day on which a report came is named as such;
- **numbers** by which somebody can be looked up: telephone, e-mail, handle, docket;
- **marks** that are not seen, and words that mix alphabets: by these a copy can be traced;
- **consents**: every reporter must have allowed a publication.

What it can't see: facts that few people could have known. That is for the people who sign.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Literal

import msgspec

from crypto.finding import FindingDraft
from crypto.ids import TextHash
from crypto.taxonomy import PUBLICATION_CONSENTS, Outcome
from oversight.findings.dates import find_dates
from oversight.findings.folding import Word, clean, is_hidden, mixes_scripts, words
from oversight.findings.names import Match, find_identifier, find_name, find_phrase
from oversight.findings.overlap import RUN_WARNS, compare, split_words
from oversight.findings.phones import find_phones

TermKind = Literal["name", "member", "place", "authority", "identifier"]
QUOTE_CHARS_MAX = 200
_EMAIL = re.compile(r"[\w.+-]+\s?@\s?[\w-]+(?:\.[\w-]+)+|(?<![\w@])@\w{3,}")
_DOCKET = re.compile(r"(?<![\w/-])(?:[^\W\d_]{1,5}[-. ]{0,2})?\d{1,6}(?:[/-]\d{1,6})+(?:[/-][^\W\d_]{1,4})?(?![\w/])")
_AMOUNT = re.compile(r"\d{1,3}(?: \d{3})+")
# Acts and judgments of the Union and of treaties are public: 2002/584/JHA, C-404/15.
_PUBLIC_LAW = re.compile(r"(?:19|20)\d\d/\d{1,4}(?:/[A-Z]{2,4})?|[CTF][-\u2011 ]\d{1,4}/\d\d", re.IGNORECASE)


@dataclass(frozen=True)
class Term:
    """A term that must not occur in the text. With ``certain`` false it only gives a warning."""

    kind: TermKind
    text: str
    certain: bool = True


@dataclass(frozen=True)
class Source:
    """A report of the case: its reference, its own words, when it came, what its reporter allowed."""

    name: str
    texts: tuple[str, ...]
    received: date
    consents: tuple[str, ...]


@dataclass(frozen=True)
class Material:
    """What the check holds a text against. ``countries`` are those whose telephone numbers may stand in it."""

    terms: tuple[Term, ...]
    sources: tuple[Source, ...]
    countries: tuple[str, ...] = ()


@dataclass(frozen=True)
class Hit:
    """A match. ``where``: the part of the text; ``quote``: its words; ``against``: what they match."""

    rule: str
    outcome: Outcome
    where: str
    quote: str
    against: str = ""
    how: str = ""


@dataclass(frozen=True)
class CheckReport:
    """The whole outcome for the text of this hash."""

    text_sha256: TextHash
    hits: tuple[Hit, ...]

    @property
    def outcome(self) -> Outcome:
        found = {hit.outcome for hit in self.hits}
        return "block" if "block" in found else "warn" if "warn" in found else "pass"

    def encode(self) -> str:
        """The report as it is sealed into the case."""
        return msgspec.json.encode(self).decode("utf-8")

    @classmethod
    def decode(cls, text: str) -> "CheckReport":
        return msgspec.json.decode(text, type=cls)


def check_finding(draft: FindingDraft, text_sha256: TextHash, material: Material) -> CheckReport:
    """Check every text of a finding."""
    material = replace(material, countries=(*draft.jurisdictions, *material.countries))
    hits: list[Hit] = []
    for where, text in passages(draft):
        hits.extend(check_text(where, text, material))
    if not draft.is_withdrawn:
        hits.extend(_check_consents(material))
    return CheckReport(text_sha256, tuple(hits))


def passages(draft: FindingDraft) -> list[tuple[str, str]]:
    """The texts of a finding, each under the name of its place: ``title``, ``section-1``, ``recommendation-2``."""
    found: list[tuple[str, str | None]] = [("title", draft.title), ("summary", draft.summary)]
    for number, section in enumerate(draft.sections, 1):
        found.append((f"section-{number}", f"{section.heading}\n{section.text}"))
    for each in draft.recommendations:
        found.append((f"recommendation-{each.number}", f"{each.addressee}\n{each.text}"))
    found += [("reply", draft.reply), ("dissent", draft.dissent), ("reason", draft.reason)]
    return [(where, text) for where, text in found if text]


def check_text(where: str, text: str, material: Material) -> Iterator[Hit]:
    """Everything that one text is checked for."""
    split = words(text)
    yield from _check_marks(where, text, split)
    yield from _check_terms(where, split, material.terms)
    yield from _check_overlap(where, text, material.sources)
    yield from _check_numbers(where, clean(text), material)


def _check_terms(where: str, text: Sequence[Word], terms: Sequence[Term]) -> Iterator[Hit]:
    for term in terms:
        for match in _find(term, text):
            outcome: Outcome = "block" if match.certain and term.certain else "warn"
            yield Hit(term.kind, outcome, where, match.quote, term.text, match.how)


def _find(term: Term, text: Sequence[Word]) -> Iterator[Match]:
    if term.kind == "identifier":
        return find_identifier(term.text, text)
    return find_name(term.text, text) if term.kind in ("name", "member") else find_phrase(term.text, text)


def _check_overlap(where: str, text: str, sources: Sequence[Source]) -> Iterator[Hit]:
    ours = split_words(text)
    for source in sources:
        for theirs in source.texts:
            overlap = compare(ours, split_words(theirs))
            if overlap.run >= RUN_WARNS:
                yield Hit("overlap", overlap.outcome, where, _short(overlap.quote), source.name, str(overlap.run))


def _check_numbers(where: str, text: str, material: Material) -> Iterator[Hit]:
    """``text`` is cleaned. What is a date is no telephone number."""
    taken: list[tuple[int, int]] = []
    received = {
        (source.received.year, source.received.month, source.received.day): source for source in material.sources
    }
    received |= {(0, month, day): source for (_, month, day), source in received.items()}
    for found in find_dates(text):
        taken.append((found.start, found.end))
        source = next((received[numbers] for numbers in sorted(found.numbers) if numbers in received), None)
        if source is not None:
            yield Hit("receipt-day", "block", where, found.quote, source.name)
        elif found.day:
            yield Hit("date", "block", where, found.quote)
        else:
            yield Hit("month", "warn", where, found.quote)
    for rule, start, end in _numbers(text, material.countries):
        written = text[start:end]
        if any(start < taken_end and taken_start < end for taken_start, taken_end in taken):
            continue
        if _PUBLIC_LAW.search(written) or _AMOUNT.fullmatch(written):
            continue
        taken.append((start, end))
        yield Hit(rule, "block", where, written.strip())


def _numbers(text: str, countries: Sequence[str]) -> Iterator[tuple[str, int, int]]:
    """What somebody may be looked up by: the rule, and where it stands."""
    for rule, pattern in (("email", _EMAIL), ("docket", _DOCKET)):
        for match in pattern.finditer(text):
            yield rule, match.start(), match.end()
    for start, end in find_phones(text, countries):
        yield "phone", start, end


def _check_marks(where: str, text: str, split: Sequence[Word]) -> Iterator[Hit]:
    # Persian and other scripts write words with a joiner that is not seen.
    if any(is_hidden(char) and char not in "\u200c\u200d" for char in text):
        yield Hit("hidden", "block", where, "")
    for word in split:
        if mixes_scripts(word.written):
            yield Hit("mixed", "block", where, word.written)


def _check_consents(material: Material) -> Iterator[Hit]:
    for source in material.sources:
        if not set(source.consents) & set(PUBLICATION_CONSENTS):
            yield Hit("consent", "block", "", "", source.name)


def _short(text: str) -> str:
    return text if len(text) <= QUOTE_CHARS_MAX else text[:QUOTE_CHARS_MAX] + "…"


def count(report: CheckReport) -> dict[str, int]:
    """How many hits of each outcome there are."""
    counts: dict[str, Any] = {"block": 0, "warn": 0}
    for hit in report.hits:
        counts[hit.outcome] += 1
    return counts

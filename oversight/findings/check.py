# SPDX-License-Identifier: AGPL-3.0-or-later
"""The outgoing check: what of a finding's text could give somebody away. Pure: texts in, hits out.

- **names** of the case's people and of the reports' places, their aliases and identifiers, in any script and spelling;
- **overlap**: passages that occur word for word in a report;
- **dates** of a day block, of a month warn; the day on which a report came is named as such;
- **numbers** by which somebody can be looked up: telephone, e-mail, handle, docket;
- **marks** that are not seen, and words that mix alphabets: by these a copy can be traced;
- **consents**: every reporter must have allowed a publication.

Its work grows as the texts do, and is bounded (``effort``): what it does not suffice for blocks as **unchecked**.

What it can't see: facts that few people could have known. That is for the people who sign.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Literal

import msgspec

from crypto.answers import LINE_CHARS_MAX
from crypto.errors import MalformedError
from crypto.finding import FindingDraft
from crypto.ids import TextHash
from crypto.taxonomy import PUBLICATION_CONSENTS, Outcome
from oversight.findings.dates import Taken, find_dates
from oversight.findings.effort import Effort, EffortSpentError
from oversight.findings.folding import clean, is_hidden, mixes_scripts, words
from oversight.findings.names import Match, SplitText, find_identifier, find_name, find_phrase
from oversight.findings.overlap import RUN_WARNS, FoldedText, compare, fold_words
from oversight.findings.phones import find_phones

TermKind = Literal["name", "member", "place", "authority", "identifier"]
QUOTE_CHARS_MAX = 200
HITS_MAX = 200
TERM_CHARS_MAX = LINE_CHARS_MAX
"""A place or an authority that a report names on one line is no longer, unless somebody made the report to be long."""
# About seconds in which a core is busy, in millionths (``effort``): for the names of a case, for the words of its
# reports, and for numbers.
TERM_STEPS = 5_000_000
SOURCE_STEPS = 10_000_000
NUMBER_STEPS = 3_000_000
# Whoever looks for an address begins at the first of its letters: at each, it would take the square of their number.
_AT_DOMAIN = r"\s?@\s?[\w-]++(?:\.[\w-]++)+"
# What follows without a space belongs to it: an address may begin where a handle or another one ended.
_EMAIL = re.compile(rf"(?:(?<![\w.+-])[\w.+-]+{_AT_DOMAIN}|(?<![\w@])@\w{{3,}}+)(?:[\w.+-]*+{_AT_DOMAIN})*")
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
        """What ``encode`` gave. Raises MalformedError."""
        try:
            return msgspec.json.decode(text, type=cls)
        except msgspec.DecodeError:
            raise MalformedError("the report of a check can't be read") from None


def check_finding(draft: FindingDraft, text_sha256: TextHash, material: Material) -> CheckReport:
    """Check every text of a finding. What was not checked, or is not listed, blocks."""
    material = replace(material, countries=(*draft.jurisdictions, *material.countries))
    found = list(check_texts(passages(draft), material))
    if not draft.is_withdrawn:
        found.extend(_check_consents(material))
    hits = list(dict.fromkeys(found))
    if len(hits) > HITS_MAX:
        hits.sort(key=lambda hit: hit.outcome != "block")
        hits[HITS_MAX:] = [Hit("more", "block", "", "")]
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


def check_texts(texts: Sequence[tuple[str, str]], material: Material) -> Iterator[Hit]:
    """Everything that texts are checked for, each under the name of its place."""
    split = [(where, SplitText(words(text))) for where, text in texts]
    for (where, text), (_, found) in zip(texts, split, strict=True):
        yield from _check_marks(where, text, found)
    yield from _check_terms(split, material.terms)
    yield from _check_overlap([(where, fold_words(clean(text))) for where, text in texts], material.sources)
    numbers = Effort(NUMBER_STEPS)
    for where, text in texts:
        yield from _check_numbers(where, clean(text), material, numbers)


def _check_terms(texts: Sequence[tuple[str, SplitText]], terms: Sequence[Term]) -> Iterator[Hit]:
    effort = Effort(TERM_STEPS)
    # The short ones first: one that a report makes long must not take the effort for the others.
    for term in sorted(terms, key=lambda term: len(term.text)):
        try:
            if len(term.text) > TERM_CHARS_MAX:
                raise EffortSpentError
            for where, text in texts:
                for match in _find(term, text, effort):
                    outcome: Outcome = "block" if match.certain and term.certain else "warn"
                    yield Hit(term.kind, outcome, where, _short(match.quote), _short(term.text), match.how)
        except EffortSpentError:
            yield Hit("unchecked", "block", "", "", _short(term.text))


def _find(term: Term, text: SplitText, effort: Effort) -> Iterator[Match]:
    if term.kind == "identifier":
        return find_identifier(term.text, text, effort)
    find = find_name if term.kind in ("name", "member") else find_phrase
    return find(term.text, text, effort)


def _check_overlap(texts: Sequence[tuple[str, FoldedText]], sources: Sequence[Source]) -> Iterator[Hit]:
    effort = Effort(SOURCE_STEPS)
    # The short ones first, as above.
    for source in sorted(sources, key=lambda source: sum(map(len, source.texts))):
        try:
            for theirs in source.texts:
                yield from _compare(texts, source, theirs, effort)
        except EffortSpentError:
            yield Hit("unchecked", "block", "", "", source.name)


def _compare(texts: Sequence[tuple[str, FoldedText]], source: Source, theirs: str, effort: Effort) -> Iterator[Hit]:
    effort.spend(len(theirs))
    cleaned = clean(theirs)
    # One character can become eighteen.
    effort.spend(max(0, len(cleaned) - len(theirs)))
    confidential = fold_words(cleaned)
    for where, ours in texts:
        effort.spend(len(ours.words) // 4)
        if ours.shingles.isdisjoint(confidential.shingles):
            continue
        effort.spend(3 * len(ours.words) + len(confidential.words))
        overlap = compare(ours, confidential)
        if overlap.run >= RUN_WARNS:
            yield Hit("overlap", overlap.outcome, where, _short(overlap.quote), source.name, str(overlap.run))


def _check_numbers(where: str, text: str, material: Material, effort: Effort) -> Iterator[Hit]:
    """``text`` is cleaned. What is a date is no telephone number."""
    taken = Taken()
    received = {
        (source.received.year, source.received.month, source.received.day): source for source in material.sources
    }
    received |= {(0, month, day): source for (_, month, day), source in received.items()}
    for found in find_dates(text):
        taken.take(found.start, found.end)
        source = next((received[numbers] for numbers in sorted(found.numbers) if numbers in received), None)
        if source is not None:
            yield Hit("receipt-day", "block", where, found.quote, source.name)
        elif found.day:
            yield Hit("date", "block", where, found.quote)
        else:
            yield Hit("month", "warn", where, found.quote)
    try:
        for rule, start, end in _numbers(text, material.countries, effort):
            written = text[start:end]
            if _PUBLIC_LAW.search(written) or _AMOUNT.fullmatch(written) or not taken.take(start, end):
                continue
            yield Hit(rule, "block", where, _short(written.strip()))
    except EffortSpentError:
        yield Hit("unchecked", "block", where, "")


def _numbers(text: str, countries: Sequence[str], effort: Effort) -> Iterator[tuple[str, int, int]]:
    """What somebody may be looked up by: the rule, and where it stands."""
    for rule, pattern in (("email", _EMAIL), ("docket", _DOCKET)):
        for match in pattern.finditer(text):
            yield rule, match.start(), match.end()
    for start, end in find_phones(text, countries, effort):
        yield "phone", start, end


def _check_marks(where: str, text: str, split: SplitText) -> Iterator[Hit]:
    # Persian and other scripts write words with a joiner that is not seen.
    if any(is_hidden(char) and char not in "\u200c\u200d" for char in text):
        yield Hit("hidden", "block", where, "")
    for word in split.distinct:
        if mixes_scripts(word.written):
            yield Hit("mixed", "block", where, _short(word.written))


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

# SPDX-License-Identifier: AGPL-3.0-or-later
"""What changed between two texts, word by word."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal

from crypto.finding import FindingDraft

# A space belongs to what it follows: alone, it would be the same as every other space of both texts.
_PIECE = re.compile(r"\w+\s*|[^\w\s]\s*|\s+")
_LINE = re.compile(r"[^\n]*\n|[^\n]+")
PIECES_MAX = 4000
PAIRS_MAX = 200_000
"""Above these many pieces of a text, or pairs of pieces that are the same, a comparison takes too long."""


@dataclass(frozen=True)
class Change:
    """A stretch of the text: in both, or only in the text before (``removed``) or after (``added``)."""

    kind: Literal["same", "removed", "added"]
    text: str


@dataclass(frozen=True)
class ChangedPart:
    """A part of a finding that is not the same in both."""

    where: str
    changes: tuple[Change, ...]


def compare_texts(before: str, after: str) -> tuple[Change, ...]:
    """Stretches in order; without those ``added`` they give ``before``, without those ``removed`` ``after``.

    Words are compared, or lines if there are too many of them; if there are too many lines too, the whole has changed.
    """
    if before == after:
        return (Change("same", before),) if before else ()
    for pattern in (_PIECE, _LINE):
        one, other = pattern.findall(before), pattern.findall(after)
        if _is_quick(one, other):
            return tuple(_changes(one, other))
    return tuple(_changes([before] if before else [], [after] if after else []))


def _is_quick(one: list[str], other: list[str]) -> bool:
    theirs = Counter(other)
    pairs = sum(count * theirs[piece] for piece, count in Counter(one).items())
    return max(len(one), len(other)) <= PIECES_MAX and pairs <= PAIRS_MAX


def _changes(one: list[str], other: list[str]) -> Iterator[Change]:
    for tag, start, end, other_start, other_end in SequenceMatcher(None, one, other, autojunk=False).get_opcodes():
        if tag == "equal":
            yield Change("same", "".join(one[start:end]))
            continue
        if end > start:
            yield Change("removed", "".join(one[start:end]))
        if other_end > other_start:
            yield Change("added", "".join(other[other_start:other_end]))


def compare_findings(before: FindingDraft, after: FindingDraft) -> list[ChangedPart]:
    """The parts of a finding in which two revisions differ, in the order of the page."""
    one, other = dict(_parts(before)), dict(_parts(after))
    return [
        ChangedPart(where, compare_texts(one.get(where, ""), other.get(where, "")))
        for where in {**other, **one}
        if one.get(where, "") != other.get(where, "")
    ]


def _parts(draft: FindingDraft) -> Iterator[tuple[str, str]]:
    yield "id", draft.id
    yield "day", draft.day.isoformat()
    yield "kind", draft.kind
    yield "reason", draft.reason or ""
    yield "language", draft.language
    yield "title", draft.title
    yield "summary", draft.summary
    for number, section in enumerate(draft.sections, 1):
        yield f"section-{number}", f"{section.heading}\n{section.text}"
    yield "quarter", draft.quarter or ""
    yield "jurisdictions", " ".join(draft.jurisdictions)
    yield "codes", " ".join(draft.codes)
    yield "standard", draft.standard or ""
    yield "grade", draft.grade or ""
    for each in draft.recommendations:
        due = f"\n{each.due}" if each.due else ""
        yield f"recommendation-{each.number}", f"{each.addressee}\n{each.text}\n{each.status}{due}"
    yield "reply", draft.reply or ""
    yield "dissent", draft.dissent or ""
    yield "charter", draft.charter
    yield "author", draft.author

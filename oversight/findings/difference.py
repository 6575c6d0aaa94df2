# SPDX-License-Identifier: AGPL-3.0-or-later
"""What changed between two texts, word by word."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import Match, SequenceMatcher
from itertools import accumulate
from typing import Literal

from crypto.finding import FindingDraft
from oversight.findings.effort import Effort, EffortSpentError

# A space belongs to what it follows: alone, it would be the same as every other space of both texts.
_PIECE = re.compile(r"\w+\s*|[^\w\s]\s*|\s+")
_LINE = re.compile(r"[^\n]*\n|[^\n]+")
COMPARE_STEPS = 2_000_000
"""For all parts of a finding together: a second or two."""
_LOOKS_A_STEP = 8


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


class _Comparison(SequenceMatcher[str]):
    """Looks at pairs of equal pieces, again and again between what it has found, as long as the effort lasts."""

    def __init__(self, one: list[str], other: list[str], effort: Effort) -> None:
        # What is popular is compared like the rest: else a change of a common word would be a change of all around it.
        super().__init__(None, one, other, autojunk=False)
        theirs = Counter(other)
        self._looks = list(accumulate((1 + theirs[piece] for piece in one), initial=0))
        self._effort = effort

    def find_longest_match(self, alo: int = 0, ahi: int | None = None, blo: int = 0, bhi: int | None = None) -> Match:
        end = len(self._looks) - 1 if ahi is None else ahi
        self._effort.spend(1 + (self._looks[end] - self._looks[alo]) // _LOOKS_A_STEP)
        return super().find_longest_match(alo, ahi, blo, bhi)


def compare_texts(before: str, after: str, effort: Effort) -> tuple[Change, ...]:
    """Stretches in order; without those ``added`` they give ``before``, without those ``removed`` ``after``.

    Lines are compared, and then the words of those that changed. What the effort does not suffice for has changed as a
    whole, and takes half of what was left: so one costly text leaves something for the next.
    """
    return tuple(_compare(before, after, effort, (_LINE, _PIECE)))


def _compare(before: str, after: str, effort: Effort, patterns: tuple[re.Pattern[str], ...]) -> Iterator[Change]:
    if before and after and before != after and patterns:
        for one, other in _stretches(patterns[0], before, after, effort):
            yield from _compare(one, other, effort, patterns[1:])
    elif before == after:
        yield from [Change("same", before)] if before else []
    else:
        yield from [Change("removed", before)] if before else []
        yield from [Change("added", after)] if after else []


def _stretches(pattern: re.Pattern[str], before: str, after: str, effort: Effort) -> list[tuple[str, str]]:
    """How each stretch reads before and after, as far as half of the effort suffices to tell them apart."""
    one, other = pattern.findall(before), pattern.findall(after)
    share = Effort(effort.left // 2)
    effort.spend(share.left)
    try:
        found = _Comparison(one, other, share).get_opcodes()
    except EffortSpentError:
        return [(before, after)]
    finally:
        effort.left += share.left
    return [("".join(one[start:end]), "".join(other[begun:ended])) for _, start, end, begun, ended in found]


def compare_findings(before: FindingDraft, after: FindingDraft) -> list[ChangedPart]:
    """The parts of a finding in which two revisions differ, in the order of the page."""
    one, other = dict(_parts(before)), dict(_parts(after))
    effort = Effort(COMPARE_STEPS)
    return [
        ChangedPart(where, compare_texts(one.get(where, ""), other.get(where, ""), effort))
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

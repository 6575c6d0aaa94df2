# SPDX-License-Identifier: AGPL-3.0-or-later
"""Texts that were made to be slow to check or to compare: the work is bounded, and what was not done is said."""

import difflib
import re
from collections.abc import Sequence
from datetime import date
from itertools import product
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from crypto.finding import Section
from oversight.findings import check, difference, folding, names
from oversight.findings.check import CheckReport, Hit, Material, Source, Term, check_finding, check_texts
from oversight.findings.dates import Taken
from oversight.findings.difference import compare_findings, compare_texts
from oversight.findings.effort import Effort, EffortSpentError
from oversight.findings.folding import fold, folded_words, words
from oversight.findings.names import SplitText, find_name, find_phrase
from oversight.findings.overlap import SHINGLE, FoldedText, _automaton, compare
from tests.findings import draft_finding
from tests.people import World

STORY = "They took him from the queue at the airport and nobody told us where he was for three days."
OURS = "He said that nobody told us where he was for long. It was the Northfield Detention Centre."
MARKS = "\u0301\u0327\u0316\u0345"
REPEATING = st.lists(st.sampled_from("abc"), max_size=40)


def source(text: str, name: str = "R-0001") -> Source:
    return Source(name, (text,), date(2026, 11, 5), ("CO-PUB-ANON",))


def check_ours(material: Material, text: str = OURS) -> list[Hit]:
    return list(check_texts([("summary", text)], material))


def test_marks_without_end_in_an_answer_hide_nothing_of_the_rest() -> None:
    material = Material((), (source("a" + MARKS * 15_000 + " " + STORY),))
    assert [hit.rule for hit in check_ours(material)] == ["overlap"]


def test_a_place_that_is_longer_than_any_is_not_compared_blocks_and_takes_nothing_from_the_others() -> None:
    material = Material((Term("place", "camp " * 2000), Term("place", "Northfield Detention Centre")), ())
    hits = check_ours(material)
    assert [(hit.rule, hit.outcome) for hit in hits] == [("place", "block"), ("unchecked", "block")]
    assert len(hits[1].against) <= check.QUOTE_CHARS_MAX + 1


def test_names_for_which_the_effort_does_not_suffice_block(monkeypatch: pytest.MonkeyPatch) -> None:
    text = SplitText(words(OURS))
    monkeypatch.setattr(check, "TERM_STEPS", 6 * text.steps)
    terms = (Term("place", "a camp of many words in the north"), Term("place", "Northfield Detention Centre"))
    hits = check_ours(Material(terms, ()))
    assert [(hit.rule, hit.against[:6]) for hit in hits] == [("place", "Northf"), ("unchecked", "a camp")]


def test_a_report_for_which_the_effort_does_not_suffice_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check, "SOURCE_STEPS", 1000)
    hits = check_ours(Material((), (source("long " * 300, "R-0001"), source(STORY, "R-0002"))))
    assert [(hit.rule, hit.against) for hit in hits] == [("overlap", "R-0002"), ("unchecked", "R-0001")]


def test_one_character_that_becomes_many_is_counted_as_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check, "SOURCE_STEPS", 10_000)
    (hit,) = check_ours(Material((), (source("\ufdfa " * 1000),)))
    assert hit.rule == "unchecked"


def test_numbers_for_which_the_effort_does_not_suffice_block(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check, "NUMBER_STEPS", 1000)
    hits = check_ours(Material((), (), ("DE",)), "12 345 6 " * 10)
    assert ("unchecked", "summary", "block") in [(hit.rule, hit.where, hit.outcome) for hit in hits]


def test_more_hits_than_are_listed_block_and_the_report_stays_small(world: World) -> None:
    text = " ".join(f"a{number}@example.org" for number in range(1000))
    draft = draft_finding(world, summary=text)
    report = check_finding(draft, "0" * 64, Material((), ()))
    assert len(report.hits) == check.HITS_MAX + 1
    assert report.hits[-1] == Hit("more", "block", "", "")
    assert CheckReport.decode(report.encode()) == report


def test_a_name_is_compared_with_every_spelling_once(monkeypatch: pytest.MonkeyPatch) -> None:
    compared = []
    monkeypatch.setattr(names, "match_words", lambda part, word: compared.append(word.written) or "")
    text = SplitText(words("nobody told us " * 5000))
    list(find_name("Muhammad Kowalski", text, Effort(1_000_000)))
    list(find_phrase("Northfield Centre", text, Effort(1_000_000)))
    assert sorted(compared) == sorted(["nobody", "told", "us"] * 4)


@pytest.mark.parametrize("find", [find_name, find_phrase])
def test_the_effort_for_a_name_grows_as_the_text_does(find: object) -> None:
    spent = []
    for length in (1000, 4000):
        effort = Effort(10_000_000)
        list(find("Muhammad Kowalski", SplitText(words("w1 w2 w3 w4 " * length)), effort))  # type: ignore[operator]
        spent.append(10_000_000 - effort.left)
    assert spent[0] < spent[1] <= 4 * spent[0]


def test_no_effort_is_begun_that_does_not_suffice() -> None:
    effort = Effort(5)
    effort.spend(5)
    with pytest.raises(EffortSpentError):
        effort.spend(1)
    assert effort.left == 0


@given(REPEATING, REPEATING)
def test_the_longest_run_is_found_as_by_looking_at_every_place(ours: list[str], theirs: list[str]) -> None:
    found = compare(FoldedText(ours), FoldedText(theirs))
    longest = longest_common(ours, theirs)
    assert found.run == (longest if longest >= SHINGLE else 0)
    assert found.quote.split() in [ours[at : at + found.run] for at in range(len(ours) + 1)]


def longest_common(one: Sequence[str], other: Sequence[str]) -> int:
    best = 0
    for start, begun in product(range(len(one)), range(len(other))):
        run = 0
        while start + run < len(one) and begun + run < len(other) and one[start + run] == other[begun + run]:
            run += 1
        best = max(best, run)
    return best


@given(st.lists(st.sampled_from("ab"), min_size=3, max_size=300))
def test_an_automaton_has_two_states_and_three_transitions_for_a_word_at_the_most(text: list[str]) -> None:
    states = _automaton(text)
    assert len(states) <= 2 * len(text)
    assert sum(len(state.following) for state in states) <= 3 * len(text)


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(1, 8))))
def test_a_stretch_is_taken_if_it_overlaps_none(tried: list[tuple[int, int]]) -> None:
    stretches, taken = Taken(), list[tuple[int, int]]()
    for start, length in tried:
        free = all(start + length <= begin or end <= start for begin, end in taken)
        assert stretches.take(start, start + length) == free
        if free:
            taken.append((start, start + length))


@given(st.text("ab.@+- é", max_size=60))
@example("@aaa.@a.a")
@example("a@b.c+d@e.f")
def test_addresses_are_found_as_by_beginning_at_every_letter(text: str) -> None:
    slow = re.compile(r"[\w.+-]+\s?@\s?[\w-]+(?:\.[\w-]+)+|(?<![\w@])@\w{3,}")
    found = [range(*match.span()) for match in check._EMAIL.finditer(text)]
    there = [range(*match.span()) for match in slow.finditer(text)]
    assert all(any(each[0] in one and each[-1] in one for one in found) for each in there)
    assert all(slow.search(text[one[0] : one[-1] + 1]) for one in found)


@given(st.text(max_size=100))
def test_words_that_come_again_are_folded_as_the_first_one(text: str) -> None:
    once = words(text + " " + text)
    assert [word.folded for word in once] == list(folded_words(" ".join(word.written for word in once)))
    assert all(word.folded == fold(word.written) for word in once)


@given(
    st.lists(
        st.sampled_from(["e\u0301", "\u1112\u1161\u11ab", "\u3131\u314f", "か\u3099", "ｶﾞ", "ক\u09be", "ﷺ", "a", " "]),
        max_size=60,
    )
)
def test_a_text_is_cut_for_cleaning_where_nothing_is_joined(pieces: list[str]) -> None:
    text = "".join(pieces)
    with pytest.MonkeyPatch.context() as changed:
        changed.setattr(folding, "SLICE_CHARS", 8)
        changed.setattr(folding, "JOINED_CHARS_MAX", 7)
        assert folding.clean(text) == folding._clean(text)


def test_no_call_takes_more_than_a_slice_of_a_long_text(monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[int] = []
    monkeypatch.setattr(folding, "_clean", lambda piece: taken.append(len(piece)) or piece)
    for text in ("\ufdfa" * 100_000, "a" + MARKS * 25_000, STORY * 1000):
        assert folding.clean(text) == text
    assert max(taken) <= folding.SLICE_CHARS


@given(st.text("ab \n.", max_size=80), st.text("ab \n.", max_size=80), st.integers(0, 400))
def test_what_changed_gives_both_texts_back_whatever_effort_is_left(before: str, after: str, steps: int) -> None:
    effort = Effort(steps)
    changes = compare_texts(before, after, effort)
    assert "".join(change.text for change in changes if change.kind != "added") == before
    assert "".join(change.text for change in changes if change.kind != "removed") == after
    assert effort.left >= 0


SLOW = {
    "one word": lambda n: (f"a {'a ' * n}", "a " * n + "b"),
    "one line": lambda n: ("a\n" * n, "a\n" * n + "b"),
    "signs": lambda n: (".," * n, ".," * n + "b"),
    "two words": lambda n: ("a b b " * n, "b a a " * n),
    "a word in between": lambda n: tuple("".join(f"a {x}{at} " for at in range(n)) for x in "xy"),
}


@pytest.mark.parametrize("slow", SLOW)
@pytest.mark.parametrize("words", [300, 3000, 9000])
def test_all_parts_of_a_finding_are_compared_with_one_effort(
    world: World, monkeypatch: pytest.MonkeyPatch, slow: str, words: int
) -> None:
    looks = 0
    find = difflib.SequenceMatcher.find_longest_match

    def counted(self: Any, alo: int, ahi: int, blo: int, bhi: int) -> difflib.Match:
        nonlocal looks
        looks += sum(1 + len(self.b2j.get(piece, ())) for piece in self.a[alo:ahi])
        assert looks < 9 * difference.COMPARE_STEPS
        return find(self, alo, ahi, blo, bhi)

    monkeypatch.setattr(difflib.SequenceMatcher, "find_longest_match", counted)
    before, after = SLOW[slow](words)
    parts = compare_findings(
        draft_finding(world, summary=before, reply=before, sections=(Section("One", before), Section("Two", before))),
        draft_finding(world, summary=after, reply=after, sections=(Section("One", after), Section("Two", after))),
    )
    assert [part.where for part in parts] == ["summary", "section-1", "section-2", "reply"]
    assert "".join(change.text for change in parts[-1].changes if change.kind != "removed") == after
    assert looks > 0 or words > 300


def test_in_a_long_honest_text_the_words_that_changed_are_found() -> None:
    words = [f"w{n % 97 * (n % 13)}" for n in range(9_000)]
    changed = [word + "x" if n % 500 == 7 else word for n, word in enumerate(words)]
    changes = compare_texts(*(" ".join(each) for each in (words, changed)), Effort(difference.COMPARE_STEPS))
    assert len([change for change in changes if change.kind == "added"]) == 18

# SPDX-License-Identifier: AGPL-3.0-or-later
"""What the outgoing check finds in a text, and what it lets pass."""

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oversight.findings.check import CheckReport, Hit, Material, Source, Term, check_finding, check_texts
from oversight.findings.names import match_words
from oversight.findings.phones import REGIONS_MAX
from tests.findings import draft_finding
from tests.people import World

RECEIVED = date(2026, 11, 5)
STORY = "They took him from the queue at the airport and nobody told us where he was for three days."
CONSENTING = Source("R-0001", (STORY,), RECEIVED, ("CO-PUB-ANON",))
TERMS = (
    Term("name", "Muhammad Kowalski"),
    Term("identifier", "P-889 123"),
    Term("place", "Northfield Detention Centre"),
    Term("authority", "Border Guard", certain=False),
)
MATERIAL = Material(TERMS, (CONSENTING,))
HIDDEN = "\u200b\u200c\u200d\u2060\u00ad\u200e\u200f\u202a\u202c\u2066\u2069\ufeff\u061c\u034f\ufe0f\u3164\u2800"


def found(text: str, material: Material = MATERIAL) -> dict[str, str]:
    """The rules that a text breaks, with the outcome of each."""
    return {hit.rule: hit.outcome for hit in check_texts([("summary", text)], material)}


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("Muhammad", "Mohamed"),
        ("Kowalski", "Kowalskiego"),
        ("Müller", "Muller"),
        ("محمد", "Mohamed"),
        ("Mohamed", "ومحمد"),
        ("Petrov", "Петров"),
        ("Петров", "Петрову"),
        ("Ivanova", "ИВАНОВА"),
        ("Łukasz", "Lukasz"),
        ("O'Brien", "O’Brien"),
    ],
)
def test_a_name_is_found_in_another_script_spelling_or_ending(name: str, written: str) -> None:
    material = Material((Term("name", name),), ())
    assert found(f"We heard {written} there.", material) == {"name": "block"}


@pytest.mark.parametrize(("name", "written"), [("Petrov", "Peters"), ("Kowalski", "Nowak"), ("Ali", "All")])
def test_another_name_is_not_taken_for_it(name: str, written: str) -> None:
    assert found(f"We heard {written} there.", Material((Term("name", name),), ())) == {}


def test_an_ordinary_word_that_only_resembles_a_name_is_a_warning() -> None:
    material = Material((Term("name", "Bruno"),), ())
    assert found("He was born there.", material) == {"name": "warn"}
    assert found("He met Brano there.", material) == {"name": "block"}


def test_a_name_in_a_script_without_spaces_is_found() -> None:
    material = Material((Term("name", "王小明"),), ())
    assert found("委员会认定王小明被关押。", material)["name"] == "block"


def test_a_name_whose_letters_stand_apart_is_found() -> None:
    assert found("K o w a l s k i M u h a m m a d K o w a l s k i")["name"] == "block"


@given(
    st.lists(st.tuples(st.integers(0, 8), st.sampled_from(HIDDEN)), max_size=12), st.sampled_from(["Kowalski", "محمد"])
)
@settings(max_examples=150, deadline=None)
def test_characters_that_are_not_seen_never_hide_a_name(marks: list[tuple[int, str]], name: str) -> None:
    written = name
    for place, mark in marks:
        written = written[: place % (len(written) + 1)] + mark + written[place % (len(written) + 1) :]
    hits = list(check_texts([("summary", f"We heard that {written} was there.")], Material((Term("name", name),), ())))
    assert any(hit.rule == "name" and hit.outcome == "block" for hit in hits)


@given(st.text(max_size=200))
@settings(max_examples=200, deadline=None)
def test_any_text_can_be_checked(text: str) -> None:
    list(check_texts([("summary", text)], MATERIAL))


@given(st.text(alphabet=st.characters(categories=("L",)), min_size=1, max_size=20))
def test_a_word_is_found_as_itself(word: str) -> None:
    from oversight.findings.folding import words

    for part in words(word):
        assert match_words(part, part) == "same"


@pytest.mark.parametrize("written", ["P-889123", "p 889 123", "P889-123", "٨٨٩P١٢٣ and P٨٨٩١٢٣"])
def test_a_number_is_found_however_it_is_divided(written: str) -> None:
    assert found(f"The passport {written} was taken.")["identifier"] == "block"


@given(
    st.lists(st.sampled_from(["12", "1212", "4", "4444", "cell"]), min_size=1, max_size=8),
    st.sampled_from(["1212", "4444"]),
)
def test_a_short_number_is_found_wherever_it_stands_from_word_to_word(words: list[str], number: str) -> None:
    """Also behind the same digits: block 12, 1212."""
    material = Material((Term("identifier", number),), ())
    stretches = ("".join(words[start:end]) for start in range(len(words)) for end in range(start + 1, len(words) + 1))
    assert ("identifier" in found(" ".join(words), material)) == (number in stretches)


def test_a_place_blocks_as_a_whole_and_warns_in_part() -> None:
    assert found("It was the Northfield Detention Centre.")["place"] == "block"
    assert found("It was in Northfield.") == {"place": "warn"}
    assert "place" not in found("It was a detention centre.")


def test_an_authority_is_a_warning_for_it_may_have_to_be_named() -> None:
    assert found("The Border Guard should keep records.") == {"authority": "warn"}


def test_eight_words_of_a_report_block_and_five_warn() -> None:
    assert found("He said that nobody told us where he was for long.", MATERIAL)["overlap"] == "block"
    story = " ".join(f"word{number}" for number in range(200))
    long = Material((), (Source("R-0001", (story,), RECEIVED, ()),))
    ours = " ".join(f"ours{number}" for number in range(100))
    five, eight = " ".join(story.split()[10:15]), " ".join(story.split()[10:18])
    assert found(f"{ours} {five} {ours}", long) == {"overlap": "warn"}
    assert found(f"{ours} {eight} {ours}", long) == {"overlap": "block"}
    assert found(f"{ours} {' '.join(story.split()[10:14])} {ours}", long) == {}


def test_a_tenth_of_the_shingles_blocks_even_in_short_runs() -> None:
    story = " ".join(f"word{number}" for number in range(60))
    runs = " x ".join(" ".join(story.split()[at : at + 6]) for at in range(0, 60, 10))
    assert found(runs, Material((), (Source("R-0001", (story,), RECEIVED, ()),))) == {"overlap": "block"}


@pytest.mark.parametrize(
    "written",
    [
        "2026-10-07",
        "07/10/2026",
        "7.10.26",
        "7 October 2026",
        "October 7th, 2026",
        "the 7th of October",
        "7 de octubre de 2026",
        "7 octobre 2026",
        "7 октября 2026 года",
        "7 Ekim 2026",
        "٧ أكتوبر ٢٠٢٦",
        "٧ تشرين الأول ٢٠٢٦",
        "۱۵ مهر ۱۴۰۵",
        "2026年10月7日",
        "٢٠٢٦/١٠/٠٧",
    ],
)
def test_an_exact_date_blocks_in_any_form(written: str) -> None:
    assert found(f"It was {written} there.") == {"date": "block"}


@pytest.mark.parametrize("written", ["October 2026", "in octubre de 2026", "2026-10", "أكتوبر ٢٠٢٦"])
def test_a_month_is_a_warning(written: str) -> None:
    assert found(f"It was {written} there.") == {"month": "warn"}


@pytest.mark.parametrize("written", ["2026-11-05", "5 November 2026", "November 5", "11/05/2026", "٥ نوفمبر ٢٠٢٦"])
def test_the_day_on_which_a_report_came_is_named_as_such(written: str) -> None:
    assert found(f"We know it since {written}.") == {"receipt-day": "block"}


@pytest.mark.parametrize(
    ("written", "rule"),
    [
        ("+44 20 7946 0958", "phone"),
        ("(020) 7946 0958", "phone"),
        ("somebody@example.org", "email"),
        ("@somebody", "email"),
        ("12345/26", "docket"),
        ("Az. 4-371/2025", "docket"),
    ],
)
def test_what_somebody_can_be_looked_up_by_blocks(written: str, rule: str) -> None:
    assert found(f"Ask for {written} there.") == {rule: "block"}


@pytest.mark.parametrize(
    ("country", "written"),
    [
        ("TR", "0532 123 45 67"),
        ("TR", "(0532) 123 45 67"),
        ("TR", "0532 - 123 - 45 - 67"),
        ("TR", "٠٥٣٢ ١٢٣ ٤٥ ٦٧"),
        ("TR", "۰۵۳۲ ۱۲۳ ۴۵ ۶۷"),
        ("TR", "０５３２ １２３ ４５ ６７"),
        ("DE", "0211 / 123 456"),
        ("DE", "+49 (0)30 / 1234 5678"),
        ("GB-SCT", "07911 – 123 – 456"),
        ("FO", "21 12 34"),
        ("", "+٩٠ ٥٣٢ ١٢٣ ٤٥ ٦٧"),
        ("", "+90 - 532 - 123 45 67"),
        ("", "00 90 532 123 45 67"),
        ("", "+999 12 34 56 78"),
        ("", "889123456"),
    ],
)
def test_a_telephone_number_of_the_cases_countries_blocks_as_it_is_written_there(country: str, written: str) -> None:
    material = Material((), (), (country,))
    assert found(f"Ask for {written} there.", material) == {"phone": "block"}


def test_telephone_numbers_are_looked_for_as_the_findings_own_jurisdictions_write_them(world: World) -> None:
    draft = draft_finding(world, summary="Ask for 0532 - 123 - 45 - 67 there.", jurisdictions=("TR",))
    hits = check_finding(draft, "0" * 64, Material((), (CONSENTING,))).hits
    assert [(hit.rule, hit.quote) for hit in hits] == [("phone", "0532 - 123 - 45 - 67")]


def test_only_so_many_countries_are_looked_at() -> None:
    others = ("AT", "BE", "CH", "DE", "ES", "FR")
    assert len(others) == REGIONS_MAX
    written = "Ask for 21 12 34 there."
    assert found(written, Material((), (), (*others[1:], "FO"))) == {"phone": "block"}
    assert found(written, Material((), (), (*others, "FO"))) == {}


@pytest.mark.parametrize("country", ["NU", "TR", "DE"])
def test_years_and_amounts_are_no_telephone_numbers(country: str) -> None:
    text = "In 2026 the rule of 1987 held for 10 000 people, 1 200 000 euros, 45 days, by case C-404/15."
    assert found(text, Material((), (), (country,))) == {}


@pytest.mark.parametrize(
    "written",
    [
        "The second quarter of 2026.",
        "Article 4 of Framework Decision 2002/584/JHA and case C-404/15.",
        "Nineteen of 10 000 people, 1 200 000 euros, 45 days.",
        "In 2026 the rule of 1987 was still in force.",
        "می‌خواهیم که قانون رعایت شود",
    ],
)
def test_what_may_be_said_passes(written: str) -> None:
    assert found(written) == {}


def test_marks_by_which_a_copy_can_be_traced_block() -> None:
    assert found("The court\u200b knew.")["hidden"] == "block"
    assert found("The сourt knew.") == {"mixed": "block"}


def test_without_consent_of_every_reporter_the_finding_is_blocked(world: World) -> None:
    draft = draft_finding(world)
    silent = Source("R-0002", (), RECEIVED, ("CO-CASE",))
    assert check_finding(draft, "0" * 64, Material((), (CONSENTING,))).hits == ()
    report = check_finding(draft, "0" * 64, Material((), (CONSENTING, silent)))
    assert report.hits == (Hit("consent", "block", "", "", "R-0002"),)
    assert report.outcome == "block"


def test_every_text_of_a_finding_is_checked(world: World) -> None:
    draft = draft_finding(world, dissent="Kowalski should be named.", reply="Mohamed Kowalski is known to us.")
    report = check_finding(draft, "0" * 64, MATERIAL)
    assert {hit.where for hit in report.hits if hit.rule == "name"} == {"dissent", "reply"}
    assert CheckReport.decode(report.encode()) == report

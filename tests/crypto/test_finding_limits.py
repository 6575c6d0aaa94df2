# SPDX-License-Identifier: AGPL-3.0-or-later
"""How long, how many: what a finding may hold to the last (docs/protocol.md §14), and not one more."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from crypto.errors import LimitError, MalformedError, ProofError
from crypto.finding import (
    FindingDraft,
    Recommendation,
    Section,
    check_correction,
    finding_id,
    make_finding,
    path_name,
    read_finding,
    read_finding_text,
)
from tests.findings import correction_of, draft_finding, publish_finding, sign_finding, withdrawal_of
from tests.people import found_test_commission

WORLD = found_test_commission()
DRAFT = draft_finding(WORLD)
PUBLISHED = publish_finding(WORLD)
SECTION = Section("Heading", "Text")


def with_(**said: Any) -> FindingDraft:
    return replace(DRAFT, **said)


def correction(**said: Any) -> FindingDraft:
    return correction_of(PUBLISHED, **said)


def recommendations(count: int, **said: Any) -> FindingDraft:
    return with_(recommendations=tuple(Recommendation(n, "Court", "Do.", **said) for n in range(1, count + 1)))


def codes(count: int) -> tuple[str, ...]:
    return tuple(f"C{number}" for number in range(count))


FITS = {
    "a title of 200 characters": with_(title="t" * 200),
    "a summary of 4,000 characters": with_(summary="s" * 4000),
    "a heading of 200 characters": with_(sections=(Section("h" * 200, "Text"),)),
    "a section as long as a finding may be, nearly": with_(sections=(Section("h", "t" * 79_000),)),
    "a section without a heading and without a text": with_(sections=(Section("", ""),)),
    "50 sections": with_(sections=(SECTION,) * 50),
    "no sections, codes, jurisdictions or recommendations": with_(
        sections=(), codes=(), jurisdictions=(), recommendations=()
    ),
    "50 recommendations": recommendations(50),
    "an addressee of 200 characters": with_(recommendations=(Recommendation(1, "a" * 200, "Do."),)),
    "a recommendation of 4,000 characters": with_(recommendations=(Recommendation(1, "Court", "d" * 4000),)),
    "50 codes": with_(codes=codes(50)),
    "50 jurisdictions": with_(jurisdictions=codes(50)),
    "a code of 2 characters": with_(codes=("AB",)),
    "a code of 32 characters": with_(codes=("A" * 32,)),
    "revision 10,000": correction(revision=10_000),
    "a reason of 4,000 characters": correction(reason="r" * 4000),
    "a reply and a dissent": with_(reply="r" * 20_000, dissent="d" * 20_000),
    "texts with tabs left out and lines kept": with_(summary="one\ntwo\u00a0three"),
}  # fmt: skip

ABOVE_THE_LIMIT = {
    "a title of 201 characters": with_(title="t" * 201),
    "a summary of 4,001 characters": with_(summary="s" * 4001),
    "a heading of 201 characters": with_(sections=(Section("h" * 201, "Text"),)),
    "51 sections": with_(sections=(SECTION,) * 51),
    "51 recommendations": recommendations(51),
    "an addressee of 201 characters": with_(recommendations=(Recommendation(1, "a" * 201, "Do."),)),
    "a recommendation of 4,001 characters": with_(recommendations=(Recommendation(1, "Court", "d" * 4001),)),
    "51 codes": with_(codes=codes(51)),
    "51 jurisdictions": with_(jurisdictions=codes(51)),
    "revision 10,001": correction(revision=10_001),
    "revision 0": correction(revision=0),
    "a recommendation 0": with_(recommendations=(Recommendation(0, "Court", "Do."),)),
    "a reason of 4,001 characters": correction(reason="r" * 4001),
    "more than 80 KiB": with_(reply="r" * 60_000, dissent="d" * 60_000),
}

OF_ANOTHER_FORM = {
    "a code of 1 character": with_(codes=("A",)),
    "a code of 33 characters": with_(codes=("A" * 33,)),
    "a jurisdiction of 17 characters": with_(jurisdictions=("A" * 17,)),
    "a jurisdiction twice": with_(jurisdictions=("ZZ", "ZZ")),
    "a heading of two lines": with_(sections=(Section("a\nb", "Text"),)),
    "an addressee of two lines": with_(recommendations=(Recommendation(1, "a\nb", "Do."),)),
    "an author that is no label": with_(author="Bruno"),
    "a language that is none": with_(language="English"),
    "a slug in capitals": with_(slug=DRAFT.slug.upper()),
    "a charter that is no hash": with_(charter="0" * 63),
    "a previous hash that is too short": correction(previous="0" * 63),
    "a quarter 5": with_(quarter="2026-Q5"),
    "no standard of proof": with_(standard=None),
    "no grade": with_(grade=None),
    "a title of spaces": with_(title=" "),
    "a summary of spaces": with_(summary=" "),
    "a reply of spaces": with_(reply=" "),
    "a dissent of spaces": with_(dissent="\n"),
    "a reason of spaces": correction(reason=" "),
    "an id of the year after": with_(id=finding_id(DRAFT.slug, 2027, 1)),
    "recommendations 2 and 1": with_(recommendations=(Recommendation(2, "A", "B"), Recommendation(1, "A", "B"))),
}

FORBIDDEN = (
    "\x00\x09\x0b\x1f\x7f\x9f\u061c\u200e\u200f\u2028\u202a\u202e\u2066\u2069\ufff9\ufffb\ufffe\uffff"
    "\U000e0000\U000e0020\U000e007f"
)
ALLOWED = '\n\x20\x7e\xa0\u061b\u061d\u200c\u200d\u2010\u2027\u202f\u2065\u206a\ufff8\ufffc\ufffd\U000e0080"\\'


@pytest.mark.parametrize("name", FITS)
def test_what_just_fits_is_taken(name: str) -> None:
    assert read_finding_text(make_finding(FITS[name])) == FITS[name]


@pytest.mark.parametrize("name", ABOVE_THE_LIMIT)
def test_one_more_is_above_the_limit(name: str) -> None:
    with pytest.raises(LimitError):
        make_finding(ABOVE_THE_LIMIT[name])


@pytest.mark.parametrize("name", OF_ANOTHER_FORM)
def test_another_form_is_malformed(name: str) -> None:
    with pytest.raises(MalformedError):
        make_finding(OF_ANOTHER_FORM[name])


def test_a_finding_has_at_most_80_kibibytes_to_the_byte() -> None:
    room = 81_920 - len(make_finding(with_(dissent="d"))) + 1
    assert len(make_finding(with_(dissent="d" * (1 + room)))) == 81_921
    with pytest.raises(LimitError):
        make_finding(with_(dissent="d" * (2 + room)))


@pytest.mark.parametrize("place", ["summary", "reply", "dissent", "section", "recommendation"])
def test_no_text_holds_a_mark_that_would_show_it_otherwise_than_it_was_signed(place: str) -> None:
    def draft(text: str) -> FindingDraft:
        if place == "section":
            return with_(sections=(Section("Heading", text),))
        if place == "recommendation":
            return with_(recommendations=(Recommendation(1, "Court", text),))
        return with_(**{place: text})

    for character in FORBIDDEN:
        with pytest.raises(MalformedError):
            make_finding(draft(f"a{character}b"))
    make_finding(draft(f"a{ALLOWED}b"))


@pytest.mark.parametrize("place", ["title", "heading", "addressee"])
def test_no_line_holds_one_either(place: str) -> None:
    def draft(text: str) -> FindingDraft:
        if place == "heading":
            return with_(sections=(Section(text, "Text"),))
        return with_(title=text) if place == "title" else with_(recommendations=(Recommendation(1, text, "Do."),))

    for character in FORBIDDEN:
        with pytest.raises(MalformedError):
            make_finding(draft(f"a{character}b"))


def test_the_codes_are_those_of_the_taxonomy() -> None:
    for grade in ("FN-SUBST", "FN-PARTLY", "FN-INCONCL", "FN-UNSUBST", "FN-NOJUR", "FN-DISCONT"):
        assert f'"grade":"{grade}"' in make_finding(with_(grade=grade))
    for standard in ("SP-REASSUSP", "SP-RGB", "SP-BALANCE", "SP-CLEAR", "SP-BRD"):
        assert f'"standard":"{standard}"' in make_finding(with_(standard=standard))
    for status in ("open", "partly", "implemented", "not-implemented", "superseded"):
        assert f'"status":"{status}"' in make_finding(recommendations(1, status=status, due="2027-Q4"))
    for kind in ("correction", "update"):
        make_finding(correction(kind=kind))


@pytest.mark.parametrize(("number", "written"), [(1, "0001"), (9999, "9999"), (10_000, "10000"), (999_999, "999999")])
def test_the_number_of_a_finding_has_four_to_six_digits(number: int, written: str) -> None:
    assert finding_id("acme", 2026, number) == f"XFI:ZZ:ACME:2026:F.{written}"
    assert path_name(finding_id("acme", 2026, number)) == f"xfi-zz-acme-2026-f-{written}"


@pytest.mark.parametrize("number", [0, -1, 1_000_000])
def test_no_other_number_makes_an_id(number: int) -> None:
    with pytest.raises(MalformedError):
        finding_id("acme", 2026, number)


def test_the_slug_in_an_id_has_two_to_31_characters() -> None:
    assert finding_id("ab", 2026, 1)
    assert finding_id("a" * 31, 2026, 1)
    for slug in ("a", "a" * 32):
        with pytest.raises(MalformedError):
            finding_id(slug, 2026, 1)
    with pytest.raises(MalformedError):
        path_name("xfi:zz:acme:2026:f.0001")


def test_a_withdrawal_keeps_nothing_of_what_was_found() -> None:
    tombstone = withdrawal_of(PUBLISHED)
    assert read_finding_text(make_finding(tombstone)) == tombstone
    for kept in (
        {"title": "t"}, {"summary": "s"}, {"sections": (SECTION,)}, {"jurisdictions": ("ZZ",)}, {"codes": ("AB",)},
        {"recommendations": DRAFT.recommendations}, {"quarter": "2026-Q2"}, {"standard": "SP-RGB"},
        {"grade": "FN-SUBST"}, {"reply": "r"}, {"dissent": "d"},
    ):  # fmt: skip
        with pytest.raises(MalformedError):
            make_finding(replace(tombstone, **kept))  # type: ignore[arg-type]


def test_a_later_revision_may_be_of_a_later_year_than_its_id_and_a_first_one_may_not() -> None:
    make_finding(correction(day=date(2027, 1, 1)))
    with pytest.raises(MalformedError):
        make_finding(with_(day=date(2027, 1, 1)))
    with pytest.raises(MalformedError):
        make_finding(correction(day=date(2025, 12, 31)))


class TestWhatAnUpdateMayChange:
    def test_status_and_quarter_of_recommendations_and_the_reply(self) -> None:
        asked = tuple(replace(each, status="superseded", due="2028-Q1") for each in DRAFT.recommendations)
        check_correction(PUBLISHED, correction(kind="update", recommendations=asked, reply="Another reply."))
        check_correction(PUBLISHED, correction(kind="update", reply=None))
        check_correction(PUBLISHED, correction(kind="update", author="chiara", reason="Another reason."))

    @pytest.mark.parametrize(
        "said",
        [
            {"title": "Another"}, {"summary": "Another"}, {"sections": ()}, {"quarter": "2026-Q1"},
            {"jurisdictions": ()}, {"codes": ()}, {"standard": "SP-BRD"}, {"grade": "FN-PARTLY"}, {"dissent": "d"},
            {"language": "ar"}, {"recommendations": DRAFT.recommendations[:1]},
            {"recommendations": (replace(DRAFT.recommendations[0], text="Else."), DRAFT.recommendations[1])},
            {"recommendations": (replace(DRAFT.recommendations[0], addressee="Else"), DRAFT.recommendations[1])},
        ],
        ids=str,
    )  # fmt: skip
    def test_nothing_else(self, said: dict[str, Any]) -> None:
        with pytest.raises(ProofError, match="update"):
            check_correction(PUBLISHED, correction(kind="update", **said))
        check_correction(PUBLISHED, correction(kind="correction", **said))


@pytest.mark.parametrize(
    "said",
    [
        {"id": "XFI:ZZ:DEMO-COMMISSION:2026:F.0002"}, {"slug": "other"}, {"revision": 3}, {"revision": 1},
        {"previous": "00" * 32}, {"day": date(2026, 1, 1)},
    ],
    ids=str,
)  # fmt: skip
def test_a_revision_follows_the_one_before_it(said: dict[str, Any]) -> None:
    check_correction(PUBLISHED, correction())
    with pytest.raises(ProofError):
        check_correction(PUBLISHED, correction(**said))


def test_nothing_follows_a_withdrawal() -> None:
    withdrawn = read_finding(sign_finding(WORLD, withdrawal_of(PUBLISHED)), WORLD.charter)
    with pytest.raises(ProofError, match="withdrawn"):
        check_correction(withdrawn, correction_of(withdrawn))


def test_printing_a_finding_does_not_print_its_note() -> None:
    assert "note=" not in repr(PUBLISHED)

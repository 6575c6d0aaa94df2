# SPDX-License-Identifier: AGPL-3.0-or-later
"""One commission among many: whatever its charter holds, the others' pages are the same bytes with and without it."""

from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from crypto.charter import LANGUAGE, NAME_CHARS_MAX, Charter, make_charter, read_charter
from crypto.encoding import encode_json
from crypto.errors import CryptoError
from crypto.note import sign
from crypto.public_text import find_forbidden
from crypto.questionnaire import Option, Panel, Question, Questionnaire
from portal.kit.compression import Compressed
from portal.kit.i18n import LOCALES
from portal.pages import site as site_module
from portal.pages.build import SiteMaker, newest_charters
from portal.pages.site import MANIFEST_PATH, Site
from tests.people import REALM, SLUG, World, found_test_commission
from tests.portal.pages.test_pages import PageSettings, fake_assets

OTHER = "other-commission"
LISTS = {f"/{locale}/{name}" for locale in LOCALES for name in ("", "protection", "return")}
HOSTILE = (
    "</section><script>alert(1)</script>",
    "{{ 7 * 7 }}{% for x in ().__class__.__mro__ %}{% endfor %}",
    "%(count)s %s {0} {{",
    "\\u202e &#8238; &lt;b&gt;",
    "a" * NAME_CHARS_MAX,
    "\u0301" * 150,
    "\U0001f469\u200d\U0001f469\u200d\U0001f467" * 20,
    "",
    " ",
    "\n\n",
    "\ufdfa" * NAME_CHARS_MAX,
    "ש" * 100 + "a",
    "\ue000\U0010fffd",
)
# Unknown to Babel, though well formed, among them languages in which people write.
LANGUAGES = (
    "xx",
    "ary",
    "arz",
    "prs",
    "ber",
    "zxx",
    "en-Arab",
    "ar-Latn-EG-x1234567",
    "iw",
    "no",
    "und",
    "root",
    "aaa",
)


def allowed(text: str) -> str:
    """The text without what no public text may hold."""
    return "".join(each for each in text if find_forbidden(each) is None)


texts = st.sampled_from(HOSTILE) | st.text(st.characters(codec="utf-8"), max_size=60).map(allowed)
languages = st.lists(st.sampled_from(LANGUAGES) | st.from_regex(LANGUAGE, fullmatch=True), min_size=1, max_size=4)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(site_module, "compress", lambda body, *, quick=False: Compressed(body, body))


@cache
def healthy() -> World:
    return found_test_commission()


@cache
def other() -> World:
    return found_test_commission(slug=OTHER)


@cache
def builder() -> SiteMaker:
    return SiteMaker(PageSettings(), fake_assets(), REALM)


@cache
def alone() -> Site:
    return builder().build([healthy().charter])


def charter_of(**changes: Any) -> Charter:
    """A charter of the other commission that portals take. Raises CryptoError where none would."""
    draft = replace(other().charter, **changes)
    return read_charter(sign(make_charter(draft), [person.signing_key for person in other().governors]).encode())


@st.composite
def charters(draw: st.DrawFn) -> Charter:
    spoken = tuple(dict.fromkeys(draw(languages)))

    def said() -> dict[str, str]:
        return {language: draw(texts)[:NAME_CHARS_MAX] for language in spoken}

    options = tuple(Option(f"A{number}", said()) for number in range(draw(st.integers(1, 3))))
    kinds = draw(
        st.lists(st.sampled_from(("choice", "checkboxes", "text", "line", "date", "country", "files", "members")))
    )
    questions = tuple(
        Question(f"q{number}", kind, said(), said(), options if kind in ("choice", "checkboxes") else (), False)
        for number, kind in enumerate(kinds)
    )
    form = Questionnaire("q", 1, (Panel("p", said(), said(), questions), Panel("check", said(), None, ())))
    days = draw(st.dates()), draw(st.dates())
    try:
        return charter_of(
            languages=spoken,
            name=said(),
            mandate=said(),
            questionnaire=form,
            valid_from=min(days),
            valid_until=max(days),
            grace_days=draw(st.integers(0, 3650)),
            staffed_always=draw(st.booleans()),
        )
    except CryptoError:
        assume(False)
        raise


def others_pages(site: Site) -> Iterator[tuple[str, bytes]]:
    """All pages but those that list the commissions or belong to the other one."""
    for path, page in site.pages.items():
        if path not in LISTS | {MANIFEST_PATH} and OTHER not in path:
            yield path, page.body


def check_neighbour(site: Site) -> None:
    assert dict(others_pages(site)) == dict(others_pages(alone()))
    for locale in LOCALES:
        section = builder()._shown[healthy().charter.hash].sections[locale, "start"]
        assert section in site.pages[f"/{locale}/"].body.decode()
        assert f"/{locale}/{SLUG}/report" in site.pages


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(charters())
def test_whatever_a_charter_holds_the_others_pages_stand(charter: Charter) -> None:
    site = builder().build([healthy().charter, charter])
    check_neighbour(site)
    # Whatever a charter may hold today can also be shown.
    assert site.problems == {}
    page = site.pages[f"/en/{OTHER}/report"].body.decode()
    assert "<script>alert" not in page


@pytest.mark.parametrize("slug", ["findings", "assets", "return", "not-found", "unavailable", "en", "manifest"])
def test_a_name_that_is_also_one_of_ours_takes_no_page_away(slug: str) -> None:
    world = found_test_commission(slug=slug)
    site = builder().build([healthy().charter, world.charter])
    assert site.problems == {}
    for path, page in alone().pages.items():
        if path not in LISTS | {MANIFEST_PATH}:
            assert site.pages[path].body == page.body


class TestOneThatCannotBeShown:
    """As after an upgrade, for a charter that was taken before: its templates stumble over this one alone."""

    @pytest.fixture(params=[ValueError, KeyError, RecursionError, AttributeError, AssertionError, OSError, MemoryError])
    def error(self, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> type[Exception]:
        error: type[Exception] = request.param
        original = site_module.make_document

        def fail(path: str, text: str) -> site_module.Page:
            if path == f"/ar/{OTHER}/report":
                raise error("secret")
            return original(path, text)

        monkeypatch.setattr("portal.pages.build.make_document", fail)
        return error

    @pytest.fixture
    def site(self, error: type[Exception]) -> Site:
        return SiteMaker(PageSettings(), fake_assets(), REALM).build([healthy().charter, other().charter])

    def test_is_left_out_alone_and_named(self, site: Site, error: type[Exception]) -> None:
        assert dict(others_pages(site)) == dict(others_pages(alone()))
        assert site.problems == {OTHER: other().charter.hash}
        assert site.shown == {SLUG: healthy().charter.hash}
        # What it lacked may be there at the next attempt; what it holds will be the same.
        assert site.is_final == (not issubclass(error, (OSError, MemoryError)))

    def test_has_a_page_in_its_place_and_a_sentence_in_the_lists(self, site: Site) -> None:
        for locale in LOCALES:
            path = f"/{locale}/{OTHER}/report"
            assert path in site.withheld
            assert site.get(path) is None
            assert site.unavailable(path) is site.pages[f"/{locale}/unavailable"]
            for name in ("", "protection"):
                assert f'<span dir="ltr">{OTHER}</span>' in site.pages[f"/{locale}/{name}"].body.decode()

    def test_is_still_known_to_who_comes_back_with_a_code(self, site: Site) -> None:
        assert other().charter.hash in site.pages["/en/return"].body.decode()

    @pytest.mark.usefixtures("error")
    def test_is_logged_by_class_and_place_alone(self, caplog: pytest.LogCaptureFixture) -> None:
        SiteMaker(PageSettings(), fake_assets(), REALM).build([healthy().charter, other().charter])
        assert "its pages can't be built" in caplog.text
        assert "secret" not in caplog.text
        assert OTHER not in caplog.text


def test_a_charter_before_is_not_shown_in_the_place_of_one_that_cannot_be(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who still sealed to it would seal to people who have left."""
    own = SiteMaker(PageSettings(), fake_assets(), REALM)
    assert own.build([other().charter]).get(f"/en/{OTHER}/report") is not None
    draft = replace(other().charter, number=2, previous=other().charter.hash)
    signers = [person.signing_key for person in other().governors]
    second = read_charter(sign(make_charter(draft), signers).encode())
    monkeypatch.setattr("portal.pages.build._section", lambda *_: 1 / 0)
    site = own.build([other().charter, second])
    assert site.problems == {OTHER: second.hash}
    assert site.get(f"/en/{OTHER}/report") is None
    assert f"/en/{OTHER}/report" in site.withheld


def test_a_charter_of_the_largest_kind_does_not_keep_the_others_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compressed as thoroughly as the others, its pages would take minutes."""
    monkeypatch.undo()
    thorough: list[int] = []
    monkeypatch.setattr(
        "portal.kit.compression.compress_with_zopfli", lambda body, **_: thorough.append(len(body)) or body
    )
    options = tuple(Option(f"A{number}", {"en": "x"}) for number in range(250))
    questions = [Question(f"q{number}", "choice", {"en": "x"}, None, options, False) for number in range(60)]
    form = Questionnaire("q", 1, (Panel("p", {"en": "x"}, None, tuple(questions)),))
    charter = charter_of(languages=("en",), name={"en": "n"}, mandate={"en": "m"}, questionnaire=form)
    site = builder().build([charter])
    assert len(site.pages[f"/en/{OTHER}/report"].body) > 2_000_000
    assert max(thorough) < 512 * 1024


def test_pages_of_a_charter_are_rendered_once(monkeypatch: pytest.MonkeyPatch) -> None:
    own = SiteMaker(PageSettings(), fake_assets(), REALM)
    first = own.build([healthy().charter])
    monkeypatch.setattr("portal.pages.build._report", lambda *_: 1 / 0)
    again = own.build([healthy().charter])
    assert again.pages == first.pages


def test_the_newest_of_each_commission_is_shown_whatever_the_order() -> None:
    assert newest_charters([other().charter, healthy().charter]) == [healthy().charter, other().charter]
    assert encode_json(alone().shown) == encode_json({SLUG: healthy().charter.hash})

# SPDX-License-Identifier: AGPL-3.0-or-later
"""Language tags that strangers choose: every well-formed one has a name and a direction."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto.charter import LANGUAGE
from portal.kit.i18n import LOCALES, direction, language_in, language_name

TAGS = st.from_regex(LANGUAGE, fullmatch=True)


@given(TAGS)
def test_every_tag_that_the_formats_allow_has_a_name_and_a_direction(tag: str) -> None:
    assert direction(tag) in {"ltr", "rtl"}
    assert language_name(tag)
    for locale in LOCALES:
        assert language_in(tag, locale)


@pytest.mark.parametrize(
    ("tag", "name"),
    [
        ("ar", "Arabic"),
        ("zh-Hant", "Chinese (Traditional)"),
        # Languages without data of their own that the reader's language has a name for.
        ("ary", "Moroccan Arabic"),
        ("arz", "Egyptian Arabic"),
        ("ar-XB", "Arabic (ar-XB)"),
        # Babel would take these for English and for Serbian in Cyrillic script.
        ("und", "Unknown language"),
        ("sr-Latn-RS-ijekavsk", "Serbian (sr-Latn-RS-ijekavsk)"),
        # And these have no name at all.
        ("xx", "xx"),
        ("prs", "prs"),
        ("ber-MA", "ber-MA"),
    ],
)
def test_a_language_has_the_name_that_is_known_of_it_or_stands_for_itself(tag: str, name: str) -> None:
    assert language_in(tag, "en") == name

# SPDX-License-Identifier: AGPL-3.0-or-later
"""Objects read field by field: unspecified members are refused, and messages name the member, never its value."""

from datetime import date

import pytest

from crypto.document import Fields, read_document
from crypto.encoding import encode_json
from crypto.errors import LimitError, MalformedError, UnsupportedVersionError

SECRET = "what the sister wrote"


def fields(**members: object) -> Fields:
    return Fields(members, "report")


def test_every_kind_of_member_is_taken_once():
    found = fields(
        text="a", hex="00ff", integer=3, boolean=False, day="2025-03-01", until=None, child={"x": 1}, items=[1, 2],
        texts=["p", "q"], name={"en": "Name", "ar": "اسم"},
    )  # fmt: skip
    assert found.text("text") == "a"
    assert found.hex("hex", 2) == "00ff"
    assert found.integer("integer", 0, 3) == 3
    assert found.boolean("boolean") is False
    assert found.day("day") == date(2025, 3, 1)
    assert found.optional_day("until") is None
    assert found.child("child").integer("x", 1, 1) == 1
    assert found.items("items", 2, str) == ("1", "2")
    assert found.texts("texts", 2) == ("p", "q")
    assert found.translations("name", ("en", "ar")) == {"en": "Name", "ar": "اسم"}
    found.end()
    with pytest.raises(MalformedError, match="lacks 'text'"):
        found.text("text")


def test_a_member_that_is_not_specified_is_refused():
    found = fields(a="1", b="2")
    found.text("a")
    with pytest.raises(MalformedError, match="not specified"):
        found.end()


def test_names_and_presence_of_members_that_are_left():
    found = fields(b=1, a=2)
    assert found.names() == ["a", "b"]
    found.take("a")
    assert (found.has("a"), found.has("b")) == (False, True)


@pytest.mark.parametrize("value", [None, [], "a", 1, True])
def test_only_an_object_has_fields(value):
    with pytest.raises(MalformedError, match="report is not an object"):
        Fields(value, "report")


@pytest.mark.parametrize(
    ("value", "read"),
    [
        (1, lambda f: f.text("m")),
        (None, lambda f: f.text("m")),
        (SECRET, lambda f: f.text("m", pattern="[a-z]")),
        ("a\n", lambda f: f.text("m", pattern="[a-z]")),
        ("a\ud800", lambda f: f.text("m")),
        ("a\udfff", lambda f: f.text("m", pattern=".*")),
        (["a", "\udc41"], lambda f: f.texts("m", 2)),
        ("00F0", lambda f: f.hex("m", 2)),
        ("00", lambda f: f.hex("m", 2)),
        ("1", lambda f: f.integer("m", 0, 9)),
        (True, lambda f: f.integer("m", 0, 9)),
        (1, lambda f: f.boolean("m")),
        (None, lambda f: f.boolean("m")),
        ("2025-02-30", lambda f: f.day("m")),
        (None, lambda f: f.day("m")),
        (0, lambda f: f.optional_day("m")),
        ([], lambda f: f.child("m")),
        ({}, lambda f: f.items("m", 1, str)),
        ("ab", lambda f: f.items("m", 2, str)),
        ([1], lambda f: f.texts("m", 1)),
        ({"en": "a"}, lambda f: f.translations("m", ("en", "ar"))),
        ({"en": "a", "ar": "b", "fr": "c"}, lambda f: f.translations("m", ("en", "ar"))),
    ],
)
def test_a_member_of_another_type_or_form_is_malformed_and_its_value_not_shown(value, read):
    with pytest.raises(MalformedError) as caught:
        read(fields(m=value))
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    ("value", "read"),
    [
        ("abcd", lambda f: f.text("m", 3)),
        (10, lambda f: f.integer("m", 0, 9)),
        (-1, lambda f: f.integer("m", 0, 9)),
        ([1, 2], lambda f: f.items("m", 1, str)),
        ([SECRET], lambda f: f.texts("m", 1, max_chars=3)),
    ],
)
def test_a_member_above_its_limit_is_refused_and_its_value_not_shown(value, read):
    with pytest.raises(LimitError) as caught:
        read(fields(m=value))
    assert SECRET not in str(caught.value)


def test_a_member_may_reach_its_limit():
    assert fields(m="abc").text("m", 3) == "abc"
    assert fields(m="a" * 65_536).text("m") == "a" * 65_536
    assert [fields(m=value).integer("m", 1, 9) for value in (1, 9)] == [1, 9]
    assert fields(m=[1, 2]).items("m", 2, str) == ("1", "2")
    assert fields(m=["a" * 4096]).texts("m", 1) == ("a" * 4096,)
    assert fields(m={"en": "a" * 65_536}).translations("m", ("en",)) == {"en": "a" * 65_536}
    assert fields(m="2025-03-01").optional_day("m") == date(2025, 3, 1)


@pytest.mark.parametrize(
    ("value", "read"),
    [
        ("a" * 65_537, lambda f: f.text("m")),
        ({"en": "a" * 65_537}, lambda f: f.translations("m", ("en",))),
        ({"en": "abcd"}, lambda f: f.translations("m", ("en",), 3)),
    ],
    ids=["text", "translations", "short translations"],
)
def test_one_character_more_is_above_it(value, read):
    with pytest.raises(LimitError):
        read(fields(m=value))


def test_a_list_of_texts_has_at_most_4096_characters_in_each():
    with pytest.raises(LimitError):
        fields(m=["a" * 4097]).texts("m", 1)


def test_a_message_names_the_object_the_member_and_what_it_should_be():
    for value, read, said in (
        (1, lambda f: f.text("m"), "'m' of report is not text"),
        ("1", lambda f: f.integer("m", 0, 1), "'m' of report is not an integer"),
        (2, lambda f: f.integer("m", 0, 1), "'m' of report is not between 0 and 1"),
        (1, lambda f: f.child("m").text("n"), "'m' of report is not an object"),
        ({}, lambda f: f.child("m").text("n"), "'m' of report lacks 'n'"),
        ("0", lambda f: f.hex("m", 1), "'m' of report: not 2 lower-case hexadecimal digits"),
        (1, lambda f: f.items("m", 1, str), "'m' of report is not a list"),
        (1, lambda f: f.boolean("m"), "'m' of report is not true or false"),
    ):
        with pytest.raises((MalformedError, LimitError)) as caught:
            read(fields(m=value))
        assert str(caught.value) == said


def test_a_missing_optional_day_is_malformed():
    with pytest.raises(MalformedError, match="lacks 'until'"):
        fields().optional_day("until")


class TestVersions:
    def test_a_document_of_its_version_is_read(self):
        found = read_document(encode_json({"version": "amparo/v1/grant", "kind": "thread"}), "grant", 1000)
        assert found.text("kind") == "thread"
        found.end()

    @pytest.mark.parametrize("version", ["amparo/v2/grant", "amparo/v1/report", "amparo/", "amparo/v1/grant2"])
    def test_another_version_of_ours_is_unsupported(self, version):
        with pytest.raises(UnsupportedVersionError):
            read_document(encode_json({"version": version}), "grant", 1000)

    @pytest.mark.parametrize("version", ["", "grant", "Amparo/v1/grant", "amparo", 1, None])
    def test_any_other_version_is_malformed(self, version):
        with pytest.raises(MalformedError):
            read_document(encode_json({"version": version}), "grant", 1000)

    def test_a_version_has_at_most_64_characters(self):
        with pytest.raises(UnsupportedVersionError):
            read_document(encode_json({"version": "amparo/".ljust(64, "v")}), "grant", 1000)
        with pytest.raises(LimitError):
            read_document(encode_json({"version": "amparo/".ljust(65, "v")}), "grant", 1000)

    def test_no_version_is_malformed(self):
        with pytest.raises(MalformedError, match="lacks 'version'"):
            read_document(b"{}", "grant", 1000)

    def test_a_document_above_its_size_is_refused_unread(self):
        with pytest.raises(LimitError):
            read_document(b"{" * 1001, "grant", 1000)

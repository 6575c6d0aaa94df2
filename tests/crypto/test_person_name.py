# SPDX-License-Identifier: AGPL-3.0-or-later
"""Names of people: honest ones in many scripts are taken, and no two spellings that look alike are two people."""

import unicodedata
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto import person_name
from crypto.errors import MalformedError
from crypto.person_name import MemberNameError, check_people, check_person_name, same_person, skeleton

HONEST = (
    *(
        "Amina Haddad",
        "Jean-Luc O’Brien",
        "María José Núñez Íñiguez",
        "R. Gistrar",
        "Søren Ægir Þórðarson",
        "D’Arcy W. Ng III",
    ),
    *("Nguyễn Thị Hường", "Trần Đức Lương", "Lê Quỳnh Như"),  # Vietnamese
    *("Ọlábísí Adéyẹmí", "Ṣẹ́gun Ọ̀ṣúndáre", "Tòkunbọ̀ Fágbénlé"),  # Yoruba
    *("Elif Yıldız", "İlker Başbuğ", "Çağla Şükrüoğlu", "Nəzrin Əliyeva"),  # Turkish, Azerbaijani
    *("Анна Каренина", "Пётр Ильич Чайковский", "Оксана Їжакевич", "Ђорђе Љубичић"),  # Russian, Ukrainian, Serbian
    *("Νίκος Παπαδόπουλος", "Գայանե Հակոբյան", "ნინო ბერიძე"),  # Greek, Armenian, Georgian
    *("محمد عبد الله", "مُحَمَّدٌ ٱلْأَمِينُ", "آمنة القُرَشِيّ", "إِبْرَٰهِيمُ الرَّشِيد"),  # Arabic, also with all vowels
    *("علی‌رضا محمدی", "فاطمه حسینی", "می‌نا کریمی", "ناہید اختر"),  # Persian, with joiners; Urdu
    *("יעל כהן", "אַבְרָהָם בֶּן־צִיּוֹן", "שְׁלֹמֹה הַמֶּלֶךְ"),  # Hebrew, with points
    *("अनिता शर्मा", "विश्वनाथ क्षीरसागर", "জ্যোতি বসু", "ਗੁਰਪ੍ਰੀਤ ਕੌਰ", "தமிழ்ச்செல்வி", "ශ්‍රී මාලා"),  # Indic
    *("สมชาย ใจดี", "នួន សុខា", "မောင်မောင်", "བསྟན་འཛིན་རྒྱ་མཚོ", "አበበ ቢቂላ", "ᏍᏏᏉᏯ"),
    *("王小明", "歐陽娜娜", "佐々木　健", "やまだ タロー", "山田はなこ", "김민준", "金민준", "ㄅㄆ王"),
    *("র\u200d্যাচেল দাস", "ৰ\u200d্যান বৰা"),
    *("Hawai‘i Kaʻahumanu", "Oʻtkir Gʻulomov", "Ngũgĩ wa Thiong'o", "Ka`ala", "ǃXóõ ǀGui"),
    *("Boris Борис", "Amina أمينة"),  # a word in each script
)

# What a person could be called besides "Amina Haddad", or besides the name before it.
SAME = (
    ("Amina Haddad", "Amina  Haddad"),
    ("Amina Haddad", " amina haddad "),
    ("Amina Haddad", "AMINA HADDAD"),
    ("Amina Haddad", "Amina\u200b Haddad"),  # zero-width space
    ("Amina Haddad", "Am\u00adina Haddad"),  # soft hyphen
    ("Amina Haddad", "Amina\u2060 Haddad"),
    ("Amina Haddad", "\ufeffAmina Haddad"),
    ("Amina Haddad", "Amina Had\u200cdad"),
    ("Amina Haddad", "Amina Haddad\u202c"),
    ("Amina Haddad", "Amina Haddad\U000e0061"),  # tag
    ("Amina Haddad", "Amina\ufe0f Haddad"),  # variation selector
    ("Amina Haddad", "Amina\u034f Haddad"),  # grapheme joiner
    ("Amina Haddad", "Amina\u00a0Haddad"),
    ("Amina Haddad", "Amina\u3000Haddad"),
    ("Amina Haddad", "Аmina Haddad"),  # Cyrillic capital A
    ("Amina Haddad", "Aminа Haddad"),  # Cyrillic small a
    ("Amina Haddad", "Αmina Haddad"),  # Greek capital alpha
    ("Amina Haddad", "Amına Haddad"),  # dotless i
    ("Amina Haddad", "AMlNA HADDAD"),  # small L for I
    ("Amina Haddad", "Arnina Haddad"),  # rn for m
    ("Amina Haddad", "Ａｍｉｎａ　Ｈａｄｄａｄ"),  # fullwidth
    ("Amina Haddad", "𝐀𝐦𝐢𝐧𝐚 𝐇𝐚𝐝𝐝𝐚𝐝"),  # mathematical
    ("Amina Haddad", "Ⓐmina Haddad"),
    ("Amina Haddad", "ΑΜΙΝΑ Haddad"),  # a word of Greek capitals
    ("Amina Haddad", "АМІΝА Haddad"),  # of Cyrillic and Greek capitals
    ("Amina Haddad", "ꓮꓟꓲꓠꓮ Haddad"),  # of Lisu letters
    ("Amina Haddad", "Amina Haddad."),
    ("Ali Hassan", "AIi Hassan"),  # capital I for small L
    ("Ali Hassan", "A1i Hassan"),
    ("Olga Orlova", "0lga 0rlova"),
    ("José Núñez", "Jose\u0301 Nu\u0301n\u0303ez"),  # composed, decomposed
    ("Strauß", "STRAUSS"),
    ("İlker", "ilker"),
    ("Elif Yıldız", "ELIF YILDIZ"),
    ("Jean-Luc", "Jean\u2010Luc"),
    ("Jean-Luc", "Jean Luc"),
    ("O'Brien", "O’Brien"),
    ("O’Brien", "O\u02bcBrien"),  # an apostrophe that is a letter
    ("O’Brien", "O\ua78cBrien"),
    ("O’Brien", "O\u00b4Brien"),  # an accent
    ("Amina Haddad", "Amina Haddad\u02b9"),  # a prime
    ("Amina Haddad", "Amina\u00b8 Haddad"),
    ("Jean-Luc", "Jean\u02d7Luc"),  # signs of subtraction and of the end of a sentence
    ("Jean-Luc", "Jean\u06d4Luc"),
    ("Scott Cox", "Ѕсоtt Сох"),
    ("Peppe Roe", "Реppе Rое"),
    ("Nikos", "Νikοs"),
    ("Raffi", "Raﬃ"),  # ligature
    ("Иванов", "ИВАНОВ"),
    ("Пётр", "Пе\u0308тр"),
    ("Νίκος", "ΝΊΚΟΣ"),
    ("محمد", "مُحَمَّد"),  # with vowels
    ("محمد", "محـمـد"),  # stretched
    ("علي", "علی"),  # Arabic and Persian yeh
    ("علی‌رضا", "علیرضا"),
    ("کریم", "كريم"),
    ("أحمد", "احمد"),
    ("יעל כהן", "יָעֵל כֹּהֵן"),
    ("ｱｷﾗ", "アキラ"),
)

OTHERS = (
    *("Amina Haddad", "Amira Haddad", "Amina Hadad", "Amin Haddad", "Amina Haddad Ali", "Haddad", "Ana Haddad"),
    *("Rani Singh", "Ravi Singh", "Nera", "Vera", "Mary", "Marr", "Nora", "Lia", "Ila", "Neil", "Nell", "Jose", "José"),
    *("Nguyễn Thị Hà", "Nguyễn Thị Hạ", "Анна", "Инна", "محمد", "محمود", "حسن", "حسين", "علي", "عالية"),
    *("王小明", "王小朋", "山田太郎", "김민준", "김민중", "अनिता", "अनीता", "יעל", "יואל"),
)

REFUSED = {
    "long": ("A" * 201, "é" * 100_000, "\u0301" * 1_000_000),
    "empty": (
        "",
        " ",
        "\u200b\u200d\ufeff",
        "\u0301\u0301",
        "\u3164",
        "\u115f\u1160",
        "...",
        "- -",
        "1 2",
        "\U000e0041",
    ),
    "character": (
        *("Amina\nHaddad", "Amina\tHaddad", "Amina\x00", "Amina\x85Haddad", "Amina\u2028Haddad", "Amina\u2009Haddad"),
        *(
            "Amina\u200b",
            "Am\u00adina",
            "Amina\u200dHaddad",
            "Ami\u200cna",
            "\u202eAmina",
            "Amina\u2066",
            "Amina\u061c",
        ),
        *("Amina\U000e0061", "Amina\ue000", "Amina\u0378", "Amina\ud800", "Amina\uffff", "Amina\ufe0f", "Amina\u3164"),
        *("Amina ✓", "Amina|Haddad", "Amina\u2800Haddad", "Amina\u20dd", "A\u180e", "Amina\ufff9"),
    ),
    "marks": (
        "Ami" + "\u0301" * 5 + "na",
        "A" + "\u0323" * 199,
        "\u0301Amina",
        "Amina \u0301Haddad",
        "م" + "\u064e" * 5,
    ),
    "scripts": ("Аmina Haddad", "Amin\u0430", "Αmina", "Haddad Ал\u0069", "Amina حdad", "王Анна", "אмина", "カァнна"),
}


@pytest.mark.parametrize("name", HONEST)
def test_an_honest_name_is_taken_composed_and_decomposed(name: str) -> None:
    for form in (name, unicodedata.normalize("NFC", name), unicodedata.normalize("NFD", name)):
        check_person_name(form)


@pytest.mark.parametrize(
    ("reason", "name"), [(reason, name) for reason, names in REFUSED.items() for name in names], ids=str
)
def test_what_can_be_no_name_is_refused_with_its_reason(reason: str, name: str) -> None:
    with pytest.raises(MemberNameError) as refused:
        check_person_name(name)
    assert refused.value.reason == reason
    assert isinstance(refused.value, MalformedError)


def test_honest_people_are_different_people() -> None:
    for names in (HONEST, OTHERS):
        assert [pair for pair in combinations(names, 2) if same_person(*pair)] == []
        check_people({f"member-{place}": name for place, name in enumerate(names)})


@pytest.mark.parametrize(("one", "other"), SAME, ids=ascii)
def test_spellings_that_look_alike_are_one_person(one: str, other: str) -> None:
    assert same_person(one, other)
    assert same_person(other, one)


UNSEEN = st.sampled_from("\u00ad\u034f\u061c\u200b\u200c\u200d\u200e\u202e\u2060\u2066\ufe0f\ufeff\U000e0041\U000e0100")


@given(st.sampled_from((*HONEST, *OTHERS)), st.lists(st.tuples(st.integers(0, 60), UNSEEN), max_size=8))
def test_what_is_not_seen_makes_nobody_another_person(name: str, added: list[tuple[int, str]]) -> None:
    other = name
    for place, character in added:
        other = other[:place] + character + other[place:]
    assert same_person(name, other)


@given(st.sampled_from((*HONEST, *OTHERS)), st.sampled_from(("NFC", "NFD", "NFKC", "NFKD")))
def test_neither_case_nor_form_makes_another_person(name: str, form: str) -> None:
    for other in (name.upper(), name.lower(), name.title(), name.swapcase(), name.casefold()):
        assert same_person(name, unicodedata.normalize(form, other))


@given(st.text(max_size=40), st.text(max_size=40))
def test_everybody_is_the_same_person_as_themselves_and_each_as_the_other(one: str, other: str) -> None:
    assert same_person(one, one)
    assert same_person(one, other) == same_person(other, one)
    assert same_person(one, unicodedata.normalize("NFD", one))


@given(st.text(max_size=40))
def test_a_skeleton_is_its_own_skeleton(text: str) -> None:
    assert skeleton(skeleton(text)) == skeleton(text)
    assert skeleton(unicodedata.normalize("NFC", text)) == skeleton(unicodedata.normalize("NFD", text))


def test_every_character_of_the_table_has_a_settled_prototype() -> None:
    for code_point, prototype in person_name._prototypes().items():
        assert skeleton(prototype) == prototype, hex(code_point)


def test_of_several_people_the_one_is_said_whose_name_it_is() -> None:
    for names, said in (
        ({"zoe": "Zoë", "one": "Amina Haddad", "bruno": "Bruno", "two": "AMINA HADDAD"}, ("same-person", "two", "one")),
        ({"one": "Amina", "two": "Amina\u202e"}, ("character", "two", None)),
        ({"one": "", "two": ""}, ("empty", "one", None)),
    ):
        with pytest.raises(MemberNameError) as refused:
            check_people(names)
        assert (refused.value.reason, refused.value.label, refused.value.other) == said
        assert all(part in str(refused.value) for part in said if part is not None)

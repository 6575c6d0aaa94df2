# SPDX-License-Identifier: AGPL-3.0-or-later
"""What a passphrase of one's own must be, and what whoever typed a bad one is told."""

import sys
from random import Random

import pytest

from crypto.keyring import new_passphrase
from oversight.members import passphrase
from oversight.members.passphrase import REASONS, problem
from tests.oversight.office import Office

OWN = ["Amina Haddad", "أمينة حدّاد", "amina.h", "Demonstration Commission", "لجنة العرض التجريبي", "amparo"]
GOOD = "pigeon kernel velvet harvest mustang orbit"
MARKS = "̖́"


def test_six_words_of_the_generator_are_always_taken(rng: Random) -> None:
    refused = [words for words in (new_passphrase(rng.randbytes) for _ in range(300)) if problem(words, OWN)]
    assert refused == []


@pytest.mark.parametrize(
    "good",
    [
        GOOD,
        "kq3vz8xw2pb7ghty",
        "كتاب نافذة مطر جبل قطار زيتون",
        "гармонь ведро столица журавль пикник",
        "गुलाब पहाड़ दरवाज़ा समुद्र किताब लालटेन",
        "pigeon kernel جبل زيتون velvet نافذة",
        "ventana bosque lluvia caballo mantequilla",
        "kırlangıç pencere buğday şemsiye çekirdek",
        "qkzvwtnxjgrhplbd",
    ],
)
def test_random_words_of_any_script_are_taken(good: str) -> None:
    assert problem(good, OWN) is None


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        ("password password1", "passwords"),
        ("iloveyou sunshine", "passwords"),
        ("michael jennifer smith", "names"),
        ("father mother sister", "words"),
        ("father mother sister brother", "words"),
        ("one two three four five", "words"),
        ("michael jennifer smith john", "names"),
        ("zxcvbnm,./zxcvfr4rfv", "spatial"),
        ("aaaaaaaaaaaaaaaaaaaaaaaa", "repeat"),
        ("abcdefghijklmnopqrst", "sequence"),
        ("٠١٢٣٤٥٦٧٨٩٠١٢٣٤٥", "sequence"),
        ("12.03.1984 07.11.1986", "date"),
        ("amina haddad amina.h", "user_inputs"),
        ("HADDAD demonstration", "user_inputs"),
        ("Amina Haddad demonstration commission amparo", "user_inputs"),
        ("horse horse horse horse horse horse", "repeat"),
        ("لجنة العرض التجريبي أمينة حداد", "user_inputs"),
        ("كتاب كتاب كتاب كتاب كتاب كتاب", "repeat"),
        ("пароль пароль пароль пароль", "repeat"),
        ("كـتاب كتاب كتـاب كتابْ كِتاب", "repeat"),
    ],
)
def test_what_is_easy_to_guess_is_refused_and_the_reason_is_said(bad: str, reason: str) -> None:
    error = problem(bad, OWN)
    assert error is not None
    assert error.message == REASONS[reason]


@pytest.mark.parametrize(
    "phrase",
    [
        "بسم الله الرحمن الرحيم",
        "Все люди рождаются свободными",
        "密码密码密码密码密码密码密码密码密码",
        "benim güzel kedim burada",
        "liberté égalité fraternité",
        "viva la vida loca",
        "a b c d e f g h i j k l m n o p q r",
    ],
)
def test_words_without_a_dictionary_do_not_count_as_random_characters(phrase: str) -> None:
    assert problem(phrase, OWN) is not None


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ("", passphrase.TOO_SHORT),
        ("kq3vz8xw2pb7", passphrase.TOO_SHORT),
        ("x" * 1_000_000, passphrase.TOO_LONG),
        ("a" + MARKS * 500_000, passphrase.TOO_LONG),
        ("é" * 3000, passphrase.TOO_LONG),
        (GOOD + "\ud800", passphrase.NOT_TEXT),
    ],
    ids=["empty", "short", "a megabyte", "a million marks", "long", "a lone surrogate"],
)
def test_what_can_not_be_a_passphrase_is_said_without_an_estimate(
    bad: str, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "zxcvbn", None)
    error = problem(bad, OWN)
    assert error is not None
    assert error.message == message


def test_only_so_much_is_estimated_as_the_estimate_bears(monkeypatch: pytest.MonkeyPatch) -> None:
    assert problem("1234" * 1024, OWN) is not None
    assert problem(GOOD + " 1234" * 500, OWN) is None


@pytest.mark.parametrize("phrase", ["4@8({[<369&#!1/|0$5+7%2" * 3, "4@8({[<369&#" + "!1/|0$5+7%2x" * 5])
def test_signs_that_stand_for_letters_are_tried_a_few_kinds_at_most(
    phrase: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[str] = []

    def estimate(text: str, own: list[str]) -> dict[str, list[str]]:
        given.append(text)
        return {"sequence": []}

    monkeypatch.setattr("zxcvbn.zxcvbn", estimate)
    problem(phrase, [])
    assert given
    assert all(len(passphrase.LEET & {*text}) <= passphrase.LEET_KINDS_MAX for text in given)
    assert all(len(text) == len(phrase[: passphrase.ESTIMATED_CHARS_MAX]) for text in given)


def test_marks_without_end_are_refused_before_they_are_put_in_order() -> None:
    """Python orders n marks in n² steps: a hundred thousand take more than ten seconds."""
    error = problem("a" + MARKS * 8191, OWN)
    assert error is not None and error.message == passphrase.NOT_TEXT


def test_as_many_words_are_estimated_as_are_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    estimated = []

    def estimate(text: str, own: set[str]) -> tuple[int, list[object]]:
        estimated.append(text)
        return 10, []

    monkeypatch.setattr(passphrase, "_estimate", estimate)
    assert problem(" ".join(f"{one}{two}x" for one in "abcdefghijkl" for two in "mnopqrstuv"), OWN) is None
    assert len(estimated) <= 16


async def test_the_account_page_makes_a_passphrase_and_shows_it_once(office: Office) -> None:
    browser = await office.browser_of("amina")
    answer = await browser.post("/account/passphrase/make")
    assert answer.headers["cache-control"] == "no-store"
    made = answer.text.split('<p class="sheet__secret">')[1].split("</p>")[0]
    assert len(made.split()) == 6
    assert made not in (await browser.post("/account/passphrase/make")).text
    assert (await browser.get("/account/passphrase/make")).headers["location"] == "/account"
    form = {"present": office.world["amina"].passphrase, "new": made, "again": made}
    assert (await browser.post("/account/passphrase", **form)).headers["location"] == "/account?done=passphrase"


async def test_the_members_own_names_do_not_make_a_passphrase(office: Office) -> None:
    browser = await office.browser_of("amina")
    form = {
        "present": office.world["amina"].passphrase,
        **dict.fromkeys(("new", "again"), "Amina Haddad Demonstration"),
    }
    answer = await browser.post("/account/passphrase", **form)
    assert answer.status_code == 422
    assert "a name of yours" in answer.text


@pytest.mark.parametrize("field", ["present", "new", "again"])
@pytest.mark.parametrize(
    ("value", "status"),
    [("x" * 3_000_000, 413), ("x" * 200_000, 422), (MARKS * 30_000, 422), ("", 422), ("%ED%A0%80", 422)],
    ids=["three megabytes", "long", "marks", "empty", "surrogate"],
)
async def test_no_passphrase_makes_the_account_page_fail(office: Office, field: str, value: str, status: int) -> None:
    browser = await office.browser_of("amina")
    form = {"present": office.world["amina"].passphrase, "new": GOOD, "again": GOOD, field: value}
    body = "&".join(f"{name}={text}" for name, text in form.items()).encode()
    answer = await browser.client.post("/account/passphrase", content=body, headers={"sec-fetch-site": "same-origin"})
    assert answer.status_code == status
    assert (await browser.get("/account")).status_code == 200


async def test_a_null_byte_does_not_make_another_passphrase_of_it(office: Office) -> None:
    browser = await office.browser_of("amina")
    form = {"present": office.world["amina"].passphrase, "new": GOOD + "\0", "again": GOOD}
    assert (await browser.post("/account/passphrase", **form)).headers["location"] == "/account?done=passphrase"
    assert (await office.browser().log_in(office.world["amina"], passphrase=f"{GOOD}\0")).status_code == 303

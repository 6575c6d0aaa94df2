# SPDX-License-Identifier: AGPL-3.0-or-later
"""Receipt codes: every kind of slip is found, most with their group; keys depend on code and portal alone."""

import itertools
import sys
import unicodedata
from collections import Counter
from collections.abc import Iterator
from functools import cache
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto.errors import MalformedError
from crypto.manifest import mailbox_id
from crypto.receipt_code import (
    RANDOM_DIGITS,
    ReceiptCodeError,
    add_checks,
    derive,
    format_code,
    groups,
    new_code,
    parse_code,
    wrong_groups,
)
from crypto.receipt_text import CODE_DIGITS, GROUP_DIGITS, GROUPS, read_digits
from tests.vectors import expected_error, load_vectors

REALM = "5a" * 16
CODE = add_checks("31415926535897932384626433")
CODES = st.text("0123456789", min_size=RANDOM_DIGITS, max_size=RANDOM_DIGITS).map(add_checks)


def with_group(number: int, group: str) -> str:
    """The code of zeros with one group replaced."""
    parts = list(groups(add_checks("0" * RANDOM_DIGITS)))
    parts[number - 1] = group
    return "".join(parts)


DIGITS = "0123456789"


@cache
def checked_groups() -> list[frozenset[str]]:
    """For each number of a group, every group that is right there."""
    right: list[set[str]] = [set() for _ in range(GROUPS)]
    for digits in itertools.product(DIGITS, repeat=GROUP_DIGITS):
        group = "".join(digits)
        # Seven groups at once, since a code is what the function takes.
        for number in {*range(1, GROUPS + 1)}.difference(wrong_groups(group * GROUPS)):
            right[number - 1].add(group)
    return [frozenset(each) for each in right]


def with_digits(code: str, digits: dict[int, str]) -> str:
    return "".join(digits.get(place, digit) for place, digit in enumerate(code))


def drawn_codes(count: int) -> Iterator[str]:
    source = Random(3)
    return (new_code(source.randbytes) for _ in range(count))


def jumps(code: str) -> Iterator[str]:
    """Every two digits around a third swapped."""
    for place in range(CODE_DIGITS - 2):
        if code[place] != code[place + 2]:
            yield with_digits(code, {place: code[place + 2], place + 2: code[place]})


def twins(code: str) -> Iterator[str]:
    """Every two equal digits, neighbours or around a third, changed to another two equal ones."""
    for place, step in itertools.product(range(CODE_DIGITS), (1, 2)):
        if code[place] == code[place + step : place + step + 1]:
            others = DIGITS.replace(code[place], "")
            yield from (with_digits(code, {place: digit, place + step: digit}) for digit in others)


def reason_of(code: str) -> str | None:
    """Why the code is refused; None for one that is taken."""
    try:
        parse_code(code)
    except ReceiptCodeError as error:
        # Where only the whole tells, no group can be named.
        assert bool(error.groups) == (error.reason == "group")
        return error.reason
    return None


class TestVectors:
    @pytest.mark.parametrize("vector", load_vectors("receipt-code", "create"))
    def test_check_digits(self, vector):
        assert add_checks(vector["input"]["digits"]) == vector["value"]

    @pytest.mark.parametrize("vector", load_vectors("receipt-code", "parse"))
    def test_parsing(self, vector):
        text = vector["input"]["text"]
        if "value" in vector:
            assert parse_code(text) == vector["value"]
            return
        with pytest.raises(ReceiptCodeError) as caught:
            parse_code(text)
        assert (caught.value.reason, list(caught.value.groups)) == (vector["reason"], vector["groups"])

    @pytest.mark.parametrize("vector", load_vectors("receipt-code", "derive"))
    def test_derivation(self, vector):
        arguments = (vector["input"]["digits"], vector["input"]["realm"])
        if "error" in vector:
            with pytest.raises(expected_error(vector)):
                derive(*arguments)
            return
        secrets = derive(*arguments)
        assert vector["value"] == {
            "mailbox_id": secrets.mailbox_id,
            "token": secrets.token.hex(),
            "token_sha256": secrets.token_sha256,
            "mailbox_seed": secrets.mailbox_seed.hex(),
            "recipient": str(secrets.recipient),
            "control_seed": secrets.control_seed.hex(),
            "control": secrets.control,
            "message_mac": secrets.message_mac.hex(),
            "leaf_nonce": secrets.leaf_nonce.hex(),
            "state_mac": secrets.state_mac.hex(),
        }


class TestSlips:
    """All cases, not samples: what the check digits promise."""

    @pytest.mark.parametrize("number", range(1, GROUPS + 1))
    def test_any_single_wrong_digit_makes_another_group_than_any_right_one(self, number):
        right = checked_groups()[number - 1]
        for group in right:
            slips = {group[:place] + digit + group[place + 1 :] for place in range(GROUP_DIGITS) for digit in DIGITS}
            assert len(slips) == GROUP_DIGITS * 9 + 1
            assert slips & right == {group}

    @pytest.mark.parametrize("number", range(1, GROUPS + 1))
    def test_any_two_neighbouring_digits_transposed_are_found(self, number):
        right = checked_groups()[number - 1]
        for group in right:
            slips = {
                group[:place] + group[place + 1] + group[place] + group[place + 2 :]
                for place in range(GROUP_DIGITS - 1)
            }
            assert (slips - {group}).isdisjoint(right)

    def test_no_group_is_right_in_two_places(self):
        right = checked_groups()
        assert sum(map(len, right)) == len(frozenset.union(*right)) == GROUPS * 10_000

    @given(code=CODES, places=st.permutations(range(GROUPS)))
    def test_groups_in_another_order_are_named(self, code, places):
        shuffled = "".join(groups(code)[place] for place in places)
        moved = tuple(number for number, place in enumerate(places, 1) if place != number - 1)
        if not moved:
            assert parse_code(shuffled) == code
            return
        with pytest.raises(ReceiptCodeError) as caught:
            parse_code(shuffled)
        assert (caught.value.reason, caught.value.groups) == ("group", moved)

    @given(code=CODES, place=st.integers(0, CODE_DIGITS - 1), digit=st.sampled_from("0123456789"))
    def test_the_group_of_a_wrong_digit_is_named(self, code, place, digit):
        slip = code[:place] + digit + code[place + 1 :]
        if slip == code:
            return
        with pytest.raises(ReceiptCodeError) as caught:
            parse_code(slip)
        assert caught.value.groups == (place // GROUP_DIGITS + 1,)

    def test_jumps_and_twins_that_a_group_does_not_see_the_whole_sees(self):
        seen = Counter(reason_of(slip) for code in drawn_codes(300) for slip in (*jumps(code), *twins(code)))
        assert set(seen) == {"group", "code"}
        assert seen["code"] > 1000

    @given(code=CODES, places=st.tuples(*[st.integers(0, CODE_DIGITS - 1)] * 2))
    def test_two_digits_swapped_are_found_wherever_they_stand(self, code, places):
        first, second = places
        slip = with_digits(code, {first: code[second], second: code[first]})
        assert (reason_of(slip) is None) == (slip == code)

    def test_another_group_that_is_right_in_its_place_is_found_but_for_one_in_97(self):
        right, source = sorted(checked_groups()[3]), Random(4)
        seen: Counter[str | None] = Counter()
        for code in drawn_codes(3000):
            parts = list(groups(code))
            parts[3] = next(group for group in source.sample(right, 2) if group != parts[3])
            seen[reason_of("".join(parts))] += 1
        assert set(seen) == {"code", None}
        # 31 of 3000 are expected to pass; six standard deviations are 33.
        assert seen[None] < 64

    def test_the_digits_over_the_whole_are_below_97(self):
        """00 and 97 are the same modulo 97, but a code has one spelling."""
        code = add_checks("0" * RANDOM_DIGITS)
        assert groups(code)[6].startswith("0000")
        (other,) = (group for group in checked_groups()[6] if group.startswith("0097"))
        assert reason_of(code[:-GROUP_DIGITS] + other) == "code"

    def test_each_random_digit_has_a_weight_of_its_own(self):
        """None is left out, and no two of them swapped look the same."""
        zeros = "0" * RANDOM_DIGITS
        checks = {add_checks(with_digits(zeros, {place: "1"}))[32:34] for place in range(RANDOM_DIGITS)}
        assert len(checks | {"00"}) == RANDOM_DIGITS + 1

    def test_a_damm_check_of_the_literature(self):
        """572 has the check digit 4. Group 5 with the digits 7, 2, then 4 and 0 comes to 0 again."""
        assert wrong_groups(with_group(5, "72400")) == []

    def test_the_message_names_groups_and_no_digits(self):
        with pytest.raises(ReceiptCodeError) as caught:
            parse_code(" ".join(["98760", *groups(CODE)[1:6], "98761"]))
        assert str(caught.value) == "receipt code: groups 1, 7 do not match their check digits"


class TestWhatIsSaid:
    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("12", "not 35 digits"),
            (with_group(1, "00001"), "group 1 does not match its check digit"),
            (with_group(2, "0O000"), "group 2 holds something that is not a digit"),
            (with_group(1, "00014"), "one of the groups is not as it was written: compare all of them with your paper"),
            ("!" + with_group(2, "0O000")[1:], "groups 1, 2 hold something that is not a digit"),
        ],
    )
    def test_it_is_said_in_one_sentence_where_to_look(self, text, said):
        with pytest.raises(ReceiptCodeError) as caught:
            parse_code(text)
        assert str(caught.value) == f"receipt code: {said}"

    def test_a_sign_behind_the_last_group_counts_to_it(self):
        with pytest.raises(ReceiptCodeError) as caught:
            parse_code(CODE + "!?")
        assert (caught.value.reason, caught.value.groups) == ("character", (7,))

    def test_a_sign_comes_before_the_length_that_before_the_groups_and_these_before_the_whole(self):
        for text, reason in (
            ("12345!", "character"),
            (CODE[:-1] + "٠0", "length"),
            (CODE + "0", "length"),
            (with_group(1, "00013"), "group"),
            (with_group(1, "00014"), "code"),
        ):
            with pytest.raises(ReceiptCodeError) as caught:
                parse_code(text)
            assert caught.value.reason == reason

    def test_every_digit_that_this_unicode_knows_has_its_value(self):
        """The list is fixed; no program's table may say otherwise of what it knows."""
        known = [chr(point) for point in range(sys.maxunicode + 1) if unicodedata.category(chr(point)) == "Nd"]
        assert len(known) >= 650
        for digit in known:
            assert read_digits(digit) == str(unicodedata.digit(digit))

    @pytest.mark.parametrize(
        "stranger", ["a", "+", "!", "²", "①", "Ⅳ", "五", "\u0301", "\ud800", "\x00", "\u0e5a", "😀"]
    )
    def test_what_is_no_digit_and_no_divider_counts_as_one_in_its_place(self, stranger):
        with pytest.raises(ReceiptCodeError, match="group 1 holds"):
            parse_code(stranger + CODE[1:])

    @given(text=st.text(st.one_of(st.sampled_from("0123456789 )(.:,?x>٣\n"), st.characters()), max_size=60))
    def test_whatever_is_pasted_is_read_or_refused(self, text):
        digits = read_digits(text)
        assert set(digits) <= set(DIGITS + "?")
        assert len(digits) <= len(text)

    @given(code=CODES, number=st.sampled_from(["{}) {}", "{}. {}", "{}: {}", "({}) {}", "{}） {}"]), data=st.data())
    def test_a_code_with_the_numbers_of_its_groups_is_read_and_a_slip_in_it_is_still_found(self, code, number, data):
        numbered = ", ".join(number.format(place, group) for place, group in enumerate(groups(code), 1))
        assert parse_code(numbered) == code
        place = data.draw(st.integers(0, CODE_DIGITS - 1))
        slip = with_digits(code, {place: data.draw(st.sampled_from(DIGITS.replace(code[place], "")))})
        with pytest.raises(ReceiptCodeError) as caught:
            parse_code(" ".join(number.format(place, group) for place, group in enumerate(groups(slip), 1)))
        assert caught.value.groups == (place // GROUP_DIGITS + 1,)


class TestRealms:
    @pytest.mark.parametrize("realm", ["00" * 16, "ff" * 16, "0123456789abcdef" * 2])
    def test_16_bytes_in_hex_are_taken(self, realm):
        assert len(derive(CODE, realm).token) == 32

    @pytest.mark.parametrize(
        "realm",
        ["", "5a" * 15, "5a" * 17, "5a" * 15 + "5", "5A" * 16, "5g" * 16, " " + "5a" * 15 + "5", "5a" * 16 + "\n",
         "٥a" * 16, "https://portal.example"],
    )  # fmt: skip
    def test_another_spelling_would_open_another_mailbox_and_is_refused(self, realm):
        with pytest.raises(MalformedError):
            derive(CODE, realm)


class TestNewCode:
    @given(seed=st.integers(0, 2**32))
    @settings(max_examples=50)
    def test_a_new_code_is_well_formed_in_every_form(self, seed):
        code = new_code(Random(seed).randbytes)
        assert parse_code(code) == code
        assert parse_code(format_code(code)) == code
        assert len(format_code(code).split(" ")) == GROUPS

    def test_bytes_that_would_favour_small_digits_are_thrown_away(self):
        stream = itertools.cycle([*range(250, 256), *range(240, 250)])
        code = new_code(lambda size: bytes(itertools.islice(stream, size)))
        assert code == add_checks("01234567890123456789012345")

    def test_no_more_is_drawn_than_a_code_has_digits(self):
        answers = [bytes(26)]
        code = new_code(lambda size: answers.pop()[: size if size == 26 else 0])
        assert code == add_checks("0" * 26)

    def test_a_source_of_thrown_away_bytes_only_is_asked_again(self):
        answers = [bytes([255]) * 100, bytes([250]) * 100, bytes(25), bytes([7]) * 100]
        code = new_code(lambda size: answers.pop(0)[:size])
        assert code == add_checks("0" * 25 + "7")

    def test_digits_are_spread_evenly(self):
        source = Random(1)
        # The seventh group ends in the digits over the whole.
        codes = [new_code(source.randbytes)[: CODE_DIGITS - 3] for _ in range(2000)]
        counts = Counter(digit for code in codes for group in groups(code) for digit in group[:4])
        assert sorted(counts) == list("0123456789")
        # 5200 of each are expected; six standard deviations are 411.
        assert all(abs(count - 5200) < 411 for count in counts.values())

    def test_two_codes_differ(self):
        assert new_code() != new_code()


class TestDerivation:
    def test_all_secrets_differ(self):
        secrets = derive(CODE, REALM)
        values = [
            secrets.token, secrets.mailbox_seed, secrets.control_seed,
            secrets.message_mac, secrets.leaf_nonce, secrets.state_mac,
        ]  # fmt: skip
        assert len({value[:16] for value in values} | {bytes.fromhex(secrets.mailbox_id)}) == 7

    def test_secrets_are_not_printed(self):
        secrets = derive(CODE, REALM)
        assert repr(secrets) == "MailboxSecrets()"

    def test_other_scripts_must_be_parsed_first(self):
        with pytest.raises(MalformedError):
            derive(format_code(CODE), REALM)

    def test_the_mailbox_id_commits_to_what_is_derived(self):
        secrets = derive(CODE, REALM)
        assert secrets.mailbox_id == mailbox_id(secrets.recipient, secrets.control, secrets.token_sha256)
        assert (secrets.control_key.name, secrets.control_key.verifier.public.hex()) == (
            secrets.mailbox_id,
            secrets.control,
        )


@pytest.mark.parametrize("count", [0, RANDOM_DIGITS - 1, RANDOM_DIGITS + 1, 28])
def test_a_code_is_made_of_no_other_number_of_digits(count):
    with pytest.raises(MalformedError):
        add_checks("1" * count)

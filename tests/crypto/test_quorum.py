# SPDX-License-Identifier: AGPL-3.0-or-later
"""Reserve shares: any k of n trustees open the reserve, fewer do not, and a slip is said to be in its share."""

import itertools
from dataclasses import replace

import pytest
from shamir_mnemonic.shamir import generate_mnemonics
from shamir_mnemonic.share import Share
from shamir_mnemonic.wordlist import WORDLIST

from crypto.errors import AuthenticationError, LimitError, MalformedError
from crypto.quorum import ShareError, check_share, recombine_reserve, split_reserve
from tests.vectors import expected_error, load_vectors

SEED = bytes(range(32))
TRUSTEES = split_reserve(SEED, 3, 5)


@pytest.mark.parametrize("vector", load_vectors("quorum", "recombine"))
def test_vectors(vector):
    shares = vector["input"]["shares"]
    if "value" in vector:
        assert recombine_reserve(shares).hex() == vector["value"]
    elif vector["error"] == "ShareError":
        with pytest.raises(ShareError) as caught:
            recombine_reserve(shares)
        found = (caught.value.reason, caught.value.share, caught.value.word)
        assert found == (vector["reason"], vector["share"], vector.get("word"))
    else:
        with pytest.raises(expected_error(vector)):
            recombine_reserve(shares)


def test_any_three_of_five_trustees_open_the_reserve_in_any_order():
    for three in itertools.permutations(TRUSTEES, 3):
        assert recombine_reserve(three) == SEED


def test_no_two_trustees_open_it():
    for two in itertools.combinations(TRUSTEES, 2):
        with pytest.raises(ShareError, match="2 of the 3 shares"):
            recombine_reserve(two)


def test_every_wrong_word_is_said_to_be_in_its_share():
    words = TRUSTEES[1].split()
    for place in range(len(words)):
        other = "academic" if words[place] != "academic" else "acid"
        slip = " ".join([*words[:place], other, *words[place + 1 :]])
        with pytest.raises(ShareError) as caught:
            recombine_reserve([TRUSTEES[0], slip, TRUSTEES[2]])
        assert (caught.value.reason, caught.value.share) == ("checksum", 2)


def test_no_message_holds_a_word_that_was_typed():
    words = TRUSTEES[1].split()
    for slip in (words[:-1], [*words[:-1], "zzyzx"], [*words[:20], "academic", *words[21:]]):
        with pytest.raises(ShareError) as caught:
            check_share(" ".join(slip))
        assert not {*words, "zzyzx"} & set(str(caught.value).split())


def test_a_share_is_checked_by_itself_as_it_is_typed_in():
    facts = [check_share(share) for share in TRUSTEES]
    assert [fact.number for fact in facts] == [1, 2, 3, 4, 5]
    assert {fact.threshold for fact in facts} == {3}
    assert len({fact.set_id for fact in facts}) == 1


@pytest.mark.parametrize(
    ("threshold", "shares"), [(0, 3), (0, 0), (0, 1), (1, 2), (1, 3), (4, 3), (2, 1), (2, 17), (17, 17)]
)
def test_a_reserve_that_one_of_several_or_nobody_could_open_is_not_made(threshold, shares):
    with pytest.raises(LimitError):
        split_reserve(SEED, threshold, shares)


@pytest.mark.parametrize(("threshold", "shares"), [(1, 1), (2, 2), (2, 16), (16, 16)])
def test_the_bounds_themselves_are_allowed(threshold, shares):
    made = split_reserve(SEED, threshold, shares)
    assert len(made) == shares
    assert recombine_reserve(made[-threshold:]) == SEED


def test_a_seed_of_another_size_is_refused():
    with pytest.raises(MalformedError):
        split_reserve(bytes(16), 2, 3)


def share_of(seed: bytes = SEED, **said: object) -> str:
    """A share of something else than a reserve."""
    arguments = {"group_threshold": 1, "groups": [(2, 3)], "extendable": True, "iteration_exponent": 1, **said}
    return generate_mnemonics(master_secret=seed, **arguments)[0][0]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "said",
    [
        {"groups": [(2, 3), (2, 3)]},
        {"groups": [(2, 3), (2, 3)], "group_threshold": 2},
        {"extendable": False},
        {"iteration_exponent": 0},
    ],
    ids=str,
)
def test_a_share_of_something_else_has_another_form(said):
    assert check_share(share_of()).threshold == 2
    with pytest.raises(ShareError) as caught:
        check_share(share_of(**said))
    assert (caught.value.reason, caught.value.share) == ("form", 1)


def test_a_share_of_a_shorter_secret_has_too_few_words():
    with pytest.raises(ShareError, match="20 words, expected 33") as caught:
        check_share(share_of(bytes(16)))
    assert caught.value.reason == "length"


def test_a_share_is_read_in_capitals_and_between_any_spaces():
    assert recombine_reserve([share.upper().replace(" ", "\n ") for share in TRUSTEES[:3]]) == SEED


def test_the_first_four_letters_stand_for_a_word():
    assert len({word[:4] for word in WORDLIST}) == len(WORDLIST)
    for letters in (4, 5, 6):
        assert recombine_reserve([" ".join(word[:letters] for word in share.split()) for share in TRUSTEES[:3]]) == SEED


def test_the_first_word_that_is_not_in_the_list_is_said_by_its_place():
    words = TRUSTEES[1].split()
    for place in range(len(words)):
        for slip in (words[place][:3], words[place][:4] + "qq", words[place] + "qq", "zzyzx"):
            with pytest.raises(ShareError) as caught:
                check_share(" ".join([*words[:place], slip, *words[place + 1 :], "zzyzx"]))
            assert (caught.value.reason, caught.value.word) == ("word", place + 1)


def test_a_share_that_opens_a_reserve_alone_is_its_only_one():
    alone = split_reserve(SEED, 1, 1)
    assert recombine_reserve(alone) == SEED
    assert (check_share(alone[0]).number, check_share(alone[0]).threshold) == (1, 1)
    another = replace(Share.from_mnemonic(alone[0]), index=1).mnemonic()
    with pytest.raises(ShareError) as caught:
        recombine_reserve([*alone, another])
    assert (caught.value.reason, caught.value.share) == ("form", 2)


def test_every_slip_has_its_reason_and_its_share():
    others = split_reserve(SEED, 3, 5)
    words = TRUSTEES[1].split()
    for shares, reason, place, said in (
        ([], "too-few", None, "no shares"),
        (TRUSTEES[:2], "too-few", None, "2 of the 3 shares that are needed"),
        ([*TRUSTEES[:2], others[2]], "mixed", 3, "share 3: belongs to another set than share 1"),
        ([TRUSTEES[0], TRUSTEES[1], TRUSTEES[1]], "repeated", 3, "share 3: has the same number as share 2"),
        ([TRUSTEES[0], " ".join(words[:-1])], "length", 2, "share 2: 32 words, expected 33"),
        ([TRUSTEES[0], " ".join([*words[:4], "zzyzx", *words[5:]])], "word", 2, "share 2: word 5 is not in the list"),
    ):
        with pytest.raises(ShareError) as caught:
            recombine_reserve(shares)
        assert (caught.value.reason, caught.value.share, str(caught.value)) == (reason, place, said)


def test_at_most_16_shares_are_looked_at():
    made = split_reserve(SEED, 2, 16)
    assert recombine_reserve(made) == SEED
    with pytest.raises(LimitError):
        recombine_reserve([*made, made[0]])


def test_a_share_that_was_made_up_is_found_among_more_than_are_needed():
    forged = replace(Share.from_mnemonic(TRUSTEES[3]), value=bytes(32))
    for shares in ([*TRUSTEES[:3], forged.mnemonic()], [forged.mnemonic(), *TRUSTEES[:3]]):
        with pytest.raises(AuthenticationError):
            recombine_reserve(shares)


def test_a_single_share_is_too_few():
    with pytest.raises(ShareError, match="1 of the 3 shares") as caught:
        recombine_reserve(TRUSTEES[:1])
    assert (caught.value.reason, caught.value.share) == ("too-few", None)

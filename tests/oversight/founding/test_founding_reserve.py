# SPDX-License-Identifier: AGPL-3.0-or-later
"""The reserve: its shares go to paper, each on its keeper's own screen, and back once."""

import re
from random import Random

import pytest

from crypto.age import PqIdentity
from crypto.quorum import recombine_reserve
from oversight.founding.reserve import ReserveInMaking, make_reserve
from tests.oversight.founding.party import CONVENER, Party, errors_of, expect, see_share

LINE = re.compile(r"\s+")


@pytest.fixture
async def making(gathered: Party) -> Party:
    """Three shares are made: Amina's, Bruno's, and one for somebody outside; two open the reserve."""
    await gathered.make_reserve()
    return gathered


def reserve_of(party: Party) -> ReserveInMaking:
    reserve: ReserveInMaking | None = party.app.state.setup.reserve
    assert reserve is not None
    return reserve


async def test_each_keeper_sees_one_share_and_together_they_open_the_reserve(making: Party) -> None:
    party = making
    (link,) = await party.share_links()
    stranger = party.browser()
    places = ((party["amina"], "/found/share"), (party["bruno"], "/found/share"), (stranger, link))
    shares = []
    for browser, here in places:
        assert "Show my share" in (await browser.get(here)).text
        shares.append(await see_share(browser, here))
        assert (await party.founding()).reserve_on_paper is False
        expect(await browser.post(f"{here}/back", share=shares[-1]), here)
        assert "Your share is on paper" in (await browser.get(here)).text
    reserve = (await party.founding()).reserve
    assert reserve is not None
    assert reserve.on_paper
    for left_out in range(3):
        seed = recombine_reserve([share for at, share in enumerate(shares) if at != left_out])
        assert str(PqIdentity.from_seed(seed).recipient()) == reserve.recipient
    assert [share.words for share in reserve_of(party).shares] == [(), (), ()]
    assert "Every share is on paper" in (await party[CONVENER].get("/found/reserve")).text


async def test_a_member_who_keeps_no_share_sees_none(making: Party) -> None:
    expect(await making["chiara"].get("/found/share"), "/found")
    expect(await making["chiara"].post("/found/share"), "/found")
    assert "Your share of the reserve" not in (await making["chiara"].get("/found")).text
    assert "Your share of the reserve" in (await making["bruno"].get("/found")).text


async def test_a_share_that_was_shown_twice_says_so(making: Party) -> None:
    bruno = making["bruno"]
    first = await bruno.post("/found/share")
    assert "was shown" not in first.text
    second = await bruno.post("/found/share")
    assert "This share was shown 2 times" in second.text
    assert "This share was shown 2 times" in (await bruno.get("/found/share")).text
    assert await see_share(bruno, "/found/share") == await see_share(bruno, "/found/share")


async def test_a_share_is_not_shown_by_going_back_to_it(making: Party) -> None:
    words = await see_share(making["bruno"], "/found/share")
    page = (await making["bruno"].get("/found/share")).text
    assert "sheet__word" not in page
    assert words.split()[5] not in LINE.split(re.sub("<[^>]+>", " ", page))


async def test_what_was_typed_wrong_is_named_and_stays(making: Party, rng: Random) -> None:
    bruno = making["bruno"]
    words = (await see_share(bruno, "/found/share")).split()
    at = rng.randrange(4, 33)
    other = "academic" if words[at] != "academic" else "acid"
    swapped = list(words)
    swap = next(place for place in range(4, 32) if words[place] != words[place + 1])
    swapped[swap], swapped[swap + 1] = swapped[swap + 1], swapped[swap]
    for typed, error in (
        ([*words[:at], other, *words[at + 1 :]], f"Word {at + 1} is not the one that was shown"),
        ([*words[:at], "zzzz", *words[at + 1 :]], f"Word {at + 1} is not the one that was shown"),
        (swapped, f"Word {swap + 1} is not the one that was shown"),
        (words[:-1], "A share has 33 words"),
        ([*words, words[0]], "A share has 33 words"),
        ([], "A share has 33 words"),
    ):
        answer = await bruno.post("/found/share/back", share=" ".join(typed))
        assert len(errors_of(answer)) == 1
        assert errors_of(answer)[0].startswith(error)
        assert " ".join(typed) in answer.text
    assert (await bruno.post("/found/share/back", share="x " * 500_000)).status_code == 413
    expect(await bruno.post("/found/share/back", share="  " + "\r\n".join(words).upper() + " "), "/found/share")


async def test_the_first_four_letters_of_each_word_are_enough(making: Party) -> None:
    bruno = making["bruno"]
    words = (await see_share(bruno, "/found/share")).split()
    for letters, taken in ((3, False), (4, True)):
        answer = await bruno.post("/found/share/back", share=" ".join(word[:letters] for word in words))
        if taken:
            expect(answer, "/found/share")
        else:
            assert errors_of(answer) == ["Word 1 is not the one that was shown: look at your paper again"]


async def test_words_that_are_longer_than_those_of_the_share_are_wrong(making: Party) -> None:
    words = (await see_share(making["bruno"], "/found/share")).split()
    answer = await making["bruno"].post("/found/share/back", share=" ".join([f"{words[0]}s", *words[1:]]))
    assert errors_of(answer) == ["Word 1 is not the one that was shown: look at your paper again"]


async def test_anothers_share_and_one_of_an_earlier_reserve_are_told(making: Party) -> None:
    amina, bruno = making["amina"], making["bruno"]
    others = await see_share(amina, "/found/share")
    old = await see_share(bruno, "/found/share")
    answer = await bruno.post("/found/share/back", share=others)
    assert errors_of(answer) == ["This is another keeper’s share of the same reserve"]
    await making.make_reserve()
    answer = await bruno.post("/found/share/back", share=old)
    assert errors_of(answer) == ["This share is from an earlier attempt: destroy that paper"]


async def test_a_link_to_a_share_opens_it_until_there_is_another_reserve(making: Party) -> None:
    (link,) = await making.share_links()
    keeper = making.browser()
    words = await see_share(keeper, link)
    expect(await keeper.post(f"{link}/back", share=words), link)
    for answer in (await keeper.get(link), await making.browser().get(link)):
        assert "Your share is on paper" in answer.text
    # Nothing shows or takes it any more.
    expect(await keeper.post(link), link)
    expect(await keeper.post(f"{link}/back", share=words), link)
    await making.make_reserve()
    for answer in (await keeper.get(link), await keeper.post(link), await keeper.post(f"{link}/back", share=words)):
        assert answer.status_code == 410
    assert (await making.share_links()) != [link]


async def test_a_members_token_is_no_link(making: Party) -> None:
    for share in reserve_of(making).shares:
        if share.keeper:
            assert (await making.browser().get(f"/share/{share.token}")).status_code == 410


async def test_links_open_nothing_while_the_office_is_closed_or_founds_anew(making: Party) -> None:
    (link,) = await making.share_links()
    await making.restart()
    assert (await making.browser().get(link)).status_code == 410
    await making[CONVENER].get("/found")
    assert (await making.browser().get(link)).status_code == 410
    await making.make_reserve()
    (link,) = await making.share_links()
    await making[CONVENER].post("/found/start-over")
    assert (await making.browser().get(link)).status_code == 410


async def test_after_a_restart_the_shares_are_gone_and_the_page_says_so(making: Party) -> None:
    await see_share(making["bruno"], "/found/share")
    await making.restart()
    page = (await making[CONVENER].get("/found/reserve")).text
    assert "The shares are gone" in page
    assert "destroy what is on paper" in page
    expect(await making["bruno"].get("/found/share"), "/found")
    expect(await making[CONVENER].get("/found/draft"), "/found")
    await making.make_reserve()
    await making.put_on_paper()
    assert (await making.founding()).reserve_on_paper


async def test_a_reserve_on_paper_outlives_a_restart(making: Party) -> None:
    await making.put_on_paper()
    await making.restart()
    assert "Every share is on paper" in (await making[CONVENER].get("/found/reserve")).text
    assert (await making.founding()).reserve_on_paper


async def test_another_reserve_voids_the_draft(laid_out: Party) -> None:
    expect(await laid_out.sign("bruno"), "/found/draft")
    await laid_out.make_reserve()
    founding = await laid_out.founding()
    assert founding.draft is None
    assert not founding.reserve_on_paper
    expect(await laid_out["bruno"].get("/found/draft"), "/found")


async def test_the_last_share_of_a_reserve_that_was_replaced_finishes_nothing(making: Party) -> None:
    """Somebody types back while the convener makes another reserve."""
    old = reserve_of(making)
    for share in old.shares[:2]:
        share.forget()
    (link,) = await making.share_links()
    words = await see_share(making.browser(), link)
    await making.make_reserve()
    making.app.state.setup.reserve = old
    assert (await making.browser().post(f"{link}/back", share=words)).status_code == 410
    assert not (await making.founding()).reserve_on_paper


@pytest.mark.parametrize(
    ("keepers", "outside", "threshold", "error"),
    [
        (["amina", "bruno"], "1", "1", "Among several members, at least two shares must be needed to open the reserve"),
        (["amina"], "0", "2", "No more shares can be needed than there are"),
        ([], "0", "2", "There can be from 1 to 16 shares"),
        ([], "16", "17", "This must be a whole number from 1 to 16"),
        (["amina"], "16", "2", "There can be from 1 to 16 shares"),
        (["amina", "nobody"], "1", "3", "No more shares can be needed than there are"),
        (["amina"], "-1", "2", "This must be a whole number from 0 to 16"),
        (["amina"], "1", "0", "This must be a whole number from 1 to 16"),
        (["amina"], "", "2", "This must be a whole number from 0 to 16"),
    ],
)
async def test_a_division_that_can_not_be_is_told(
    gathered: Party, keepers: list[str], outside: str, threshold: str, error: str
) -> None:
    answer = await gathered[CONVENER].post("/found/reserve", keepers=keepers, outside=outside, threshold=threshold)
    assert error in errors_of(answer)
    assert gathered.app.state.setup.reserve is None
    assert (await gathered.founding()).reserve is None


def test_words_and_links_are_in_no_representation(rng: Random) -> None:
    reserve = make_reserve(2, ["amina", "", ""], rng.randbytes)
    for share in reserve.shares:
        assert share.words[7] not in repr(share)
        assert share.token not in repr(share)

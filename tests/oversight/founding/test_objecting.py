# SPDX-License-Identifier: AGPL-3.0-or-later
"""A governor finds a fingerprint that is not the one read out: the draft is void, said to all."""

import re

import pytest

from crypto.errors import MalformedError
from tests.oversight.founding.party import CONVENER, Party, errors_of, expect
from tests.oversight.founding.test_publishing import lie

SAID = "Bruno Keller</bdi> found that the fingerprint of <bdi>Chiara Lombardi</bdi> is another than the one read out"


async def test_a_wrong_fingerprint_voids_the_draft_and_everybody_is_told(laid_out: Party) -> None:
    expect(await laid_out.sign("chiara"), "/found/draft")
    expect(await laid_out.object("bruno", "chiara"), "/found/draft")
    for label in ("amina", "bruno", "chiara"):
        for path in ("/found", "/found/draft"):
            page = (await laid_out[label].get(path)).text
            assert SAID in page
            assert "oid" in page
    founding = await laid_out.founding()
    assert founding.draft is not None
    assert (founding.draft.signed, founding.draft.note) == ((), "")
    assert not founding.is_signed
    expect(await laid_out[CONVENER].get("/found/publish"), "/found")
    # What to do about it is told to the convener.
    told = {
        label: "the reserve is made anew" in (await laid_out[label].get("/found")).text for label in ("amina", "bruno")
    }
    assert told == {"amina": True, "bruno": False}


async def test_nobody_signs_what_is_void(laid_out: Party) -> None:
    expect(await laid_out.object("bruno", "chiara"), "/found/draft")
    draft = (await laid_out.founding()).draft
    assert draft is not None
    for label in ("amina", "bruno", "chiara"):
        compared = [other for other in ("amina", "bruno", "chiara", ".portal") if other != label]
        form = {"draft": draft.hash, "compared": compared, "about": "amina"}
        expect(await laid_out[label].post("/found/draft/sign", **form), "/found")
        expect(await laid_out[label].post("/found/draft/object", **form), "/found")
    assert (await laid_out.founding()).draft == draft


async def test_a_signed_charter_can_still_be_found_wrong(laid_out: Party) -> None:
    for label in ("bruno", "chiara"):
        expect(await laid_out.sign(label), "/found/draft")
    expect(await laid_out.object("bruno", "amina"), "/found/draft")
    assert not (await laid_out.founding()).is_signed
    expect(await laid_out[CONVENER].post("/found/publish", invitation="x"), "/found")


async def test_the_portals_key_can_be_found_wrong(laid_out: Party) -> None:
    expect(await laid_out.object("bruno", ".portal"), "/found/draft")
    for path in ("/found", "/found/draft"):
        assert "the portal’s key is another than its operator read out" in (await laid_out["chiara"].get(path)).text


@pytest.mark.parametrize("about", ["", "nobody", ".", "amina,chiara"])
async def test_whose_fingerprint_is_wrong_has_to_be_said(laid_out: Party, about: str) -> None:
    assert errors_of(await laid_out.object("bruno", about)) == ["Choose whose fingerprint is wrong"]
    assert (await laid_out.founding()).is_open_for_signing


async def test_after_an_objection_that_person_is_invited_again_and_the_charter_stands(before_portal: Party) -> None:
    party = before_portal
    expect(await party.object("bruno", "chiara"), "/found/draft")
    expect(await party[CONVENER].post("/found/draft/take-back"), "/found")
    before = (await party.founding()).keys["chiara"]
    link = await party.invite("chiara")
    # The account that somebody else may have made is gone, and its session.
    expect(await party["chiara"].get("/found"), "/login?next=/found")
    assert (await party.log_in("chiara")).status_code == 403
    expect(await party[CONVENER].get("/found/draft"), "/found")
    party.clock.forward(minutes=1)
    expect(await party.join("chiara", link), "/found?joined")
    assert (await party.founding()).keys["chiara"] != before
    await party.lay_out()
    for label in ("amina", "chiara"):
        expect(await party.sign(label), "/found/draft")
    assert "The commission is founded" in (await party.publish(await party.invitation())).text


@pytest.mark.parametrize("way", ["invite", "remove"])
async def test_a_share_that_other_keys_may_have_seen_makes_the_reserve_anew(laid_out: Party, way: str) -> None:
    party = laid_out
    expect(await party.object("chiara", "bruno"), "/found/draft")
    expect(await party[CONVENER].post("/found/draft/take-back"), "/found")
    assert (await party.founding()).reserve_on_paper
    told = "This member keeps a share of the reserve, which is then made anew."
    assert (await party[CONVENER].get("/found/members")).text.count(told) == 1
    if way == "remove":
        expect(await party[CONVENER].post("/found/members/remove", label="bruno"), "/found/members")
        expect(await party[CONVENER].get("/found/draft"), "/found")
    else:
        link = await party.invite("bruno")
        party.clock.forward(minutes=1)
        expect(await party.join("bruno", link), "/found?joined")
        expect(await party["bruno"].get("/found/share"), "/found")
        expect(await party[CONVENER].get("/found/draft"), "/found")
        await party.make_reserve()
        await party.put_on_paper()
        assert (await party[CONVENER].get("/found/draft")).status_code == 200
    assert (await party.founding()).reserve_on_paper == (way == "invite")


async def test_a_portal_that_shows_another_key_than_on_the_page_is_not_laid_out(
    before_portal: Party, monkeypatch: pytest.MonkeyPatch
) -> None:
    party = before_portal
    expect(await party[CONVENER].post("/found/draft/take-back"), "/found")
    page = (await party[CONVENER].get("/found/draft")).text
    shown = re.findall(r'name="portal" value="([^"]+)"', page)
    lie(monkeypatch, "verifier")
    answer = await party[CONVENER].post("/found/draft", portal=shown[0])
    assert errors_of(answer) == ["The portal shows another key than before. Ask its operator which one is right"]
    assert re.findall(r'name="portal" value="([^"]+)"', answer.text) != shown
    assert (await party.founding()).draft is None


async def test_without_the_portal_nothing_is_laid_out(before_portal: Party) -> None:
    party = before_portal
    assert party.portal is not None
    expect(await party[CONVENER].post("/found/draft/take-back"), "/found")
    party.portal.cut_off = True
    assert "The portal does not answer" in (await party[CONVENER].get("/found/draft")).text
    assert errors_of(await party[CONVENER].post("/found/draft", portal="x"))
    party.portal.cut_off = False
    await party.lay_out()


async def test_entries_that_make_no_charter_are_told(before_portal: Party, monkeypatch: pytest.MonkeyPatch) -> None:
    party = before_portal
    expect(await party[CONVENER].post("/found/draft/take-back"), "/found")
    page = (await party[CONVENER].get("/found/draft")).text
    (shown,) = re.findall(r'name="portal" value="([^"]+)"', page)

    def refuse(*arguments: object) -> None:
        raise MalformedError("a name that no reader takes")

    monkeypatch.setattr("oversight.founding.founding.make_charter", refuse)
    answer = await party[CONVENER].post("/found/draft", portal=shown)
    assert errors_of(answer) == ["These entries do not make a charter: look through the steps again"]
    assert (await party.founding()).draft is None

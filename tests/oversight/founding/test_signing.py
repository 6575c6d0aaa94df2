# SPDX-License-Identifier: AGPL-3.0-or-later
"""The charter as a draft: each governor compares and signs it in their own session, or finds it wrong."""

import re
from dataclasses import replace

import pytest

from crypto.charter import read_charter
from crypto.fingerprint import key_fingerprint, member_fingerprint
from crypto.keyring import Keyring
from oversight.founding.charter_draft import PublicKeys
from oversight.founding.founding import Founding
from tests.chance import fresh_bytes
from tests.oversight.founding.party import COMMISSION, CONVENER, Party, errors_of, expect, read_hash

VOID = "found that the fingerprint of"


async def draft_page(party: Party, label: str) -> str:
    answer = await party[label].get("/found/draft")
    assert answer.status_code == 200
    return answer.text


async def test_the_draft_shows_everybodys_fingerprint_and_the_portals(laid_out: Party) -> None:
    draft = (await laid_out.founding()).draft
    assert draft is not None
    contents = draft.contents
    for label in ("amina", "bruno", "chiara"):
        page = await draft_page(laid_out, label)
        for member in contents.members:
            assert member_fingerprint(member) in page
        assert key_fingerprint(contents.portal) in page
        assert draft.hash in page
    # On each member's first page stands the one that they read out: of the keys of their own session.
    for member in contents.members:
        assert member_fingerprint(member) in (await laid_out[member.label].get("/found")).text


async def test_two_of_three_governors_sign_and_the_charter_is_theirs(laid_out: Party) -> None:
    expect(await laid_out.sign("chiara"), "/found/draft")
    assert "1 of 2 signatures" in await draft_page(laid_out, "chiara")
    assert not (await laid_out.founding()).is_signed
    expect(await laid_out.sign("bruno"), "/found/draft")
    founding = await laid_out.founding()
    assert founding.is_signed
    assert founding.draft is not None
    charter = read_charter(founding.draft.note.encode())
    assert charter.hash == founding.draft.hash
    assert "To do" in (await laid_out[CONVENER].get("/found")).text
    # A third one may sign all the same.
    expect(await laid_out.sign("amina"), "/found/draft")
    assert read_charter((await laid_out.founding()).draft.note.encode()).hash == charter.hash


async def test_nobody_signs_without_having_compared_all(laid_out: Party) -> None:
    page = await draft_page(laid_out, "bruno")
    compared = re.findall(r'name="compared" value="([^"]+)"', page)
    assert compared == ["amina", "chiara", ".portal"]
    for left_out in range(3):
        some = [label for at, label in enumerate(compared) if at != left_out]
        answer = await laid_out.sign("bruno", compared=some)
        assert errors_of(answer) == ["Tick each person whose fingerprint you have compared, and the portal’s key"]
        assert len(re.findall(r'value="(?:amina|chiara|\.portal)" checked', answer.text)) == 2
    for wrong in ([], [*compared, "bruno"], ["amina", "chiara", "nobody"]):
        assert errors_of(await laid_out.sign("bruno", compared=wrong))
    assert (await laid_out.founding()).draft.signed == ()


async def test_a_page_of_another_draft_signs_nothing(laid_out: Party) -> None:
    for hash_ in ("", "0" * 64, "ä"):
        answer = await laid_out.sign("bruno", draft=hash_)
        assert errors_of(answer) == ["The draft was changed while you read it. This is the new one: compare it again"]
        assert errors_of(await laid_out["bruno"].post("/found/draft/object", draft=hash_, about="amina"))
    founding = await laid_out.founding()
    assert founding.draft is not None
    assert (founding.draft.signed, founding.draft.objection) == ((), None)


async def test_signing_twice_is_signing_once(laid_out: Party) -> None:
    expect(await laid_out.sign("bruno"), "/found/draft")
    before = await laid_out.founding()
    draft = before.draft
    assert draft is not None
    form = {"draft": draft.hash, "compared": ["amina", "chiara", ".portal"]}
    expect(await laid_out["bruno"].post("/found/draft/sign", **form), "/found/draft")
    assert await laid_out.founding() == before
    assert draft.signed == ("bruno",)
    assert not before.is_signed


async def test_a_member_who_is_no_governor_signs_nothing(before_portal: Party) -> None:
    party = before_portal
    expect(await party[CONVENER].post("/found/members/chiara/roles", roles="chair"), "/found/members")
    await party.lay_out()
    page = await draft_page(party, "chiara")
    assert "Compared, all the same" not in page
    draft = (await party.founding()).draft
    assert draft is not None
    form = {"draft": draft.hash, "compared": ["amina", "bruno", ".portal"]}
    expect(await party["chiara"].post("/found/draft/sign", **form), "/found")
    assert (await party.founding()).draft == draft


async def test_a_draft_that_names_other_keys_is_not_signed_by_their_owner(laid_out: Party) -> None:
    def swap(founding: Founding) -> Founding:
        return replace(founding, keys={**founding.keys, "bruno": other})

    other = PublicKeys.of(Keyring.generate(fresh_bytes))
    await laid_out.change(swap)
    answer = await laid_out.sign("bruno")
    assert errors_of(answer)[0].startswith("The draft names other keys for you")
    assert (await laid_out.founding()).draft.signed == ()


async def test_keys_that_were_swapped_before_the_draft_are_seen_by_their_owner(before_portal: Party) -> None:
    party = before_portal
    other = PublicKeys.of(Keyring.generate(fresh_bytes))
    expect(await party[CONVENER].post("/found/draft/take-back"), "/found")
    await party.change(lambda founding: replace(founding, keys={**founding.keys, "bruno": other}))
    await party.lay_out()
    page = await draft_page(party, "bruno")
    assert "Your own keys are not the ones in this draft" in page
    assert ">Sign<" not in page
    assert errors_of(await party.sign("bruno"))[0].startswith("The draft names other keys for you")
    # The one that Bruno reads out is of his own keys, so that the others notice as well.
    draft = (await party.founding()).draft
    assert draft is not None
    entry = next(member for member in draft.contents.members if member.label == "bruno")
    assert member_fingerprint(entry) not in (await party["bruno"].get("/found")).text
    expect(await party.object("bruno", "bruno"), "/found/draft")


async def test_the_convener_takes_a_draft_back_while_a_governor_reads_it(before_portal: Party) -> None:
    party = before_portal
    page = await draft_page(party, "bruno")
    form = {"draft": read_hash(page), "compared": re.findall(r'name="compared" value="([^"]+)"', page)}
    expect(await party[CONVENER].post("/found/draft/take-back"), "/found")
    expect(await party["bruno"].post("/found/draft/sign", **form), "/found")
    expect(await party[CONVENER].post("/found/commission", **{**COMMISSION, "days_valid": "60"}), "/found")
    await party.lay_out()
    assert errors_of(await party["bruno"].post("/found/draft/sign", **form))[0].startswith("The draft was changed")


async def test_a_draft_with_signatures_is_not_laid_out_over(before_portal: Party) -> None:
    party = before_portal
    expect(await party[CONVENER].post("/found/draft/take-back"), "/found")
    await party.lay_out()
    expect(await party.sign("bruno"), "/found/draft")
    before = await party.founding()
    portal = str(before.draft.contents.portal)
    expect(await party[CONVENER].post("/found/draft", portal=portal), "/found")
    assert await party.founding() == before


@pytest.mark.parametrize(
    ("path", "form"),
    [
        ("commission", {**COMMISSION, "mandate-en": "Something else."}),
        ("members", {"member": "Daud Rahimi", "label": "daud"}),
        ("members/bruno/roles", {"roles": "auditor", "governor": "yes"}),
        ("members/remove", {"label": "bruno"}),
        ("members/bruno/invite", {}),
        ("members/threshold", {"threshold": "3"}),
    ],
)
async def test_whatever_changes_the_plan_drops_draft_and_signatures(
    laid_out: Party, path: str, form: dict[str, str]
) -> None:
    await laid_out.sign("chiara")
    answer = await laid_out[CONVENER].post(f"/found/{path}", **form)
    assert answer.status_code in {200, 303}
    assert (await laid_out.founding()).draft is None
    # Bruno keeps a share of the reserve: it goes with his keys.
    assert (await laid_out.founding()).reserve_on_paper == ("bruno" in (await laid_out.founding()).keys)
    expect(await laid_out["chiara"].get("/found/draft"), "/found")


async def test_what_changes_nothing_keeps_draft_and_signatures(laid_out: Party) -> None:
    await laid_out.sign("chiara")
    before = await laid_out.founding()
    expect(await laid_out[CONVENER].post("/found/commission", **COMMISSION), "/found")
    expect(await laid_out[CONVENER].post("/found/members/threshold", threshold="2"), "/found/members")
    assert await laid_out.founding() == before

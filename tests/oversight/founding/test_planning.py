# SPDX-License-Identifier: AGPL-3.0-or-later
"""The convener's entries: what the commission is, who belongs to it, who signs; and what is stored of them."""

import html
import re

import pytest
from starlette.requests import Request

from oversight.commission.keys import OfficeLockedError
from oversight.founding import plan_pages
from oversight.founding.founding_draft import FoundingChangedError, FoundingDraft
from oversight.founding.records import FoundingRecord
from oversight.founding.store import start_over
from oversight.web.forms import Form
from tests.chance import fresh_bytes
from tests.oversight.founding.party import COMMISSION, CONVENER, Party, errors_of, expect


@pytest.fixture
async def convened(party: Party) -> Party:
    await party.convene()
    return party


async def states(party: Party, label: str = CONVENER) -> list[str]:
    return re.findall(r'class="state[^>]*>[^A-Z]*([A-Za-z ]+)<', (await party[label].get("/found")).text)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("slug", "1"),
        ("slug", "two words"),
        ("name-ar", " "),
        ("name-en", "x" * 201),
        ("mandate-en", "x" * 4001),
        ("jurisdictions", "Atlantis!"),
        ("days_valid", "0"),
        ("grace_days", "99999999999999999999"),
        ("reply_days", "29"),
    ],
)
async def test_wrong_entries_are_named_and_what_was_typed_stays(convened: Party, field: str, value: str) -> None:
    answer = await convened[CONVENER].post("/found/commission", **{**COMMISSION, field: value})
    assert len(errors_of(answer)) == 1
    assert f'href="#{field}"' in answer.text
    assert "<title>Error: " in answer.text
    assert COMMISSION["mandate-ar"] in answer.text


async def test_the_steps_come_in_their_order(convened: Party) -> None:
    amina = convened[CONVENER]
    assert await states(convened) == ["To do", "Not yet", "Not yet", "Not yet", "Not yet"]
    for path in ("reserve", "draft", "publish", "share"):
        expect(await amina.get(f"/found/{path}"), "/found")
    for path in ("reserve", "draft", "draft/sign", "draft/object", "publish"):
        expect(await amina.post(f"/found/{path}"), "/found")
    await convened.enter_plan()
    assert await states(convened) == ["Done", "To do", "Not yet", "Not yet", "Not yet"]
    await convened.gather()
    assert await states(convened) == ["Done", "Done", "To do", "Not yet", "Not yet"]


async def test_the_founding_goes_on_where_it_was_left(convened: Party) -> None:
    await convened.enter_plan()
    await convened.restart()
    assert "Harbour Commission" in (await convened[CONVENER].get("/found/commission")).text
    assert "Chiara Lombardi" in (await convened[CONVENER].get("/found/members")).text


async def test_the_short_name_is_fixed_once_somebody_is_invited(convened: Party) -> None:
    await convened.enter_plan()
    expect(await convened[CONVENER].post("/found/commission", **{**COMMISSION, "slug": "other"}), "/found")
    expect(await convened[CONVENER].post("/found/commission", **COMMISSION), "/found")
    await convened.invite("bruno")
    answer = await convened[CONVENER].post("/found/commission", **{**COMMISSION, "slug": "other"})
    assert errors_of(answer) == ["Keys bear the short name: start over to change it"]


SEEN = "Write the name with letters that can be seen"
NOBODY_SEES = "The name holds a symbol, a line break, or a character that nobody sees"
SAME_FACE = "This name looks the same as that of"


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({"label": "amina"}, "Another member has this short name"),
        ({"label": "office"}, "The office itself has this short name: choose another one"),
        ({"label": "Daud R"}, "The short name must have letters a–z, digits or hyphens, and begin with a letter"),
        ({"label": "d" * 32}, "The short name must have letters a–z, digits or hyphens, and begin with a letter"),
        ({"member": ""}, "Write the name as it stands in the charter"),
        ({"member": "x" * 201}, "A name has at most 200 characters"),
        ({"member": "\u200b\u200b"}, SEEN),
        ({"member": "Daud\u200b Rahimi"}, NOBODY_SEES),
        ({"member": "Da\u00adud Rahimi"}, NOBODY_SEES),
        ({"member": "Daud\nRahimi"}, NOBODY_SEES),
        ({"member": "\u202eDaud Rahimi"}, NOBODY_SEES),
        ({"member": "Daud Rаhimi"}, "A word of the name mixes letters of two scripts"),
        ({"member": "Da" + "\u0301" * 200 + "ud"}, "A name has at most 200 characters"),
        ({"member": "Da" + "\u0301" * 100 + "ud"}, "The name has more accents on a letter than anybody can read"),
        ({"member": "AMINA haddad"}, SAME_FACE),
        ({"member": "Ａmina Haddad"}, SAME_FACE),
    ],
)
async def test_a_member_that_can_not_be_is_told(convened: Party, form: dict[str, str], error: str) -> None:
    await convened.enter_plan()
    before = await convened.founding()
    whole = {"member": "Daud Rahimi", "label": "daud", "roles": "legal", **form}
    answer = await convened[CONVENER].post("/found/members", **whole)
    (said,) = errors_of(answer)
    assert said.startswith(error)
    assert re.search(r'value="legal"[^>]* checked', answer.text)
    assert await convened.founding() == before


@pytest.mark.parametrize("field", ["name-en", "name-ar", "mandate-en", "mandate-ar"])
@pytest.mark.parametrize("odd", ["\u202e", "\u2066", "\u200f", "\U000e0041", "\u0007"])
async def test_a_text_that_would_be_read_in_another_order_is_told_with_its_place(
    convened: Party, field: str, odd: str
) -> None:
    text = f"Two words{odd} more"
    answer = await convened[CONVENER].post("/found/commission", **{**COMMISSION, field: text})
    (said,) = errors_of(answer)
    assert "Two words" in said
    assert f"U+{ord(odd):04X}" in said
    assert text in html.unescape(answer.text), "what was typed stays"
    assert (await convened.founding()).plan.slug == ""


@pytest.mark.parametrize("label", ["remove", "threshold", "roles", "invite", "members"])
async def test_a_short_name_may_be_a_word_of_an_address(convened: Party, label: str) -> None:
    await convened.enter_plan()
    form = {"member": "Daud Rahimi", "label": label, "roles": "legal"}
    expect(await convened[CONVENER].post("/found/members", **form), "/found/members")
    expect(await convened[CONVENER].post(f"/found/members/{label}/roles", roles="auditor"), "/found/members")
    daud = (await convened.founding()).plan.member(label)
    assert daud is not None
    assert daud.roles == ("auditor",)
    assert await convened.invite(label)
    expect(await convened[CONVENER].post("/found/members/remove", label=label), "/found/members")
    assert (await convened.founding()).plan.member(label) is None


@pytest.mark.parametrize("label", ["nobody", "", "é" * 300, "a\x00b"])
async def test_whoever_is_not_there_is_not_removed(convened: Party, label: str) -> None:
    await convened.enter_plan()
    before = await convened.founding()
    expect(await convened[CONVENER].post("/found/members/remove", label=label), "/found/members")
    assert await convened.founding() == before


async def test_roles_that_there_are_not_are_left_out(convened: Party) -> None:
    await convened.enter_plan()
    form = {"roles": ["queen", "chair", "auditor"], "governor": "yes"}
    expect(await convened[CONVENER].post("/found/members/bruno/roles", **form), "/found/members")
    bruno = (await convened.founding()).plan.member("bruno")
    assert bruno is not None
    assert bruno.roles == ("chair", "auditor")


@pytest.mark.parametrize("threshold", ["0", "1", "4", "x", "", "٢x"])
async def test_a_number_of_governors_that_can_not_be_is_told(convened: Party, threshold: str) -> None:
    await convened.enter_plan()
    answer = await convened[CONVENER].post("/found/members/threshold", threshold=threshold)
    assert len(errors_of(answer)) == 1
    assert (await convened.founding()).plan.governors_threshold == 2


async def test_too_few_governors_are_told_and_nothing_goes_on(gathered: Party) -> None:
    for label in ("bruno", "chiara"):
        expect(await gathered[CONVENER].post(f"/found/members/{label}/roles", roles="chair"), "/found/members")
    assert "More governors must sign than there are" in (await gathered[CONVENER].get("/found/members")).text
    expect(await gathered[CONVENER].get("/found/reserve"), "/found")
    assert (await states(gathered))[1] == "To do"


async def test_what_is_stored_is_sealed(gathered: Party) -> None:
    with gathered.app.state.database.use():
        sealed = bytes((await FoundingRecord.get()).sealed)
    for text in ("Harbour", "harbour", "Bruno", "bruno"):
        assert text.encode() not in sealed


async def test_of_two_pages_at_once_the_slower_one_is_told(convened: Party, monkeypatch: pytest.MonkeyPatch) -> None:
    await convened.enter_plan()
    read_form = plan_pages.read_form

    async def read_while_another_page_saves(request: Request) -> Form:
        monkeypatch.setattr(plan_pages, "read_form", read_form)
        expect(await convened[CONVENER].post("/found/members/remove", label="chiara"), "/found/members")
        return await read_form(request)

    monkeypatch.setattr(plan_pages, "read_form", read_while_another_page_saves)
    answer = await convened[CONVENER].post("/found/members/bruno/roles", roles="auditor")
    assert (answer.status_code, "Another page was quicker" in answer.text) == (409, True)
    plan = (await convened.founding()).plan
    assert [member.label for member in plan.members] == ["amina", "bruno"]
    assert plan.members[1].roles == ("investigator",)


async def test_a_state_is_kept_only_after_the_one_that_it_follows(convened: Party) -> None:
    key = convened.app.state.office_safe.keys.record_key
    with convened.app.state.database.use():
        one, other = [await FoundingDraft.load(key) for _ in range(2)]
        await one.save(one.founding)
        with pytest.raises(FoundingChangedError):
            await other.save(other.founding)
        with pytest.raises(FoundingChangedError):
            await FoundingDraft.begin(key).save(one.founding)
        await one.save(one.founding)


@pytest.mark.parametrize("sealed", [b"", b"x", None, "random", "cut"])
async def test_a_founding_that_can_not_be_read_says_so_and_can_be_started_over(
    gathered: Party, sealed: bytes | str | None
) -> None:
    link = await gathered.invite("bruno")
    with gathered.app.state.database.use():
        row = await FoundingRecord.get()
        if sealed is None:
            await row.delete()
        else:
            row.sealed = {"random": fresh_bytes(500), "cut": bytes(row.sealed)[:-1]}.get(str(sealed), sealed)
            await row.save()
    for label in ("amina", "chiara"):
        for path in ("/found", "/found/members", "/found/draft", "/found/share"):
            answer = await gathered[label].get(path)
            assert (answer.status_code, "The founding can’t be read" in answer.text) == (503, True)
            assert "start-over" in answer.text
    assert (await gathered["bruno"].get(link)).status_code == 503
    assert (await gathered.browser().get(f"/share/{'x' * 32}")).status_code == 410
    with gathered.app.state.database.use():
        assert await start_over(gathered.app.state.office_safe)
    await gathered.restart()
    gathered.browsers.clear()
    await gathered.convene()
    assert (await gathered[CONVENER].get("/found")).status_code == 200


async def test_an_office_that_was_closed_meanwhile_says_so(gathered: Party, monkeypatch: pytest.MonkeyPatch) -> None:
    async def load(key: bytes) -> FoundingDraft:
        raise OfficeLockedError

    monkeypatch.setattr(FoundingDraft, "load", load)
    answer = await gathered["bruno"].get("/found")
    assert (answer.status_code, "The office is closed" in answer.text) == (503, True)


async def test_a_row_that_was_left_without_members_is_not_founded_over(party: Party) -> None:
    with party.app.state.database.use():
        await FoundingRecord.create(id=1, sealed=b"of another version")
    answer = await party.browser().get(party.setup_link)
    assert (answer.status_code, "start-over" in answer.text) == (503, True)


async def test_starting_over_leaves_nothing(gathered: Party, capsys: pytest.CaptureFixture[str]) -> None:
    party = gathered
    await party.make_reserve()
    for label in ("bruno", "chiara"):
        expect(await party[label].post("/found/start-over"), "/found")
    assert capsys.readouterr().out == ""
    expect(await party[CONVENER].post("/found/start-over"), "/found")
    # The new link is on the terminal, and on no page.
    assert party.setup_link in capsys.readouterr().out
    assert party.setup_link not in (await party[CONVENER].get("/found")).text
    for label in ("amina", "bruno", "chiara"):
        expect(await party[label].get("/found/members"), "/login?next=/found/members")
        expect(await party[label].get("/login"), "/found")
    assert party.app.state.setup.reserve is None
    assert not party.app.state.office_safe.is_open
    assert list(party.settings.secrets.iterdir()) == []
    party.browsers.clear()
    await party.convene()
    assert (await party.founding()).plan.members[0].label == "amina"

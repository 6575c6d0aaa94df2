# SPDX-License-Identifier: AGPL-3.0-or-later
"""A ledger that leaves the office: the file holds, and whatever was done to it is found and named."""

import asyncio
import io
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from crypto import note
from crypto.charter import Charter, make_charter, read_charter
from crypto.encoding import encode_json
from crypto.event import Event, read_event, sign_event
from crypto.event_types import Approved, Declared, Moved, Public
from crypto.note import Note, SigningKey
from oversight.__main__ import main
from oversight.cases import commands
from oversight.cases.case_store import load_notes
from oversight.cases.ledger_cli import verify_file
from oversight.ledger.export import write_export
from oversight.ledger.verify import LedgerError
from tests.oversight.case_desk import REASONS, Desk
from tests.people import World


@dataclass
class Ledger:
    """The notes of a case on its way to ADMITTED, and files made of them."""

    folder: Path
    world: World
    case: str
    number: str
    notes: list[bytes]

    @property
    def head(self) -> str:
        return Note.parse(self.notes[-1]).hash

    @property
    def charter_file(self) -> Path:
        path = self.folder / "charter.note"
        path.write_bytes(self.world.charter.note)
        return path

    def write(self, notes: list[bytes], charters: list[Charter] | None = None, case: str | None = None) -> Path:
        out = io.BytesIO()
        write_export(out, case or self.case, charters or [self.world.charter], notes)
        path = self.folder / "case.ledger"
        path.write_bytes(out.getvalue())
        return path

    def refused(self, notes: list[bytes], head: str | None = None) -> str:
        """Return the reason for which these notes are refused."""
        with pytest.raises(LedgerError) as refusal:
            verify_file(self.write(notes), [self.charter_file], head)
        return str(refusal.value)

    def event(self, sequence: int) -> Event:
        charters = {self.world.charter.hash: self.world.charter}
        event = read_event(self.notes[sequence], charters)
        names = Event.__dataclass_fields__
        return Event(**{name: getattr(event, name) for name in names})

    def forge(self, actor: str, public: Public, key: SigningKey | None = None, after: int | None = None) -> bytes:
        """An event after the last one (or after another), signed by the actor's key or by another one."""
        last = len(self.notes) - 1 if after is None else after
        event = replace(
            self.event(last),
            sequence=last + 1,
            previous=Note.parse(self.notes[last]).hash,
            actor=actor,
            public=public,
            sealed=None,
        )
        return sign_event(event, key or self.world[actor].signing_key).encode()


@pytest.fixture
async def ledger(desk: Desk, tmp_path: Path) -> Ledger:
    state = await desk.open_case()
    case = state.head.case
    await commands.note(desk.person("bruno"), case, "A note.")
    for to_state in ("ACKNOWLEDGED", "TRIAGE", "CONFLICT_CHECK"):
        await commands.change_state(
            desk.person("amina"), case, to_state, "sent" if to_state == "ACKNOWLEDGED" else None
        )
    await desk.decide(case, "ASSIGNED", by="amina")
    await commands.change_state(desk.person("bruno"), case, "ADMITTED", None, REASONS)
    notes = [data async for data in load_notes(case)]
    return Ledger(tmp_path, desk.world, case, state.number, notes)


async def test_an_untouched_ledger_holds(ledger: Ledger) -> None:
    verified = verify_file(ledger.write(ledger.notes), [ledger.charter_file], ledger.head)
    assert (verified.events, verified.head.hash) == (len(ledger.notes), ledger.head)
    assert verified.state.state == "ASSIGNED"


async def test_every_byte_of_a_ledger_counts(ledger: Ledger) -> None:
    path = ledger.write(ledger.notes[:3])
    whole, head = path.read_bytes(), Note.parse(ledger.notes[2]).hash
    first_event = whole.index(b"\n") + 1
    for place in range(first_event, len(whole), 97):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        with pytest.raises(LedgerError):
            verify_file(path, [ledger.charter_file], head)


async def test_a_ledger_that_was_cut_off_is_noticed_by_whoever_knows_its_head(ledger: Ledger) -> None:
    shorter = ledger.notes[:-1]
    assert verify_file(ledger.write(shorter), [ledger.charter_file]).events == len(shorter)
    assert "not with the expected head" in ledger.refused(shorter, ledger.head)
    path = ledger.write(ledger.notes)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(LedgerError, match="cut off"):
        verify_file(path, [ledger.charter_file])
    assert ledger.refused([]) == "it has no events"


async def test_a_reordered_ledger_is_refused_at_the_first_event_out_of_place(ledger: Ledger) -> None:
    notes = list(ledger.notes)
    notes[2], notes[3] = notes[3], notes[2]
    assert ledger.refused(notes) == "event 2: chain broken: event 3 where 2 was expected"
    assert ledger.refused(ledger.notes[:2] + ledger.notes[3:]).startswith("event 2: chain broken")
    assert ledger.refused(ledger.notes[1:]).startswith("event 0: chain broken")
    assert ledger.refused([*ledger.notes, ledger.notes[-1]]).startswith(f"event {len(ledger.notes)}: chain broken")


async def test_an_event_that_was_replaced_breaks_the_chain_behind_it(ledger: Ledger) -> None:
    notes = list(ledger.notes)
    notes[2] = ledger.forge("daud", Declared(conflict=False, granted=()), after=1)
    assert ledger.refused(notes) == "event 3: chain broken: the event does not hold the hash of the one before it"


async def test_an_event_by_the_wrong_key_is_named(ledger: Ledger) -> None:
    place = len(ledger.notes)
    declared = Declared(conflict=False, granted=())
    other = ledger.forge("chiara", declared, key=ledger.world["bruno"].signing_key)
    assert ledger.refused([*ledger.notes, other]).startswith(f"event {place}: not genuine: note: not signed by")
    posing = SigningKey.from_seed("demo-commission/chiara", ledger.world["bruno"].keyring.signing_seed)
    assert f"event {place}: not genuine" in ledger.refused(
        [*ledger.notes, ledger.forge("chiara", declared, key=posing)]
    )
    twice = note.add_signature(Note.parse(ledger.forge("chiara", declared)), ledger.world["bruno"].signing_key)
    assert "an event must have exactly one signature" in ledger.refused([*ledger.notes, twice.encode()])


async def test_what_the_rules_refuse_is_no_part_of_a_ledger_either(ledger: Ledger) -> None:
    place = len(ledger.notes)
    proposal = Note.parse(ledger.notes[-1]).hash
    attempts = {
        "no-such-transition": ledger.forge("amina", Moved("ASSIGNED", "PUBLISHED", None)),
        "moved-on": ledger.forge("amina", Moved("RECEIVED", "ACKNOWLEDGED", "sent")),
        "four-eyes": ledger.forge("bruno", Moved("ASSIGNED", "ADMITTED", None)),
        "same-member": ledger.forge("bruno", Approved(proposal)),
        "not-a-holder": ledger.forge("daud", Approved(proposal)),
        "role": ledger.forge("amina", Approved(proposal)),
    }
    for code, forged in attempts.items():
        assert ledger.refused([*ledger.notes, forged]) == f"event {place}: against the rules: {code}"
    accepted = ledger.forge("chiara", Approved(proposal))
    assert verify_file(ledger.write([*ledger.notes, accepted]), [ledger.charter_file]).state.state == "ADMITTED"


async def test_an_approval_by_a_recused_member_is_no_part_of_a_ledger(desk: Desk, ledger: Ledger) -> None:
    await commands.declare(desk.person("chiara"), ledger.case, conflict=True)
    await commands.recuse(desk.person("amina"), ledger.case, "chiara", REASONS)
    proposal = Note.parse(ledger.notes[-1]).hash
    ledger.notes = [data async for data in load_notes(ledger.case)]
    forged = ledger.forge("chiara", Approved(proposal))
    assert ledger.refused([*ledger.notes, forged]) == f"event {len(ledger.notes)}: against the rules: recused"


async def test_a_chain_of_charters_that_nobody_trusts_proves_nothing(ledger: Ledger) -> None:
    stranger = read_charter(
        note.sign(
            make_charter(replace(ledger.world.charter, grace_days=8)),
            [person.signing_key for person in ledger.world.governors],
        ).encode()
    )
    path = ledger.folder / "stranger.note"
    path.write_bytes(stranger.note)
    with pytest.raises(LedgerError, match="none of the charters given"):
        verify_file(ledger.write(ledger.notes), [path])
    with pytest.raises(LedgerError, match="event 0: not genuine"):
        verify_file(ledger.write(ledger.notes, charters=[stranger]), [path])
    with pytest.raises(LedgerError, match="not an export"):
        verify_file(ledger.write(ledger.notes, charters=[ledger.world.charter, stranger]), [ledger.charter_file])


async def test_a_file_of_another_form_is_refused(ledger: Ledger) -> None:
    path = ledger.folder / "other"
    for content in (b"", b"\n", b"{}\n", b"PK\x03\x04", encode_json({"version": "amparo/v2/ledger"}) + b"\n"):
        path.write_bytes(content)
        with pytest.raises(LedgerError, match="not an export of a ledger"):
            verify_file(path, [ledger.charter_file])
    with pytest.raises(LedgerError, match="another case"):
        verify_file(ledger.write(ledger.notes, case="0" * 32), [ledger.charter_file])
    whole = ledger.write(ledger.notes).read_bytes()
    for line in (b"\n", b"7\n", b'"no note"\n', b' "x"\n'):
        path.write_bytes(whole + line)
        with pytest.raises(LedgerError, match=f"event {len(ledger.notes)}: not genuine"):
            verify_file(path, [ledger.charter_file])


async def test_the_commands_write_a_ledger_and_verify_it_without_a_database(
    desk: Desk, ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "exported.ledger"
    monkeypatch.setenv("OVERSIGHT_DATA", str(tmp_path))
    assert await asyncio.to_thread(main, ["export-ledger", ledger.number, str(out)]) == 0
    assert capsys.readouterr().out == f"{ledger.number}: {len(ledger.notes)} events, head {ledger.head}\n"
    assert await asyncio.to_thread(main, ["export-ledger", "C-2026-9999", str(tmp_path / "none")]) == 1
    assert "no case C-2026-9999" in capsys.readouterr().err
    assert await asyncio.to_thread(main, ["export-ledger", ledger.case, str(out)]) == 1
    assert "exists" in capsys.readouterr().err

    monkeypatch.delenv("OVERSIGHT_DATA")
    verify = ["verify-ledger", str(out), "--charters", str(ledger.charter_file)]
    assert main([*verify, "--head", ledger.head]) == 0
    expected = f"{ledger.number}: {len(ledger.notes)} events, unbroken, head {ledger.head}\n"
    assert capsys.readouterr().out == expected
    assert main([*verify, "--head", "0" * 64]) == 1
    assert "not with the expected head" in capsys.readouterr().err
    assert main([*verify, "--head", "zero"]) == 1
    assert main(["verify-ledger", str(tmp_path / "missing"), "--charters", str(ledger.charter_file)]) == 1
    lines = out.read_bytes().splitlines(keepends=True)
    out.write_bytes(b"".join([*lines[:3], lines[4], lines[3], *lines[5:]]))
    capsys.readouterr()
    assert main(verify) == 1
    assert capsys.readouterr().err == f"{out}: event 2: chain broken: event 3 where 2 was expected\n"

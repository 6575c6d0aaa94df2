# SPDX-License-Identifier: AGPL-3.0-or-later
"""``python -m oversight demo``: set the stage once, then serve portal and office until told to end."""

import argparse
import asyncio
import json
import shutil
import signal
import time
from pathlib import Path
from types import FrameType
from typing import Any

import pyotp

from crypto.age import PqIdentity
from oversight.demo.programs import START_KEY, DemoError, Server, demo_office, demo_portal
from oversight.demo.stage import (
    answer_reports,
    describe,
    found_commission,
    make_cases,
    send_reports,
    write_again,
    write_json,
)
from portal.kit.files import write_secret_file

LOOK_SECONDS = 1.0
ENDING = (signal.SIGINT, signal.SIGTERM)
BOX_COLUMNS = 92


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """The command's options."""
    parser = commands.add_parser("demo", help="found a fictional commission, fill it, and serve portal and office")
    parser.add_argument("--folder", type=Path, required=True, help="where the demonstration's data is kept")
    parser.add_argument("--portal-port", type=int, default=8000)
    parser.add_argument("--office-port", type=int, default=8001)
    code = commands.add_parser("demo-code", help="print a login code for a member of the demonstration")
    code.add_argument("--folder", type=Path, required=True, help="where the demonstration's data is kept")
    code.add_argument("username")


def run(options: argparse.Namespace) -> int:
    """Serve until SIGINT or SIGTERM, or until one of the programs ends. Raises DemoError."""
    folder: Path = options.folder.resolve()
    if options.command == "demo-code":
        print(_code_for(_read_description(folder), options.username))
        return 0
    portal = demo_portal(folder, options.portal_port)
    office = demo_office(folder, options.office_port, portal)
    before = {which: signal.signal(which, _end) for which in ENDING}
    try:
        description = _start(folder, portal, office)
        print(_box(description), flush=True)
        while True:
            time.sleep(LOOK_SECONDS)
            for server in (portal, office):
                if server.has_ended():
                    raise DemoError(f"the {server.module} program ended; {server.log} says why")
    except KeyboardInterrupt:
        pass
    finally:
        _ignore_signals()
        office.stop()
        portal.stop()
        for which, handler in before.items():
            signal.signal(which, handler)
    return 0


def _ignore_signals() -> None:
    """Whoever asks twice waits for the same end."""
    for which in ENDING:
        signal.signal(which, signal.SIG_IGN)


def _end(number: int, frame: FrameType | None) -> None:
    """Nothing that has a lock: it would wait here for the very wait that is interrupted."""
    _ignore_signals()
    raise KeyboardInterrupt


def _start(folder: Path, portal: Server, office: Server) -> dict[str, Any]:
    """Start both programs on the existing data, or make the data first."""
    described = folder / "demo.json"
    if described.exists():
        description = _read_description(folder)
        if not (folder / START_KEY).exists():
            raise DemoError("this demonstration was made by an earlier version: make demo-clean, then make demo")
        _check_ports(description, portal, office)
        portal.start()
        office.start()
        return description
    # Without its description a demonstration was broken off half-way: nothing in it is worth keeping.
    for part in ("portal", "office", "sheets"):
        shutil.rmtree(folder / part, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)
    # A real office keeps it elsewhere. With it this one opens by itself, and collects before anybody logs in.
    write_secret_file(folder / START_KEY, f"{PqIdentity.generate()}\n".encode("ascii"))
    description = _set_stage(folder, portal, office)
    write_json(described, description)
    return description


def _check_ports(description: dict[str, Any], portal: Server, office: Server) -> None:
    """A receipt code opens its mailbox at one address only."""
    was = (description["portal_url"], description["office_url"])
    if was != (portal.url, office.url):
        raise DemoError(f"this demonstration was made for {was[0]} and {was[1]}: use these ports, or make demo-clean")


def _set_stage(folder: Path, portal: Server, office: Server) -> dict[str, Any]:
    _say("Starting the portal …")
    portal.start()
    _say("Founding the commission: keys, reserve shares, charter …")
    founded = asyncio.run(found_commission(folder, portal, office))
    _say("Sealing and sending two dozen reports …")
    sent = send_reports(portal, founded.charter)
    _say("Starting the office, which collects them …")
    office.start()
    _say("Answering some …")
    answer_reports(office, founded.sheets["registrar"], sent)
    write_again(portal, founded.charter, sent)
    _say("Making cases of some, and publishing two findings …")
    findings = asyncio.run(make_cases(office, founded, sent))
    return describe(portal, office, founded, sent, findings)


def _say(text: str) -> None:
    print(text, flush=True)


def _box(description: dict[str, Any]) -> str:
    """What a person needs to look around, readable in a terminal of a hundred columns."""
    rows = [
        "Amparo is running: a demonstration in which nobody and nothing is real.",
        "",
        f"Portal   {description['portal_url']}/en/   (Arabic: /ar/)",
        f"Office   {description['office_url']}/",
        "",
        f"The register of findings, one of them corrected:  {description['portal_url']}/en/findings/",
        f"Reports, a clock that is overdue among them:       {description['office_url']}/queue",
        f"Cases in every state, one with a recused member:   {description['office_url']}/cases",
        "",
        "A receipt code with an answer waiting, for “I have a code”:",
        f"    {description['receipt_codes'][0]}",
        "",
        "Members of the office (username · passphrase):",
        *(f"    {member['username']:<12} {member['passphrase']}" for member in description["members"]),
        "",
        "A login also takes a code of six digits, a fresh one every 30 seconds and each taken once:",
        "    make demo-code USERNAME=registrar",
        "",
        "Ctrl+C ends it; the data stays for the next start. `make demo-clean` throws it away.",
    ]
    line = "─" * BOX_COLUMNS
    return "\n".join([f"┌{line}", *(f"│ {row}" for row in rows), f"└{line}"])


def _code_for(description: dict[str, Any], username: str) -> str:
    """The second factor's code of this moment. Raises DemoError for an unknown username."""
    for member in description["members"]:
        if member["username"] == username:
            return pyotp.TOTP(member["totp_secret"]).now()
    raise DemoError(f"the demonstration has no member {username}")


def _read_description(folder: Path) -> dict[str, Any]:
    try:
        description: dict[str, Any] = json.loads((folder / "demo.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise DemoError("there is no demonstration yet: make demo") from None
    return description

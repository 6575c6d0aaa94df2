# SPDX-License-Identifier: AGPL-3.0-or-later
"""Setting the stage: a commission of six fictional members, two dozen reports, some answers."""

import json
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import httpx

from crypto.charter import Charter
from crypto.ids import FindingId, SubmissionId
from crypto.receipt_code import format_code
from oversight.commission.keys import OfficeSafe, load_start_identity
from oversight.commission.portal import connect_before_founding
from oversight.demo.cases import CaseMaker, PlannedCase, people_of, set_back
from oversight.demo.member import DemoMember
from oversight.demo.programs import Server
from oversight.demo.reporter import DemoReporter
from oversight.demo.reports import DemoReport, load_reports
from oversight.founding.command import Founded, found
from oversight.founding.plan import load_plan
from oversight.founding.sheets import Sheet
from oversight.settings import Settings
from oversight.storage import Database

PLAN = Path(__file__).with_name("commission.toml")
REQUEST_SECONDS_MAX = 60.0


@dataclass(frozen=True)
class Sent:
    """A report that was sent: what it was, its submission id, its receipt code of 35 digits."""

    report: DemoReport
    submission: SubmissionId
    digits: str


async def found_commission(folder: Path, portal: Server, office: Server) -> Founded:
    """The founding as on the command line; the sheets stay in the folder, for this is a demonstration."""
    plan = load_plan(PLAN)
    invitation = portal.run("invite", plan.slug).split()[-1]
    settings = Settings.from_environment(office.settings)
    settings.secrets.mkdir(mode=0o700, parents=True, exist_ok=True)
    database = await Database.open(settings.database_url)
    try:
        with database.use():
            async with connect_before_founding(settings) as client:
                sheets = folder / "sheets"
                return await found(
                    plan,
                    settings=settings,
                    safe=OfficeSafe(settings.secrets, load_start_identity(settings.start_key_file)),
                    client=client,
                    invitation=invitation,
                    out=sheets,
                    today=_today(),
                )
    finally:
        await database.close()


def send_reports(portal: Server, charter: Charter) -> list[Sent]:
    """Every report of the demonstration, sealed and sent as a browser would."""
    _, reports = load_reports()
    with httpx.Client(base_url=portal.url, timeout=REQUEST_SECONDS_MAX) as http:
        reporter = DemoReporter(http, charter, _today())
        return [Sent(report, *reporter.send(report)) for report in reports]


def answer_reports(office: Server, registrar: Sheet, sent: list[Sent]) -> None:
    """The registrar reads what is to be answered, and answers it, on the office's pages."""
    with DemoMember(office.url) as member:
        member.log_in(registrar.member.username, registrar.passphrase, registrar.totp_secret)
        member.wait_for_reports(len(sent))
        for each in sent:
            if each.report.reply is not None and each.report.reply_language is not None:
                member.read(each.submission)
                member.reply(each.submission, each.report.reply_language, each.report.reply)


async def make_cases(office: Server, founded: Founded, sent: list[Sent]) -> list[FindingId]:
    """Cases in every state, and what was published; the ids of the findings."""
    settings = Settings.from_environment(office.settings)
    database = await Database.open(settings.database_url)
    publisher = founded.sheets["publisher"]
    try:
        with database.use(), DemoMember(office.url) as member:
            member.log_in(publisher.member.username, publisher.passphrase, publisher.totp_secret)
            people = await people_of(founded, datetime.now(UTC))
            maker = CaseMaker(people, founded.charter, member)
            for each in sent:
                if each.report.days_ago is not None:
                    await set_back(each.submission, each.report.days_ago)
                if each.report.case is not None:
                    await maker.make(PlannedCase(each.submission, each.report.case, each.report.finding))
            return maker.published
    finally:
        await database.close()


def write_again(portal: Server, charter: Charter, sent: list[Sent]) -> None:
    """Some reporters come back with their code and write again."""
    with httpx.Client(base_url=portal.url, timeout=REQUEST_SECONDS_MAX) as http:
        reporter = DemoReporter(http, charter, _today())
        for each in sent:
            if each.report.follow_up is not None:
                reporter.follow_up(each.digits, each.report.follow_up)


def describe(
    portal: Server, office: Server, founded: Founded, sent: list[Sent], findings: list[FindingId]
) -> dict[str, Any]:
    """What ``demo.json`` holds. Codes with an answer waiting come first."""
    answered_first = sorted(sent, key=lambda each: each.report.reply is None)
    return {
        "notice": load_reports()[0],
        "portal_url": portal.url,
        "office_url": office.url,
        "commission": founded.charter.slug,
        "members": [_describe_member(sheet) for sheet in founded.sheets.values()],
        "receipt_codes": [format_code(each.digits) for each in answered_first],
        "findings": findings,
    }


def write_json(path: Path, value: dict[str, Any]) -> None:
    """Written whole or not at all, for this user alone: it holds passphrases."""
    draft = path.with_suffix(".part")
    draft.touch(mode=0o600)
    draft.write_text(json.dumps(value, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    draft.replace(path)


def _describe_member(sheet: Sheet) -> dict[str, Any]:
    return {
        "name": sheet.member.name,
        "roles": list(sheet.member.roles),
        "username": sheet.member.username,
        "passphrase": sheet.passphrase,
        "totp_secret": sheet.totp_secret,
    }


def _today() -> date:
    return datetime.now(UTC).date()

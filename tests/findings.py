# SPDX-License-Identifier: AGPL-3.0-or-later
"""Findings of the test commission, all of them fictional, and charters of it in which something is not as it should."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from crypto.charter import Charter, make_charter, read_charter
from crypto.finding import (
    Finding,
    FindingDraft,
    Recommendation,
    Section,
    finding_id,
    make_finding,
    make_withdrawal,
    read_finding,
)
from crypto.note import sign
from tests.people import TODAY, World, write_charter

CHAIR, PUBLISHER, AUTHOR = "chiara", "elif", "bruno"


def draft_finding(world: World, number: int = 1, *, day: date = TODAY, **changes: Any) -> FindingDraft:
    """What the test commission found, about as long as a real one."""
    draft = FindingDraft(
        id=finding_id(world.slug, day.year, number),
        slug=world.slug,
        charter=world.charter.hash,
        revision=1,
        previous=None,
        kind="finding",
        reason=None,
        day=day,
        language="en",
        title="Held for nineteen days after the date of surrender had passed",
        summary="A person whose surrender had been ordered was held for nineteen days after the last day on which it "
        "could take place. No court looked at the detention in that time.",
        sections=(
            Section(
                "What happened",
                "The surrender was ordered in the second quarter of 2026. The time limit of **ten days** passed.\n\n"
                "- Nobody asked for a new date.\n- Nobody told the lawyer.\n\nThe person was then let go.",
            ),
            Section("What the rules say", "A person who is *still held* after the time limit shall be released."),
        ),
        quarter="2026-Q2",
        jurisdictions=("ZZ",),
        codes=("EXT-DET-SURR", "EXT-COUNSEL"),
        standard="SP-RGB",
        grade="FN-SUBST",
        recommendations=(
            Recommendation(
                1, "Ministry of Justice", "Release people on the day on which the limit passes.", "open", "2027-Q1"
            ),
            Recommendation(2, "Bar association", "Tell lawyers of every date.", "implemented"),
        ),
        reply="We take note of the finding. The case concerned a single mistake.",
        dissent=None,
        author=AUTHOR,
    )
    return replace(draft, **changes)


def sign_finding(world: World, draft: FindingDraft, signers: Sequence[str] = (CHAIR, PUBLISHER)) -> bytes:
    return sign(make_finding(draft), [world[label].signing_key for label in signers]).encode()


def publish_finding(world: World, number: int = 1, **changes: Any) -> Finding:
    return read_finding(sign_finding(world, draft_finding(world, number, **changes)), world.charter)


def correction_of(previous: Finding, /, **changes: Any) -> FindingDraft:
    plain = FindingDraft(**{name: getattr(previous, name) for name in FindingDraft.__dataclass_fields__})
    following = {"revision": previous.revision + 1, "previous": previous.hash, "kind": "correction"}
    return replace(plain, **{**following, "reason": "The number of days was wrong: nineteen, not eighteen.", **changes})


def withdrawal_of(previous: Finding, day: date = TODAY) -> FindingDraft:
    reason = "The finding named a place by which a person could be known."
    return make_withdrawal(previous, charter=previous.charter, day=day, reason=reason, author=AUTHOR)


def charter_with(world: World, **members: dict[str, Any]) -> Charter:
    """The world's charter with changes to some of its members, signed by its governors."""
    changed = tuple(replace(member, **members.get(member.label, {})) for member in world.charter.members)
    text = write_charter(replace(world.charter, members=changed))
    return read_charter(sign(text, [person.signing_key for person in world.governors]).encode())


def successor_charter(world: World, **changes: Any) -> Charter:
    """The charter after the world's own."""
    draft = replace(world.charter, number=2, previous=world.charter.hash, **changes)
    return read_charter(sign(make_charter(draft), [person.signing_key for person in world.governors]).encode())

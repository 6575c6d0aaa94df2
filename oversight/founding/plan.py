# SPDX-License-Identifier: AGPL-3.0-or-later
"""What a commission is to be, before any key is made: read from a file, or gathered by the founding pages.

slug = "demo-commission"
jurisdictions = ["ZZ"]
days_valid = 365          # how long the first charter holds
slots = 16                # stanzas in every grant: room for so many members and the reserve
grace_days = 14           # how long the portal keeps what was collected
reply_days = 365          # may be left out: how long it keeps replies

[name]                    # and [mandate]: one text for each language
en = "Demonstration Commission"
ar = "…"

[governors]               # who signs charters, and how many of them must
threshold = 2
members = ["amina", "chiara", "elif"]

[reserve]                 # how many shares of the reserve there are, and how many open it together
threshold = 3
shares = 5

[limits]
attachments = 8
attachment_bytes = 104857600

[[members]]
label = "amina"           # stands in the names of the member's keys
name = "Amina Haddad"
roles = ["registrar"]
username = "amina"        # may be left out: the label
locale = "en"             # may be left out: the first language of the commission
"""

import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from crypto.charter import (
    DAYS_MAX,
    GOVERNORS_MAX,
    JURISDICTION,
    JURISDICTIONS_MAX,
    LABEL,
    LANGUAGES_MAX,
    MEMBERS_MAX,
    NAME_CHARS_MAX,
    REPLY_DAYS_MIN,
    ROLES,
    SLOTS_MAX,
    SLUG,
)
from crypto.document import Fields
from crypto.errors import CryptoError, MalformedError
from crypto.manifest import ATTACHMENT_SEALED_MAX, ATTACHMENTS_MAX
from crypto.questionnaire import refuse_repeats
from crypto.quorum import SHARES_MAX
from oversight.members.accounts import fold_username
from portal.kit.i18n import LOCALES, SOURCE_LOCALE

DAYS_VALID_MAX = 3660
REPLY_DAYS_USUAL = 365
MANDATE_CHARS_MAX = 4000
FILE_BYTES_MAX = 256 * 1024


class PlanError(Exception):
    """A founding file can't be used; the message says why."""


@dataclass(frozen=True)
class PlannedMember:
    """One future member."""

    label: str
    name: str
    username: str
    roles: tuple[str, ...]
    locale: str


@dataclass(frozen=True)
class Plan:
    """Everything about the commission that people decide."""

    slug: str
    name: Mapping[str, str]
    mandate: Mapping[str, str]
    jurisdictions: tuple[str, ...]
    days_valid: int
    slots: int
    grace_days: int
    reply_days: int
    attachments: int
    attachment_bytes: int
    members: tuple[PlannedMember, ...]
    governors: tuple[str, ...]
    governors_threshold: int
    reserve_threshold: int
    reserve_shares: int

    @property
    def languages(self) -> tuple[str, ...]:
        return tuple(self.name)

    def member(self, label: str) -> PlannedMember | None:
        return next((member for member in self.members if member.label == label), None)

    def to_value(self) -> dict[str, Any]:
        """Return the plan in the form of a founding file."""
        return {
            "slug": self.slug,
            "name": dict(self.name),
            "mandate": dict(self.mandate),
            "jurisdictions": list(self.jurisdictions),
            "days_valid": self.days_valid,
            "slots": self.slots,
            "grace_days": self.grace_days,
            "reply_days": self.reply_days,
            "limits": {"attachments": self.attachments, "attachment_bytes": self.attachment_bytes},
            "members": [
                {
                    "label": member.label,
                    "name": member.name,
                    "username": member.username,
                    "roles": list(member.roles),
                    "locale": member.locale,
                }
                for member in self.members
            ],
            "governors": {"threshold": self.governors_threshold, "members": list(self.governors)},
            "reserve": {"threshold": self.reserve_threshold, "shares": self.reserve_shares},
        }


BLANK = Plan(
    slug="",
    name={},
    mandate={},
    jurisdictions=(),
    days_valid=365,
    slots=16,
    grace_days=14,
    reply_days=REPLY_DAYS_USUAL,
    attachments=8,
    attachment_bytes=100 * 1024 * 1024,
    members=(),
    governors=(),
    governors_threshold=2,
    reserve_threshold=2,
    reserve_shares=3,
)
"""Where the founding pages begin: nothing decided, and figures to start from."""


def default_questionnaire() -> Any:
    """The questions that a new commission starts with."""
    return json.loads((files("oversight") / "questionnaires" / "default.json").read_text(encoding="utf-8"))


def load_plan(path: Path) -> Plan:
    """Read a founding file, TOML or JSON by its suffix. Raises PlanError."""
    try:
        data = path.read_bytes()
        if len(data) > FILE_BYTES_MAX:
            raise PlanError(f"{path.name}: longer than {FILE_BYTES_MAX} bytes")
        value = tomllib.loads(data.decode("utf-8")) if path.suffix == ".toml" else json.loads(data)
    except OSError as error:
        raise PlanError(f"{path}: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise PlanError(f"{path.name}: {error}") from None
    try:
        return read_plan(value)
    except CryptoError as error:
        raise PlanError(f"{path.name}: {error}") from None


def read_plan(value: object) -> Plan:
    """Read what a founding file holds. Raises MalformedError or LimitError, naming the entry."""
    fields = Fields(value, "the founding file")
    languages = _languages(value)
    governors, reserve, limits = fields.child("governors"), fields.child("reserve"), fields.child("limits")
    plan = Plan(
        slug=fields.text("slug", pattern=SLUG),
        name=fields.translations("name", languages, NAME_CHARS_MAX),
        mandate=fields.translations("mandate", languages, MANDATE_CHARS_MAX),
        jurisdictions=fields.items("jurisdictions", JURISDICTIONS_MAX, _jurisdiction),
        days_valid=fields.integer("days_valid", 1, DAYS_VALID_MAX),
        slots=fields.integer("slots", 2, SLOTS_MAX),
        grace_days=fields.integer("grace_days", 1, DAYS_MAX),
        reply_days=_reply_days(fields),
        attachments=limits.integer("attachments", 0, ATTACHMENTS_MAX),
        attachment_bytes=limits.integer("attachment_bytes", 0, ATTACHMENT_SEALED_MAX),
        members=fields.items("members", MEMBERS_MAX, lambda item: _member(item, languages)),
        governors=governors.texts("members", GOVERNORS_MAX),
        governors_threshold=governors.integer("threshold", 1, GOVERNORS_MAX),
        reserve_threshold=reserve.integer("threshold", 1, SHARES_MAX),
        reserve_shares=reserve.integer("shares", 1, SHARES_MAX),
    )
    for part in (governors, reserve, limits, fields):
        part.end()
    _check(plan)
    return plan


def _reply_days(fields: Fields) -> int:
    if not fields.has("reply_days"):
        return REPLY_DAYS_USUAL
    return fields.integer("reply_days", REPLY_DAYS_MIN, DAYS_MAX)


def _languages(value: object) -> tuple[str, ...]:
    names = value.get("name") if isinstance(value, dict) else None
    if not isinstance(names, dict) or not 1 <= len(names) <= LANGUAGES_MAX:
        raise MalformedError("'name' of the founding file is not a text for each language")
    return tuple(str(language) for language in names)


def _jurisdiction(item: object) -> str:
    return Fields({"jurisdiction": item}, "a jurisdiction").text("jurisdiction", pattern=JURISDICTION)


def _member(item: object, languages: tuple[str, ...]) -> PlannedMember:
    fields = Fields(item, "a member")
    label = fields.text("label", pattern=LABEL)
    fallback = next((language for language in languages if language in LOCALES), SOURCE_LOCALE)
    member = PlannedMember(
        label=label,
        name=fields.text("name", NAME_CHARS_MAX),
        username=fold_username(fields.text("username", 64) if fields.has("username") else label),
        roles=fields.texts("roles", len(ROLES)),
        locale=fields.text("locale", pattern="|".join(LOCALES)) if fields.has("locale") else fallback,
    )
    fields.end()
    if not member.name.strip() or not member.username or not set(member.roles) <= set(ROLES):
        raise MalformedError(f"the member {label!r} has no name, no username, or a role that does not exist")
    return member


def _check(plan: Plan) -> None:
    """The rules that concern more than one entry."""
    labels = [member.label for member in plan.members]
    refuse_repeats(labels, "labels of members")
    refuse_repeats([member.username for member in plan.members], "usernames")
    refuse_repeats(list(plan.governors), "governors")
    if not plan.members:
        raise MalformedError("a commission has at least one member")
    if not set(plan.governors) <= set(labels):
        raise MalformedError("a governor is none of the members")
    if not 1 <= plan.governors_threshold <= len(plan.governors):
        raise MalformedError("more governors must sign than there are")
    if plan.reserve_threshold > plan.reserve_shares:
        raise MalformedError("more shares of the reserve are needed than there are")
    if len(plan.members) > 1 and min(plan.governors_threshold, plan.reserve_threshold) < 2:
        raise MalformedError("among several members, one alone can neither sign charters nor open the reserve")
    if plan.reserve_threshold == 1 < plan.reserve_shares:
        raise MalformedError("if one share alone opens the reserve, there can be no other")
    if plan.slots < len(plan.members) + 1:
        raise MalformedError("there are fewer slots than the members and the reserve need")

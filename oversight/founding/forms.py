# SPDX-License-Identifier: AGPL-3.0-or-later
"""The forms of the founding pages: a posted form becomes a changed plan, or errors beside the fields."""

import re
from collections.abc import Mapping
from dataclasses import replace

from crypto.charter import DAYS_MAX, JURISDICTION, LABEL, MEMBERS_MAX, NAME_CHARS_MAX, REPLY_DAYS_MIN, ROLES, SLUG
from crypto.person_name import MemberNameError, Reason, check_person_name, same_person
from crypto.quorum import SHARES_MAX
from oversight.commission.keys import OFFICE_LABEL
from oversight.founding.plan import DAYS_VALID_MAX, MANDATE_CHARS_MAX, Plan, PlannedMember
from oversight.marking import N_
from oversight.web.forms import FieldError, Form
from oversight.web.public_text import text_problem
from portal.kit.i18n import LOCALES, SOURCE_LOCALE

Errors = list[FieldError]

NO_NAME = N_("Write the commission’s name in each language")
NO_MANDATE = N_("Write the mandate in each language")
NO_MEMBER_NAME = N_("Write the name as it stands in the charter")
WRONG_LABEL = N_("The short name must have letters a–z, digits or hyphens, and begin with a letter")
LABEL_OF_OFFICE = N_("The office itself has this short name: choose another one")
LABEL_TAKEN = N_("Another member has this short name")
NAME_PROBLEMS: Mapping[Reason, str] = {
    "long": N_("A name has at most 200 characters"),
    "empty": N_("Write the name with letters that can be seen"),
    "character": N_("The name holds a symbol, a line break, or a character that nobody sees: type it anew"),
    "marks": N_("The name has more accents on a letter than anybody can read: type it anew"),
    "scripts": N_("A word of the name mixes letters of two scripts, which may look the same: type it anew"),
}
SAME_PERSON = N_("This name looks the same as that of %(other)s: add what tells the two people apart")
TWO_MUST_SIGN = N_("Among several members, at least two governors must sign")
TWO_MUST_OPEN = N_("Among several members, at least two shares must be needed to open the reserve")
ONE_ALONE = N_("If one share alone opens the reserve, there can be no other")
TOO_MANY_NEEDED = N_("No more shares can be needed than there are")


def take_commission(form: Form, plan: Plan, *, fixed: bool) -> tuple[Plan, Errors]:
    """The plan with the commission's name, mandate and dates."""
    errors: Errors = []
    name = {locale: _text(form, f"name-{locale}", NAME_CHARS_MAX, NO_NAME, errors) for locale in LOCALES}
    slug = form.text("slug").lower()
    if not re.fullmatch(SLUG, slug):
        message = N_("The short name must have 2 to 31 letters a–z, digits or hyphens, and begin with a letter")
        errors.append(FieldError("slug", message))
    elif fixed and slug != plan.slug:
        errors.append(FieldError("slug", N_("Keys bear the short name: start over to change it")))
    mandate = {locale: _text(form, f"mandate-{locale}", MANDATE_CHARS_MAX, NO_MANDATE, errors) for locale in LOCALES}
    jurisdictions = tuple(dict.fromkeys(form.text("jurisdictions").upper().replace(",", " ").split()))
    if not all(re.fullmatch(JURISDICTION, code) for code in jurisdictions):
        errors.append(FieldError("jurisdictions", N_("Jurisdictions are codes such as DE or US-CA, divided by spaces")))
    changed = replace(
        plan,
        slug=slug,
        name=name,
        mandate=mandate,
        jurisdictions=jurisdictions,
        days_valid=_number(form, "days_valid", 1, DAYS_VALID_MAX, errors),
        grace_days=_number(form, "grace_days", 1, DAYS_MAX, errors),
        reply_days=_number(form, "reply_days", REPLY_DAYS_MIN, DAYS_MAX, errors),
    )
    return changed, errors


def take_member(form: Form, plan: Plan) -> tuple[Plan, Errors]:
    """The plan with one member more, whose language is the one that they choose when they join."""
    errors: Errors = []
    name = take_name(form, plan, errors)
    label = take_label(form, errors)
    if plan.member(label) is not None:
        errors.append(FieldError("label", LABEL_TAKEN))
    if len(plan.members) >= MEMBERS_MAX:
        errors.append(FieldError("label", N_("A commission has at most %(count)s members"), {"count": MEMBERS_MAX}))
    roles = tuple(role for role in ROLES if role in form.texts("roles"))
    governors = (*plan.governors, label) if form.text("governor") else plan.governors
    members = (*plan.members, PlannedMember(label, name, label, roles, SOURCE_LOCALE))
    # Every grant has as many stanzas as the charter has slots: enough for all members and the reserve.
    slots = max(plan.slots, len(members) + 1)
    return replace(plan, members=members, governors=governors, slots=slots), errors


def without_member(plan: Plan, label: str) -> Plan:
    """The plan without this member."""
    members = tuple(member for member in plan.members if member.label != label)
    return replace(plan, members=members, governors=tuple(key for key in plan.governors if key != label))


def with_roles(plan: Plan, label: str, roles: list[str], *, governor: bool) -> Plan:
    """The plan with other roles of one member, who signs charters or not."""
    taken = tuple(role for role in ROLES if role in roles)
    members = tuple(replace(each, roles=taken) if each.label == label else each for each in plan.members)
    governors = tuple(each for each in plan.governors if each != label)
    return replace(plan, members=members, governors=(*governors, label) if governor else governors)


def take_threshold(form: Form, plan: Plan) -> tuple[Plan, Errors]:
    """The plan with another number of governors who must sign."""
    errors: Errors = []
    threshold = _number(form, "threshold", 1, max(1, len(plan.governors)), errors)
    if not errors and threshold < 2 <= len(plan.members):
        errors.append(FieldError("threshold", TWO_MUST_SIGN))
    return replace(plan, governors_threshold=threshold), errors


def take_reserve(form: Form, plan: Plan) -> tuple[Plan, list[str], Errors]:
    """The plan with another division of the reserve; and its keepers, labels of members first, then empty ones."""
    errors: Errors = []
    keepers = [member.label for member in plan.members if member.label in form.texts("keepers")]
    keepers += [""] * _number(form, "outside", 0, SHARES_MAX, errors)
    if not errors and not 1 <= len(keepers) <= SHARES_MAX:
        errors.append(FieldError("keepers", N_("There can be from 1 to %(count)s shares"), {"count": SHARES_MAX}))
    threshold = _number(form, "threshold", 1, SHARES_MAX, errors)
    if not errors and threshold > len(keepers):
        errors.append(FieldError("threshold", TOO_MANY_NEEDED))
    if not errors and threshold == 1:
        if len(plan.members) > 1:
            errors.append(FieldError("threshold", TWO_MUST_OPEN))
        elif len(keepers) > 1:
            errors.append(FieldError("threshold", ONE_ALONE))
    return replace(plan, reserve_shares=len(keepers), reserve_threshold=threshold), keepers, errors


def take_name(form: Form, plan: Plan, errors: Errors) -> str:
    """The name of a member more, as it may stand in a charter beside those of the plan."""
    name = form.text("member")
    if not name:
        errors.append(FieldError("member", NO_MEMBER_NAME))
        return name
    try:
        check_person_name(name)
    except MemberNameError as error:
        errors.append(FieldError("member", NAME_PROBLEMS[error.reason]))
        return name
    other = next((member.name for member in plan.members if same_person(member.name, name)), None)
    if other is not None:
        errors.append(FieldError("member", SAME_PERSON, {"other": f"\u2068{other}\u2069"}))
    return name


def take_label(form: Form, errors: Errors) -> str:
    """A member's short name, which stands in the names of their keys. The office's own key has one too."""
    label = form.text("label").lower()
    if not re.fullmatch(LABEL, label):
        errors.append(FieldError("label", WRONG_LABEL))
    elif label == OFFICE_LABEL:
        errors.append(FieldError("label", LABEL_OF_OFFICE))
    return label


def _text(form: Form, name: str, max_chars: int, missing: str, errors: Errors) -> str:
    value = form.text(name)
    if not value:
        errors.append(FieldError(name, missing))
    elif len(value) > max_chars:
        errors.append(FieldError(name, N_("This can have at most %(count)s characters"), {"count": max_chars}))
    elif problem := text_problem(name, value):
        errors.append(problem)
    return value


def _number(form: Form, name: str, low: int, high: int, errors: Errors) -> int:
    value = form.text(name)
    if value.isdecimal() and len(value) < 9 and low <= int(value) <= high:
        return int(value)
    errors.append(
        FieldError(name, N_("This must be a whole number from %(low)s to %(high)s"), {"low": low, "high": high})
    )
    return low

# SPDX-License-Identifier: AGPL-3.0-or-later
"""Labels for the codes of findings: grades, standards of proof, kinds, parts of the text, what the check found."""

from collections.abc import Mapping

from crypto.charter import Charter
from crypto.taxonomy import SUBJECT_PREFIXES
from oversight.findings.check import Hit
from oversight.reports.labels import in_language
from portal.kit.i18n import Translation


def grade_labels(translation: Translation) -> Mapping[str, str]:
    """What the commission concludes, by code."""
    _ = translation.gettext
    return {
        "FN-SUBST": _("Substantiated"),
        "FN-PARTLY": _("Partly substantiated"),
        "FN-INCONCL": _("Inconclusive"),
        "FN-UNSUBST": _("Not substantiated"),
        "FN-NOJUR": _("Outside the commission’s mandate"),
        "FN-DISCONT": _("Discontinued"),
    }


def standard_labels(translation: Translation) -> Mapping[str, str]:
    """Standards of proof, from the weakest to the strongest."""
    _ = translation.gettext
    return {
        "SP-REASSUSP": _("reasonable suspicion"),
        "SP-RGB": _("reasonable grounds to believe"),
        "SP-BALANCE": _("balance of probabilities"),
        "SP-CLEAR": _("clear and convincing evidence"),
        "SP-BRD": _("beyond reasonable doubt"),
    }


def kind_labels(translation: Translation) -> Mapping[str, str]:
    """What a text will be in the register."""
    _ = translation.gettext
    return {
        "finding": _("First publication"),
        "correction": _("Correction"),
        "update": _("Update"),
        "withdrawal": _("Withdrawal"),
    }


def subject_labels(charter: Charter, locale: str) -> Mapping[str, str]:
    """The taxonomy's codes that the questionnaire uses, in its words."""
    return {
        option.code: in_language(option.label, locale)
        for panel in charter.questionnaire.panels
        for question in panel.questions
        for option in question.options
        if option.code.startswith(SUBJECT_PREFIXES)
    }


def place_label(where: str, translation: Translation) -> str:
    """A part of a finding's text."""
    _ = translation.gettext
    name, _dash, number = where.rpartition("-")
    if number.isdigit():
        if name == "section":
            return _("Section %(number)s") % {"number": number}
        return _("Recommendation %(number)s") % {"number": number}
    labels = {
        "title": _("Title"),
        "summary": _("Summary"),
        "reply": _("The authority’s reply"),
        "dissent": _("Dissent"),
        "reason": _("Reason of the change"),
        "id": _("Number in the register"),
        "day": _("Day"),
        "kind": _("Kind"),
        "language": _("Language"),
        "quarter": _("Quarter in which it happened"),
        "jurisdictions": _("Countries"),
        "codes": _("What it concerns"),
        "standard": _("Standard of proof"),
        "grade": _("Conclusion"),
        "charter": _("Charter"),
        "author": _("Author"),
    }
    return labels.get(where, where)


def hit_label(hit: Hit, translation: Translation) -> str:
    """What is wrong with a passage."""
    _ = translation.gettext
    labels = {
        "name": _("The name of somebody in the case"),
        "member": _("The name of a member who handles the case"),
        "place": _("A place that a report or the case names"),
        "authority": _("An authority that a report or the case names"),
        "identifier": _("A number or address of somebody in the case"),
        "overlap": _("Words that stand in a report as well"),
        "receipt-day": _("The day on which a report came in"),
        "date": _("An exact date"),
        "month": _("A month: a quarter would say less"),
        "email": _("An e-mail address or a handle"),
        "phone": _("A telephone number, or one that looks like it"),
        "docket": _("A number by which a file can be looked up"),
        "hidden": _("Characters that are not seen: by these a copy can be traced"),
        "mixed": _("A word with letters of two alphabets: by these a copy can be traced"),
        "unchecked": _("Not checked, for it is too long or there is too much of it"),
        "more": _("There is more than is listed here"),
        "consent": _("The reporter did not agree to a publication"),
    }
    return labels.get(hit.rule, hit.rule)


def how_label(hit: Hit, translation: Translation) -> str:
    """By what a name was found, where it is not the same."""
    _ = translation.gettext
    labels = {
        "skeleton": _("the same consonants"),
        "similar": _("a similar spelling"),
        "close": _("perhaps another spelling"),
        "stem": _("the same beginning"),
        "spelled": _("its letters stand apart"),
        "part": _("a part of it"),
    }
    return labels.get(hit.how, "")

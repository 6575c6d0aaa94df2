# SPDX-License-Identifier: AGPL-3.0-or-later
"""The names of codes in a locale: grades, standards of proof, statuses, kinds, quarters, places.

The subjects of findings (``EXT-…``, ``INV-…``, ``RET-…``) are in ``subjects``.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from crypto.taxonomy import NO_COUNTRY
from portal.kit.i18n import Translation, country_names, language_in
from portal.register.subjects import subjects


@dataclass(frozen=True)
class Labels:
    """The names of one locale. A code without a name is shown as it is."""

    locale: str
    separator: str
    grades: Mapping[str, str]
    standards: Mapping[str, str]
    statuses: Mapping[str, str]
    kinds: Mapping[str, str]
    subjects: Mapping[str, str]
    places: Mapping[str, str]
    quarters: Mapping[str, str]

    def subject(self, code: str) -> str:
        return self.subjects.get(code, code)

    def place(self, code: str) -> str:
        return self.places.get(code, code)

    def quarter(self, quarter: str) -> str:
        """Return ``2026-Q2`` as ``April to June 2026``."""
        year, _, number = quarter.partition("-")
        return self.quarters[number] % {"year": year}

    def language(self, tag: str) -> str:
        return language_in(tag, self.locale)


def labels(translation: Translation) -> Labels:
    """Return the names in the locale of ``translation``."""
    _ = translation.gettext
    return Labels(
        locale=translation.locale,
        # Translators: what stands between the items of a list.
        separator=translation.pgettext("list", ", "),
        grades={
            # Translators: what the commission concludes. Short, as on a label.
            "FN-SUBST": _("Substantiated"),
            "FN-PARTLY": _("Partly substantiated"),
            "FN-INCONCL": _("Inconclusive"),
            "FN-UNSUBST": _("Not substantiated"),
            "FN-NOJUR": _("Outside the commission’s mandate"),
            "FN-DISCONT": _("Discontinued"),
        },
        standards={
            # Translators: standards of proof, from the weakest to the strongest.
            "SP-REASSUSP": _("reasonable suspicion"),
            "SP-RGB": _("reasonable grounds to believe"),
            "SP-BALANCE": _("balance of probabilities"),
            "SP-CLEAR": _("clear and convincing evidence"),
            "SP-BRD": _("beyond reasonable doubt"),
        },
        statuses={
            # Translators: what became of a recommendation.
            "open": translation.pgettext("recommendation", "Open"),
            "partly": _("Partly implemented"),
            "implemented": _("Implemented"),
            "not-implemented": _("Not implemented"),
            "superseded": _("Superseded"),
        },
        kinds={
            # Translators: what a revision of a finding is.
            "finding": _("First publication"),
            "correction": _("Correction"),
            "update": _("Update"),
            "withdrawal": _("Withdrawal"),
        },
        subjects=subjects(_),
        places=_places(_, translation.locale),
        quarters={
            "Q1": _("January to March %(year)s"),
            "Q2": _("April to June %(year)s"),
            "Q3": _("July to September %(year)s"),
            "Q4": _("October to December %(year)s"),
        },
    )


def _places(_: Callable[[str], str], locale: str) -> dict[str, str]:
    return {
        **country_names(locale),
        NO_COUNTRY: _("Place not named"),
        "X-NOTLISTED": _("A place that is not listed"),
        "X-DISPUTED": _("Disputed territory"),
        "X-HIGHSEAS": _("The high seas"),
        "X-AIRCRAFT": _("On board an aircraft"),
        "X-INTORG": _("An international organisation"),
        "X-STATELESS": _("Stateless"),
    }

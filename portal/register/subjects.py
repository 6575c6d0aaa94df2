# SPDX-License-Identifier: AGPL-3.0-or-later
"""The subjects of findings in plain words: the codes of the taxonomy that commissions use most."""

from collections.abc import Callable


def subjects(translate: Callable[[str], str]) -> dict[str, str]:
    """Return the names by code."""
    return {**_extradition(translate), **_custody(translate), **_investigation(translate), **_retaliation(translate)}


def _extradition(_: Callable[[str], str]) -> dict[str, str]:
    return {
        "EXT-POL-OFF": _("Surrender for a political offence"),
        "EXT-POL-MOT": _("A request made to persecute"),
        "EXT-MIL": _("Surrender for a military offence"),
        "EXT-NR-TORT": _("Risk of torture after surrender"),
        "EXT-NR-REF": _("Surrender of a refugee"),
        "EXT-NR-DISAP": _("Risk of disappearance after surrender"),
        "EXT-NR-COND": _("Prison conditions after surrender"),
        "EXT-FT-IND": _("Courts that are not independent"),
        "EXT-FT-FLAG": _("Flagrant denial of justice"),
        "EXT-FT-ADHOC": _("Extraordinary tribunal"),
        "EXT-FT-ABS": _("Judgment in absence"),
        "EXT-HEALTH": _("Health not considered"),
        "EXT-FAM": _("Family and children not considered"),
        "EXT-DC": _("Act that is no crime in the requested State"),
        "EXT-SPEC": _("Tried for something else than surrendered for"),
        "EXT-REEXT": _("Onward surrender"),
        "EXT-NBI": _("Tried twice for one act"),
        "EXT-LAPSE": _("Limitation or amnesty not considered"),
        "EXT-DEATH": _("Death penalty"),
        "EXT-LWOP": _("Life sentence without prospect of release"),
        "EXT-ASSUR-MISS": _("Assurance missing"),
        "EXT-ASSUR-BRCH": _("Assurance broken"),
        "EXT-PROP": _("Surrender out of proportion"),
        "EXT-AUTH": _("Request not made by a court"),
        "EXT-DOC": _("Defective or forged request"),
        "EXT-CONSENT": _("Consent forced"),
        "EXT-INTERIM": _("Interim measure ignored"),
        "EXT-DISG-EXP": _("Disguised extradition"),
        "EXT-REND": _("Abduction or rendition"),
        "EXT-INTERPOL-POL": _("Political use of an Interpol notice"),
        "EXT-INTERPOL-DATA": _("Wrong data in an Interpol notice"),
        "EXT-INTERPOL-REF": _("Interpol notice against a refugee"),
        "EXT-POST": _("Ill-treatment after surrender"),
    }


def _custody(_: Callable[[str], str]) -> dict[str, str]:
    return {
        "EXT-COUNSEL": _("No lawyer"),
        "EXT-LEGAID": _("No legal aid"),
        "EXT-LANG": _("No interpreter"),
        "EXT-INFO": _("Not told of rights or charges"),
        "EXT-APPEAL": _("No effective remedy"),
        "EXT-DET-PROV": _("Provisional arrest too long"),
        "EXT-DET-SURR": _("Held past the date of surrender"),
        "EXT-DET-LONG": _("Detention too long or not reviewed"),
        "EXT-TRANS-COND": _("Conditions of transfer"),
        "EXT-TRANS-FORCE": _("Force during transfer"),
        "EXT-TRANS-MED": _("Transfer of someone unfit to travel"),
        "EXT-MINOR": _("Rights of a child"),
        "EXT-CONSUL": _("No contact with the consulate"),
        "EXT-DIPL": _("Family not told"),
        "EXT-DEDUCT": _("Time served not deducted"),
        "EXT-DELAY": _("Decision too late"),
    }


def _investigation(_: Callable[[str], str]) -> dict[str, str]:
    return {
        "INV-INT-TORT": _("Torture or ill-treatment in questioning"),
        "INV-INT-COERCE": _("Coerced statement"),
        "INV-INT-REC": _("Questioning not recorded"),
        "INV-INT-VULN": _("Vulnerability ignored in questioning"),
        "INV-INT-COUNSEL": _("Questioned without a lawyer"),
        "INV-ARR": _("Arbitrary arrest"),
        "INV-INCOMM": _("Held incommunicado"),
        "INV-DISAP": _("Enforced disappearance"),
        "INV-DEATH": _("Death in custody"),
        "INV-EV-FAB": _("Fabricated evidence"),
        "INV-EV-TAMP": _("Evidence tampered with"),
        "INV-EV-CHAIN": _("Chain of custody broken"),
        "INV-EV-WITH": _("Evidence withheld"),
        "INV-EV-TORT": _("Evidence obtained by torture"),
        "INV-EV-FOREIGN": _("Evidence unlawfully obtained abroad"),
        "INV-FOR-METHOD": _("Unvalidated forensic method"),
        "INV-SURV": _("Unlawful surveillance"),
        "INV-SURV-PRIV": _("Talks with a lawyer intercepted"),
        "INV-COI": _("Conflict of interest"),
        "INV-CORR": _("Bribery"),
        "INV-POLINF": _("Political interference"),
        "INV-ENTRAP": _("Entrapment"),
        "INV-PRESUMP": _("Presumption of innocence"),
        "INV-DEFENCE": _("Equality of arms"),
        "INV-LAWYER": _("Lawyer harassed"),
        "INV-WITNESS": _("Witness not protected"),
        "INV-MED": _("Medical care refused"),
        "INV-COND": _("Conditions of detention"),
        "INV-SOL": _("Solitary confinement over 15 days"),
        "INV-MINOR": _("Rights of a child"),
        "INV-INACT": _("No effective investigation"),
        "INV-DELAY": _("Investigation too slow"),
        "INV-COMPL": _("Complaint obstructed"),
    }


def _retaliation(_: Callable[[str], str]) -> dict[str, str]:
    return {
        "RET-THREAT": _("Threats after a complaint"),
        "RET-PHYS": _("Violence after a complaint"),
        "RET-CELL": _("Worse cell after a complaint"),
        "RET-VISIT": _("Visits stopped after a complaint"),
        "RET-CHARGE": _("New charges after a complaint"),
        "RET-FAMILY": _("Retaliation against the family"),
    }

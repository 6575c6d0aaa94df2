# SPDX-License-Identifier: AGPL-3.0-or-later
"""The words for the roles of docs/protocol.md §4.2."""

from portal.kit.i18n import Translation


def role_name(code: str, translation: Translation) -> str:
    """A role in words; an unknown role is shown as its code."""
    _ = translation.gettext
    names = {
        "registrar": _("registrar"),
        "triage": _("triage"),
        "investigator": _("investigator"),
        "legal": _("legal"),
        "chair": _("chair"),
        "publisher": _("publisher"),
        "custodian": _("custodian"),
        "auditor": _("auditor"),
        "reviewer": _("reviewer"),
        "administrator": _("administrator"),
    }
    return names.get(code, code)

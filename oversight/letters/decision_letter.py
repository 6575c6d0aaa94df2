# SPDX-License-Identifier: AGPL-3.0-or-later
"""What a reporter is told of a case: the letter for each state, in the reporter's language, as a draft."""

from crypto.taxonomy import PURPOSE_ACKNOWLEDGEMENT, PURPOSE_FEEDBACK
from oversight.cases import labels
from oversight.workflow import rules
from portal.kit.i18n import LOCALES, Translation


def purpose_of(state: str) -> str:
    """What a letter about this state counts as."""
    return PURPOSE_ACKNOWLEDGEMENT if state == rules.ACKNOWLEDGED else PURPOSE_FEEDBACK


def letter_language(report_language: str, charter_languages: tuple[str, ...]) -> str:
    """The reporter's language if there is a letter in it, else the first of the charter's that has one."""
    return next((code for code in (report_language, *charter_languages) if code in LOCALES), charter_languages[0])


def write_letter(state: str, ground: str | None, reasons: str, translation: Translation) -> str:
    """The letter about a case that has come to ``state``, in the language of ``translation``.

    It holds no number, no name and nothing that the report says: somebody may be looking over a shoulder.
    """
    _ = translation.gettext
    parts = [_first_sentence(state, translation)]
    if ground is not None and state in {rules.INADMISSIBLE, rules.REFERRED}:
        parts.append(_("The reason: %(ground)s.") % {"ground": labels.ground_label(ground, translation)})
    if reasons:
        parts.append(reasons)
    if state == rules.INADMISSIBLE:
        parts.append(_("You can ask us to look at this decision again: write to us here within 60 days."))
    parts.append(_("You can write to us here at any time, also if something happens to you because you wrote."))
    return "\n\n".join(parts)


def _first_sentence(state: str, translation: Translation) -> str:
    _ = translation.gettext
    sentences = {
        rules.ACKNOWLEDGED: _(
            "Your message has reached us and people are reading it. You will hear from us here within three months."
        ),
        rules.ADMITTED: _("We have decided to look into what you wrote. We will tell you here how it goes on."),
        rules.INADMISSIBLE: _("We have decided that we can’t look into what you wrote."),
        rules.REFERRED: _(
            "We have decided that somebody else should look into what you wrote. "
            "Nothing is passed on that you did not allow."
        ),
        rules.PUBLISHED: _("We have finished looking into what you wrote, and what we found is published."),
        rules.CLOSED: _("We have finished our work on what you wrote."),
    }
    return sentences[state]

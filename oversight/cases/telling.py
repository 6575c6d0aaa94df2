# SPDX-License-Identifier: AGPL-3.0-or-later
"""What a reporter is told of a case: the letter for each state, in the reporter's language, as a draft."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from crypto.event_parts import Approved, Moved, Proposed, Publication, Text
from oversight.cases import rules, words
from oversight.cases.reading import Entry
from portal.web.i18n import LOCALES, Translation

TOLD = frozenset(
    {rules.ACKNOWLEDGED, rules.ADMITTED, rules.INADMISSIBLE, rules.REFERRED, rules.PUBLISHED, rules.CLOSED}
)
"""The states of which the reporter is told when a case comes to them."""


@dataclass(frozen=True)
class Decision:
    """The last move that took effect: where it led, on what ground, for what reasons."""

    sequence: int
    to_state: str
    ground: str | None
    reasons: str = field(default="", repr=False)

    @property
    def is_told(self) -> bool:
        """Whether the reporter is to be told of it; not when the acknowledgement is withheld to keep them safe."""
        return self.to_state in TOLD and self.ground != rules.WITHHELD


def last_decision(entries: Sequence[Entry]) -> Decision | None:
    """The last move among these events that took effect, or None."""
    proposed = {entry.event.hash: entry for entry in entries if isinstance(entry.event.public, Proposed)}
    last: Decision | None = None
    for entry in entries:
        public = entry.event.public
        if isinstance(public, Moved):
            last = Decision(entry.event.sequence, public.to_state, public.ground, _text(entry))
        elif isinstance(public, Publication):
            last = Decision(entry.event.sequence, rules.PUBLISHED, None)
        elif isinstance(public, Approved) and public.subject in proposed:
            subject = proposed[public.subject]
            move = subject.event.public
            assert isinstance(move, Proposed)
            transition = rules.find_transition(move.from_state, move.to_state, move.ground)
            if transition.completed_by is None:
                last = Decision(entry.event.sequence, move.to_state, move.ground, _text(subject))
    return last


def _text(entry: Entry) -> str:
    return entry.part.text if isinstance(entry.part, Text) else ""


def purpose_of(state: str) -> str:
    """What a letter about this state counts as."""
    return "acknowledgement" if state == rules.ACKNOWLEDGED else "feedback"


def letter_language(report_language: str, charter_languages: tuple[str, ...]) -> str:
    """The reporter's language if there is a letter in it, else the first of the charter's that has one."""
    return next((code for code in (report_language, *charter_languages) if code in LOCALES), charter_languages[0])


def write_letter(state: str, ground: str | None, reasons: str, translation: Translation) -> str:
    """The letter about a case that has come to ``state``, in the language of ``translation``.

    It holds no number, no name and nothing that the report says: somebody may be looking over a shoulder.
    """
    _ = translation.gettext
    parts = [_state_words(state, translation)]
    if ground is not None and state in {rules.INADMISSIBLE, rules.REFERRED}:
        parts.append(_("The reason: %(ground)s.") % {"ground": words.ground_words(ground, translation)})
    if reasons:
        parts.append(reasons)
    if state == rules.INADMISSIBLE:
        parts.append(_("You can ask us to look at this decision again: write to us here within 60 days."))
    parts.append(_("You can write to us here at any time, also if something happens to you because you wrote."))
    return "\n\n".join(parts)


def _state_words(state: str, translation: Translation) -> str:
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

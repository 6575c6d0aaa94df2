# SPDX-License-Identifier: AGPL-3.0-or-later
"""What the rules refuse, as sentences: one for each code of ``RuleError``."""

from collections.abc import Mapping

from oversight.marking import N_

REFUSALS: Mapping[str, str] = {
    # Who may act.
    "role": N_("None of your roles allows this"),
    "recused": N_("You are recused from this case, for good: you can’t see it or act in it"),
    "not-a-holder": N_("You don’t hold this case: only those who do can see it and act in it"),
    "in-conflict": N_("You have declared a conflict: you can’t see this case or act in it"),
    "same-member": N_("You proposed this yourself: somebody else has to decide it"),
    "approver-is-not-author": N_("You wrote the finding: somebody else has to approve it"),
    # When.
    "state": N_("This can’t be done in the state that the case is in"),
    "no-such-transition": N_("The case can’t go from its state to that one"),
    "moved-on": N_("The case has moved on since you looked"),
    "four-eyes": N_("This takes two members: propose it, and another one approves"),
    "no-four-eyes": N_("This takes one member alone: make the move, don’t propose it"),
    "proposed-before": N_("This waits for an answer already: answer it before you propose anything else"),
    "no-such-proposal": N_("That proposal is not open any more"),
    "charter-over": N_(
        "The commission’s charter is over: the case can be read, and nothing signed in it until there is a new one"
    ),
    "decided": N_("Something was decided and has not taken effect yet: that comes first"),
    "not-decided": N_("Nothing of this kind was decided"),
    "nothing-to-waive": N_("There is nothing here to set aside"),
    "ground": N_("Choose one of the grounds for this move"),
    # What else has to hold.
    "investigator-holds": N_("An investigator has to hold the case first"),
    "text-drafted": N_("The finding has to be drafted first"),
    "text-signed": N_("Two members have to sign the finding first, one of them a chair who did not write it"),
    "text-checked": N_("The finding has to pass the outgoing check first"),
    "text-newer": N_("There has to be a newer text than the one published"),
    "stands": N_("There is no published finding"),
    # Who holds it.
    "renewal-due": N_("Somebody who may not see the case still holds its keys: renew them first"),
    "renews-against-oneself": N_("Somebody else has to renew the keys when you leave"),
    "member": N_("There is no such member who could hold a case"),
    "member-recused": N_("That member is recused from this case for good"),
    "member-holds": N_("That member holds the case already"),
    "member-holds-not": N_("That member does not hold the case"),
    "member-not-declared": N_("That member has to declare first that they have no conflict"),
    "member-not-granted": N_("A reporter kept a report from that member: two members have to set this aside first"),
    "conflict-stands": N_("A conflict that was declared stands: only recusal follows it"),
    "holder-not-granted": N_("Somebody who holds the case may not read that report, or has to declare anew first"),
    "holders": N_("The list of those who hold the case is not the one that is due"),
    "generation": N_("The new keys of the case are not the ones that are due"),
    # Reports, clocks, letters.
    "no-report": N_("Choose a report that is here"),
    "report-in-a-case": N_("That report belongs to a case already"),
    "report-known": N_("That report belongs to this case already"),
    "report-unknown": N_("That report does not belong to this case"),
    "report-not-granted": N_("The reporter did not let you read that report"),
    "thread-renewed": N_(
        "The keys of this report’s messages were renewed, and you don’t have the new ones: "
        "somebody who has them has to do this"
    ),
    "received": N_("A report can’t come in after today"),
    "policy": N_("Choose one of the time limits"),
    "clock": N_("That time limit does not run"),
    "clock-due": N_("Choose a day after the present one, and not after the longest time allowed"),
    "opened-before": N_("The case is open already"),
    "not-opened": N_("The case has to be opened first"),
    # The finding.
    "text": N_("The text has changed since you looked"),
    "revision": N_("The text has been changed by somebody else since you looked"),
    "signed-before": N_("You have signed this text already"),
    "finding": N_("That is not the finding of this case"),
    "status": N_("Choose one of the outcomes"),
}
UNKNOWN = N_("The rules don’t allow this")
ACCESS = frozenset({"role", "recused", "not-a-holder", "in-conflict", "same-member", "approver-is-not-author"})
"""Refusals of the person, not of the moment: 403."""


def refusal(code: str) -> str:
    """The sentence for a code, to be translated where it is shown."""
    return REFUSALS.get(code, UNKNOWN)

# SPDX-License-Identifier: AGPL-3.0-or-later
"""The codes that reports, cases and findings are written in. docs/protocol.md §4.3, §5.1, §9, §13.2, §14.

A code stands here and nowhere else; what it is called stands in the labels of each program that shows it. What is open,
such as the subjects ``EXT-…`` of a questionnaire or a finding, is known by its prefix alone.
"""

from typing import Final, Literal, get_args

# --- what reporters answer -----------------------------------------------------------------------------------------

# Questions of a questionnaire whose answers the office looks for by their id. A questionnaire may be without them.
QUESTION_WHAT = "what"
QUESTION_PLACE = "place"
QUESTION_AUTHORITY = "authority"
QUESTION_COUNTRY = "country"
QUESTION_CONSENTS = "consents"

SUBJECT_PREFIXES = ("EXT-", "INV-", "RET-")
"""Extradition, criminal investigations, retaliation: what a report tells of, and what a finding concerns."""
SUBJECT_OTHER = "OTHER"

URGENCY_PREFIX = "UR-"
SURRENDER_PREFIX = "UR-SURR"
# Each list from the most urgent on.
URGENCY_NOW = ("UR-SURR-72H", "UR-LIFE", "UR-TORT-NOW", "UR-DISAP", "UR-SUICIDE")
URGENCY_SOON = ("UR-SURR-14D", "UR-SURR", "UR-MED", "UR-HUNGER", "UR-MINOR", "UR-PREG")
URGENCY_NOTED = ("UR-WITNESS", "UR-EVLOSS", "UR-LIMIT", "UR-RETAL")
URGENCY = (*URGENCY_NOW, *URGENCY_SOON, *URGENCY_NOTED)

CONSENT_CASE = "CO-CASE"
CONSENT_STATISTICS = "CO-STATS"
CONSENT_PUBLISH_ANONYMOUSLY = "CO-PUB-ANON"
CONSENT_PUBLISH_BY_NAME = "CO-PUB-NAMED"
PUBLICATION_CONSENTS = (CONSENT_PUBLISH_ANONYMOUSLY, CONSENT_PUBLISH_BY_NAME)

COUNTRY = r"[A-Z]{2}"
NO_COUNTRY = "ZZ"
"""Stands for a country that is not known or not named."""

# --- how reports and messages travel -------------------------------------------------------------------------------

SEALED_BY = ("browser", "offline-form", "command-line", "server", "paper")

MESSAGE = "message"
RETALIATION = "retaliation"
INSTRUCTION = "instruction"
MESSAGE_KINDS = (MESSAGE, RETALIATION, INSTRUCTION)

PURPOSE_MESSAGE = "message"
PURPOSE_ACKNOWLEDGEMENT = "acknowledgement"
PURPOSE_FEEDBACK = "feedback"
PURPOSES = (PURPOSE_MESSAGE, PURPOSE_ACKNOWLEDGEMENT, PURPOSE_FEEDBACK)

# --- cases ---------------------------------------------------------------------------------------------------------

CASE_PREFIX = "C-"

PARTY_AUTHORITY = "authority"
PARTY_FACILITY = "facility"
PARTY_ROLES = (
    "concerned",
    "relative",
    "lawyer",
    "witness",
    "official",
    PARTY_AUTHORITY,
    PARTY_FACILITY,
    "other",
)

Outcome = Literal["pass", "warn", "block"]
OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)
"""Of an outgoing check."""

# --- findings ------------------------------------------------------------------------------------------------------

FIRST: Final = "finding"
CORRECTION: Final = "correction"
UPDATE: Final = "update"
WITHDRAWAL: Final = "withdrawal"
FINDING_KINDS = (FIRST, CORRECTION, UPDATE, WITHDRAWAL)
"""What a revision of a finding is. Revision 1 is a ``finding``, no later one is."""

GRADES = ("FN-SUBST", "FN-PARTLY", "FN-INCONCL", "FN-UNSUBST", "FN-NOJUR", "FN-DISCONT")
"""What a commission concludes."""

STANDARD_USUAL = "SP-RGB"
STANDARDS = ("SP-REASSUSP", STANDARD_USUAL, "SP-BALANCE", "SP-CLEAR", "SP-BRD")
"""Standards of proof, from the weakest to the strongest."""

STATUS_OPEN = "open"
RECOMMENDATION_STATUSES = (STATUS_OPEN, "partly", "implemented", "not-implemented", "superseded")
"""What became of a recommendation: in a finding, and in the ledger of its case."""

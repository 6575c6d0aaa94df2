# SPDX-License-Identifier: AGPL-3.0-or-later
"""The pages of cases, and what is shown when the rules refuse something or somebody else was faster."""

from oversight.cases import (
    case_list_pages,
    case_pages,
    holder_pages,
    ledger_pages,
    refusal_pages,
    transition_pages,
    work_pages,
)
from oversight.cases.case_store import BrokenCaseError, NoSuchCaseError
from oversight.ledger.append import ConflictError
from oversight.web.handlers import Handlers
from oversight.workflow.rules import RuleError

routes = [
    *case_list_pages.routes,
    *case_pages.routes,
    *transition_pages.routes,
    *holder_pages.routes,
    *work_pages.routes,
    *ledger_pages.routes,
]
handlers: Handlers = {
    RuleError: refusal_pages.answer_rule,
    ConflictError: refusal_pages.answer_conflict,
    BrokenCaseError: refusal_pages.answer_broken,
    NoSuchCaseError: refusal_pages.answer_no_case,
}

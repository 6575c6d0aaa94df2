# SPDX-License-Identifier: AGPL-3.0-or-later
"""The way of a text into the register, step by step, and how far it has come. Pure."""

from dataclasses import dataclass
from typing import Literal

from crypto.ids import MemberLabel
from oversight.findings.history import History
from oversight.workflow.conditions import CONDITIONS
from oversight.workflow.rules import ADOPTED, FINDING_DRAFT, WITHDRAWAL
from oversight.workflow.state import CaseState

Standing = Literal["done", "now", "later"]


NOBODY = MemberLabel("")
"""The conditions below do not depend on who asks."""


@dataclass(frozen=True)
class PublicationStep:
    """``code`` is ``drafted``, ``signed``, ``adopted``, ``checked``, ``decided`` or ``published``."""

    code: str
    standing: Standing


def publication_steps(state: CaseState, history: History, *, posted: bool) -> list[PublicationStep]:
    """The steps of the newest revision. What was published before is adopted; a withdrawal passes without a check."""
    newest = history.newest
    first = state.published is None
    signed = CONDITIONS["text-signed"](state, {}, NOBODY)
    checked = CONDITIONS["text-checked"](state, {}, NOBODY)
    out = newest is not None and newest in history.published
    decided = state.decided is not None and (not first or state.state == ADOPTED)
    done = {"drafted": newest is not None, "signed": signed}
    if first:
        done["adopted"] = newest is not None and signed and state.state != FINDING_DRAFT
    done["checked"] = checked or (decided and state.decided is not None and state.decided.ground == WITHDRAWAL)
    done["decided"] = decided or out
    done["published"] = out
    found: list[PublicationStep] = []
    now = True
    for code, is_done in done.items():
        standing: Standing = "done" if is_done else "now" if now else "later"
        now = now and is_done
        found.append(PublicationStep(code, standing))
    return found

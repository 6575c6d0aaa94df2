# SPDX-License-Identifier: AGPL-3.0-or-later
"""A member at work on cases: who, with which keys, under which charter, when."""

from dataclasses import dataclass, field
from datetime import datetime

from crypto.age import PqIdentity
from crypto.charter import Charter
from crypto.ids import MemberLabel
from crypto.note import SigningKey
from oversight.commission.charters import current_charter
from oversight.members.sessions import OpenSession
from oversight.workflow.state import CaseState


@dataclass(frozen=True)
class Actor:
    """Everything that signing an event takes; ``now`` is in UTC.

    ``seen`` is the hash of the head that the member saw: on a case that has changed since, nothing is done.
    ``loaded`` is the case as this request has read it already.
    """

    label: MemberLabel
    charter: Charter
    now: datetime
    identity: PqIdentity = field(repr=False)
    signing_key: SigningKey = field(repr=False)
    seen: str | None = None
    loaded: CaseState | None = field(default=None, repr=False)


async def actor_of(session: OpenSession, now: datetime) -> Actor:
    """The member of an open session, under the charter in force. Raises NotFoundedError before the founding."""
    charter = await current_charter()
    return Actor(session.member.label, charter, now, session.identity, session.signing_key)

# SPDX-License-Identifier: AGPL-3.0-or-later
"""The sealed part of an event is read as strictly as the public one."""

from datetime import UTC, datetime

import pytest

from crypto.age import PqIdentity
from crypto.encoding import encode_json
from crypto.errors import MalformedError
from crypto.event import PART_FLOOR, Event, open_part
from crypto.event_types import Noted
from crypto.sealed_document import seal_document
from crypto.sealed_parts import Text

CASE = "ab" * 16
IDENTITY = PqIdentity(bytes(32))
CONTENT = {"version": "amparo/v1/event-part", "case": CASE, "sequence": 3, "content": {"text": "A note."}}


def event_with(content: object) -> Event:
    sealed = seal_document(encode_json(content), PART_FLOOR, [IDENTITY.recipient()])
    return Event(CASE, 3, "cd" * 32, "bruno", "ef" * 32, datetime(2026, 11, 22, tzinfo=UTC), Noted(), sealed)


def test_a_sealed_part_opens_to_what_was_sealed() -> None:
    assert open_part(event_with(CONTENT), IDENTITY) == Text("A note.")


@pytest.mark.parametrize("content", [{**CONTENT, "more": 1}, {**CONTENT, "content": {"text": "A note.", "more": 1}}])
def test_a_member_that_is_not_specified_is_refused_in_a_sealed_part(content: object) -> None:
    with pytest.raises(MalformedError):
        open_part(event_with(content), IDENTITY)

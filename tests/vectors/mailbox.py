# SPDX-License-Identifier: AGPL-3.0-or-later
"""Makes mailbox.json: what a portal may show, and what a reader finds in it. ``python -m tests.vectors.mailbox``.

Sealing is random, so that another run makes other bytes of the same meaning.
"""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

from crypto.encoding import encode_base64
from crypto.mailbox_answer import MailboxAnswer, PostedReply
from crypto.mailbox_change import add_follow_up, delete_replies
from crypto.mailbox_view import ReadMailbox
from crypto.message import message_id
from crypto.note import SigningKey
from crypto.state import State, seal_state
from tests.threads import DIGITS, SENT, WRITTEN, Thread, start_thread

OTHER = "0d" * 32
ABOUT = "Mailboxes as a portal may show them, and what the reader finds: docs/protocol.md §8.3"


def verdict(found: ReadMailbox) -> dict[str, Any]:
    """What a reader found, as the vectors say it."""

    def day(value: date | None) -> str | None:
        return None if value is None else value.isoformat()

    thread = found.state.thread
    return {
        "shown": found.shown,
        "collected": day(found.collected),
        "confirmed": day(found.confirmed),
        "older": found.older,
        "newest_day": day(found.newest_day),
        "replaced": found.replaced,
        "sent": [{"number": sent.number, "day": day(sent.day), "fetched": sent.fetched} for sent in found.sent],
        "replies": [
            {
                "number": reply.number,
                "day": day(reply.day),
                "body": reply.body,
                "author": reply.author.label if reply.author else None,
                "problem": reply.problem,
            }
            for reply in found.replies
        ],
        "missing": list(found.missing),
        "alarms": [alarm.kind for alarm in found.alarms],
        "next": {
            "note": thread.note,
            "reply": thread.reply,
            "generation": thread.keys.generation,
            "charter_number": found.state.charter_number,
        },
    }


class Scenarios:
    """Collects vectors; ``add`` takes what the portal shows and what the device knew."""

    def __init__(self) -> None:
        self.vectors: list[dict[str, Any]] = []
        self.charters: dict[str, str] = {}

    def add(
        self,
        name: str,
        thread: Thread,
        answer: MailboxAnswer,
        *,
        state: State | None = None,
        newest: str | None = None,
    ) -> None:
        found = thread.read(answer, state=state, newest=newest)
        if state is not None:
            answer = replace(answer, state=seal_state(state, thread.secrets))
        for charter in thread.charters:
            self.charters[charter.hash] = charter.note.decode("utf-8")
        given = {
            "state": encode_base64(answer.state),
            "acknowledgement": answer.acknowledgement,
            "collection": answer.collection,
            "thread": None if answer.thread is None else encode_base64(answer.thread),
            "messages": [{"posting": each.posting, "sealed": encode_base64(each.sealed)} for each in answer.messages],
            "charters": [charter.hash for charter in thread.charters],
            "newest": newest,
        }
        self.vectors.append({"name": name, "operation": "read", "input": given, "value": verdict(found)})


def _honest(scenarios: Scenarios, thread: Thread) -> None:
    reply, newest = thread.reply(), thread.newest_note()
    note = thread.note(replies=[reply], renewal=thread.renewal())
    scenarios.add("nothing yet", thread, thread.answer(), newest=newest)
    scenarios.add(
        "a reply, a thread note, a renewal",
        thread,
        thread.answer(reply, thread=note, collection=thread.collection()),
        newest=newest,
    )
    sealed, state = add_follow_up(thread.state, SENT, "message", "one")
    _, state = add_follow_up(state, WRITTEN, "message", "two")
    held = thread.note(held_count=1, held=(message_id(sealed),))
    scenarios.add("one of two messages is held", thread, thread.answer(thread=held), state=state)
    replies = [thread.reply(1), thread.reply(2)]
    shown = thread.answer(*replies, thread=thread.note(replies=replies))
    scenarios.add("the first reply was deleted", thread, shown, state=delete_replies(thread.state, 1))


def _dishonest(scenarios: Scenarios, thread: Thread) -> None:
    scenarios.add("another report was collected", thread, thread.answer(collection=thread.collection(manifest=OTHER)))
    scenarios.add(
        "another report was acknowledged", thread, thread.answer(acknowledgement=thread.acknowledgement(manifest=OTHER))
    )
    scenarios.add("another report is at the office", thread, thread.answer(thread=thread.note(manifest=OTHER)))
    replies = [thread.reply(number) for number in (1, 2, 3)]
    scenarios.add(
        "the second reply is missing",
        thread,
        thread.answer(replies[0], replies[2], thread=thread.note(replies=replies)),
    )
    state = replace(thread.state, thread=replace(thread.state.thread, note=7))
    scenarios.add("a rewound thread note", thread, thread.answer(thread=thread.note(6)), state=state)
    scenarios.add("two replies of one number", thread, thread.answer(thread.reply(body="a"), thread.reply(body="b")))
    forged = thread.newest_note(charter=replace(thread.newest, hash=OTHER))
    scenarios.add("another newest charter", thread, thread.answer(), newest=forged)
    broken = replace(thread.reply(2), sealed=b"age-encryption.org/v1\n")
    scenarios.add("a broken reply beside a good one", thread, thread.answer(broken, thread.reply(1)))


def _former_members(scenarios: Scenarios, thread: Thread) -> None:
    old, chiara = thread.newest, thread.world["chiara"]
    scenarios.add("posted by a member", thread, thread.answer(thread.reply(office=chiara.signing_key)))
    scenarios.add("by a member without a replying role", thread, thread.answer(thread.reply(author="elif")))
    late = thread.reply(day=date(2034, 1, 1), posted=date(2034, 1, 1))
    scenarios.add("of a day after every signed one", thread, thread.answer(late), newest=thread.newest_note())
    for_old = thread.reply(2, charter=old, posting_charter=old)
    thread.without("chiara")
    reply: PostedReply = thread.reply(author="chiara", charter=old)
    scenarios.add("by a member who left, under the old charter", thread, thread.answer(reply))
    renewal = thread.note(renewal=thread.renewal(author="chiara", charter=old))
    scenarios.add("a renewal by a member who left", thread, thread.answer(thread=renewal))
    seen = replace(thread.state, charter_number=2, newest_charter=thread.newest.hash)
    scenarios.add("posted under the old charter after the new one was seen", thread, thread.answer(for_old), state=seen)


def make() -> Iterator[str]:
    """The lines of the file."""
    scenarios = Scenarios()
    _honest(scenarios, start_thread())
    _dishonest(scenarios, start_thread())
    _former_members(scenarios, start_thread())
    excluded = start_thread(exclude=["chiara"])
    scenarios.add("by an excluded member", excluded, excluded.answer(excluded.reply(author="chiara")))
    stranger = start_thread()
    lie = stranger.collection(manifest=OTHER, office=SigningKey.generate("stranger"))
    scenarios.add("a lie that nobody signed", stranger, stranger.answer(collection=lie))
    content = {
        "about": ABOUT,
        "receipt_digits": DIGITS,
        "realm": stranger.newest.realm,
        "charters": scenarios.charters,
        "vectors": scenarios.vectors,
    }
    yield json.dumps(content, ensure_ascii=False, indent=1)
    yield "\n"


if __name__ == "__main__":
    Path(__file__).with_suffix(".json").write_text("".join(make()), "utf-8")

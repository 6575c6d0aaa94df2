# SPDX-License-Identifier: AGPL-3.0-or-later
"""Mailboxes as the worker shows them, and a worker that shows them without a portal and without a key.

For pictures, and for tests of what the page does with each: the true worker finds them in its own tests.
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from playwright.sync_api import BrowserContext

Mailbox = dict[str, Any]

MANIFEST = "5f" * 32
NOTES = {
    "acknowledgement": "amparo acknowledgement v1\nthe portal's word\n",
    "collection": "amparo collection v1\nthe office's word\n",
}
# Answers every call at once, as it was told; one with a trouble stays in it.
_WORKER = """
const answers = %s;
onmessage = ({ data: { action } }) => {
  const answer = answers[action];
  if (answer?.kind) postMessage({ event: "trouble", ...answer });
  else postMessage(answer?.error ? { event: "error", code: answer.error }
                           : { event: "result", value: answer });
};
"""
CALLS = ("openMailbox", "followUp", "deleteMessages", "closeMailbox")


def day(age: int) -> str:
    """The day so many days ago."""
    return (datetime.now(UTC).date() - timedelta(days=age)).isoformat()


def mailbox(**more: object) -> Mailbox:
    """One that opened, and in which all is well."""
    return {
        "shown": True,
        "collection": day(20),
        "confirmed": {"day": day(3), "older": False},
        "sent": [
            {"number": 1, "day": day(12), "fetched": True},
            {"number": 2, "day": day(1), "fetched": False},
        ],
        "messages": [
            letter(1, 15, "We have read your report.\n\nPlease tell us who was there, if that puts nobody in danger."),
            letter(2, 3, "شكرًا لك. كتبنا اليوم إلى المحكمة بلا أسماء.", "ar"),
        ],
        "missing": [],
        "alarms": [],
        "charter": {"number": 1, "replaced": False},
        "newest": {"day": day(0), "old": False},
        "keysRenewed": False,
        "written": True,
        "seen": {"thread": MANIFEST, "counts": [1, 2, 0, 2, 0, 1]},
        **more,
    }


def letter(number: int | None, age: int, body: str, language: str = "en", problem: str | None = None) -> dict[str, Any]:
    author = None if problem else {"label": "bruno", "name": "Bruno Keller"}
    posted = day(age) if number else None
    return {
        "id": f"{number or age:032x}",
        "number": number,
        "day": posted,
        "language": language,
        "body": body,
        "from": author,
        "problem": problem,
    }


def alarm(kind: str, *notes: str) -> dict[str, Any]:
    return {"kind": kind, "evidence": list(notes or NOTES.values())}


def unspoken(known: bool) -> Mailbox:
    """The commission has not spoken; ``known`` is of a code that opens something, which the page must not show."""
    state = mailbox(shown=False, collection=None, confirmed=None, messages=[])
    if known:
        return state
    return {**state, "sent": [], "seen": {"thread": None, "counts": []}, "newest": {"day": None, "old": True}}


KINDS = ("acknowledgement", "collection", "thread", "reply-number", "charter")
LONG = "x" * 400
MAILBOXES: Mapping[str, Mailbox] = {
    "unknown": unspoken(known=False),
    "calm": mailbox(),
    "fetched": mailbox(messages=[], sent=[]),
    "stale": mailbox(confirmed={"day": day(33), "older": False}, newest={"day": day(33), "old": True}),
    "older": mailbox(confirmed={"day": day(8), "older": True}, newest={"day": None, "old": True}),
    "unconfirmed": mailbox(confirmed=None, charter={"number": 1, "replaced": True}),
    "missing": mailbox(
        messages=[letter(1, 15, "We have read your report."), letter(6, 2, "Did you get our last letters?")],
        missing=[2, 4, 5],
    ),
    "broken": mailbox(
        messages=[
            letter(1, 15, "We have read your report."),
            letter(2, 9, "", problem="unreadable"),
            letter(3, 5, "", problem="unsigned"),
            letter(None, 0, "", problem="unsigned"),
        ]
    ),
    "alarm": mailbox(alarms=[alarm(kind) for kind in KINDS]),
    "swapped": mailbox(alarms=[alarm("collection")], collection=None, confirmed=None, messages=[], sent=[]),
    "many": mailbox(
        sent=[{"number": n, "day": day(120 - n), "fetched": n < 98} for n in range(1, 101)],
        messages=[letter(n, 70 - n, LONG if n % 7 == 0 else f"Letter {n}. " * 12) for n in range(1, 61)],
    ),
}


def show_mailbox(context: BrowserContext, shown: Mailbox, **answers: object) -> None:
    """Give the return page of this context a worker that shows this mailbox; ``answers`` by the name of other calls."""
    give_worker(context, "mailbox-worker", {**dict.fromkeys(CALLS, shown), **answers})


def give_worker(context: BrowserContext, name: str, answers: Mapping[str, object]) -> None:
    """Replace a worker by one with these answers, by the name of the call.

    ``{"error": code}`` fails a call, ``{"kind": …}`` lets it wait in a trouble.
    """
    # A page that embeds nothing foreign refuses a worker that does not say the same.
    headers = {"content-type": "text/javascript", "cross-origin-embedder-policy": "require-corp"}
    script = _WORKER % json.dumps({"findLack": None, **answers})
    context.route(f"**/{name}*", lambda route: route.fulfill(body=script, headers=headers))

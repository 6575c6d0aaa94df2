# SPDX-License-Identifier: AGPL-3.0-or-later
"""What a device changes in its mailbox, and who may not (docs/protocol.md §9.3)."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import pytest

from crypto.encoding import decode_base64
from crypto.ids import MessageId
from crypto.mailbox_change import MailboxChange, delete_replies, make_change
from crypto.message import open_follow_up
from crypto.note import SigningKey
from crypto.state import open_state
from crypto.submission import open_grant
from portal.storage import records
from portal.storage.group_commit import GroupCommit
from tests.people import NOW
from tests.portal.office_api.test_follow_ups import confirm
from tests.portal.threads import (
    Thread,
    blind_change,
    blind_follow_up,
    follow_up_change,
    raw_answer,
    shown_state,
    start_thread,
    waiting,
    with_token,
)
from tests.portal.world import RunningPortal, error_code, fresh_secrets

CONFLICT = (409, "state-conflict")
MALFORMED = (400, "malformed-request")
# Of a blind follow-up too.
STATE_BYTES = 18_043


def named(change: MailboxChange) -> MessageId:
    """The message id that a change names."""
    return MessageId(change.control.split("\n")[4].removeprefix("follow-up "))


def stranger_key(thread: Thread) -> SigningKey:
    """Another key under the name of V."""
    return SigningKey.generate(thread.secrets.mailbox_id)


async def test_a_follow_up_and_its_state_arrive_together(portal_on: RunningPortal) -> None:
    thread = await start_thread(portal_on)
    change = await thread.send("They came back.")
    page = (await portal_on.office("GET", "/follow-ups?after=0")).json()
    (got,) = page["follow_ups"]
    assert (got["submission"], got["day"]) == (thread.sealed.manifest.submission, NOW.date().isoformat())
    identity = open_grant(thread.sealed.files["grant.age"], [portal_on.world["amina"].identity]).identity
    opened = open_follow_up(decode_base64(got["sealed"]), identity, thread.state.thread.keys.message_mac)
    assert (opened.number, opened.body) == (1, "They came back.")
    shown = (await thread.read()).state
    assert shown == change.state
    assert [sent.message for sent in open_state(shown, thread.secrets).thread.sent] == [named(change)]


async def test_a_state_may_change_alone(portal_on: RunningPortal) -> None:
    thread = await start_thread(portal_on)
    change = await thread.command()
    assert (await thread.read()).state == change.state
    assert await waiting(portal_on) == []


async def test_a_known_follow_up_is_answered_before_its_state_is_looked_at(portal_on: RunningPortal) -> None:
    """The answer was lost, another device wrote since, and the first one sends again."""
    thread = await start_thread(portal_on)
    first = await thread.send("first")
    await thread.send("second")
    shown = (await thread.read()).state
    assert (await portal_on.change(first)).status_code == 202
    assert (await thread.read()).state == shown
    assert len(await waiting(portal_on)) == 2


async def test_a_state_that_is_not_the_one_replaced_changes_nothing(portal_on: RunningPortal) -> None:
    thread = await start_thread(portal_on)
    stale = follow_up_change(thread.secrets, (await thread.read()).state, "from the other device")
    await thread.send()
    before = await raw_answer(portal_on, thread.secrets)
    assert error_code(await portal_on.change(stale)) == CONFLICT
    assert await raw_answer(portal_on, thread.secrets) == before
    assert named(stale) not in await waiting(portal_on)


async def test_of_two_changes_of_one_state_at_once_one_is_made(portal_on: RunningPortal) -> None:
    thread = await start_thread(portal_on)
    shown = (await thread.read()).state
    changes = [follow_up_change(thread.secrets, shown, str(number)) for number in range(4)]
    answers = await asyncio.gather(*(portal_on.change(change) for change in changes))
    assert sorted(answer.status_code for answer in answers) == [202, 409, 409, 409]
    [made] = [change for change, answer in zip(changes, answers, strict=True) if answer.status_code == 202]
    assert (await thread.read()).state == made.state
    assert await waiting(portal_on) == [named(made)]


async def test_the_same_change_at_once_is_made_once(portal_on: RunningPortal) -> None:
    thread = await start_thread(portal_on)
    change = follow_up_change(thread.secrets, (await thread.read()).state, "once")
    answers = await asyncio.gather(*(portal_on.change(change) for _ in range(5)))
    assert {answer.status_code for answer in answers} == {202}
    assert await waiting(portal_on) == [named(change)]


async def attempt(portal: RunningPortal, thread: Thread, key: SigningKey | None, **what: Any) -> list[httpx.Response]:
    """A change with a follow-up, one with a wrong state, one that deletes and closes: their answers."""
    shown = await shown_state(portal, thread.secrets)
    return [
        await portal.change(blind_change(thread.secrets, shown[:-1], blind_follow_up(), key)),
        await portal.change(blind_change(thread.secrets, shown, blind_follow_up(), key, delete=1)),
    ]


async def test_a_wrong_signature_is_answered_like_a_right_one_and_dropped(portal_on: RunningPortal) -> None:
    """Whoever saw the token pass, in a proxy that opens TLS, can ask; but not send, delete or close."""
    forged, genuine = await start_thread(portal_on), await start_thread(portal_on)
    for thread in (forged, genuine):
        await thread.post_next()
    before = await raw_answer(portal_on, forged.secrets)
    answers = [
        await attempt(portal_on, forged, stranger_key(forged)),
        await attempt(portal_on, genuine, None),
    ]
    assert answers[0][0].status_code == 409
    for wrong, right in zip(*answers, strict=True):
        assert (wrong.status_code, wrong.headers, wrong.content) == (right.status_code, right.headers, right.content)
    assert await raw_answer(portal_on, forged.secrets) == before
    assert await raw_answer(portal_on, genuine.secrets) != before
    assert len(await waiting(portal_on)) == 1
    with portal_on.database.use():
        assert await records.ControlRecord.filter(submission=forged.sealed.manifest.submission).count() == 0


async def test_the_members_who_opened_the_report_can_not_command_the_mailbox(portal: RunningPortal) -> None:
    """They know S, V and the message key, and the portal shows them the token: the control key they have not."""
    thread = await start_thread(portal)
    shown = await shown_state(portal, thread.secrets)
    for key in (portal.world.office_key, portal.world["amina"].signing_key, stranger_key(thread)):
        assert (await portal.change(blind_change(thread.secrets, shown, key=key, close=True))).status_code == 202
        assert await shown_state(portal, thread.secrets) == shown


async def test_a_wrong_token_changes_nothing_of_the_real_mailbox(portal: RunningPortal) -> None:
    thread = await start_thread(portal)
    wrong = with_token(thread.secrets, bytes(32))
    before = await raw_answer(portal, thread.secrets)
    real, shown = await shown_state(portal, thread.secrets), await shown_state(portal, wrong)
    assert error_code(await portal.change(blind_change(wrong, real, blind_follow_up(), close=True))) == CONFLICT
    assert (await portal.change(blind_change(wrong, shown, blind_follow_up(), close=True))).status_code == 202
    assert await raw_answer(portal, thread.secrets) == before
    assert await waiting(portal) == []


async def test_every_change_writes_as_much_and_waits_for_one_commit_whatever_becomes_of_it(
    portal: RunningPortal, monkeypatch: pytest.MonkeyPatch
) -> None:
    thread = await start_thread(portal)
    stranger = fresh_secrets()
    committed = 0
    apply = GroupCommit.apply

    async def written() -> set[tuple[object, ...]]:
        """The states and follow-ups that are there, by their lengths."""
        states = await records.MailboxRecord.all().values_list("state", "state_sha256")
        messages = await records.FollowUpRecord.all().values_list("sealed", "message")
        unclaimed = records.UnclaimedRecord.all()
        kept = [*await unclaimed.values_list("state", "note"), *await unclaimed.values_list("sealed", "message")]
        return {(len(data), identifier) for data, identifier in [*states, *messages, *kept]}

    async def watched(self: GroupCommit, change: Any) -> Any:
        nonlocal committed
        before = await written()
        result = await apply(self, change)
        assert sorted(size for size, _ in await written() - before) == [STATE_BYTES, STATE_BYTES]
        committed += 1
        return result

    monkeypatch.setattr(GroupCommit, "apply", watched)
    shown = await shown_state(portal, thread.secrets)
    made = blind_change(thread.secrets, shown, blind_follow_up())
    changes = [
        blind_change(thread.secrets, shown, blind_follow_up(), stranger_key(thread)),
        made,
        made,
        blind_change(thread.secrets, shown, blind_follow_up()),
        blind_change(stranger, await shown_state(portal, stranger), blind_follow_up()),
        blind_change(stranger, shown, blind_follow_up()),
        blind_change(with_token(thread.secrets, bytes(32)), shown, blind_follow_up()),
    ]
    assert [(await portal.change(change)).status_code for change in changes] == [202, 202, 202, 409, 202, 409, 409]
    assert committed == len(changes)


async def test_a_change_whose_parts_do_not_fit_together_is_refused_for_everyone(portal: RunningPortal) -> None:
    thread = await start_thread(portal)
    for secrets in (thread.secrets, fresh_secrets(), with_token(thread.secrets, bytes(32))):
        shown = await shown_state(portal, secrets)
        good = blind_change(secrets, shown, blind_follow_up())
        other = blind_change(fresh_secrets(), shown, blind_follow_up())
        wrong = [
            replace(good, control=other.control),
            replace(good, control="amparo control v1"),
            replace(good, state=other.state),
            replace(good, follow_up=other.follow_up),
            replace(good, follow_up=None),
            replace(good, control=good.control.replace("4f7a1d0b", "4f7a1d0c", 1)),
            replace(good, control=good.control.replace("\nopen\n", "\nOpen\n")),
        ]
        for change in wrong:
            assert error_code(await portal.change(change)) == MALFORMED
        assert await shown_state(portal, secrets) == shown


async def test_files_that_are_not_sealed_or_of_another_length_are_refused_for_everyone(portal: RunningPortal) -> None:
    thread = await start_thread(portal)
    for secrets in (thread.secrets, fresh_secrets()):
        good = blind_change(secrets, await shown_state(portal, secrets), blind_follow_up())
        for change in (
            replace(good, follow_up=b"They came back."),
            replace(good, state=good.state[:-1]),
            replace(good, state=good.state + b"x"),
            replace(good, state=bytes(len(good.state))),
        ):
            assert error_code(await portal.change(change)) == (400, "not-sealed")
        large = replace(good, follow_up=bytes(69_633))
        assert error_code(await portal.change(large)) == (413, "too-large")


async def test_a_reporter_deletes_the_replies_up_to_a_number(portal_on: RunningPortal) -> None:
    thread = await start_thread(portal_on)
    replies = await thread.post_next(3)
    change = await thread.command(delete=2)
    answer = await thread.read()
    assert [message.sealed for message in answer.messages] == replies[2:]
    assert answer.thread is not None
    with portal_on.database.use():
        assert await records.ReplyRecord.all().count() == 1
    (listed,) = (await portal_on.office("GET", "/controls?after=0")).json()["controls"]
    assert (listed["submission"], listed["control"]) == (thread.sealed.manifest.submission, change.control)
    assert (await portal_on.office("GET", f"/controls?after={listed['sequence']}")).json()["controls"] == []


async def test_what_is_deleted_keeps_its_number(portal: RunningPortal) -> None:
    thread = await start_thread(portal)
    await thread.post_next(2)
    await thread.command(delete=2)
    for number in (1, 2):
        assert error_code(await thread.post(number, thread.reply("again"), 3)) == (409, "reply-number")
    assert (await thread.post(3, thread.reply("third"))).status_code == 201
    assert len((await thread.read()).messages) == 1


async def test_replies_that_do_not_exist_yet_can_not_be_deleted(portal: RunningPortal) -> None:
    """The note stays: brought again after a restore, it would delete what came later and nobody had read."""
    thread = await start_thread(portal)
    await thread.post_next(1)
    shown = (await thread.read()).state
    state = delete_replies(open_state(shown, thread.secrets), 2)
    assert error_code(await portal.change(make_change(thread.secrets, shown, state, delete=2))) == MALFORMED
    assert len((await thread.read()).messages) == 1
    assert (await portal.office("GET", "/controls?after=0")).json()["controls"] == []


async def test_a_closed_mailbox_answers_like_an_unknown_one(portal_on: RunningPortal) -> None:
    thread = await start_thread(portal_on)
    await thread.send("collect this")
    await thread.post_next(1)
    change = await thread.command(close=True)
    answer = await thread.read()
    assert (answer.acknowledgement, answer.thread, answer.messages) == (None, None, ())
    assert answer.state not in (change.state, thread.sealed.files["state.age"])
    # It goes on as an unknown one does, and nothing of it is kept.
    shown = await shown_state(portal_on, thread.secrets)
    again = blind_change(thread.secrets, shown, blind_follow_up())
    assert (await portal_on.change(again)).status_code == 202
    assert await shown_state(portal_on, thread.secrets) == again.state
    assert error_code(await portal_on.change(change)) == CONFLICT
    with portal_on.database.use():
        row = await records.MailboxRecord.get(submission=thread.sealed.manifest.submission)
        assert (row.closed, bytes(row.state)) == (True, b"")
        assert await records.ReplyRecord.all().count() == 0


async def test_what_the_office_has_not_fetched_outlives_closing(portal: RunningPortal) -> None:
    thread = await start_thread(portal)
    sent = await thread.send("collect this")
    await thread.command(close=True)
    assert await waiting(portal) == [named(sent)]
    for name in ("report.age", "grant.age"):
        fetched = await portal.office("GET", f"{thread.path}/files/{name}")
        assert fetched.content == thread.sealed.files[name]


async def test_an_old_change_can_not_be_played_again(portal: RunningPortal) -> None:
    """Whoever saw requests pass sends them again later, also those that delete."""
    thread = await start_thread(portal)
    await thread.post_next(2)
    changes = [await thread.command(delete=1), await thread.command(), await thread.send()]
    before = await raw_answer(portal, thread.secrets)
    assert [(await portal.change(change)).status_code for change in changes] == [409, 409, 202]
    assert await raw_answer(portal, thread.secrets) == before


async def test_a_full_mailbox_takes_no_more_until_the_office_has_confirmed(
    portal: RunningPortal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("portal.mailbox.mailboxes.FOLLOW_UPS_MAX", 3)
    thread = await start_thread(portal)
    sent = [named(await thread.send(str(number))) for number in range(3)]
    fourth = follow_up_change(thread.secrets, (await thread.read()).state, "one more")
    assert error_code(await portal.change(fourth)) == (429, "mailbox-full")
    await thread.command()
    await confirm(portal, sent[:1])
    assert (await thread.send("room again")).follow_up is not None
    # Those that wait for their deletion are still handed out.
    assert len(await waiting(portal)) == 4


async def test_the_day_of_a_follow_up_is_that_of_its_arrival(portal: RunningPortal) -> None:
    thread = await start_thread(portal)
    portal.clock.now += timedelta(days=2)
    await thread.send()
    (got,) = (await portal.office("GET", "/follow-ups?after=0")).json()["follow_ups"]
    assert got["day"] == (NOW + timedelta(days=2)).date().isoformat()

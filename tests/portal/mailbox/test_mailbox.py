# SPDX-License-Identifier: AGPL-3.0-or-later
"""The reporter's return (docs/protocol.md §8, §9): replies, follow-ups, and nothing that tells who exists."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest
from tortoise.models import Model

from crypto.age import PqIdentity, check_sealed_prefix
from crypto.encoding import decode_base64, encode_base64
from crypto.message import FollowUp, Reply, message_id, open_follow_up, open_reply, seal_follow_up, seal_reply
from crypto.receipt_code import MailboxSecrets
from crypto.state import open_state
from crypto.submission import SealedSubmission, open_grant
from portal.mailbox.mailboxes import FOLLOW_UPS_MAX
from portal.storage import records
from portal.storage.group_commit import GroupCommit
from tests.chance import fresh_id
from tests.people import NOW
from tests.portal.world import API, RunningPortal, error_code, mailbox_secrets, running_portal, sealed_report

EMPTY_SIZE = 65_536


async def submitted(portal: RunningPortal) -> SealedSubmission:
    sealed = sealed_report()
    answer = await portal.submit(sealed.bundle())
    assert answer.status_code == 201, answer.text
    return sealed


def thread_identity(portal: RunningPortal, sealed: SealedSubmission) -> PqIdentity:
    return open_grant(sealed.files["grant.age"], [portal.world["amina"].identity]).identity


def sealed_reply(portal: RunningPortal, sealed: SealedSubmission, body: str) -> bytes:
    reply = Reply(sealed.manifest.submission, portal.world.charter.hash, NOW.date(), "en", body)
    recipients = (mailbox_secrets().identity.recipient(), thread_identity(portal, sealed).recipient())
    return seal_reply(reply, portal.world["amina"].signing_key, recipients)


def sealed_follow_up(portal: RunningPortal, sealed: SealedSubmission, body: str = "They came back.") -> bytes:
    follow_up = FollowUp(sealed.manifest.submission, NOW.date(), "message", body)
    return seal_follow_up(follow_up, mailbox_secrets().message_mac, thread_identity(portal, sealed).recipient())


async def post_follow_up(portal: RunningPortal, secrets: MailboxSecrets, sealed: bytes) -> tuple[int, str]:
    body = {
        "mailbox": secrets.mailbox_id,
        "token": secrets.token.hex(),
        "sealed": encode_base64(sealed),
    }
    answer = await portal.client.post(f"{API}/mailbox/follow-ups", json=body)
    return answer.status_code, answer.text


def stranger() -> MailboxSecrets:
    return replace(mailbox_secrets(), mailbox_id=fresh_id())


def wrong_token() -> MailboxSecrets:
    return replace(mailbox_secrets(), token=bytes(32))


async def test_a_mailbox_holds_the_state_that_the_reporter_left(portal_on: RunningPortal) -> None:
    sealed = await submitted(portal_on)
    answer = await portal_on.read_mailbox(mailbox_secrets())
    state = open_state(decode_base64(answer["state"]), mailbox_secrets())
    assert state.submission == sealed.manifest.submission
    assert (answer["messages"], answer["collection"]) == ([], None)


async def test_replies_come_in_order_and_after_the_one_that_is_known(portal_on: RunningPortal) -> None:
    sealed = await submitted(portal_on)
    replies = [sealed_reply(portal_on, sealed, f"Reply {number}") for number in range(3)]
    path = f"/submissions/{sealed.manifest.submission}/replies"
    for reply in replies:
        assert (await portal_on.office("POST", path, reply)).status_code == 201
    assert (await portal_on.office("POST", path, replies[1])).status_code == 200
    messages = (await portal_on.read_mailbox(mailbox_secrets()))["messages"]
    assert [message["id"] for message in messages] == [message_id(reply) for reply in replies]
    opened = open_reply(decode_base64(messages[0]["sealed"]), mailbox_secrets().identity, [portal_on.world.charter])
    assert opened.body == "Reply 0"
    later = await portal_on.read_mailbox(mailbox_secrets(), after=messages[0]["id"])
    assert [message["id"] for message in later["messages"]] == [message_id(reply) for reply in replies[1:]]


async def test_more_replies_than_fit_come_in_several_answers(portal: RunningPortal) -> None:
    sealed = await submitted(portal)
    path = f"/submissions/{sealed.manifest.submission}/replies"
    replies = [sealed_reply(portal, sealed, f"{number:02}" * 30_000) for number in range(14)]
    for reply in replies:
        await portal.office("POST", path, reply)
    got: list[str] = []
    answers = 0
    while page := (await portal.read_mailbox(mailbox_secrets(), **({"after": got[-1]} if got else {})))["messages"]:
        got += [message["id"] for message in page]
        answers += 1
    assert got == [message_id(reply) for reply in replies]
    assert answers > 1


async def raw_answer(portal: RunningPortal, secrets: MailboxSecrets) -> bytes:
    ask = {"mailbox": secrets.mailbox_id, "token": secrets.token.hex()}
    answer = await portal.client.post(f"{API}/mailbox", json=ask)
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["cache-control"] == "no-store"
    return answer.content


async def test_the_length_of_an_answer_is_one_of_few(portal: RunningPortal) -> None:
    sealed = await submitted(portal)
    assert len(await raw_answer(portal, mailbox_secrets())) == EMPTY_SIZE
    path = f"/submissions/{sealed.manifest.submission}/replies"
    for _ in range(4):
        await portal.office("POST", path, sealed_reply(portal, sealed, "x"))
    assert len(await raw_answer(portal, mailbox_secrets())) == EMPTY_SIZE
    await portal.office("POST", path, sealed_reply(portal, sealed, "x" * 40_000))
    assert len(await raw_answer(portal, mailbox_secrets())) == 2 * EMPTY_SIZE


async def test_an_unknown_mailbox_is_answered_like_an_empty_one(portal: RunningPortal) -> None:
    await submitted(portal)
    real = await portal.read_mailbox(mailbox_secrets())
    decoy = await portal.read_mailbox(stranger())
    assert list(decoy) == list(real)
    assert (decoy["messages"], decoy["collection"]) == ([], None)
    assert len(decoy["state"]) == len(real["state"])
    assert (
        check_sealed_prefix(decode_base64(decoy["state"])).size
        == check_sealed_prefix(decode_base64(real["state"])).size
    )
    assert len(await raw_answer(portal, stranger())) == len(await raw_answer(portal, mailbox_secrets()))


async def test_a_wrong_token_is_answered_like_an_unknown_mailbox(portal: RunningPortal) -> None:
    before = await portal.read_mailbox(wrong_token())
    sealed = await submitted(portal)
    await portal.office("POST", f"/submissions/{sealed.manifest.submission}/replies", sealed_reply(portal, sealed, "x"))
    assert await portal.read_mailbox(wrong_token()) == before


async def test_a_decoy_is_the_same_at_every_request_and_after_a_restart(tmp_path: Path) -> None:
    one, other = stranger(), stranger()
    async with running_portal(tmp_path) as portal:
        first = await raw_answer(portal, one)
        assert await raw_answer(portal, one) == first
        assert await raw_answer(portal, other) != first
    async with running_portal(tmp_path) as portal:
        assert await raw_answer(portal, one) == first


async def test_a_decoy_depends_on_the_portal(tmp_path: Path) -> None:
    secrets = stranger()
    answers = set()
    for name in ("one", "two"):
        async with running_portal(tmp_path / name) as portal:
            answers.add(await raw_answer(portal, secrets))
    assert len(answers) == 2


async def test_a_follow_up_reaches_the_office_and_is_forgotten_when_collected(portal_on: RunningPortal) -> None:
    sealed = await submitted(portal_on)
    follow_up = sealed_follow_up(portal_on, sealed)
    assert (await post_follow_up(portal_on, mailbox_secrets(), follow_up))[0] == 202
    page = (await portal_on.office("GET", "/follow-ups?after=0")).json()
    assert page["more"] is False
    (got,) = page["follow_ups"]
    assert (got["submission"], got["day"]) == (sealed.manifest.submission, NOW.date().isoformat())
    thread = thread_identity(portal_on, sealed)
    opened = open_follow_up(decode_base64(got["sealed"]), thread, mailbox_secrets().message_mac)
    assert opened.body == "They came back."
    body = b'{"up_to":%d}' % got["sequence"]
    assert (await portal_on.office("POST", "/follow-ups/collection", body)).status_code == 200
    assert (await portal_on.office("GET", "/follow-ups?after=0")).json()["follow_ups"] == []


async def test_a_sequence_is_not_given_again_after_a_collection(portal_on: RunningPortal) -> None:
    sealed = await submitted(portal_on)
    await post_follow_up(portal_on, mailbox_secrets(), sealed_follow_up(portal_on, sealed))
    (first,) = (await portal_on.office("GET", "/follow-ups?after=0")).json()["follow_ups"]
    await portal_on.office("POST", "/follow-ups/collection", b'{"up_to":%d}' % first["sequence"])
    await post_follow_up(portal_on, mailbox_secrets(), sealed_follow_up(portal_on, sealed))
    page = (await portal_on.office("GET", f"/follow-ups?after={first['sequence']}")).json()
    assert len(page["follow_ups"]) == 1


async def test_a_repeated_follow_up_is_stored_once_also_at_once(portal_on: RunningPortal) -> None:
    sealed = await submitted(portal_on)
    follow_up = sealed_follow_up(portal_on, sealed)
    answers = await asyncio.gather(*(post_follow_up(portal_on, mailbox_secrets(), follow_up) for _ in range(5)))
    assert {status for status, _ in answers} == {202}
    assert len((await portal_on.office("GET", "/follow-ups?after=0")).json()["follow_ups"]) == 1


async def test_a_follow_up_to_nobody_gets_the_same_answer_and_is_not_kept(portal: RunningPortal) -> None:
    sealed = await submitted(portal)
    follow_up = sealed_follow_up(portal, sealed)
    known = await post_follow_up(portal, mailbox_secrets(), sealed_follow_up(portal, sealed, "another"))
    for secrets in (stranger(), wrong_token()):
        assert await post_follow_up(portal, secrets, follow_up) == known
    with portal.database.use():
        assert await records.FollowUpRecord.all().count() == 1


async def test_a_follow_up_waits_for_as_many_commits_whether_or_not_there_is_such_a_mailbox(
    portal: RunningPortal, monkeypatch: pytest.MonkeyPatch
) -> None:
    sealed = await submitted(portal)
    follow_up = sealed_follow_up(portal, sealed)
    committed: list[Model] = []
    insert = GroupCommit.insert

    async def watched(self: GroupCommit, row: Model) -> None:
        await insert(self, row)
        committed.append(row)

    monkeypatch.setattr(GroupCommit, "insert", watched)
    # The first one is kept, the second one is a repeat, the others are to nobody.
    for number, secrets in enumerate((mailbox_secrets(), mailbox_secrets(), stranger(), wrong_token()), 1):
        await post_follow_up(portal, secrets, follow_up)
        assert len(committed) == number
    with portal.database.use():
        assert await records.FollowUpRecord.all().count() == 1


async def test_a_follow_up_that_is_not_sealed_is_refused_for_everyone(portal: RunningPortal) -> None:
    await submitted(portal)
    answers = {await post_follow_up(portal, each, b"They came back.") for each in (mailbox_secrets(), stranger())}
    ((status, text),) = answers
    assert (status, "not-sealed" in text) == (400, True)


async def test_a_full_mailbox_takes_no_more(portal: RunningPortal) -> None:
    sealed = await submitted(portal)
    with portal.database.use():
        rows = [
            records.FollowUpRecord(
                slug=portal.world.slug,
                submission=sealed.manifest.submission,
                message=fresh_id(),
                day=NOW.date(),
                sealed=b"x",
            )
            for _ in range(FOLLOW_UPS_MAX)
        ]
        await records.FollowUpRecord.bulk_create(rows)
    status, text = await post_follow_up(portal, mailbox_secrets(), sealed_follow_up(portal, sealed))
    assert (status, "mailbox-full" in text) == (429, True)


async def test_a_follow_up_that_is_too_large_is_refused(portal: RunningPortal) -> None:
    status, text = await post_follow_up(portal, stranger(), bytes(80_000))
    assert (status, "too-large" in text) == (413, True)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{}",
        b'{"mailbox": "zz", "token": "00"}',
        b'{"mailbox": 1, "token": 2}',
        b'{"mailbox": "' + b"ab" * 16 + b'", "token": "' + b"ab" * 32 + b'", "more": 1}',
        b"\xff\xfe",
        b"[" * 900,
    ],
)
async def test_a_request_of_another_form_is_refused(portal: RunningPortal, body: bytes) -> None:
    for path in ("/mailbox", "/mailbox/follow-ups"):
        assert error_code(await portal.client.post(API + path, content=body)) == (400, "malformed-request")

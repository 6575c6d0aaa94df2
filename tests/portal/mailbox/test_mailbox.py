# SPDX-License-Identifier: AGPL-3.0-or-later
"""The reporter's return (docs/protocol.md §8): what a mailbox shows, and how little its length tells."""

from pathlib import Path

import pytest

from crypto.age import check_sealed_prefix
from crypto.mailbox_answer import read_mailbox_answer
from crypto.message import open_reply
from crypto.state import open_state
from tests.portal.office_api.test_office_api import collection_note
from tests.portal.threads import ask, post_notes, raw_answer, shown_state, start_thread, with_token
from tests.portal.world import API, RunningPortal, error_code, fresh_secrets, running_portal

EMPTY_SIZE = 131_072


async def test_a_mailbox_holds_the_state_that_the_reporter_left(portal_on: RunningPortal) -> None:
    thread = await start_thread(portal_on)
    answer = await thread.read()
    state = open_state(answer.state, thread.secrets)
    assert (state.thread.submission, state.thread.manifest) == (
        thread.sealed.manifest.submission,
        thread.sealed.manifest_hash,
    )
    assert (answer.messages, answer.collection, answer.thread) == ((), None, None)


async def test_a_mailbox_holds_the_acknowledgement_that_the_reporter_was_given(portal_on: RunningPortal) -> None:
    thread = await start_thread(portal_on)
    given = (await portal_on.submit(thread.sealed.bundle())).json()["acknowledgement"]
    assert (await thread.read()).acknowledgement == given


async def test_replies_come_by_number_with_their_postings_and_after_the_one_that_is_known(
    portal_on: RunningPortal,
) -> None:
    thread = await start_thread(portal_on)
    replies = await thread.post_next(3)
    messages = (await thread.read()).messages
    assert [message.sealed for message in messages] == replies
    assert [message.posting.split("\n")[3].split(" ")[0] for message in messages] == ["1", "2", "3"]
    opened = open_reply(messages[0].sealed, thread.secrets.identity, [portal_on.world.charter])
    assert opened.body == "Reply 1"
    assert [message.sealed for message in (await thread.read(after=1)).messages] == replies[1:]
    assert (await thread.read(after=3)).messages == ()


async def test_the_newest_thread_note_is_there(portal_on: RunningPortal) -> None:
    thread = await start_thread(portal_on)
    await thread.post_next()
    first, note = (await thread.read()).thread, thread.note(2)
    assert await post_notes(portal_on, (thread, 2, note)) == []
    assert (await thread.read()).thread == note != first


async def test_more_replies_than_fit_come_in_several_answers(portal: RunningPortal) -> None:
    thread = await start_thread(portal)
    replies = [thread.reply(f"{number:02}" * 30_000) for number in range(1, 15)]
    for number, sealed in enumerate(replies, 1):
        await thread.post(number, sealed)
    got: list[bytes] = []
    answers = 0
    while page := (await thread.read(after=len(got))).messages:
        got += [message.sealed for message in page]
        answers += 1
    assert got == replies
    assert answers > 1


async def test_the_length_of_an_answer_is_one_of_few(portal: RunningPortal) -> None:
    thread = await start_thread(portal)
    answer = await ask(portal, thread.secrets)
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["cache-control"] == "no-store"
    sizes = [len(answer.content)]
    await portal.office("POST", f"{thread.path}/collection", collection_note(portal, thread.sealed))
    for number in (1, 2, 3):
        await thread.post(number, thread.reply())
    sizes.append(len(await raw_answer(portal, thread.secrets)))
    await thread.post(4, thread.reply("x" * 60_000))
    sizes.append(len(await raw_answer(portal, thread.secrets)))
    assert sizes == [EMPTY_SIZE, EMPTY_SIZE, 2 * EMPTY_SIZE]


async def test_an_unknown_mailbox_is_answered_like_an_empty_one(portal: RunningPortal) -> None:
    thread = await start_thread(portal)
    real, decoy = await ask(portal, thread.secrets), await ask(portal, fresh_secrets())
    assert decoy.headers == real.headers
    assert len(decoy.content) == len(real.content)
    known, unknown = read_mailbox_answer(real.content), read_mailbox_answer(decoy.content)
    assert (unknown.acknowledgement, unknown.collection, unknown.thread, unknown.messages) == (None, None, None, ())
    assert len(unknown.state) == len(known.state)
    assert check_sealed_prefix(unknown.state).size == check_sealed_prefix(known.state).size


async def test_a_wrong_token_is_answered_like_an_unknown_mailbox(portal: RunningPortal) -> None:
    thread = await start_thread(portal)
    wrong = with_token(thread.secrets, bytes(32))
    before = await raw_answer(portal, wrong)
    await thread.post_next(2)
    await thread.send()
    assert await raw_answer(portal, wrong) == before
    answer = read_mailbox_answer(before)
    assert (answer.acknowledgement, answer.messages) == (None, ())


async def test_two_wrong_tokens_are_shown_two_states_as_a_wrong_and_a_right_one_are(portal: RunningPortal) -> None:
    """Else whoever saw one token pass could try another, and learn from an equal state that neither was right."""
    thread = await start_thread(portal)
    states = {await shown_state(portal, with_token(thread.secrets, bytes([number]) * 32)) for number in range(3)}
    assert len(states) == 3
    stranger = fresh_secrets()
    assert await shown_state(portal, stranger) != await shown_state(portal, with_token(stranger, bytes(32)))


async def test_a_decoy_is_the_same_at_every_request_and_after_a_restart(tmp_path: Path) -> None:
    one, other = fresh_secrets(), fresh_secrets()
    async with running_portal(tmp_path) as portal:
        first = await raw_answer(portal, one)
        assert await raw_answer(portal, one) == first
        assert await raw_answer(portal, other) != first
    async with running_portal(tmp_path) as portal:
        assert await raw_answer(portal, one) == first


async def test_a_decoy_depends_on_the_portal(tmp_path: Path) -> None:
    secrets = fresh_secrets()
    answers = set()
    for name in ("one", "two"):
        async with running_portal(tmp_path / name) as portal:
            answers.add(await raw_answer(portal, secrets))
    assert len(answers) == 2


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{}",
        b'{"mailbox": "zz", "token": "00"}',
        b'{"mailbox": 1, "token": 2}',
        b'{"mailbox": "' + b"ab" * 16 + b'", "token": "' + b"ab" * 32 + b'", "more": 1}',
        b'{"mailbox": "' + b"ab" * 16 + b'", "token": "' + b"ab" * 32 + b'", "after": -1}',
        b'{"mailbox": "' + b"ab" * 16 + b'", "token": "' + b"ab" * 32 + b'", "after": "1"}',
        b"\xff\xfe",
        b"[" * 900,
    ],
)
async def test_a_request_of_another_form_is_refused(portal: RunningPortal, body: bytes) -> None:
    for path in ("/mailbox", "/mailbox/changes"):
        assert error_code(await portal.client.post(API + path, content=body)) == (400, "malformed-request")

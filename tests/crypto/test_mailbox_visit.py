# SPDX-License-Identifier: AGPL-3.0-or-later
"""A visit: the same requests whatever the code, and nothing accepted is lost by two devices and a broken line."""

import json
from dataclasses import replace
from datetime import date

import pytest

from crypto.errors import LimitError, MalformedError, ProofError
from crypto.mailbox_answer import ANSWER_STEP, MAILBOX_MAX, PostedReply, read_mailbox_answer
from crypto.mailbox_visit import PortalRefusedError, delete_shown, send_follow_up, visit
from crypto.message import message_id, open_follow_up
from crypto.receipt_code import new_code
from tests.crypto.mailbox_portal import MemoryPortal, encode_answer
from tests.threads import DIGITS, start_thread

TODAY = date(2026, 5, 3)
STRANGER = new_code(lambda size: bytes(range(3, 3 + size)))


@pytest.fixture(scope="module")
def thread():
    return start_thread()


@pytest.fixture
def portal(thread):
    reply = thread.reply()
    answer = thread.answer(reply, thread=thread.note(replies=[reply]), collection=thread.collection())
    return MemoryPortal(thread, answer, newest=thread.newest_note())


def read_sent(portal, thread):
    return [
        open_follow_up(sealed, thread.identity, thread.secrets.message_mac) for sealed in portal.follow_ups.values()
    ]


class TestRequests:
    def test_a_known_and_an_unknown_code_make_the_same_requests_of_the_same_sizes(self, portal):
        assert visit(portal, DIGITS).found.shown
        known, portal.requests = portal.requests, []
        assert visit(portal, STRANGER).found is None
        assert portal.requests == known
        assert [path for path, *_ in known] == ["portal", "mailbox", "charters", "mailbox/changes"]
        assert known[1][2] == ANSWER_STEP

    def test_messages_of_both_have_the_same_sizes_too(self, portal):
        for digits in (DIGITS, STRANGER):
            before = visit(portal, digits)
            portal.requests = portal.requests[:0] if digits == DIGITS else portal.requests
            send_follow_up(portal, before, TODAY, "message", "x" * 100)
        *_, known = [size for path, *size in portal.requests if path == "mailbox/changes"][:1]
        *_, unknown = [size for path, *size in portal.requests if path == "mailbox/changes"]
        assert known == unknown

    def test_every_visit_replaces_the_state(self, portal):
        before = portal.shown.state
        visit(portal, DIGITS)
        assert portal.shown.state != before
        assert len(portal.shown.state) == len(before)
        assert visit(portal, DIGITS).found.state.thread.reply == 1

    def test_a_mailbox_of_many_replies_is_read_page_by_page(self, portal, thread):
        replies = [thread.reply(number) for number in (1, 2, 3)]
        whole = thread.answer(*replies, thread=thread.note(replies=replies))
        pages = {None: replace(whole, messages=whole.messages[:2], more=True), 2: replace(whole, messages=replies[2:])}
        portal.shown = whole

        class Paged(MemoryPortal):
            def post(self, path, body, *, once=False):
                if path != "mailbox":
                    return super().post(path, body, once=once)
                after = json.loads(body).get("after")
                return encode_answer(replace(pages[after], state=self.shown.state))

        paged = Paged(thread, whole, newest=thread.newest_note())
        assert [reply.number for reply in visit(paged, DIGITS).found.replies] == [1, 2, 3]

    @pytest.mark.parametrize(
        ("page", "asked"),
        [
            (lambda thread, after: [thread.reply(after + 1)], list(range(MAILBOX_MAX // ANSWER_STEP))),
            # One reply less than a reader takes, and then as many again.
            (lambda thread, after: [PostedReply("", b"")] * 4094 + [thread.reply(after + 1)], [0, 1]),
            (lambda thread, _: [thread.reply(3)], [0, 3]),
        ],
        ids=["one reply a page", "thousands a page", "the same page again"],
    )
    def test_of_a_mailbox_without_an_end_no_more_is_asked_than_its_bounds(self, portal, thread, page, asked):
        found = []

        class Endless(MemoryPortal):
            def post(self, path, body, *, once=False):
                if path != "mailbox":
                    return super().post(path, body, once=once)
                found.append(json.loads(body).get("after", 0))
                return encode_answer(replace(self.shown, messages=page(thread, found[-1]), more=True))

        visit(Endless(thread, portal.shown, newest=thread.newest_note()), DIGITS)
        assert found == asked


class TestMessages:
    def test_a_message_arrives_numbered_and_is_listed(self, portal, thread):
        before = visit(portal, DIGITS)
        send_follow_up(portal, before, TODAY, "message", "They moved me.")
        send_follow_up(portal, visit(portal, DIGITS), TODAY, "retaliation", "Again.")
        assert [(sent.number, sent.kind, sent.body) for sent in read_sent(portal, thread)] == [
            (1, "message", "They moved me."),
            (2, "retaliation", "Again."),
        ]
        assert [sent.number for sent in visit(portal, DIGITS).found.sent] == [1, 2]

    def test_two_devices_and_lost_answers_lose_no_accepted_message(self, portal, thread, rng):
        """Two devices write at once, answers get lost, and whoever got none sends once more."""
        accepted = []
        portal.loses_answers = lambda: rng.random() < 0.3
        devices = [visit_until_it_works(portal) for _ in range(2)]
        for turn in range(12):
            device = rng.randrange(2)
            if rng.random() < 0.5:
                other = devices[1 - device]
                portal.before_change = once(portal, lambda other=other, turn=turn: write(portal, other, f"{turn} b"))
            devices[device] = write(portal, devices[device], f"{turn} a")
            portal.before_change = lambda: None
            accepted = list(portal.follow_ups)
        state = visit_until_it_works(portal).found.state
        assert {sent.message for sent in state.thread.sent} >= set(accepted[-100:])
        sent_numbers = [message.number for message in read_sent(portal, thread)]
        assert sent_numbers == list(range(1, len(accepted) + 1))
        assert state.thread.sent_count == len(accepted)

    def test_too_long_a_message_is_refused_before_anything_is_sent(self, portal):
        before = visit(portal, DIGITS)
        with pytest.raises(LimitError):
            send_follow_up(portal, before, TODAY, "message", "x" * 70_000)
        assert portal.follow_ups == {}

    def test_a_portal_that_shows_another_mailbox_than_before_gets_nothing(self, portal, thread):
        before = visit(portal, DIGITS)
        portal.closed = True
        with pytest.raises(ProofError):
            send_follow_up(portal, before, TODAY, "message", "secret")
        assert portal.follow_ups == {}

    def test_a_mailbox_that_contradicts_itself_since_it_was_read_gets_nothing(self, portal, thread):
        before = visit(portal, DIGITS)
        portal.shown = replace(portal.shown, collection=thread.collection(manifest="0d" * 32))
        with pytest.raises(ProofError):
            send_follow_up(portal, before, TODAY, "message", "secret")
        assert portal.follow_ups == {}

    def test_a_portal_that_keeps_its_charters_to_itself_is_read_and_nothing_counts_as_signed(self, portal, thread):
        other = start_thread()
        portal.charters = [other.change_charter()]
        found = visit(portal, DIGITS).found
        assert [(reply.number, reply.problem) for reply in found.replies] == [(None, "unsigned")]
        assert found.collected is None

    def test_a_portal_that_refuses_for_ever_is_not_asked_for_ever(self, portal):
        def refuse():
            raise PortalRefusedError("state-conflict")

        portal.before_change = refuse
        found = visit(portal, DIGITS)
        assert (found.found.shown, found.saved) == (True, False)
        with pytest.raises(PortalRefusedError):
            send_follow_up(portal, found, TODAY, "message", "secret")
        assert len(portal.requests) < 100


class TestTheEnd:
    def test_what_was_shown_is_deleted_and_not_missing_afterwards(self, portal):
        delete_shown(portal, visit(portal, DIGITS))
        assert portal.deleted == 1
        found = visit(portal, DIGITS).found
        assert (found.replies, found.missing) == ((), ())

    def test_a_closed_mailbox_is_like_one_that_never_was(self, portal):
        delete_shown(portal, visit(portal, DIGITS), close=True)
        assert visit(portal, DIGITS).found is None

    def test_a_code_that_opens_nothing_deletes_and_closes_in_the_same_way(self, portal):
        delete_shown(portal, visit(portal, STRANGER), close=True)
        assert not portal.closed


class TestGarbage:
    @pytest.mark.parametrize("answer", [b"", b"{}", b"\0" * 131_072, b"\xff" * 131_072, b"[" * 131_072])
    def test_an_answer_that_no_portal_gives_is_malformed(self, answer):
        with pytest.raises((MalformedError, LimitError)):
            read_mailbox_answer(answer)

    def test_an_answer_of_another_size_than_its_content_needs_is_malformed(self, portal):
        with pytest.raises(MalformedError):
            read_mailbox_answer(encode_answer(portal.shown) + bytes(131_072))


def visit_until_it_works(portal):
    for _ in range(50):
        try:
            return visit(portal, DIGITS)
        except OSError:
            continue
    raise AssertionError("the line never held")


def write(portal, device, body):
    """Send once; without an answer, look again and send what is not listed. Returns the mailbox as last seen."""
    known = set(portal.follow_ups)
    try:
        send_follow_up(portal, device, TODAY, "message", body)
    except (OSError, PortalRefusedError):
        if set(portal.follow_ups) == known:
            return visit_until_it_works(portal)
    return visit_until_it_works(portal)


def once(portal, act):
    """Let somebody else act before a change arrives, one time."""

    def run():
        portal.before_change = lambda: None
        act()

    return run


def test_ids_are_those_of_the_sealed_bytes(portal):
    send_follow_up(portal, visit(portal, DIGITS), TODAY, "message", "one")
    assert [message_id(sealed) for sealed in portal.follow_ups.values()] == list(portal.follow_ups)

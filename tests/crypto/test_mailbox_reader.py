# SPDX-License-Identifier: AGPL-3.0-or-later
"""A mailbox at a portal that lies, and with members who have left: what the reader takes, misses and raises."""

import json
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from crypto.age import PqIdentity
from crypto.encoding import decode_base64
from crypto.errors import NotARecipientError
from crypto.mailbox_answer import MailboxAnswer, PostedReply
from crypto.mailbox_change import add_follow_up, delete_replies
from crypto.mailbox_reader import read_chain, read_mailbox
from crypto.message import message_id, open_follow_up
from crypto.note import SigningKey
from crypto.receipt_code import derive
from crypto.state import open_state
from crypto.thread_keys import ThreadKeys
from tests.threads import SENT, VISITED, WRITTEN, Thread, start_thread, unknown_charter
from tests.vectors import load_vectors
from tests.vectors.mailbox import verdict

FILE = json.loads((Path(__file__).parent.parent / "vectors/mailbox.json").read_text("utf-8"))
OTHER_HASH = "0d" * 32
LATER = date(2034, 1, 1)


@pytest.fixture(scope="module")
def started():
    return start_thread()


@pytest.fixture(scope="module")
def vector_secrets():
    return derive(FILE["receipt_digits"], FILE["realm"])


@pytest.fixture
def thread(started):
    return replace(started, charters=list(started.charters))


@pytest.fixture(scope="module")
def started_without_chiara():
    return start_thread(exclude=["chiara"])


def numbers(mailbox):
    return [(reply.number, reply.problem) for reply in mailbox.replies]


def kinds(mailbox):
    return [alarm.kind for alarm in mailbox.alarms]


@pytest.mark.parametrize("vector", load_vectors("mailbox", "read"))
def test_vectors(vector, vector_secrets):
    given = vector["input"]
    messages = [PostedReply(each["posting"], decode_base64(each["sealed"])) for each in given["messages"]]
    thread = None if given["thread"] is None else decode_base64(given["thread"])
    state = decode_base64(given["state"])
    answer = MailboxAnswer(state, given["acknowledgement"], given["collection"], thread, tuple(messages))
    opened = open_state(state, vector_secrets)
    chain = read_chain(opened, [FILE["charters"][charter].encode() for charter in given["charters"]])
    assert verdict(read_mailbox(answer, opened, vector_secrets, chain, given["newest"])) == vector["value"]


class TestAnHonestPortal:
    def test_nothing_is_shown_before_the_commission_speaks(self, thread):
        found = thread.read(thread.answer(), newest=thread.newest_note())
        assert not found.shown
        assert (found.replies, found.missing, found.alarms) == ((), (), ())

    def test_a_collection_note_says_when_the_report_was_fetched(self, thread):
        found = thread.read(thread.answer(collection=thread.collection()))
        assert found.shown
        assert found.collected == SENT

    def test_a_reply_is_shown_with_its_author_and_its_number(self, thread):
        reply = thread.reply()
        found = thread.read(thread.answer(reply, thread=thread.note(replies=[reply])), newest=thread.newest_note())
        assert numbers(found) == [(1, None)]
        assert found.replies[0].author.name == "Chiara Lombardi"
        assert found.replies[0].body == "We have read your report."
        assert (found.missing, found.alarms, found.older) == ((), (), False)
        assert (found.state.thread.reply, found.state.thread.note) == (1, 1)

    def test_what_was_sent_is_fetched_when_the_office_says_so(self, thread):
        first, state = add_follow_up(thread.state, SENT, "message", "one")
        _, state = add_follow_up(state, WRITTEN, "message", "two")
        note = thread.note(held_count=1, held=(message_id(first),))
        found = thread.read(thread.answer(thread=note), state=state)
        assert [(sent.number, sent.fetched) for sent in found.sent] == [(1, True), (2, False)]

    def test_an_excluded_members_absence_changes_nothing_for_the_others(self, started_without_chiara):
        thread = started_without_chiara
        reply = thread.reply(author="bruno")
        found = thread.read(thread.answer(reply, thread=thread.note(replies=[reply])))
        assert numbers(found) == [(1, None)]

    def test_replies_that_the_reporter_deleted_are_neither_shown_nor_missing(self, thread):
        replies = [thread.reply(number) for number in (1, 2, 3)]
        state = delete_replies(thread.state, 2)
        found = thread.read(thread.answer(*replies, thread=thread.note(replies=replies)), state=state)
        assert numbers(found) == [(3, None)]
        assert found.missing == ()


class TestASwappedReport:
    """The portal acknowledged one manifest, and the office holds another under the same id."""

    def test_a_collection_note_for_another_manifest_is_an_alarm_with_both_signatures(self, thread):
        acknowledged, collected = thread.acknowledgement(), thread.collection(manifest=OTHER_HASH)
        found = thread.read(thread.answer(acknowledgement=acknowledged, collection=collected))
        assert kinds(found) == ["collection"]
        assert found.alarms[0].evidence == (acknowledged, collected)
        assert found.shown
        assert found.collected is None

    def test_an_acknowledgement_for_another_manifest_is_an_alarm(self, thread):
        acknowledged = thread.acknowledgement(manifest=OTHER_HASH)
        found = thread.read(thread.answer(acknowledgement=acknowledged))
        assert kinds(found) == ["acknowledgement"]
        assert found.alarms[0].evidence == (acknowledged,)

    def test_a_thread_note_for_another_manifest_is_an_alarm_and_counts_for_nothing(self, thread):
        found = thread.read(thread.answer(thread=thread.note(manifest=OTHER_HASH)))
        assert kinds(found) == ["thread"]
        assert found.confirmed is None

    def test_a_reply_to_another_manifest_is_not_ours(self, thread):
        reply = thread.reply(manifest=OTHER_HASH)
        found = thread.read(thread.answer(reply, thread=thread.note()))
        assert numbers(found) == [(None, "unsigned")]

    @pytest.mark.parametrize("what", ["acknowledgement", "collection"])
    def test_a_statement_that_nobody_signed_raises_no_alarm(self, thread, what):
        stranger = SigningKey.generate("portal.test")
        lies = {
            "acknowledgement": thread.acknowledgement(manifest=OTHER_HASH, key=stranger),
            "collection": thread.collection(manifest=OTHER_HASH, office=stranger),
        }
        found = thread.read(thread.answer(**{what: lies[what]}))
        assert (found.alarms, found.shown) == ((), False)

    def test_a_statement_about_another_submission_proves_nothing(self, thread):
        found = thread.read(thread.answer(collection=thread.collection(submission="0b" * 16)))
        assert (found.alarms, found.collected) == ((), None)


class TestAThinnedThread:
    """The portal drops, delays, reorders or rewinds."""

    def test_a_dropped_reply_is_missing_by_its_number(self, thread):
        replies = [thread.reply(number) for number in (1, 2, 3)]
        answer = thread.answer(replies[0], replies[2], thread=thread.note(replies=replies))
        assert thread.read(answer).missing == (2,)

    def test_the_last_reply_dropped_is_missing_too(self, thread):
        replies = [thread.reply(number) for number in (1, 2)]
        assert thread.read(thread.answer(replies[0], thread=thread.note(replies=replies))).missing == (2,)

    def test_expired_replies_are_not_missing(self, thread):
        replies = [thread.reply(number) for number in (1, 2, 3)]
        answer = thread.answer(replies[2], thread=thread.note(replies=replies, oldest_reply=3))
        assert thread.read(answer).missing == ()

    def test_replies_are_shown_in_the_offices_order_whatever_the_portals(self, thread):
        replies = [thread.reply(number, body=str(number)) for number in (1, 2, 3)]
        found = thread.read(thread.answer(*reversed(replies), thread=thread.note(replies=replies)))
        assert [reply.body for reply in found.replies] == ["1", "2", "3"]

    def test_a_reply_shown_twice_is_one(self, thread):
        reply = thread.reply()
        assert numbers(thread.read(thread.answer(reply, reply))) == [(1, None)]

    def test_a_rewound_thread_note_is_shown_as_older_and_the_state_keeps_the_higher_number(self, thread):
        state = replace(thread.state, thread=replace(thread.state.thread, note=7))
        found = thread.read(thread.answer(thread=thread.note(6)), state=state)
        assert (found.older, found.state.thread.note) == (True, 7)

    def test_an_older_charters_office_cannot_speak_after_a_newer_was_seen(self, thread):
        old = thread.note()
        thread.change_charter()
        state = thread.read(thread.answer()).state
        assert state.charter_number == 2
        found = thread.read(thread.answer(thread=old), state=state)
        assert (found.confirmed, found.shown) == (None, False)

    def test_two_replies_under_one_number_are_an_alarm(self, thread):
        one, other = thread.reply(body="one"), thread.reply(body="other")
        assert kinds(thread.read(thread.answer(one, other))) == ["reply-number"]

    def test_another_last_reply_than_the_thread_note_names_is_an_alarm(self, thread):
        one, other = thread.reply(body="one"), thread.reply(body="other")
        assert kinds(thread.read(thread.answer(one, thread=thread.note(replies=[other])))) == ["reply-number"]

    def test_a_thread_note_for_another_mailbox_counts_for_nothing(self, thread):
        note = thread.note(mailbox=PqIdentity.from_seed(bytes(32)).recipient())
        assert not thread.read(thread.answer(thread=note)).shown

    def test_a_thread_note_by_a_member_counts_for_nothing(self, thread):
        note = thread.note(office=thread.world["chiara"].signing_key)
        assert not thread.read(thread.answer(thread=note)).shown

    def test_a_broken_reply_does_not_hide_the_others(self, thread):
        good, broken = thread.reply(1), thread.reply(2)
        broken = replace(broken, sealed=broken.sealed[:-1])
        found = thread.read(thread.answer(broken, good, thread=thread.note(replies=[good])))
        assert numbers(found) == [(1, None), (None, "unreadable")]

    @pytest.mark.parametrize("posting", ["", "\ud800", "no note", "amparo reply v1\n\n— x AAAAAAA=\n"])
    def test_a_garbage_posting_leaves_the_reply_unsigned(self, thread, posting):
        found = thread.read(thread.answer(replace(thread.reply(), posting=posting)))
        assert numbers(found) == [(None, "unsigned")]


class TestAFormerMember:
    """Somebody whose keys were once those of a member signs, and the portal helps."""

    def test_a_member_who_left_cannot_write_under_the_old_charter(self, thread):
        old = thread.newest
        thread.without("chiara")
        reply = thread.reply(author="chiara", charter=old, day=SENT, posted=WRITTEN)
        assert numbers(thread.read(thread.answer(reply))) == [(1, "unsigned")]

    def test_nor_post_it_themselves(self, thread):
        old = thread.newest
        thread.without("chiara")
        reply = thread.reply(charter=old, posting_charter=old, office=thread.world["chiara"].signing_key)
        assert numbers(thread.read(thread.answer(reply))) == [(None, "unsigned")]

    def test_an_old_office_key_posts_nothing_new_after_a_newer_charter_was_seen(self, thread):
        old, thief = thread.newest, thread.world.office_key
        new_office = SigningKey.generate(f"{old.slug}/office")
        thread.change_charter(office=(new_office.verifier,))
        seen = thread.read(thread.answer()).state
        reply = thread.reply(charter=old, posting_charter=old, office=thief)
        assert numbers(thread.read(thread.answer(reply), state=seen)) == [(None, "unsigned")]

    def test_what_was_seen_before_the_newer_charter_stays_genuine(self, thread):
        reply = thread.reply()
        state = thread.read(thread.answer(reply)).state
        thread.without("chiara")
        again = thread.read(thread.answer(reply), state=state)
        assert numbers(again) == [(1, None)]
        assert numbers(thread.read(thread.answer(reply), state=again.state)) == [(1, None)]

    def test_a_reply_without_the_offices_signature_is_unsigned(self, thread):
        reply = thread.reply(office=thread.world["chiara"].signing_key)
        assert numbers(thread.read(thread.answer(reply))) == [(None, "unsigned")]

    def test_a_posting_for_another_message_is_unsigned(self, thread):
        reply = thread.reply(message="0e" * 16)
        assert numbers(thread.read(thread.answer(reply))) == [(None, "unsigned")]

    def test_a_member_without_a_replying_role_cannot_write(self, thread):
        reply = thread.reply(author="elif")
        assert numbers(thread.read(thread.answer(reply))) == [(1, "unsigned")]

    def test_a_member_who_lost_the_role_cannot_write(self, thread):
        members = [
            replace(each, roles=("auditor",)) if each.label == "chiara" else each for each in thread.newest.members
        ]
        old = thread.newest
        thread.change_charter(members=tuple(members))
        reply = thread.reply(charter=old)
        assert numbers(thread.read(thread.answer(reply))) == [(1, "unsigned")]

    def test_an_excluded_member_cannot_write(self, started_without_chiara):
        thread = started_without_chiara
        assert numbers(thread.read(thread.answer(thread.reply(author="chiara")))) == [(1, "unsigned")]

    def test_nor_under_another_label_of_a_later_charter(self, started_without_chiara):
        thread = replace(started_without_chiara, charters=list(started_without_chiara.charters))
        chiara = thread.world["chiara"]
        renamed = SigningKey.from_seed(f"{thread.newest.slug}/clara", chiara.keyring.signing_seed)
        members = [
            replace(each, label="clara", verifier=renamed.verifier) if each.label == "chiara" else each
            for each in thread.newest.members
        ]
        thread.change_charter(members=tuple(members))
        person = replace(chiara, label="clara", key_name=renamed.name)
        thread.world = replace(thread.world, people=(*thread.world.people, person))
        assert numbers(thread.read(thread.answer(thread.reply(author="clara")))) == [(1, "unsigned")]

    @pytest.mark.parametrize("days", [{"day": LATER}, {"day": LATER, "posted": LATER}])
    def test_a_reply_dated_after_every_signed_day_is_unsigned(self, thread, days):
        found = thread.read(thread.answer(thread.reply(**{"posted": WRITTEN, **days})), newest=thread.newest_note())
        assert [reply.problem for reply in found.replies] == ["unsigned"]

    def test_a_reply_under_a_charter_that_is_in_no_chain_is_unsigned(self, thread):
        own = start_thread(replace(thread.world))
        own.change_charter(grace_days=1)
        thread_reply = thread.reply(charter=own.newest, posting_charter=own.newest)
        assert numbers(thread.read(thread.answer(thread_reply))) == [(None, "unsigned")]

    def test_unsigned_replies_have_neither_text_nor_author_nor_keys(self, thread):
        keys = ThreadKeys(9, PqIdentity.from_seed(bytes(32)).recipient(), bytes(32))
        found = thread.read(thread.answer(thread.reply(author="elif", keys=keys)))
        assert (found.replies[0].body, found.replies[0].author) == ("", None)
        assert found.state.thread.keys.generation == 0


class TestKeysThatMoveOn:
    def test_a_renewal_in_a_thread_note_brings_the_new_keys(self, thread):
        found = thread.read(thread.answer(thread=thread.note(renewal=thread.renewal())))
        assert found.state.thread.keys.generation == 1
        sealed, _ = add_follow_up(found.state, VISITED, "message", "for the new ones")
        with pytest.raises(NotARecipientError):
            open_follow_up(sealed, thread.identity, thread.secrets.message_mac)

    def test_a_reply_brings_them_too(self, thread):
        new = PqIdentity.from_seed(bytes([1]) * 32)
        keys = ThreadKeys(1, new.recipient(), bytes([1]) * 32)
        found = thread.read(thread.answer(thread.reply(keys=keys)))
        assert found.state.thread.keys == keys

    def test_older_keys_never_come_back(self, thread):
        state = thread.read(thread.answer(thread=thread.note(renewal=thread.renewal(2)))).state
        found = thread.read(
            thread.answer(thread.reply(), thread=thread.note(2, renewal=thread.renewal(1))), state=state
        )
        assert found.state.thread.keys.generation == 2

    def test_a_renewal_by_an_excluded_member_is_refused(self, started_without_chiara):
        thread = started_without_chiara
        found = thread.read(thread.answer(thread=thread.note(renewal=thread.renewal(author="chiara"))))
        assert found.state.thread.keys.generation == 0

    def test_a_renewal_by_somebody_who_left_is_refused(self, thread):
        old = thread.newest
        thread.without("chiara")
        note = thread.note(renewal=thread.renewal(author="chiara", charter=old))
        assert thread.read(thread.answer(thread=note)).state.thread.keys.generation == 0

    @pytest.mark.parametrize("lie", [{"manifest": OTHER_HASH}, {"day": LATER}])
    def test_a_renewal_that_does_not_belong_here_is_refused(self, thread, lie):
        note = thread.note(renewal=thread.renewal(**lie))
        assert thread.read(thread.answer(thread=note)).state.thread.keys.generation == 0

    def test_a_renewal_that_cannot_be_read_does_not_hide_the_note(self, thread):
        found = thread.read(thread.answer(thread=thread.note(renewal=b"garbage")))
        assert found.confirmed is not None


class TestOldCharters:
    def test_the_day_of_the_newest_charter_note_is_told(self, thread):
        found = thread.read(thread.answer(), newest=thread.newest_note())
        assert (found.newest_day, found.replaced) == (VISITED, False)

    def test_a_note_that_names_a_charter_which_the_portal_hides_says_so(self, thread):
        old = list(thread.charters)
        thread.change_charter()
        found = thread.read(thread.answer(), newest=thread.newest_note(), charters=old)
        assert found.replaced

    def test_a_charter_seen_before_and_now_hidden_says_so(self, thread):
        old = list(thread.charters)
        thread.change_charter()
        state = thread.read(thread.answer()).state
        found = thread.read(thread.answer(), state=state, charters=old)
        assert found.replaced
        assert found.state.charter_number == 2

    def test_two_charters_under_one_number_are_an_alarm(self, thread):
        fork = replace(thread, charters=list(thread.charters))
        thread.change_charter()
        fork.change_charter(grace_days=1)
        state = thread.read(thread.answer()).state
        assert kinds(thread.read(thread.answer(), state=state, charters=fork.charters)) == ["charter"]

    def test_a_newest_charter_note_for_another_charter_of_that_number_is_an_alarm(self, thread):
        found = thread.read(thread.answer(), newest=thread.newest_note(charter=replace(thread.newest, hash=OTHER_HASH)))
        assert kinds(found) == ["charter"]

    @pytest.mark.parametrize("lie", [{"slug": "another"}, {"realm": "00" * 16}])
    def test_a_note_of_another_commission_counts_for_nothing(self, thread, lie):
        found = thread.read(thread.answer(), newest=thread.newest_note(**lie))
        assert (found.newest_day, found.alarms) == (None, ())

    def test_a_note_that_nobody_signed_counts_for_nothing(self, thread):
        note = thread.newest_note(office=thread.world["chiara"].signing_key)
        assert thread.read(thread.answer(), newest=note).newest_day is None

    @pytest.mark.parametrize("note", ["", "\ud800", "x\n\ny"])
    def test_a_garbage_note_counts_for_nothing(self, thread, note):
        assert thread.read(thread.answer(), newest=note).newest_day is None

    def test_a_chain_that_does_not_begin_with_the_states_charter_is_empty(self, thread):
        state = replace(thread.state, thread=replace(thread.state.thread, charter=unknown_charter()))
        found = thread.read(thread.answer(thread.reply(), collection=thread.collection()), state=state)
        assert (found.collected, numbers(found)) == (None, [(None, "unsigned")])

    def test_a_thread_that_moved_to_another_origin_is_the_same_thread(self, thread):
        old_key = thread.newest.portal
        thread.change_charter(origin="https://another.test", portal=replace(old_key, name="another.test"))
        reply = thread.reply()
        found = thread.read(thread.answer(reply, thread=thread.note(replies=[reply]), collection=thread.collection()))
        assert (numbers(found), found.collected, found.alarms) == ([(1, None)], SENT, ())


def test_visits_one_after_the_other_never_lose_what_was_sent(started):
    thread: Thread = started
    state, held = thread.state, []
    for number in range(1, 6):
        sealed, state = add_follow_up(state, SENT + timedelta(days=number), "message", f"message {number}")
        held.append(message_id(sealed))
        found = thread.read(thread.answer(thread=thread.note(number, held_count=number, held=tuple(held))), state=state)
        assert [sent.number for sent in found.sent if sent.fetched] == list(range(1, number + 1))
        state = found.state


def test_a_thread_note_that_names_another_charter_of_a_number_is_an_alarm(thread):
    found = thread.read(thread.answer(thread=thread.note(charter=OTHER_HASH)))
    assert kinds(found) == ["charter"]
    assert found.confirmed is None


def test_a_newest_charter_note_from_before_the_report_replaces_nothing(thread):
    first = thread.newest
    second = thread.change_charter()
    state = replace(thread.state, thread=replace(thread.state.thread, charter=second.hash))
    found = thread.read(thread.answer(), state=state, charters=[second], newest=thread.newest_note(charter=first))
    assert not found.replaced


def test_a_charter_that_comes_again_is_passed_over_unread_and_one_that_is_not_genuine_ends_the_chain(thread):
    """A portal could have a device verify the same charter for minutes."""
    first, second = thread.newest, thread.change_charter()
    note, following = first.note, second.note
    forged = note[:-10] + b"AAAAAAAA=\n"
    assert read_chain(thread.state, [b"no note", following, note, forged, note, following]) == (first, second)
    assert read_chain(thread.state, [note, b"no note", following]) == (first,)
    assert read_chain(thread.state, [forged, note, following]) == ()

# SPDX-License-Identifier: AGPL-3.0-or-later
"""Events: one encoding, one signer, one place in the chain; and sealed parts that fit no other place."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from crypto.age import PqIdentity
from crypto.document import Fields
from crypto.encoding import encode_base64
from crypto.errors import CryptoError, LimitError, MalformedError
from crypto.event import (
    PART_MAX,
    SEALED_MAX,
    Event,
    check_follows,
    format_time,
    open_part,
    parse_time,
    read_event,
    seal_part,
    sign_event,
)
from crypto.event_fields import TEXT_CHARS_MAX, read_part
from crypto.event_types import TYPES, Declared, Noted, public_kind
from crypto.grant import CaseGrant, open_case_grant, read_case_grant, read_grant, read_thread_grant, seal_case_grant
from crypto.sealed_parts import Text
from tests.vectors import expected_error, join_parts, load_vectors
from tests.vectors.commission import load_commission

ACME = load_commission()
CHAIR = ACME.keys["acme/chair"]
CASE_IDENTITY = ACME.identities["thread"]
NOW = datetime(2026, 5, 3, 10, 0, 0, tzinfo=UTC)
DECLARED = Event("0a" * 16, 1, "0b" * 32, "chair", ACME.charter.hash, NOW, Declared(conflict=False, granted=()))


def charters(vector):
    return {ACME.charters[name].hash: ACME.charters[name] for name in vector["input"]["charters"]}


def event_value(event):
    return {
        "case": event.case,
        "sequence": event.sequence,
        "previous": event.previous,
        "type": event.type,
        "actor": event.actor,
        "charter": event.charter,
        "time": format_time(event.time),
        "public": event.public.value(),
        "sealed": None if event.sealed is None else encode_base64(event.sealed),
    }


def outcome(vector, act):
    """What ``act`` gives, compared with the vector; or the error that it names."""
    if "error" in vector:
        with pytest.raises(expected_error(vector)):
            act()
        return
    assert act() == vector["value"]


class TestVectors:
    @pytest.mark.parametrize("vector", load_vectors("event", "sign"))
    def test_signing(self, vector):
        given = vector["input"]["event"]
        public = read_part(public_kind(given["type"]), Fields(given["public"], "public"))
        event = Event(
            given["case"],
            given["sequence"],
            given["previous"],
            given["actor"],
            given["charter"],
            parse_time(given["time"]),
            public,
        )
        signed = sign_event(event, ACME.keys[vector["input"]["key"]])
        assert signed.encode() == join_parts(vector["value"])

    @pytest.mark.parametrize("vector", load_vectors("event", "read"))
    def test_reading(self, vector):
        def act():
            event = read_event(join_parts(vector["input"]["note"]), charters(vector))
            return {**event_value(event), "hash": event.hash, "signer": event.signer.label}

        outcome(vector, act)

    @pytest.mark.parametrize("vector", load_vectors("event", "follow"))
    def test_following(self, vector):
        def act():
            after = vector["input"]["after"]
            head = None if after is None else read_event(join_parts(after), charters(vector)).head
            check_follows(head, read_event(join_parts(vector["input"]["note"]), charters(vector)))
            return True

        outcome(vector, act)

    @pytest.mark.parametrize("vector", load_vectors("event", "open-part"))
    def test_opening_sealed_parts(self, vector):
        event = read_event(join_parts(vector["input"]["note"]), charters(vector))

        def act():
            part = open_part(event, ACME.identities[vector["input"]["identity"]])
            return None if part is None else part.value()

        outcome(vector, act)

    @pytest.mark.parametrize("vector", load_vectors("event", "read-case-grant"))
    def test_reading_grants_of_a_case(self, vector):
        def act():
            grant = read_case_grant(join_parts(vector["input"]["grant"]))
            return {**vars(grant), "identity": str(grant.identity)}

        outcome(vector, act)

    @pytest.mark.parametrize("vector", load_vectors("event", "read-thread-grant"))
    def test_reading_grants_of_later_thread_keys(self, vector):
        def act():
            grant = read_thread_grant(join_parts(vector["input"]["grant"]))
            return {**vars(grant), "identity": str(grant.identity), "message_mac": grant.message_mac.hex()}

        outcome(vector, act)

    def test_every_type_has_a_vector(self):
        signed = {vector.values[0]["input"]["event"]["type"] for vector in load_vectors("event", "sign")}
        opened = {vector.values[0]["name"].split(",")[0] for vector in load_vectors("event", "open-part")}
        assert signed | opened >= set(TYPES)


def test_an_event_that_no_reader_takes_is_not_signed():
    for changes in ({"actor": "The Chair"}, {"case": "0a"}, {"sequence": -1}, {"public": Noted()}):
        with pytest.raises(CryptoError):
            sign_event(replace(DECLARED, **changes), CHAIR)


@pytest.mark.parametrize(
    "time", [NOW.replace(tzinfo=None), NOW.replace(microsecond=1), NOW.astimezone(timezone(timedelta(hours=2)))]
)
def test_a_time_is_in_utc_and_in_whole_seconds(time):
    with pytest.raises(MalformedError):
        format_time(time)


def test_a_sealed_part_has_a_size_that_its_words_hardly_tell():
    recipient = CASE_IDENTITY.recipient()
    sizes = {len(seal_part(Text("x" * length), DECLARED.case, 1, recipient)) for length in (0, 1, 100, 800)}
    assert len(sizes) == 1


def test_a_sealed_part_that_is_too_large_is_refused_before_it_is_sealed():
    recipient = CASE_IDENTITY.recipient()
    with pytest.raises(LimitError):
        seal_part(Text("x" * (TEXT_CHARS_MAX + 1)), DECLARED.case, 1, recipient)
    with pytest.raises(LimitError):
        seal_part(Text("\N{ARABIC LETTER SEEN}" * (PART_MAX // 2)), DECLARED.case, 1, recipient)


def test_the_largest_sealed_part_fits_into_an_event():
    text = Text("\N{ARABIC LETTER SEEN}" * (PART_MAX // 2 - 200))
    sealed = seal_part(text, DECLARED.case, 1, CASE_IDENTITY.recipient())
    assert len(sealed) < SEALED_MAX
    signed = sign_event(replace(DECLARED, public=Noted(), sealed=sealed), CHAIR)
    event = read_event(signed.encode(), {ACME.charter.hash: ACME.charter})
    assert open_part(event, CASE_IDENTITY) == text


def test_a_member_reads_until_the_last_day_of_the_charter():
    last = datetime.combine(ACME.charter.valid_until, datetime.max.time(), UTC).replace(microsecond=0)
    known = {ACME.charter.hash: ACME.charter}
    assert read_event(sign_event(replace(DECLARED, time=last), CHAIR).encode(), known).time == last
    with pytest.raises(CryptoError):
        read_event(sign_event(replace(DECLARED, time=last + timedelta(seconds=1)), CHAIR).encode(), known)


def test_what_could_tell_something_is_not_shown_by_repr():
    shown = repr(Text("secret words")) + repr(CaseGrant("0a" * 16, 1, CASE_IDENTITY)) + repr(date(2026, 5, 3))
    assert "secret" not in shown
    assert "AGE-SECRET" not in shown


def test_a_grant_of_a_case_is_opened_by_its_recipients_and_is_no_grant_of_a_thread():
    grant = CaseGrant("0a" * 16, 3, PqIdentity.generate())
    sealed = seal_case_grant(grant, [CASE_IDENTITY.recipient()])
    assert str(open_case_grant(sealed, [CASE_IDENTITY]).identity) == str(grant.identity)
    with pytest.raises(CryptoError):
        open_case_grant(sealed, [PqIdentity.generate()])
    with pytest.raises(CryptoError):
        read_grant(grant.encode())

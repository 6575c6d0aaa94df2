# SPDX-License-Identifier: AGPL-3.0-or-later
"""Work under pressure: the same in both languages, bound to what is sent, and of nearly one length."""

from dataclasses import replace

import pytest

from crypto.encoding import encode_base64
from crypto.errors import AuthenticationError
from crypto.work import SEARCHES, AskedWork, do_work, parse_work, read_asked_work
from tests.chance import fresh_bytes
from tests.vectors import expected_error, join_parts, load_vectors

ASKED = AskedWork(bytes(16), 6)
DIGEST = bytes(32)


class TestVectors:
    @pytest.mark.parametrize("vector", load_vectors("work", "do"))
    def test_doing(self, vector):
        given = vector["input"]
        asked = AskedWork(bytes.fromhex(given["challenge"]), given["bits"])
        work = do_work(asked, given["path"], bytes.fromhex(given["digest"]), lambda _: bytes.fromhex(given["salt"]))
        assert work.encode() == vector["value"]

    @pytest.mark.parametrize("vector", load_vectors("work", "check"))
    def test_checking(self, vector):
        given = vector["input"]

        def check():
            parse_work(given["work"]).check(given["path"], bytes.fromhex(given["digest"]), given["bits"])

        if "error" not in vector:
            check()
            return
        with pytest.raises(expected_error(vector)):
            check()

    @pytest.mark.parametrize("vector", load_vectors("work", "read-asked"))
    def test_reading_what_is_asked(self, vector):
        answer = join_parts(vector["input"]["bytes"])
        if "error" in vector:
            with pytest.raises(expected_error(vector)):
                read_asked_work(answer)
            return
        asked = read_asked_work(answer)
        found = None if asked is None else {"challenge": asked.challenge.hex(), "bits": asked.bits}
        assert found == vector["value"]


def test_what_was_done_counts():
    work = do_work(ASKED, "submissions", DIGEST, fresh_bytes)
    read = parse_work(work.encode())
    assert read == work
    read.check("submissions", DIGEST, ASKED.bits)


@pytest.mark.parametrize("index", range(SEARCHES))
def test_no_search_may_be_left_out(index):
    work = do_work(ASKED, "submissions", DIGEST, lambda size: b"\1" * size)
    # The least number that counts was found, so that no lower one does; with this salt none of them is zero.
    lower = tuple(nonce - (place == index) for place, nonce in enumerate(work.nonces))
    with pytest.raises(AuthenticationError):
        replace(work, nonces=lower).check("submissions", DIGEST, ASKED.bits)


def test_two_works_for_the_same_have_only_the_challenge_in_common():
    one, other = (do_work(ASKED, "submissions", DIGEST, fresh_bytes) for _ in range(2))
    assert one.challenge == other.challenge
    assert one.salt != other.salt
    assert one.nonces != other.nonces
    assert len(one.encode()) == len(other.encode()) == len(encode_base64(bytes(96)))

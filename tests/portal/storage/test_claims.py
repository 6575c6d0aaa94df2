# SPDX-License-Identifier: AGPL-3.0-or-later
"""Claims and shares of several processes: each has its own objects, and the file and the count in common."""

from pathlib import Path

import pytest

from crypto.ids import SubmissionId
from portal.storage.claims import Claims
from portal.storage.errors import BusyError, StorageFullError
from portal.storage.shares import PARTS, Kind, Shares
from tests.chance import fresh_id

ROOM = 100_000


def test_who_deletes_is_alone_and_who_uses_is_not(tmp_path: Path) -> None:
    one, other = Claims(tmp_path / "lock"), Claims(tmp_path / "lock")
    submission, elsewhere = SubmissionId(fresh_id()), SubmissionId(fresh_id())
    with one.used(submission), one.used(submission), other.used(submission):
        for claims in (one, other):
            with claims.alone(submission) as is_free:
                assert not is_free
            with claims.alone(elsewhere) as is_free:
                assert is_free
    with one.alone(submission) as is_free:
        assert is_free
        for claims in (one, other):
            with pytest.raises(BusyError):
                claims.use(submission)
    with other.alone(submission) as is_free:
        assert is_free
    one.close()
    other.close()


def test_ids_that_begin_alike_do_not_undo_each_others_claims(tmp_path: Path) -> None:
    one, other = Claims(tmp_path / "lock"), Claims(tmp_path / "lock")
    submission, sibling = SubmissionId("ab" * 16), SubmissionId("ab" * 15 + "00")
    with one.used(submission):
        with one.used(sibling):
            pass
        with other.alone(submission) as is_free:
            assert not is_free
        with one.alone(sibling) as is_free:
            assert not is_free
    one.close()
    other.close()


def test_a_claim_ends_with_its_process(tmp_path: Path) -> None:
    gone, left = Claims(tmp_path / "lock"), Claims(tmp_path / "lock")
    submission = SubmissionId(fresh_id())
    gone.use(submission)
    gone.close()
    with left.alone(submission) as is_free:
        assert is_free
    left.close()


def test_processes_that_count_at_one_time_never_exceed_a_share_together() -> None:
    held = dict.fromkeys(Kind, 0) | {Kind.MAILBOXES: 4_000}
    processes = [Shares(3) for _ in range(3)]
    taken = held[Kind.MAILBOXES]
    for shares in processes:
        with pytest.raises(BusyError):
            shares.take(Kind.MAILBOXES, 1)
        shares.end_count(held, {}, ROOM, ROOM)
        with pytest.raises(StorageFullError):
            while True:
                shares.take(Kind.MAILBOXES, 100)
                taken += 100
    assert taken == ROOM * PARTS[Kind.MAILBOXES] // 100


@pytest.mark.parametrize("kind", [kind for kind in Kind if kind is not Kind.REPLIES])
def test_a_share_presses_while_it_is_filled_fast_and_not_because_it_is_full(kind: Kind) -> None:
    now = [0.0]
    shares = Shares(clock=lambda: now[0])
    assert shares.pressure() == 0
    shares.end_count(dict.fromkeys(Kind, 0), {}, ROOM, ROOM)
    limit = ROOM * PARTS[kind] // 100
    shares.take(kind, limit // 2)
    assert shares.pressure() == pytest.approx(0.5)
    shares.take(kind, limit - limit // 2)
    assert shares.pressure() > 0.9
    now[0] = 86_400.0
    assert shares.pressure() < 0.01

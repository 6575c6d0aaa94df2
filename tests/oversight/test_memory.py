# SPDX-License-Identifier: AGPL-3.0-or-later
"""What whoever takes the office's machine over finds in its memory: nothing of members who are not being answered."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.memory import Secrets, forms, found, in_memory, may_read_any
from tests.oversight.member_day import WRONG, MemberDay
from tests.waiting import wait_until


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory, static_folder: Path) -> Iterator[MemberDay]:
    day = MemberDay(tmp_path_factory.mktemp("day"), static_folder)
    day.begin()
    yield day
    day.end()


def test_between_requests_the_memory_holds_no_secret_of_a_member(day: MemberDay) -> None:
    """Not while unlocked, so not after a lock and not when a session was left to expire: with its connection open."""
    assert day.log_in(passphrase=WRONG).status_code == 403
    assert day.log_in(code="000000").status_code == 403
    assert day.log_in().status_code == 303
    day.work()
    day.change_passphrase()
    assert _look(day, day.secrets()) == {}, "while unlocked"
    day.lock()
    assert _look(day, day.secrets()) == {}, "after the lock"


def test_a_request_that_is_under_way_is_in_memory_and_gone_when_it_ends(day: MemberDay) -> None:
    """That the search finds what is there."""
    if not may_read_any():
        assert _look(day, day.secrets()) == {}
        return
    secrets = {"passphrase": forms(b"rare-marmot-word"), "cookie": forms(b"rare-beaver-word")}
    head = b"POST /login HTTP/1.1\r\nHost: x\r\nSec-Fetch-Site: same-origin\r\nCookie: session=rare-beaver-word\r\n"
    with socket.create_connection(("127.0.0.1", day.office.port)) as connection:
        connection.sendall(head + b"Content-Length: 1000\r\n\r\nusername=amina&passphrase=rare-marmot-word")
        wait_until(lambda: len(_look(day, secrets)) == 2, "the request is in memory")
    wait_until(lambda: _look(day, secrets) == {}, "the request is gone")


def test_a_body_that_nobody_has_read_is_gone_while_its_connection_is_kept(day: MemberDay) -> None:
    head = b"POST /login HTTP/1.1\r\nHost: x\r\nSec-Fetch-Site: cross-site\r\nContent-Length: 18\r\n\r\n"
    with socket.create_connection(("127.0.0.1", day.office.port)) as connection:
        # In one piece, so that it is there before the office has refused it.
        connection.sendall(head + b"p=rare-beagle-word")
        assert connection.recv(100).startswith(b"HTTP/1.1 403 ")
        assert _look(day, {"passphrase": forms(b"rare-beagle-word")}) == {}


def test_what_was_coming_while_others_were_answered_is_gone_when_its_own_answer_is(day: MemberDay) -> None:
    """What lives between two requests is not looked through again: this one's head and half of its body live then."""
    head = b"POST /login HTTP/1.1\r\nHost: x\r\nSec-Fetch-Site: same-origin\r\nCookie: session=rare-ferret-word\r\n"
    kind = b"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 43\r\n\r\n"
    with socket.create_connection(("127.0.0.1", day.office.port)) as connection:
        connection.sendall(head + kind + b"username=nobody&passphrase=")
        day.see_login()
        connection.sendall(b"rare-marten-word")
        assert connection.recv(100).startswith(b"HTTP/1.1 403 ")
        assert _look(day, {"passphrase": forms(b"rare-marten-word"), "cookie": forms(b"rare-ferret-word")}) == {}


def test_an_address_is_gone_while_its_connection_is_kept(day: MemberDay) -> None:
    head = b"GET /reports/rare-badger-word HTTP/1.1\r\nHost: x\r\n\r\n"
    with socket.create_connection(("127.0.0.1", day.office.port)) as connection:
        connection.sendall(head)
        assert connection.recv(100).startswith(b"HTTP/1.1 404 ")
        assert _look(day, {"address": forms(b"rare-badger-word")}) == {}


def test_what_was_sent_ahead_and_never_answered_is_gone_with_its_connection(day: MemberDay) -> None:
    head = b"GET /login HTTP/1.1\r\nHost: x\r\nCookie: session=rare-jackal-word\r\n\r\n"
    with socket.create_connection(("127.0.0.1", day.office.port)) as connection:
        connection.sendall(head * 5)
    sent = {"cookie": forms(b"rare-jackal-word")}
    wait_until(lambda: _look(day, sent) == {}, "the requests are gone")
    assert _look(day, sent) == {}


def _look(day: MemberDay, secrets: Secrets) -> dict[str, int]:
    """What is found of these; nothing, where no process of this user may look."""
    day.come_to_rest()
    if may_read_any():
        return found(in_memory(day.office.pid, secrets))
    with pytest.raises(PermissionError):
        in_memory(day.office.pid, secrets)
    return {}

# SPDX-License-Identifier: AGPL-3.0-or-later
"""Nothing about a visitor in any log, and nothing of what an error says in any answer."""

import logging

import httpx
import pytest

from portal.kit.quiet_logging import PlaceFormatter, describe_error
from portal.mailbox import mailboxes
from tests.portal.world import API, RunningPortal, error_code

RARE = "quokka"


def fail(*_: object) -> None:
    raise RuntimeError(f"something about {RARE}")


async def test_an_unexpected_error_is_answered_and_logged_without_what_it_says(
    portal: RunningPortal, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(mailboxes, "mailbox_response", fail)
    caplog.clear()
    ask = {"mailbox": "ab" * 16, "token": "cd" * 32}
    answer = await portal.client.post(f"{API}/mailbox", json=ask)
    assert error_code(answer) == (500, "internal")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert RARE not in answer.text
    (line,) = [record.getMessage() for record in caplog.records if "RuntimeError" in record.getMessage()]
    assert line.startswith("builtins.RuntimeError at tests/portal/api/test_quiet_errors.py:")
    assert RARE not in caplog.text
    assert "ab" * 16 not in caplog.text


async def test_no_answer_repeats_what_the_client_sent(portal: RunningPortal) -> None:
    client = portal.client
    answers: list[httpx.Response] = [
        await client.get(f"{API}/{RARE}"),
        await client.get(f"{API}/charters/{RARE}"),
        await client.put(f"{API}/uploads/{RARE}/{RARE}/{RARE}", content=RARE.encode()),
        await client.post(f"{API}/mailbox", content=RARE.encode()),
        await client.post(f"{API}/submissions", content=RARE.encode(), headers={"content-type": RARE}),
        await client.delete(f"{API}/portal?{RARE}"),
    ]
    for answer in answers:
        assert 400 <= answer.status_code < 500
        assert RARE not in answer.text + str(answer.headers)


def test_a_log_line_holds_the_place_of_an_error_and_not_its_message() -> None:
    try:
        fail()
    except RuntimeError as error:
        record = logging.LogRecord(
            "x", logging.ERROR, __file__, 1, "failed", (), (type(error), error, error.__traceback__)
        )
        text = PlaceFormatter("%(message)s").format(record)
        assert RARE not in text
        assert describe_error(error) in text


async def test_an_address_that_is_none_and_a_method_that_is_none(portal: RunningPortal) -> None:
    assert error_code(await portal.client.get(f"{API}/nothing")) == (404, "not-found")
    assert error_code(await portal.client.get(f"{API}/portal/")) == (404, "not-found")
    options = await portal.client.options(f"{API}/submissions")
    assert error_code(options) == (405, "method-not-allowed")
    assert options.headers["allow"] == "POST"
    assert "access-control-allow-origin" not in options.headers
    head = await portal.client.head(f"{API}/portal")
    assert (head.status_code, head.content) == (200, b"")


async def test_no_answer_names_another_origin_or_the_server(portal: RunningPortal) -> None:
    answer = await portal.client.get(f"{API}/portal", headers={"origin": "https://elsewhere.example"})
    assert not [name for name in answer.headers if name.startswith("access-control")]
    assert "server" not in answer.headers
    assert answer.headers["cache-control"] == "no-store"

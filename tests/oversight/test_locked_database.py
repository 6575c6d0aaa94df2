# SPDX-License-Identifier: AGPL-3.0-or-later
"""A database's file that somebody else has locked: members read, and are told what is so; what they wrote stands on the
page, to be sent again."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from portal.kit.database import SQLITE_PRAGMAS
from tests.oversight.office import Office
from tests.oversight.portal_simulator import PortalSimulator
from tests.oversight.sealed_reports import Wire, sealed_report

SAID = "The database can’t be reached"
WORDS = "They came on a Tuesday, and nobody has written down what I said since then."


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits long for the lock."""
    monkeypatch.setitem(SQLITE_PRAGMAS, "busy_timeout", 10)


@contextmanager
def locked(office: Office) -> Iterator[None]:
    other = sqlite3.connect(office.settings.data / "office.sqlite3", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    yield
    other.close()


async def test_members_read_and_what_they_write_is_to_be_sent_again(office: Office) -> None:
    portal = PortalSimulator()
    sealed = sealed_report(office.world)
    portal.add(sealed)
    await Wire(office, portal.transport()).collect()
    report = f"/reports/{sealed.manifest.submission}"
    browser = await office.browser_of("bruno")
    with locked(office):
        office.clock.forward(minutes=1)
        for path in ("/queue", report, "/cases"):
            assert (await browser.get(path)).status_code == 200
        answer = await browser.post(f"{report}/reply", language="en", body=WORDS)
        assert answer.status_code == 503
        assert SAID in answer.text
        assert WORDS in answer.text
        login = await office.browser().log_in(office.world["chiara"])
        assert login.status_code == 503
        assert office.world["chiara"].passphrase not in login.text
    assert (await browser.post(f"{report}/reply", language="en", body=WORDS)).status_code == 303
    await office.browser_of("chiara")

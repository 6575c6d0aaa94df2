# SPDX-License-Identifier: AGPL-3.0-or-later
"""What the command line does when a portal is busy, full, or asks for work (docs/protocol.md §7.3, §7.4)."""

import email.message
import hashlib
import http.server
import io
import json
import socket
import threading
import urllib.error

import pytest

from crypto import portal_requests
from crypto.encoding import encode_base64
from crypto.errors import CryptoError
from crypto.mailbox_visit import PortalRefusedError
from crypto.portal_requests import BUSY_SECONDS, TRIES_MAX, PortalConnection
from crypto.work import HEADER, parse_work
from tests.waiting import SECONDS_MAX

PATH = "mailbox/changes"
BODY = b'{"a":"change"}'
ASKED = {"challenge": "a5" * 16, "bits": 4}


def refusal(code):
    return {"error": {"code": code, "message": "", "field": None}}


class Handler(http.server.BaseHTTPRequestHandler):
    """Refuses with the codes that it was given in turn; then takes what comes with the work that it asks for."""

    refusals: list[tuple[int, str]]
    elsewhere = ""
    asked: dict[str, object] | None
    told: dict[str, object] | None
    took: list[bytes]

    def do_GET(self):
        if self.refusals:
            self._refuse(*self.refusals.pop(0))
        elif self.path == "/api/v1/work":
            self._answer(200, {"work": self.told})
        else:
            self.took.append(self.path)
            self._answer(200, {})

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        if self.refusals:
            status, code = self.refusals.pop(0)
            self._refuse(status, code)
        elif self.asked and not self._counts(body):
            self._answer(503, {**refusal("work-needed"), "work": self.asked})
        else:
            self.took.append(body)
            self._answer(202, {"status": "accepted"})

    def _counts(self, body):
        digest = hashlib.sha256(body).digest()
        assert self.headers.get("content-digest") in (None, f"sha-256=:{encode_base64(digest)}:")
        try:
            work = parse_work(self.headers.get(HEADER, ""))
            work.check(self.path.removeprefix("/api/v1/"), digest, self.asked["bits"])
        except CryptoError:
            return False
        return work.challenge.hex() == self.asked["challenge"]

    def _refuse(self, status, code):
        # Without a code it is not the portal who answers.
        self._answer(status, refusal(code) if code else "<html>")

    def _answer(self, status, value):
        answer = json.dumps(value).encode()
        self.send_response(status)
        if 300 <= status < 400:
            self.send_header("Location", self.elsewhere)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *arguments):
        pass


@pytest.fixture
def portal():
    """The handler of a portal on loopback, the way to it, and the seconds that were waited."""
    handler = type("Told", (Handler,), {"refusals": [], "asked": None, "told": None, "took": []})
    server = http.server.HTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    pauses = []
    yield handler, PortalConnection(f"http://127.0.0.1:{server.server_port}", pauses.append), pauses
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_portal_that_is_busy_is_asked_again_and_it_is_said_once(portal, capsys):
    handler, connection, pauses = portal
    handler.refusals += [(503, "busy")] * 3
    connection.post(PATH, BODY)
    assert handler.took == [BODY]
    assert len(pauses) == 3
    assert all(BUSY_SECONDS <= pause <= 2 * BUSY_SECONDS for pause in pauses)
    assert capsys.readouterr().err == "amparo: the portal is busy; trying again\n"


def test_so_is_one_that_can_keep_nothing(portal, capsys):
    handler, connection, pauses = portal
    handler.refusals += [(503, "unavailable")] * 3
    connection.post(PATH, BODY)
    assert (handler.took, len(pauses)) == ([BODY], 3)
    assert capsys.readouterr().err == "amparo: the portal can keep nothing at the moment; trying again\n"
    handler.refusals += [(503, "unavailable")] * TRIES_MAX
    with pytest.raises(PortalRefusedError, match=r"acknowledged nothing: .* another way"):
        connection.post(PATH, BODY)


@pytest.mark.parametrize("code", ["busy", "unavailable"])
def test_whoever_only_reads_asks_again_too(portal, code):
    handler, connection, pauses = portal
    handler.refusals += [(503, code)] * 3
    connection.get("portal")
    assert (handler.took, len(pauses)) == (["/api/v1/portal"], 3)


@pytest.mark.parametrize("status", [500, 502, 503, 504])
@pytest.mark.parametrize("code", ["", "internal-error", ["busy"], {"busy": 1}, 7, "\x1b[31m"])
def test_a_failure_of_whatever_stands_before_the_portal_passes(portal, status, code):
    handler, connection, pauses = portal
    handler.refusals += [(status, code)] * 2
    connection.post(PATH, BODY)
    connection.get("portal")
    assert (handler.took, len(pauses)) == ([BODY, "/api/v1/portal"], 2)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("scheme", ["http", "ftp"])
def test_nobody_is_led_elsewhere_where_no_proxy_may_be(portal, status, scheme):
    handler, connection, _ = portal
    with socket.create_server(("127.0.0.1", 0)) as elsewhere:
        handler.elsewhere = f"{scheme}://127.0.0.1:{elsewhere.getsockname()[1]}/reporter"
        for ask in (lambda: connection.get("portal"), lambda: connection.post(PATH, BODY)):
            handler.refusals += [(status, "")]
            with pytest.raises(PortalRefusedError, match="leads elsewhere, and is not followed"):
                ask()
        elsewhere.settimeout(0)
        with pytest.raises(BlockingIOError):
            elsewhere.accept()


def test_an_answer_that_trickles_is_given_up(monkeypatch):
    """Each byte comes long before the line counts as silent."""
    monkeypatch.setattr(portal_requests, "SECONDS_MAX", 0.1)
    released = threading.Event()

    class Trickle(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Length", "1000000")
            self.end_headers()
            self.wfile.write(b"{")
            released.wait(SECONDS_MAX)

        def log_message(self, *arguments):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Trickle)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        with pytest.raises(OSError, match="no answer that can be read"):
            PortalConnection(f"http://127.0.0.1:{server.server_port}").get("portal")
    finally:
        released.set()
        server.shutdown()
        thread.join()
        server.server_close()


def test_one_that_stays_busy_is_given_up_with_words(portal):
    handler, connection, _ = portal
    handler.refusals += [(503, "busy")] * TRIES_MAX
    with pytest.raises(PortalRefusedError, match="acknowledged nothing: try again later"):
        connection.post(PATH, BODY)
    assert handler.refusals == []


def test_work_that_is_asked_for_is_done_without_a_pause(portal, capsys):
    handler, connection, pauses = portal
    handler.asked = ASKED
    connection.post(PATH, BODY)
    assert (handler.took, pauses) == ([BODY], [])
    assert "heavy load" in capsys.readouterr().err


def test_a_calm_process_that_is_asked_does_not_keep_anybody_out_of_a_pressed_one(portal):
    """What is asked is told with the refusal; whoever is asked instead may know of nothing."""
    handler, connection, _ = portal
    handler.asked, handler.told = ASKED, None
    connection.post(PATH, BODY)
    assert handler.took == [BODY]


def test_a_refusal_that_does_not_say_what_is_asked_is_followed_by_a_question(portal):
    handler, connection, _ = portal
    handler.refusals += [(503, "work-needed")]
    handler.told = ASKED
    connection.post(PATH, BODY)
    assert handler.took == [BODY]


def test_of_a_refusal_that_breaks_off_the_status_counts():
    class Broken(io.BytesIO):
        def read(self, *_):
            raise ConnectionResetError

    for status, code in ((503, "busy"), (507, "storage-full"), (404, "status 404")):
        error = urllib.error.HTTPError("http://portal.example", status, "", email.message.Message(), Broken())
        refused = portal_requests._refused(error)
        assert (refused.code, refused.asked) == (code, None)


def test_nobody_gives_up_because_the_question_what_is_asked_is_refused(portal):
    handler, connection, pauses = portal
    handler.refusals += [(503, "work-needed"), (503, "busy")]
    connection.post(PATH, BODY)
    assert (handler.took, len(pauses)) == ([BODY], 1)


def test_pressure_that_passed_meanwhile_asks_for_nothing(portal):
    handler, connection, _ = portal
    handler.refusals += [(503, "work-needed")]
    connection.post(PATH, BODY)
    assert handler.took == [BODY]


def test_work_is_kept_while_the_portal_is_busy(portal):
    handler, connection, pauses = portal
    handler.asked = ASKED
    handler.refusals += [(503, "work-needed"), (503, "busy")]
    connection.post(PATH, BODY)
    assert (handler.took, len(pauses)) == ([BODY], 1)


def test_a_portal_without_room_is_said_at_once_with_what_one_can_do(portal):
    handler, connection, pauses = portal
    handler.refusals += [(507, "storage-full")]
    with pytest.raises(PortalRefusedError, match=r"no room left and acknowledged nothing: .* another way"):
        connection.post(PATH, BODY)
    assert pauses == []


@pytest.mark.parametrize("code", ["busy", "work-needed"])
def test_what_is_tried_once_waits_for_nothing_and_does_no_work(portal, capsys, code):
    handler, connection, pauses = portal
    handler.asked = ASKED
    handler.refusals += [(503, code)]
    with pytest.raises(PortalRefusedError):
        connection.post(PATH, BODY, once=True)
    assert (handler.took, pauses, capsys.readouterr().err) == ([], [], "")

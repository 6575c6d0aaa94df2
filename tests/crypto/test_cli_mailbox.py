# SPDX-License-Identifier: AGPL-3.0-or-later
"""``python -m crypto mailbox``: reads, answers, saves, deletes and closes, and says what a lying portal does."""

import http.server
import io
import json
import sys
import threading

import pytest

from crypto import cli_mailbox
from crypto.__main__ import main
from crypto.errors import LimitError, MalformedError
from crypto.instruction import read_instruction
from crypto.mailbox_visit import PortalRefusedError
from crypto.message import open_follow_up
from crypto.portal_requests import PortalConnection
from crypto.receipt_code import format_code, new_code
from tests.crypto.mailbox_portal import MemoryPortal
from tests.threads import DIGITS, start_thread

OTHER_HASH = "0d" * 32
PORTAL = "https://portal.test"


@pytest.fixture(scope="module")
def thread():
    return start_thread()


@pytest.fixture
def portal(thread, monkeypatch):
    reply = thread.reply(body="We have read it.\nWrite again.")
    answer = thread.answer(reply, thread=thread.note(replies=[reply]), collection=thread.collection())
    made = MemoryPortal(thread, answer, newest=thread.newest_note())
    monkeypatch.setattr(cli_mailbox, "PortalConnection", lambda origin: made)
    monkeypatch.setattr("getpass.getpass", lambda prompt: format_code(DIGITS))
    return made


def run(*arguments):
    return main(["mailbox", *arguments])


class TestReading:
    def test_messages_are_printed_with_author_number_and_day(self, portal, capsys):
        assert run("read", PORTAL) == 0
        printed = capsys.readouterr().out
        assert "Message 1, 2026-04-07, Chiara Lombardi\nWe have read it.\nWrite again.\n" in printed
        assert "fetched by the commission on 2026-03-02" in printed
        assert "Confirmed by the commission's office on 2026-05-02." in printed
        assert "newest on 2026-05-03" in printed

    def test_a_code_that_opens_nothing_prints_what_an_empty_mailbox_prints(self, portal, thread, capsys, monkeypatch):
        portal.shown = thread.answer()
        assert run("read", PORTAL) == 0
        empty = capsys.readouterr().out
        stranger = new_code(lambda size: bytes(range(3, 3 + size)))
        monkeypatch.setattr("getpass.getpass", lambda prompt: stranger)
        assert run("read", PORTAL) == 0
        assert capsys.readouterr().out == empty

    def test_a_contradiction_comes_first_and_says_what_to_do(self, portal, thread, capsys):
        portal.shown = thread.answer(collection=thread.collection(manifest=OTHER_HASH))
        assert run("read", PORTAL) == 0
        first, *rest = capsys.readouterr().out.split("\n")
        assert first.startswith("WARNING: The commission fetched something else")
        assert "Don't write here" in "\n".join(rest)

    def test_a_missing_message_is_named(self, portal, thread, capsys):
        replies = [thread.reply(number) for number in (1, 2)]
        portal.shown = thread.answer(replies[0], thread=thread.note(replies=replies))
        run("read", PORTAL)
        assert "Message 2 of the commission is missing." in capsys.readouterr().out

    def test_an_unsigned_message_has_no_text(self, portal, thread, capsys):
        portal.shown = thread.answer(thread.reply(author="elif", body="Trust me."))
        run("read", PORTAL)
        printed = capsys.readouterr().out
        assert "Trust me." not in printed
        assert "not signed by a present member" in printed

    def test_terminal_controls_in_a_message_are_not_obeyed(self, portal, thread, capsys):
        portal.shown = thread.answer(thread.reply(body="\x1b]0;owned\x07 \u202eabc"))
        run("read", PORTAL)
        assert "\x1b" not in capsys.readouterr().out

    def test_a_mistyped_code_is_told_by_its_group_and_nothing_is_asked(self, portal, capsys, monkeypatch):
        monkeypatch.setattr("getpass.getpass", lambda prompt: "1" + format_code(DIGITS)[1:])
        assert run("read", PORTAL) == 1
        assert "group" in capsys.readouterr().err
        assert portal.requests == []

    def test_the_code_may_be_in_a_file(self, portal, tmp_path, capsys, monkeypatch):
        monkeypatch.delattr("getpass.getpass")
        (tmp_path / "code").write_text(format_code(DIGITS))
        assert run("read", PORTAL, "--code-file", str(tmp_path / "code")) == 0
        assert "Chiara" in capsys.readouterr().out


class TestARefusedChain:
    """What the portal refuses for a while says nothing of charters: without them no message counts as signed."""

    @pytest.fixture
    def refused(self, portal, monkeypatch):
        ask = portal.get

        def refuse(path):
            if path.startswith("charters/"):
                raise PortalRefusedError(self.code)
            return ask(path)

        monkeypatch.setattr(portal, "get", refuse)

    @pytest.fixture(params=["busy", "unavailable", "work-needed", "storage-full"], autouse=True)
    def code(self, request):
        self.code = request.param

    @pytest.mark.parametrize("action", ["read", "delete"])
    def test_nothing_is_said_of_the_mailbox_nor_done_with_it(self, portal, refused, capsys, action):
        assert run(action, PORTAL) == 1
        said = capsys.readouterr()
        assert (said.out, portal.deleted) == ("", 0)
        assert "portal" in said.err


class TestTheSavedNote:
    def test_the_saved_note_of_this_report_fits(self, portal, thread, tmp_path):
        (tmp_path / "note.txt").write_text(thread.acknowledgement())
        assert run("read", PORTAL, "--note", str(tmp_path / "note.txt")) == 0

    def test_one_for_other_bytes_does_not(self, portal, thread, tmp_path, capsys):
        (tmp_path / "note.txt").write_text(thread.acknowledgement(manifest=OTHER_HASH))
        assert run("read", PORTAL, "--note", str(tmp_path / "note.txt")) == 1
        assert "other bytes" in capsys.readouterr().err

    def test_a_code_that_opens_nothing_contradicts_it(self, portal, thread, tmp_path, capsys):
        portal.closed = True
        (tmp_path / "note.txt").write_text(thread.acknowledgement())
        assert run("read", PORTAL, "--note", str(tmp_path / "note.txt")) == 1
        assert "opens nothing" in capsys.readouterr().err


class TestWriting:
    def test_a_message_is_sent_from_standard_input(self, portal, capsys, monkeypatch):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO("Они меня перевели.\n".encode()), "utf-8"))
        assert run("reply", PORTAL) == 0
        assert len(portal.follow_ups) == 1
        assert capsys.readouterr().out == "sent\n"

    def test_an_empty_message_is_not_sent(self, portal, tmp_path):
        (tmp_path / "text").write_text(" \n")
        assert run("reply", PORTAL, "--text", str(tmp_path / "text")) == 1
        assert portal.follow_ups == {}

    def test_a_text_that_is_not_utf_8_is_refused(self, portal, tmp_path, capsys):
        (tmp_path / "text").write_bytes(b"\xff\xfe")
        assert run("reply", PORTAL, "--text", str(tmp_path / "text")) == 1
        assert "UTF-8" in capsys.readouterr().err

    def test_nothing_is_written_into_a_mailbox_that_contradicts_itself(self, portal, thread, tmp_path, capsys):
        portal.shown = thread.answer(collection=thread.collection(manifest=OTHER_HASH))
        (tmp_path / "text").write_text("secret")
        assert run("reply", PORTAL, "--text", str(tmp_path / "text")) == 1
        assert portal.follow_ups == {}
        assert "contradicts itself" in capsys.readouterr().err


class TestInstructing:
    def test_an_instruction_is_signed_by_the_control_key_and_sent_as_a_follow_up(self, portal, thread, capsys):
        assert run("instruct", PORTAL, "permit", "CO-PUB-ANON", "CO-CASE") == 0
        [sealed] = portal.follow_ups.values()
        sent = open_follow_up(sealed, thread.identity, thread.secrets.message_mac)
        said = read_instruction(sent.body.encode(), thread.secrets.mailbox_id, thread.secrets.control)
        assert (sent.kind, said.follow_up, said.manifest) == ("instruction", sent.number, thread.sealed.manifest_hash)
        assert (said.act, said.codes) == ("permit", ("CO-CASE", "CO-PUB-ANON"))

    @pytest.mark.parametrize("arguments", [["withdraw", "CO-CASE"], ["permit"], ["permit", "anything"]], ids=str)
    def test_what_can_not_be_instructed_is_not_sent(self, portal, arguments):
        assert run("instruct", PORTAL, *arguments) == 1
        assert portal.follow_ups == {}

    def test_a_code_that_opens_nothing_sends_as_much(self, portal, monkeypatch):
        run("instruct", PORTAL, "withdraw")
        stranger = new_code(lambda size: bytes(range(3, 3 + size)))
        monkeypatch.setattr("getpass.getpass", lambda prompt: stranger)
        run("instruct", PORTAL, "withdraw")
        sizes = [size for path, size, _ in portal.requests if path == "mailbox/changes"]
        assert sizes[1] == sizes[3]


class TestKeepingAndEnding:
    def test_saving_writes_messages_and_every_note_once(self, portal, thread, tmp_path):
        assert run("save", PORTAL, str(tmp_path / "kept")) == 0
        names = sorted(path.name for path in (tmp_path / "kept").iterdir())
        assert names == [
            "acknowledgement.txt",
            "charter-1.txt",
            "collection.txt",
            "messages.txt",
            "newest-charter.txt",
            "posting-1.txt",
        ]
        assert (tmp_path / "kept/acknowledgement.txt").read_text() == portal.shown.acknowledgement

    def test_a_thread_note_that_contradicts_the_state_is_saved_as_evidence(self, portal, thread, tmp_path, capsys):
        portal.shown = thread.answer(thread=thread.note(manifest=OTHER_HASH))
        assert run("save", PORTAL, str(tmp_path / "kept")) == 0
        assert OTHER_HASH in (tmp_path / "kept/evidence-1.txt").read_text()
        assert main(["verify", str(tmp_path / "kept")]) == 1
        assert "CONTRADICTION" in capsys.readouterr().out

    def test_saving_never_writes_over_a_file(self, portal, tmp_path, capsys):
        run("save", PORTAL, str(tmp_path))
        before = (tmp_path / "messages.txt").read_bytes()
        assert run("save", PORTAL, str(tmp_path)) == 1
        assert (tmp_path / "messages.txt").read_bytes() == before

    def test_deleting_shows_what_goes(self, portal, capsys):
        assert run("delete", PORTAL) == 0
        assert portal.deleted == 1
        assert "We have read it." in capsys.readouterr().out

    def test_closing_asks_first(self, portal, monkeypatch):
        monkeypatch.setattr("builtins.input", lambda prompt: "no")
        assert run("close", PORTAL) == 1
        assert not portal.closed
        assert run("close", PORTAL, "--yes") == 0
        assert portal.closed


class Longer(bytes):
    """Bytes of which a server says that there are more than it sends."""

    def __len__(self):
        return super().__len__() + 10


def test_a_question_that_nobody_answers_closes_nothing(portal, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.StringIO(""))
    assert run("close", PORTAL) == 1
    assert not portal.closed


@pytest.fixture
def answering():
    """An HTTP server on loopback; ``answers`` by path are a status and a body."""
    answers = {}

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            status, body = answers[self.path]
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments):
            pass

    server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", answers
    server.shutdown()
    thread.join()
    server.server_close()


class TestTheLine:
    def test_an_answer_is_read_as_it_came(self, answering):
        origin, answers = answering
        answers["/api/v1/portal"] = 200, b'{"realm":"00"}'
        assert PortalConnection(f"{origin}/").get("portal") == b'{"realm":"00"}'

    @pytest.mark.parametrize(
        ("body", "code"),
        [
            (json.dumps({"error": {"code": "state-conflict"}}).encode(), "state-conflict"),
            (b"<html>", "status 409"),
            (b'{"error": {"code": "\\u001b[31m"}}', "unknown"),
        ],
    )
    def test_a_refusal_has_the_portals_code(self, answering, body, code):
        origin, answers = answering
        answers["/api/v1/portal"] = 409, body
        with pytest.raises(PortalRefusedError) as refused:
            PortalConnection(origin).get("portal")
        assert refused.value.code == code

    def test_an_endless_answer_is_cut_off(self, answering, monkeypatch):
        origin, answers = answering
        monkeypatch.setattr("crypto.portal_requests.ANSWER_MAX", 10)
        answers["/api/v1/portal"] = 200, bytes(11)
        with pytest.raises(LimitError):
            PortalConnection(origin).get("portal")

    def test_a_portal_that_is_not_there_is_an_operating_systems_error(self):
        with pytest.raises(OSError, match="no answer"):
            PortalConnection("http://127.0.0.1:1").get("portal")

    def test_an_answer_that_breaks_off_is_no_answer(self, answering, monkeypatch):
        origin, answers = answering
        answers["/api/v1/portal"] = 200, Longer(b"{}")
        with pytest.raises(OSError, match="no answer"):
            PortalConnection(origin).get("portal")

    @pytest.mark.parametrize("origin", ["http://[", "http://a b", "https://\u0000"])
    def test_a_malformed_address_is_said_to_be_one(self, origin):
        with pytest.raises((MalformedError, OSError)):
            PortalConnection(origin).get("portal")

    @pytest.mark.parametrize("origin", ["file:///etc/passwd", "ftp://portal.test", "portal.test", ""])
    def test_other_addresses_than_of_the_web_are_refused(self, origin):
        with pytest.raises(MalformedError):
            PortalConnection(origin)

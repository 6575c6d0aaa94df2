# SPDX-License-Identifier: AGPL-3.0-or-later
"""The command ``mailbox``: the return page's work, by a program that no portal can alter. docs/protocol.md §8.3.

Read, reply, instruct, save, delete, close. The code is typed at the terminal, and never an argument.
"""

import argparse
import getpass
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from crypto.acknowledgement import read_text as read_acknowledgement_text
from crypto.errors import MalformedError, ProofError
from crypto.instruction import ACTS
from crypto.mailbox_view import Alarm, ReadMailbox, ReadReply
from crypto.mailbox_visit import Visit, delete_shown, instruct, notes_of, send_follow_up, visit
from crypto.note import NOTE_BYTES_MAX, Note
from crypto.portal_requests import PortalConnection
from crypto.receipt_code import parse_code
from crypto.taxonomy import MESSAGE, RETALIATION

TEXT_BYTES_MAX = 64 * 1024
STANDARD = "-"
NOTHING = "No messages. Either the commission has not fetched anything yet, or this code opens nothing."

_ALARMS = {
    "acknowledgement": "The portal signed that it received something else than what you sent.",
    "collection": "The commission fetched something else under your report's name than what you sent.",
    "thread": "The commission's office holds something else under your report's name than what you sent.",
    "reply-number": "Two different replies were signed under one number.",
    "charter": "Two different charters of the commission were signed under one number.",
}
_PROBLEMS = {
    "unreadable": "This message can't be opened: it is damaged, or not for you.",
    "unsigned": "This message is not shown: it is not signed by a present member and the office. Don't act on it.",
}


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command ``mailbox`` with its actions."""
    parser = subparsers.add_parser("mailbox", help="read and answer the commission's messages, without a browser")
    actions = parser.add_subparsers(required=True, metavar="ACTION")
    _add(actions, "read", "show the messages", run_read)
    reply = _add(actions, "reply", "send a message to the commission", run_reply)
    reply.add_argument("--kind", choices=(MESSAGE, RETALIATION), default=MESSAGE)
    reply.add_argument("--text", metavar="FILE", default=STANDARD, help="the message; standard input if not given")
    said = _add(actions, "instruct", "permit or forbid uses of your report, or withdraw it", run_instruct)
    said.add_argument("act", choices=ACTS)
    said.add_argument("codes", metavar="CODE", nargs="*", help="codes of uses, CO-PUB-ANON for one")
    save = _add(actions, "save", "write messages and all signed notes into a folder", run_save)
    save.add_argument("folder", metavar="FOLDER", type=Path)
    _add(actions, "delete", "delete the messages that wait for you", run_delete)
    close = _add(actions, "close", "delete the messages and end the mailbox for good", run_close)
    close.add_argument("--yes", action="store_true", help="don't ask")


def run_read(arguments: argparse.Namespace) -> None:
    """Print the mailbox."""
    found = _visit(arguments)
    _print(_tell(found))
    if not found.saved:
        print("amparo: the portal did not take the note of this visit; look again later", file=sys.stderr)


def run_reply(arguments: argparse.Namespace) -> None:
    """Send the text of a file."""
    body = _read_text(arguments.text).strip()
    if not body:
        raise MalformedError("the message is empty")
    portal, before = PortalConnection(arguments.portal), _visit(arguments)
    _refuse_alarms(before)
    send_follow_up(portal, before, datetime.now(UTC).date(), arguments.kind, body)
    _print(["sent"])


def run_instruct(arguments: argparse.Namespace) -> None:
    """Send an instruction."""
    portal, before = PortalConnection(arguments.portal), _visit(arguments)
    _refuse_alarms(before)
    instruct(portal, before, datetime.now(UTC).date(), arguments.act, arguments.codes)
    _print(["sent"])


def run_save(arguments: argparse.Namespace) -> None:
    """Write what was found into a new or empty folder."""
    found = _visit(arguments)
    arguments.folder.mkdir(parents=True, exist_ok=True)
    texts = [("messages.txt", "".join(f"{_printable(line)}\n" for line in _tell(found))), *notes_of(found)]
    for name, text in texts:
        with (arguments.folder / name).open("x", encoding="utf-8", errors="replace") as file:
            file.write(text)
    _print([f"saved {len(texts)} files"])


def run_delete(arguments: argparse.Namespace) -> None:
    """Delete the replies that the portal keeps, after they were shown."""
    _end(arguments, close=False)


def run_close(arguments: argparse.Namespace) -> None:
    """End the mailbox after a question."""
    if not arguments.yes and not _says_yes():
        raise MalformedError("not closed")
    _end(arguments, close=True)


def _says_yes() -> bool:
    try:
        return input("End this mailbox for good? Type yes: ").strip() == "yes"
    except EOFError:
        return False


def _end(arguments: argparse.Namespace, *, close: bool) -> None:
    found = _visit(arguments)
    _print(_tell(found))
    delete_shown(PortalConnection(arguments.portal), found, close=close)
    _print(["closed" if close else "deleted"])


def _add(
    actions: "argparse._SubParsersAction[argparse.ArgumentParser]",
    name: str,
    what: str,
    run: Callable[[argparse.Namespace], None],
) -> argparse.ArgumentParser:
    parser = actions.add_parser(name, help=what, description=f"{what[0].upper()}{what[1:]}.")
    parser.add_argument("portal", metavar="PORTAL", help="address of the portal, https://…")
    parser.add_argument("--code-file", metavar="FILE", help="file with the receipt code; else it is asked for")
    parser.add_argument("--note", metavar="FILE", help="the note that was saved when the report was sent (note.txt)")
    parser.set_defaults(run=run)
    return parser


def _visit(arguments: argparse.Namespace) -> Visit:
    text = _read_text(arguments.code_file) if arguments.code_file else getpass.getpass("Receipt code: ")
    digits = parse_code(text)
    found = visit(PortalConnection(arguments.portal), digits)
    if arguments.note:
        _compare(found, Path(arguments.note))
    return found


def _compare(found: Visit, path: Path) -> None:
    """Compare the saved acknowledgement with the thread that the code opens. ProofError when they differ."""
    with path.open("rb") as file:
        saved = read_acknowledgement_text(Note.parse(file.read(NOTE_BYTES_MAX + 1)).text)
    if found.found is None:
        raise ProofError("the saved note is of a report that was sent, and this code opens nothing here")
    thread = found.found.state.thread
    saved.check(realm=found.found.state.realm, submission=thread.submission, manifest_hash=thread.manifest)


def _refuse_alarms(found: Visit) -> None:
    if found.found is not None and found.found.alarms:
        raise ProofError("the mailbox contradicts itself; look at it with `mailbox read` before you write")


def _tell(found: Visit) -> Iterator[str]:
    mailbox = found.found
    if mailbox is None or not mailbox.shown:
        yield NOTHING
        return
    yield from _tell_alarms(mailbox.alarms)
    yield from _tell_progress(mailbox)
    for reply in mailbox.replies:
        yield ""
        yield from _tell_reply(reply)
    for number in mailbox.missing:
        yield ""
        yield f"Message {number} of the commission is missing. That can be honest: a restored backup, an expired"
        yield "message, or a line that broke. Try again later; if it stays, ask the commission by another way."


def _tell_alarms(alarms: tuple[Alarm, ...]) -> Iterator[str]:
    for alarm in alarms:
        yield f"WARNING: {_ALARMS[alarm.kind]}"
    if alarms:
        yield "Signed statements contradict each other, so somebody is not telling the truth, most likely who runs the"
        yield "portal. What you wrote may have been kept from the commission. Don't write here. Save the notes as"
        yield "evidence (`mailbox save`) and reach the commission in another way."
        yield ""


def _tell_progress(mailbox: ReadMailbox) -> Iterator[str]:
    if mailbox.collected:
        yield f"Your report was fetched by the commission on {mailbox.collected}."
    if mailbox.confirmed:
        older = ", but you have seen a newer confirmation: the portal shows old data" if mailbox.older else ""
        yield f"Confirmed by the commission's office on {mailbox.confirmed}{older}."
    if mailbox.newest_day:
        yield f"The commission's charter was confirmed as the newest on {mailbox.newest_day}."
    if mailbox.replaced:
        yield "The commission has a newer charter, which the portal does not show."
    for sent in mailbox.sent:
        yield f"Your message {sent.number} of {sent.day}: {'fetched' if sent.fetched else 'not fetched yet'}."


def _tell_reply(reply: ReadReply) -> Iterator[str]:
    number = f"Message {reply.number}" if reply.number else "A message without a number"
    who = f", {reply.author.name}" if reply.author else ""
    yield f"{number}, {reply.day or 'no day'}{who}"
    yield from reply.body.split("\n") if reply.problem is None else [_PROBLEMS[reply.problem]]


def _print(lines: Iterator[str] | list[str]) -> None:
    text = "".join(f"{_printable(line)}\n" for line in lines)
    sys.stdout.buffer.write(text.encode("utf-8"))
    sys.stdout.buffer.flush()


def _printable(text: str) -> str:
    """Without terminal control characters: a message may hold any character."""
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text)


def _read_text(name: str) -> str:
    if name == STANDARD:
        data = sys.stdin.buffer.read(TEXT_BYTES_MAX + 1)
    else:
        with Path(name).open("rb") as file:
            data = file.read(TEXT_BYTES_MAX + 1)
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        raise MalformedError("the text is not UTF-8") from None

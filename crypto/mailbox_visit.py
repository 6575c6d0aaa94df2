# SPDX-License-Identifier: AGPL-3.0-or-later
"""A visit to a mailbox: ask, read, write the state back. docs/protocol.md §9.4.

A code that opens nothing makes the same requests, of the same sizes, as one that opens a mailbox.
"""

import json
import secrets as chance
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Protocol

from crypto.age import PqIdentity
from crypto.charter import CHAIN_MAX
from crypto.document import Fields
from crypto.encoding import HASH_BYTES, ID_BYTES, encode_json
from crypto.errors import CryptoError, MalformedError, ProofError
from crypto.ids import CharterHash, SubmissionId
from crypto.instruction import Instruction
from crypto.mailbox_answer import MAILBOX_MAX, MESSAGES_MAX, MailboxAnswer, read_mailbox_answer
from crypto.mailbox_change import (
    MailboxChange,
    add_follow_up,
    add_instruction,
    change_of_nothing,
    delete_replies,
    make_change,
)
from crypto.mailbox_reader import read_chain, read_mailbox
from crypto.mailbox_view import ReadMailbox
from crypto.message import FollowUp, seal_follow_up
from crypto.note import NOTE_BYTES_MAX, Note
from crypto.posting import read_text as read_posting_text
from crypto.receipt_code import MailboxSecrets, derive
from crypto.state import State, open_state
from crypto.taxonomy import INSTRUCTION
from crypto.thread_keys import ThreadKeys
from crypto.work import AskedWork

COMMISSIONS_MAX = 1_000
ATTEMPTS_MAX = 8
CONFLICT = "state-conflict"
# An empty line, then a dash, the mailbox id, key id and signature in base64, with spaces and a line feed.
INSTRUCTION_SIGNATURE = 1 + 2 + 32 + 1 + 92 + 1
BUSY, UNAVAILABLE, WORK_NEEDED, FULL = "busy", "unavailable", "work-needed", "storage-full"
ELSEWHERE = "redirect"

_REFUSALS = {
    BUSY: "the portal has been busy for minutes and acknowledged nothing: try again later",
    UNAVAILABLE: "the portal could keep nothing for minutes and acknowledged nothing: "
    "try again later, or reach the commission in another way",
    FULL: "the portal has no room left and acknowledged nothing: "
    "try again later, or reach the commission in another way",
    "damaged": "the portal says that what it holds of this mailbox is damaged: write a new report",
    ELSEWHERE: "the address leads elsewhere, and is not followed: give the portal's own, with https:// or its onion's",
}


class PortalRefusedError(CryptoError):
    """The portal answered a request with an error; ``code`` is one of §7.3, ``asked`` the work that it asks for."""

    def __init__(self, code: str, asked: AskedWork | None = None) -> None:
        super().__init__(_REFUSALS.get(code, f"the portal refused: {code}"))
        self.code = code
        self.asked = asked


class PortalRequests(Protocol):
    """The two kinds of request; paths are under ``/api/v1``. They raise PortalRefusedError or OSError.

    With ``once`` a busy portal is not asked again, and no work is done for it.
    """

    def get(self, path: str) -> bytes: ...

    def post(self, path: str, body: bytes, *, once: bool = False) -> bytes: ...


@dataclass(frozen=True)
class PortalInfo:
    """Who the portal says it is: its realm, and the hashes of its commissions' newest charters."""

    realm: str
    charters: tuple[CharterHash, ...]


@dataclass(frozen=True)
class Visit:
    """A mailbox as it was found; ``found`` is ``None`` for a code that opens nothing.

    ``answer`` and ``charters`` are what the portal showed, for whoever wants to keep it. ``saved`` is false when the
    portal did not take the state back: then the next visit knows nothing of this one.
    """

    secrets: MailboxSecrets = field(repr=False)
    answer: MailboxAnswer
    charters: tuple[bytes, ...] = field(repr=False)
    newest: str | None
    found: ReadMailbox | None
    saved: bool = True


def read_portal_info(data: bytes) -> PortalInfo:
    """Read the answer to ``GET portal``. Raises MalformedError or LimitError."""
    fields = Fields(_decode(data), "portal")
    charters = fields.texts("charters", COMMISSIONS_MAX)
    return PortalInfo(fields.hex("realm", ID_BYTES), tuple(CharterHash(charter) for charter in charters))


def visit(portal: PortalRequests, digits: str) -> Visit:
    """Read a mailbox and write its state back.

    ``digits`` are the 35 of the receipt code. Raises PortalRefusedError, OSError, and MalformedError or LimitError for
    answers that no portal gives. A state that another device replaced meanwhile is read anew; one that the portal does
    not take is no reason not to show what was found.
    """
    info = read_portal_info(portal.get("portal"))
    secrets = derive(digits, info.realm)
    found = _look(portal, info, secrets)
    for _ in range(ATTEMPTS_MAX):
        change = _compose(found, info.realm, lambda state: (state, {}), None)
        try:
            portal.post("mailbox/changes", change.encode(), once=True)
        except OSError:
            break
        except PortalRefusedError as error:
            if error.code != CONFLICT:
                break
            found = _look(portal, info, secrets)
        else:
            return found
    return replace(found, saved=False)


def send_follow_up(portal: PortalRequests, before: Visit, day: date, kind: str, body: str) -> Visit:
    """Send a message to the commission, with the state that lists it; the mailbox as it was found then.

    A code that opens nothing sends noise. Raises as ``visit``, LimitError for a text of more than about 48 KB, and
    ProofError when the portal shows another mailbox than ``before``, or one that contradicts itself.
    """

    def compose(state: State) -> tuple[State, dict[str, object]]:
        sealed, following = add_follow_up(state, day, kind, body)
        return following, {"follow_up": sealed}

    return _again(portal, before, compose, _noise(day, kind, body))


def instruct(portal: PortalRequests, before: Visit, day: date, act: str, codes: Sequence[str]) -> Visit:
    """Send an instruction that V signs: ``withdraw``, or ``permit`` or ``forbid`` uses by their codes.

    Raises as ``send_follow_up``, and MalformedError for an act or codes that there are not.
    """

    def compose(state: State) -> tuple[State, dict[str, object]]:
        sealed, following = add_instruction(state, before.secrets, day, act, codes)
        return following, {"follow_up": sealed}

    length = len(Instruction("0" * 32, "0" * 64, 1, act, tuple(sorted(set(codes)))).text()) + INSTRUCTION_SIGNATURE
    return _again(portal, before, compose, _noise(day, INSTRUCTION, "x" * length))


def delete_shown(portal: PortalRequests, before: Visit, *, close: bool = False) -> Visit:
    """Delete the replies that were shown, and with ``close`` end the mailbox. Raises as ``visit``."""
    last = max((reply.number or 0 for reply in before.found.replies), default=0) if before.found else 0

    def compose(state: State) -> tuple[State, dict[str, object]]:
        return delete_replies(state, last), {"delete": last, "close": close}

    return _again(portal, before, compose, None, closes=close)


Compose = Callable[[State], tuple[State, dict[str, object]]]


def _again(
    portal: PortalRequests, before: Visit, compose: Compose, noise: bytes | None, *, closes: bool = False
) -> Visit:
    info = read_portal_info(portal.get("portal"))

    def check(state: State) -> tuple[State, dict[str, object]]:
        if before.found is None or state.thread.submission != before.found.state.thread.submission:
            raise ProofError("the portal shows another mailbox than before")
        return compose(state)

    was_open = before.found is not None
    return _change(portal, info, before.secrets, check, noise, was_open=was_open, closes=closes)


def _change(  # noqa: PLR0913 - the last two by name or default
    portal: PortalRequests,
    info: PortalInfo,
    secrets: MailboxSecrets,
    compose: Compose,
    noise: bytes | None = None,
    *,
    was_open: bool = False,
    closes: bool = False,
) -> Visit:
    for attempt in range(ATTEMPTS_MAX):
        found = _look(portal, info, secrets)
        if was_open and found.found is None:
            if closes and attempt:
                # Another device has closed it meanwhile.
                return found
            raise ProofError("the portal shows another mailbox than before")
        if found.found is not None and found.found.alarms:
            raise ProofError("the mailbox contradicts itself: look at it again before you write")
        change = _compose(found, info.realm, compose, noise)
        try:
            portal.post("mailbox/changes", change.encode())
        except PortalRefusedError as error:
            if error.code != CONFLICT or attempt == ATTEMPTS_MAX - 1:
                raise
            continue
        return found
    raise AssertionError("unreachable: the loop returns or raises")


def _compose(found: Visit, realm: str, compose: Compose, noise: bytes | None) -> MailboxChange:
    if found.found is None:
        return change_of_nothing(found.secrets, realm, found.answer.state, noise)
    state, extras = compose(found.found.state)
    return make_change(found.secrets, found.answer.state, state, **extras)  # type: ignore[arg-type]


def _look(portal: PortalRequests, info: PortalInfo, secrets: MailboxSecrets) -> Visit:
    answer = _ask(portal, secrets)
    state = _open(answer, secrets)
    charter = state.thread.charter if state else _any(info, secrets.mailbox_id)
    notes, newest = _ask_chain(portal, charter)
    found = read_mailbox(answer, state, secrets, read_chain(state, notes), newest) if state else None
    return Visit(secrets, answer, tuple(notes), newest, found)


def _ask_chain(portal: PortalRequests, charter: CharterHash) -> tuple[list[bytes], str | None]:
    """What the portal shows of charters, and the newest-charter note; nothing if it refuses: then nothing is signed."""
    try:
        shown = Fields(_decode(portal.get(f"charters/{charter}/chain")), "chain")
    except PortalRefusedError as error:
        if error.code in (BUSY, UNAVAILABLE, WORK_NEEDED, FULL):
            # It has said nothing of charters yet.
            raise
        return [], None
    notes = [note.encode("utf-8", "replace") for note in shown.texts("charters", CHAIN_MAX, NOTE_BYTES_MAX)]
    newest = shown.take("newest")
    return notes, newest if isinstance(newest, str) else None


def _ask(portal: PortalRequests, secrets: MailboxSecrets) -> MailboxAnswer:
    asked = {"mailbox": secrets.mailbox_id, "token": secrets.token.hex()}
    data = portal.post("mailbox", encode_json(asked))
    answer, size, after = read_mailbox_answer(data), len(data), 0
    while answer.more and len(answer.messages) < MESSAGES_MAX and size < MAILBOX_MAX:
        before, after = after, _last_number(answer)
        if after <= before:
            break
        data = portal.post("mailbox", encode_json({**asked, "after": after}))
        page, size = read_mailbox_answer(data), size + len(data)
        answer = replace(answer, messages=(*answer.messages, *page.messages), more=page.more)
    return answer


def _last_number(answer: MailboxAnswer) -> int:
    """The number of the last reply of a page, as its posting says it, 0 for none."""
    try:
        return read_posting_text(Note.parse(answer.messages[-1].posting.encode("utf-8")).text).number
    except (CryptoError, UnicodeEncodeError, IndexError):
        return 0


def _open(answer: MailboxAnswer, secrets: MailboxSecrets) -> State | None:
    """The state, or ``None`` when the code opens nothing: a mailbox that does not exist shows a decoy."""
    try:
        return open_state(answer.state, secrets)
    except CryptoError:
        return None


def _any(info: PortalInfo, mailbox: str) -> CharterHash:
    """The charter to ask for with a code that opens nothing: the same one at every visit."""
    if not info.charters:
        return CharterHash(mailbox + mailbox)
    return info.charters[int(mailbox, 16) % len(info.charters)]


def _noise(day: date, kind: str, body: str) -> bytes:
    """A follow-up of this text as long as a real one, which nobody can open."""
    nobody = ThreadKeys(0, PqIdentity.from_seed(chance.token_bytes(32)).recipient(), chance.token_bytes(32))
    follow_up = FollowUp(SubmissionId(chance.token_hex(ID_BYTES)), chance.token_hex(HASH_BYTES), 1, day, kind, 0, body)
    return seal_follow_up(follow_up, nobody)


def _decode(data: bytes) -> object:
    try:
        value: object = json.loads(data)
    except (ValueError, RecursionError):
        raise MalformedError("the portal's answer can't be read") from None
    return value


def notes_of(found: Visit) -> Sequence[tuple[str, str]]:
    """The signed notes that the portal showed, by a name for a file: what a reporter may want to keep."""
    named = [("acknowledgement.txt", found.answer.acknowledgement), ("collection.txt", found.answer.collection)]
    named += [("newest-charter.txt", found.newest)]
    named += [(f"charter-{n}.txt", note.decode("utf-8", "replace")) for n, note in enumerate(found.charters, 1)]
    named += [(f"posting-{n}.txt", message.posting) for n, message in enumerate(found.answer.messages, 1)]
    kept = [(name, text) for name, text in named if text is not None]
    # A thread note is sealed: only an alarm brings it out.
    alarms, texts = (found.found.alarms if found.found else ()), {text for _, text in kept}
    others = dict.fromkeys(text for alarm in alarms for text in alarm.evidence if text not in texts)
    return [*kept, *((f"evidence-{number}.txt", text) for number, text in enumerate(others, 1))]

# SPDX-License-Identifier: AGPL-3.0-or-later
"""Bodies of office requests that are JSON, read with limits (docs/protocol.md §10). Each reader raises Refusal
``malformed-request``."""

import msgspec

from crypto.document import Fields
from crypto.encoding import ID_BYTES, decode_base64
from crypto.errors import CryptoError
from crypto.ids import SubmissionId
from crypto.manifest import MANIFEST_MAX
from crypto.statement import NUMBER_MAX
from portal.api.refusals import Refusal
from portal.office_api.announcements import Announcement
from portal.office_api.threads import Outgoing, SealedThreadNote

NOTE_BYTES_MAX = 16 * 1024
THREADS_MAX = 32
THREAD_BASE64_MAX = 64 * 1024
THREADS_BYTES_MAX = THREADS_MAX * THREAD_BASE64_MAX
# More than a reply may have, so that a larger one is told what it is.
REPLY_BASE64_MAX = 1024 * 1024
REPLY_BYTES_MAX = REPLY_BASE64_MAX + THREAD_BASE64_MAX + NOTE_BYTES_MAX
MANIFEST_BASE64_MAX = 4 * (MANIFEST_MAX // 3 + 1)
COMMANDS_MAX = 8
TOLD_MAX = 100_000
ANNOUNCEMENT_BYTES_MAX = MANIFEST_BASE64_MAX + THREAD_BASE64_MAX + (COMMANDS_MAX + 3) * NOTE_BYTES_MAX
LAST_MAX = 2**53


def read_reply(body: bytes, submission: SubmissionId) -> Outgoing:
    try:
        fields = _fields(body)
        thread = fields.child("thread")
        reply = Outgoing(
            posting=fields.text("posting", NOTE_BYTES_MAX),
            last=fields.integer("last", 0, LAST_MAX),
            sealed=decode_base64(fields.text("sealed", REPLY_BASE64_MAX)),
            thread=_read_thread_note(thread, submission),
        )
        thread.end()
        fields.end()
        return reply
    except CryptoError:
        raise Refusal("malformed-request") from None


def read_visit(body: bytes) -> tuple[str, str | None]:
    """The process that visits, and the mark that it was given last."""
    try:
        fields = _fields(body)
        process = fields.hex("process", ID_BYTES)
        mark = None if fields.is_null("mark") else fields.hex("mark", ID_BYTES)
        fields.end()
        return process, mark
    except CryptoError:
        raise Refusal("malformed-request") from None


def read_announcement(body: bytes, submission: SubmissionId) -> Announcement:
    try:
        fields = _fields(body)
        announced = Announcement(
            submission=submission,
            manifest=decode_base64(fields.text("manifest", MANIFEST_BASE64_MAX)),
            acknowledgement=fields.text("acknowledgement", NOTE_BYTES_MAX),
            collection=fields.text("collection", NOTE_BYTES_MAX),
            state=decode_base64(fields.text("state", THREAD_BASE64_MAX)),
            control=None if fields.is_null("control") else fields.text("control", NOTE_BYTES_MAX),
            told=fields.integer("told", 0, TOLD_MAX),
            commands=fields.texts("commands", COMMANDS_MAX, NOTE_BYTES_MAX),
        )
        fields.end()
        return announced
    except CryptoError:
        raise Refusal("malformed-request") from None


def read_threads(body: bytes) -> tuple[SealedThreadNote, ...]:
    try:
        fields = _fields(body)
        notes = fields.items("threads", THREADS_MAX, _read_addressed_note)
        fields.end()
    except CryptoError:
        raise Refusal("malformed-request") from None
    if not notes:
        raise Refusal("malformed-request")
    return notes


def _read_addressed_note(item: object) -> SealedThreadNote:
    fields = Fields(item, "thread")
    note = _read_thread_note(fields, SubmissionId(fields.hex("submission", ID_BYTES)))
    fields.end()
    return note


def _read_thread_note(fields: Fields, submission: SubmissionId) -> SealedThreadNote:
    number = fields.integer("number", 1, NUMBER_MAX)
    return SealedThreadNote(submission, number, decode_base64(fields.text("sealed", THREAD_BASE64_MAX)))


def _fields(body: bytes) -> Fields:
    try:
        return Fields(msgspec.json.decode(body), "request")
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise Refusal("malformed-request") from None

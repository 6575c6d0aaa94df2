# SPDX-License-Identifier: AGPL-3.0-or-later
"""What a member is writing: its length tells little, and nobody else opens it."""

from collections.abc import Iterator

import pytest

from crypto.errors import AuthenticationError
from oversight.findings.finding_drafts import Written, load_written, save_written
from oversight.findings.records import FindingDraftRecord
from oversight.letters.records import ReplyDraftRecord
from oversight.letters.reply_drafts import ReplyDraft, load_draft, save_draft
from oversight.members.records import MemberRecord, SessionRecord
from oversight.members.sealed_draft import open_draft, seal_draft
from oversight.members.sessions import OpenSession
from oversight.storage import Database
from tests.people import World

SUBJECT = "3" * 32
LENGTHS = (0, 1, 100, 3_000)


@pytest.fixture(autouse=True)
def _in_database(database: Database) -> Iterator[None]:
    with database.use():
        yield


async def session_of(world: World, label: str) -> OpenSession:
    return OpenSession(await MemberRecord.get(label=label), world[label].keyring, SessionRecord())


async def test_short_findings_and_letters_rest_in_the_same_number_of_bytes(world: World) -> None:
    session = await session_of(world, "bruno")
    sizes = set()
    for length in LENGTHS:
        text = "x" * length
        await save_written(session, SUBJECT, Written(base=0, summary=text))
        await save_draft(session, SUBJECT, ReplyDraft("en", text))
        sizes.add(len(bytes((await FindingDraftRecord.get()).sealed)))
        sizes.add(len(bytes((await ReplyDraftRecord.get()).sealed)))
        written, letter = await load_written(session, SUBJECT), await load_draft(session, SUBJECT)
        assert written is not None and letter is not None
        assert written.summary == letter.body == text
    assert len(sizes) == 1


async def test_longer_drafts_rest_in_size_classes(world: World) -> None:
    session = await session_of(world, "bruno")
    sizes = {len(seal_draft(session, "draft", SUBJECT, bytes(length))) for length in range(8_000, 9_000)}
    assert len(sizes) < 10


async def test_nobody_opens_anothers_draft_nor_one_of_another_kind_or_subject(world: World) -> None:
    bruno, chiara = await session_of(world, "bruno"), await session_of(world, "chiara")
    sealed = seal_draft(bruno, "draft", SUBJECT, b"a text")
    assert open_draft(bruno, "draft", SUBJECT, sealed) == b"a text"
    as_bruno = OpenSession(bruno.member, chiara.keyring, SessionRecord())
    as_chiara = OpenSession(chiara.member, bruno.keyring, SessionRecord())
    for session, kind, subject in (
        (chiara, "draft", SUBJECT),
        (as_bruno, "draft", SUBJECT),
        (as_chiara, "draft", SUBJECT),
        (bruno, "finding-draft", SUBJECT),
        (bruno, "draft", "4" * 32),
    ):
        with pytest.raises(AuthenticationError):
            open_draft(session, kind, subject, sealed)

# SPDX-License-Identifier: AGPL-3.0-or-later
"""What a reporter has kept convinces others: genuine statements, and where two contradict each other."""

from dataclasses import replace

import pytest

from crypto.__main__ import main
from crypto.errors import MalformedError, ProofError
from crypto.evidence import check_evidence, split_notes
from crypto.note import SigningKey
from tests.people import found_test_commission
from tests.threads import SENT, start_thread

OTHER_HASH = "0d" * 32
RULE = "\n" + "=" * 64 + "\n\n"


@pytest.fixture(scope="module")
def thread():
    return start_thread()


@pytest.fixture(scope="module")
def charter(thread):
    return thread.newest.note.decode()


def test_statements_that_agree_are_told_with_their_signers(thread, charter):
    notes = [charter, thread.acknowledgement(), thread.collection(), thread.reply().posting, thread.newest_note()]
    found = check_evidence(notes)
    assert [statement.signer for statement in found.statements[1:]] == [
        "portal.test",
        "demo-commission/office",
        "demo-commission/office",
        "demo-commission/office",
    ]
    assert f"received submission {thread.submission}" in found.statements[1].says
    assert (found.unverified, found.contradictions) == (0, ())


@pytest.mark.parametrize(
    "lie",
    [
        lambda thread: (thread.acknowledgement(), thread.collection(manifest=OTHER_HASH)),
        lambda thread: (thread.acknowledgement(), thread.acknowledgement(manifest=OTHER_HASH)),
        lambda thread: (thread.reply(body="one").posting, thread.reply(body="other").posting),
        lambda thread: (thread.newest_note(charter=replace(thread.newest, hash=OTHER_HASH)),),
    ],
    ids=["collection", "acknowledgement", "reply number", "charter"],
)
def test_two_signed_statements_that_contradict_each_other_are_found(thread, charter, lie):
    found = check_evidence([charter, *lie(thread)])
    assert len(found.contradictions) == 1


def test_what_nobody_signed_contradicts_nothing(thread, charter):
    stranger = SigningKey.generate("stranger")
    lies = [thread.collection(manifest=OTHER_HASH, office=stranger), "no note", "amparo reply v1\n\n— x AAAAAAA=\n"]
    found = check_evidence([charter, thread.acknowledgement(), *lies])
    assert (len(found.contradictions), found.unverified) == (0, 2)


def test_two_charters_of_one_number_contradict_each_other(thread):
    one, other = start_thread(thread.world), start_thread(thread.world)
    one.change_charter()
    other.change_charter(grace_days=1)
    notes = [charter.note.decode() for charter in (*one.charters, *other.charters)]
    assert len(check_evidence(notes).contradictions) == 1


def test_a_charter_that_a_stranger_made_in_the_commissions_name_makes_no_contradiction(thread):
    """With an office of its own it could sign anything, under the same names."""
    forged = start_thread(found_test_commission(valid_from=thread.newest.valid_from, slots=9))
    assert (forged.newest.slug, forged.newest.realm) == (thread.newest.slug, thread.newest.realm)
    own = [charter.newest.note.decode() for charter in (thread, forged)]
    with pytest.raises(ProofError):
        check_evidence([*own, thread.acknowledgement(), forged.collection(manifest=OTHER_HASH)])


def test_without_a_charter_nothing_can_be_said(thread):
    with pytest.raises(MalformedError):
        check_evidence([thread.acknowledgement()])


def test_the_notes_of_one_text_are_told_apart(thread, charter):
    notes = [charter, thread.acknowledgement(), thread.collection()]
    assert split_notes(RULE.join(notes)) == notes
    assert split_notes("") == []


class TestTheCommand:
    def test_evidence_of_a_lie_ends_with_status_1_and_says_who_said_what(self, thread, charter, tmp_path, capsys):
        (tmp_path / "charter.txt").write_text(charter)
        evidence = RULE.join([thread.acknowledgement(), thread.collection(manifest=OTHER_HASH)])
        (tmp_path / "evidence.txt").write_text(evidence)
        assert main(["verify", str(tmp_path / "evidence.txt"), str(tmp_path / "charter.txt")]) == 1
        printed = capsys.readouterr()
        assert "CONTRADICTION portal.test: received submission" in printed.out
        assert f"with manifest {OTHER_HASH}" in printed.out
        assert "contradict" in printed.err

    def test_a_folder_of_saved_notes_is_checked_whole(self, thread, charter, tmp_path, capsys):
        for name, text in {"charter-1.txt": charter, "acknowledgement.txt": thread.acknowledgement()}.items():
            (tmp_path / name).write_text(text)
        (tmp_path / "messages.txt").write_text("Message 1\nWe have read it.\n")
        assert main(["verify", str(tmp_path)]) == 0
        printed = capsys.readouterr().out
        assert f"on {SENT}" in printed
        assert "governor      demo-commission/" in printed
        assert "A newer one can have\nreplaced it" in printed

    def test_a_note_without_its_charter_is_said_to_lack_it(self, thread, tmp_path, capsys):
        (tmp_path / "note.txt").write_text(thread.acknowledgement())
        assert main(["verify", str(tmp_path / "note.txt")]) == 1
        assert "no charter" in capsys.readouterr().err

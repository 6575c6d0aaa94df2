# SPDX-License-Identifier: AGPL-3.0-or-later
"""Findings: allowed contents, required signatures, later revisions."""

import json
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from crypto.charter import read_charter
from crypto.errors import CryptoError, MalformedError, ProofError
from crypto.finding import (
    FINDING_BYTES_MAX,
    Recommendation,
    Section,
    check_correction,
    finding_id,
    make_finding,
    path_name,
    read_finding,
    read_finding_text,
)
from crypto.finding_signers import FindingSignersError
from crypto.note import Note, SigningKey, add_signature, sign
from tests import vectors
from tests.findings import (
    CHAIR,
    PUBLISHER,
    charter_with,
    correction_of,
    draft_finding,
    publish_finding,
    sign_finding,
    withdrawal_of,
)
from tests.people import SPELLINGS, TODAY, found_test_commission
from tests.vectors import expected_error, load_vectors

WORLD = found_test_commission()
_VECTORS = json.loads((Path(vectors.__file__).parent / "finding.json").read_text("utf-8"))
CHARTERS = {name: read_charter(note.encode()) for name, note in _VECTORS["charters"].items()}


def refused(note, charter=WORLD.charter):
    with pytest.raises(FindingSignersError) as caught:
        read_finding(note, charter)
    return caught.value.rule


class TestVectors:
    @pytest.mark.parametrize("vector", load_vectors("finding", "read"))
    def test_reading(self, vector):
        given = vector["input"]
        note, charter = given["note"].encode(), CHARTERS[given["charter"]]
        if "error" in vector:
            with pytest.raises(expected_error(vector)) as caught:
                read_finding(note, charter)
            assert vector.get("rule") == getattr(caught.value, "rule", None)
            return
        finding = read_finding(note, charter)
        signers = [member.label for member in finding.signers]
        assert vector["value"] == {"id": finding.id, "hash": finding.hash, "kind": finding.kind, "signers": signers}

    @pytest.mark.parametrize("vector", load_vectors("finding", "succeed"))
    def test_succeeding(self, vector):
        previous, following = (
            read_finding(vector["input"][name].encode(), CHARTERS[vector["input"]["charter"]])
            for name in ("previous", "following")
        )
        if "error" in vector:
            with pytest.raises(expected_error(vector)):
                check_correction(previous, following)
            return
        check_correction(previous, following)


class TestContent:
    def test_a_finding_is_read_as_it_was_made(self):
        draft = draft_finding(WORLD)
        finding = read_finding(sign_finding(WORLD, draft), WORLD.charter)
        assert make_finding(draft) == Note.parse(finding.note).text
        assert [member.label for member in finding.signers] == [CHAIR, PUBLISHER]
        assert (finding.year, finding.number) == (2026, 1)

    @pytest.mark.parametrize(
        ("what", "changes"),
        {
            "an id of another commission": {"id": "XFI:ZZ:OTHER:2026:F.0001"},
            "an id of another year": {"id": "XFI:ZZ:DEMO-COMMISSION:2025:F.0001"},
            "a number without its zeros": {"id": "XFI:ZZ:DEMO-COMMISSION:2026:F.1"},
            "a number with too many zeros": {"id": "XFI:ZZ:DEMO-COMMISSION:2026:F.00001"},
            "a number 0": {"id": "XFI:ZZ:DEMO-COMMISSION:2026:F.0000"},
            "a State in the id": {"id": "XFI:CH:DEMO-COMMISSION:2026:F.0001"},
            "a first revision with a reason": {"reason": "Why not."},
            "a first revision that follows another": {"previous": "00" * 32},
            "a first revision that is a correction": {"kind": "correction"},
            "a second revision without a reason": {"revision": 2, "previous": "00" * 32, "kind": "correction"},
            "no title": {"title": " "},
            "a title of two lines": {"title": "Held\nfor long"},
            "no summary": {"summary": ""},
            "no quarter": {"quarter": None},
            "an exact day in place of the quarter": {"quarter": "2026-05-01"},
            "an unknown grade": {"grade": "FN-MAYBE"},
            "an unknown standard of proof": {"standard": "SP-NONE"},
            "a code twice": {"codes": ("EXT-COUNSEL", "EXT-COUNSEL")},
            "a code in small letters": {"codes": ("ext-counsel",)},
            "recommendations that are not numbered from 1": {"recommendations": (Recommendation(2, "Court", "Do."),)},
            "an unknown status": {"recommendations": (Recommendation(1, "Court", "Do.", "ignored"),)},
            "a due day": {"recommendations": (Recommendation(1, "Court", "Do.", "open", "2027-01-31"),)},
            "an empty reply": {"reply": " "},
            "an escape character": {"title": "Held\x1b[31m"},
            "a mark that turns the reading order": {"sections": (Section("What", "a \u202e b"),)},
            "a noncharacter": {"summary": "a \ufffe b"},
        }.items(),
        ids=lambda value: value if isinstance(value, str) else "",
    )
    def test_a_text_that_breaks_a_rule_is_refused(self, what, changes):
        with pytest.raises(MalformedError):
            make_finding(draft_finding(WORLD, **changes))

    def test_a_finding_over_its_limit_is_refused(self):
        sections = (Section("What happened", "a" * FINDING_BYTES_MAX),)
        with pytest.raises(CryptoError, match="the limit is"):
            make_finding(draft_finding(WORLD, sections=sections))

    def test_a_member_that_is_not_specified_is_refused(self):
        value = json.loads(make_finding(draft_finding(WORLD)))
        text = json.dumps({**value, "zz": "more"}, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        with pytest.raises(MalformedError, match="not specified"):
            read_finding_text(text)

    def test_ids_have_names_of_their_own(self):
        names = {path_name(finding_id(slug, 2026, 1)) for slug in ("ab", "ab-2026-f-0001", "xfi-zz-ab")}
        assert "xfi-zz-ab-2026-f-0001" in names
        assert len(names) == 3


class TestSigners:
    def test_fewer_than_two_signatures_are_refused(self):
        assert refused(sign_finding(WORLD, draft_finding(WORLD), [CHAIR])) == "too-few"

    @pytest.mark.parametrize("name", SPELLINGS, ids=ascii)
    def test_two_signatures_by_one_person_are_refused(self, name):
        charter = charter_with(WORLD, **{PUBLISHER: {"name": name}})
        note = sign_finding(WORLD, draft_finding(WORLD, charter=charter.hash))
        assert refused(note, charter) == "one-person"

    def test_two_signatures_by_one_key_are_refused(self):
        note = sign_finding(WORLD, draft_finding(WORLD), [CHAIR])
        with pytest.raises(MalformedError, match="two signatures by one key"):
            read_finding(note + note.splitlines(keepends=True)[-1], WORLD.charter)

    def test_a_signer_who_is_neither_chair_nor_publisher_is_refused(self):
        assert refused(sign_finding(WORLD, draft_finding(WORLD), [CHAIR, "amina"])) == "role"
        assert refused(sign_finding(WORLD, draft_finding(WORLD), [CHAIR, PUBLISHER, "amina"])) == "role"

    def test_a_signer_who_is_not_in_the_charter_is_refused_even_as_a_third(self):
        note = Note.parse(sign_finding(WORLD, draft_finding(WORLD)))
        stranger = SigningKey.from_seed(f"{WORLD.slug}/{CHAIR}", b"\7" * 32)
        assert refused(add_signature(note, stranger).encode()) == "stranger"

    @pytest.mark.parametrize(
        "dates",
        [{"valid_until": TODAY - timedelta(days=1)}, {"valid_from": TODAY + timedelta(days=1)}],
        ids=["left", "not yet there"],
    )
    def test_a_signer_who_is_no_member_on_that_day_is_refused(self, dates):
        charter = charter_with(WORLD, **{PUBLISHER: dates})
        assert refused(sign_finding(WORLD, draft_finding(WORLD, charter=charter.hash)), charter) == "not-in-force"

    def test_a_member_may_sign_on_the_last_day(self):
        charter = charter_with(WORLD, **{PUBLISHER: {"valid_until": TODAY}})
        note = sign_finding(WORLD, draft_finding(WORLD, charter=charter.hash))
        assert read_finding(note, charter).signers[1].label == PUBLISHER

    def test_without_a_chair_it_is_refused(self):
        charter = charter_with(WORLD, amina={"roles": ("publisher",)})
        note = sign_finding(WORLD, draft_finding(WORLD, charter=charter.hash), ["amina", PUBLISHER])
        assert refused(note, charter) == "no-chair"

    def test_the_chair_who_wrote_it_cannot_approve_it(self):
        assert refused(sign_finding(WORLD, draft_finding(WORLD, author=CHAIR))) == "chair-is-author"

    @pytest.mark.parametrize("name", SPELLINGS, ids=ascii)
    def test_the_chair_who_wrote_it_under_another_label_cannot_approve_it(self, name):
        charter = charter_with(WORLD, bruno={"name": name})
        note = sign_finding(WORLD, draft_finding(WORLD, charter=charter.hash))
        assert refused(note, charter) == "chair-is-author"

    def test_another_chair_can_approve_what_a_chair_wrote(self):
        charter = charter_with(WORLD, amina={"roles": ("chair",)})
        note = sign_finding(WORLD, draft_finding(WORLD, charter=charter.hash, author=CHAIR), [CHAIR, "amina"])
        assert len(read_finding(note, charter).signers) == 2

    def test_an_author_whom_nobody_knows_is_refused(self):
        assert refused(sign_finding(WORLD, draft_finding(WORLD, author="nobody"))) == "author"

    def test_an_altered_text_is_refused(self):
        note = sign_finding(WORLD, draft_finding(WORLD)).replace(b"nineteen days", b"eighteen days")
        assert refused(note) == "text"

    def test_one_wrong_signature_is_refused_by_name(self):
        good = Note.parse(sign_finding(WORLD, draft_finding(WORLD)))
        other = Note.parse(sign_finding(WORLD, draft_finding(WORLD, 2)))
        mixed = Note(good.text, (good.signatures[0], other.signatures[1])).encode()
        with pytest.raises(FindingSignersError, match=f"signature of {WORLD.slug}/{PUBLISHER} does not match"):
            read_finding(mixed, WORLD.charter)

    def test_another_charter_than_the_one_it_names_is_refused(self):
        charter = charter_with(WORLD, amina={"name": "Amina H."})
        assert refused(sign_finding(WORLD, draft_finding(WORLD)), charter) == "charter"

    def test_a_day_outside_the_charter_is_refused(self):
        world = found_test_commission(valid_until=date(2026, 1, 31))
        assert refused(sign_finding(world, draft_finding(world)), world.charter) == "charter-day"


class TestRevisions:
    def test_a_correction_follows(self):
        first = publish_finding(WORLD)
        second = read_finding(sign_finding(WORLD, correction_of(first, title="Held for eighteen days")), WORLD.charter)
        check_correction(first, second)

    @pytest.mark.parametrize(
        "changes",
        [
            {"revision": 3},
            {"previous": "ab" * 32},
            {"id": "XFI:ZZ:DEMO-COMMISSION:2026:F.0002"},
        ],
        ids=lambda changes: next(iter(changes)),
    )
    def test_a_revision_that_does_not_follow_is_refused(self, changes):
        with pytest.raises(ProofError):
            check_correction(publish_finding(WORLD), correction_of(publish_finding(WORLD), **changes))

    def test_a_revision_from_before_is_refused(self):
        first = publish_finding(WORLD)
        with pytest.raises(ProofError, match="older"):
            check_correction(first, correction_of(first, day=TODAY - timedelta(days=1)))

    def test_an_update_changes_status_and_reply(self):
        first = publish_finding(WORLD)
        done = tuple(replace(each, status="implemented", due=None) for each in first.recommendations)
        changes = {"kind": "update", "reason": "Both were done.", "recommendations": done, "reply": "We did."}
        check_correction(first, correction_of(first, **changes))

    def test_an_update_that_changes_the_text_is_refused(self):
        first = publish_finding(WORLD)
        with pytest.raises(ProofError, match="update"):
            check_correction(first, correction_of(first, kind="update", title="Held for one day"))

    def test_a_withdrawal_leaves_nothing_but_its_reason(self):
        first = publish_finding(WORLD)
        withdrawn = read_finding(sign_finding(WORLD, withdrawal_of(first)), WORLD.charter)
        check_correction(first, withdrawn)
        assert first.title not in withdrawn.note.decode()
        assert "EXT-DET-SURR" not in withdrawn.note.decode()

    @pytest.mark.parametrize("kept", [{"title": "Held"}, {"codes": ("EXT-COUNSEL",)}, {"quarter": "2026-Q2"}])
    def test_a_withdrawal_that_keeps_something_is_refused(self, kept):
        with pytest.raises(MalformedError):
            make_finding(replace(withdrawal_of(publish_finding(WORLD)), **kept))

    def test_nothing_follows_a_withdrawal(self):
        withdrawn = read_finding(sign_finding(WORLD, withdrawal_of(publish_finding(WORLD))), WORLD.charter)
        with pytest.raises(ProofError, match="withdrawn"):
            check_correction(withdrawn, withdrawal_of(withdrawn))


def test_the_note_is_an_ordinary_signed_note():
    note = sign(make_finding(draft_finding(WORLD)), [WORLD[CHAIR].signing_key])
    assert note.text.count("\n") == 1

# SPDX-License-Identifier: AGPL-3.0-or-later
"""Reports, attachments, answers and questions at their bounds (docs/protocol.md §4.3, §5), and beyond them."""

import json
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from crypto.answers import Moment, PartialDate, answers_value, check_answers, read_answers
from crypto.attachment import read_attachment
from crypto.encoding import encode_json
from crypto.errors import AuthenticationError, LimitError, MalformedError
from crypto.questionnaire import Questionnaire, read_questionnaire
from crypto.report import Report, read_report
from crypto.sealed_document import check_document_mac, document_mac, open_strictly, seal_document
from crypto.submission import OutgoingAttachment, open_grant, open_report, seal_submission
from tests.crypto.editing import taken, with_one_member_less, with_one_member_more
from tests.vectors.commission import load_commission

ACME = load_commission()
SUBMISSION = seal_submission(
    charter=ACME.charter,
    receipt_digits=ACME.receipt_digits,
    language="en",
    answers={"story": "They came at night."},
    attachments=[OutgoingAttachment("paper.pdf", "application/pdf", b"%PDF")],
    sealed_by="command-line",
    today=date(2026, 5, 1),
)
THREAD = open_grant(SUBMISSION.files["grant.age"], [ACME.identities["chair"]]).identity
REPORT = open_report(SUBMISSION.files["report.age"], THREAD)
ENTRY = REPORT.attachments[0].to_value()
TEXT = {"en": "text"}


def read_with(**said: Any) -> Report:
    return read_report(encode_json({**json.loads(REPORT.encode()), **said}))


class TestReports:
    @pytest.mark.parametrize("sealed_by", ["browser", "offline-form", "command-line", "server", "paper"])
    def test_it_says_what_sealed_it(self, sealed_by: str) -> None:
        assert read_with(sealed_by=sealed_by).sealed_by == sealed_by

    @pytest.mark.parametrize("number", [1, 1_000_000])
    def test_it_names_the_questions_that_were_asked(self, number: int) -> None:
        assert read_with(questionnaire={"id": "q" * 31, "number": number}).questionnaire == ("q" * 31, number)

    @pytest.mark.parametrize(
        ("said", "error"),
        [
            ({"questionnaire": {"id": "q" * 32, "number": 1}}, MalformedError),
            ({"questionnaire": {"id": "q", "number": 1_000_001}}, LimitError),
            ({"questionnaire": {"id": "q", "number": 0}}, LimitError),
            ({"realm": "5A" * 16}, MalformedError),
            ({"realm": "https://portal.example"}, MalformedError),
            ({"control": "00" * 31}, MalformedError),
            ({"excluded": ["b", "a"]}, MalformedError),
            ({"excluded": ["a", "a"]}, MalformedError),
            ({"excluded": [f"m{number:02}" for number in range(64)]}, LimitError),
            ({"excluded": ["m" * 32]}, MalformedError),
            ({"language": "x"}, MalformedError),
            ({"leaf_nonce": "00" * 31}, MalformedError),
            ({"attachments": [ENTRY] * 33}, LimitError),
            ({"attachments": [ENTRY, ENTRY]}, MalformedError),
            ({"attachments": [{**ENTRY, "file": "attachment-2.age"}]}, MalformedError),
        ],
    )
    def test_beyond_its_bounds_it_is_refused(self, said: dict[str, Any], error: type[Exception]) -> None:
        with pytest.raises(error):
            read_with(**said)

    def test_it_may_be_kept_from_63_members(self) -> None:
        labels = [f"m{number:030}" for number in range(63)]
        assert read_with(excluded=labels).excluded == tuple(labels)

    def test_it_may_have_32_attachments(self) -> None:
        entries = [{**ENTRY, "file": f"attachment-{number}.age"} for number in range(1, 33)]
        assert len(read_with(attachments=entries).attachments) == 32

    def test_it_has_a_mebibyte_to_the_byte(self) -> None:
        room = 1_048_576 - len(replace(REPORT, answers={"story": ""}).encode())
        assert len(replace(REPORT, answers={"story": "x" * room}).encode()) == 1_048_576
        with pytest.raises(LimitError):
            replace(REPORT, answers={"story": "x" * (room + 1)}).encode()


class TestAttachments:
    @pytest.mark.parametrize(
        ("member", "value"),
        [
            ("file", "attachment-9.age"), ("file", "attachment-19.age"), ("file", "attachment-32.age"),
            ("name", "n" * 255), ("name", "صورة.jpg"), ("name", "..."), ("media_type", "a/b"),
            ("media_type", "a" * 127 + "/" + "b" * 127), ("size", 0), ("size", 2 * 1024**3), ("stripped", True),
        ],
        ids=lambda part: str(part)[:20],
    )  # fmt: skip
    def test_an_entry_at_its_bounds_is_read(self, member: str, value: Any) -> None:
        assert read_attachment({**ENTRY, member: value}).to_value() == {**ENTRY, member: value}

    @pytest.mark.parametrize(
        ("member", "value"),
        [
            ("file", "attachment-0.age"), ("file", "attachment-33.age"), ("file", "attachment-1.ages"),
            ("name", ""), ("name", "n" * 256), ("name", "."), ("name", ".."), ("name", "a/b"), ("name", "a\\b"),
            ("name", "a\x7f"), ("name", "a\x1f"), ("media_type", "a"), ("media_type", "a" * 128 + "/b"),
            ("media_type", "a/" + "b" * 128), ("media_type", "A/b"), ("size", -1), ("size", 2 * 1024**3 + 1),
            ("salt", "00" * 31), ("sha256", "00" * 33), ("commitment", ""), ("sealed_sha256", "0"), ("stripped", 1),
        ],
        ids=lambda part: str(part)[:20],
    )  # fmt: skip
    def test_an_entry_beyond_them_is_refused(self, member: str, value: Any) -> None:
        with pytest.raises((MalformedError, LimitError)):
            read_attachment({**ENTRY, member: value})


NIGHT = Moment(2025, 1, 1, about=True, hour=23)


class TestAnswers:
    DATE: dict[str, Any] = {"year": 2025, "month": 1, "day": 1, "about": True}  # noqa: RUF012 - never changed

    @pytest.mark.parametrize(
        "answer",
        [
            "", "x" * 1_048_576, [], ["C" * 64], [f"C{number}" for number in range(256)],
            {**DATE, "year": 1, "month": 12, "day": 31}, {**DATE, "year": 9999},
            {"year": None, "month": None, "day": None, "about": False},
            {**DATE, "hour": 0}, {**DATE, "hour": 23}, {**DATE, "day": None, "hour": None},
        ],
        ids=lambda answer: str(answer)[:20],
    )  # fmt: skip
    def test_an_answer_at_its_bounds_is_read(self, answer: Any) -> None:
        assert answers_value(read_answers({"q": answer})) == {"q": answer}

    @pytest.mark.parametrize(
        "answer",
        [
            None, 1, True, "x" * 1_048_577, ["C" * 65], [f"C{number}" for number in range(257)], ["C", "C"], [1],
            {**DATE, "year": 0}, {**DATE, "year": 10_000}, {**DATE, "month": 0}, {**DATE, "month": 13},
            {**DATE, "day": 0}, {**DATE, "day": 32}, {**DATE, "about": None}, {**DATE, "minute": 1}, {}, {"hour": 1},
            {**DATE, "hour": -1}, {**DATE, "hour": 24}, {**DATE, "hour": "1"},
        ],
        ids=lambda answer: str(answer)[:20],
    )  # fmt: skip
    def test_an_answer_beyond_them_is_refused(self, answer: Any) -> None:
        with pytest.raises((MalformedError, LimitError)):
            read_answers({"q": answer})

    def test_there_are_at_most_512(self) -> None:
        assert len(read_answers({f"q{number}": "x" for number in range(512)})) == 512

    @pytest.mark.parametrize("name", ["", "Q", "1q", "q" * 32, "q_", "q\n"])
    def test_each_is_to_a_question_with_an_id(self, name: str) -> None:
        assert read_answers({"q" * 31: "x"})
        with pytest.raises(MalformedError, match="question"):
            read_answers({name: "x"})

    @pytest.mark.parametrize(
        ("kind", "answer", "fits"),
        [
            ("line", "x" * 1000, True), ("line", "x" * 1001, False), ("line", "a\nb", False), ("line", (), False),
            ("country", "XK", True), ("country", "X", False), ("country", "XKX", False), ("country", "xk", False),
            ("text", "a\nb", True), ("text", ("a",), False),
            ("date", PartialDate(None, None, None, about=True), True),
            ("date", NIGHT, False), ("moment", NIGHT, True), ("moment", PartialDate(2025, 1, 1, about=True), False),
            ("date", "2025", False), ("moment", "2025", False),
            ("choice", "A", True), ("choice", "B", False), ("choice", ("A",), False),
            ("checkboxes", ("A",), True), ("checkboxes", (), True), ("checkboxes", ("A", "B"), False),
            ("checkboxes", "A", False), ("files", "x", False), ("members", ("x",), False),
        ],
        ids=lambda part: str(part)[:16],
    )  # fmt: skip
    def test_an_answer_is_of_the_kind_of_its_question(self, kind: str, answer: Any, fits: bool) -> None:
        asked = questionnaire(question(kind=kind))
        if fits:
            check_answers({"q": answer}, asked)
        else:
            with pytest.raises(MalformedError, match="kind"):
                check_answers({"q": answer}, asked)

    @pytest.mark.parametrize("kind", ["text", "checkboxes", "files", "members"])
    def test_what_is_required_is_answered_unless_it_is_answered_elsewhere(self, kind: str) -> None:
        asked = questionnaire(question(kind=kind, required=True))
        if kind in ("files", "members"):
            check_answers({}, asked)
        else:
            with pytest.raises(MalformedError, match="'q' must be answered"):
                check_answers({}, asked)
        check_answers({}, questionnaire(question(kind=kind)))

    @pytest.mark.parametrize(
        "text", ["", "\u200b", "\u2060\ufeff \n", "\u3164", "\u2800", "\u0301", "\ufe0f", "\x00", "\U000e0041"]
    )
    def test_what_nobody_can_see_is_no_answer(self, text: str) -> None:
        with pytest.raises(MalformedError, match="'q' must be answered"):
            check_answers({"q": text}, questionnaire(question(kind="text", required=True)))

    @pytest.mark.parametrize("text", [".", "0", "e\u0301", "\u200bس", "\ue000", "\U0010ffff", "👍"])
    def test_the_shortest_text_that_is_seen_is_an_answer(self, text: str) -> None:
        check_answers({"q": text}, questionnaire(question(kind="text", required=True)))


def question(**said: Any) -> dict[str, Any]:
    options = {"options": [{"code": "A", "label": TEXT}]} if said.get("kind") in ("choice", "checkboxes") else {}
    return {"id": "q", "kind": "text", "label": TEXT, "required": False, **options, **said}


def panel(*questions: Any, **said: Any) -> dict[str, Any]:
    return {"id": "p", "title": TEXT, "questions": list(questions), **said}


def questionnaire(*questions: Any, **said: Any) -> Questionnaire:
    return read_questionnaire({"id": "q", "number": 1, "panels": [panel(*questions)], **said}, ("en",))


def many(count: int) -> list[dict[str, Any]]:
    return [question(id=f"q{number}") for number in range(count)]


def options(count: int) -> list[dict[str, Any]]:
    return [{"code": f"C{number}", "label": TEXT} for number in range(count)]


class TestQuestionnaires:
    WHOLE = questionnaire(question(kind="choice", hint=TEXT), panels=[
        panel(question(kind="choice", hint=TEXT), intro=TEXT)
    ]).to_value(("en",))  # fmt: skip

    def test_it_has_the_members_that_are_specified_and_no_others(self) -> None:
        def read(value: Any) -> Questionnaire:
            return read_questionnaire(value, ("en",))

        assert taken([((), self.WHOLE)], read) == [()]
        assert taken(with_one_member_more(self.WHOLE), read) == []
        assert {path[-1] for path in taken(with_one_member_less(self.WHOLE), read)} == {"hint", "intro"}

    @pytest.mark.parametrize(
        "said",
        [
            {"number": 1_000_000}, {"id": "q" * 31}, {"panels": []},
            {"panels": [panel(id=f"p{number}") for number in range(64)]},
            {"panels": [panel(*many(64))]},
            {"panels": [panel(question(kind="choice", options=options(256)))]},
            {"panels": [panel(question(label={"en": "l" * 500}, hint={"en": "h" * 4000}))]},
            {"panels": [panel(title={"en": "t" * 500}, intro={"en": "i" * 4000})]},
            {"panels": [panel(question(kind="choice", options=[{"code": "C" * 40, "label": {"en": "l" * 500}}]))]},
        ],
        ids=lambda said: str(said)[:40],
    )  # fmt: skip
    def test_at_its_bounds_it_is_read_back_the_same(self, said: dict[str, Any]) -> None:
        made = questionnaire(**said)
        assert read_questionnaire(made.to_value(("en",)), ("en",)) == made

    @pytest.mark.parametrize(
        "said",
        [
            {"number": 0}, {"number": 1_000_001}, {"id": "q" * 32}, {"id": "Q"},
            {"panels": [panel(id=f"p{number}") for number in range(65)]},
            {"panels": [panel(), panel()]},
            {"panels": [panel(id="P")]},
            {"panels": [panel(*many(65))]},
            {"panels": [panel(question(id="Q"))]},
            {"panels": [panel(question(), question())]},
            {"panels": [panel(question()), panel(question(), id="other")]},
            {"panels": [panel(question(kind="essay"))]},
            {"panels": [panel(question(kind="choice", options=options(257)))]},
            {"panels": [panel(question(kind="choice", options=[]))]},
            {"panels": [panel(question(kind="checkboxes", options=options(1) * 2))]},
            {"panels": [panel(question(options=options(1)))]},
            {"panels": [panel(question(label={"en": "l" * 501}))]},
            {"panels": [panel(question(hint={"en": "h" * 4001}))]},
            {"panels": [panel(title={"en": "t" * 501})]},
            {"panels": [panel(intro={"en": "i" * 4001})]},
            {"panels": [panel(question(kind="choice", options=[{"code": "C" * 41, "label": TEXT}]))]},
            {"panels": [panel(question(kind="choice", options=[{"code": "c", "label": TEXT}]))]},
            {"panels": [panel(question(kind="choice", options=[{"code": "C", "label": {"en": "l" * 501}}]))]},
        ],
        ids=lambda said: str(said)[:40],
    )  # fmt: skip
    def test_beyond_them_it_is_refused(self, said: dict[str, Any]) -> None:
        with pytest.raises((MalformedError, LimitError)):
            questionnaire(**said)


class TestSealedDocuments:
    def test_a_sealed_file_may_have_just_as_many_bytes_as_it_may_have(self) -> None:
        sealed = seal_document(b"x", 64, [THREAD.recipient()])
        assert open_strictly(sealed, [THREAD], len(sealed)).startswith(b"\0\0\0\1x\0")
        with pytest.raises(LimitError):
            open_strictly(sealed, [THREAD], len(sealed) - 1)

    def test_a_mac_that_was_cut_does_not_match(self) -> None:
        mac = document_mac(b"k" * 32, {"a": 1})
        check_document_mac(b"k" * 32, {"a": 1}, mac)
        for key, value, other in ((b"k" * 32, {"a": 2}, mac), (b"l" * 32, {"a": 1}, mac), (b"k" * 32, {"a": 1}, "")):
            with pytest.raises(AuthenticationError):
                check_document_mac(key, value, other)

# SPDX-License-Identifier: AGPL-3.0-or-later
"""What a reporter seals is opened by those it was sealed to, is checked all over, and by nobody else."""

import hashlib
import io
import json
import tracemalloc
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto.age import PqIdentity, X25519Identity, check_sealed_prefix, seal
from crypto.answers import PartialDate, answers_value, read_answers
from crypto.attachment import (
    AttachmentDraft,
    attachment_commitment,
    read_attachment,
    seal_attachment_stream,
)
from crypto.bundle import BundleReader, FileEnd
from crypto.charter import Charter, NotInForceError, make_charter
from crypto.document import Fields
from crypto.errors import (
    AuthenticationError,
    CryptoError,
    LimitError,
    MalformedError,
    NotARecipientError,
    ProofError,
)
from crypto.grant import Grant, grant_recipients, read_grant, seal_grant
from crypto.manifest import ATTACHMENT_SEALED_MAX, commitment, manifest_hash, read_manifest
from crypto.padding import STATE_SIZE, pad_document, padded_attachment_size
from crypto.receipt_code import derive, new_code
from crypto.report import read_report
from crypto.state import Sent, State, ThreadState, read_state, seal_state
from crypto.submission import (
    OutgoingAttachment,
    Report,
    SealedSubmission,
    check_report,
    open_attachment,
    open_attachment_stream,
    open_grant,
    open_report,
    open_state,
    seal_submission,
)
from crypto.thread_keys import ThreadKeys, read_thread_keys
from crypto.urgency import LEVELS, encode_urgency, open_urgency, read_urgency
from tests.vectors import expected_error, join_parts, load_vectors
from tests.vectors.commission import load_commission

ACME = load_commission()
TODAY = date(2026, 5, 1)
ANSWERS = {"situation": "HELD", "urgency": ("UR-LIFE",), "story": "They came at night. جاؤوا ليلًا."}
PAPER = OutgoingAttachment("paper.pdf", "application/pdf", b"%PDF " * 5000)
PICTURE = OutgoingAttachment("picture.jpg", "image/jpeg", b"", stripped=True)


def sealed(**changes: object) -> SealedSubmission:
    arguments: dict[str, object] = {
        "charter": ACME.charter,
        "receipt_digits": ACME.receipt_digits,
        "language": "en",
        "answers": ANSWERS,
        "sealed_by": "command-line",
        "today": TODAY,
    }
    return seal_submission(**{**arguments, **changes})  # type: ignore[arg-type]


def thread_of(submission: SealedSubmission, member: str = "chair") -> PqIdentity:
    return open_grant(submission.files["grant.age"], [ACME.identities[member]]).identity


def report_of(submission: SealedSubmission, member: str = "chair") -> Report:
    return open_report(submission.files["report.age"], thread_of(submission, member))


def state_of(value):
    """The state that a vector spells out."""
    thread, sent = value["threads"][0], value["threads"][0]["sent"]
    return State(
        realm=value["realm"],
        thread=ThreadState(
            submission=thread["submission"],
            manifest=thread["manifest"],
            charter=thread["charter"],
            excluded=tuple(thread["excluded"]),
            keys=read_thread_keys(Fields(thread["keys"], "keys")),
            note=thread["note"],
            reply=thread["reply"],
            deleted=thread["deleted"],
            sent_count=sent["count"],
            sent=tuple(Sent(each["id"], date.fromisoformat(each["day"])) for each in sent["last"]),
        ),
        charter_number=value["newest"]["number"],
        newest_charter=value["newest"]["charter"],
    )


def outcome(vector, run):
    """What ``run`` gives, or ``None`` after the error that the vector expects."""
    if "error" not in vector:
        return run()
    with pytest.raises(expected_error(vector)):
        run()
    return None


class TestVectors:
    @pytest.mark.parametrize("vector", load_vectors("submission", "attachment-commitment"))
    def test_commitments_of_attachments(self, vector):
        assert attachment_commitment(vector["input"]["salt"], vector["input"]["sha256"]) == vector["value"]

    @pytest.mark.parametrize("vector", load_vectors("submission", "read-report"))
    def test_reading_reports(self, vector):
        report = outcome(vector, lambda: read_report(join_parts(vector["input"]["content"])))
        assert report is None or json.loads(report.encode()) == vector["value"]

    @pytest.mark.parametrize("vector", load_vectors("submission", "encode-report"))
    def test_encoding_reports(self, vector):
        value = vector["input"]["report"]
        report = read_report(join_parts(vector["value"]))
        assert report.answers == read_answers(value["answers"])
        assert report.attachments == tuple(read_attachment(entry) for entry in value["attachments"])
        assert report.encode() == join_parts(vector["value"])

    @pytest.mark.parametrize("vector", load_vectors("submission", "open-report"))
    def test_opening_reports(self, vector):
        identity = ACME.identities[vector["input"]["identity"]]
        report = open_report(join_parts(vector["input"]["sealed"]), identity)
        assert json.loads(report.encode()) == vector["value"]

    @pytest.mark.parametrize("vector", load_vectors("submission", "encode-grant"))
    def test_encoding_grants(self, vector):
        identity = PqIdentity.from_string(vector["input"]["identity"])
        assert Grant(vector["input"]["subject"], identity).encode() == join_parts(vector["value"])

    @pytest.mark.parametrize("vector", load_vectors("submission", "read-grant"))
    def test_refusing_grants(self, vector):
        assert outcome(vector, lambda: read_grant(join_parts(vector["input"]["content"]))) is None

    @pytest.mark.parametrize("vector", load_vectors("submission", "open-grant"))
    def test_opening_grants(self, vector):
        data = join_parts(vector["input"]["sealed"])
        grant = outcome(vector, lambda: open_grant(data, [ACME.identities[vector["input"]["identity"]]]))
        assert grant is None or vector["value"] == {
            "subject": grant.subject,
            "identity": str(grant.identity),
            "stanzas": len(check_sealed_prefix(data).stanzas),
        }

    @pytest.mark.parametrize("vector", load_vectors("submission", "encode-urgency"))
    def test_encoding_urgency(self, vector):
        given = vector["input"]
        assert encode_urgency(given["level"], given["submission"]) == join_parts(vector["value"])

    @pytest.mark.parametrize("vector", load_vectors("submission", "read-urgency"))
    def test_reading_urgency(self, vector):
        given = vector["input"]
        level = outcome(vector, lambda: read_urgency(join_parts(given["content"]), given["submission"]))
        assert level == vector.get("value")

    @pytest.mark.parametrize("vector", load_vectors("submission", "open-urgency"))
    def test_opening_urgency(self, vector):
        given, identity = vector["input"], ACME.identities[vector["input"]["identity"]]
        level = outcome(vector, lambda: open_urgency(join_parts(given["sealed"]), identity, given["submission"]))
        assert level == vector.get("value")

    @pytest.mark.parametrize("vector", load_vectors("submission", "encode-state"))
    def test_encoding_states(self, vector):
        key = bytes.fromhex(vector["input"]["state_mac"])
        state = state_of(vector["input"]["state"])
        assert state.encode(key) == join_parts(vector["value"])
        assert read_state(join_parts(vector["value"]), key) == state

    @pytest.mark.parametrize("vector", load_vectors("submission", "read-state"))
    def test_reading_states(self, vector):
        key = bytes.fromhex(vector["input"]["state_mac"])
        state = outcome(vector, lambda: read_state(join_parts(vector["input"]["content"]), key))
        assert state == (("value" in vector and state_of(vector["value"])) or None)

    @pytest.mark.parametrize("vector", load_vectors("submission", "open-state"))
    def test_opening_states(self, vector):
        assert open_state(join_parts(vector["input"]["sealed"]), ACME.mailbox) == state_of(vector["value"])

    @pytest.mark.parametrize("vector", load_vectors("submission", "seal-state"))
    def test_sealing_states(self, vector):
        sealed_state = seal_state(state_of(vector["input"]["state"]), ACME.mailbox)
        assert len(sealed_state) == vector["value"]
        assert open_state(sealed_state, ACME.mailbox) == state_of(vector["input"]["state"])

    @pytest.mark.parametrize("vector", load_vectors("submission", "open-attachment"))
    def test_opening_attachments(self, vector):
        entry = read_attachment(vector["input"]["entry"])
        data = join_parts(vector["input"]["sealed"])
        content = outcome(vector, lambda: open_attachment(data, entry, ACME.identities["R"]))
        assert content is None or content == join_parts(vector["value"])

    @pytest.mark.parametrize("vector", load_vectors("submission", "manifest"))
    def test_manifest_and_commitment(self, vector):
        data = join_parts(vector["input"]["manifest"])
        manifest = read_manifest(data)
        assert vector["value"] == {
            "hash": manifest_hash(data),
            "commitment": commitment(bytes.fromhex(vector["input"]["leaf_nonce"]), manifest_hash(data)),
            "mailbox": manifest.mailbox,
            "token_sha256": manifest.token_sha256,
        }
        assert (manifest.mailbox, manifest.token_sha256) == (ACME.mailbox.mailbox_id, ACME.mailbox.token_sha256)


def test_a_member_opens_all_that_was_sealed():
    submission = sealed(attachments=[PAPER, PICTURE])
    for member in ("registrar", "chair", "reserve"):
        thread = thread_of(submission, member)
        report = open_report(submission.files["report.age"], thread)
        check_report(report, submission.manifest, submission.commitment)
        assert report.answers == ANSWERS
        for entry, outgoing in zip(report.attachments, (PAPER, PICTURE), strict=True):
            assert (entry.name, entry.stripped) == (outgoing.name, outgoing.stripped)
            assert open_attachment(submission.files[entry.file], entry, thread) == outgoing.data


def test_the_reporter_comes_back_with_the_code_alone(rng):
    digits = new_code(rng.randbytes)
    submission = sealed(receipt_digits=digits)
    secrets = derive(digits, ACME.charter.realm)
    state = open_state(submission.files["state.age"], secrets)
    assert state.thread == ThreadState(
        submission.manifest.submission,
        submission.manifest_hash,
        ACME.charter.hash,
        (),
        ThreadKeys(0, thread_of(submission).recipient(), secrets.message_mac),
    )
    assert (state.realm, state.charter_number, state.newest_charter) == (ACME.charter.realm, 1, ACME.charter.hash)
    with pytest.raises(NotARecipientError):
        open_state(submission.files["state.age"], ACME.mailbox)
    with pytest.raises(NotARecipientError):
        open_report(submission.files["report.age"], secrets.identity)


def test_an_excluded_member_holds_no_stanza():
    submission = sealed(exclude=["registrar"])
    with pytest.raises(NotARecipientError):
        thread_of(submission, "registrar")
    thread_of(submission, "chair")


def test_a_member_who_has_left_holds_no_stanza():
    *others, former = ACME.charter.members
    charter = replace(ACME.charter, members=(*others, replace(former, roles=("legal",))))
    thread_of(sealed(charter=charter), "former")
    with pytest.raises(NotARecipientError):
        thread_of(sealed(charter=charter, today=date(2026, 7, 1)), "former")


def test_members_who_see_no_content_by_their_roles_hold_no_stanza():
    registrar, *others = ACME.charter.members
    for roles in (("auditor",), ("administrator", "auditor"), ()):
        charter = replace(ACME.charter, members=(replace(registrar, roles=roles), *others))
        assert registrar.recipient not in grant_recipients(charter, TODAY)
    charter = replace(ACME.charter, members=(replace(registrar, roles=("administrator", "triage")), *others))
    assert registrar.recipient in grant_recipients(charter, TODAY)


def test_a_grant_does_not_tell_that_somebody_was_excluded():
    plain, excluding = sealed(), sealed(exclude=["registrar", "former"])
    assert len(plain.files["grant.age"]) == len(excluding.files["grant.age"])
    for submission in (plain, excluding):
        assert len(check_sealed_prefix(submission.files["grant.age"]).stanzas) == ACME.charter.slots


@pytest.mark.parametrize("offices", [1, 2])
def test_urgency_is_for_the_offices_alone_and_of_one_size_whatever_it_says(offices):
    other = PqIdentity.from_seed(bytes(32))
    urgency = (*ACME.charter.urgency, other.recipient())[:offices]
    charter = replace(ACME.charter, urgency=urgency)
    submissions = [(level, sealed(charter=charter, urgency=level)) for level in LEVELS]
    assert len({len(submission.files["urgency.age"]) for _, submission in submissions}) == 1
    for level, submission in submissions:
        data, name = submission.files["urgency.age"], submission.manifest.submission
        assert len(check_sealed_prefix(data).stanzas) == offices
        assert open_urgency(data, ACME.identities["office"], name) == level
        for who in ("chair", "registrar", "reserve", "thread", "S"):
            with pytest.raises(NotARecipientError):
                open_urgency(data, ACME.identities[who], name)


def test_urgency_of_one_submission_serves_for_no_other():
    urgent, other = sealed(urgency="now"), sealed()
    with pytest.raises(AuthenticationError):
        open_urgency(urgent.files["urgency.age"], ACME.identities["office"], other.manifest.submission)


def test_the_place_of_a_stanza_tells_nothing():
    """In 24 shuffles of 6 slots, a recipient that always stood at one place would be found at that place alone."""
    chair = ACME.identities["chair"].recipient()
    places = {grant_recipients(ACME.charter, TODAY).index(chair) for _ in range(24)}
    assert len(places) > 1


def test_a_report_that_no_member_could_read_is_not_sealed():
    with pytest.raises(MalformedError):
        sealed(exclude=["registrar", "chair", "former"])
    with pytest.raises(MalformedError):
        sealed(exclude=["nobody"])


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"today": date(2028, 1, 1)}, NotInForceError),
        ({"language": "<b>"}, MalformedError),
        ({"sealed_by": "fax"}, MalformedError),
        ({"answers": {}}, MalformedError),
        ({"answers": {**ANSWERS, "situation": "ELSEWHERE"}}, MalformedError),
        ({"answers": {**ANSWERS, "unasked": "x"}}, MalformedError),
        ({"attachments": [PICTURE] * 9}, LimitError),
        ({"attachments": [replace(PICTURE, name="../picture.jpg")]}, MalformedError),
        ({"answers": {"story": "x" * (1024 * 1024)}}, LimitError),
    ],
)
def test_what_a_reader_would_refuse_is_not_sealed(changes, error):
    with pytest.raises(error):
        sealed(**changes)


def test_an_attachment_larger_than_the_charter_allows_is_not_sealed():
    limits = replace(ACME.charter.limits, attachment_bytes=4)
    charter = ACME.sign_charter(make_charter(replace(ACME.charter, limits=limits)))
    with pytest.raises(LimitError):
        sealed(charter=charter, attachments=[replace(PICTURE, data=b"12345")])


def test_two_submissions_have_nothing_in_common_but_the_mailbox():
    first, second = sealed(), sealed()
    assert first.manifest.submission != second.manifest.submission
    assert not set(first.files.values()) & set(second.files.values())
    assert first.commitment != second.commitment


def test_lengths_do_not_follow_what_was_written():
    short, long = sealed(answers={"story": "x"}), sealed(answers={"story": "x" * 9000})
    sizes = [[len(data) for data in submission.files.values()] for submission in (short, long)]
    assert sizes[0] == sizes[1]


def test_a_bundle_carries_the_submission():
    submission = sealed(attachments=[PAPER])
    reader = BundleReader()
    events = reader.feed(submission.bundle())
    reader.finish()
    assert [event.name for event in events if isinstance(event, FileEnd)] == list(submission.files)


def test_a_report_with_other_files_than_its_own_is_found_out():
    ours, theirs = sealed(attachments=[PAPER]), sealed(attachments=[PAPER])
    report = report_of(ours)
    check_report(report, ours.manifest, ours.commitment)
    other_attachment = replace(ours.manifest, files=(*ours.manifest.files[:2], theirs.manifest.files[2]))
    for manifest in (theirs.manifest, other_attachment, replace(ours.manifest, charter="00" * 32)):
        with pytest.raises(ProofError):
            check_report(report, manifest)
    with pytest.raises(ProofError):
        check_report(report, ours.manifest, theirs.commitment)


def test_files_sealed_to_other_kinds_of_recipients_are_refused():
    """A member's key is never tried on a header that a stranger made of weaker stanzas."""
    weak = X25519Identity(b"w" * 32)
    thread = PqIdentity.generate()
    for data in (seal(b"x", [weak.recipient()]), b"plain text"):
        with pytest.raises(MalformedError):
            open_grant(data, [ACME.identities["chair"]])
        with pytest.raises(MalformedError):
            open_report(data, thread)
        with pytest.raises(MalformedError):
            open_attachment(data, report_of(sealed(attachments=[PAPER])).attachments[0], thread)


def test_a_report_with_another_padding_is_refused():
    submission = sealed()
    thread = thread_of(submission)
    content = report_of(submission).encode()
    for padded in (pad_document(content, 32_768), pad_document(content, 16_384) + b"\0", content):
        with pytest.raises((MalformedError, LimitError)):
            open_report(seal(padded, [thread.recipient()]), thread)


def test_what_the_commission_seals_to_a_mailbox_is_no_state():
    """S travels inside the report; the key of the MAC does not."""
    submission = sealed()
    report = report_of(submission)
    assert report.mailbox == ACME.mailbox.identity.recipient()
    keys = ThreadKeys(0, PqIdentity.generate().recipient(), report.message_mac)
    thread = ThreadState(report.submission, submission.manifest_hash, ACME.charter.hash, (), keys)
    forged = State(ACME.charter.realm, thread, 1, ACME.charter.hash)
    data = seal(pad_document(forged.encode(report.message_mac), STATE_SIZE), [report.mailbox])
    with pytest.raises(AuthenticationError):
        open_state(data, ACME.mailbox)
    assert open_state(seal_state(forged, ACME.mailbox), ACME.mailbox) == forged


def test_any_flipped_bit_of_a_sealed_attachment_is_found():
    submission = sealed(attachments=[PAPER])
    thread, entry = thread_of(submission), report_of(submission).attachments[0]
    data = submission.files[entry.file]
    for position in (0, 30, 1000, 1650, 1700, 20_000, len(data) - 1):
        altered = bytearray(data)
        altered[position] ^= 1
        with pytest.raises(CryptoError):
            open_attachment(bytes(altered), entry, thread)
    with pytest.raises(CryptoError):
        open_attachment(data[:-1], entry, thread)
    with pytest.raises(CryptoError):
        open_attachment(data + b"\0", entry, thread)


def test_an_attachment_sealed_again_is_not_the_one_that_was_sent():
    """Anyone who opened the thread could seal another file to it: the report names the hash of the sealed bytes."""
    submission = sealed(attachments=[PAPER])
    thread, entry = thread_of(submission), report_of(submission).attachments[0]
    again = seal(PAPER.data.ljust(padded_attachment_size(len(PAPER.data)), b"\0"), [thread.recipient()])
    with pytest.raises(AuthenticationError):
        open_attachment(again, entry, thread)
    honest = replace(entry, sealed_sha256=hashlib.sha256(again).hexdigest())
    assert open_attachment(again, honest, thread) == PAPER.data


@pytest.mark.parametrize("padding", [b"", b"\0", b"\1"])
def test_an_attachment_with_another_padding_is_refused(padding):
    thread = PqIdentity.generate()
    size = padded_attachment_size(5) - (5 if padding == b"\1" else 4)
    data = seal(b"paper" + padding * size, [thread.recipient()])
    entry = replace(
        report_of(sealed(attachments=[replace(PAPER, data=b"paper")])).attachments[0],
        sealed_sha256=hashlib.sha256(data).hexdigest(),
    )
    with pytest.raises(MalformedError):
        open_attachment(data, entry, thread)


def test_a_source_of_another_length_than_announced_is_refused():
    for size in (4, 6):
        draft = AttachmentDraft(1, "paper.pdf", "application/pdf", size, bytes(32), stripped=False)
        with pytest.raises(MalformedError):
            seal_attachment_stream(io.BytesIO(b"paper"), io.BytesIO(), PqIdentity.generate().recipient(), draft)


def test_an_attachment_too_large_is_refused_before_it_is_read():
    draft = AttachmentDraft(1, "film.mp4", "video/mp4", ATTACHMENT_SEALED_MAX + 1, bytes(32), stripped=False)
    with pytest.raises(LimitError):
        seal_attachment_stream(io.BytesIO(), io.BytesIO(), PqIdentity.generate().recipient(), draft)


def test_attachments_are_sealed_and_opened_in_constant_memory(tmp_path):
    size = 24 * 1024 * 1024
    plain, locked, opened = (tmp_path / name for name in ("plain", "locked", "opened"))
    plain.write_bytes(bytes(range(256)) * (size // 256))
    thread = PqIdentity.generate()
    draft = AttachmentDraft(1, "film.mp4", "video/mp4", size, bytes(32), stripped=False)
    tracemalloc.start()
    try:
        with plain.open("rb") as source, locked.open("wb") as sink:
            entry, line = seal_attachment_stream(source, sink, thread.recipient(), draft)
        with locked.open("rb") as source, opened.open("wb") as sink:
            open_attachment_stream(source, sink, entry, thread)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 6 * 1024 * 1024
    assert line.size == locked.stat().st_size
    assert opened.read_bytes() == plain.read_bytes()


ANSWER = (
    st.text(st.characters(exclude_categories=["Cs"]))
    | st.lists(st.text("ABC-", min_size=1), unique=True, max_size=5).map(tuple)
    | st.builds(
        PartialDate,
        year=st.none() | st.integers(1, 9999),
        month=st.none() | st.integers(1, 12),
        day=st.none() | st.integers(1, 31),
        about=st.booleans(),
    )
)


@given(st.dictionaries(st.from_regex(r"[a-z][a-z0-9-]{0,30}", fullmatch=True), ANSWER, max_size=6))
@settings(max_examples=60, deadline=None)
def test_answers_to_any_question_are_read_back_the_same(answers):
    assert read_answers(answers_value(answers)) == answers


def test_grants_have_one_length():
    sizes = {len(Grant(f"{number:032x}", PqIdentity.generate()).encode()) for number in range(8)}
    assert len(sizes) == 1


def test_a_reserve_that_was_recombined_opens_what_no_member_can():
    submission = sealed()
    data = submission.files["grant.age"]
    assert open_grant(data, [ACME.identities["stranger"], ACME.identities["reserve"]]).subject == (
        submission.manifest.submission
    )
    with pytest.raises(NotARecipientError):
        open_grant(data, [ACME.identities["stranger"]])


def test_a_grant_too_large_is_refused_before_it_is_opened():
    with pytest.raises(LimitError):
        open_grant(b"x" * (256 * 1024 + 1), [ACME.identities["chair"]])


def test_no_error_or_repr_shows_what_a_reporter_wrote():
    submission = sealed(answers={"story": "canary-story"}, attachments=[replace(PAPER, name="canary-name.pdf")])
    report = report_of(submission)
    grant = open_grant(submission.files["grant.age"], [ACME.identities["chair"]])
    shown = repr((submission, report, grant, PAPER))
    for secret in ("canary", str(grant.identity), report.message_mac.hex(), report.leaf_nonce.hex(), "%PDF"):
        assert secret not in shown
    value = json.loads(report.encode())
    value["answers"]["canary-question"] = {"canary-member": 1}
    with pytest.raises(MalformedError) as caught:
        read_answers(value["answers"])
    assert "canary" not in str(caught.value)


def test_a_charter_may_have_as_many_slots_as_are_allowed():
    charter: Charter = ACME.sign_charter(make_charter(replace(ACME.charter, slots=64)))
    data = seal_grant(Grant("00" * 16, ACME.identities["R"]), grant_recipients(charter, TODAY))
    assert len(check_sealed_prefix(data).stanzas) == 64
    assert open_grant(data, [ACME.identities["reserve"]]).identity == ACME.identities["R"]


def test_hidden_details_count_as_kept_unless_it_is_said_that_they_were_removed():
    assert not OutgoingAttachment("paper.pdf", "application/pdf", b"").stripped


def test_as_many_and_as_large_attachments_as_the_charter_allows_are_sealed():
    limits = replace(ACME.charter.limits, attachments=2, attachment_bytes=4)
    charter = ACME.sign_charter(make_charter(replace(ACME.charter, limits=limits)))
    largest = replace(PICTURE, data=b"1234")
    submission = sealed(charter=charter, attachments=[largest, largest])
    assert len(submission.manifest.attachments) == 2
    with pytest.raises(LimitError):
        sealed(charter=charter, attachments=[largest] * 3)


def test_what_travels_is_named_by_its_hash_and_not_printed():
    submission = sealed()
    assert submission.manifest_hash == hashlib.sha256(submission.manifest_bytes).hexdigest()
    assert "age-encryption" not in repr(submission)
    assert "manifest_bytes" not in repr(submission)


def test_the_state_names_thread_charter_and_submission():
    submission = sealed()
    state = open_state(submission.files["state.age"], ACME.mailbox)
    thread = state.thread
    assert (thread.charter, thread.submission) == (ACME.charter.hash, submission.manifest.submission)
    assert thread.manifest == submission.manifest_hash


def test_report_and_state_name_whom_the_report_is_kept_from():
    """In rising order, so that the order in which the reporter chose tells nothing."""
    submission = sealed(exclude=["registrar", "former"])
    assert report_of(submission).excluded == ("former", "registrar")
    assert open_state(submission.files["state.age"], ACME.mailbox).thread.excluded == ("former", "registrar")


def test_a_report_of_another_mailbox_than_the_manifest_is_found_out():
    submission = sealed()
    other = derive(new_code(lambda size: bytes(range(size))), ACME.charter.realm)
    report = report_of(submission)
    for changes in ({"mailbox": other.recipient}, {"control": other.control}):
        with pytest.raises(ProofError, match="mailbox"):
            check_report(replace(report, **changes), submission.manifest)


def test_the_length_of_a_state_does_not_follow_what_was_sent():
    plain, fuller = sealed(), sealed(exclude=["registrar", "former"], attachments=[PAPER])
    assert len(plain.files["state.age"]) == len(fuller.files["state.age"]) == 18_043

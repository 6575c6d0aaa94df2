# SPDX-License-Identifier: AGPL-3.0-or-later
"""A finding being written: the fields of the form, stored sealed under the member's index key.

It becomes a revision, sealed to the case, when the member says so; until then nobody else sees it.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from itertools import zip_longest

import msgspec

from crypto.errors import CryptoError, ProofError
from crypto.finding import Finding, FindingDraft, Recommendation, Section, check_correction
from crypto.ids import CaseId, CharterHash, FindingId, MemberLabel
from crypto.taxonomy import CORRECTION, FIRST, STANDARD_USUAL, STATUS_OPEN, UPDATE
from oversight.findings.records import FindingDraftRecord
from oversight.members.sealed_draft import open_draft, seal_draft
from oversight.members.sessions import OpenSession
from oversight.web.forms import Form
from portal.kit.database import forget_deleted

KIND = "finding-draft"


@dataclass(frozen=True)
class WrittenSection:
    heading: str = ""
    text: str = ""


@dataclass(frozen=True)
class WrittenRecommendation:
    addressee: str = ""
    text: str = ""
    status: str = STATUS_OPEN
    due: str = ""


@dataclass(frozen=True)
class Written:
    """The fields as they were typed. ``base`` is the revision that the member saw when the writing began."""

    base: int
    language: str = "en"
    title: str = field(default="", repr=False)
    summary: str = field(default="", repr=False)
    sections: tuple[WrittenSection, ...] = (WrittenSection(),)
    quarter: str = ""
    jurisdictions: str = ""
    codes: tuple[str, ...] = ()
    further_codes: str = ""
    standard: str = STANDARD_USUAL
    grade: str = ""
    recommendations: tuple[WrittenRecommendation, ...] = ()
    reply: str = field(default="", repr=False)
    dissent: str = field(default="", repr=False)
    reason: str = field(default="", repr=False)


@dataclass(frozen=True)
class Place:
    """Where a revision belongs: what the member does not write."""

    id: FindingId
    slug: str
    charter: CharterHash
    day: date
    author: MemberLabel
    previous: Finding | None = None


def written_of(draft: FindingDraft, base: int, known_codes: Sequence[str]) -> Written:
    """The fields for going on with a revision. A reason belongs to one revision and is not taken along."""
    return Written(
        base=base,
        language=draft.language,
        title=draft.title,
        summary=draft.summary,
        sections=tuple(WrittenSection(each.heading, each.text) for each in draft.sections),
        quarter=draft.quarter or "",
        jurisdictions=" ".join(draft.jurisdictions),
        codes=tuple(code for code in draft.codes if code in known_codes),
        further_codes=" ".join(code for code in draft.codes if code not in known_codes),
        standard=draft.standard or "",
        grade=draft.grade or "",
        recommendations=tuple(
            WrittenRecommendation(each.addressee, each.text, each.status, each.due or "")
            for each in draft.recommendations
        ),
        reply=draft.reply or "",
        dissent=draft.dissent or "",
    )


def read_written(form: Form) -> Written:
    """Return the draft of a posted form."""
    base = form.text("base")
    sections = zip_longest(form.texts("section_heading"), form.texts("section_text"), fillvalue="")
    recommendations = zip_longest(
        *(form.texts(f"recommendation_{name}") for name in ("addressee", "text", "status", "due")), fillvalue=""
    )
    return Written(
        base=int(base) if re.fullmatch(r"[0-9]{1,6}", base) else 0,
        language=form.text("language"),
        title=" ".join(form.text("title").split()),
        summary=form.text("summary"),
        sections=tuple(WrittenSection(" ".join(heading.split()), text.strip()) for heading, text in sections),
        quarter=form.text("quarter"),
        jurisdictions=form.text("jurisdictions"),
        codes=tuple(form.texts("codes")),
        further_codes=form.text("further_codes"),
        standard=form.text("standard"),
        grade=form.text("grade"),
        recommendations=tuple(
            WrittenRecommendation(" ".join(addressee.split()), text.strip(), status or STATUS_OPEN, due.strip())
            for addressee, text, status, due in recommendations
        ),
        # The authority's words stay as they came.
        reply=form.text("reply"),
        dissent=form.text("dissent"),
        reason=form.text("reason"),
    )


def change_parts(written: Written, action: str) -> Written:
    """Add or take away a section or a recommendation: ``add-section``, ``remove-recommendation-2``."""
    if action == "add-section":
        return replace(written, sections=(*written.sections, WrittenSection()))
    if action == "add-recommendation":
        return replace(written, recommendations=(*written.recommendations, WrittenRecommendation()))
    match = re.fullmatch(r"remove-(section|recommendation)-([1-9][0-9]{0,2})", action)
    if match is None:
        return written
    gone = int(match[2]) - 1
    if match[1] == "section":
        return replace(written, sections=tuple(each for at, each in enumerate(written.sections) if at != gone))
    kept = tuple(each for at, each in enumerate(written.recommendations) if at != gone)
    return replace(written, recommendations=kept)


def to_draft(written: Written, place: Place) -> FindingDraft:
    """What the revision says. *Not* checked: that a reader would take it (``crypto.finding.make_finding``)."""
    previous = place.previous
    draft = FindingDraft(
        id=place.id,
        slug=place.slug,
        charter=place.charter,
        revision=1 if previous is None else previous.revision + 1,
        previous=None if previous is None else previous.hash,
        kind=FIRST if previous is None else CORRECTION,
        reason=None if previous is None else written.reason,
        day=place.day,
        language=written.language,
        title=written.title,
        summary=written.summary,
        sections=tuple(Section(each.heading, each.text) for each in written.sections if each.heading or each.text),
        quarter=written.quarter or None,
        jurisdictions=_codes(written.jurisdictions),
        codes=tuple(dict.fromkeys((*written.codes, *_codes(written.further_codes)))),
        standard=written.standard or None,
        grade=written.grade or None,
        recommendations=tuple(
            Recommendation(number, each.addressee, each.text, each.status, each.due or None)
            for number, each in enumerate((each for each in written.recommendations if each.addressee or each.text), 1)
        ),
        reply=written.reply or None,
        dissent=written.dissent or None,
        author=place.author,
    )
    return draft if previous is None else _named(previous, draft)


def _named(previous: Finding, draft: FindingDraft) -> FindingDraft:
    """An update where it is no more than one: what became of the recommendations, what the authority replied."""
    update = replace(draft, kind=UPDATE)
    try:
        check_correction(previous, update)
    except ProofError:
        return draft
    return update


def _codes(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(text.upper().replace(",", " ").split()))


async def load_written(session: OpenSession, case_id: CaseId) -> Written | None:
    """What the member was writing; what does not open is as good as nothing."""
    record = await FindingDraftRecord.get_or_none(member=session.member.label, case=case_id)
    if record is None:
        return None
    try:
        return msgspec.json.decode(open_draft(session, KIND, case_id, bytes(record.sealed)), type=Written)
    except (CryptoError, msgspec.DecodeError):
        return None


async def save_written(session: OpenSession, case_id: CaseId, written: Written) -> None:
    """Keep it in place of what was there."""
    sealed = seal_draft(session, KIND, case_id, msgspec.json.encode(written))
    await FindingDraftRecord.update_or_create({"sealed": sealed}, member=session.member.label, case=case_id)


async def discard_written(session: OpenSession, case_id: CaseId) -> None:
    await FindingDraftRecord.filter(member=session.member.label, case=case_id).delete()
    await forget_deleted()


def public_texts(written: Written) -> Iterator[tuple[str, str]]:
    """The fields whose text everyone will read, by their ids on the page."""
    for name in ("reason", "title", "summary"):
        yield name, getattr(written, name)
    for number, section in enumerate(written.sections, 1):
        yield f"section_heading-{number}", section.heading
        yield f"section_text-{number}", section.text
    for number, each in enumerate(written.recommendations, 1):
        yield f"addressee-{number}", each.addressee
        yield f"recommended-{number}", each.text
    yield "reply", written.reply
    yield "dissent", written.dissent


def problems(written: Written, *, correcting: bool) -> Mapping[str, str]:
    """Which fields a member has to look at again before the text can be a revision, with a code for each."""
    found = {}
    if not written.title:
        found["title"] = "title"
    if not written.summary:
        found["summary"] = "summary"
    if not re.fullmatch(r"[0-9]{4}-Q[1-4]", written.quarter):
        found["quarter"] = "quarter"
    if not written.grade:
        found["grade"] = "choose"
    if not written.standard:
        found["standard"] = "choose"
    if correcting and not written.reason:
        found["reason"] = "reason"
    for number, section in enumerate(written.sections, 1):
        if bool(section.heading) != bool(section.text):
            found[f"section-{number}"] = "section"
    for number, each in enumerate(written.recommendations, 1):
        if bool(each.addressee) != bool(each.text):
            found[f"recommendation-{number}"] = "recommendation"
        elif each.due and not re.fullmatch(r"[0-9]{4}-Q[1-4]", each.due):
            found[f"recommendation-{number}"] = "quarter"
    return found

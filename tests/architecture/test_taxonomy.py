# SPDX-License-Identifier: AGPL-3.0-or-later
"""Codes stand once, in crypto/taxonomy.py, and each is called something by every program that shows it."""

import ast
import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

import pytest

from crypto import taxonomy
from crypto.charter import ROLES
from oversight.cases import labels as case_labels
from oversight.findings import labels as finding_labels
from oversight.reports import labels as report_labels
from oversight.web.rendering import LOCALE as OFFICE
from oversight.web.role_labels import role_name
from oversight.workflow.rules import STATES, TRANSITIONS
from portal.kit.i18n import LOCALES, load_translation
from portal.pages.build import DOMAIN, LOCALE
from portal.register.labels import labels as register_labels
from portal.register.subjects import subjects

ROOT = Path(__file__).resolve().parents[2]
# Labels say what codes are called, so that they hold every code once more.
LABELS = {"labels.py", "subjects.py", "role_labels.py"}
LISTS = {
    name: codes
    for name, codes in vars(taxonomy).items()
    if name.isupper() and isinstance(codes, tuple) and len(codes) >= 3 and not name.endswith("_PREFIXES")
}
PREFIXES = re.compile(r"(?:EXT|INV|RET|UR|FN|SP|CO)-(?:[A-Z]|$)")
QUESTIONNAIRE = json.loads((ROOT / "oversight/questionnaires/default.json").read_text("utf-8"))
ASKED = {
    option["code"]
    for panel in QUESTIONNAIRE["panels"]
    for question in panel["questions"]
    for option in question.get("options", [])
}


@cache
def sources() -> tuple[tuple[str, ast.AST], ...]:
    return tuple(
        (path.relative_to(ROOT).as_posix(), ast.parse(path.read_text("utf-8")))
        for package in ("crypto", "portal", "oversight")
        for path in sorted((ROOT / package).rglob("*.py"))
        if path.name not in LABELS and path != ROOT / "crypto/taxonomy.py"
    )


def second_lists(tree: ast.AST) -> Iterator[str]:
    """The names of the taxonomy's lists of which three members or more stand in one literal."""
    for node in ast.walk(tree):
        match node:
            case ast.Tuple() | ast.List() | ast.Set():
                items = node.elts
            case ast.Dict():
                items = [key for key in node.keys if key is not None]
            case ast.Subscript(slice=ast.Tuple() as slice_):
                items = slice_.elts
            case _:
                continue
        written = {item.value for item in items if isinstance(item, ast.Constant)}
        yield from (name for name, codes in LISTS.items() if len(written & set(codes)) >= 3)


def prefixed(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and PREFIXES.match(node.value):
            yield node.value


def test_no_list_of_codes_stands_a_second_time() -> None:
    assert [(path, name) for path, tree in sources() for name in second_lists(tree)] == []


def test_no_code_with_a_prefix_stands_outside_the_taxonomy() -> None:
    assert [(path, code) for path, tree in sources() for code in prefixed(tree)] == []


@pytest.mark.parametrize(
    "text",
    [
        'STATUSES = ("open", "partly", "implemented")',
        'SHAPES = {"FN-SUBST": 1, "FN-PARTLY": 2, "FN-INCONCL": 3}',
        'Outcome = Literal["pass", "warn", "block"]',
    ],
)
def test_a_second_list_would_be_found(text: str) -> None:
    assert set(second_lists(ast.parse(text)))


def test_what_the_questionnaire_asks_of_urgency_and_consents_is_in_the_taxonomy() -> None:
    assert {code for code in ASKED if code.startswith(taxonomy.URGENCY_PREFIX)} <= set(taxonomy.URGENCY)
    consents = {taxonomy.CONSENT_CASE, taxonomy.CONSENT_STATISTICS, *taxonomy.PUBLICATION_CONSENTS}
    questions = {question["id"] for panel in QUESTIONNAIRE["panels"] for question in panel["questions"]}
    assert consents <= ASKED
    assert questions >= {
        taxonomy.QUESTION_WHAT,
        taxonomy.QUESTION_PLACE,
        taxonomy.QUESTION_AUTHORITY,
        taxonomy.QUESTION_CONSENTS,
    }


@pytest.mark.parametrize("locale", LOCALES)
def test_every_code_has_a_label_in_the_portal(locale: str) -> None:
    translation = load_translation(LOCALE, DOMAIN, locale)
    called = register_labels(translation)
    assert set(called.grades) == set(taxonomy.GRADES)
    assert set(called.standards) == set(taxonomy.STANDARDS)
    assert set(called.statuses) == set(taxonomy.RECOMMENDATION_STATUSES)
    assert set(called.kinds) == set(taxonomy.FINDING_KINDS)
    assert taxonomy.NO_COUNTRY in called.places
    assert {code for code in ASKED if code.startswith(taxonomy.SUBJECT_PREFIXES)} <= set(subjects(translation.gettext))
    assert all(code.startswith(taxonomy.SUBJECT_PREFIXES) for code in called.subjects)


def test_every_grade_and_status_has_a_shape_in_the_register() -> None:
    marks = (ROOT / "portal/templates/register/marks.html").read_text("utf-8")
    shapes = [set(re.findall(r'"([\w-]+)":', line)) for line in re.findall(r"set shapes = (.*)", marks)]
    assert shapes == [set(taxonomy.GRADES), set(taxonomy.RECOMMENDATION_STATUSES)]


def test_every_code_has_a_label_in_the_office() -> None:
    # A code that has no label is shown as it is; in English some labels are the same word as their code.
    translation = load_translation(OFFICE, "oversight", "ar")
    tables: list[tuple[Mapping[str, str], tuple[str, ...]]] = [
        (finding_labels.grade_labels(translation), taxonomy.GRADES),
        (finding_labels.standard_labels(translation), taxonomy.STANDARDS),
        (finding_labels.kind_labels(translation), taxonomy.FINDING_KINDS),
        (case_labels.recommendation_status_labels(translation), taxonomy.RECOMMENDATION_STATUSES),
        (case_labels.party_role_labels(translation), taxonomy.PARTY_ROLES),
        (case_labels.state_labels(translation), STATES),
    ]
    for labels, codes in tables:
        assert tuple(labels) == codes
    assert taxonomy.NO_COUNTRY in report_labels.country_labels(translation)
    grounds = tuple(ground for row in TRANSITIONS for ground in row.grounds)
    functions = [
        (report_labels.urgency_label, taxonomy.URGENCY),
        (report_labels.sealed_by_label, taxonomy.SEALED_BY),
        (case_labels.outcome_label, taxonomy.OUTCOMES),
        (case_labels.ground_label, grounds),
        (role_name, ROLES),
    ]
    assert [code for label, codes in functions for code in codes if label(code, translation) == code] == []

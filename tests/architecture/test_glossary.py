# SPDX-License-Identifier: AGPL-3.0-or-later
"""One word per thing: what a class or a room is called is in docs/glossary.md, or is plain English."""

import ast
import re
from pathlib import Path

import pytest

from crypto import event_types
from tests.architecture.rooms import PROGRAMS, read_tables
from tests.conftest import ROOT

CAMEL = re.compile(r"[A-Z][a-z0-9]+|[A-Z0-9]+(?![a-z])")

# Words that mean here what they mean everywhere. A word of this house goes into the glossary instead.
PLAIN = {
    "things": """account action admission answer attempt authentication byte closing conflict counter credential data
        date day derivation disk download effort end fact file garbage history info item kind level limit line link main
        match mismatch name order origin pace parameter patience phase place problem progress proof rule security sink
        source start step text value""",
    "who or what does": """builder client database endpoint filter formatter maker reader receiver server store
        stranger writer""",
    "how something is": """accepted asked broken busy changed closed compressed cross due duplicate failed folded
        founded full hashed kept known large limited live local locked long lost made malformed missing named null
        other partial planned possible quiet readable received refused required retried sent shared shown spent split
        stored taken unfinished unreachable unread unreadable unwritable used verified waiting withheld written
        wrong""",
    "small words": "ahead apart away connection content found in login making must no not read such too wait write",
    "the field's": "app body crypto force header http log pq process protocol request s3 web x25519",
}
# The names of the types of events are those of docs/protocol.md §13.2.
EVENTS = {word.lower() for name in vars(event_types) for word in CAMEL.findall(name)}


def singular(word: str) -> str:
    word = word.lower()
    if word.endswith("ies"):
        return word[:-3] + "y"
    for ending in ("xes", "sses"):
        if word.endswith(ending):
            return word[:-2]
    return word[:-1] if word.endswith("s") and not word.endswith("ss") else word


def glossary() -> set[str]:
    """Every word of the first column."""
    text = (ROOT / "docs/glossary.md").read_text(encoding="utf-8")
    terms = [line.split("|")[1] for line in text.splitlines() if line.startswith("| ")]
    return {singular(word) for term in terms for word in re.findall(r"[A-Za-z]+", term)}


def plain() -> set[str]:
    return {word for words in PLAIN.values() for word in words.split()}


def class_words(root: Path) -> dict[str, str]:
    """The words of the public classes' names, and a class that has each; classes within classes are left aside."""
    found: dict[str, str] = {}
    for program in PROGRAMS:
        for path in sorted((root / program).rglob("*.py")):
            for node in ast.parse(path.read_text(encoding="utf-8")).body:
                if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                    found.update(dict.fromkeys(map(singular, CAMEL.findall(node.name)), node.name))
    return found


def unexplained(words: set[str]) -> set[str]:
    return words - glossary() - plain() - {singular(word) for word in EVENTS}


def test_what_a_class_is_called_is_in_the_glossary_or_plain_english() -> None:
    words = class_words(ROOT)
    assert len(words) > 150
    assert {word: words[word] for word in unexplained(set(words))} == {}


def test_what_a_room_is_called_is_in_the_glossary_or_plain_english() -> None:
    rooms = {room for table in read_tables(ROOT).values() for room in table}
    assert unexplained({singular(word) for room in rooms for word in re.findall(r"[a-z]+", room)}) == set()


def test_a_word_that_nobody_has_explained_is_found(tmp_path: Path) -> None:
    for program in PROGRAMS:
        (tmp_path / program).mkdir()
    (tmp_path / "portal/planted.py").write_text("class GrommetRecord:\n    class Meta:\n        pass\n")
    assert unexplained(set(class_words(tmp_path))) == {"grommet"}


def test_no_word_is_explained_and_called_plain() -> None:
    assert plain() & glossary() == set()


@pytest.mark.parametrize(("word", "one"), [("Mailboxes", "mailbox"), ("Entries", "entry"), ("Pages", "page")])
def test_words_are_looked_up_in_the_singular(word: str, one: str) -> None:
    assert singular(word) == one

# SPDX-License-Identifier: AGPL-3.0-or-later
"""Names of downloads: whatever a stranger calls a file, it can be kept under a name that nothing takes for another."""

import re
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from oversight.reports.download import content_disposition
from oversight.reports.file_names import NAME_BYTES_MAX, safe_name, shown_name

# https://learn.microsoft.com/windows/win32/fileio/naming-a-file
WINDOWS_DEVICE = re.compile(r"(con|prn|aux|nul|(com|lpt)[0-9¹²³])( *\..*)?", re.IGNORECASE)
SEPARATORS = "/\\:\u2044\u2215\u2216\u29f5\u29f8\ufe68\uff0f\uff3c"
ODD = "con|NUL|com¹|LPT9|aux|.|..| |-|=|+|@|~|\t|/|\\|exe|.pdf|é|文|ا"
UNSEEN = ("|", "\u202e", "\u200b", "\U0001f600", "\u0301", "\ud800", "\0", "\u3164", "\uff0f")
PIECES = st.sampled_from((*ODD.split("|"), *UNSEEN, "x" * 90, "文" * 90))
NAMES = st.one_of(st.lists(PIECES, max_size=9).map("".join), st.text(max_size=300))


@given(NAMES)
@example("CON" + "." + "x" * 250)
def test_a_name_can_be_kept_everywhere_and_is_taken_for_nothing_else(name: str) -> None:
    safe = safe_name(name)
    assert 0 < len(safe.encode()) <= NAME_BYTES_MAX
    assert not set(safe) & set(SEPARATORS + '*?"<>|')
    assert not any(unicodedata.category(char)[0] == "C" for char in safe), "nothing that is not seen, nor a direction"
    assert safe[0] not in " .-=+@~" and safe[-1] not in " ."
    assert WINDOWS_DEVICE.fullmatch(safe) is None
    assert safe_name(safe) == safe


@given(st.text(st.characters(codec="utf-8", categories=["L", "N"], exclude_characters="\u3164\uffa0\u115f\u1160")))
def test_the_ending_survives_whatever_stands_before_it(name: str) -> None:
    assert safe_name(f"{name}.tar.gz").endswith(".gz")
    assert safe_name(f"{'文' * 300}{name}.pdf").endswith("文.pdf")


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("clinic note.txt", "clinic note.txt"),
        ("صورة من العيادة.jpg", "صورة من العيادة.jpg"),
        ("O’Neil & sons, 50 %.pdf", "O’Neil & sons, 50 %.pdf"),
        ("CON", "file CON"),
        ("nul.pdf", "file nul.pdf"),
        ("NUL .tar.gz", "file NUL .tar.gz"),
        ("COM¹.txt", "file COM¹.txt"),
        ("console.txt", "console.txt"),
        ("-rf.txt", "rf.txt"),
        ("=HYPERLINK(1).csv", "HYPERLINK(1).csv"),
        ("\t@SUM(A1).csv", "SUM(A1).csv"),
        ("..\\..\\etc/passwd", "etcpasswd"),
        ("a\uff0fb\u2215c.txt", "abc.txt"),
        ("invoice\u202efdp.exe", "invoicefdp.exe"),
        (".bashrc", "bashrc"),
        ("report.pdf. . .", "report.pdf"),
        ("...", "file"),
        ("\u200b\u3164\ufe0f", "file"),
        ("", "file"),
    ],
)
def test_examples(name: str, safe: str) -> None:
    assert safe_name(name) == safe


@given(NAMES)
def test_the_header_is_one_line_of_ascii(name: str) -> None:
    header = content_disposition(name, "R-0001-1.bin")
    assert re.fullmatch(r"attachment; filename=\"R-0001-1\.bin\"; filename\*=UTF-8''[A-Za-z0-9%._~-]+", header)


def test_a_name_that_turns_its_direction_is_read_as_what_it_is() -> None:
    assert shown_name("\u202egpj.exe") == "[U+202E]gpj.exe"
    assert shown_name("a\u200b\u2066\U000e0041\ufe0f\u3164.png") == "a[U+200B][U+2066][U+E0041][U+FE0F][U+3164].png"
    assert shown_name("صورة é 文.jpg") == "صورة é 文.jpg"


@given(NAMES)
def test_nothing_that_can_not_be_seen_is_shown(name: str) -> None:
    assert not any(unicodedata.category(char)[0] == "C" for char in shown_name(name))

# SPDX-License-Identifier: AGPL-3.0-or-later
"""A name under which a stranger's file can be kept: on Windows, macOS and Linux, beside a shell and a spreadsheet.

Whoever sends a file may have left its name as it is, so it is cleaned here. It is made harmless as a
name. What the file is stays visible: the ending of ``invoice.exe`` is kept.
"""

import unicodedata

NAME_BYTES_MAX = 200
"""In UTF-8. File systems take 255; browsers add a number to a name that is there already."""
NAME_CHARS_READ = 2000
ENDING_CHARS_MAX = 12
NAMELESS = "file"
# Separators of paths and what looks like one or like a dot, and what Windows refuses.
_REFUSED = frozenset(
    '/\\:*?"<>|\u2024\u2025\u2026\u2044\u2215\u2216\u29f5\u29f8\u29f9\ufe52\ufe55\ufe68\uff0e\uff0f\uff1a\uff3c'
)
# Letters and signs without a shape, which are in no category of their own.
_UNSEEN = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
# What a name begins with makes it a hidden file, an option of a program, a home folder, or a formula.
_FIRST = " .-=+@~\uff0b\uff0d\uff1d\uff20"
_DEVICES = frozenset(
    {"con", "prn", "aux", "nul", "conin$", "conout$", "clock$"}
    | {f"{device}{number}" for device in ("com", "lpt") for number in "0123456789\u00b9\u00b2\u00b3"}
)


def safe_name(name: str) -> str:
    """The name of a file without what is not a name's; ``file`` if nothing is left. Its ending survives.

    At most NAME_BYTES_MAX bytes. A name that is safe already stays as it is.
    """
    kept = "".join(map(_kept, name[:NAME_CHARS_READ]))
    stem, ending = _divide(" ".join(kept.split()).lstrip(_FIRST).rstrip(" ."))
    if stem.partition(".")[0].rstrip().casefold() in _DEVICES:
        # Windows opens a device by this name, whatever its ending.
        stem = f"{NAMELESS} {stem}"
    stem = _cut(stem, NAME_BYTES_MAX - len(ending.encode())).rstrip(" .")
    return (stem or NAMELESS) + ending


def shown_name(name: str) -> str:
    """The name of a file as it is, for reading: what can't be seen, or turns the direction, stands there by its number.

    A name with an override of direction, ``gpj.exe`` read from its end, is not taken for a picture.
    """
    return "".join(f"[U+{ord(character):04X}]" if _is_unseen(character) else character for character in name)


def _is_unseen(character: str) -> bool:
    category = unicodedata.category(character)
    return category[0] == "C" or category in ("Zl", "Zp") or _is_selector(character) or character in _UNSEEN


def _kept(character: str) -> str:
    """The character, a space for one that divides, nothing for one that is no part of a name."""
    category = unicodedata.category(character)
    if category[0] == "Z" or character in "\t\n\r":
        return " "
    return "" if category[0] == "C" or _is_selector(character) or character in _REFUSED | _UNSEEN else character


def _is_selector(character: str) -> bool:
    return "\ufe00" <= character <= "\ufe0f" or "\U000e0100" <= character <= "\U000e01ef"


def _divide(name: str) -> tuple[str, str]:
    """The name before its ending, and the ending with its dot; of a name without one, an empty text."""
    stem, dot, ending = name.rpartition(".")
    if not dot or not stem or not 0 < len(ending) <= ENDING_CHARS_MAX:
        return name, ""
    return stem.rstrip(" ."), f".{ending}"


def _cut(text: str, size: int) -> str:
    """As much of the text as fits into so many bytes of UTF-8."""
    return text.encode("utf-8", "replace")[:size].decode("utf-8", "ignore")

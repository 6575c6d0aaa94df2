# SPDX-License-Identifier: AGPL-3.0-or-later
"""What a passphrase of one's own must be, before anything is sealed under it.

Whoever steals the database guesses at their own machines, and a guess is one Argon2id of 64 MiB in three passes
(docs/protocol.md §11). A graphics card that moves a terabyte a second makes 2,500 of them a second at the most: a
hundred such cards are busy for twelve years with 10^14 guesses.

Guesses are estimated by zxcvbn, which knows English words and names, keyboards, dates and repetitions, and no
quotations. It takes a word of any other language for random characters; so each of those counts as one of a thousand.
The parts are multiplied, and one that comes again adds nothing.
"""

import unicodedata
from collections.abc import Iterable
from math import prod
from typing import Any

from shamir_mnemonic.wordlist import WORDLIST

from crypto.errors import LimitError, MalformedError
from crypto.folding import normalize
from crypto.keyring import PASSPHRASE_BYTES_MAX, PASSPHRASE_WORDS, prepare_passphrase
from oversight.marking import N_
from oversight.web.forms import FieldError, Form

CHARS_MIN = 16
GUESSES = 10**14
"""As many guesses are too few."""
PROGRAM_NAMES = ("amparo", "oversight", "office")
WORD_GUESSES_MAX = 1000
WORD_CHARS_MAX = 12
"""Letters alone, and no more than these between two spaces, are taken for a word of some language."""
ESTIMATED_CHARS_MAX = 72
"""zxcvbn takes more than twice as long for twice the length: what comes after these characters is not counted."""
LEET = frozenset("4@8({[<369&#!1/|0$5+7%2")
LEET_KINDS_MAX = 12
"""zxcvbn tries all readings of signs that stand for letters: seconds with all 23 kinds, a tenth of one with twelve."""

TOO_SHORT = N_("The new passphrase must have at least %(count)s characters. Five or six random words are good.")
TOO_LONG = N_("The new passphrase is longer than %(count)s bytes. Five or six random words are enough.")
NOT_TEXT = N_(
    "The new passphrase has characters that are no text, or more marks on a letter than can be read. "
    "Five or six random words are good."
)
NOT_REPEATED = N_("The two new passphrases differ")
OWN = N_(
    "Too easy to guess: a name of yours or of the commission makes up much of it. Five or six random words are good."
)
FEW = N_("Too easy to guess: it has too little in it. Five or six random words are good.")
REASONS = {
    "passwords": N_("Too easy to guess: many people use passwords like it. Five or six random words are good."),
    "names": N_("Too easy to guess: a name of a person makes up much of it. Five or six random words are good."),
    "words": N_(
        "Too easy to guess: common words make up most of it, and they are few. Five or six random words are good."
    ),
    "spatial": N_("Too easy to guess: keys beside each other make up much of it. Five or six random words are good."),
    "repeat": N_("Too easy to guess: it repeats itself. Five or six random words are good."),
    "sequence": N_("Too easy to guess: it counts or spells in order. Five or six random words are good."),
    "date": N_("Too easy to guess: a date or a year makes up much of it. Five or six random words are good."),
    "user_inputs": OWN,
}
_KINDS = {
    "male_names": "names",
    "female_names": "names",
    "surnames": "names",
    "english_wikipedia": "words",
    "us_tv_and_film": "words",
    "regex": "date",
}


def check_new_passphrase(form: Form, own_words: Iterable[str]) -> list[FieldError]:
    """The errors of the fields ``new`` and ``again`` of ``passphrase_parts.html``; none if they may be taken."""
    passphrase = form.secret("new")
    if error := problem(passphrase, own_words):
        return [error]
    return [] if form.secret("again") == passphrase else [FieldError("again", NOT_REPEATED)]


def problem(passphrase: str, own_words: Iterable[str]) -> FieldError | None:
    """Why this can't be a new passphrase, as an error of the field ``new``.

    ``own_words`` are what a thief tries first: names and usernames of the member, and of the commission.
    """
    if not passphrase:
        return FieldError("new", TOO_SHORT, {"count": CHARS_MIN})
    try:
        text = prepare_passphrase(passphrase).decode("utf-8")
    except LimitError:
        return FieldError("new", TOO_LONG, {"count": PASSPHRASE_BYTES_MAX})
    except MalformedError:
        return FieldError("new", NOT_TEXT)
    if len(text) < CHARS_MIN:
        return FieldError("new", TOO_SHORT, {"count": CHARS_MIN})
    own = map(_fold, (*own_words, *PROGRAM_NAMES))
    reason = _too_easy(_fold(text), {part for word in own for part in (word, *word.split())})
    return FieldError("new", reason) if reason else None


def _too_easy(text: str, own: set[str]) -> str:
    """Why GUESSES are enough, or an empty text. Both arguments are folded. What comes again adds nothing."""
    words = text.split()
    if _is_made(words):
        return ""
    foreign = {word for word in words if not _is_latin(word)}
    plain = {word for word in words if word.isalpha() and len(word) <= WORD_CHARS_MAX} - foreign
    rest = " ".join(word for word in words if word not in foreign | plain)
    guesses, matches = _estimate(rest[:ESTIMATED_CHARS_MAX], own)
    for word in foreign - own:
        guesses *= min(WORD_GUESSES_MAX, 10 ** (sum(map(str.isalpha, word)) - 1))
    for word in sorted(plain - own):
        if guesses > GUESSES:
            return ""
        found, parts = _estimate(word, own)
        is_english = all(part["pattern"] != "bruteforce" for part in parts)
        guesses *= found if is_english else min(found, WORD_GUESSES_MAX, 10 ** (len(word) - 1))
        matches += parts
    if guesses > GUESSES:
        return ""
    if own.intersection(words):
        return OWN
    if len(set(words)) < len(words):
        return REASONS["repeat"]
    kinds = {_kind(match): len(match["token"]) for match in sorted(matches, key=lambda match: len(match["token"]))}
    known = [kind for kind in kinds if kind in REASONS]
    return REASONS[max(known, key=lambda kind: kinds[kind])] if known else FEW


def _is_made(words: list[str]) -> bool:
    """Whether it is of the form of those that are made for members: 60 bits, common words among them or not."""
    return len(words) == PASSPHRASE_WORDS and len(set(words)) > PASSPHRASE_WORDS // 2 and set(words) <= set(WORDLIST)


def _estimate(text: str, own: set[str]) -> tuple[int, list[Any]]:
    """How many guesses a text in Latin script takes, and the parts that zxcvbn found in it."""
    from zxcvbn import zxcvbn  # 50 ms, which the office's start need not wait for

    matches = zxcvbn(_with_few_kinds(text), sorted(own - {""}))["sequence"] if text else []
    return prod(_guesses(match) for match in {match["token"].strip(): match for match in matches}.values()), matches


def _with_few_kinds(text: str) -> str:
    """The text, with a sign that stands for nothing in the place of kinds that come after the first twelve."""
    kinds = [char for char in dict.fromkeys(text) if char in LEET]
    return text.translate(dict.fromkeys(map(ord, kinds[LEET_KINDS_MAX:]), "\u00b7"))


def _guesses(match: Any) -> int:
    """Of one part that zxcvbn found. Its own total makes so much of the number of parts that any four words pass."""
    chars = "".join(match["token"].split())
    return 10 ** len(chars) if match["pattern"] == "bruteforce" else int(match["guesses"])


def _kind(match: Any) -> str:
    kind = str(match["dictionary_name"] if match["pattern"] == "dictionary" else match["pattern"])
    return _KINDS.get(kind, kind)


def _fold(text: str) -> str:
    """Without case, marks and Arabic stretches, and with the digits of every script as 0 to 9."""
    plain = normalize("NFKD", text[:PASSPHRASE_BYTES_MAX]).casefold()
    digits = (str(unicodedata.decimal(char, char)) for char in plain if not unicodedata.combining(char))
    return "".join(digits).replace("\u0640", "")


def _is_latin(word: str) -> bool:
    """Whether every letter is Latin. What is no letter is of every script."""
    return all(unicodedata.name(char, "").startswith("LATIN") for char in word if char.isalpha())

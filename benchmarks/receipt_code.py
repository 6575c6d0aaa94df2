# SPDX-License-Identifier: AGPL-3.0-or-later
"""The receipt code's check digits: how many typing errors of each kind they miss (docs/protocol.md §3).

    .venv/bin/python -m benchmarks.receipt_code [rounds]

Method: errors of a kind are put into fresh codes, drawn with a fixed seed, until there are ``rounds`` (50,000) that
changed something. *group* is the share that no group's own digit finds, *whole* the share that ``parse_code`` takes: of
these somebody reads "no answer". The first is what codes without digits over the whole would miss. An error stands
anywhere in the code, across groups too, where its kind does not say otherwise.

Two wrong digits in one group are counted as well, not drawn: all groups that are right in their place against all that
differ from them in two digits, for the factor of the whole in use, for the one of all that misses fewest, and for ISO
7064 MOD 97-10, where the 28 digits are one number that leaves 1.
"""

import itertools
import sys
from collections import Counter
from collections.abc import Callable
from random import Random

from crypto.errors import MalformedError
from crypto.receipt_code import (
    WHOLE_FACTOR,
    WHOLE_MODULUS,
    groups,
    new_code,
    parse_code,
    wrong_groups,
)
from crypto.receipt_text import CODE_DIGITS, GROUP_DIGITS, GROUPS

Slip = Callable[[str, Random], str]
Differences = dict[tuple[int, int], Counter[tuple[int, int]]]

DIGITS = "0123456789"
ISO_FACTOR = 10
CHECKED = GROUP_DIGITS - 1


def main(rounds: int) -> None:
    print(f"{'missed of 10,000':44} {'group':>9} {'whole':>9}")
    for kind, slip in KINDS.items():
        by_group, by_whole = measure(slip, rounds, Random(8))
        print(f"{kind:44} {10_000 * by_group / rounds:9.1f} {10_000 * by_whole / rounds:9.2f}")
    print()
    compare_factors()


def measure(slip: Slip, rounds: int, source: Random) -> tuple[int, int]:
    """How many of ``rounds`` errors pass the groups' own digits, and how many of these the whole."""
    by_group = by_whole = done = 0
    while done < rounds:
        code = new_code(source.randbytes)
        wrong = slip(code, source)
        if wrong == code:
            continue
        done += 1
        if not wrong_groups(wrong):
            by_group += 1
            by_whole += _is_taken(wrong)
    return by_group, by_whole


def _is_taken(code: str) -> bool:
    try:
        parse_code(code)
    except MalformedError:
        return False
    return True


def _swap(step: int) -> Slip:
    def slip(code: str, source: Random) -> str:
        place = source.randrange(CODE_DIGITS - step)
        return _put(code, {place: code[place + step], place + step: code[place]})

    return slip


def _twins(step: int) -> Slip:
    """Two equal digits become two other equal ones; a code without such a pair is left as it is."""

    def slip(code: str, source: Random) -> str:
        pairs = [place for place in range(CODE_DIGITS - step) if code[place] == code[place + step]]
        if not pairs:
            return code
        place, digit = source.choice(pairs), source.choice(DIGITS)
        return _put(code, {place: digit, place + step: digit})

    return slip


def _phonetic(code: str, source: Random) -> str:
    """Thirteen becomes thirty, or thirty thirteen."""
    pairs = [
        (place, change)
        for place in range(CODE_DIGITS - 1)
        for change in (_teen_to_ten(code[place : place + 2]),)
        if change
    ]
    if not pairs:
        return code
    place, change = source.choice(pairs)
    return code[:place] + change + code[place + 2 :]


def _teen_to_ten(pair: str) -> str:
    if pair[0] == "1" and pair[1] > "1":
        return f"{pair[1]}0"
    return f"1{pair[0]}" if pair[1] == "0" and pair[0] > "1" else ""


def _wrong_digits(count: int) -> Slip:
    """So many wrong digits in one group."""

    def slip(code: str, source: Random) -> str:
        start = source.randrange(GROUPS) * GROUP_DIGITS
        return _put(code, {place: _other(code[place], source) for place in _places(start, count, source)})

    return slip


def _places(start: int, count: int, source: Random) -> list[int]:
    return source.sample(range(start, start + GROUP_DIGITS), count)


def _other(digit: str, source: Random) -> str:
    return source.choice(DIGITS.replace(digit, ""))


def _two_neighbours(code: str, source: Random) -> str:
    place = source.randrange(CODE_DIGITS - 1)
    return _put(code, {place: _other(code[place], source), place + 1: _other(code[place + 1], source)})


def _two_groups_one_digit_each(code: str, source: Random) -> str:
    starts = [number * GROUP_DIGITS for number in source.sample(range(GROUPS), 2)]
    places = [start + source.randrange(GROUP_DIGITS) for start in starts]
    return _put(code, {place: _other(code[place], source) for place in places})


def _two_groups_two_digits_each(code: str, source: Random) -> str:
    starts = [number * GROUP_DIGITS for number in source.sample(range(GROUPS), 2)]
    places = [place for start in starts for place in _places(start, 2, source)]
    return _put(code, {place: _other(code[place], source) for place in places})


def _rewritten(count: int) -> Slip:
    """So many groups replaced by any five digits."""

    def slip(code: str, source: Random) -> str:
        parts = list(groups(code))
        for number in source.sample(range(GROUPS), count):
            parts[number] = f"{source.randrange(10**GROUP_DIGITS):0{GROUP_DIGITS}}"
        return "".join(parts)

    return slip


def _swapped_groups(code: str, source: Random) -> str:
    parts = list(groups(code))
    first, second = source.sample(range(GROUPS), 2)
    parts[first], parts[second] = parts[second], parts[first]
    return "".join(parts)


def _group_left_out(code: str, source: Random) -> str:
    """One group is left out, and another one stands twice."""
    return "".join(_leave_out_and_double(list(groups(code)), source))


def _digit_left_out(code: str, source: Random) -> str:
    return "".join(_leave_out_and_double(list(code), source))


def _digit_left_out_in_its_group(code: str, source: Random) -> str:
    parts = list(groups(code))
    number = source.randrange(GROUPS)
    parts[number] = "".join(_leave_out_and_double(list(parts[number]), source))
    return "".join(parts)


def _leave_out_and_double(items: list[str], source: Random) -> list[str]:
    del items[source.randrange(len(items))]
    place = source.randrange(len(items))
    return [*items[:place], items[place], *items[place:]]


def _reversed_group(code: str, source: Random) -> str:
    parts = list(groups(code))
    number = source.randrange(GROUPS)
    parts[number] = parts[number][::-1]
    return "".join(parts)


def _other_code(code: str, source: Random) -> str:
    """The first groups are of this code and the rest of another one."""
    kept = source.randrange(1, GROUPS) * GROUP_DIGITS
    return code[:kept] + new_code(source.randbytes)[kept:]


def _put(code: str, digits: dict[int, str]) -> str:
    return "".join(digits.get(place, digit) for place, digit in enumerate(code))


KINDS: dict[str, Slip] = {
    "one wrong digit": lambda code, source: _put(code, {source.randrange(CODE_DIGITS): source.choice(DIGITS)}),
    "two neighbours swapped": _swap(1),
    "two swapped across a third": _swap(2),
    "twins (aa, bb)": _twins(1),
    "twins around a third (aca, bcb)": _twins(2),
    "phonetic (1a, a0)": _phonetic,
    "two wrong neighbours": _two_neighbours,
    "two wrong digits in one group": _wrong_digits(2),
    "three wrong digits in one group": _wrong_digits(3),
    "one wrong digit in each of two groups": _two_groups_one_digit_each,
    "two wrong digits in each of two groups": _two_groups_two_digits_each,
    "a group rewritten": _rewritten(1),
    "two groups rewritten": _rewritten(2),
    "a group backwards": _reversed_group,
    "a digit left out, another doubled": _digit_left_out,
    "the same within one group": _digit_left_out_in_its_group,
    "two groups swapped": _swapped_groups,
    "a group left out, another doubled": _group_left_out,
    "the end of another code": _other_code,
}


def compare_factors() -> None:
    """Print what a factor misses of two wrong digits in one group, of all that there are in all codes."""
    rights = _right_groups()
    errors = sum(map(len, rights)) * GROUP_DIGITS * (GROUP_DIGITS - 1) // 2 * 9**2
    differences = [_differences(right) for right in rights]
    missed = {factor: _missed(differences, factor, _last_weights(factor)) for factor in range(2, WHOLE_MODULUS - 1)}
    fewest = min(missed, key=missed.__getitem__)
    print(f"two wrong digits in one group, all {errors:,} of them")
    for name, count in (
        (f"factor {WHOLE_FACTOR}, in use", missed[WHOLE_FACTOR]),
        (f"factor {fewest}, the fewest of all", missed[fewest]),
        ("ISO 7064", _missed(differences, ISO_FACTOR, _weights(ISO_FACTOR))),
    ):
        print(f"{name}: {count:,} missed, {10_000 * count / errors:.2f} of 10,000")


def _right_groups() -> list[list[str]]:
    """By place in the code, all groups that may stand there."""
    rights: list[list[str]] = [[] for _ in range(GROUPS)]
    for digits in itertools.product(DIGITS, repeat=GROUP_DIGITS):
        group = "".join(digits)
        for number in {*range(1, GROUPS + 1)}.difference(wrong_groups(group * GROUPS)):
            rights[number - 1].append(group)
    return [*rights[:-1], [group for group in rights[-1] if int(group[2:CHECKED]) < WHOLE_MODULUS]]


def _differences(right: list[str]) -> Differences:
    """By places of two checked digits: how often errors in both pass the group, by what they add to each.

    The group's own check digit and another one are never wrong together unseen: the other one alone changes the whole.
    """
    counts: Differences = {}
    for first, second in itertools.combinations(range(CHECKED), 2):
        alike: dict[str, list[str]] = {}
        for group in right:
            rest = "".join(digit for place, digit in enumerate(group) if place not in (first, second))
            alike.setdefault(rest, []).append(group)
        pairs = itertools.chain.from_iterable(itertools.permutations(same, 2) for same in alike.values())
        counts[first, second] = Counter(
            (int(other[first]) - int(one[first]), int(other[second]) - int(one[second])) for one, other in pairs
        )
    return counts


def _weights(factor: int) -> list[int]:
    """The weights of four random digits, but for a factor that they share."""
    return [factor**3, factor**2, factor, 1]


def _last_weights(factor: int) -> list[int]:
    """Those of the last group, which ends in the two digits over the whole."""
    return [factor**2, factor, -10, -1]


def _missed(differences: list[Differences], factor: int, last_weights: list[int]) -> int:
    """Of errors in all groups, those that leave the whole as it is."""
    weights = [_weights(factor)] * (GROUPS - 1) + [last_weights]
    return sum(
        count
        for weight, counts in zip(weights, differences, strict=True)
        for (first, second), counter in counts.items()
        for (one, other), count in counter.items()
        if (one * weight[first] + other * weight[second]) % WHOLE_MODULUS == 0
    )


if __name__ == "__main__":
    main(*map(int, sys.argv[1:] or ["50000"]))

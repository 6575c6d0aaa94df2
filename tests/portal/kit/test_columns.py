# SPDX-License-Identifier: AGPL-3.0-or-later
"""A value that can't be read is kept as such: nothing can be done with it, and the rows beside it are read."""

import operator
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.kit.columns import (
    UNREADABLE,
    DayField,
    LargeNumberField,
    MomentField,
    NamesField,
    NumberField,
    UnreadableError,
    readable,
)
from portal.kit.i18n import format_day

FIELDS = {"day": DayField, "moment": MomentField, "names": NamesField, "number": NumberField, "large": LargeNumberField}
STORED = st.one_of(st.none(), st.integers(), st.floats(), st.decimals(), st.text(), st.binary())
TYPES = {"day": date, "moment": datetime, "names": list, "number": int, "large": int}


@pytest.mark.parametrize("name", FIELDS)
@given(stored=STORED)
def test_whatever_is_stored_is_a_value_of_the_columns_type_or_unreadable(name: str, stored: Any) -> None:
    value = FIELDS[name]().to_python_value(stored)
    assert value is None or value is UNREADABLE or isinstance(value, TYPES[name])


@pytest.mark.parametrize(
    ("name", "stored", "value"),
    [
        ("day", "2026-11-02", date(2026, 11, 2)),
        ("moment", "2026-11-02 03:04:05+00:00", datetime(2026, 11, 2, 3, 4, 5, tzinfo=UTC)),
        ("names", '["amina"]', ["amina"]),
        ("number", 7, 7),
        ("large", 2**40, 2**40),
        # A sum over a column with garbage in it.
        ("large", 12.0, 12),
        ("large", Decimal(2**40), 2**40),
        ("large", Decimal("NaN"), UNREADABLE),
        ("names", '["amina", 1]', UNREADABLE),
        ("names", '"amina"', UNREADABLE),
        ("names", "[", UNREADABLE),
        ("number", "7x", UNREADABLE),
        ("number", 7.5, UNREADABLE),
    ],
)
def test_what_is_stored_well_is_read(name: str, stored: Any, value: Any) -> None:
    assert FIELDS[name]().to_python_value(stored) == value


@pytest.mark.parametrize(
    "use",
    [
        str,
        "{}".format,
        hash,
        int,
        list,
        len,
        sum,
        lambda value: value < 1,
        lambda value: value < 1,
        lambda value: value - date(2026, 11, 2),
        lambda value: date(2026, 11, 2) - value,
        lambda value: 2**value,
        operator.neg,
        lambda value: value * 2,
        lambda value: value % 7,
        lambda value: value // 7,
        lambda value: 7 / value,
        lambda value: "chair" in value,
        lambda value: max(1, value),
        lambda value: sorted([value, value]),
        lambda value: format_day(value, "en"),
        operator.methodcaller("isoformat"),
        lambda value: DayField().to_db_value(value, None),
    ],
)
def test_whoever_uses_what_can_not_be_read_fails(use: Callable[[Any], Any]) -> None:
    with pytest.raises(UnreadableError):
        use(UNREADABLE)


def test_something_else_may_stand_in_its_place() -> None:
    assert UNREADABLE, "there is a value"
    assert readable(UNREADABLE, 5) == 5
    assert readable(7, 5) == 7

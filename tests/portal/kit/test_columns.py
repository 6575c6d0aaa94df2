# SPDX-License-Identifier: AGPL-3.0-or-later
"""A value that can't be read is kept as such: nothing can be done with it, and the rows beside it are read."""

import operator
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tortoise.exceptions import ValidationError
from tortoise.models import Model

from portal.kit.columns import (
    NUMBER_MAX,
    UNREADABLE,
    BytesField,
    DayField,
    LargeNumberField,
    MomentField,
    NamesField,
    NumberField,
    ShortTextField,
    TextField,
    TruthField,
    UnreadableError,
    readable,
)
from portal.kit.i18n import format_day

FIELDS: dict[str, Callable[[], Any]] = {
    "day": DayField,
    "moment": MomentField,
    "names": NamesField,
    "number": NumberField,
    "large": LargeNumberField,
    "truth": TruthField,
    "short": partial(ShortTextField, max_length=8),
    "text": TextField,
    "bytes": BytesField,
}
STORED = st.one_of(st.none(), st.integers(), st.floats(), st.decimals(), st.text(), st.binary())
TYPES = {"day": date, "moment": datetime, "names": list, "number": int, "large": int, "truth": bool}
ALWAYS_READ = {"short": str, "text": str, "bytes": bytes}


@pytest.mark.parametrize("name", TYPES)
@given(stored=STORED)
def test_whatever_is_stored_is_a_value_of_the_columns_type_or_unreadable(name: str, stored: Any) -> None:
    value = FIELDS[name]().to_python_value(stored)
    assert value is None or value is UNREADABLE or isinstance(value, TYPES[name])


@pytest.mark.parametrize("name", ALWAYS_READ)
@given(stored=STORED)
def test_texts_and_bytes_are_read_whatever_is_stored(name: str, stored: Any) -> None:
    value = FIELDS[name]().to_python_value(stored)
    assert (value is None and stored is None) or isinstance(value, ALWAYS_READ[name])


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
        # Of the sum over a damaged weight that is a number all the same.
        ("number", 7.5, 7),
        ("large", 1e300, UNREADABLE),
        ("number", NUMBER_MAX, NUMBER_MAX),
        ("number", NUMBER_MAX + 1, UNREADABLE),
        ("truth", 0, False),
        ("truth", True, True),
        ("truth", 2, UNREADABLE),
        ("truth", "1", UNREADABLE),
        ("short", "short", "short"),
        ("short", "longer than it may be", "longer than it may be"),
        ("short", b"\xffA", "\ufffdA"),
        ("text", 7, "7"),
        ("bytes", b"\0", b"\0"),
        ("bytes", "A\u0301", "A\u0301".encode()),
        ("bytes", 7, b"7"),
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


def test_a_text_longer_than_it_may_be_is_looked_up_and_not_written() -> None:
    class Row(Model):
        text = ShortTextField(max_length=4)

    field, long = Row._meta.fields_map["text"], "longer"
    assert field.to_db_value(long, Row) == long
    with pytest.raises(ValidationError):
        field.to_db_value(long, Row(text=long))


def test_something_else_may_stand_in_its_place() -> None:
    assert UNREADABLE, "there is a value"
    assert readable(UNREADABLE, 5) == 5
    assert readable(7, 5) == 7

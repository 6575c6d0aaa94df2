# SPDX-License-Identifier: AGPL-3.0-or-later
"""Columns that take nothing else down when a value is damaged; the tables are those of Tortoise's own fields.

A value that can't be read is ``UNREADABLE``, and no row beside it fails: whoever uses it fails alone. Texts and bytes
are always read, whatever SQLite keeps in their place: who opens or verifies them tells.
"""

import errno
import logging
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from tortoise import fields
from tortoise.exceptions import FieldError
from tortoise.expressions import Q
from tortoise.functions import Sum

LOG = logging.getLogger("portal.kit")
T = TypeVar("T")
_told: set[str] = set()


class UnreadableError(Exception):
    """Something was to be done with a value of the database that can't be read."""

    def __init__(self) -> None:
        super().__init__("a value of the database can't be read")


class _Unreadable:
    """Nothing can be done with it but to keep it: to compare it, to reckon with it, to show it raises UnreadableError.

    It is true, for there is a value.
    """

    def __repr__(self) -> str:
        return "UNREADABLE"

    def __bool__(self) -> bool:
        return True

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        raise UnreadableError

    def _refuse(self, *_: object) -> Any:
        raise UnreadableError

    __lt__ = __le__ = __gt__ = __ge__ = __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = _refuse
    __neg__ = __mod__ = __rmod__ = __floordiv__ = __rfloordiv__ = __truediv__ = __rtruediv__ = __rpow__ = _refuse
    __str__ = __format__ = __html__ = __hash__ = __int__ = __index__ = __iter__ = __contains__ = __len__ = _refuse


UNREADABLE: Any = _Unreadable()
NUMBER_MAX = 2**31 - 1
"""No number of a NumberField is higher. For SQLite garbage is, also when the highest of them is asked for."""
YEAR_MIN, YEAR_MAX = 1900, 9000
NUMBERS_END = 2**63
"""No database keeps a higher whole number."""


def is_kept(day: date) -> bool:
    """Whether a column keeps this day: what comes from others is asked this before it becomes a row."""
    return YEAR_MIN <= day.year <= YEAR_MAX


def readable(value: T, otherwise: T) -> T:
    """The value, or in its place something else if it can't be read."""
    return otherwise if value is UNREADABLE else value


def is_unset(flag: str) -> Q:
    """Rows whose flag is not set, or damaged: what is done for them is done once more rather than never."""
    lower: dict[str, Any] = {f"{flag}__lt": True}
    higher: dict[str, Any] = {f"{flag}__gt": True}
    return Q(**lower) | Q(**higher)


def sum_below(column: str, limit: int) -> Sum:
    """Of the values from 1 to below ``limit``: what is damaged counts as none, and no sum is too large."""
    bounds: dict[str, Any] = {f"{column}__gt": 0, f"{column}__lt": limit}
    return Sum(column, _filter=Q(**bounds))


def _tell(field: fields.Field[Any]) -> None:
    """Once, for whoever runs the program: what the column is called, and nothing of what stands in it."""
    name = field.model_field_name
    if name not in _told:
        _told.add(name)
        LOG.error("a value in a column %s can't be read", name)


class _Lenient(fields.Field[Any]):
    """Reads what it can, and has the migrations of the field that it is derived from."""

    def to_python_value(self, value: Any) -> Any:
        try:
            read = self._read(value)
        except (ValueError, TypeError, ArithmeticError, FieldError):
            read = UNREADABLE
        except OSError as error:
            # A moment far beyond all calendars; but not that no file is left to open.
            if error.errno != errno.EOVERFLOW:
                raise
            read = UNREADABLE
        if read is UNREADABLE:
            _tell(self)
        return read

    def _read(self, value: Any) -> Any:
        return super().to_python_value(value)

    def to_db_value(self, value: Any, instance: Any) -> Any:
        if value is UNREADABLE:
            raise UnreadableError
        return super().to_db_value(value, instance)

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        _, positional, named = super().deconstruct()
        return f"{self._plain.__module__}.{self._plain.__name__}", positional, named

    def describe(self, serializable: bool) -> dict[str, Any]:
        return {**super().describe(serializable), "field_type": self._plain.__name__ if serializable else self._plain}

    @property
    def _plain(self) -> type:
        """The field of Tortoise's that this one is to the tables and their migrations."""
        return next(base for base in type(self).__mro__ if base.__module__.startswith("tortoise."))


class _Calendar(_Lenient):
    """Days that others can be reckoned from, before and after: those at the ends of the calendar are damage."""

    def _read(self, value: Any) -> Any:
        read = super()._read(value)
        return read if read is None or is_kept(read) else UNREADABLE


class _DayField(_Calendar, fields.DateField[Any]):
    """A date."""


class _MomentField(_Calendar, fields.DatetimeField[Any]):
    """A date and a time."""


class _Number(_Lenient):
    """SQLite keeps anything in a number's place, and Tortoise hands it on."""

    def _read(self, value: Any) -> Any:
        # SQLite gives a sum over garbage, which counts as nothing, as a float, and PostgreSQL every sum as a decimal.
        if isinstance(value, float | Decimal) and -NUMBERS_END < value < NUMBERS_END:
            return int(value)
        return value if value is None or isinstance(value, int) else UNREADABLE


class _NumberField(_Number, fields.IntField[int]):
    """A whole number of at most ``NUMBER_MAX``."""

    def _read(self, value: Any) -> Any:
        read = super()._read(value)
        return UNREADABLE if isinstance(read, int) and abs(read) > NUMBER_MAX else read


class _LargeNumberField(_Number, fields.BigIntField):
    """A whole number below 2^63."""


class _TruthField(_Lenient, fields.BooleanField[Any]):
    """SQLite keeps 0 and 1."""

    def _read(self, value: Any) -> Any:
        return value if value is None else bool(value) if value in (0, 1) else UNREADABLE


class _Text(_Lenient):
    """Read and looked up however long it is, and never written when it is longer than it may be."""

    def _read(self, value: Any) -> Any:
        if value is None or isinstance(value, str):
            return value
        _tell(self)
        return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)

    def to_db_value(self, value: Any, instance: Any) -> Any:
        is_looked_up = isinstance(instance, type)
        return value if is_looked_up and isinstance(value, str) else super().to_db_value(value, instance)


class _ShortTextField(_Text, fields.CharField[Any]):
    """At most ``max_length`` characters."""


class _TextField(_Text, fields.TextField):  # type: ignore[misc]
    """Any number of characters."""


class _BytesField(_Lenient, fields.BinaryField[Any]):  # type: ignore[misc]
    """Any number of bytes."""

    def _read(self, value: Any) -> Any:
        if value is None or isinstance(value, bytes):
            return value
        _tell(self)
        return str(value).encode("utf-8", "replace")


class _NamesField(_Lenient, fields.JSONField[Any]):  # type: ignore[misc]
    """A list of texts."""

    def _read(self, value: Any) -> Any:
        read = super()._read(value)
        are_names = isinstance(read, list) and all(isinstance(each, str) for each in read)
        return read if read is None or are_names else UNREADABLE


if TYPE_CHECKING:
    # Their values have the types of the fields that they are derived from.
    DayField: TypeAlias = fields.DateField
    MomentField: TypeAlias = fields.DatetimeField
    NumberField: TypeAlias = fields.IntField
    LargeNumberField: TypeAlias = fields.BigIntField
    NamesField: TypeAlias = fields.JSONField
    TruthField: TypeAlias = fields.BooleanField
    ShortTextField: TypeAlias = fields.CharField
    TextField: TypeAlias = fields.TextField
    BytesField: TypeAlias = fields.BinaryField
else:
    DayField, MomentField, NamesField, TruthField = _DayField, _MomentField, _NamesField, _TruthField
    NumberField, LargeNumberField = _NumberField, _LargeNumberField
    ShortTextField, TextField, BytesField = _ShortTextField, _TextField, _BytesField


def text_column(max_length: int, **options: Any) -> Any:
    """A column of text of at most ``max_length`` characters; the annotation beside it says of which type."""
    return ShortTextField(max_length=max_length, **options)

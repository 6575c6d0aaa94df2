# SPDX-License-Identifier: AGPL-3.0-or-later
"""Logs that say where something went wrong, without the messages of errors, which may quote a request."""

import logging
import traceback
from pathlib import Path

PLACES_MAX = 8
ROOT = Path(__file__).resolve().parent.parent.parent


class PlaceFormatter(logging.Formatter):
    """Formats records with the place of an exception and without its message. What a library says in many lines, such
    as the traceback of a failed start, is its last one."""

    def formatMessage(self, record: logging.LogRecord) -> str:
        record.message = record.message.strip().rpartition("\n")[2]
        return super().formatMessage(record)

    def formatException(self, ei: object) -> str:
        error = ei[1] if isinstance(ei, tuple) else None
        return describe_error(error) if isinstance(error, BaseException) else ""


def describe_error(error: BaseException) -> str:
    """Return the class of an error and the lines that it passed through, without its message."""
    frames = traceback.extract_tb(error.__traceback__)
    places = [f"{_short(frame.filename)}:{frame.lineno}" for frame in frames]
    return f"{type(error).__module__}.{type(error).__qualname__} at {' < '.join(reversed(places[-PLACES_MAX:]))}"


def quiet_logging() -> None:
    """Log to standard error, without times and without messages of exceptions. Database queries are never logged."""
    handler = logging.StreamHandler()
    handler.setFormatter(PlaceFormatter("%(levelname)s %(name)s %(message)s"))
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger("tortoise").setLevel(logging.ERROR)


def _short(filename: str) -> str:
    path = Path(filename)
    if path.is_relative_to(ROOT):
        return str(path.relative_to(ROOT))
    return "/".join(path.parts[-2:])

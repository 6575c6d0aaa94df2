# SPDX-License-Identifier: AGPL-3.0-or-later
"""Posted forms, and the errors of their fields."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qs

from starlette.requests import Request

from portal.kit.body import BodyTooLargeError, read_body

STRANGERS_FORM_BYTES_MAX = 256 * 1024
FORM_BYTES_MAX = 2 * 1024 * 1024
"""Of a member who has logged in. It is far above what any field takes, so that a text that is too long comes back with
what is wrong, to who typed it: what is refused as a whole is lost."""
FORM_FIELDS_MAX = 1000


@dataclass(frozen=True)
class FieldError:
    """The error of one field. ``message`` is marked with ``N_`` and translated where it is shown."""

    field: str
    message: str
    values: Mapping[str, object] = dataclasses.field(default_factory=dict)


@dataclass(frozen=True)
class Form:
    """The fields of a posted form."""

    fields: Mapping[str, list[str]]

    def text(self, name: str) -> str:
        """The first value without space around it, or an empty text."""
        return self.secret(name).strip()

    def secret(self, name: str) -> str:
        """The first value exactly as it was typed, or an empty text."""
        return self.fields.get(name, [""])[0]

    def texts(self, name: str) -> list[str]:
        return self.fields.get(name, [])


async def read_form(request: Request, max_bytes: int | None = None) -> Form:
    """The posted form, without null bytes, which PostgreSQL can't hold. A body that is not a form gives an empty one.

    Raises BodyTooLargeError above ``max_bytes``, which is STRANGERS_FORM_BYTES_MAX or, after ``current_session``,
    FORM_BYTES_MAX unless it is said; for more than FORM_FIELDS_MAX fields too.
    """
    if max_bytes is None:
        is_member = getattr(request.state, "session", None) is not None
        max_bytes = FORM_BYTES_MAX if is_member else STRANGERS_FORM_BYTES_MAX
    body = await read_body(request, max_bytes)
    # As an empty form, it would be said that nothing was filled in.
    if body.count(b"&") >= FORM_FIELDS_MAX:
        raise BodyTooLargeError
    try:
        fields = parse_qs(body.decode("utf-8"), keep_blank_values=True, errors="strict")
    except ValueError:
        fields = {}
    form = Form({name: [_clean(value) for value in values] for name, values in fields.items()})
    # For the page that says that it could not be kept.
    request.state.form = form
    return form


def _clean(value: str) -> str:
    return value.replace("\r\n", "\n").replace("\0", "")

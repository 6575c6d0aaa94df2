# SPDX-License-Identifier: AGPL-3.0-or-later
"""The forms of what stands in the address of a page: ``{case:id}``. A value that no column could hold is no address.

``Route`` is Starlette's; whoever takes it from here can name these forms in it. They stand for what they match, so that
no page has to look whether an id is one: everything else is answered 404, by the page that says so.
"""

from typing import Any

from starlette.convertors import Convertor, IntegerConvertor, StringConvertor, register_url_convertor
from starlette.requests import Request
from starlette.routing import Route

__all__ = ["Route", "path_of"]


def path_of(request: Request) -> str:
    """The path that was asked for. ``request.url`` takes the Host header in as well, and fails by one that is none."""
    return str(request.scope["path"])


class _Id(StringConvertor):
    """A case, a report (crypto.ids)."""

    regex = "[0-9a-f]{32}"


class _Hash(StringConvertor):
    """An event of a ledger."""

    regex = "[0-9a-f]{64}"


class _Label(StringConvertor):
    """A member within the commission."""

    regex = "[a-z][a-z0-9-]{0,30}"


class _Code(StringConvertor):
    """A word of the workflow: the name of a clock or of a state."""

    regex = "[A-Za-z][A-Za-z0-9_-]{0,31}"


class _Number(IntegerConvertor):
    """A place in a list."""

    regex = "[0-9]{1,6}"


_FORMS: dict[str, Convertor[Any]] = {
    "id": _Id(),
    "hash": _Hash(),
    "label": _Label(),
    "code": _Code(),
    "number": _Number(),
}
for _name, _form in _FORMS.items():
    register_url_convertor(_name, _form)

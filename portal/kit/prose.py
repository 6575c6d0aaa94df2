# SPDX-License-Identifier: AGPL-3.0-or-later
"""The few marks of Markdown that a finding's texts may hold: paragraphs, lists, emphasis. docs/protocol.md §14.2.

Everything else is shown as it stands. No mark makes a link, a picture, a heading or HTML, so that what comes out is
``p``, ``ul``, ``ol``, ``li``, ``em``, ``strong``, ``br`` and escaped text, whatever goes in.
"""

from functools import cache

from markdown_it import MarkdownIt
from markupsafe import Markup

# Two for every list within a list; what lies deeper is left out.
NESTING_MAX = 40


def render_prose(text: str) -> Markup:
    """The text as HTML."""
    # Safe: the renderer escapes every text, and HTML in it is off.
    return Markup(_renderer().render(text))  # noqa: S704


@cache
def _renderer() -> MarkdownIt:
    # "zero" knows paragraphs and text alone; what is enabled here is all that there is.
    renderer = MarkdownIt("zero", {"html": False, "linkify": False, "typographer": False, "maxNesting": NESTING_MAX})
    return renderer.enable(["list", "emphasis", "escape"])

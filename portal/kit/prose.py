# SPDX-License-Identifier: AGPL-3.0-or-later
"""The subset of Markdown in a finding's texts: paragraphs, lists, emphasis. docs/protocol.md §14.2.

Everything else is shown literally. There are no links, pictures, headings or HTML, so the output has only ``p``,
``ul``, ``ol``, ``li``, ``em``, ``strong``, ``br`` and escaped text, whatever the input.
"""

from functools import cache, lru_cache

from markdown_it import MarkdownIt
from markupsafe import Markup

# Two levels for every nested list; anything deeper is left out.
NESTING_MAX = 40
# As many as a finding may have, so that its pages in all locales are made of one rendering.
KEPT_MAX = 128


@lru_cache(KEPT_MAX)
def render_prose(text: str) -> Markup:
    """Return the text as HTML."""
    # Safe: the renderer escapes every text, and HTML in it is off.
    return Markup(_renderer().render(text))  # noqa: S704


@cache
def _renderer() -> MarkdownIt:
    # "zero" knows only paragraphs and text; everything else is enabled here.
    renderer = MarkdownIt("zero", {"html": False, "linkify": False, "typographer": False, "maxNesting": NESTING_MAX})
    return renderer.enable(["list", "emphasis", "escape"])

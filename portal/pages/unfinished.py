# SPDX-License-Identifier: AGPL-3.0-or-later
"""What visitors get as long as no page is built: after a start during which the build failed."""

from starlette.responses import HTMLResponse
from starlette.types import Receive, Scope, Send

RETRY_SECONDS = "30"
_WITHOUT_TEMPLATES = (
    "<!doctype html><title>503</title><p>This page can’t be shown at the moment. Please come back later."
)


class UnfinishedPages:
    """ASGI endpoint: 503, with a page in every language. It needs no file that was built."""

    def __init__(self) -> None:
        self._page = _WITHOUT_TEMPLATES

    def prepare(self) -> None:
        """Render the page, once. Raises OSError."""
        if self._page is _WITHOUT_TEMPLATES:
            self._page = _render()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await HTMLResponse(self._page, 503, {"retry-after": RETRY_SECONDS})(scope, receive, send)


def _render() -> str:
    # Imported late: templates and locales load slowly, and the API should not wait for them.
    from portal.kit.i18n import LOCALES, SOURCE_LOCALE, load_translation
    from portal.kit.templating import environment
    from portal.pages.build import DOMAIN, LOCALE, TEMPLATES

    translations = {locale: load_translation(LOCALE, DOMAIN, locale) for locale in LOCALES}
    sentences = {
        locale: translation.gettext("This page can’t be shown at the moment. Please come back in a few minutes.")
        for locale, translation in translations.items()
    }
    env = environment([TEMPLATES], translations[SOURCE_LOCALE])
    return env.get_template("unfinished.html").render(sentences=sentences)

# SPDX-License-Identifier: AGPL-3.0-or-later
"""The pages of findings."""

from oversight.findings import edit_pages, finding_pages, publication_pages
from oversight.web.handlers import Handlers
from portal.kit.waiting_line import LineFullError

routes = [*finding_pages.routes, *edit_pages.routes, *publication_pages.routes]
handlers: Handlers = {LineFullError: finding_pages.answer_line_full}

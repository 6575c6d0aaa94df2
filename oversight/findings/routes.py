# SPDX-License-Identifier: AGPL-3.0-or-later
"""The pages of findings."""

from oversight.findings import edit_pages, finding_pages, publication_pages
from oversight.web.handlers import Handlers

routes = [*finding_pages.routes, *edit_pages.routes, *publication_pages.routes]
handlers: Handlers = {}

# SPDX-License-Identifier: AGPL-3.0-or-later
"""The pages of letters."""

from oversight.letters import decision_letter_pages, reply_pages
from oversight.web.handlers import Handlers

routes = [*reply_pages.routes, *decision_letter_pages.routes]
handlers: Handlers = {}

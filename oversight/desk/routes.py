# SPDX-License-Identifier: AGPL-3.0-or-later
"""The pages of the desk: the queue, a report, opening a case with it."""

from oversight.cases.report_access import BrokenReportError
from oversight.desk import case_opening_pages, lost_pages, queue_pages, report_pages
from oversight.web.handlers import Handlers

routes = [*queue_pages.routes, *lost_pages.routes, *report_pages.routes, *case_opening_pages.routes]
handlers: Handlers = {BrokenReportError: report_pages.answer_broken}

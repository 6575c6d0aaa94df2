# SPDX-License-Identifier: AGPL-3.0-or-later
"""What belongs to no room: assets, and the pages of what went wrong."""

from starlette.requests import ClientDisconnect

from crypto.errors import CryptoError
from oversight.web import asset_pages
from oversight.web.error_pages import answer_damaged, answer_failure, answer_nobody, answer_too_large, answer_unwritable
from oversight.web.handlers import Handlers
from portal.kit.body import BodyTooLargeError
from portal.kit.columns import UnreadableError
from portal.kit.database import STORAGE_ERRORS

routes = asset_pages.routes
handlers: Handlers = {
    BodyTooLargeError: answer_too_large,
    ClientDisconnect: answer_nobody,
    CryptoError: answer_damaged,
    UnreadableError: answer_damaged,
    **dict.fromkeys(STORAGE_ERRORS, answer_unwritable),
    Exception: answer_failure,
}

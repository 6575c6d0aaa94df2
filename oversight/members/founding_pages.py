# SPDX-License-Identifier: AGPL-3.0-or-later
"""The founding as pages, for whoever holds the setup token."""

from starlette.routing import Route

routes: list[Route] = []

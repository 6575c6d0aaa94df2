# SPDX-License-Identifier: AGPL-3.0-or-later
"""Built styles and scripts, each under a name that changes with its bytes."""

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from oversight.web.addresses import Route, path_of
from oversight.web.rendering import PageKit

ASSET_CACHE = "public, max-age=31536000, immutable"


async def serve_asset(request: Request) -> Response:
    kit: PageKit = request.app.state.kit
    found = next((asset for asset in kit.assets.values() if asset.path == path_of(request)), None)
    if found is None:
        raise HTTPException(404)
    headers = {"cache-control": ASSET_CACHE, "vary": "accept-encoding"}
    if "gzip" in request.headers.get("accept-encoding", ""):
        return Response(
            found.compressed.gzip, media_type=found.media_type, headers={**headers, "content-encoding": "gzip"}
        )
    return Response(found.body, media_type=found.media_type, headers=headers)


async def no_icon(request: Request) -> Response:
    """Browsers ask for one on their own; there is none."""
    return Response(status_code=204)


routes = [
    Route("/assets/{name}", serve_asset),
    Route("/favicon.ico", no_icon),
]

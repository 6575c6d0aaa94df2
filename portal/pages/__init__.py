# SPDX-License-Identifier: AGPL-3.0-or-later
"""The reporter's pages: rendered once for each locale and charter, the same for everyone."""

from portal.pages.build import build_site
from portal.pages.serve import SiteEndpoint
from portal.pages.site import Page, Site

__all__ = ["Page", "Site", "SiteEndpoint", "build_site"]

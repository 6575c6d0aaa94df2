# SPDX-License-Identifier: AGPL-3.0-or-later
"""The commission's own office: members, reports, letters. It calls the portal; the portal never calls it."""

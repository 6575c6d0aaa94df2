# SPDX-License-Identifier: AGPL-3.0-or-later
"""The office's end of the wire: signed requests to the portal, its responses, what waits to be sent."""

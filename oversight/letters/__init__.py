# SPDX-License-Identifier: AGPL-3.0-or-later
"""Letters with the reporter: replies going out, follow-ups coming in."""

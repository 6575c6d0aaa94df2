# SPDX-License-Identifier: AGPL-3.0-or-later
"""Where replies wait for the reporter, and follow-ups for the commission."""

# SPDX-License-Identifier: AGPL-3.0-or-later
"""The desk: the queue of a member, a report as a page, opening a case with it."""

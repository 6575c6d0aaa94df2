# SPDX-License-Identifier: AGPL-3.0-or-later
"""Reports as they come in: kept sealed, opened for those who hold a grant, listed in the queue, read."""

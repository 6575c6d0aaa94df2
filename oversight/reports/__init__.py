# SPDX-License-Identifier: AGPL-3.0-or-later
"""Reports as the office keeps them: sealed, collected, opened with a member's keys."""

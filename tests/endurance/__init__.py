# SPDX-License-Identifier: AGPL-3.0-or-later
"""Programs that let months pass in minutes, or run for hours."""

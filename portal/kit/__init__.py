# SPDX-License-Identifier: AGPL-3.0-or-later
"""What portal and office both stand on: database, files and settings, and headers, checks, templates, translations."""

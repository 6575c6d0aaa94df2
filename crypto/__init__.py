# SPDX-License-Identifier: AGPL-3.0-or-later
"""The formats that reporter, portal, office and the outside world share: no web, no database, no settings."""

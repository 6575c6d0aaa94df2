# SPDX-License-Identifier: AGPL-3.0-or-later
"""Changes of the tables, in order. Made by ``portal.storage.database.write_migrations``."""

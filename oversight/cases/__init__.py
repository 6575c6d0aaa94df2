# SPDX-License-Identifier: AGPL-3.0-or-later
"""Cases: what members do in them, as signed events; who holds their keys; their pages."""

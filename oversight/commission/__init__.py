# SPDX-License-Identifier: AGPL-3.0-or-later
"""The commission of this office: its charters, the office's own keys, its connection to the portal."""

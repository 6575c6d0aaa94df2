# SPDX-License-Identifier: AGPL-3.0-or-later
"""The collector: what goes to and fro between the portal and this office, visit by visit."""

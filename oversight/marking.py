# SPDX-License-Identifier: AGPL-3.0-or-later
"""Marks sentences for the translation catalogs where they are written; they are translated where they are shown."""


def N_(message: str) -> str:
    """The message itself, which the catalogs then have."""
    return message

# SPDX-License-Identifier: AGPL-3.0-or-later
"""The steps that bring the portal's database to its present form; written by `python -m portal makemigrations`."""

# SPDX-License-Identifier: AGPL-3.0-or-later
"""Shared by all requests of the API: responses, refusals, digests, quiet errors."""

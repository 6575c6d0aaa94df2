# SPDX-License-Identifier: AGPL-3.0-or-later
"""What every request of the API shares: responses, refusals, digests, quiet errors."""

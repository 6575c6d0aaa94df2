# SPDX-License-Identifier: AGPL-3.0-or-later
"""The founding of a commission: its plan, the ceremony that makes its keys, the sheets on paper, the first charter."""

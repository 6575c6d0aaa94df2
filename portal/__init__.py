# SPDX-License-Identifier: AGPL-3.0-or-later
"""The internet-facing program: receives, stores and delivers sealed bytes, and cannot open any of them."""

# SPDX-License-Identifier: AGPL-3.0-or-later
"""The internet-facing program: takes in, keeps and hands over sealed bytes, and can open none of them."""

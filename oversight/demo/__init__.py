# SPDX-License-Identifier: AGPL-3.0-or-later
"""The demonstration: a fictional commission, filled through the portal's public interface, on one machine."""

# SPDX-License-Identifier: AGPL-3.0-or-later
"""What the portal keeps: rows through Tortoise, attachments as blobs, both durable before they are acknowledged."""

# SPDX-License-Identifier: AGPL-3.0-or-later
"""The portal's storage: rows through Tortoise, attachments as blobs, both durable before they are acknowledged."""

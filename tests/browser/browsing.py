# SPDX-License-Identifier: AGPL-3.0-or-later
"""How the tests run a browser: quiet, offline but for loopback, without a trace between tests."""

CHROMIUM_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

# A wait that takes longer than this is a fault, on however busy a machine.
TIMEOUT_MS = 120_000

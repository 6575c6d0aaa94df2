# SPDX-License-Identifier: AGPL-3.0-or-later
"""The commands ``receipt new`` and ``receipt check``: make a code, find typing errors in one. docs/protocol.md §3."""

import argparse
import sys

from crypto.receipt_code import format_code, new_code, parse_code

STANDARD = "-"
INPUT_BYTES_MAX = 4096


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command ``receipt`` with its two actions."""
    parser = subparsers.add_parser("receipt", help="make or check a receipt code")
    actions = parser.add_subparsers(required=True, metavar="ACTION")
    new = actions.add_parser("new", help="print a fresh code")
    new.set_defaults(run=run_new)
    check = actions.add_parser("check", help="find typing errors in a code")
    check.add_argument(
        "code",
        nargs="?",
        default=STANDARD,
        metavar="CODE",
        help=f"the code in quotes; without it, or with {STANDARD}, it is read from standard input, which keeps it "
        "out of the shell's history",
    )
    check.set_defaults(run=run_check)


def run_new(_: argparse.Namespace) -> None:
    """Print a fresh code in its seven groups."""
    print(format_code(new_code()))


def run_check(arguments: argparse.Namespace) -> None:
    """Print that the code is well-formed, or raise ReceiptCodeError, which names the groups to check."""
    text = arguments.code
    if text == STANDARD:
        # A text that is cut off or is not UTF-8 is not a code either.
        text = sys.stdin.buffer.read(INPUT_BYTES_MAX).decode("utf-8", "replace")
    parse_code(text)
    print("receipt code: well-formed")

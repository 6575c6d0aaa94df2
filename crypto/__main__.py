# SPDX-License-Identifier: AGPL-3.0-or-later
"""``python -m crypto``: the formats on the command line; needs nothing of Amparo but this package.

Each module of commands offers ``add_parser(subparsers)``, which sets ``run`` on the parsers that it adds: a function of
the parsed arguments, which raises CryptoError or OSError when it fails. The exit status is then 1, and 2 for a command
line that argparse does not accept.
"""

import argparse
import sys
from collections.abc import Sequence

from crypto import cli_age, cli_mailbox, cli_note, cli_receipt, cli_verify
from crypto.errors import CryptoError

COMMANDS = (cli_age, cli_receipt, cli_mailbox, cli_note, cli_verify)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status. A failure is one line on standard error."""
    about = "Seal, open and check. Only `mailbox` needs a network."
    parser = argparse.ArgumentParser(prog="python -m crypto", description=about)
    subparsers = parser.add_subparsers(required=True, metavar="COMMAND")
    for commands in COMMANDS:
        commands.add_parser(subparsers)
    parsed = parser.parse_args(arguments)
    try:
        parsed.run(parsed)
    except CryptoError as error:
        print(f"amparo: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"amparo: {error.filename or 'input or output'}: {error.strerror}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

# SPDX-License-Identifier: AGPL-3.0-or-later
"""A founding file."""

from pathlib import Path

FILE = """
slug = "harbour"
jurisdictions = ["ZZ"]
days_valid = 30
slots = 8
grace_days = 14
name = { en = "Harbour Commission", ar = "لجنة الميناء" }
mandate = { en = "Fictional.", ar = "خيالية." }
governors = { threshold = 2, members = ["amina", "chiara"] }
reserve = { threshold = 2, shares = 3 }
limits = { attachments = 4, attachment_bytes = 1000000 }

[[members]]
label = "amina"
name = "Amina Haddad"
roles = ["registrar", "administrator"]

[[members]]
label = "bruno"
name = "Bruno Keller"
roles = ["investigator"]
username = "Bruno.K"
locale = "ar"

[[members]]
label = "chiara"
name = "Chiara Lombardi"
roles = ["chair"]
"""


def write_plan(folder: Path, before: str = "", after: str = "") -> Path:
    """Write the file, with ``after`` in the first place of ``before``."""
    assert before in FILE
    path = folder / "founding.toml"
    path.write_text(FILE.replace(before, after, 1), encoding="utf-8")
    return path

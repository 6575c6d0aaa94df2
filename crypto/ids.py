# SPDX-License-Identifier: AGPL-3.0-or-later
"""Ids and hashes, a type for each, so that one can't be passed where another is expected. docs/protocol.md §1.

At run time each is the text that stands in documents, rows and addresses: mypy alone tells them apart. A value gets its
type where it is parsed, made or read from a row or an address, never in between. The types check nothing.
"""

from typing import NewType

CaseId = NewType("CaseId", str)
"""A case: 16 random bytes, 32 hexadecimal digits. Its number, ``C-2026-0007``, is another thing. §13."""

SubmissionId = NewType("SubmissionId", str)
"""A submission, and the report and the thread that came with it: 16 random bytes, 32 hexadecimal digits. §5."""

MessageId = NewType("MessageId", str)
"""A reply or a follow-up: the first 16 bytes of the SHA-256 of its sealed file, 32 hexadecimal digits. §9."""

FindingId = NewType("FindingId", str)
"""A finding, in all its revisions: ``XFI:ZZ:<SLUG>:<year>:F.0007``, at most 52 characters. §14."""

MemberLabel = NewType("MemberLabel", str)
"""A member within a commission: ``[a-z][a-z0-9-]*``, at most 31 characters. §4.2."""

CharterHash = NewType("CharterHash", str)
"""A charter: the SHA-256 of its note's text, 64 hexadecimal digits. §4.2."""

EventHash = NewType("EventHash", str)
"""An event of a ledger: the SHA-256 of its note's text, 64 hexadecimal digits. §13.1."""

TextHash = NewType("TextHash", str)
"""A revision of a finding: the SHA-256 of its note's text, 64 hexadecimal digits. §13.2, §14."""

# SPDX-License-Identifier: AGPL-3.0-or-later
"""The manifest of a submission: its sealed files, its mailbox, and the commitment to it. docs/protocol.md §3, §6."""

import hashlib
from dataclasses import dataclass

from crypto.age_pq import PqRecipient
from crypto.control import control_verifier
from crypto.document import Fields, read_document
from crypto.encoding import HASH_BYTES, ID_BYTES, decode_hex, encode_json, label
from crypto.errors import MalformedError
from crypto.ids import CharterHash, SubmissionId

MANIFEST_MAX = 64 * 1024
REPORT_FILE = "report.age"
GRANT_FILE = "grant.age"
URGENCY_FILE = "urgency.age"
STATE_FILE = "state.age"
REQUIRED_FILES = (REPORT_FILE, GRANT_FILE, URGENCY_FILE)
ATTACHMENTS_MAX = 32

# Largest sealed files in bytes, age header included.
REPORT_SEALED_MAX = 2 * 1024 * 1024
GRANT_SEALED_MAX = 256 * 1024
URGENCY_SEALED_MAX = 32 * 1024
STATE_SEALED_MAX = 32 * 1024
ATTACHMENT_SEALED_MAX = 2 * 1024**3


class ManifestError(MalformedError):
    """A manifest does not follow its format; a class of its own because the portal's API has a code for it."""


@dataclass(frozen=True)
class SealedFile:
    """One sealed file: its name, its size in bytes, and the SHA-256 of its bytes in hex."""

    name: str
    size: int
    sha256: str


@dataclass(frozen=True)
class Manifest:
    """The manifest's members; ``recipient`` is S, ``control`` V, and ``mailbox`` the mailbox id that commits to them.

    Ids, hashes and V are in hex. The state is not among the files: it names the hash of the manifest.
    """

    submission: SubmissionId
    charter: CharterHash
    mailbox: str
    recipient: PqRecipient
    control: str
    token_sha256: str
    files: tuple[SealedFile, ...]

    @property
    def attachments(self) -> tuple[SealedFile, ...]:
        return self.files[len(REQUIRED_FILES) :]

    def encode(self) -> bytes:
        """Return the bytes of ``manifest.json``. Raises as ``read_manifest``."""
        encoded = encode_json(
            {
                "version": "amparo/v1/manifest",
                "submission": self.submission,
                "charter": self.charter,
                "mailbox": self.mailbox,
                "recipient": str(self.recipient),
                "control": self.control,
                "token_sha256": self.token_sha256,
                "files": [{"name": file.name, "size": file.size, "sha256": file.sha256} for file in self.files],
            }
        )
        read_manifest(encoded)
        return encoded


def mailbox_id(recipient: PqRecipient, control: str, token_sha256: str) -> str:
    """The mailbox id (hex) of S, V (hex) and the token's SHA-256 (hex): who reads, who commands, who may ask (§3)."""
    parts = recipient.key + decode_hex(control, HASH_BYTES) + decode_hex(token_sha256, HASH_BYTES)
    return hashlib.sha256(label("mailbox") + parts).digest()[:ID_BYTES].hex()


def attachment_file(number: int) -> str:
    """Return the file name of attachment ``number``, counted from 1."""
    return f"attachment-{number}.age"


def sealed_size_max(name: str) -> int:
    """Return the largest size in bytes of a sealed file of this name (of an attachment under any charter)."""
    limits = {
        REPORT_FILE: REPORT_SEALED_MAX,
        GRANT_FILE: GRANT_SEALED_MAX,
        URGENCY_FILE: URGENCY_SEALED_MAX,
        STATE_FILE: STATE_SEALED_MAX,
    }
    return limits.get(name, ATTACHMENT_SEALED_MAX)


def read_manifest(data: bytes) -> Manifest:
    """Read ``manifest.json``.

    Raises LimitError above 64 KiB or when a file is larger than §6.1 allows, UnsupportedVersionError for another
    version, ManifestError for everything else that does not follow §6. *Not* checked: that the charter exists and that
    the files match the manifest.
    """
    try:
        return _read_fields(read_document(data, "manifest", MANIFEST_MAX))
    except MalformedError as error:
        raise ManifestError(str(error)) from None


def manifest_hash(manifest_bytes: bytes) -> str:
    """Return the SHA-256 of the manifest's bytes, in hex."""
    return hashlib.sha256(manifest_bytes).hexdigest()


def commitment(leaf_nonce: bytes, hash_of_manifest: str) -> str:
    """Return SHA-256(label(``leaf``) ‖ leaf-nonce (32 bytes) ‖ manifest hash), hex. MalformedError for another size."""
    if len(leaf_nonce) != HASH_BYTES:
        raise MalformedError(f"a leaf nonce must have {HASH_BYTES} bytes")
    return hashlib.sha256(label("leaf") + leaf_nonce + decode_hex(hash_of_manifest, HASH_BYTES)).hexdigest()


def _read_fields(fields: Fields) -> Manifest:
    manifest = Manifest(
        submission=SubmissionId(fields.hex("submission", ID_BYTES)),
        charter=CharterHash(fields.hex("charter", HASH_BYTES)),
        mailbox=fields.hex("mailbox", ID_BYTES),
        recipient=PqRecipient.from_string(fields.text("recipient")),
        control=fields.hex("control", HASH_BYTES),
        token_sha256=fields.hex("token_sha256", HASH_BYTES),
        files=fields.items("files", len(REQUIRED_FILES) + ATTACHMENTS_MAX, _read_file),
    )
    fields.end()
    control_verifier(manifest.mailbox, manifest.control)
    if manifest.mailbox != mailbox_id(manifest.recipient, manifest.control, manifest.token_sha256):
        raise MalformedError("the mailbox id of the manifest does not commit to its keys")
    names = [file.name for file in manifest.files]
    attachments = max(0, len(names) - len(REQUIRED_FILES))
    if names != [*REQUIRED_FILES, *(attachment_file(number + 1) for number in range(attachments))]:
        raise MalformedError("the manifest does not name the expected files in the expected order")
    return manifest


def _read_file(item: object) -> SealedFile:
    fields = Fields(item, "file of the manifest")
    name = fields.text("name", max_chars=32)
    file = SealedFile(name, fields.integer("size", 1, sealed_size_max(name)), fields.hex("sha256", HASH_BYTES))
    fields.end()
    return file

# SPDX-License-Identifier: AGPL-3.0-or-later
"""The office's signature on a request to the portal: RFC 9421 with Ed25519 (docs/protocol.md §10)."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from http_message_signatures import HTTPMessageSigner, MappingKeyResolver, algorithms

from crypto.encoding import encode_base64
from crypto.note import SigningKey

LABEL = "amparo"
NONCE_BYTES = 16


@dataclass
class SignedParts:
    """What the signature covers: the address that the *portal* knows itself by, whatever way the request goes."""

    method: str
    url: str
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class RequestSigner:
    """Signs requests with one office key; every signature has a fresh nonce, so that a retry is not a replay."""

    key: SigningKey
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    random: Callable[[int], bytes] = secrets.token_bytes

    def headers(self, method: str, target_uri: str, body: bytes | None) -> dict[str, str]:
        """The headers ``Content-Digest`` (with a body), ``Signature-Input`` and ``Signature``."""
        key_id = self.key.verifier.short_id
        parts = SignedParts(method, target_uri)
        signer = HTTPMessageSigner(
            signature_algorithm=algorithms.ED25519,
            key_resolver=MappingKeyResolver(
                public_keys={}, private_keys={key_id: Ed25519PrivateKey.from_private_bytes(self.key.seed)}
            ),
        )
        signer.sign(
            parts,
            key_id=key_id,
            created=self.clock(),
            nonce=encode_base64(self.random(NONCE_BYTES)),
            label=LABEL,
            include_alg=False,
            covered_component_ids=("@method", "@target-uri"),
            body=body,
        )
        return parts.headers

# SPDX-License-Identifier: AGPL-3.0-or-later
"""Signs requests as an office does, so that the portal's tests need nothing of the office."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from http_message_signatures import HTTPMessageSigner, MappingKeyResolver, algorithms

from crypto.encoding import encode_base64
from crypto.note import SigningKey
from tests.chance import fresh_bytes


@dataclass
class _Parts:
    method: str
    url: str
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class RequestSigner:
    """One office key; every signature has a fresh nonce unless one is given."""

    key: SigningKey
    clock: Callable[[], datetime]
    algorithm: type[algorithms.HTTPSignatureAlgorithm] = algorithms.ED25519

    def headers(self, method: str, target_uri: str, body: bytes | None, **changes: Any) -> dict[str, str]:
        key_id = self.key.verifier.short_id
        private = Ed25519PrivateKey.from_private_bytes(self.key.seed)
        resolver = MappingKeyResolver(public_keys={}, private_keys={key_id: private})
        parts = _Parts(method, target_uri)
        options: dict[str, Any] = {
            "created": self.clock(),
            "nonce": encode_base64(fresh_bytes(16)),
            "label": "amparo",
            "include_alg": False,
            "covered_component_ids": ("@method", "@target-uri"),
            **changes,
        }
        signer = HTTPMessageSigner(signature_algorithm=self.algorithm, key_resolver=resolver)
        signer.sign(parts, key_id=key_id, body=body, **options)
        return parts.headers

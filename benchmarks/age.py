# SPDX-License-Identifier: AGPL-3.0-or-later
"""How fast age files are sealed and opened, beside the AEAD alone: ``python -m benchmarks.age [MEGABYTES]``.

Method. One buffer of random bytes (256 MB unless told otherwise) goes through ``seal_stream`` and ``open_stream`` to a
sink that drops what it gets, and through ChaCha20-Poly1305 alone on the same chunks of 64 KiB: one key, counted nonces,
the result dropped, no reading and no header. All four take turns within each round, so that a busy machine slows all of
them; the table shows medians over the rounds, and the ratio is the median of the ratios within each round. MB are 10⁶
bytes of plaintext. The header operations are medians too, each of many single calls.
"""

import io
import os
import statistics
import sys
import time
from collections.abc import Callable

from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from crypto.age import PqIdentity, PqRecipient, X25519Identity, open_stream, parse_recipient, seal_stream
from crypto.age_header import encode_header, read_header
from crypto.age_stream import CHUNK_SIZE, SEALED_CHUNK_SIZE

ROUNDS = 7
HEADER_CALLS = 200
GRANT_SLOTS = 64


class Dropped(io.BytesIO):
    """A sink that keeps nothing."""

    def write(self, data: object) -> int:
        return len(data)  # type: ignore[arg-type]


def measure_seconds(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def seal_chunks(aead: ChaCha20Poly1305, data: memoryview) -> None:
    for counter, start in enumerate(range(0, len(data), CHUNK_SIZE)):
        aead.encrypt(counter.to_bytes(12, "big"), data[start : start + CHUNK_SIZE], None)


def open_chunks(aead: ChaCha20Poly1305, data: memoryview) -> None:
    for counter, start in enumerate(range(0, len(data), SEALED_CHUNK_SIZE)):
        aead.decrypt(counter.to_bytes(12, "big"), data[start : start + SEALED_CHUNK_SIZE], None)


def prepare_payloads(size: int) -> dict[str, Callable[[], object]]:
    identity = PqIdentity.generate()
    recipients = [identity.recipient()]
    plaintext = os.urandom(size)
    sealed = io.BytesIO()
    seal_stream(io.BytesIO(plaintext), sealed, recipients)
    age_file = sealed.getvalue()

    aead = ChaCha20Poly1305(ChaCha20Poly1305.generate_key())
    chunks = io.BytesIO()
    for counter, start in enumerate(range(0, size, CHUNK_SIZE)):
        chunks.write(aead.encrypt(counter.to_bytes(12, "big"), plaintext[start : start + CHUNK_SIZE], None))
    sealed_chunks = chunks.getvalue()

    return {
        "AEAD seal": lambda: seal_chunks(aead, memoryview(plaintext)),
        "age seal": lambda: seal_stream(io.BytesIO(plaintext), Dropped(), recipients),
        "AEAD open": lambda: open_chunks(aead, memoryview(sealed_chunks)),
        "age open": lambda: open_stream(io.BytesIO(age_file), Dropped(), [identity]),
    }


def print_payloads(size: int) -> None:
    calls = prepare_payloads(size)
    rounds = [{name: measure_seconds(call) for name, call in calls.items()} for _ in range(ROUNDS)]
    print(f"payload, {size / 1e6:.0f} MB, {ROUNDS} rounds      MB/s   of AEAD alone")
    for name in calls:
        speed = size / 1e6 / statistics.median(taken[name] for taken in rounds)
        alone = f"AEAD {name.split()[1]}"
        ratio = statistics.median(taken[alone] / taken[name] for taken in rounds)
        print(f"  {name:<28} {speed:8.0f}   {ratio:8.0%}")


def prepare_headers() -> dict[str, Callable[[], object]]:
    identity = PqIdentity.generate()
    recipient = identity.recipient()
    text = str(recipient)
    file_key = os.urandom(16)
    stanza = recipient.wrap(file_key)
    others = [PqIdentity.generate().recipient().wrap(file_key) for _ in range(GRANT_SLOTS - 1)]
    grant = encode_header([*others, stanza], file_key)
    classical = X25519Identity.generate()
    classical_recipient = classical.recipient()
    classical_stanza = classical_recipient.wrap(file_key)
    return {
        "mlkem768x25519 wrap": lambda: recipient.wrap(file_key),
        "mlkem768x25519 unwrap": lambda: identity.unwrap([stanza]),
        f"unwrap the last of {GRANT_SLOTS}": lambda: identity.unwrap([*others, stanza]),
        f"parse a header of {GRANT_SLOTS}": lambda: read_header(io.BytesIO(grant)),
        "identity to recipient": identity.recipient,
        "recipient from text": lambda: parse_recipient(text),
        "recipient to text": lambda: str(PqRecipient(recipient.key)),
        "X25519 wrap": lambda: classical_recipient.wrap(file_key),
        "X25519 unwrap": lambda: classical.unwrap([classical_stanza]),
    }


def print_headers() -> None:
    print(f"\nheader, {HEADER_CALLS} calls                  µs")
    for name, call in prepare_headers().items():
        taken = statistics.median(measure_seconds(call) for _ in range(HEADER_CALLS))
        print(f"  {name:<28} {taken * 1e6:8.0f}")


def main() -> None:
    megabytes = int(sys.argv[1]) if len(sys.argv) > 1 else 256
    print_payloads(megabytes * 1_000_000)
    print_headers()


if __name__ == "__main__":
    main()

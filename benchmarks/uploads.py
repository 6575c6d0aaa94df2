# SPDX-License-Identifier: AGPL-3.0-or-later
"""Upload of large attachments in parts: MB/s, and what it costs the server in memory: ``python -m benchmarks.uploads``.

Method. The portal runs as its own process with its defaults: blobs in a folder, every part written, hashed and synced,
then its folders. 100 MB, as two attachments, go up in parts of 4 MiB, two at a time over two connections, as the form
does it; then the submission that names them is sent, for which the portal reads all of them again and hashes the whole.
In the same round the same bytes go, part by part, to a handler on the same server that only writes each to a file and
syncs: the bound. Memory is the server's highest resident size (VmHWM) after the uploads less that before, when it had
taken one small submission. MB are 10⁶ bytes.
"""

import base64
import hashlib
import io
import re
import statistics
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from secrets import token_bytes, token_hex

from benchmarks.http_clients import exchange_all, make_request
from benchmarks.submissions import wait_until_idle
from crypto.age import PqIdentity, seal_stream
from crypto.bundle import MEDIA_TYPE, write_bundle
from crypto.manifest import Manifest, SealedFile
from crypto.receipt_code import new_code
from crypto.submission import SealedSubmission, seal_submission
from portal.storage.blobs import BLOCK_BYTES, PART_BYTES
from tests.people import TODAY, World
from tests.servers import ROOT, free_port, portal_program, post_test_charter

BYTES = 100_000_000
ROUNDS = 5
CONNECTIONS = 2
FILES = ("attachment-1.age", "attachment-2.age")


def seal_small(world: World) -> SealedSubmission:
    return seal_submission(
        charter=world.charter,
        receipt_digits=new_code(),
        language="en",
        answers={"story": "A short one."},
        sealed_by="command-line",
        today=TODAY,
    )


def seal_attachment(size: int) -> bytes:
    sealed = io.BytesIO()
    seal_stream(io.BytesIO(token_bytes(size)), sealed, [PqIdentity.generate().recipient()])
    return sealed.getvalue()


def name_attachments(small: SealedSubmission, attachments: dict[str, bytes]) -> tuple[Manifest, bytes]:
    """A manifest under an id of its own that names the attachments, and its bundle without them."""
    entries = [SealedFile(name, len(data), hashlib.sha256(data).hexdigest()) for name, data in attachments.items()]
    manifest = replace(small.manifest, submission=token_hex(16), files=(*small.manifest.files, *entries))
    return manifest, write_bundle(manifest.encode(), small.commitment, small.files.items())


def part_requests(submission: str, attachments: dict[str, bytes]) -> list[bytes]:
    requests = []
    for name, data in attachments.items():
        for start in range(0, len(data), PART_BYTES):
            part = data[start : start + PART_BYTES]
            digest = base64.b64encode(hashlib.sha256(part).digest()).decode()
            path = f"/api/v1/uploads/{submission}/{name}/{start // BLOCK_BYTES}"
            requests.append(make_request("PUT", path, {"Content-Digest": f"sha-256=:{digest}:"}, part))
    return requests


def send(port: int, requests: list[bytes], connections: int = CONNECTIONS) -> float:
    """Seconds until all are answered with 201."""
    seconds, done = exchange_all(port, requests, connections)
    refused = [exchange.body for exchange in done if exchange.status != 201]
    if refused or len(done) != len(requests):
        raise SystemExit(f"refused: {refused}")
    return seconds


def memory_peak_mb(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    assert found
    return int(found[1]) * 1024 / 1e6


def main() -> None:
    with tempfile.TemporaryDirectory(dir=ROOT / "var" if (ROOT / "var").is_dir() else None) as name:
        portal = portal_program(Path(name))
        portal.start()
        port = free_port()
        bare = subprocess.Popen([sys.executable, "-m", "benchmarks.bare_handler", str(port), name, "many"], cwd=ROOT)
        try:
            world = post_test_charter(portal)
            small = seal_small(world)
            headers = {"Content-Type": MEDIA_TYPE}
            send(portal.port, [make_request("POST", "/api/v1/submissions", headers, small.bundle())])
            attachments = {name: seal_attachment(BYTES // len(FILES)) for name in FILES}
            # Building pages takes memory of its own.
            wait_until_idle(portal.pid)
            before = memory_peak_mb(portal.pid)
            rates: list[tuple[float, float]] = []
            for _ in range(ROUNDS):
                manifest, bundle = name_attachments(small, attachments)
                requests = part_requests(manifest.submission, attachments)
                bound = BYTES / 1e6 / send(port, requests)
                rate = BYTES / 1e6 / send(portal.port, requests)
                finish = send(portal.port, [make_request("POST", "/api/v1/submissions", headers, bundle)], 1)
                rates.append((rate, bound))
                print(
                    f"{rate:6.0f} MB/s  bound {bound:6.0f} MB/s  {rate / bound:4.0%}  then accepted in {finish:.2f} s"
                )
            ratio = statistics.median(rate / bound for rate, bound in rates)
            median = statistics.median(rate for rate, _ in rates)
            growth = memory_peak_mb(portal.pid) - before
            print(
                f"median {median:.0f} MB/s, {ratio:.0%} of the bound; memory {before:.0f} MB, grown by {growth:.1f} MB"
            )
        finally:
            portal.stop()
            bare.terminate()
            bare.wait()


if __name__ == "__main__":
    main()

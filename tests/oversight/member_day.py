# SPDX-License-Identifier: AGPL-3.0-or-later
"""A member at work in a real office process, and every secret that this brings into its memory."""

import asyncio
import base64
import hashlib
import re
import socket
import sqlite3
from dataclasses import dataclass
from pathlib import Path

import httpx
import pyotp

from crypto.age_pq import MLKEM_SEED_SIZE, X25519_SIZE
from crypto.grant import open_grant
from crypto.keyring import _HEADER, _derive
from crypto.manifest import GRANT_FILE
from crypto.submission import SealedSubmission
from oversight.storage import Database
from tests.memory import Secrets, forms
from tests.oversight.case_desk import store
from tests.oversight.sealed_reports import sealed_report
from tests.people import TODAY, Person, World, found_test_commission, settle_office
from tests.servers import Program, free_port
from tests.waiting import SECONDS_MAX

MEMBER = "amina"
REPORT = "rare-canary-word"
NOTE = "rare-quokka-word"
DRAFT = "rare-wombat-word"
NEW_PASSPHRASE = "blanket quarry tinsel marmot oxide fennel"
WRONG = "rare-numbat-word"
COOKIE = "session"


@dataclass
class MemberDay:
    """An office of its own process with one report in it, and the browser of one member."""

    folder: Path
    static: Path

    def __post_init__(self) -> None:
        port = free_port()
        settings = {"OVERSIGHT_DATA": str(self.data), "OVERSIGHT_PORT": str(port), "OVERSIGHT_STATIC": str(self.static)}
        self.office = Program("oversight", port, settings, self.folder / "office.log")
        self.browser = httpx.Client(base_url=self.office.origin, timeout=SECONDS_MAX, trust_env=False)
        self.browser.headers["sec-fetch-site"] = "same-origin"
        self.world = found_test_commission()
        self.report = sealed_report(self.world)
        self.cookies: list[str] = []

    @property
    def data(self) -> Path:
        return self.folder / "office"

    @property
    def person(self) -> Person:
        return self.world[MEMBER]

    def begin(self) -> None:
        """The office, with the test commission and a report in it, is running."""
        self.data.mkdir()
        asyncio.run(_settle(self.data, self.world, self.report))
        self.office.start()

    def end(self) -> None:
        self.browser.close()
        self.office.stop()

    def come_to_rest(self) -> None:
        """Return when the office is done with what it has answered: it does one thing after the other."""
        with socket.create_connection(("127.0.0.1", self.office.port)) as connection:
            connection.sendall(b"?\r\n\r\n")
            assert connection.recv(100).startswith(b"HTTP/1.1 400 ")

    def see_login(self) -> None:
        """Be answered as somebody whom nobody knows."""
        assert httpx.get(f"{self.office.origin}/login", timeout=SECONDS_MAX, trust_env=False).status_code == 200

    def log_in(self, **changed: str) -> httpx.Response:
        code = pyotp.TOTP(self.person.totp_secret).now()
        form = {"username": self.person.username, "passphrase": self.person.passphrase, "code": code}
        answer = self.browser.post("/login", data={**form, **changed})
        if answer.status_code == 303:
            self.cookies.append(self.browser.cookies[COOKIE])
        return answer

    def work(self) -> None:
        """Look at the queue and the report, open a case, write a note into it, and begin a letter."""
        report = self.report.manifest.submission
        self._see("/queue")
        assert REPORT in self._see(f"/reports/{report}")
        opened = self._send(f"/reports/{report}/case", policy="eu-2019-1937", no_conflict="yes")
        case = opened.headers["location"].partition("?")[0]
        page = self._see(f"{case}/notes")
        head = re.search(r'name="head" value="([0-9a-f]{64})"', page)
        assert head is not None
        self._send(f"{case}/notes", head=head[1], note=NOTE)
        assert NOTE in self._see(f"{case}/notes")
        self._send(f"/reports/{report}/reply", language="ar", body=DRAFT)
        assert DRAFT in self._see(f"/reports/{report}/reply/preview")

    def change_passphrase(self) -> None:
        old, new = self.person.passphrase, NEW_PASSPHRASE
        answer = self._send("/account/passphrase", present=old, new=new, again=new)
        assert answer.headers["location"] == "/account?done=passphrase"

    def lock(self) -> None:
        assert self._send("/lock").headers["location"] == "/login?locked"

    def secrets(self) -> Secrets:
        """What must not be in memory while nobody is being answered; to be asked for after the login."""
        keyring, passphrase = self.person.keyring, self.person.passphrase
        keys = open_grant(self.report.files[GRANT_FILE], [self.person.identity]).identity
        sessions = [base64.urlsafe_b64decode(cookie) for cookie in self.cookies]
        return {
            "identity seed": forms(keyring.identity_seed),
            "signing seed": forms(keyring.signing_seed),
            "index key": forms(keyring.index_key),
            "keys made of the identity": forms(*_made_of_identity(keyring.identity_seed)),
            "key made of the signing seed": forms(_ed25519_scalar(keyring.signing_seed)),
            "passphrase": forms(passphrase.encode(), passphrase.replace(" ", "+").encode()),
            "new passphrase": forms(NEW_PASSPHRASE.encode(), NEW_PASSPHRASE.replace(" ", "+").encode()),
            "a wrong passphrase": forms(WRONG.encode()),
            "keys made of the passphrase": forms(*self._passphrase_keys()),
            "session's key": forms(*(data[-32:] for data in sessions)),
            "session's cookie": forms(*(cookie.encode() for cookie in self.cookies)),
            "second factor": forms(self.person.totp_secret.encode(), base64.b32decode(self.person.totp_secret)),
            "thread's key": forms(keys.seed),
            "report": forms(REPORT),
            "note": forms(NOTE),
            "draft": forms(DRAFT),
        }

    def _passphrase_keys(self) -> list[bytes]:
        """Keys that Argon2 made of the passphrase: for the keyring as it was, and as it is."""
        database = sqlite3.connect(self.data / "office.sqlite3")
        rows = database.execute("SELECT keyring FROM member WHERE label = ?", [MEMBER]).fetchall()
        database.close()
        sealed = (self.person.sealed_keyring, *(row[0] for row in rows))
        return [_derive(each[: _HEADER.size], self.person.passphrase) for each in sealed]

    def _see(self, path: str) -> str:
        answer = self.browser.get(path)
        assert answer.status_code == 200, answer.text
        return answer.text

    def _send(self, path: str, **form: str) -> httpx.Response:
        answer = self.browser.post(path, data=form)
        assert answer.status_code == 303, answer.text
        return answer


async def _settle(folder: Path, world: World, report: SealedSubmission) -> None:
    database = await Database.open(f"sqlite://{folder / 'office.sqlite3'}")
    try:
        with database.use():
            await settle_office(world, folder / "secrets")
            await store(report, TODAY)
    finally:
        await database.close()


def _made_of_identity(seed: bytes) -> tuple[bytes, ...]:
    """Seed of ML-KEM, its sigma (FIPS 203, algorithm 13), a part of its decapsulation key, the scalar of X25519."""
    stretched = hashlib.shake_256(seed).digest(MLKEM_SEED_SIZE + X25519_SIZE)
    mlkem, scalar = stretched[:MLKEM_SEED_SIZE], stretched[MLKEM_SEED_SIZE:]
    sigma = hashlib.sha3_512(mlkem[:32] + b"\x03").digest()[32:]
    return (mlkem, sigma, *_decapsulation_key(sigma), scalar)


def _decapsulation_key(sigma: bytes) -> tuple[bytes, bytes]:
    """The first 32 coefficients of ML-KEM's secret vector: as it is written, and as numbers of 16 bits."""
    bits = int.from_bytes(hashlib.shake_256(sigma + b"\0").digest(128), "little")
    nibbles = [bits >> (4 * place) & 15 for place in range(256)]
    values = [((nibble & 3).bit_count() - (nibble >> 2).bit_count()) % 3329 for nibble in nibbles]
    root, length = 1, 128
    while length >= 2:
        for start in range(0, 256, 2 * length):
            zeta = pow(17, int(f"{root:07b}"[::-1], 2), 3329)
            root += 1
            for place in range(start, start + length):
                other = zeta * values[place + length] % 3329
                values[place], values[place + length] = (values[place] + other) % 3329, (values[place] - other) % 3329
        length //= 2
    written = sum(value << (12 * place) for place, value in enumerate(values[:32]))
    return written.to_bytes(48, "little"), b"".join(value.to_bytes(2, "little") for value in values[:32])


def _ed25519_scalar(seed: bytes) -> bytes:
    """RFC 8032, section 5.1.5."""
    scalar = bytearray(hashlib.sha512(seed).digest()[:32])
    scalar[0] &= 248
    scalar[31] = scalar[31] & 127 | 64
    return bytes(scalar)

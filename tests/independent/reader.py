# SPDX-License-Identifier: AGPL-3.0-or-later
"""A second reader of what a reporter's device reads, written from docs/protocol.md and nothing else.

It imports the standard library and ``cryptography`` alone, and shares no line with ``crypto/``. Where it can't be
written, or reads a vector in another way, docs/protocol.md leaves something open.
"""

import base64
import binascii
import hashlib
import hmac
import json
import re
from collections.abc import Callable
from datetime import date
from typing import Any

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives import hashes, hpke
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey, MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC

Json = Any
Check = Callable[[Any], object]

JSON_DEPTH_MAX = 32
COUNT_MAX = 1_000_000
GENERATION_MAX = 1_000
EXCLUDED_MAX = 63
ATTACHMENTS_MAX = 32
MANIFEST_MAX = 64 << 10
NOTE_MAX = 1 << 20
SIGNATURES_MAX = 64
KEY_NAME_MAX = 255
HEADER_MAX = 1 << 20
STANZAS_MAX = 256
CHUNK = 64 << 10
STATE_SIZE = 16_384
URGENCY_SIZE = 256
MESSAGE_FLOOR = 4_096
FOLLOW_UP_MAX = 60 << 10
BODY_MAX = 64 << 10
REPLY_MAX = 512 << 10
SENT_MAX = 100
THREADS_MAX = 8


class ReaderError(Exception):
    """What a reader refuses; each kind has the name that the vectors give it."""


class MalformedError(ReaderError):
    pass


class UnsupportedVersionError(ReaderError):
    pass


class LimitError(ReaderError):
    pass


class NotARecipientError(ReaderError):
    pass


class AuthenticationError(ReaderError):
    pass


class ReceiptCodeError(ReaderError):
    def __init__(self, reason: str, groups: list[int]) -> None:
        super().__init__(reason)
        self.reason, self.groups = reason, groups


def _require(condition: bool, what: str, kind: type[ReaderError] = MalformedError) -> None:
    if not condition:
        raise kind(what)


# ---- section 1: conventions


def _label(name: str) -> bytes:
    return b"amparo/v1/" + name.encode() + b"\n"


def _sha256(*parts: bytes) -> bytes:
    return hashlib.sha256(b"".join(parts)).digest()


def from_hex(text: str, size: int) -> bytes:
    _require(isinstance(text, str) and re.fullmatch(f"[0-9a-f]{{{2 * size}}}", text, re.ASCII) is not None, "hex")
    return bytes.fromhex(text)


def from_base64(text: str) -> bytes:
    try:
        data = base64.b64decode(text.encode("ascii"), validate=True)
    except (binascii.Error, ValueError) as error:
        raise MalformedError("base64") from error
    _require(base64.b64encode(data).decode() == text, "base64")
    return data


def encode_json(value: Json) -> bytes:
    try:
        return _json_text(value).encode()
    except UnicodeEncodeError as error:
        raise MalformedError("a lone surrogate") from error


def _json_text(value: Json, depth: int = 0) -> str:
    _require(depth <= JSON_DEPTH_MAX, "nested too deep")
    if isinstance(value, dict):
        names = sorted(value, key=lambda name: name.encode("utf-16-be", "surrogatepass"))
        pairs = (f"{_json_text(name)}:{_json_text(value[name], depth + 1)}" for name in names)
        return "{" + ",".join(pairs) + "}"
    if isinstance(value, list):
        return "[" + ",".join(_json_text(each, depth + 1) for each in value) + "]"
    if isinstance(value, int) and not isinstance(value, bool):
        _require(abs(value) < 1 << 53, "an integer out of range")
    else:
        _require(value is None or isinstance(value, bool | str), "no such value")
    return json.dumps(value, ensure_ascii=False)


def decode_json(data: bytes, size_max: int) -> Json:
    _require(len(data) <= size_max, "too long", LimitError)
    try:
        value = json.loads(data.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise MalformedError("no JSON") from error
    _require(encode_json(value) == data, "not canonical")
    return value


def _object(value: Json, members: dict[str, Check]) -> None:
    """Exactly these members; each is checked in the order given."""
    _require(isinstance(value, dict) and set(value) == set(members), "other members")
    for name, check in members.items():
        check(value[name])


def _document(value: Json, version: str, members: dict[str, Check]) -> None:
    _require(isinstance(value, dict) and isinstance(value.get("version"), str), "no version")
    other = UnsupportedVersionError if value["version"].startswith("amparo/") else MalformedError
    _require(value["version"] == version, value["version"], other)
    _object(value, {"version": lambda _: None, **members})


def _integer(least: int, greatest: int) -> Check:
    def check(value: Json) -> None:
        _require(isinstance(value, int) and not isinstance(value, bool), "not an integer")
        _require(least <= value <= greatest, "out of range", LimitError)

    return check


def _hex(size: int) -> Check:
    return lambda value: _require(len(from_hex(value, size)) == size, "hex")


def _text_like(pattern: str) -> Check:
    def check(value: Json) -> None:
        _require(isinstance(value, str) and re.fullmatch(pattern, value, re.ASCII) is not None, pattern)

    return check


def _day(value: Json) -> None:
    _text_like(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")(value)
    try:
        date.fromisoformat(value)
    except ValueError as error:
        raise MalformedError("no such day") from error


def _list(length_max: int, check: Check) -> Check:
    def check_all(value: Json) -> None:
        _require(isinstance(value, list), "not a list")
        _require(len(value) <= length_max, "too many", LimitError)
        for each in value:
            check(each)

    return check_all


def _excluded(value: Json) -> None:
    _list(EXCLUDED_MAX, _text_like("[a-z][a-z0-9-]{0,30}"))(value)
    _require(value == sorted(set(value)), "not in rising order")


LANGUAGE = _text_like("[a-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}")


def padme(size: int) -> int:
    if size < 2:
        return size
    exponent = size.bit_length() - 1
    low_bits = exponent - exponent.bit_length()
    return (size + (1 << low_bits) - 1) >> low_bits << low_bits


def pad(content: bytes, floor: int) -> bytes:
    return (len(content).to_bytes(4, "big") + content).ljust(padme(max(4 + len(content), floor)), b"\0")


def unpad(padded: bytes, floor: int, content_max: int) -> bytes:
    _require(len(padded) >= 4, "no length")
    size = int.from_bytes(padded[:4], "big")
    _require(size <= content_max, "too long", LimitError)
    content = padded[4 : 4 + size]
    _require(len(content) == size and pad(content, floor) == padded, "padding")
    return content


# ---- section 2: sealing

_BECH32 = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_SUITE = hpke.Suite(hpke.KEM.MLKEM768_X25519, hpke.KDF.HKDF_SHA256, hpke.AEAD.CHACHA20_POLY1305)
_HPKE_INFO = b"age-encryption.org/mlkem768x25519"


def _polymod(values: list[int]) -> int:
    check = 1
    for value in values:
        top, check = check >> 25, (check & 0x1FFFFFF) << 5 ^ value
        for bit, generator in enumerate((0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)):
            check ^= generator * (top >> bit & 1)
    return check


def _bech32(prefix: str, data: bytes) -> str:
    bits = int.from_bytes(data, "big") << (-len(data) * 8 % 5)
    values = [bits >> shift & 31 for shift in range(-(-len(data) * 8 // 5) * 5 - 5, -1, -5)]
    expanded = [ord(each) >> 5 for each in prefix] + [0] + [ord(each) & 31 for each in prefix]
    check = _polymod([*expanded, *values, *[0] * 6]) ^ 1
    values += [check >> shift & 31 for shift in range(25, -1, -5)]
    return f"{prefix}1" + "".join(_BECH32[each] for each in values)


def recipient_bytes(text: Json) -> bytes:
    """The 1 216 bytes of ``age1pq1…``."""
    _require(isinstance(text, str) and text.startswith("age1pq1") and len(text) == 7 + 1_946 + 6, "no recipient")
    _require(set(text[7:]) <= set(_BECH32), "no recipient")
    bits = 0
    for each in text[7:-6]:
        bits = bits << 5 | _BECH32.index(each)
    data = (bits >> 2).to_bytes(1_216, "big")
    _require(_bech32("age1pq", data) == text, "no recipient")
    try:
        MLKEM768PublicKey.from_public_bytes(data[:1_184])
        X25519PrivateKey.from_private_bytes(bytes(32)).exchange(X25519PublicKey.from_public_bytes(data[1_184:]))
    except ValueError as error:
        raise MalformedError("no recipient") from error
    return data


class Identity:
    """An age identity of type ``mlkem768x25519``, from its seed of 32 bytes."""

    def __init__(self, seed: bytes) -> None:
        expanded = hashlib.shake_256(seed).digest(96)
        kem = MLKEM768PrivateKey.from_seed_bytes(expanded[:64])
        curve = X25519PrivateKey.from_private_bytes(expanded[64:])
        self._key = hpke.MLKEM768X25519PrivateKey(kem, curve)
        self.public = kem.public_key().public_bytes_raw() + curve.public_key().public_bytes_raw()

    @property
    def recipient(self) -> str:
        return _bech32("age1pq", self.public)

    def open(self, sealed: bytes) -> bytes:
        stanzas, header, mac, payload = _age_header(sealed)
        for arguments, body in stanzas:
            _require(arguments[0] == "mlkem768x25519", "another kind of stanza")
            _require(len(arguments) == 2 and len(body) == 32, "stanza")
            try:
                file_key = _SUITE.decrypt(_unpadded_base64(arguments[1]) + body, self._key, info=_HPKE_INFO)
            except (InvalidTag, ValueError):
                continue
            expected = hmac.digest(_hkdf(file_key, b"", b"header"), header, "sha256")
            _require(hmac.compare_digest(mac, expected), "header", AuthenticationError)
            return _open_payload(file_key, payload)
        raise NotARecipientError("no stanza opens")


def _hkdf(key: bytes, salt: bytes, info: bytes, size: int = 32) -> bytes:
    return HKDF(hashes.SHA256(), size, salt or None, info).derive(key)


def _unpadded_base64(text: str) -> bytes:
    _require(not text.endswith("="), "base64")
    return from_base64(text + "=" * (-len(text) % 4))


def _age_header(sealed: bytes) -> tuple[list[tuple[list[str], bytes]], bytes, bytes, bytes]:
    """The stanzas, the bytes under the header's MAC, the MAC, and what follows it."""
    lines: list[str] = []
    position, stanzas = 0, []
    while not lines or not lines[-1].startswith("---"):
        end = sealed.find(b"\n", position, HEADER_MAX)
        _require(end >= 0, "header")
        try:
            lines.append(sealed[position:end].decode("ascii"))
        except UnicodeDecodeError as error:
            raise MalformedError("header") from error
        position = end + 1
    _require(lines[0] == "age-encryption.org/v1" and lines[-1].startswith("--- "), "header")
    rest = lines[1:-1]
    while rest:
        first, body = rest.pop(0), ""
        _require(first.startswith("-> "), "stanza")
        while len(body) % 64 == 0:
            _require(bool(rest) and len(rest[0]) <= 64, "stanza")
            body += rest[0]
            if not rest.pop(0):
                break
        stanzas.append((first[3:].split(" "), _unpadded_base64(body)))
    _require(len(stanzas) <= STANZAS_MAX, "stanzas", LimitError)
    mac = _unpadded_base64(lines[-1][4:])
    return stanzas, sealed[: position - len(lines[-1]) - 1] + b"---", mac, sealed[position:]


def _open_payload(file_key: bytes, payload: bytes) -> bytes:
    _require(len(payload) >= 16 + 16, "payload")
    aead, rest, plain, counter = ChaCha20Poly1305(_hkdf(file_key, payload[:16], b"payload")), payload[16:], b"", 0
    while True:
        chunk, rest = rest[: CHUNK + 16], rest[CHUNK + 16 :]
        try:
            opened = aead.decrypt(counter.to_bytes(11, "big") + bytes([not rest]), chunk, None)
        except InvalidTag as error:
            raise AuthenticationError("payload") from error
        _require(bool(opened) or counter == 0, "an empty chunk at the end")
        plain, counter = plain + opened, counter + 1
        if not rest:
            return plain


# ---- section 3: receipt code

_DAMM = (
    "0317598642", "7092154863", "4206871359", "1750983426", "6123045978",
    "3674209581", "5869720134", "8945362017", "9438617205", "2581436790",
)  # fmt: skip
_ZEROS = """
0030 0660 06F0 07C0 0966 09E6 0A66 0AE6 0B66 0BE6 0C66 0CE6 0D66 0DE6 0E50 0ED0 0F20 1040 1090 17E0 1810 1946 19D0 1A80
1A90 1B50 1BB0 1C40 1C50 A620 A8D0 A900 A9D0 A9F0 AA50 ABF0 FF10 104A0 10D30 10D40 11066 110F0 11136 111D0 112F0 11450
114D0 11650 116C0 116D0 116DA 11730 118E0 11950 11BF0 11C50 11D50 11DA0 11DE0 11F50 16130 16A60 16AC0 16B50 16D70 1CCF0
1D7CE 1D7D8 1D7E2 1D7EC 1D7F6 1E140 1E2F0 1E4F0 1E5F1 1E950 1FBF0
"""
_DIGITS = {chr(int(zero, 16) + digit): str(digit) for zero in _ZEROS.split() for digit in range(10)}
_WHITE_SPACE = {
    *range(0x09, 0x0E), 0x20, 0x85, 0xA0, 0x1680, *range(0x2000, 0x200B), 0x2028, 0x2029, 0x202F, 0x205F, 0x3000,
}  # fmt: skip
_DIVIDERS = {
    *map(chr, _WHITE_SPACE), *"\"'()*,-./:;>[]_|", *"\xab\xad\xb7\xbb\u060c\u061b\u061c\u066c",
    *"\u2022\u2060\u2212\u3001\u3002\ufeff",
    *map(chr, range(0x200B, 0x2016)), *map(chr, range(0x2018, 0x2020)), *map(chr, range(0x202A, 0x202F)),
    *map(chr, range(0x2066, 0x206A)), *map(chr, (0xFF08, 0xFF09, 0xFF0C, 0xFF0D, 0xFF0E, 0xFF1A, 0xFF1B)),
}  # fmt: skip
_NUMBER_ENDS = {*").:", "\uff09", "\uff0e", "\uff1a"}


def _group_check(group: int, four: str) -> str:
    state = 0
    for digit in f"{group}{four}":
        state = int(_DAMM[state][int(digit)])
    return str(state)


def _whole_check(digits: str) -> str:
    value = 0
    for digit in digits:
        value = 21 * (value + int(digit)) % 97
    return f"{value:02}"


def create_code(digits: str) -> str:
    """The 35 digits of 26 random ones."""
    whole = digits + _whole_check(digits)
    fours = [whole[start : start + 4] for start in range(0, 28, 4)]
    return "".join(four + _group_check(group, four) for group, four in enumerate(fours, 1))


def _without_words(text: str) -> list[str]:
    digits = [place for place, each in enumerate(text) if each in _DIGITS]
    kept, start = list(text), 0
    while digits and start < len(text):
        end = start
        while end < len(text) and text[end] not in _DIGITS and text[end] not in _DIVIDERS:
            end += 1
        # The word has ended before a divider, a digit, or the end of the text.
        before, behind = end < digits[0], start > digits[-1] + 1
        if end - start >= 2 and (before or behind):
            kept[start:end] = [" "] * (end - start)
        start = end + 1
    return kept


def _entered(text: list[str], *, numbered: bool) -> list[str]:
    entered: list[str] = []
    for place, each in enumerate(text):
        if each in _DIVIDERS:
            continue
        digit = _DIGITS.get(each, "?")
        due = len(entered) // 5 + 1
        if (
            numbered
            and len(entered) % 5 == 0
            and due <= 7
            and digit == str(due)
            and (place == 0 or text[place - 1] in _DIVIDERS)
            and text[place + 1 : place + 2] != []
            and text[place + 1] in _NUMBER_ENDS
            and (place + 2 == len(text) or text[place + 2] not in _DIGITS)
        ):
            continue
        entered.append(digit)
    return entered


def parse_code(text: str) -> str:
    kept = _without_words(text)
    entered = _entered(kept, numbered=False)
    if len(entered) != 35:
        entered = _entered(kept, numbered=True)
    wrong = sorted({min(place // 5 + 1, 7) for place, digit in enumerate(entered) if digit == "?"})
    if wrong:
        raise ReceiptCodeError("character", wrong)
    if len(entered) != 35:
        raise ReceiptCodeError("length", [])
    groups = ["".join(entered[start : start + 5]) for start in range(0, 35, 5)]
    wrong = [number for number, group in enumerate(groups, 1) if _group_check(number, group[:4]) != group[4]]
    if wrong:
        raise ReceiptCodeError("group", wrong)
    whole = "".join(group[:4] for group in groups)
    if _whole_check(whole[:26]) != whole[26:]:
        raise ReceiptCodeError("code", [])
    return "".join(groups)


def derive(digits: str, realm: str) -> dict[str, str]:
    """What the 35 digits of a code open at the portal of a realm."""
    try:
        _require(parse_code(digits) == digits, "no code")
    except ReceiptCodeError as error:
        raise MalformedError("no code") from error
    salt = _label("receipt") + from_hex(realm, 16)
    master = PBKDF2HMAC(hashes.SHA512(), 32, salt, 210_000).derive(digits.encode())
    names = ("mailbox-token", "mailbox-identity", "control-key", "message-mac", "leaf-nonce", "state-mac")
    token, seed, control_seed, message_mac, leaf_nonce, state_mac = (
        _hkdf(master, b"", b"amparo/v1/" + name.encode()) for name in names
    )
    identity = Identity(seed)
    control = Ed25519PrivateKey.from_private_bytes(control_seed).public_key().public_bytes_raw()
    return {
        "mailbox_id": _mailbox_id(identity.public, control, _sha256(token)),
        "token": token.hex(),
        "token_sha256": _sha256(token).hex(),
        "mailbox_seed": seed.hex(),
        "recipient": identity.recipient,
        "control_seed": control_seed.hex(),
        "control": control.hex(),
        "message_mac": message_mac.hex(),
        "leaf_nonce": leaf_nonce.hex(),
        "state_mac": state_mac.hex(),
    }


def _mailbox_id(recipient: bytes, control: bytes, token_sha256: bytes) -> str:
    return _sha256(_label("mailbox"), recipient, control, token_sha256)[:16].hex()


# ---- section 4: signed notes and charters

_P = 2**255 - 19
_ORDER = 2**252 + 27742317777372353535851937790883648493
_D = -121665 * pow(121666, -1, _P) % _P
Point = tuple[int, int]


def _add(one: Point, other: Point) -> Point:
    (x1, y1), (x2, y2) = one, other
    product = _D * x1 * x2 * y1 * y2
    x = (x1 * y2 + x2 * y1) * pow(1 + product, -1, _P)
    return x % _P, (y1 * y2 + x1 * x2) * pow(1 - product, -1, _P) % _P


def is_point(data: bytes) -> bool:
    """Whether these 32 bytes are the only encoding of a point of the main subgroup that is not zero (section 4.1)."""
    number = int.from_bytes(data, "little")
    y, sign = number & (1 << 255) - 1, number >> 255
    if y >= _P:
        return False
    square = (y * y - 1) * pow(_D * y * y + 1, -1, _P) % _P
    x = pow(square, (_P + 3) // 8, _P)
    if x * x % _P != square:
        x = x * pow(2, (_P - 1) // 4, _P) % _P
    if x * x % _P != square or (x == 0 and sign):
        return False
    point, multiple, order = (x if x & 1 == sign else _P - x, y), (0, 1), _ORDER
    is_zero = point == (0, 1)
    while order:
        if order & 1:
            multiple = _add(multiple, point)
        point, order = _add(point, point), order >> 1
    return multiple == (0, 1) and not is_zero


def verify_ed25519(public: bytes, message: bytes, signature: bytes) -> None:
    _require(len(public) == 32 and is_point(public), "key")
    _require(len(signature) == 64 and is_point(signature[:32]), "signature", AuthenticationError)
    _require(int.from_bytes(signature[32:], "little") < _ORDER, "signature", AuthenticationError)
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except InvalidSignature as error:
        raise AuthenticationError("signature") from error


def _key_name(name: str) -> None:
    _require(len(name) <= KEY_NAME_MAX, "key name", LimitError)
    bad = any(each < " " or each == "+" or ord(each) in _WHITE_SPACE for each in name)
    _require(bool(name) and not bad, "key name")


def parse_key(text: str) -> dict[str, str]:
    """A verifier key."""
    parts = text.split("+", 2)
    _require(len(parts) == 3, "verifier key")
    _key_name(parts[0])
    key_id, data = from_hex(parts[1], 4), from_base64(parts[2])
    _require(len(data) == 33 and data[0] == 1, "another type of key")
    _require(_sha256(parts[0].encode(), b"\n", data)[:4] == key_id, "key id")
    _require(is_point(data[1:]), "no point")
    return {"name": parts[0], "key_id": key_id.hex(), "public": data[1:].hex()}


def _note_lines(data: bytes) -> tuple[str, list[tuple[str, bytes]]]:
    _require(len(data) <= NOTE_MAX, "too long", LimitError)
    try:
        note = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise MalformedError("not UTF-8") from error
    _require(not any(each < " " and each != "\n" for each in note), "control character")
    text, divider, signatures = note.rpartition("\n\n")
    _require(bool(divider) and signatures.endswith("\n"), "no signatures")
    lines = signatures[:-1].split("\n")
    _require(len(lines) <= SIGNATURES_MAX, "too many signatures", LimitError)
    parsed = []
    for line in lines:
        parts = line.split(" ")
        _require(len(parts) == 3 and parts[0] == "—", "signature line")
        _key_name(parts[1])
        parsed.append((parts[1], from_base64(parts[2])))
        _require(len(parsed[-1][1]) > 4, "signature line")
    _require(len({(name, blob[:4]) for name, blob in parsed}) == len(parsed), "two lines by one key")
    return text + "\n", parsed


def verify_note(data: bytes, keys: list[str]) -> tuple[str, list[str]]:
    """The text, and the names of the known keys that signed it, in the order of their lines."""
    text, lines = _note_lines(data)
    known = {(key["name"], bytes.fromhex(key["key_id"])): bytes.fromhex(key["public"]) for key in map(parse_key, keys)}
    signers = []
    for name, blob in lines:
        public = known.get((name, blob[:4]))
        if public is not None:
            verify_ed25519(public, text.encode(), blob[4:])
            signers.append(name)
    _require(bool(signers), "no known key signed", AuthenticationError)
    return text, signers


def note_hash(text: str) -> str:
    return _sha256(text.encode()).hex()


def read_charter(data: bytes) -> dict[str, Json]:
    """The members of a charter by as many governors of its own as it asks for; their values are not looked at."""
    text = _note_lines(data)[0]
    charter = _one_line(text)
    signers = verify_note(data, charter["governors"]["keys"])[1]
    _require(len(signers) >= charter["governors"]["threshold"], "too few governors", AuthenticationError)
    return {**charter, "hash": note_hash(text)}


def _one_line(text: str, size_max: int = NOTE_MAX) -> Json:
    _require(text.count("\n") == 1, "more than one line")
    return decode_json(text[:-1].encode(), size_max)


def members_in_force(charter: dict[str, Json], day: str) -> list[dict[str, Json]]:
    return [each for each in charter["members"] if each["from"] <= day <= (each["until"] or "9999-12-31")]


# ---- section 5.4: state

_KEYS: dict[str, Check] = {
    "generation": _integer(0, GENERATION_MAX),
    "recipient": recipient_bytes,
    "message_mac": _hex(32),
}


def _sent(sent: Json) -> None:
    last = _list(SENT_MAX, lambda each: _object(each, {"id": _hex(16), "day": _day}))
    _object(sent, {"count": _integer(0, COUNT_MAX), "last": last})
    _require(len(sent["last"]) <= sent["count"], "more than were sent")


_THREAD: dict[str, Check] = {
    "submission": _hex(16),
    "manifest": _hex(32),
    "charter": _hex(32),
    "excluded": _excluded,
    "keys": lambda keys: _object(keys, _KEYS),
    "note": _integer(0, COUNT_MAX),
    "reply": _integer(0, COUNT_MAX),
    "deleted": _integer(0, COUNT_MAX),
    "sent": _sent,
}


def _threads(threads: Json) -> None:
    _list(THREADS_MAX, lambda _: None)(threads)
    _require(bool(threads), "no thread")
    _require(len(threads) == 1, "several threads", UnsupportedVersionError)
    _object(threads[0], _THREAD)


def _mac(key: str, value: dict[str, Json]) -> str:
    message = encode_json({name: each for name, each in value.items() if name != "mac"})
    return hmac.digest(from_hex(key, 32), message, "sha256").hex()


def _with_mac(key: str, value: dict[str, Json]) -> bytes:
    return encode_json({**value, "mac": _mac(key, value)})


def _without_mac(key: str, value: dict[str, Json]) -> dict[str, Json]:
    _require(hmac.compare_digest(_mac(key, value), value["mac"]), "mac", AuthenticationError)
    return {name: each for name, each in value.items() if name not in ("mac", "version")}


def encode_state(state: dict[str, Json], key: str) -> bytes:
    return _with_mac(key, {"version": "amparo/v1/state", **state})


def read_state(content: bytes, key: str) -> dict[str, Json]:
    state: dict[str, Json] = decode_json(content, STATE_SIZE - 4)
    newest = {"number": _integer(1, COUNT_MAX), "charter": _hex(32)}
    _document(
        state,
        "amparo/v1/state",
        {"realm": _hex(16), "threads": _threads, "newest": lambda each: _object(each, newest), "mac": _hex(32)},
    )
    return _without_mac(key, state)


def open_state(sealed: bytes, identity: Identity, key: str) -> dict[str, Json]:
    return read_state(unpad(identity.open(sealed), STATE_SIZE, STATE_SIZE - 4), key)


def read_urgency(content: bytes, submission: str) -> str:
    urgency: dict[str, Json] = decode_json(content, URGENCY_SIZE - 4)
    _document(urgency, "amparo/v1/urgency", {"submission": _hex(16), "level": _text_like("now|soon|none")})
    _require(urgency["submission"] == submission, "of another submission", AuthenticationError)
    return str(urgency["level"])


def open_urgency(sealed: bytes, identity: Identity, submission: str) -> str:
    return read_urgency(unpad(identity.open(sealed), URGENCY_SIZE, URGENCY_SIZE - 4), submission)


# ---- section 6: manifest

_FILE_MAX = {"report.age": 2 << 20, "grant.age": 256 << 10, "urgency.age": 32 << 10}


def read_manifest(data: bytes) -> dict[str, Json]:
    manifest: dict[str, Json] = decode_json(data, MANIFEST_MAX)
    members: dict[str, Check] = {
        "submission": _hex(16),
        "charter": _hex(32),
        "mailbox": _hex(16),
        "recipient": recipient_bytes,
        "control": lambda value: _require(is_point(from_hex(value, 32)), "V"),
        "token_sha256": _hex(32),
        "files": _files,
    }
    _document(manifest, "amparo/v1/manifest", members)
    control, token_sha256 = (bytes.fromhex(manifest[name]) for name in ("control", "token_sha256"))
    mailbox = _mailbox_id(recipient_bytes(manifest["recipient"]), control, token_sha256)
    _require(mailbox == manifest["mailbox"], "another mailbox")
    return manifest


def _files(files: Json) -> None:
    _list(3 + ATTACHMENTS_MAX, lambda _: None)(files)
    attachments = [f"attachment-{number}.age" for number in range(1, len(files) - 2)]
    names = ["report.age", "grant.age", "urgency.age", *attachments]
    _require(len(files) >= 3, "no report, no grant or no urgency")
    for name, each in zip(names, files, strict=True):
        size = _integer(1, _FILE_MAX.get(name, 2 << 30))
        _object(each, {"name": _text_like(re.escape(name)), "size": size, "sha256": _hex(32)})


def commitment(leaf_nonce: str, manifest_hash: str) -> str:
    return _sha256(_label("leaf"), from_hex(leaf_nonce, 32), from_hex(manifest_hash, 32)).hex()


# ---- section 9: messages


def message_id(sealed: bytes) -> str:
    return _sha256(sealed)[:16].hex()


def _body(value: Json) -> None:
    _require(isinstance(value, str), "no text")
    _require(len(value.encode()) <= BODY_MAX, "too long", LimitError)


def read_reply(content: bytes, charters: dict[str, dict[str, Json]]) -> dict[str, Json]:
    """The members of a reply and its signer's label; charters by hash."""
    reply = _one_line(_note_lines(content)[0], REPLY_MAX)
    members: dict[str, Check] = {
        "submission": _hex(16),
        "manifest": _hex(32),
        "charter": _hex(32),
        "day": _day,
        "language": LANGUAGE,
        "keys": lambda keys: _object(keys, _KEYS),
        "body": _body,
    }
    _document(reply, "amparo/v1/reply", members)
    _require(reply["charter"] in charters, "a charter that is not known", AuthenticationError)
    keys = [each["verifier"] for each in members_in_force(charters[reply["charter"]], reply["day"])]
    signer = verify_note(content, keys)[1][0].rpartition("/")[2]
    return {**{name: value for name, value in reply.items() if name != "version"}, "signer": signer}


def open_reply(sealed: bytes, identity: Identity, charters: dict[str, dict[str, Json]]) -> dict[str, Json]:
    reply = read_reply(unpad(identity.open(sealed), MESSAGE_FLOOR, REPLY_MAX), charters)
    return {**reply, "id": message_id(sealed)}


def encode_follow_up(follow_up: dict[str, Json], key: str) -> bytes:
    return _with_mac(key, {"version": "amparo/v1/follow-up", **follow_up})


def read_follow_up(content: bytes, key: str) -> dict[str, Json]:
    follow_up = decode_json(content, FOLLOW_UP_MAX)
    members: dict[str, Check] = {
        "submission": _hex(16),
        "manifest": _hex(32),
        "number": _integer(1, COUNT_MAX),
        "day": _day,
        "kind": _text_like("message|retaliation|instruction"),
        "generation": _integer(0, GENERATION_MAX),
        "body": lambda value: _require(isinstance(value, str), "no text"),
        "mac": _hex(32),
    }
    _document(follow_up, "amparo/v1/follow-up", members)
    return _without_mac(key, follow_up)


def open_follow_up(sealed: bytes, identity: Identity, key: str) -> dict[str, Json]:
    return {**read_follow_up(unpad(identity.open(sealed), MESSAGE_FLOOR, FOLLOW_UP_MAX), key), "id": message_id(sealed)}

# SPDX-License-Identifier: AGPL-3.0-or-later
"""Writes archives in the form of docs/protocol.md §6.1 with any content, as a broken or hostile client would."""

import struct
import zlib
from collections.abc import Sequence


def raw_bundle(entries: Sequence[tuple[str, bytes]]) -> bytes:
    archive, directory = bytearray(), bytearray()
    for name, data in entries:
        encoded, crc, size = name.encode(), zlib.crc32(data), len(data)
        shared = struct.pack("<HHHHHIIIHH", 20, 0, 0, 0, 0x21, crc, size, size, len(encoded), 0)
        offset = len(archive)
        archive += b"PK\x03\x04" + shared + encoded + data
        directory += (
            b"PK\x01\x02" + struct.pack("<H", 20) + shared + struct.pack("<HHHII", 0, 0, 0, 0, offset) + encoded
        )
    end = struct.pack("<HHHHIIH", 0, 0, len(entries), len(entries), len(directory), len(archive), 0)
    return bytes(archive + directory + b"PK\x05\x06" + end)

# SPDX-License-Identifier: AGPL-3.0-or-later
"""Bytes that are compressed once and served many times. Compression is deterministic."""

import gzip
from dataclasses import dataclass

import brotli
from zopfli.gzip import compress as compress_with_zopfli

_BROTLI_QUALITY_LARGE = 5
# More of either takes over twice as long and saves under 1 %, and pages wait for this when a portal starts.
_ZOPFLI_ITERATIONS = 5
_ZOPFLI_BLOCKS_MAX = 4
# No page or script of ours is as long. A charter's may be, and would take half a minute where others wait for theirs.
_THOROUGH_BYTES_MAX = 512 * 1024


@dataclass(frozen=True)
class Compressed:
    """The same bytes in two encodings; ``brotli`` is empty where it was not made."""

    gzip: bytes
    brotli: bytes


def compress(body: bytes, *, quick: bool = False) -> Compressed:
    """Compress as much as possible, with zopfli's gzip; over 512 KiB with less effort.

    ``quick`` is for thousands of pages: gzip alone, in 1 % of the time. Brotli would save another tenth, and keep as
    much again in memory.
    """
    if quick:
        return Compressed(gzip.compress(body, 9, mtime=0), b"")
    if len(body) > _THOROUGH_BYTES_MAX:
        return Compressed(gzip.compress(body, 9, mtime=0), brotli.compress(body, quality=_BROTLI_QUALITY_LARGE))
    zipped = compress_with_zopfli(body, numiterations=_ZOPFLI_ITERATIONS, blocksplittingmax=_ZOPFLI_BLOCKS_MAX)
    return Compressed(zipped, brotli.compress(body))

# SPDX-License-Identifier: AGPL-3.0-or-later
"""Built scripts and styles, under names that change with their bytes."""

import hashlib
import mimetypes
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath

from portal.kit.compression import Compressed, compress

_TYPES = {
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".txt": "text/plain; charset=utf-8",
}
_NAME_HASH_CHARS = 16


@dataclass(frozen=True)
class Asset:
    """One immutable file: its path, its bytes, its media type."""

    path: str
    body: bytes
    media_type: str

    @cached_property
    def compressed(self) -> Compressed:
        """The compressed bytes, made at the first use: portal and office each serve only some of the files."""
        return compress(self.body)


class Assets(dict[str, Asset]):
    """The built files of a folder by their plain names. One that is not there raises FileNotFoundError."""

    def __init__(self, folder: Path, assets: Mapping[str, Asset]) -> None:
        super().__init__(assets)
        self._folder = folder

    def __missing__(self, name: str) -> Asset:
        raise FileNotFoundError(f"{self._folder / name} is missing: build the scripts first (make setup)")


def make_asset(name: str, body: bytes) -> Asset:
    """Return an asset served under ``/assets/<stem>-<hash><suffix>``; the same bytes always give the same path."""
    pure = PurePosixPath(name)
    digest = hashlib.sha256(body).hexdigest()[:_NAME_HASH_CHARS]
    media_type = _TYPES.get(pure.suffix) or mimetypes.guess_type(name)[0] or "application/octet-stream"
    return Asset(
        path=f"/assets/{pure.stem}-{digest}{pure.suffix}",
        body=body,
        media_type=media_type,
    )


def load_assets(folder: Path) -> Assets:
    """Return every built file of ``folder``. Raises FileNotFoundError when the folder is missing: nothing was built."""
    if not folder.is_dir():
        raise FileNotFoundError(f"{folder} is missing: build the scripts first (make setup)")
    files = sorted(
        path for path in folder.iterdir() if path.is_file() and path.suffix in {".js", ".css", ".svg", ".png"}
    )
    return Assets(folder, {path.name: make_asset(path.name, path.read_bytes()) for path in files})

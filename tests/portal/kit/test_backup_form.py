# SPDX-License-Identifier: AGPL-3.0-or-later
"""The tar in a backup: what was written is read; anything else is refused, whatever somebody sealed to us."""

import io
import re
import tarfile

from hypothesis import given
from hypothesis import strategies as st

from portal.kit.backup_form import BackupContents, BackupError, BackupHead, BackupReader, BackupWriter

HEAD = BackupHead("portal", "2026-11-22", "sqlite", "0001_initial")
PATHS = st.sampled_from(["portal.sqlite3", "secrets/realm", f"blobs/parts/{'a' * 32}/attachment-1.age/{'0' * 120}"])
ODD_NAMES = st.one_of(
    st.sampled_from(["/etc/x", "../x", "a/../b", "a//b", "./a", "a/", "", "backup.json", "contents.json", "a\\b", "A"]),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=300),
)
SPECIAL = (tarfile.LNKTYPE, tarfile.SYMTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.DIRTYPE, tarfile.FIFOTYPE)
TYPES = st.sampled_from([*SPECIAL, tarfile.CONTTYPE, tarfile.AREGTYPE])


def write(files: dict[str, bytes]) -> bytes:
    sink = io.BytesIO()
    writer = BackupWriter(sink, HEAD)
    for path, data in files.items():
        writer.add(path, len(data), io.BytesIO(data))
    writer.finish(reports=3, expired=["blobs/gone"], lost=[])
    return sink.getvalue()


def read(tar: bytes) -> tuple[dict[str, bytes], BackupContents]:
    reader = BackupReader(io.BytesIO(tar))
    found = {}
    for path, size, source in reader.members():
        found[path] = source.read(size)
    assert reader.contents is not None
    return found, reader.contents


def is_refused(tar: bytes) -> bool:
    try:
        read(tar)
    except BackupError as error:
        assert str(error).isprintable()
        return True
    return False


@given(st.dictionaries(PATHS, st.binary(max_size=2000)))
def test_what_was_written_is_read(files: dict[str, bytes]) -> None:
    found, contents = read(write(files))
    assert found == files
    assert (contents.reports, contents.expired) == (3, ("blobs/gone",))
    assert [file.path for file in contents.files] == ["backup.json", *files]


def with_member(member: tarfile.TarInfo, data: bytes) -> bytes:
    """A backup with one more member before its list of contents."""
    tar = io.BytesIO()
    with (
        tarfile.open(fileobj=io.BytesIO(write({"secrets/realm": b"realm"}))) as source,
        tarfile.open(fileobj=tar, mode="w") as target,
    ):
        for each in source:
            if each.name == "contents.json":
                target.addfile(member, io.BytesIO(data))
            target.addfile(each, source.extractfile(each))
    return tar.getvalue()


@given(ODD_NAMES, st.binary(max_size=600))
def test_whatever_member_is_put_in_it_is_refused(name: str, data: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size = len(data)
    assert is_refused(with_member(member, data))


@given(TYPES, st.sampled_from(["secrets/new", "secrets/realm"]), ODD_NAMES)
def test_links_devices_and_folders_are_refused(kind: bytes, name: str, target: str) -> None:
    member = tarfile.TarInfo(name)
    member.type, member.linkname = kind, target
    assert is_refused(with_member(member, b""))


def test_a_file_twice_is_refused() -> None:
    member = tarfile.TarInfo("secrets/realm")
    member.size = 5
    assert is_refused(with_member(member, b"realm"))


@given(st.data())
def test_what_is_cut_is_refused(data: st.DataObject) -> None:
    tar = write({"secrets/realm": b"realm", "portal.sqlite3": bytes(3000)})
    # What pads the end says nothing.
    end = len(tar.rstrip(b"\0"))
    assert is_refused(tar[: data.draw(st.integers(0, end - 1))])


@given(st.data())
def test_what_is_altered_is_refused_or_says_the_same(data: st.DataObject) -> None:
    files = {"secrets/realm": b"realm", "portal.sqlite3": bytes(3000)}
    tar = bytearray(write(files))
    for place in data.draw(st.lists(st.integers(0, len(tar) - 1), min_size=1, max_size=3)):
        tar[place] ^= data.draw(st.integers(1, 255))
    if not is_refused(bytes(tar)):
        assert read(bytes(tar))[0] == files


@given(st.binary(max_size=3000))
def test_what_is_no_tar_is_refused(data: bytes) -> None:
    assert is_refused(data)


def test_a_list_that_is_not_of_this_form_is_refused() -> None:
    whole = write({})
    for old, new in (
        (b'"day"', b'"dax"'),
        (b"2026-11-22", b"2026-11-2\xff"),
        (b"amparo/v1/backup", b"amparo/v1/bakcup"),
    ):
        assert is_refused(re.sub(old, new, whole))

# SPDX-License-Identifier: AGPL-3.0-or-later
"""Bundles have one encoding: whatever else arrives, in whatever pieces, is refused."""

import hashlib
import io
import zipfile
import zlib
from random import Random

import pytest

from crypto import bundle
from crypto.bundle import (
    BundleReader,
    CommitmentEvent,
    Event,
    FileData,
    FileEnd,
    FileMismatch,
    FileStart,
    ManifestEvent,
    write_bundle,
)
from crypto.errors import CryptoError, LimitError, MalformedError
from crypto.manifest import Manifest, SealedFile, manifest_hash
from tests.vectors import expected_error, join_parts, load_vectors
from tests.vectors.commission import load_commission

ACME = load_commission()
COMMITMENT = "c0" * 32
FILES = {
    "state.age": b"state",
    "report.age": b"report",
    "grant.age": b"grant",
    "urgency.age": b"urgent",
    "attachment-1.age": b"paper",
    "attachment-2.age": b"picture",
}


def manifest_of(files: dict[str, bytes]) -> Manifest:
    named = {name: data for name, data in files.items() if name != "state.age"}
    lines = tuple(SealedFile(name, len(data), hashlib.sha256(data).hexdigest()) for name, data in named.items())
    secrets = ACME.mailbox
    return Manifest(
        "00" * 16, "11" * 32, secrets.mailbox_id, secrets.recipient, secrets.control, secrets.token_sha256, lines
    )


def bundle_of(files: dict[str, bytes]) -> bytes:
    return write_bundle(manifest_of(files).encode(), COMMITMENT, files.items())


def places(archive: bytes) -> list[int]:
    """Every place in an archive but inside the manifest, of which every 40th will do."""
    start = archive.index(b"{")
    end = start + len(manifest_of(FILES).encode())
    return [place for place in range(len(archive)) if not start < place < end or place % 40 == 0]


def read_in(*chunks: bytes) -> list[Event]:
    """All events, with the data of each file joined, since how it is cut depends on the chunks."""
    reader = BundleReader()
    events: list[Event] = []
    for chunk in chunks:
        for event in reader.feed(chunk):
            if isinstance(event, FileData) and isinstance(events[-1], FileData):
                events[-1] = FileData(events[-1].data + event.data)
            else:
                events.append(event)
    reader.finish()
    return events


class TestVectors:
    @pytest.mark.parametrize("vector", load_vectors("bundle", "write"))
    def test_writing(self, vector):
        files = [(file["name"], join_parts(file["data"])) for file in vector["input"]["files"]]
        written = write_bundle(join_parts(vector["input"]["manifest"]), vector["input"]["commitment"], files)
        assert written == join_parts(vector["value"])

    @pytest.mark.parametrize("vector", load_vectors("bundle", "read"))
    def test_reading(self, vector):
        archive = join_parts(vector["input"]["archive"])
        if "error" in vector:
            with pytest.raises(expected_error(vector)) as caught:
                read_in(archive)
            mismatch = caught.value if isinstance(caught.value, FileMismatch) else None
            assert (mismatch and mismatch.file, mismatch and mismatch.what) == (vector.get("file"), vector.get("what"))
            return
        first, second, *others = read_in(archive)
        assert isinstance(first, ManifestEvent)
        assert isinstance(second, CommitmentEvent)
        assert vector["value"] == {
            "manifest_hash": manifest_hash(first.data),
            "commitment": second.commitment,
            "files": [event.name for event in others if isinstance(event, FileEnd)],
        }


def test_what_was_written_is_read_back_in_order():
    manifest = manifest_of(FILES)
    expected: list[Event] = [ManifestEvent(manifest, manifest.encode()), CommitmentEvent(COMMITMENT)]
    for name, data in FILES.items():
        expected += [FileStart(name, len(data)), FileData(data), FileEnd(name, hashlib.sha256(data).hexdigest())]
    assert read_in(bundle_of(FILES)) == expected


def test_any_zip_program_opens_it():
    with zipfile.ZipFile(io.BytesIO(bundle_of(FILES))) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == ["manifest.json", "commitment", *FILES]
        assert {name: archive.read(name) for name in FILES} == FILES
        assert all(entry.date_time == (1980, 1, 1, 0, 0, 0) for entry in archive.infolist())


def test_how_the_bytes_are_cut_makes_no_difference():
    archive = bundle_of(FILES)
    whole = read_in(archive)
    assert read_in(*(archive[i : i + 1] for i in range(len(archive)))) == whole
    for cut in places(archive):
        assert read_in(archive[:cut], b"", archive[cut:]) == whole


def test_a_bundle_that_was_cut_short_anywhere_is_refused():
    archive = bundle_of(FILES)
    for size in places(archive):
        reader = BundleReader()
        reader.feed(archive[:size])
        with pytest.raises(MalformedError):
            reader.finish()


def test_any_flipped_bit_is_found():
    """Commitment and state are not covered by the manifest; of them, the CRC-32 tells."""
    archive = bundle_of(FILES)
    for position in range(len(archive)):
        altered = bytearray(archive)
        altered[position] ^= 1 << position % 8
        with pytest.raises(CryptoError):
            read_in(bytes(altered))


def test_a_file_is_refused_before_it_is_read_if_its_size_is_not_the_one_in_the_manifest():
    archive = bundle_of(FILES)
    longer = {**FILES, "report.age": FILES["report.age"] + b"!"}
    start = archive.index(b"PK\x03\x04", archive.index(FILES["state.age"], archive.index(COMMITMENT.encode())))
    header = bundle._Entry("report.age", zlib.crc32(longer["report.age"]), 7, start).local_header()
    with pytest.raises(FileMismatch, match=r"report\.age has another size"):
        BundleReader().feed(archive[:start] + header)


def test_a_manifest_too_large_is_refused_before_it_is_read():
    header = bundle._Entry("manifest.json", 0, 65_537, 0).local_header()
    with pytest.raises(LimitError):
        BundleReader().feed(header)


def test_memory_does_not_grow_with_the_archive(rng: Random):
    """More than a chunk is never held: what arrives of a file leaves as an event at once."""
    files = {**FILES, "attachment-1.age": rng.randbytes(300_000)}
    archive = bundle_of(files)
    reader = BundleReader()
    held = 0
    for start in range(0, len(archive), 1000):
        reader.feed(archive[start : start + 1000])
        held = max(held, len(reader._buffer))
    reader.finish()
    assert held <= 4096


def test_an_entry_whose_name_is_too_long_is_refused_before_its_name_is_read():
    fits = bundle._Entry("attachment-32.age", 0, 1, 0).local_header()
    reader = BundleReader()
    assert reader.feed(fits[:30]) == []
    longer = bundle._Entry("attachment-321.age", 0, 1, 0).local_header()
    with pytest.raises(MalformedError, match="lacks an expected entry"):
        BundleReader().feed(longer[:30])


def test_a_header_that_is_none_is_refused_before_more_is_read():
    with pytest.raises(MalformedError, match="lacks an expected entry"):
        BundleReader().feed(b"PK\x03\x05" + bytes(26))


def test_marks_and_media_type_are_those_of_the_format():
    archive = bundle_of(FILES)
    assert archive[-22:-18] == b"PK\x05\x06"
    assert archive.count(b"PK\x01\x02") == archive.count(b"PK\x03\x04") == 2 + len(FILES)
    assert bundle.MEDIA_TYPE == "application/vnd.amparo.bundle+zip"


class TestFourGibibytes:
    """A ZIP archive without extensions counts its bytes in 32 bits: the last byte that can be counted may be used."""

    NAME = "attachment-1.age"

    def test_an_entry_may_end_at_the_limit_and_not_behind_it(self):
        header = 30 + len(self.NAME)
        bundle._check_room(bundle._Entry(self.NAME, 0, 2**32 - 1 - 1000 - header, 1000))
        with pytest.raises(LimitError):
            bundle._check_room(bundle._Entry(self.NAME, 0, 2**32 - 1000 - header, 1000))

    def test_the_directory_may_end_at_the_limit_and_not_behind_it(self):
        entries = [bundle._Entry(self.NAME, 0, 1, 0), bundle._Entry(self.NAME, 0, 1, 1000)]
        size = 2 * (46 + len(self.NAME)) + 22
        assert len(bundle._directory(entries, 2**32 - 1 - size)) == size
        with pytest.raises(LimitError):
            bundle._directory(entries, 2**32 - size)

    def test_a_reader_refuses_an_entry_beyond_the_limit_when_it_sees_its_header(self):
        header = bundle._Entry("manifest.json", 0, 2**32 - 1, 0).local_header()
        with pytest.raises(LimitError, match="4 GiB"):
            BundleReader().feed(header)

    def test_a_writer_refuses_it_before_it_makes_an_archive(self, monkeypatch):
        monkeypatch.setattr(bundle, "BUNDLE_MAX", len(bundle_of(FILES)) - 1)
        with pytest.raises(LimitError):
            bundle_of(FILES)


def test_a_refused_bundle_says_so_to_whoever_goes_on():
    reader = BundleReader()
    with pytest.raises(MalformedError):
        reader.feed(b"x" * 64)
    with pytest.raises(MalformedError, match="refused before"):
        reader.feed(b"")


def test_a_large_bundle_is_checked_in_slices_before_it_is_given_out(rng: Random):
    files = {**FILES, "attachment-1.age": rng.randbytes(2 * 1024 * 1024 + 1)}
    archive = bundle_of(files)
    assert [event.name for event in read_in(archive) if isinstance(event, FileEnd)] == list(files)
    cut = dict(list(FILES.items())[:2])
    with pytest.raises(MalformedError):
        write_bundle(manifest_of(FILES).encode(), COMMITMENT, cut.items())


def test_a_refused_bundle_stays_refused():
    archive = bundle_of(FILES)
    reader = BundleReader()
    with pytest.raises(MalformedError):
        reader.feed(b"x" * 64)
    with pytest.raises(MalformedError):
        reader.feed(archive)
    with pytest.raises(MalformedError):
        reader.finish()


def test_a_bundle_that_readers_would_refuse_cannot_be_written():
    manifest = manifest_of(FILES).encode()
    with pytest.raises(MalformedError):
        write_bundle(manifest, COMMITMENT, reversed(FILES.items()))
    for missing in ("report.age", "grant.age", "urgency.age"):
        with pytest.raises(MalformedError):
            write_bundle(manifest, COMMITMENT, [(name, data) for name, data in FILES.items() if name != missing])
    with pytest.raises(MalformedError):
        write_bundle(manifest, "C0" * 32, FILES.items())


def test_the_state_may_be_another_one_under_the_same_manifest():
    """The manifest does not name it: a state names the manifest's hash, and is replaced at every visit."""
    archive = write_bundle(manifest_of(FILES).encode(), COMMITMENT, {**FILES, "state.age": b"later"}.items())
    assert FileEnd("state.age", hashlib.sha256(b"later").hexdigest()) in read_in(archive)


@pytest.mark.parametrize("size", [0, 32 * 1024 + 1])
def test_a_state_that_is_empty_or_too_large_is_refused_before_it_is_read(size):
    archive = bundle_of(FILES)
    start = archive.index(b"PK\x03\x04", archive.index(COMMITMENT.encode()))
    header = bundle._Entry("state.age", 0, size, start).local_header()
    with pytest.raises(LimitError, match=r"state\.age"):
        BundleReader().feed(archive[:start] + header)


def test_a_state_has_its_place_before_the_report():
    misplaced = [(name, FILES[name]) for name in ("report.age", "state.age", "grant.age", "urgency.age")]
    for files in (misplaced, [misplaced[0], *misplaced[2:]]):
        with pytest.raises(MalformedError, match=r"lacks state\.age"):
            write_bundle(manifest_of(FILES).encode(), COMMITMENT, files)

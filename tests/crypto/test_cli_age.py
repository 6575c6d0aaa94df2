# SPDX-License-Identifier: AGPL-3.0-or-later
"""``python -m crypto keygen``, ``seal`` and ``open`` as someone at a terminal meets them."""

import base64
import os
import pty
import re
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from crypto.__main__ import main
from crypto.age import PqIdentity, X25519Identity, open_sealed, parse_identity_file, seal
from tests.waiting import SECONDS_MAX

LETTER = bytes(range(256)) * 1000


@pytest.fixture
def sister(tmp_path, monkeypatch):
    """An identity whose file is ``sister.key``, in the working directory."""
    monkeypatch.chdir(tmp_path)
    identity = PqIdentity.generate()
    Path("sister.key").write_text(f"# hers\n{identity}\n")
    return identity


def crypto(*arguments: object, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    root = Path(__file__).parents[2]
    line = [sys.executable, "-m", "crypto", *map(str, arguments)]
    return subprocess.run(
        line,
        input=stdin,
        capture_output=True,
        check=False,
        timeout=SECONDS_MAX,
        env=os.environ | {"PYTHONPATH": str(root)},
    )


def assert_fails(capsys, *arguments: object) -> str:
    """Run a command that must fail with status 1 and one line, and return that line."""
    assert main([str(argument) for argument in arguments]) == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert re.fullmatch(r"amparo: [^\n]+\n", printed.err)
    return printed.err


def test_a_letter_goes_from_pipe_to_pipe(sister):
    sealed = crypto("seal", "-r", sister.recipient(), stdin=LETTER)
    assert (sealed.returncode, sealed.stderr) == (0, b"")
    opened = crypto("open", "-i", "sister.key", stdin=sealed.stdout)
    assert (opened.returncode, opened.stdout, opened.stderr) == (0, LETTER, b"")


def test_a_failure_on_standard_output_shows_in_the_status(sister):
    opened = crypto("open", "-i", "sister.key", stdin=seal(LETTER, [sister.recipient()])[:-1])
    assert opened.returncode == 1
    assert opened.stderr == b"amparo: age payload: a chunk was altered, moved or cut\n"


def test_keygen_writes_an_identity_for_its_owner_only(tmp_path, capsys):
    file = tmp_path / "new.key"
    assert main(["keygen", "-o", str(file)]) == 0
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    (identity,) = parse_identity_file(file.read_text())
    recipient = str(identity.recipient())
    created, public_key, _ = file.read_text().splitlines()
    assert re.fullmatch(r"# created: \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", created)
    assert public_key == f"# public key: {recipient}"
    printed = capsys.readouterr()
    assert (printed.out, printed.err) == ("", f"Public key: {recipient}\n")


def test_keygen_does_not_overwrite_an_identity(sister, capsys):
    before = Path("sister.key").read_bytes()
    assert "File exists" in assert_fails(capsys, "keygen", "-o", "sister.key")
    assert Path("sister.key").read_bytes() == before


def test_keygen_prints_when_no_file_is_named(capsys):
    assert main(["keygen"]) == 0
    printed = capsys.readouterr()
    (identity,) = parse_identity_file(printed.out)
    assert printed.err == f"Public key: {identity.recipient()}\n"


def test_a_file_is_sealed_to_all_who_are_named(sister):
    others = [PqIdentity.generate() for _ in range(3)]
    Path("others.txt").write_text("".join(f"# one\n{other.recipient()}\n" for other in others[1:]))
    Path("letter").write_bytes(LETTER)
    recipients = ["-r", str(sister.recipient()), "-r", str(others[0].recipient()), "-R", "others.txt"]
    assert main(["seal", *recipients, "-o", "letter.age", "letter"]) == 0
    for identity in (sister, *others):
        assert open_sealed(Path("letter.age").read_bytes(), [identity]) == LETTER


def test_open_tries_every_identity_and_replaces_the_output(sister):
    Path("other.key").write_text(f"{X25519Identity.generate()}\n{PqIdentity.generate()}\n")
    Path("letter.age").write_bytes(seal(LETTER, [sister.recipient()]))
    Path("letter").write_bytes(b"an older letter")
    assert main(["open", "-i", "other.key", "-i", "sister.key", "-o", "letter", "letter.age"]) == 0
    assert Path("letter").read_bytes() == LETTER
    assert stat.S_IMODE(Path("letter").stat().st_mode) == 0o600


def test_open_reads_armor(sister):
    text = base64.b64encode(seal(LETTER, [sister.recipient()]))
    body = b"".join(text[start : start + 64] + b"\n" for start in range(0, len(text), 64))
    armored = b"\n-----BEGIN AGE ENCRYPTED FILE-----\n" + body + b"-----END AGE ENCRYPTED FILE-----\n"
    Path("letter.age").write_bytes(armored)
    assert main(["open", "-i", "sister.key", "-o", "letter", "letter.age"]) == 0
    assert Path("letter").read_bytes() == LETTER


@pytest.mark.parametrize("older", [None, b"an older letter"])
def test_a_failure_in_the_last_chunk_leaves_the_folder_as_it_was(sister, capsys, older):
    if older is not None:
        Path("letter").write_bytes(older)
    Path("letter.age").write_bytes(seal(LETTER, [sister.recipient()])[:-1])
    before = {path: path.read_bytes() for path in Path().iterdir()}
    assert "chunk" in assert_fails(capsys, "open", "-i", "sister.key", "-o", "letter", "letter.age")
    assert {path: path.read_bytes() for path in Path().iterdir()} == before


def test_until_it_is_whole_an_output_is_readable_by_its_owner_only(sister, monkeypatch):
    seen = []

    def look(source, sink, identities):
        seen.extend((path.name, stat.S_IMODE(path.stat().st_mode)) for path in Path().glob(".letter.*"))

    monkeypatch.setattr("crypto.cli_age.open_stream", look)
    Path("letter.age").write_bytes(b"x")
    assert main(["open", "-i", "sister.key", "-o", "letter", "letter.age"]) == 0
    assert [(name[-8:], mode) for name, mode in seen] == [(".partial", 0o600)]


def test_an_output_that_is_a_link_is_written_through(sister):
    Path("folder").mkdir()
    Path("link").symlink_to("folder/letter")
    Path("letter.age").write_bytes(seal(LETTER, [sister.recipient()]))
    assert main(["open", "-i", "sister.key", "-o", "link", "letter.age"]) == 0
    assert Path("link").is_symlink()
    assert Path("folder/letter").read_bytes() == LETTER


def test_an_output_that_is_a_device_stays_one(sister):
    Path("letter.age").write_bytes(seal(LETTER, [sister.recipient()]))
    opened = crypto("open", "-i", "sister.key", "-o", "/dev/stdout", "letter.age")
    assert (opened.returncode, opened.stdout) == (0, LETTER)


def test_a_sealed_file_is_not_printed_on_a_terminal(sister):
    leader, follower = pty.openpty()
    line = [sys.executable, "-m", "crypto", "seal", "-r", str(sister.recipient()), "sister.key"]
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run(
        line, stdout=follower, stderr=subprocess.PIPE, check=False, timeout=SECONDS_MAX, env=environment
    )
    os.close(follower)
    os.close(leader)
    assert (done.returncode, done.stderr.startswith(b"amparo: a sealed file is binary")) == (1, True)


class TestOneClearLine:
    def test_for_no_recipient(self, sister, capsys):
        assert "no recipient" in assert_fails(capsys, "seal", "-o", "out", "sister.key")
        assert not Path("out").exists()

    def test_for_recipients_that_do_not_mix(self, sister, capsys):
        weaker = X25519Identity.generate().recipient()
        line = assert_fails(capsys, "seal", "-r", sister.recipient(), "-r", weaker, "-o", "out", "sister.key")
        assert "mixed" in line

    def test_for_a_file_that_is_not_there(self, sister, capsys):
        assert assert_fails(capsys, "open", "-i", "none.key", "-o", "out", "x") == (
            "amparo: none.key: No such file or directory\n"
        )

    def test_for_someone_else_s_file(self, sister, capsys):
        Path("letter.age").write_bytes(seal(LETTER, [PqIdentity.generate().recipient()]))
        line = assert_fails(capsys, "open", "-i", "sister.key", "-o", "out", "letter.age")
        assert line == "amparo: age: none of the identities opens this file\n"

    def test_for_a_file_that_is_not_sealed(self, sister, capsys):
        line = assert_fails(capsys, "open", "-i", "sister.key", "-o", "out", "sister.key")
        assert line == "amparo: age header: not an age file\n"

    def test_for_a_bad_identity_which_it_does_not_show(self, sister, capsys):
        Path("bad.key").write_text(str(sister)[:-1] + "\n")
        line = assert_fails(capsys, "open", "-i", "bad.key", "-o", "out", "sister.key")
        assert line.startswith("amparo: bad.key: line 1: ")
        assert str(sister)[19:30] not in line

    @pytest.mark.parametrize("content", [b"\xff\xfe", b"#" * (1 << 20) + b"##"])
    def test_for_a_key_file_that_is_none(self, sister, capsys, content):
        Path("bad.key").write_bytes(content)
        assert "bad.key: " in assert_fails(capsys, "open", "-i", "bad.key", "-o", "out", "sister.key")


def test_a_command_that_does_not_exist_is_refused(capsys):
    with pytest.raises(SystemExit) as caught:
        main(["decrypt"])
    assert caught.value.code == 2
    assert "usage: python -m crypto" in capsys.readouterr().err

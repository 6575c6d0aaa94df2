# SPDX-License-Identifier: AGPL-3.0-or-later
"""The office's process, and what other processes of its user get of it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.servers import ROOT
from tests.waiting import SECONDS_MAX

NOBODY = 65534
# Root may read everything. Dropping its rights makes a process unreadable too, so that it is made readable again.
AS_NOBODY = f"""
import ctypes, os, sys
from pathlib import Path
from oversight import process
if os.geteuid() == 0:
    os.setgroups([])
    os.setgid({NOBODY})
    os.setuid({NOBODY})
    ctypes.CDLL(None).prctl(4, 1, 0, 0, 0)
"""
OFFICE = AS_NOBODY + "if sys.argv[1] == 'refuse': process.refuse_dumps()\nprint('ready', flush=True)\nsys.stdin.read()"
READER = AS_NOBODY + "Path(f'/proc/{sys.argv[1]}/mem').open('rb').close()"
PROGRAM = "from oversight import process\nimport sys\nprocess.overwrite_freed_memory()\nprint(*sys.argv[1:])"


def run(*arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    """Python with these arguments, and ``more`` in its environment."""
    command = [sys.executable, *arguments]
    return subprocess.run(
        command, env=environment(**more), capture_output=True, text=True, timeout=SECONDS_MAX, check=False
    )


def environment(**more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in {"PYTHONMALLOC", "GLIBC_TUNABLES"}}
    return {**kept, "PYTHONPATH": str(ROOT), **more}


def others_may_read() -> bool:
    """Whether the system lets a process of the same user read one that does not refuse it, as Yama may forbid."""
    scope = Path("/proc/sys/kernel/yama/ptrace_scope")
    return not scope.exists() or scope.read_text().strip() == "0"


@pytest.mark.parametrize("refuse", [True, False])
def test_another_process_of_the_same_user_cannot_read_its_memory(refuse: bool) -> None:
    command = [sys.executable, "-c", OFFICE, "refuse" if refuse else "allow"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, env=environment(), **pipes) as office:
        assert office.stdout is not None
        assert office.stdout.readline() == "ready\n"
        reading = run("-c", READER, str(office.pid))
        office.communicate("", timeout=SECONDS_MAX)
    if refuse or not others_may_read():
        assert "PermissionError" in reading.stderr
    else:
        assert reading.returncode == 0, reading.stderr


def test_the_program_starts_itself_once_more_with_its_arguments_and_the_tunables_of_before() -> None:
    code = PROGRAM + "\nimport os\nprint(os.environ['PYTHONMALLOC'], os.environ['GLIBC_TUNABLES'])"
    done = run("-c", code, "a", "b c", GLIBC_TUNABLES="glibc.malloc.arena_max=2", PYTHONMALLOC="pymalloc")
    fill = "glibc.malloc.perturb=165:glibc.malloc.tcache_count=0"
    assert done.stdout == f"a b c\nmalloc glibc.malloc.arena_max=2:{fill}\n", done.stderr


def test_where_freed_memory_cannot_be_overwritten_it_is_said_and_the_program_goes_on() -> None:
    done = run("-I", "-c", f"import sys\nsys.path.insert(0, {str(ROOT)!r})\n{PROGRAM}", "on")
    assert done.stdout == "on\n"
    assert done.stderr.startswith("oversight: what is freed in memory is not overwritten")
    assert len(done.stderr.splitlines()) == 1

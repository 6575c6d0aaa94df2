# SPDX-License-Identifier: AGPL-3.0-or-later
"""The office as a process of the system, whose memory is nobody else's: called before any secret is in it."""

import ctypes
import os
import resource
import sys

_PR_SET_DUMPABLE = 4
_TUNABLES = "GLIBC_TUNABLES"
# Blocks that are kept for the same thread's next use would not be overwritten: none are kept.
_FILL = "glibc.malloc.perturb=165:glibc.malloc.tcache_count=0"


def overwrite_freed_memory() -> None:
    """Start the program once more, so that whatever it frees is overwritten: keys, passphrases, texts.

    Python's own allocator leaves what was freed as it is. With ``PYTHONMALLOC=malloc`` there is only the system's, and
    glibc's fills what it gets back, once its tunables say so. Both are read at a program's start alone. Returns when
    that is so already, or, with a line on standard error, where it can't be had.
    """
    tunables = os.environ.get(_TUNABLES, "")
    if os.environ.get("PYTHONMALLOC") == "malloc" and _FILL in tunables:
        return
    if not sys.executable or sys.flags.ignore_environment or not _has_glibc():
        _say("what is freed in memory is not overwritten: that takes glibc, and Python without -E or -I")
        return
    os.environ["PYTHONMALLOC"] = "malloc"
    os.environ[_TUNABLES] = f"{tunables}:{_FILL}".lstrip(":")
    os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])  # noqa: S606 - the same program, without a shell


def refuse_dumps() -> None:
    """No core file, no debugger, and no memory for other processes of the same user, as long as this one lives."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    prctl = getattr(ctypes.CDLL(None), "prctl", None)
    if prctl is None or prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0) != 0:
        _say("other processes of this user can read this one's memory: the system can't refuse them")


def _has_glibc() -> bool:
    try:
        return (os.confstr("CS_GNU_LIBC_VERSION") or "").startswith("glibc")
    except (ValueError, OSError):
        return False


def _say(sentence: str) -> None:
    print(f"oversight: {sentence}", file=sys.stderr)

# SPDX-License-Identifier: AGPL-3.0-or-later
"""What the office's memory holds of a member's secrets: ``python -m benchmarks.memory [NAME=VALUE …]``.

Method. The office runs as a process of its own with one report in it. A member logs in with a wrong passphrase and with
the right one, sees queue, report and case, writes a note and begins a letter, and locks; then again, and the session is
left to expire. At each stage every byte that the process can read is searched for the member's secrets in every form
that they are known to take, in pieces of 16 bytes; the number of pieces found is printed. ``NAME=VALUE`` go into the
office's environment: ``PYTHONMALLOC=pymalloc`` measures it without overwriting what it frees.
"""

import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tests.memory import in_memory
from tests.oversight.member_day import WRONG, MemberDay

STATIC = Path(__file__).resolve().parent.parent / "static" / "dist"


def main(environment: dict[str, str]) -> None:
    with tempfile.TemporaryDirectory() as name:
        day = MemberDay(Path(name), STATIC, environment)
        day.begin()
        try:
            assert day.log_in(passphrase=WRONG).status_code == 403
            assert day.log_in().status_code == 303
            stages: list[tuple[str, Callable[[], None]]] = [
                ("logged in", lambda: None),
                ("after work", day.work),
                ("locked", day.lock),
                ("connection closed", day.browser.close),
            ]
            results = {}
            for stage, step in stages:
                step()
                results[stage] = in_memory(day.office.pid, day.secrets())
            show(results)
            print("resident", resident_mib(day.office.pid), "MiB")
        finally:
            day.end()


def resident_mib(pid: int) -> int:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") // 2**20


def show(results: dict[str, dict[str, int]]) -> None:
    print(f"{'':30}" + "".join(f"{stage:>20}" for stage in results))
    names = next(iter(results.values()))
    for name in (*names, "all"):
        counts = [sum(each.values()) if name == "all" else each[name] for each in results.values()]
        print(f"{name:30}" + "".join(f"{count:20}" for count in counts))


if __name__ == "__main__":
    started = time.perf_counter()
    main(dict(argument.split("=", 1) for argument in sys.argv[1:]))
    print(f"{time.perf_counter() - started:.1f} s")

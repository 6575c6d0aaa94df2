# SPDX-License-Identifier: AGPL-3.0-or-later
"""What the office's memory holds of a member's secrets: ``python -m benchmarks.memory``.

Method. The office runs as a process of its own with one report in it. A member logs in, with a wrong passphrase and
with the right one; sees queue, report and case, writes a note and begins a letter; and locks. At each stage, with the
browser's connection open, every byte that the process can write to or has made is searched for the member's secrets in
the forms that they are known to take: the first and the last 16 bytes of each. How many are found is printed. It takes
the right to read any process's memory.
"""

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from tests.memory import in_memory
from tests.oversight.member_day import WRONG, MemberDay
from tests.servers import ROOT


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        day = MemberDay(Path(name), ROOT / "static" / "dist")

        def log_in() -> None:
            assert day.log_in(passphrase=WRONG).status_code == 403
            assert day.log_in().status_code == 303

        stages: dict[str, Callable[[], None]] = {
            "started": day.begin,
            "logged in": log_in,
            "after work": day.work,
            "locked": day.lock,
            "closed": day.browser.close,
        }
        results = {}
        try:
            for stage, step in stages.items():
                step()
                day.come_to_rest()
                results[stage] = in_memory(day.office.pid, day.secrets())
            memory = resident_mib(day.office.pid)
        finally:
            day.end()
    show(results)
    print(f"resident memory: {memory} MiB")


def resident_mib(pid: int) -> int:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") // 2**20


def show(results: dict[str, dict[str, int]]) -> None:
    print(f"{'':30}" + "".join(f"{stage:>12}" for stage in results))
    for name in results["started"]:
        print(f"{name:30}" + "".join(f"{each.get(name, 0):12}" for each in results.values()))
    print(f"{'all':30}" + "".join(f"{sum(each.values()):12}" for each in results.values()))


if __name__ == "__main__":
    main()

# SPDX-License-Identifier: AGPL-3.0-or-later
"""What each of the two readers says of an input: the one in this process, and the one in a long-lived node."""

import json
import subprocess
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import IO, Any

from crypto import errors
from crypto.errors import CryptoError
from tests.fuzz.formats import Format
from tests.waiting import SECONDS_MAX

Answer = dict[str, Any]


@dataclass(frozen=True)
class Difference:
    format: str
    data: bytes
    python: Answer
    script: Answer

    def __str__(self) -> str:
        return f"{self.format}: Python {self.python}, script {self.script}, input {self.data.hex()}"


@dataclass
class Comparison:
    """Tries inputs on both sides, and counts: ``tried`` by format, ``outcomes`` by format and answer."""

    script: "Script"
    tried: Counter[str] = field(default_factory=Counter)
    outcomes: Counter[tuple[str, str]] = field(default_factory=Counter)
    differences: list[Difference] = field(default_factory=list)

    def try_as_it_is(self, format_: Format) -> None:
        """Every valid input, which both must accept."""
        for data in format_.inputs:
            answer = self.compare(format_, data)
            if "accepted" not in answer:
                self.differences.append(Difference(format_.name, data, answer, {"accepted": "as a valid input"}))

    def try_altered(self, format_: Format, chance: Random) -> None:
        self.compare(format_, chance.choice(format_.alter)(chance, chance.choice(format_.inputs)))

    def compare(self, format_: Format, data: bytes) -> Answer:
        """Try one input; return what Python says of it."""
        ours, theirs = read_in_python(format_, data), self.script.read(format_.name, data)
        self.tried[format_.name] += 1
        self.outcomes[format_.name, str(ours.get("refused", "accepted"))] += 1
        if ours != theirs or "failed" in ours:
            self.differences.append(Difference(format_.name, data, ours, theirs))
        return ours


def read_in_python(format_: Format, data: bytes) -> Answer:
    try:
        return {"accepted": format_.read(data)}
    except CryptoError as error:
        # A format may have an error of its own, which counts as the one of the tree above it.
        return {
            "refused": next(kind.__name__ for kind in type(error).__mro__ if vars(errors).get(kind.__name__) is kind)
        }
    except Exception as error:
        return {"failed": repr(error)}


@dataclass(frozen=True)
class Script:
    """The process that runs readers.mjs: a line to it, a line from it."""

    to: IO[bytes]
    from_: IO[bytes]

    def read(self, name: str, data: bytes) -> Answer:
        self.to.write(f"{name} {data.hex()}\n".encode())
        self.to.flush()
        answer: Answer = json.loads(self.from_.readline())
        return answer


@contextmanager
def running_script() -> Iterator[Script]:
    line = ["node", str(Path(__file__).with_name("readers.mjs"))]
    with subprocess.Popen(line, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None and process.stdout is not None
        yield Script(process.stdin, process.stdout)
        process.stdin.close()
        assert process.wait(SECONDS_MAX) == 0

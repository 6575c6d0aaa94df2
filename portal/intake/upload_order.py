# SPDX-License-Identifier: AGPL-3.0-or-later
"""Which unfinished upload gives way first.

The one for which most has come since it moved last, its own size added: what lies still gives way to what moves, and
what is large to what is small. It moves once a 64th of its size has come for it, so that to keep a share costs about as
much as all others send. Who is about to send is judged as if it had moved, and no longer.

Which moved when is in memory alone, and is counted in bytes that have come, not in time: no time more exact than a day
is stored.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from heapq import heapify, heappop, heappush, heapreplace

from crypto.ids import SubmissionId
from portal.storage.weights import PART_BYTES_MIN

MOVE_PART = 64
"""An upload moves when this part of its size has come for it, and 64 KiB at least."""
ORDER_SPARE = 64
Noted = tuple[int, SubmissionId]


@dataclass
class _Upload:
    """``size``: bytes that it counts for; ``moved``: how many had come in all when it moved last; ``since``: how many
    have come for it since then; ``kept``: how many had come in all when a part was kept last."""

    size: int
    moved: int
    since: int = 0
    kept: int = 0

    @property
    def place(self) -> int:
        """The lowest goes first. It rises as the upload moves, and falls when its size turns out to be larger."""
        return self.moved - self.size

    def come(self, size: int, came: int) -> None:
        self.since += size
        if self.since >= max(PART_BYTES_MIN, self.size // MOVE_PART):
            self.moved, self.since = max(self.moved, came), 0

    def grow(self, size: int, came: int) -> None:
        more, self.size = size - self.size, size
        self.come(more, came)


class UploadOrder:
    """The unfinished uploads that this process knows of, in the order in which they give way."""

    def __init__(self) -> None:
        self._uploads: dict[SubmissionId, _Upload] = {}
        # With the place that each had when a part was kept, or later: the first is looked at until it has not risen.
        self._order: list[Noted] = []
        self._named: Counter[SubmissionId] = Counter()
        self._came = 0
        self._counted_at = 0
        # Of what goes during a count, which may have been seen.
        self._gone: set[SubmissionId] | None = None

    def __len__(self) -> int:
        return len(self._uploads)

    def __contains__(self, submission: SubmissionId) -> bool:
        return submission in self._uploads

    def size(self, submission: SubmissionId) -> int:
        """What it counts for; 0 for one that isn't here."""
        upload = self._uploads.get(submission)
        return upload.size if upload is not None else 0

    def total(self) -> int:
        """What all count for."""
        return sum(upload.size for upload in self._uploads.values())

    def come(self, submission: SubmissionId, size: int) -> None:
        """``size`` bytes have come for this upload, whether they are kept or not."""
        self._came += size
        upload = self._uploads.get(submission)
        if upload is not None:
            upload.come(size, self._came)

    def keep(self, submission: SubmissionId, size: int, came: int) -> None:
        """A part that counts for ``size`` is stored; ``came``: what ``come`` was told of it."""
        # One more, so that a count that began before this one was kept is known to have done so.
        self.come(submission, size - came + 1)
        upload = self._uploads.setdefault(submission, _Upload(0, self._came))
        upload.size += size
        upload.kept = self._came
        self.note(submission)

    def grow(self, submission: SubmissionId, size: int) -> None:
        """It has ``size`` by now: another process has kept parts of it."""
        self._uploads[submission].grow(size, self._came)
        self.note(submission)

    def take_off(self, submission: SubmissionId, size: int) -> int:
        """Up to ``size`` bytes of it are no longer an upload's; return how many."""
        upload = self._uploads.get(submission)
        if self._gone is not None:
            self._gone.add(submission)
        if upload is None:
            return 0
        size = min(size, upload.size)
        upload.size -= size
        if not upload.size:
            del self._uploads[submission]
        return size

    @contextmanager
    def named(self, submission: SubmissionId) -> Iterator[None]:
        """A bundle that names this upload comes within the block: meanwhile it is judged as if it moved on and on."""
        self._named[submission] += 1
        try:
            yield
        finally:
            self._named[submission] -= 1
            if not self._named[submission]:
                del self._named[submission]
                self.note(submission)

    def first(self, asking: SubmissionId) -> SubmissionId | None:
        """The one that goes first, as if the one that asks had moved now; call ``note`` for that one afterwards."""
        while self._order:
            noted, submission = self._order[0]
            upload = self._uploads.get(submission)
            if upload is None:
                heappop(self._order)
                continue
            is_moving = submission == asking or submission in self._named
            place = self._came - upload.size if is_moving else upload.place
            if place <= noted:
                return submission
            heapreplace(self._order, (place, submission))
        return None

    def pass_over(self) -> Noted:
        """Take the first out of the order, until ``note_again``."""
        return heappop(self._order)

    def note_again(self, passed: list[Noted]) -> None:
        for each in passed:
            heappush(self._order, each)

    def note(self, submission: SubmissionId) -> None:
        """Note its place, which may be lower than the one that it was noted with."""
        if submission in self._uploads:
            heappush(self._order, (self._uploads[submission].place, submission))
        if len(self._order) > 2 * len(self._uploads) + ORDER_SPARE:
            self._put_in_order()

    def begin_count(self) -> int:
        """Return how many bytes have come: what is counted from now on is as of then."""
        self._gone = set()
        return self._came

    def end_count(self, held: Mapping[SubmissionId, int], as_of: int) -> None:
        """Take over what a count found.

        What was kept after ``as_of`` may have been seen or not: the greater of both counts; what has gone since then
        may have been seen, and is as it is known here. What another process has taken in came by the count before.
        """
        gone, self._gone = self._gone or set(), None
        for submission in [each for each in self._uploads if each not in held]:
            if self._uploads[submission].kept <= as_of:
                del self._uploads[submission]
        for submission, size in held.items():
            if submission in gone:
                continue
            upload = self._uploads.setdefault(submission, _Upload(0, self._counted_at))
            if size > upload.size:
                upload.grow(size, self._counted_at)
            elif upload.kept <= as_of:
                upload.size = size
        self._counted_at = as_of
        self._put_in_order()

    def _put_in_order(self) -> None:
        """Anew, without those that are no more."""
        self._order = [(upload.place, submission) for submission, upload in self._uploads.items()]
        heapify(self._order)

# SPDX-License-Identifier: AGPL-3.0-or-later
"""Mutation testing: small faults are put into the code, one at a time, and a test must fail for each.

``make mutants`` for everything, ``make mutants ONLY=crypto/note.py`` for a module, ``JOBS=2`` for two processes.

Method. ``mutants.py`` makes the faults: another comparison, a condition left out, a constant one more or less, a text
that ends otherwise, a bound of a slice left out, arguments swapped or left out, a ``raise`` or a call removed, ``None``
returned, an exception not caught. Every test is run once under a tracer, to know which lines it runs
(``selection.py``). A process is then forked for each mutant from one that has collected the tests; the fault is swapped
into the loaded functions, or its module is imported anew (``swap.py``); the tests that run its line follow, at most
eight seconds of them, those of the module's own file first, until one fails (``run.py``). Properties get at most twenty
examples, always the same ones. A mutant that takes many times as long as its tests do is ended and counts as killed.

The score is killed / (all - explained), at least 90 % (``report.py``). A survivor that no test can tell from the
original, or need not, is explained in ``explained.toml``. Not seen: a fault that only another process would run into,
such as one that a test starts with ``python -m``.

About 5,100 mutants of ``crypto`` take 20 minutes of processor time in one process, the first half minute of it to trace
the tests. Measured in November 2026 for age, bech32, note, receipt code, charter, manifest, bundle, submission,
message, keyring, quorum and tlog, 2,550 mutants: 94.8 %, with the charter last to be tried again (81 % before its
limits had tests). The other modules have not been measured whole yet: ``make mutants`` goes on with them.

Why no library: mutmut 3.8 mutates neither constants nor fields nor properties, and a package of formats is half
constants; its mutants can't be loaded by programs that tests start. Cosmic Ray runs the whole command for every mutant,
which here takes a minute each.
"""

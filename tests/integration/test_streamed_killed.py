"""A large pool whose run is killed: what was scored stays scored, and the result is the same."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pyarrow as pa

from labelnext.runs.undo import resume, runs
from tests.unit.runs.large.test_job import assert_same, in_memory, settings, spread, written


def test_a_run_that_was_killed_goes_on_with_the_parts_that_are_left(tmp_path: Path) -> None:
    n, rng = 1_000_000, np.random.default_rng(0)
    values = rng.multinomial(100, [0.5, 0.3, 0.2], n) / 100  # many tie
    rows = pa.FixedSizeListArray.from_arrays(pa.array(values.ravel()), 3)
    table = pa.table({"item_id": pa.array(range(n)), "probabilities": rows})
    path = spread(table, tmp_path / "data", 64)
    config = settings(tmp_path, path)
    process = subprocess.Popen(
        [sys.executable, "-c", f"import labelnext; labelnext.run({config!r})"]
    )
    end = time.monotonic() + 120
    done: dict[str, int] = {}
    while len(done) < 5 and time.monotonic() < end and process.poll() is None:
        found = (tmp_path / "ranking").glob("*/scores/0*")
        done = {file.name: file.stat().st_mtime_ns for file in found}
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait(timeout=30)
    assert 5 <= len(done) < 64
    assert [journal.status for journal in runs(config)] == ["broken"]

    kept: dict[str, int] = {}

    def look(stage: str, count: int, total: int | None) -> None:
        if stage == "order" and not kept:
            found = (tmp_path / "ranking").glob("*/scores/0*")
            kept.update({file.name: file.stat().st_mtime_ns for file in found})

    assert resume(config, progress=look).status == "done"
    assert {name: kept[name] for name in done} == done  # not scored again
    assert_same(written(tmp_path / "ranking"), in_memory(tmp_path, table))

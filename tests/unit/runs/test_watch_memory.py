"""A watch that runs for days takes no more memory than one that has just begun."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from labelnext.runs import watch as module
from labelnext.runs.undo import runs
from labelnext.runs.watch import watch
from tests.unit.runs.test_watch import Clock

ITEMS, DIMENSIONS = 10_000, 128  # 5 MB of embeddings
WARM, ROUNDS = 4, 10
MOST = 20e6  # bytes


def watched(folder: Path) -> None:
    """Rank again and again in this process, and print the memory after each round."""

    def tell(_: object) -> None:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        print(pages * os.sysconf("SC_PAGE_SIZE"))

    counts = itertools.count(step=5)
    with patch.object(module, "_count", lambda _: next(counts)):
        watch(folder / "c.yaml", labels=5, stop=Clock(WARM + ROUNDS), tell=tell)


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="only Linux tells its pages")
def test_ten_rounds_of_a_probe_leave_nothing_in_memory(tmp_path: Path) -> None:
    vectors = np.random.default_rng(0).normal(size=(ITEMS, DIMENSIONS)).astype(np.float32)
    labels = ["ab"[n % 2] if n < 60 else None for n in range(ITEMS)]
    columns = {
        "item_id": [f"item-{n}" for n in range(ITEMS)],
        "embedding": pa.FixedSizeListArray.from_arrays(vectors.ravel(), DIMENSIONS),
        "label": labels,
    }
    pq.write_table(pa.table(columns), tmp_path / "p.parquet")
    (tmp_path / "c.yaml").write_text(
        "source: {adapter: files, path: p.parquet, model: probe}\n"
        "acquisition: {name: margin}\nselection: {method: top_k}\n"
    )
    code = "import pathlib, sys; from tests.unit.runs.test_watch_memory import watched; "
    done = subprocess.run(
        [sys.executable, "-c", f"{code}watched(pathlib.Path(sys.argv[1]))", str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    sizes = [int(line) for line in done.stdout.split()]
    assert len(sizes) == len(runs(tmp_path / "c.yaml")) == WARM + ROUNDS
    assert sizes[-1] - sizes[WARM - 1] < MOST, sizes

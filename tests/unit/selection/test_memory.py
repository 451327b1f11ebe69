"""Embeddings four times as large as the memory that the process may have, mapped from disk."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from labelnext import Pool, rank

LIMIT = 512 * 2**20  # bytes of data, as `ulimit -d` sets it; mapped files do not count
D = 2048
N = 4 * LIMIT // (4 * D)

SCRIPT = """
import resource, sys
import numpy as np
resource.setrlimit(resource.RLIMIT_DATA, ({limit}, {limit}))
from labelnext import Pool, rank
mapped = np.load(sys.argv[1], mmap_mode="r")
assert mapped.nbytes >= 4 * {limit}
try:
    np.array(mapped)
except MemoryError:
    print("limited")
pool = Pool(range(len(mapped)), embeddings=mapped)
for method, options in (("k_center", {{}}), ("image_diversity", {{"n_clusters": 4}})):
    print(*rank(pool, None, selection=method, budget=4, **options).item_ids)
"""


@pytest.fixture(scope="module")
def embeddings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cloud, many items at its middle (holes in the file), and three far from all."""
    path = tmp_path_factory.mktemp("embeddings") / "embeddings.npy"
    array = np.lib.format.open_memmap(path, mode="w+", dtype=np.float32, shape=(N, D))
    array[:4096] = np.random.default_rng(0).normal(size=(4096, D))
    for column, row in enumerate((5, N // 2, N - 1)):
        array[row, column] = 1000
    array.flush()
    return path


def test_pool_four_times_the_memory_limit_is_ranked(embeddings: Path) -> None:
    environment = os.environ | {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT.format(limit=LIMIT), str(embeddings)],
        capture_output=True,
        text=True,
        env=environment,
    )
    assert done.returncode == 0, done.stderr
    limited, k_center, image_diversity = done.stdout.splitlines()
    assert limited == "limited"
    assert {5, N // 2, N - 1} <= {int(i) for i in k_center.split()}
    assert len(set(image_diversity.split())) == 4


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_pool_shares_the_memory_of_mapped_embeddings(dtype: type, tmp_path: Path) -> None:
    np.save(tmp_path / "embeddings.npy", np.eye(8, dtype=dtype))
    mapped = np.load(tmp_path / "embeddings.npy", mmap_mode="r")
    pool = Pool(range(8), embeddings=mapped)
    assert np.shares_memory(pool.embeddings, mapped)
    whole = Pool(range(8), embeddings=np.eye(8))
    first, second = (rank(p, None, selection="k_center").item_ids.tolist() for p in (pool, whole))
    assert first == second

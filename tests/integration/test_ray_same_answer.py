"""Every function of the table ranks a pool on Ray as it ranks the pool in memory."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from benchmarks.same_answer import cases, difference, pool_for, run, start_ray, write

import labelnext
from labelnext.acquisition import Unit
from tests.integration.ray_warnings import IGNORED

pytestmark = IGNORED


@pytest.fixture(scope="module")
def ray_here() -> Iterator[None]:
    """One Ray for all functions; labelnext takes the one that it finds."""
    ray = start_ray()
    yield
    ray.shutdown()


@pytest.mark.usefixtures("ray_here")
@pytest.mark.parametrize(("name", "of"), cases())
def test_ray_gives_the_ranking_of_the_pool_in_memory(tmp_path: Path, name: str, of: Unit) -> None:
    pool = pool_for(name, of, 500)
    write(pool, tmp_path / "data", 7)
    run(pool, tmp_path / "data", tmp_path, name, of, "ray", 100)
    ranking = labelnext.rank(pool, name, of=of, budget=100)
    assert difference(ranking, tmp_path / "ranking") is None

"""Ray ranks and chooses as one machine does: every function of the table, and a batch."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from benchmarks.same_answer import cases, difference, pool_for, run, start_ray, write

import labelnext
from labelnext.acquisition import Unit
from tests.integration.ray_warnings import IGNORED
from tests.unit.runs.large.test_job import assert_same, settings, spread, written
from tests.unit.runs.large.test_selection import embedded

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


@pytest.mark.usefixtures("ray_here")
def test_ray_chooses_the_batch_that_one_machine_does(tmp_path: Path) -> None:
    path = spread(embedded(), tmp_path / "data", 7)
    how = {"selection": {"method": "k_center", "budget": 30}}
    labelnext.run(settings(tmp_path, path, **how))
    here = written(tmp_path / "ranking")
    labelnext.run(settings(tmp_path, path, engine="ray", **how))
    assert_same(written(tmp_path / "ranking"), here)

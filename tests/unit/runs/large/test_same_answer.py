"""Every function of the table ranks a pool in parts as it ranks the pool in memory."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from benchmarks.same_answer import cases, difference, pool_for, run, write

import labelnext
from labelnext import Objects, Pool
from labelnext.acquisition import Unit
from labelnext.errors import ConfigError
from labelnext.runs.large.export import source_of_pool

ROWS, BUDGET = 500, 100


@pytest.mark.parametrize("parts", [1, 7])
@pytest.mark.parametrize(("name", "of"), cases())
def test_parts_give_the_ranking_of_the_pool_in_memory(
    tmp_path: Path, name: str, of: Unit, parts: int
) -> None:
    pool = pool_for(name, of, ROWS)
    write(pool, tmp_path / "data", parts)
    run(pool, tmp_path / "data", tmp_path, name, of, "local", BUDGET)
    ranking = labelnext.rank(pool, name, of=of, budget=BUDGET)
    assert len(np.unique(ranking.pool_scores)) < len(ranking.pool_order)  # there are ties,
    assert pool.labelled.any()  # items that are labelled,
    assert len(ranking.unscored_ids) > (pool.missing & ~pool.labelled).sum() > 0  # and with NaN
    assert difference(ranking, tmp_path / "ranking") is None


@pytest.mark.parametrize(("name", "of"), cases())
def test_parts_may_hold_nothing_that_was_predicted_or_found(
    tmp_path: Path, name: str, of: Unit
) -> None:
    pool = pool_for(name, of, ROWS)
    sets = pool.objects if isinstance(pool.objects, tuple) else (pool.objects,)
    found = np.sum([o.counts for o in sets if o is not None], axis=0, initial=0)
    order = np.lexsort((found, ~pool.missing)) if of == "objects" else np.argsort(~pool.missing)
    write(pool, tmp_path / "data", 25, order)
    assert pool.missing[order[: ROWS // 25]].all()  # the whole first part
    run(pool, tmp_path / "data", tmp_path, name, of, "local", BUDGET)
    ranking = labelnext.rank(pool, name, of=of, budget=BUDGET)
    assert difference(ranking, tmp_path / "ranking") is None


def test_scores_that_depend_on_the_number_of_classes_need_their_names(tmp_path: Path) -> None:
    # In each part one class alone occurs; in the whole there are two.
    boxes, sure = [[0, 0, 1, 1]] * 2, [0.5, 0.5]
    both = Objects([0, 1, 2], sure, class_ids=[0, 1], boxes=boxes)
    pool = Pool(["a", "b"], objects=(both, both), classes=["cat", "dog"])
    write(pool, tmp_path / "data", 2, np.arange(2))
    config = {
        "source": {"adapter": "files", "path": str(tmp_path / "data"), **source_of_pool(pool)},
        "acquisition": {"name": "committee_certainty", "of": "objects"},
        "write": {"output": str(tmp_path / "ranking")},
        "state": str(tmp_path / "state"),
        "report": {"path": None},
    }
    scores = labelnext.run(config).ranking.scores
    # Half for the class and half for background: 1 − ln 2/ln 3.
    assert scores == pytest.approx([1 - np.log(2) / np.log(3)] * 2)
    del config["source"]["classes"]
    with pytest.raises(ConfigError, match="classes must name the classes for committee_certainty"):
        labelnext.run(config)

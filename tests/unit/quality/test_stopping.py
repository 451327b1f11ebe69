from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.metrics import cohen_kappa_score

from labelnext.errors import LabelnextWarning
from labelnext.pool import Objects, Pool
from labelnext.quality.stopping import Snapshot, kappa, keep, signals, snapshot_of, snapshots
from labelnext.ranking import rank


def run(name: str, predicted: list[int], scores: list[float] | None = None) -> Snapshot:
    ids = np.array([f"i{n}" for n in range(len(predicted))])
    found = np.array(scores or [0.5] * len(predicted))
    return Snapshot(name, "entropy", len(ids), 0, len(found), ids, np.array(predicted), found)


def values(runs: list[Snapshot]) -> list[float | None]:
    return [signal.value for signal in signals(runs)]


def test_no_run_gives_no_value() -> None:
    assert values([]) == [None, None, None]


def test_one_run_gives_the_mean_score_alone() -> None:
    assert values([run("a", [0, 1], [0.2, 0.4])]) == [None, None, pytest.approx(0.3)]


def test_two_runs_are_compared_item_by_item() -> None:
    first, second = run("a", [0, 0, 1, 1]), run("b", [0, 0, 1, 0])
    assert values([first, second]) == [pytest.approx(0.5), 0.25, 0.5]


def test_items_without_a_prediction_in_both_runs_do_not_count() -> None:
    first, second = run("a", [0, 1, -1, 1]), run("b", [0, 1, 1, -1])
    assert values([first, second])[:2] == [1.0, 0.0]


def test_kappa_agrees_with_scikit_learn() -> None:
    rng = np.random.default_rng(0)
    first, second = rng.integers(0, 4, (2, 200))
    assert kappa(first, second) == pytest.approx(cohen_kappa_score(first, second))
    assert kappa(first, first) == 1.0
    assert kappa(np.zeros(3, int), np.zeros(3, int)) == 1.0


def test_three_agreeing_pairs_say_that_the_model_has_settled() -> None:
    alike = [run(name, [0, 1, 0, 1], [n / 10, 0.5]) for n, name in enumerate("abcd")]
    assert "have stabilised" in signals(alike)[0].says
    nightly = [*alike[:2], *(replace(alike[2], run_id=name) for name in "cd")]
    (kappa_of_nightly, *_) = signals(nightly)
    assert kappa_of_nightly.value == 1.0
    assert "but in 1 of them the model was the same: run again" in kappa_of_nightly.says
    assert "not stable yet" in signals(alike[:3])[0].says


def labelled_since(n_labelled: int, rows: NDArray[np.floating]) -> Snapshot:
    labels = [0] * n_labelled + [-1] * (len(rows) - n_labelled)
    pool = Pool(range(len(rows)), probabilities=rows, labels=labels)
    return snapshot_of(str(n_labelled), pool, rank(pool, "margin"))


def test_new_labels_alone_are_no_new_model() -> None:
    rows = np.random.default_rng(0).dirichlet(np.ones(3), 20)
    kappa_of, change, _ = signals([labelled_since(n, rows) for n in (0, 1, 5, 9)])
    assert "in 3 of them the model was the same: run again" in kappa_of.says
    assert change.says.endswith("since the previous run, as the model was the same.")
    other = rows.copy()
    other[-1] = np.roll(other[-1], 1)  # another class with the same margin
    assert "same" not in signals([labelled_since(9, rows), labelled_since(10, other)])[1].says


def test_the_trend_is_that_of_items_ranked_both_times() -> None:
    rows = np.array([[0.5, 0.5], [0.6, 0.4], [0.7, 0.3], [0.9, 0.1]])  # margins 0, .2, .4, .8

    def trend(first: Snapshot, second: Snapshot) -> tuple[float | None, str]:
        uncertainty = signals([first, second])[2]
        return uncertainty.value, uncertainty.says

    before = labelled_since(0, rows)
    value, says = trend(before, labelled_since(2, rows))  # the two least certain were labelled
    assert value == pytest.approx(0.6)
    assert "previous run: 0.6, as the scores were the same." in says
    rows[3] = 0.8, 0.2
    assert "previous run: 0.6, so it is less certain." in trend(before, labelled_since(2, rows))[1]
    more = np.vstack([rows, [[1.0, 0.0]]])
    value, says = trend(before, labelled_since(2, more))
    assert value == pytest.approx(2 / 3)
    assert "of the 2 items ranked both times 0.5, previous run: 0.6, so it is less certain." in says
    assert "ranked other items" in trend(labelled_since(3, rows), labelled_since(4, more))[1]


def test_runs_are_kept_and_read_back_oldest_first(tmp_path: Path) -> None:
    pool = Pool(
        ["a", "b", "c"], probabilities=[[0.9, 0.1], [0.4, 0.6], [0.5, 0.5]], labels=[0, -1, -1]
    )
    for name in ("2", "1"):
        keep(tmp_path, snapshot_of(name, pool, rank(pool, "entropy", budget=1)))
    (tmp_path / "3.npz").write_bytes(b"cut off")
    with pytest.warns(LabelnextWarning, match="3.npz' can't be read, so its .* or delete it"):
        first, second = snapshots(tmp_path)
    assert (first.run_id, second.run_id) == ("1", "2")
    assert first.item_ids.tolist() == ["a", "b", "c"]
    assert first.predicted.tolist() == [0, 1, 0]
    assert (first.n_items, first.n_labelled, len(first.scores)) == (3, 1, 2)
    assert first.item_ids[first.rows].tolist() == ["c", "b"]  # the order of the scores


def test_old_runs_are_read_without_their_items_and_the_signals_stay(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    runs = []
    for name in "abcdefg":
        pool = Pool(range(30), probabilities=rng.dirichlet(np.ones(3), 30))
        ranking = rank(pool, "entropy")
        keep(tmp_path, snapshot_of(name, pool, ranking))
        seen = (pool.item_ids, pool.predicted_classes, ranking.pool_scores)
        runs.append(Snapshot(name, "entropy", 30, 0, len(seen[-1]), *seen))
    read = snapshots(tmp_path)
    assert [len(run.item_ids) for run in read] == [0, 0, 0, 30, 30, 30, 30]
    assert [run.n_items for run in read] == [30] * 7
    assert signals(read) == signals(runs)


def test_objects_and_missing_items_have_no_class() -> None:
    assert Pool(["a"], objects=Objects([0, 0], [])).predicted_classes.tolist() == [-1]
    pool = Pool(["a", "b"], probabilities=[[0.9, 0.1], [0.9, 0.1]], missing=[False, True])
    assert pool.predicted_classes.tolist() == [0, -1]


def test_scores_of_other_settings_are_not_compared() -> None:
    first, second = run("a", [0, 1], [0.1, 0.3]), run("b", [0, 1], [0.5, 0.7])
    first = replace(first, unit="objects", scoring="reduce mean")
    second = replace(second, unit="objects", scoring="reduce max")
    says = signals([first, second])[2].says
    assert "previous run" not in says
    assert "(reduce max); the earlier runs scored otherwise, the last by entropy (reduce mean)" in (
        says
    )
    # An earlier run by the same settings is compared, past the one between.
    assert "previous run: 0.6" in signals([second, first, second])[2].says


def test_old_runs_of_unknown_settings_are_compared_by_their_function() -> None:
    old, new = run("a", [0], [0.1]), replace(run("b", [0], [0.3]), scoring="reduce max")
    assert "previous run: 0.1" in signals([old, new])[2].says


def test_signals_of_classes_say_that_objects_have_none() -> None:
    runs = [replace(run(name, [-1, -1], [0.1, 0.2]), unit="objects") for name in "ab"]
    for signal in signals(runs)[:2]:
        assert signal.value is None
        assert "which objects don't give" in signal.says


def test_the_settings_of_scores_are_kept(tmp_path: Path) -> None:
    keep(tmp_path, replace(run("a", [0], [0.5]), unit="objects", scoring="floor 0.1"))
    (found,) = snapshots(tmp_path)
    assert (found.unit, found.scoring) == ("objects", "floor 0.1")

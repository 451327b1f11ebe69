"""Snapshots of runs, and stopping signals computed from them."""

from __future__ import annotations

import warnings
import zipfile
from collections.abc import Sequence, Set
from dataclasses import dataclass, field
from itertools import pairwise
from math import isclose
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from labelnext.acquisition import ACQUISITIONS, get_acquisition
from labelnext.errors import LabelnextWarning
from labelnext.pool.pool import Pool
from labelnext.ranking.ranking import Ranking
from labelnext.ranking.recipe import Recipe
from labelnext.support.arrays import DAMAGED
from labelnext.support.files import write_atomically
from labelnext.support.words import counted

_STABLE_KAPPA = 0.99  # Bloodgood and Vijay-Shanker (2009), section 4
_STABLE_RUNS = 3
_COLUMNS = (
    "acquisition",
    "n_items",
    "n_labelled",
    "n_ranked",
    "item_ids",
    "predicted",
    "scores",
    "unit",
    "scoring",
    "rows",
)


@dataclass(frozen=True, eq=False)
class Snapshot:
    """A record of one run, for comparison with others.

    Attributes:
        run_id: of its journal.
        acquisition: name of the acquisition function; empty without one.
        n_items: items in the pool.
        n_labelled: labelled items.
        n_ranked: ranked items.
        item_ids: shape (n_kept,), all items, or a sample that is the same in every run; empty if
            the run is too old to compare.
        predicted: shape (n_kept,), most likely class, −1 without a class prediction; empty if
            `item_ids` is.
        scores: shape (n_scores,), of the ranked items, or of those in the sample.
        unit: what was scored, items or objects; empty if unknown, as in older runs.
        scoring: the settings of the scores, in words; empty if unknown.
        rows: shape (n_scores,), the position in `item_ids` of what each score is of; empty if
            unknown, as in older runs.
    """

    run_id: str
    acquisition: str
    n_items: int
    n_labelled: int
    n_ranked: int
    item_ids: NDArray[np.str_]
    predicted: NDArray[np.int64]
    scores: NDArray[np.float64]
    unit: str = ""
    scoring: str = ""
    rows: NDArray[np.int32] = field(default_factory=lambda: np.empty(0, dtype=np.int32))

    @property
    def by_item(self) -> NDArray[np.float64] | None:
        """Score of each item, shape (n_kept,), NaN for those not ranked; None if unknown."""
        if len(self.rows) != len(self.scores) or not len(self.item_ids):
            return None
        scores = np.full(len(self.item_ids), np.nan)
        scores[self.rows] = self.scores
        return scores

    @property
    def median_score(self) -> float | None:
        """Median of the finite scores; None without any."""
        finite = self.scores[np.isfinite(self.scores)]
        return float(np.median(finite)) if finite.size else None

    def to_dict(self) -> dict[str, Any]:
        """As JSON-able data, without the items."""
        return {
            "run_id": self.run_id,
            "acquisition": self.acquisition,
            "n_items": self.n_items,
            "n_labelled": self.n_labelled,
            "n_ranked": self.n_ranked,
            "median_score": self.median_score,
        }


@dataclass(frozen=True)
class Signal:
    """A sign that further labelling may gain little, with its limits.

    Attributes:
        name: of the signal.
        value: the measured value; None if unavailable.
        says: one sentence on the value.
        caution: its limits.
        reference: the source.
    """

    name: str
    value: float | None
    says: str
    caution: str
    reference: str


def snapshot_of(run_id: str, pool: Pool, ranking: Ranking) -> Snapshot:
    """The snapshot of a run on a pool in memory."""
    import pyarrow as pa
    import pyarrow.compute as pc

    ids = pa.array(pool.item_ids, pa.string())
    rows = pc.index_in(pa.array(ranking.pool_order, pa.string()), value_set=ids)
    return Snapshot(
        run_id,
        ranking.acquisition or "",
        len(pool),
        int(pool.labelled.sum()),
        len(ranking.pool_order),
        pool.item_ids,
        pool.predicted_classes,
        ranking.pool_scores,
        *scored_by(ranking.recipe),
        rows=rows.to_numpy(zero_copy_only=False).astype(np.int32),
    )


def scored_by(recipe: Recipe | None) -> tuple[str, str]:
    """The unit and the settings of a recipe's scores, in words; empty without a recipe.

    Example:
        >>> scored_by(Recipe("entropy", unit="objects", reduction="max", floor=0.1))
        ('objects', 'floor 0.1, reduce max')
    """
    if recipe is None:
        return "", ""
    stated = [f"{name} {value}" for name, value in sorted(recipe.scoring.items())]
    return recipe.unit or "", ", ".join(stated) or "its defaults"


def keep(folder: Path, snapshot: Snapshot) -> None:
    """Store a snapshot for `status` as ``<run_id>.npz`` in the folder."""
    columns: dict[str, Any] = {name: np.asarray(getattr(snapshot, name)) for name in _COLUMNS}
    npy: Any = np.lib.format  # without types

    def write(file: IO[bytes]) -> None:
        # NumPy's own compressed form takes five times as long, and saves a seventh more.
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as packed:
            for name, column in columns.items():
                with packed.open(f"{name}.npy", "w", force_zip64=True) as part:
                    npy.write_array(part, column, allow_pickle=False)

    write_atomically(folder / f"{snapshot.run_id}.npz", write, private=True)


def snapshots(folder: Path, but: Set[str] = frozenset()) -> list[Snapshot]:
    """The stored snapshots, oldest first; a `LabelnextWarning` names each that can't be read.

    Only the newest runs keep their ids, since signals compare only those.

    Args:
        folder: the folder of the snapshots.
        but: ids of runs to leave out, such as those of another configuration.
    """
    newest_first: list[Snapshot] = []
    for path in sorted(folder.glob("*.npz"), reverse=True):
        if path.stem in but or not path.is_file():
            continue
        try:
            with path.open("rb") as file, np.load(file, allow_pickle=False) as data:
                ids, predicted = np.empty(0, dtype=np.str_), np.empty(0, dtype=np.int64)
                rows, scores = np.empty(0, dtype=np.int32), data["scores"]
                n_items = int(data["n_items"]) if "n_items" in data else len(data["predicted"])
                n_ranked = int(data["n_ranked"]) if "n_ranked" in data else len(scores)
                if len(newest_first) <= _STABLE_RUNS:
                    ids, predicted, rows = (
                        data["item_ids"],
                        data["predicted"],
                        data.get("rows", rows),
                    )
                unit, scoring = (str(data.get(name, "")) for name in ("unit", "scoring"))
                newest_first.append(
                    Snapshot(
                        path.stem,
                        str(data["acquisition"]),
                        n_items,
                        int(data["n_labelled"]),
                        n_ranked,
                        ids,
                        predicted,
                        scores,
                        unit,
                        scoring,
                        rows,
                    )
                )
        except DAMAGED:
            what = f"skipped: {str(path)!r} can't be read, so its run can't be compared."
            message = f"{what} Restore it from a backup, or delete it."
            warnings.warn(message, LabelnextWarning, stacklevel=2)
    return newest_first[::-1]


def kappa(first: NDArray[np.integer], second: NDArray[np.integer]) -> float:
    """Cohen's kappa of two labellings, in [−1, 1]; 1 if both use a single, identical class.

    Args:
        first: shape (n_items,), class positions.
        second: shape (n_items,), class positions.

    References:
        Cohen (1960).

    Example:
        >>> import numpy as np
        >>> kappa(np.array([0, 0, 1, 1]), np.array([0, 0, 1, 0]))
        0.5
    """
    agreed = float((first == second).mean())
    names = np.union1d(first, second)
    chance = sum(float((first == c).mean() * (second == c).mean()) for c in names)
    return 1.0 if chance == 1 else (agreed - chance) / (1 - chance)


def signals(runs: Sequence[Snapshot]) -> list[Signal]:
    """The stopping signals of runs given oldest first."""
    return [_agreement(runs), _change(runs), _uncertainty(runs)]


def _agreement(runs: Sequence[Snapshot]) -> Signal:
    pairs = [_common(a, b) for a, b in pairwise(runs)]
    values = [kappa(a, b) for a, b in pairs if len(a)]
    value = values[-1] if values else None
    recent = values[-_STABLE_RUNS:]
    if value is None:
        says = _without_classes(runs)
    elif len(recent) == _STABLE_RUNS and np.mean(recent) >= _STABLE_KAPPA:
        same = sum(_is_same(a, b) for a, b in pairwise(runs[-_STABLE_RUNS - 1 :]))
        says = f"the last {_STABLE_RUNS} pairs of runs agree" + (
            f", but in {same} of them the model was the same: run again after it was retrained."
            if same
            else ": predictions have stabilised."
        )
    else:
        says = (
            f"not stable yet; that takes {_STABLE_RUNS} pairs of runs averaging "
            f"{_STABLE_KAPPA} or more."
        )
    return Signal(
        "kappa",
        value,
        says,
        "a model that wasn't retrained always agrees with itself, and a stable model may be wrong.",
        "Bloodgood and Vijay-Shanker, 2009",
    )


def _is_same(a: Snapshot, b: Snapshot) -> bool:
    """Whether two runs had the same classes and scores, to the last digit, where both had any."""
    scores, others = a.by_item, b.by_item
    if scores is None or others is None:
        return (
            np.array_equal(a.item_ids, b.item_ids)
            and np.array_equal(a.predicted, b.predicted)
            and np.array_equal(a.scores, b.scores, equal_nan=True)
        )
    first, second = _rows_of_both(a, b)
    x, y = scores[first], others[second]
    both = np.isfinite(x) & np.isfinite(y)
    classes = np.array_equal(a.predicted[first], b.predicted[second])
    return classes and bool(both.any()) and np.array_equal(x[both], y[both])


def _without_classes(runs: Sequence[Snapshot]) -> str:
    if runs and runs[-1].unit == "objects":
        return "needs one class per item, which objects don't give; overall uncertainty works."
    return "needs two runs with class predictions of the same items."


def _change(runs: Sequence[Snapshot]) -> Signal:
    first, second = _common(*runs[-2:]) if len(runs) > 1 else (np.empty(0), np.empty(0))
    value = float((first != second).mean()) if len(first) else None
    says = (
        _without_classes(runs)
        if value is None
        else f"{100 * value:.1f}% of the predictions changed since the previous run"
        + (", as the model was the same." if _is_same(*runs[-2:]) else ".")
    )
    caution = "few changes may just mean few new labels."
    return Signal("classification change", value, says, caution, "Zhu, Wang and Hovy, 2008")


def _uncertainty(runs: Sequence[Snapshot]) -> Signal:
    last = runs[-1] if runs else None
    scores = np.empty(0) if last is None else last.scores[np.isfinite(last.scores)]
    value = float(scores.mean()) if len(scores) else None
    earlier = [run for run in runs[:-1] if np.isfinite(run.scores).any()]
    same = [run for run in earlier if last is not None and _comparable(run, last)]
    if value is None or last is None:
        says = "needs a run with scores."
    elif same or not earlier:
        says = _trend(last, same[-1] if same else None)
    else:
        says = (
            f"mean {last.acquisition} of the remaining items ({last.scoring or 'its settings'}); "
            f"the earlier runs scored otherwise, the last by {earlier[-1].acquisition} "
            f"({earlier[-1].scoring or 'its settings'}), so it isn't compared with them."
        )
    caution = "an overconfident model looks certain long before it is right."
    return Signal("overall uncertainty", value, says, caution, "Zhu, Wang, Hovy and Ma, 2010")


def _comparable(a: Snapshot, b: Snapshot) -> bool:
    """Whether two runs scored in the same way; unknown settings of old runs are taken for it."""
    how = [(run.unit, run.scoring) for run in (a, b) if run.scoring]
    return a.acquisition == b.acquisition and len(set(how)) < 2


def _trend(last: Snapshot, before: Snapshot | None) -> str:
    """The mean score of the newest run in words, and whether it is more certain than before.

    Means are compared over the items that both runs ranked: those labelled in between were the
    least certain ones, so the mean of the rest moves even if no score does.
    """
    known = last.acquisition in ACQUISITIONS.names()  # else of a package that is gone
    direction = get_acquisition(last.acquisition).direction if known else None
    sense = "" if direction is None else f", where {direction} means uncertain"
    said = f"mean {last.acquisition} of the remaining items{sense}"
    if before is None:
        return f"{said}; run again to see the trend."
    x, y = _scores_of_both(before, last)
    if not len(x):
        return f"{said}; the previous run ranked other items, so it isn't compared with it."
    then, now = float(x.mean()), float(y.mean())
    n = int(np.isfinite(last.scores).sum())
    of = "" if len(y) == n else f" of the {counted(len(y), 'item')} ranked both times {now:.4g},"
    turn = ""
    if np.array_equal(x, y):
        turn = ", as the scores were the same"
    elif direction is not None and not isclose(now, then):
        turn = f", so it is {'less' if (now > then) == (direction == 'high') else 'more'} certain"
    return f"{said};{of} previous run: {then:.4g}{turn}."


def _scores_of_both(a: Snapshot, b: Snapshot) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Scores of the items that both runs scored; if unknown, all scores of runs equally long."""
    scores, others = a.by_item, b.by_item
    if scores is None or others is None:
        x, y = (run.scores[np.isfinite(run.scores)] for run in (a, b))
        return (x, y) if len(x) == len(y) else (x[:0], y[:0])
    first, second = _rows_of_both(a, b)
    x, y = scores[first], others[second]
    both = np.isfinite(x) & np.isfinite(y)
    return x[both], y[both]


def _rows_of_both(a: Snapshot, b: Snapshot) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Rows in each run of the items that both saw."""
    if np.array_equal(a.item_ids, b.item_ids):
        return (np.arange(len(a.item_ids)),) * 2
    row_of_id = {name: row for row, name in enumerate(b.item_ids.tolist())}
    rows = np.array([row_of_id.get(name, -1) for name in a.item_ids.tolist()], dtype=np.intp)
    return np.flatnonzero(rows >= 0), rows[rows >= 0]


def _common(a: Snapshot, b: Snapshot) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Predictions of the items predicted in both runs."""
    first, second = _rows_of_both(a, b)
    x, y = a.predicted[first], b.predicted[second]
    both = (x >= 0) & (y >= 0)
    return x[both], y[both]

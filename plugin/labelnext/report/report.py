"""Report: what was read, chosen and written, as text, JSON and one self-contained HTML page."""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from labelnext.acquisition.box_committee import class_flips
from labelnext.acquisition.function import without_objects
from labelnext.acquisition.matching import merge_boxes
from labelnext.acquisition.objects import object_statistics
from labelnext.pool.checks import mean_of_members
from labelnext.pool.objects import Notice, Objects
from labelnext.pool.pool import Pool
from labelnext.quality.reliability import trust
from labelnext.ranking.rank import Ranking

BINS = 30
NEXT = 20


@dataclass(frozen=True, eq=False)
class Report:
    """What a run found and did.

    Attributes:
        run: name of the run.
        run_id: of the journal; None when nothing was written.
        created: time, ISO 8601, UTC.
        adapter: name of the adapter.
        target: what was written to, for people.
        dry_run: nothing was written.
        counts: items, predicted, missing, labelled, unscored, ranked, batch; of detections also
            those without objects, and those whose objects are all below the floor.
        ids: the ids behind the counts of exceptions: missing and unscored.
        notices: what was adjusted, left out or looks wrong.
        scores: distribution of the scores: edges, pool and batch counts; None without scores.
        classes: for each class its predictions in the pool and in the batch; None without any.
        objects_per_item: mean number of objects that reach the floor, in the pool and in the
            batch; None without objects.
        next_items: the next items, with rank, priority, score and the reason.
        steps: what was written, or would be.
        stays: what an undo cannot take back.
        next_steps: what to do now.
        undo: how to take the run back.
        config: the configuration without secrets.
        versions: of the packages.
        calibration: of each model version, its confidence against how often it was right, as
            `labelnext.quality.reliability.Trust` has it; empty without labelled items that have
            predictions.
        seed: of the selection.
        input_hash: SHA-256 of what was read, whatever the order of its rows.
        seconds: time of each stage.
        recipe: how the ranking was made, as `labelnext.ranking.recipe.Recipe` has it.
        ranking: the ranking itself; not part of the JSON.
        path: of the HTML page, if it was written.
        output: the ranking file, if one was written.
    """

    run: str
    run_id: str | None
    created: str
    adapter: str
    target: str
    dry_run: bool
    counts: Mapping[str, int]
    ids: Mapping[str, Sequence[str]]
    notices: Sequence[Notice]
    scores: Mapping[str, Any] | None
    classes: Sequence[Mapping[str, Any]] | None
    objects_per_item: Mapping[str, float] | None
    next_items: Sequence[Mapping[str, Any]]
    steps: Sequence[str]
    stays: Sequence[str]
    next_steps: Sequence[str]
    undo: str
    config: Mapping[str, Any]
    versions: Mapping[str, str]
    calibration: Sequence[Mapping[str, Any]]
    seed: int
    input_hash: str
    seconds: Mapping[str, float]
    recipe: Mapping[str, Any] | None
    ranking: Ranking = field(repr=False)
    path: Path | None = None
    output: Path | None = None

    def to_dict(self) -> dict[str, Any]:
        """As JSON-able data; the batch in full as `batch`."""
        data = {f.name: getattr(self, f.name) for f in fields(self) if f.name != "ranking"}
        data["notices"] = [vars(notice) for notice in self.notices]
        data["path"] = None if self.path is None else str(self.path)
        data["output"] = None if self.output is None else str(self.output)
        data["batch"] = self.ranking.to_rows()
        return data

    def to_json(self) -> str:
        """As JSON text."""
        return json.dumps(self.to_dict(), indent=2, ensure_ascii=False, default=str)

    def to_text(self) -> str:
        """A few lines for a terminal or a log."""
        counts = ", ".join(f"{n} {name}" for name, n in self.counts.items())
        lines = [f"labelnext {self.run}: {self.target}", counts]
        if self.objects_per_item is not None:
            lines.append(f"objects per item: {per_item(self.objects_per_item)}")
        lines += [calibration_line(found) for found in self.calibration]
        lines += [f"warning: {notice.message}" for notice in self.notices]
        did = "would" if self.dry_run else "did"
        lines += [f"{did}: {step}" for step in self.steps]
        lines += [f"next: {step}" for step in self.next_steps]
        if self.path is not None:
            lines.append(f"report: {self.path}")
        return "\n".join(lines)

    __str__ = to_text

    def to_html(self) -> str:
        """One page that needs nothing but itself."""
        from labelnext.report.plots import render

        return render(self)

    _repr_html_ = to_html


def summarise(pool: Pool, ranking: Ranking, notices: Sequence[Notice] = ()) -> dict[str, Any]:
    """The parts of a Report that follow from the pool and the ranking.

    Args:
        pool: what was read.
        ranking: of it.
        notices: further ones of the run.
    """
    recipe = ranking.recipe
    floor = 0.0 if recipe is None or recipe.floor is None else recipe.floor
    places = {name: row for row, name in enumerate(pool.item_ids.tolist())}
    batch = np.array([places[name] for name in ranking.item_ids.tolist()], dtype=np.intp)
    asked = pool.labelled if ranking.purpose == "review" else ~pool.labelled
    missing = pool.missing & asked
    counts = {
        "items": len(pool),
        "predicted": int((~pool.missing).sum()),
        "missing": int(missing.sum()),
        "labelled": int(pool.labelled.sum()),
        "unscored": len(ranking.unscored_ids),
        "ranked": len(ranking.pool_order),
        "batch": len(ranking),
    }
    if pool.object_sets:
        empty = without_objects(pool, 0.0)
        counts["without objects"] = int(empty.sum())
        if floor > 0:
            counts["below the floor"] = int((without_objects(pool, floor) & ~empty).sum())
    return {
        "counts": counts,
        "ids": {
            "missing": pool.item_ids[missing].tolist(),
            "unscored": list(ranking.unscored_ids),
        },
        "notices": [*pool.notices, *ranking.notices, *notices],
        "scores": _distribution(ranking),
        "classes": _classes(pool, ranking, batch),
        "objects_per_item": _objects_per_item(pool, asked, batch, floor),
        "next_items": [
            {**row, "reason": _reason(pool, places[row["item_id"]], ranking)}
            for row in ranking.to_rows()[:NEXT]
        ],
        "calibration": [found.to_dict() for found in trust(pool)],
        "seed": ranking.seed,
        "input_hash": pool.fingerprint(),
        "recipe": None if recipe is None else recipe.to_dict(),
        "ranking": ranking,
    }


def _reason(pool: Pool, row: int, ranking: Ranking) -> str:
    text = reason(pool, row, ranking.of)
    if ranking.purpose == "label":
        return text
    return f"labelled {_label(pool, row)}; predicted {text}"


def _label(pool: Pool, row: int) -> str:
    """What people said of an item."""
    if pool.truth is not None:
        return _objects_reason(pool, pool.truth, row)
    if pool.votes is not None and (pool.votes[row] >= 0).any():
        votes = np.bincount(pool.votes[row][pool.votes[row] >= 0])
        said = np.argsort(-votes, kind="stable")[: np.count_nonzero(votes)].tolist()
        return ", ".join(f"{class_name(pool, c)} by {votes[c]}" for c in said[:5])
    return class_name(pool, -1 if pool.labels is None else int(pool.labels[row]))


def reason(pool: Pool, row: int, of: str | None) -> str:
    """Why an item stands where it stands: its two best classes, or its objects.

    Args:
        pool: the items.
        row: position of the item.
        of: items or objects.
    """
    if pool.missing[row]:
        return "no prediction"
    sets = pool.object_sets
    if (of == "objects" or pool.members is None) and sets:
        if len(sets) > 1 and all(objects.boxes is not None for objects in sets):
            return _versions_reason(sets, row)
        return _objects_reason(pool, sets[pool.newest_versions[row]], row)
    if pool.members is None:
        return ""
    vectors = pool.members[:, row]
    members = vectors[~np.isnan(vectors).any(axis=1)]
    if not len(members):
        return "no whole prediction"
    mean = mean_of_members(members[:, None])[0]
    best = np.argsort(-mean, kind="stable")[:2].tolist()
    text = ", ".join(f"{class_name(pool, c)} {mean[c]:.2f}" for c in best)
    if len(vectors) == 1:
        return text
    votes = np.bincount(members.argmax(axis=1))
    won = np.argsort(-votes, kind="stable")[: np.count_nonzero(votes)].tolist()
    return f"{text}; votes: {', '.join(f'{class_name(pool, c)} {votes[c]}' for c in won[:5])}"


def _objects_reason(pool: Pool, objects: Objects, row: int, most: int = 5) -> str:
    start, end = objects.offsets[row : row + 2].tolist()
    if start == end:
        return "no objects"
    confidences = objects.confidences[start:end]
    order = np.argsort(-confidences, kind="stable")
    ids = None if objects.class_ids is None else objects.class_ids[start:end]
    parts = [
        f"{'object' if ids is None else class_name(pool, int(ids[i]))} {confidences[i]:.2f}"
        for i in order[:most].tolist()
    ]
    more = f" and {len(order) - most} more" if len(order) > most else ""
    return f"{len(order)} objects: {', '.join(parts)}{more}"


def _versions_reason(versions: tuple[Objects, ...], row: int) -> str:
    clusters = merge_boxes(versions, start=row, stop=row + 1)
    flips = int(class_flips(clusters, versions).sum())
    unmatched = int((clusters.members < 0).any(axis=1).sum())
    return (
        f"{len(clusters)} boxes in {len(versions)} versions: {flips} change class, "
        f"{unmatched} not found by all"
    )


def class_name(pool: Pool, position: int) -> str:
    """Name of a class, for people: short, and its position where the pool names none."""
    if position < 0:
        return "unknown"
    name = str(position) if pool.classes is None else pool.classes[position]
    return name if len(name) <= 40 else f"{name[:37]}..."


def _distribution(ranking: Ranking) -> dict[str, Any] | None:
    scores = ranking.pool_scores[np.isfinite(ranking.pool_scores)]
    if not scores.size:
        return None
    counts, edges = np.histogram(scores, bins=BINS)
    chosen = ranking.scores[np.isfinite(ranking.scores)]
    return {
        "edges": edges.tolist(),
        "pool": counts.tolist(),
        "batch": np.histogram(chosen, bins=edges)[0].tolist(),
        "min": float(scores.min()),
        "median": float(np.median(scores)),
        "max": float(scores.max()),
    }


def predictions_by_class(
    pool: Pool, of: str | None
) -> tuple[NDArray[np.int64], NDArray[np.intp]] | None:
    """The predicted class of each item, or of each object, and the item that it belongs to.

    Args:
        pool: the items.
        of: items or objects.

    Returns:
        Class positions, −1 for none, and positions of items, of one shape; None where the pool
        predicts no classes. Both in the order of the items; of several versions that predict
        objects, each item has those of the newest that predicted it.
    """
    if pool.probabilities is not None and of != "objects":
        assert pool.top_classes is not None, "there are probabilities"
        return pool.top_classes, np.arange(len(pool))
    pairs = [(o.class_ids, o.item_positions) for o in pool.shown_objects if o.class_ids is not None]
    if len(pairs) < 2:
        return pairs[0] if pairs else None
    predicted, owners = (np.concatenate(columns) for columns in zip(*pairs, strict=True))
    by_item = np.argsort(owners, kind="stable")
    return predicted[by_item], owners[by_item]


def _classes(pool: Pool, ranking: Ranking, batch: NDArray[np.intp]) -> list[dict[str, Any]] | None:
    predictions = predictions_by_class(pool, ranking.of)
    if predictions is None:
        return None
    predicted, owners = predictions
    in_batch = np.zeros(len(pool), dtype=bool)
    in_batch[batch] = True
    candidates = np.isin(pool.item_ids, ranking.pool_order) if len(pool) else in_batch
    n_classes = pool.n_classes or int(predicted.max(initial=-1)) + 1
    known = predicted >= 0

    def count(items: NDArray[np.bool_]) -> list[int]:
        counts: list[int] = np.bincount(
            predicted[known & items[owners]], minlength=n_classes
        ).tolist()
        return counts

    rows = zip(range(n_classes), count(candidates), count(in_batch), strict=True)
    return [{"class": class_name(pool, c), "pool": p, "batch": b} for c, p, b in rows]


def calibration_line(found: Mapping[str, Any]) -> str:
    """The calibration of a model version, for people."""
    return (
        f"calibration, version {found['name']}: {found['n']} labelled {found['of']}, mean "
        f"confidence {found['confidence']:.3f}, right {found['accuracy']:.3f}, ECE "
        f"{found['ece']:.3f}, Brier {found['brier']:.3f}, log loss {found['nll']:.3f}"
    )


def per_item(objects_per_item: Mapping[str, float]) -> str:
    """How many objects an item has, for people."""
    return ", ".join(f"{mean:.2f} in the {part}" for part, mean in objects_per_item.items())


def counted_objects(pool: Pool, floor: float) -> NDArray[np.int64] | None:
    """How many objects of each item reach the floor, shape (n_items,); None without objects.

    Of several model versions, the newest that predicted the item counts.
    """
    if not pool.object_sets:
        return None
    counts = [object_statistics(objects, floor=floor).count for objects in pool.shown_objects]
    total: NDArray[np.int64] = np.sum(counts, axis=0)
    return total


def _objects_per_item(
    pool: Pool, asked: NDArray[np.bool_], batch: NDArray[np.intp], floor: float
) -> dict[str, float] | None:
    counts = counted_objects(pool, floor)
    if counts is None:
        return None
    of_pool = counts[asked & ~pool.missing]
    mean = (float(part.mean()) if part.size else 0.0 for part in (of_pool, counts[batch]))
    return dict(zip(("pool", "batch"), mean, strict=True))


def versions(modules: Sequence[str]) -> dict[str, str]:
    """Versions of Python, of our own packages and of the named modules' distributions."""
    found = {"python": platform.python_version()}
    for name in dict.fromkeys(("labelnext", "numpy", "scikit-learn", *modules)):
        try:
            found[name.replace("_", "-")] = version(name)
        except PackageNotFoundError:
            continue
    return found

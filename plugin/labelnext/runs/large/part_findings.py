"""What a part adds to the report: classes, objects, and what its labels say of its predictions."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from labelnext.acquisition.function import without_objects
from labelnext.pool.pool import Pool
from labelnext.quality.reliability import Evidence, Trust, evidence, judge
from labelnext.ranking.reasons import class_name, counted_objects, predictions_by_class
from labelnext.ranking.recipe import Recipe
from labelnext.support.store import Store

if TYPE_CHECKING:
    import pyarrow as pa

#: Columns that nothing but the report looks at.
REPORTED = ("predicted", "n_objects", "classes")


def columns_for_report(pool: Pool, recipe: Recipe) -> dict[str, Any]:
    """What is predicted of each item: its class, and of objects the class of each and how many.

    Args:
        pool: of the part.
        recipe: with the unit and the floor.
    """
    import pyarrow as pa

    predicted = pool.top_classes if recipe.unit != "objects" else pool.predicted_classes
    if predicted is None:
        predicted = np.full(len(pool), -1, dtype=np.int64)
    n_objects = counted_objects(pool, recipe.floor or 0.0)
    if n_objects is None:
        n_objects = np.zeros(len(pool), dtype=np.int64)
    columns: dict[str, Any] = {
        "predicted": _named(predicted, pool),
        "n_objects": pa.array(n_objects.astype(np.int32)),
    }
    if recipe.unit != "objects":
        return columns
    counts: NDArray[np.intp] = np.zeros(len(pool), dtype=np.intp)
    classes: NDArray[np.int64] = np.empty(0, dtype=np.int64)
    if (predictions := predictions_by_class(pool, recipe.unit)) is not None:
        known = predictions[0] >= 0
        counts = np.bincount(predictions[1][known], minlength=len(pool))
        classes = predictions[0][known]
    offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int32)
    columns["classes"] = pa.ListArray.from_arrays(pa.array(offsets), _named(classes, pool))
    return columns


def _named(classes: NDArray[np.int64], pool: Pool) -> pa.DictionaryArray:
    """Class positions by their names; null where there is none."""
    import pyarrow as pa

    n_classes = pool.n_classes or int(classes.max(initial=-1)) + 1
    names = [class_name(pool, position) for position in range(n_classes)]
    codes = pa.array(classes.astype(np.int32), mask=classes < 0)
    return pa.DictionaryArray.from_arrays(codes, pa.array(names, pa.string()))


def no_columns_for_report(recipe: Recipe) -> dict[str, Any]:
    """The types of the columns above."""
    import pyarrow as pa

    names = pa.dictionary(pa.int32(), pa.string())
    kinds = {"predicted": names, "n_objects": pa.int32()}
    return kinds if recipe.unit != "objects" else {**kinds, "classes": pa.list_(names)}


def class_names(pool: Pool, recipe: Recipe) -> list[str] | None:
    """The classes that a report lists, in its order; None where none are predicted."""
    predictions = predictions_by_class(pool, recipe.unit)
    if predictions is None:
        return None
    n_classes = pool.n_classes or int(predictions[0].max(initial=-1)) + 1
    return [class_name(pool, position) for position in range(n_classes)]


def class_counts(pool: Pool, recipe: Recipe, wanted: NDArray[np.bool_]) -> dict[str, int]:
    """How often each class is predicted among the items that can be ranked."""
    predictions = predictions_by_class(pool, recipe.unit)
    if predictions is None:
        return {}
    predicted, owners = predictions
    counts = np.bincount(predicted[(predicted >= 0) & wanted[owners]])
    return {class_name(pool, index): n for index, n in enumerate(counts.tolist()) if n}


def counts_of_emptiness(pool: Pool, floor: float | None) -> dict[str, int]:
    """Items without objects, and those whose objects are all below the floor."""
    if not pool.object_sets:
        return {}
    empty = without_objects(pool, 0.0)
    counts = {"without objects": int(empty.sum())}
    if floor:
        counts["below the floor"] = int((without_objects(pool, floor) & ~empty).sum())
    return counts


def object_counts(pool: Pool, n_objects: NDArray[np.integer]) -> dict[str, int]:
    """Items that could be labelled and have a prediction, and their objects; empty without any."""
    if not pool.object_sets:
        return {}
    asked = ~pool.labelled & ~pool.missing
    return {"items": int(asked.sum()), "objects": int(n_objects[asked].sum())}


def write_evidence(store: Store, name: str, pool: Pool) -> None:
    """Keep what the part's labels say of its predictions; nothing where nothing is labelled."""
    if not pool.labelled.any():
        return
    arrays: dict[str, Any] = {"versions": np.array(pool.version_names)}
    if pool.classes is not None:
        arrays["classes"] = np.array(pool.classes)
    for member, told in enumerate(evidence(pool)):
        arrays[f"{member}.of"] = np.array(told.of)
        arrays[f"{member}.rows"], arrays[f"{member}.labels"] = told.rows, told.labels
        if told.class_ids is not None:
            arrays[f"{member}.class_ids"] = told.class_ids
    file = io.BytesIO()
    np.savez(file, **arrays)
    store.write_bytes(name, file.getvalue())


def judged(store: Store, names: Sequence[str]) -> list[Trust]:
    """The calibration of each model version on the labelled items of all parts.

    Args:
        store: of the parts' files.
        names: of the evidence of each part; some may not exist.
    """
    parts = [part for name in names if (part := _read_evidence(store, name)) is not None]
    if not parts:
        return []
    versions = max((part[0] for part in parts), key=len)
    classes = all_classes([part[1] for part in parts])
    told = []
    for member, name in enumerate(versions):
        each = [
            _renumbered(part[2][member], part[1], classes)
            for part in parts
            if member < len(part[2])
        ]
        told.append(judge(Evidence.joined(each), member, name, classes))
    return [trust for trust in told if trust is not None]


_Part = tuple[tuple[str, ...], tuple[str, ...] | None, list[Evidence]]


def _read_evidence(store: Store, name: str) -> _Part | None:
    content = store.read_bytes(name)
    if content is None:
        return None
    with np.load(io.BytesIO(content), allow_pickle=False) as data:
        versions = tuple(data["versions"].tolist())
        classes = tuple(data["classes"].tolist()) if "classes" in data else None
        told = [
            Evidence(
                str(data[f"{member}.of"]),
                data[f"{member}.rows"],
                data[f"{member}.labels"],
                data.get(f"{member}.class_ids"),
            )
            for member in range(len(versions))
            if f"{member}.of" in data
        ]
    return versions, classes, told


def all_classes(parts: Sequence[tuple[str, ...] | None]) -> tuple[str, ...] | None:
    """The classes of all parts: as stated where all say the same, else sorted as in memory."""
    stated = list(dict.fromkeys(part for part in parts if part is not None))
    if len(stated) < 2:
        return stated[0] if stated else None
    return tuple(sorted({name for part in stated for name in part}))


def _renumbered(
    told: Evidence, classes: tuple[str, ...] | None, whole: tuple[str, ...] | None
) -> Evidence:
    """Evidence of a part whose classes were numbered by themselves."""
    if told.class_ids is None or classes is None or whole is None or classes == whole:
        return told
    places = np.array([whole.index(name) for name in classes] + [-1])
    return replace(told, class_ids=places[told.class_ids])

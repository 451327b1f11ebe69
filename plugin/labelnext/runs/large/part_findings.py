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


def columns_for_report(pool: Pool, recipe: Recipe) -> dict[str, Any]:
    """What is predicted of each item: its one class; all its classes, a list; how many objects.

    Args:
        pool: of the part.
        recipe: with the unit and the floor.
    """
    import pyarrow as pa

    names, counts, classes = _by_item(pool, recipe)
    codes = pa.DictionaryArray.from_arrays(
        pa.array(classes.astype(np.int32)), pa.array(names, pa.string())
    )
    offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int32)
    n_objects = counted_objects(pool, recipe.floor or 0.0)
    if n_objects is None:
        n_objects = np.zeros(len(pool), dtype=np.int64)
    return {
        "classes": pa.ListArray.from_arrays(pa.array(offsets), codes),
        "n_objects": pa.array(n_objects.astype(np.int32)),
        "predicted": _predicted(pool),
    }


def _predicted(pool: Pool) -> pa.DictionaryArray:
    """The class that each item is predicted to be of, by name; null where there is none."""
    import pyarrow as pa

    classes = pool.predicted_classes
    codes = pa.array(classes.astype(np.int32), mask=classes < 0)
    names = [class_name(pool, position) for position in range(pool.n_classes or 0)]
    return pa.DictionaryArray.from_arrays(codes, pa.array(names, pa.string()))


def no_columns_for_report() -> dict[str, Any]:
    """The types of the columns above."""
    import pyarrow as pa

    names = pa.dictionary(pa.int32(), pa.string())
    return {"classes": pa.list_(names), "n_objects": pa.int32(), "predicted": names}


def _by_item(pool: Pool, recipe: Recipe) -> tuple[list[str], NDArray[np.intp], NDArray[np.integer]]:
    """Names of the classes, how many predictions each item has, and the class of each of them."""
    predictions = predictions_by_class(pool, recipe.unit)
    if predictions is None:
        return [], np.zeros(len(pool), dtype=np.intp), np.empty(0, dtype=np.int64)
    predicted, owners = predictions
    known = predicted >= 0
    counts = np.bincount(owners[known], minlength=len(pool))
    return class_names(pool, recipe) or [], counts, predicted[known]


def class_names(pool: Pool, recipe: Recipe) -> list[str] | None:
    """The classes that a report lists, in its order; None where none are predicted."""
    predictions = predictions_by_class(pool, recipe.unit)
    if predictions is None:
        return None
    n_classes = pool.n_classes or int(predictions[0].max(initial=-1)) + 1
    return [class_name(pool, position) for position in range(n_classes)]


def class_counts(table: pa.Table, wanted: NDArray[np.bool_]) -> dict[str, int]:
    """How often each class is predicted among the items that can be ranked."""
    import pyarrow as pa
    import pyarrow.compute as pc

    predicted = pc.list_flatten(table.column("classes").filter(pa.array(wanted)))
    counted = pc.value_counts(predicted)
    if isinstance(counted, pa.ChunkedArray):
        counted = counted.combine_chunks()
    return {str(row["values"]): int(row["counts"]) for row in counted.to_pylist()}


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
    for place, told in enumerate(evidence(pool)):
        arrays[f"{place}.of"] = np.array(told.of)
        arrays[f"{place}.rows"], arrays[f"{place}.labels"] = told.rows, told.labels
        if told.class_ids is not None:
            arrays[f"{place}.class_ids"] = told.class_ids
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
    for place, name in enumerate(versions):
        each = [
            _renumbered(part[2][place], part[1], classes) for part in parts if place < len(part[2])
        ]
        told.append(judge(Evidence.joined(each), place, name, classes))
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
                str(data[f"{place}.of"]),
                data[f"{place}.rows"],
                data[f"{place}.labels"],
                data.get(f"{place}.class_ids"),
            )
            for place in range(len(versions))
            if f"{place}.of" in data
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

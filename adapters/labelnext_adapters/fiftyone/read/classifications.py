"""Several classes of one sample: a classifier's vector, its list of the likeliest, or tags."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from labelnext.pool.answers import spread_rest
from labelnext.pool.objects import Objects
from labelnext_adapters.fiftyone.database.values import flat, floats, positions
from labelnext_adapters.fiftyone.read.label_types import VECTORS, Kind, is_held

if TYPE_CHECKING:
    from labelnext_adapters.fiftyone.read.predictions import Reading

_SUM_ERROR = 1e-3  # as far as a Pool's rows may be from 1


def independent(
    reading: Reading,
    name: str,
    vectors: NDArray[np.floating],
    listed_part: dict[str, Any],
) -> dict[str, Any]:
    """Columns of a Pool for Classifications that hold a vector over all classes.

    Args:
        reading: what is known.
        name: of the field.
        vectors: shape (n_items, n_classes), the probability of each class by itself.
        listed_part: columns of a Pool for the labels in the lists.
    """
    missing = listed_part["missing"] & np.isnan(vectors).all(axis=1)
    without = np.isnan(vectors).any(axis=1) & ~missing
    if without.any():
        reading.note(
            "no_vector", f"items have no logits in {name}, so no score.",
            np.flatnonzero(without),
        )  # fmt: skip
    parts = {"probabilities": vectors, "multilabel": True, "missing": missing}
    objects = listed_part["objects"]
    if reading.declared and len(objects.confidences) and np.isfinite(objects.confidences).all():
        parts["objects"] = objects  # used if the configuration says `of: objects`
    return parts


def one_distribution(
    reading: Reading, name: str, kind: Kind, classes: tuple[str, ...]
) -> dict[str, Any] | None:
    """Columns of a Pool for lists that are parts of one distribution; None for tags.

    A list is such a part if the classes of every sample are distinct and their confidences sum to
    at most 1; several classes that are independent do not keep to that. With a single class on
    each sample there is one confidence per item.
    """
    inner = kind.path(name)
    if any(map(is_held, _vectors_in(reading, inner))):
        return None
    lists = reading.columns[f"{inner}.confidence"]
    labels = reading.columns[f"{inner}.label"]
    counts = np.array([-1 if part is None else len(part) for part in lists])
    confidences = floats(flat(lists))
    if not len(confidences) or (counts == 0).any() or not np.isfinite(confidences).all():
        return None
    if any(len(set(part)) < len(part) for part in labels if part):
        return None
    missing = counts < 0
    owners = np.repeat(np.arange(len(counts)), np.maximum(counts, 0))
    if np.bincount(owners, confidences).max() > 1 + _SUM_ERROR:
        return None
    ids = positions(flat(labels), classes)
    if counts.max() == 1:
        reading.note("confidence_only", f"field {name} holds one class and confidence per item.")
        return _answers(confidences, ids, missing, counts == 1)
    if reading.declared is None or (ids < 0).any():
        return _best_of_lists(reading, name, owners, confidences, ids, missing)
    rows = np.full((len(counts), len(classes)), np.nan)
    rows[owners, ids] = confidences
    reading.note(
        "top_classes",
        f"{name} lists up to {counts.max()} classes whose confidences sum to at most 1, so they "
        f"are read as one distribution over the {len(classes)} classes; what is left of 1 is "
        "spread over the classes that a list doesn't name.",
    )
    return {"probabilities": spread_rest(rows), "missing": missing}


def _vectors_in(reading: Reading, inner: str) -> list[Any]:
    return [value for name in VECTORS for value in flat(reading.columns[f"{inner}.{name}"])]


def _best_of_lists(
    reading: Reading,
    name: str,
    owners: NDArray[np.intp],
    confidences: NDArray[np.float64],
    ids: NDArray[np.int64],
    missing: NDArray[np.bool_],
) -> dict[str, Any]:
    """The likeliest class of each list, where not all classes are known."""
    reading.note(
        "top_classes",
        f"{name} lists several classes whose confidences sum to at most 1, so each item is ranked "
        "by its likeliest class alone; set dataset.classes or dataset.default_classes to all "
        "classes of the model, and its whole list counts.",
    )
    order = np.lexsort((np.arange(len(owners)), -confidences, owners))
    first = order[np.unique(owners[order], return_index=True)[1]]
    return _answers(confidences[first], ids[first], missing, ~missing)


def _answers(
    confidences: NDArray[np.float64],
    ids: NDArray[np.int64],
    missing: NDArray[np.bool_],
    there: NDArray[np.bool_],
) -> dict[str, Any]:
    starts = np.concatenate([[0], np.cumsum(there)])
    objects = Objects(starts, confidences, class_ids=ids, whole_items=True)
    return {"objects": objects, "missing": missing}


def answers_together(parts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The fields of a committee, with fields that hold nothing yet as the others.

    Where one field holds one confidence per item, a field of class probabilities without any
    prediction is no obstacle.
    """
    if not any("objects" in part and part["objects"].whole_items for part in parts):
        return parts
    return [
        _answers(np.empty(0), np.empty(0, dtype=np.int64), part["missing"], ~part["missing"])
        if "probabilities" in part and part["missing"].all()
        else part
        for part in parts
    ]

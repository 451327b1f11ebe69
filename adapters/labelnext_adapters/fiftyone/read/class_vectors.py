"""Which attribute of the predictions holds a number for each class, and what the numbers are."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from labelnext.errors import InvalidInput
from labelnext_adapters.fiftyone.database.connection import talking
from labelnext_adapters.fiftyone.database.values import flat, stack
from labelnext_adapters.fiftyone.read.label_types import OTHER_VECTORS, VECTORS, Kind

if TYPE_CHECKING:
    from labelnext_adapters.fiftyone.read.predictions import Reading

_SUM_ERROR = 1e-3  # as far as a Pool's rows may be from 1


def held_vectors(collection: Any, name: str, kind: Kind, named: str | None) -> list[str]:
    """The paths at which a field holds vectors over the classes.

    Args:
        collection: a dataset or view.
        name: of the field.
        kind: of the field.
        named: the attribute that must hold them; any known name when None.

    Raises:
        InvalidInput: if there are predictions, and the named attribute holds no vector.
    """
    if kind.scalar:
        return []
    bases = [kind.path(name)]
    labels = kind.path(name) if kind.listed else None
    if kind.has_vectors and kind.listed:
        bases.append(name)

    def held(attributes: Sequence[str]) -> list[str]:
        paths = [f"{base}.{attribute}" for attribute in attributes for base in bases]
        return [path for path in paths if _any(collection, labels, [path], _vector_or_numbers)]

    with talking():
        if named is None:
            known = [f"{base}.{part}" for part in (*VECTORS, *OTHER_VECTORS) for base in bases]
            if not _any(collection, labels, known, _vector_or_list):
                return []  # of a detector: one look at all objects instead of several
            return held(VECTORS) or held(OTHER_VECTORS)
        named_held = held([named])
        if not named_held and collection.exists(name).limit(1).values("id"):
            raise InvalidInput(
                f"source.vectors must be an attribute of {bases[0]} that holds a number for each "
                f"class; got {named!r}.",
                hint="leave it out to use logits, probabilities, probs, softmax or scores.",
            )
    return named_held


def _any(
    collection: Any,
    labels: str | None,
    paths: Sequence[str],
    tests: Callable[[str], list[dict[str, Any]]],
) -> bool:
    """Whether one of the paths passes a test on any item.

    Args:
        collection: a dataset or view.
        labels: path of a list; the database looks at each label of it once for all paths.
        paths: of the attributes.
        tests: gives what the database is asked about a path.
    """
    start = f"{labels}."
    inside = [path.removeprefix(start) for path in paths if path.startswith(start)]
    wanted = [test for path in paths if not path.startswith(start) for test in tests(path)]
    if inside:
        each = [test for path in inside for test in tests(path)]
        wanted.append({str(labels): {"$elemMatch": {"$or": each}}})
    return bool(collection.match({"$or": wanted}).limit(1).values("id"))


def _vector_or_list(path: str) -> list[dict[str, Any]]:
    return [{path: {"$type": ["array", *_WHOLE]}}]  # half the work of what follows


def _vector_or_numbers(path: str) -> list[dict[str, Any]]:
    return [{path: {"$type": _WHOLE}}, {f"{path}.0": {"$exists": True}}]


_WHOLE = ["binData", "object", "string"]  # a vector, numbers by class, or what is neither


def _in_order(reading: Reading, column: list[Any], *, nested: bool) -> list[Any]:
    """Numbers by class as lists in the order of the classes; other values as they are.

    What doesn't name each class once becomes an empty list, which is no vector. Without declared
    classes, those that are named count.
    """
    values = flat(column) if nested else column
    named = [value for value in values if isinstance(value, Mapping)]
    if not named:
        return column
    classes = reading.declared or tuple(sorted({name for value in named for name in value}))
    every = {*classes}
    if any(value.keys() == every for value in named):
        reading.declared = classes

    def listed(value: Any) -> Any:
        if not isinstance(value, Mapping):
            return value
        return [value[name] for name in classes] if value.keys() == every else []

    if nested:
        return [part and [listed(value) for value in part] for part in column]
    return [listed(value) for value in column]


def name_vectors(
    reading: Reading, name: str, kind: Kind, held: Sequence[str], named: str | None
) -> None:
    """Put vectors of any name where those of FiftyOne's own names are read, and say which.

    Args:
        reading: with the columns at the paths `held`; the usual columns are added.
        name: of the field.
        kind: of the field.
        held: from `held_vectors`.
        named: as there.

    Raises:
        InvalidInput: if the named attribute holds neither probabilities nor logits.
    """
    if kind.scalar:
        return
    columns = reading.columns
    nothing: list[Any] = [None] * len(reading.item_ids)
    bases = dict.fromkeys([kind.path(name), *([name] if kind.has_vectors else [])])
    for base in bases:
        for attribute in VECTORS:
            columns.setdefault(f"{base}.{attribute}", nothing)
    for path in held:
        base, _, attribute = path.rpartition(".")
        nested = kind.of_objects and base == kind.path(name)
        columns[path] = _in_order(reading, columns[path], nested=nested)
        if attribute in VECTORS:
            continue
        stacked = stack(flat(columns[path]) if nested else columns[path])
        if stacked is None or not stacked[0].shape[1]:
            meaning, rule = None, rule_of_vectors(reading.declared)
        else:
            meaning, rule = _meaning(stacked[0], kind)
        if meaning is not None:
            columns[f"{base}.{meaning}"] = columns[path]
            reading.note("vectors", f"{path} is read as the {meaning} of the classes.")
        elif named is not None:
            hint = "leave out source.vectors to rank by the confidences."
            raise InvalidInput(f"{path} must {rule}.", hint=hint)
        else:
            reading.note("vectors", f"{path} is not read: it must {rule}.")


def rule_of_vectors(classes: Sequence[str] | None) -> str:
    """What vectors over the classes must do.

    Args:
        classes: of the field or the dataset; None if none are declared.
    """
    each = f"of its {len(classes)} classes" if classes else "class"
    return f"hold a number for each {each}, in their order or by name"


def _meaning(matrix: NDArray[np.floating], kind: Kind) -> tuple[str | None, str]:
    """Whether vectors are logits or probabilities; else None, and what they must do."""
    rows = matrix[np.isfinite(matrix).all(axis=1)]
    if not len(rows) or rows.min() < 0 or rows.max() > 1:
        return "logits", ""
    exclusive = kind.name == "Classification" and rows.shape[1] > 1
    if not exclusive or np.abs(rows.sum(axis=1) - 1).max() < _SUM_ERROR:
        return "probabilities", ""
    return None, "sum to 1 or be logits; its numbers are in [0, 1] and don't"

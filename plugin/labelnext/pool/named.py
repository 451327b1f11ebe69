"""Labels by the names of their classes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from labelnext.errors import InvalidInput, listed, shown


def positions(what: str, labels: ArrayLike | None, classes: Sequence[str] | None) -> Any:
    """Class positions of labels that are names, and -1 where there is none; the rest as it is.

    Args:
        what: name of the column, for messages.
        labels: of any shape; None or NaN where there is none.
        classes: names of the classes, in their order; None when they have no names.

    Raises:
        InvalidInput: if a label is no class, or there are no names.

    Example:
        >>> positions("labels", ["dog", None, "cat"], ["cat", "dog"]).tolist()
        [1, -1, 0]
    """
    try:
        cells = np.asarray(labels)
    except ValueError:  # rows of unequal length
        return labels
    if labels is None or cells.dtype.kind not in "OUTf":
        return labels
    if cells.dtype.kind == "f":
        return np.where(np.isnan(cells), -1, cells)
    cells = np.asarray(labels, dtype=object)  # numpy would turn NaN beside texts into a text
    unlabelled = classes is not None and all(map(_is_none, cells.flat))
    if not unlabelled and not any(isinstance(cell, str) for cell in cells.flat):
        given = [-1 if _is_none(cell) else cell for cell in cells.flat]
        return np.array(given, dtype=object).reshape(cells.shape)
    if classes is None:
        raise InvalidInput(
            f"{what} must be class positions where classes have no names; got {shown(labels, 60)}.",
            hint="name the classes: classes=[…], in the order of the probabilities' columns.",
        )
    places = {name: place for place, name in enumerate(classes)}
    unknown = [
        repr(cell)
        for cell in cells.flat
        if (cell not in places if isinstance(cell, str) else not _is_none(cell))
    ]
    if unknown:
        raise _unknown(what, classes, dict.fromkeys(unknown))
    found = [places.get(cell, -1) for cell in cells.flat]
    return np.array(found, dtype=np.int64).reshape(cells.shape)


def numbered(what: str, labels: Any, classes: Sequence[object]) -> Any:
    """Class positions of numbers that are the names of classes given as numbers.

    Such as a scikit-learn model's `classes_` beside its `y`. Numbers that can't be names are left
    as positions.

    Args:
        what: name of the column, for messages.
        labels: of any shape; None, NaN or −1 where there is none.
        classes: as given; texts are never compared with numbers.

    Raises:
        InvalidInput: if they could be both, and mean different classes; or if some are names, and
            others neither names nor positions.

    Example:
        >>> numbered("labels", [2, -1, 1], [1, 2]).tolist()
        [1, -1, 0]
    """
    if labels is None or not classes or not all(map(_is_number, classes)):
        return labels
    try:
        cells = np.asarray(labels, dtype=object)
    except ValueError:  # rows of unequal length
        return labels
    used = {cell for cell in cells.flat if not _is_none(cell) and _is_number(cell)}
    if any(not _is_none(cell) and not _is_number(cell) for cell in cells.flat):
        return labels
    places: dict[Any, int] = {name: place for place, name in enumerate(classes)}
    used -= {-1} - places.keys()
    beyond = {cell for cell in used if cell != -1 and cell not in range(len(places))}
    if beyond and used & places.keys() and (unknown := sorted(used - places.keys())):
        raise _unknown(what, classes, unknown)
    differing = sorted(cell for cell in used if places.get(cell) != cell)
    if not differing or not used <= places.keys():
        return labels
    if all(cell == -1 or cell in range(len(places)) for cell in used):
        first = differing[0]
        other = "no label" if first == -1 else f"the one at position {first}"
        raise InvalidInput(
            f"{what} can be classes' names or positions: {first} is the class named {first}, or "
            f"{other}.",
            hint="give names as texts, with None for none; for positions, give classes as texts.",
        )
    found = [places.get(cell, -1) for cell in cells.flat]
    return np.array(found, dtype=np.int64).reshape(cells.shape)


def _unknown(what: str, classes: Sequence[object], cells: Iterable[object]) -> InvalidInput:
    return InvalidInput(
        f"{what} must be among the classes {listed(classes)}; got {listed(cells)}.",
        hint="use None where there is none.",
    )


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool)


def _is_none(cell: Any) -> bool:
    """Whether it is None, NaN, or pandas' NA."""
    if isinstance(cell, float):
        return cell != cell
    return cell is None or type(cell).__name__ == "NAType"

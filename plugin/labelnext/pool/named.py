"""Labels by the names of their classes."""

from __future__ import annotations

from collections.abc import Sequence
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
        raise InvalidInput(
            f"{what} must be among the classes {listed(classes)}; "
            f"got {listed(dict.fromkeys(unknown))}.",
            hint="use None where there is none.",
        )
    found = [places.get(cell, -1) for cell in cells.flat]
    return np.array(found, dtype=np.int64).reshape(cells.shape)


def _is_none(cell: Any) -> bool:
    """Whether it is None, NaN, or pandas' NA."""
    if isinstance(cell, float):
        return cell != cell
    return cell is None or type(cell).__name__ == "NAType"

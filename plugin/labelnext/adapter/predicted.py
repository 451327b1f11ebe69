"""Which predictions of a pool can be stored on a platform, and under which names of its classes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from labelnext.errors import InvalidInput, listed
from labelnext.pool.pool import Pool
from labelnext.support.words import counted


def check_one_version(pool: Pool) -> None:
    """Check that a pool holds predictions of one model.

    Raises:
        InvalidInput: if it holds those of several, or none.
    """
    n_versions = max(0 if pool.members is None else len(pool.members), len(pool.object_sets))
    n_versions = max(n_versions, len(pool.answers))
    if n_versions == 0:
        raise InvalidInput(
            "the predictions must hold class probabilities, confidences or objects; got none."
        )
    if n_versions > 1:
        raise InvalidInput(
            f"the predictions must be of one model version; got {n_versions}: "
            f"{listed(pool.version_names)}.",
            hint="push each version from a file of its own.",
        )


def rows_there(
    pool: Pool, known: Mapping[str, object], where: str, noun: str
) -> tuple[NDArray[np.intp], list[str]]:
    """The items with a prediction that the platform holds.

    Args:
        pool: the predictions.
        known: what the platform holds, by item id.
        where: the place on the platform, for messages.
        noun: what it calls an item, such as task.

    Returns:
        Their positions in the pool, and what is left out, one sentence each.

    Raises:
        InvalidInput: if none of the items is there.
    """
    ids = pool.item_ids.tolist()
    there = np.fromiter((item in known for item in ids), dtype=bool, count=len(ids))
    missing, strange = _named(ids, pool.missing), _named(ids, ~there)
    if len(ids) and not there.any():
        hint = (
            "set source.key to the key or field that holds the ids, or --key to the file's column "
            "with them."
        )
        if any(item.removesuffix(".0") in known for item in strange):
            hint = 'write the ids as whole numbers, such as by astype("Int64") in pandas.'
        raise InvalidInput(
            f"the predictions must have ids of {where}; none of {len(ids)} is a {noun}: "
            f"{listed(strange)}; {where} has {listed([*known][:3]) or 'none'}.",
            hint=hint,
        )
    left_out = []
    if strange:
        verb = "is" if len(strange) == 1 else "are"
        left_out.append(
            f"{counted(len(strange), 'prediction')} {verb} of no {noun} in {where}: "
            f"{listed(strange)}."
        )
    if missing:
        left_out.append(
            f"{counted(len(missing), 'item')} of the file without a prediction: {listed(missing)}."
        )
    return np.flatnonzero(there & ~pool.missing), left_out


def class_names(pool: Pool, classes: Sequence[str], what: str) -> tuple[str, ...]:
    """The platform's name of each class of the pool.

    Args:
        pool: the predictions; without names, its classes are the platform's in their order.
        classes: of the platform.
        what: whose they are, for messages.

    Raises:
        InvalidInput: if a class isn't the platform's, or there are more or fewer without names.

    Example:
        >>> class_names(Pool(["a"], probabilities=[[0.5, 0.5]]), ["cat", "dog"], "the dataset")
        ('cat', 'dog')
    """
    n_classes = pool.n_classes
    if pool.classes is None:
        if n_classes not in (None, len(classes)):
            raise InvalidInput(
                f"the predictions must have the {len(classes)} classes of {what}; got {n_classes}.",
                hint="name the classes in the file, such as in the names of its columns.",
            )
        return tuple(classes)
    strange = [name for name in pool.classes if name not in classes]
    if strange:
        raise InvalidInput(
            f"classes of the predictions must be among those of {what}: {listed(classes, 20)}; "
            f"got {listed(strange)}.",
            hint="use the same names in the file.",
        )
    return pool.classes


def _named(ids: Sequence[str], which: NDArray[np.bool_]) -> list[str]:
    return [ids[row] for row in np.flatnonzero(which).tolist()]


__all__ = ["check_one_version", "class_names", "rows_there"]

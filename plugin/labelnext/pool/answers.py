"""Answers: predictions of whole items that aren't full class distributions."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from labelnext.errors import InvalidInput
from labelnext.pool.checks import float_array
from labelnext.pool.objects import Objects


def consensus(versions: Sequence[Objects]) -> Objects:
    """One answer per item from those of several model versions.

    Each version supports its own class with its confidence; the class with the most support wins,
    the newest version's in a tie. The confidence is that support divided by the number of versions
    that predicted the item: the mean confidence where they agree, less where they don't. If a
    version names no classes, all count as agreeing. Versions with NaN for an item are left out.

    Args:
        versions: Objects with `whole_items`, at least one.

    Returns:
        Objects with `whole_items`.

    Example:
        >>> a = Objects([0, 1, 2], [0.9, 0.9], class_ids=[0, 0], whole_items=True)
        >>> b = Objects([0, 1, 2], [0.7, 0.7], class_ids=[0, 1], whole_items=True)
        >>> both = consensus([a, b])
        >>> both.confidences.round(2).tolist(), both.class_ids.tolist()
        ([0.8, 0.45], [0, 0])
    """
    if len(versions) == 1:
        return versions[0]
    shape = len(versions), len(versions[0])
    seen: NDArray[np.bool_] = np.zeros(shape[1], dtype=bool)
    confidences: NDArray[np.float64] = np.full(shape, np.nan)
    classes: NDArray[np.int64] = np.full(shape, -1, dtype=np.int64)
    for version, answers in enumerate(versions):
        rows = answers.item_positions
        seen[rows] = True
        confidences[version, rows] = answers.confidences
        if answers.class_ids is not None:
            classes[version, rows] = answers.class_ids
    named = all(answers.class_ids is not None for answers in versions)
    present = ~np.isnan(confidences)
    held = np.where(present, confidences, 0.0)
    if not named:
        classes[:] = -1
    support = np.stack([(held * (classes == chosen)).sum(axis=0) for chosen in classes])
    support[~present] = -1
    winners = len(versions) - 1 - support[::-1].argmax(axis=0)
    chosen = winners[seen], np.flatnonzero(seen)
    with np.errstate(invalid="ignore"):  # no version with a number: NaN
        means = np.maximum(support[chosen], 0) / present.sum(axis=0)[seen]
    return Objects(
        np.concatenate([[0], np.cumsum(seen)]),
        means,
        class_ids=classes[chosen] if named else None,
        whole_items=True,
    )


def spread_rest(probabilities: ArrayLike) -> NDArray[np.floating]:
    """Complete top-k lists to class distributions: the rest to 1 goes evenly to unnamed classes.

    Nothing is renormalised: named classes keep their probabilities. A row whose named classes
    reach or exceed 1 gets zeros, a row that names all classes or none stays as it is.

    Keep a single class with its confidence as an answer instead (Objects with `whole_items`): a
    confidence below 1/K would put the unnamed classes first.

    Args:
        probabilities: shape (n_items, n_classes), NaN for the classes a list doesn't name.

    Returns:
        Shape (n_items, n_classes).

    Raises:
        InvalidInput: if the array is not two-dimensional.

    Example:
        >>> nan = float("nan")
        >>> spread_rest([[0.5, 0.25, nan, nan], [nan] * 4]).tolist()
        [[0.5, 0.25, 0.125, 0.125], [nan, nan, nan, nan]]
    """
    rows = float_array("probabilities", probabilities)
    if rows.ndim != 2:
        raise InvalidInput(
            f"probabilities must be of shape (n_items, n_classes); got shape {rows.shape}."
        )
    unnamed = np.isnan(rows)
    n_unnamed = unnamed.sum(axis=1)
    listed = (n_unnamed > 0) & (n_unnamed < rows.shape[1])
    if not listed.any():
        return rows
    rest = np.maximum(1 - np.nansum(rows[listed], axis=1), 0) / n_unnamed[listed]
    out = np.array(rows)
    out[listed] = np.where(unnamed[listed], rest[:, None], rows[listed])
    return out


def answer_rows(answers: Objects, n_classes: int) -> NDArray[np.floating]:
    """Answers as class distributions: the confidence, and the rest spread over the other classes.

    Only for comparing a prediction with a label, never for ranking; see `spread_rest`.

    Args:
        answers: Objects with `whole_items` and class ids.
        n_classes: number of classes.

    Returns:
        Shape (n_items, n_classes), NaN without a named class.

    Example:
        >>> answer_rows(Objects([0, 1], [0.5], class_ids=[1], whole_items=True), 3).tolist()
        [[0.25, 0.5, 0.25]]
    """
    rows = np.full((len(answers), n_classes), np.nan)
    if answers.class_ids is not None:
        known = answers.class_ids >= 0
        rows[answers.item_positions[known], answers.class_ids[known]] = answers.confidences[known]
    if n_classes == 1:  # nothing to spread over
        return np.where(np.isnan(rows), np.nan, 1.0)
    return spread_rest(rows)

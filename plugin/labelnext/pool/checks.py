"""Input checks shared by Pool, Objects and the acquisition functions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from labelnext.errors import InvalidInput, listed, shown
from labelnext.pool.texts import MOST_CLASSES
from labelnext.support import loops
from labelnext.support.words import counted

_CLAMP = 1e-9  # rounding noise below zero that is set to +0.0
_SUM_ERROR = 1e-3  # rows further from 1 are refused
_SUM_NOISE = 1e-5  # rows closer to 1 are left as they are: float32 softmax reaches about this
#: The cure for the probability of one of two classes.
BOTH_COLUMNS = "give both of two classes a column: np.column_stack([1 - p, p])."
#: The cure for positions that leave 0 out.
COUNTED_FROM_1 = "positions count from 0: subtract 1 if these count from 1."


def distributions(
    probabilities: ArrayLike, item_ids: Sequence[str] | NDArray[np.str_] | None = None
) -> tuple[NDArray[np.floating], NDArray[np.bool_]]:
    """Check class distributions, one per row.

    Values from −1e-9 to 0 become +0.0. Rows that sum to 1 within 1e-3 are divided by their sum.
    Rows with NaN pass unchanged.

    Args:
        probabilities: shape (n_items, n_classes).
        item_ids: ids for error messages; row numbers when None.

    Returns:
        The array (the same object if nothing changed), and which rows were renormalised.

    Raises:
        InvalidInput: if the array is not two-dimensional, has no classes, or a row is not a
            distribution.
    """
    rows = float_array("probabilities", probabilities)
    if rows.ndim != 2:
        raise InvalidInput(
            f"probabilities must be of shape (n_items, n_classes); got shape {rows.shape}."
        )
    rows = unit_interval("probabilities", rows, item_ids, excess=_SUM_ERROR)
    sums = sums_of_rows(rows, _SUM_NOISE)
    error = np.abs(sums - 1)
    bad = np.flatnonzero(error > _SUM_ERROR)
    if bad.size:
        raise InvalidInput(
            f"probabilities must sum to 1 in every row (within {_SUM_ERROR:g}); "
            f"got {float(sums[bad[0]]):.6g} for {named(bad, item_ids)}.",
            hint=BOTH_COLUMNS
            if rows.shape[1] == 1
            else "pass logits through a softmax, or set multilabel if classes are independent.",
        )
    adjusted = error > _SUM_NOISE
    if adjusted.any():
        rows = np.array(rows)
        rows[adjusted] /= sums[adjusted, None]
    return rows, adjusted


def sums_of_rows(rows: NDArray[np.floating], noise: float) -> NDArray[np.floating]:
    """The sum of each row, shape (n_items,).

    Args:
        rows: shape (n_items, n_classes).
        noise: sums that miss 1 by less are of no use, and may miss their last digits.

    Example:
        >>> sums_of_rows(np.array([[0.5, 0.25]]), 1e-3).tolist()
        [0.75]
    """
    sums: NDArray[np.floating] = np.einsum("ij->i", rows)  # in a fifth of the time of `sum`
    near = np.flatnonzero(np.abs(sums - 1) > 0.9 * noise)
    sums[near] = np.ascontiguousarray(rows[near]).sum(axis=1)
    return sums


def unit_interval(
    what: str,
    values: NDArray[np.floating],
    names: Sequence[str] | NDArray[Any] | None = None,
    *,
    excess: float = 1e-6,
) -> NDArray[np.floating]:
    """Check that values are in [0, 1].

    Values down to −1e-9 become +0.0; values up to `excess` above 1 are kept. NaN passes.

    Raises:
        InvalidInput: if a value is below −1e-9 or above 1 by more than `excess`.
    """
    if values.ndim == 2 and values.shape[1] == 0:
        raise InvalidInput(f"{what} must have at least one class; got 0.")
    if values.size == 0:
        return values
    low, high = np.fmin.reduce(values, axis=None), np.fmax.reduce(values, axis=None)
    if low < -_CLAMP or high > 1 + excess:
        per_row = values.reshape(len(values), -1)
        wrong = ((per_row < -_CLAMP) | (per_row > 1 + excess)).any(axis=1)
        bad = np.flatnonzero(wrong)
        row = per_row[bad[0]]
        value = np.nanmin(row) if np.nanmin(row) < -_CLAMP else np.nanmax(row)
        raise InvalidInput(
            f"{what} must be in [0, 1]; got {float(value):.6g} for {named(bad, names)}.",
            hint="pass logits through a softmax; divide percentages by 100."
            if what == "probabilities"
            else None,
        )
    if low <= 0 and (low < 0 or np.signbit(values[values == 0]).any()):
        values = np.where(values <= 0, values.dtype.type(0), values)
    return values


def named(rows: NDArray[np.intp], names: Sequence[str] | NDArray[Any] | None) -> str:
    """Rows by item id, or by number without ids, for error messages."""
    if names is None:
        return f"row {listed(rows)}"
    return f"item {listed(dict.fromkeys(str(names[i]) for i in rows))}"


def unmasked(what: str, values: Any) -> None:
    """Refuse masked arrays, alone or in a list: numpy's conversion would show what they hide.

    Raises:
        InvalidInput: if a value is masked.
    """
    parts = values if isinstance(values, list | tuple) else (values,)
    if any(isinstance(part, np.ma.MaskedArray) and np.any(part.mask) for part in parts):
        raise InvalidInput(
            f"{what} must be an array without masked values.",
            hint="fill them: values.filled(np.nan), or values.filled(-1) for labels.",
        )


def float_array(what: str, values: ArrayLike) -> NDArray[np.floating]:
    """Convert to an array of floats with 32 or 64 bits, in the machine's byte order.

    Raises:
        InvalidInput: if the values are ragged, masked or not numbers.
    """
    unmasked(what, values)
    try:
        array = np.asarray(values)
    except ValueError as error:
        raise InvalidInput(f"{what} must have rows of equal length.") from error
    if array.dtype == object:
        try:
            array = array.astype(np.float64)
        except (TypeError, ValueError, OverflowError) as error:
            raise InvalidInput(f"{what} must be numbers in rows of equal length.") from error
    if array.dtype.kind not in "fiub":
        raise InvalidInput(f"{what} must be numbers; got {array.dtype}.")
    if array.dtype.kind != "f" or array.dtype.itemsize > 8:
        return array.astype(np.float64)
    return array.astype(np.float32 if array.dtype.itemsize <= 4 else np.float64, copy=False)


def column_of(what: str, values: ArrayLike, length: int, dtype: type[np.generic]) -> NDArray[Any]:
    """Check a column with one value per item.

    Raises:
        InvalidInput: if the length or type is wrong, or a value is masked.
    """
    unmasked(what, values)
    try:
        array = np.asarray(values)
        if array.dtype.kind == "c":
            raise TypeError("complex numbers have no order")
        with np.errstate(invalid="ignore"):  # NaN is no whole number, see below
            cast: NDArray[Any] = array.astype(dtype)
    except (TypeError, ValueError, OverflowError) as error:
        raise InvalidInput(
            f"{what} must be of type {dtype.__name__}; got {shown(values, 60)}.",
            hint="write each class by its position, from 0, and -1 where there is none."
            if what in ("labels", "votes")
            else None,
        ) from error
    if dtype is np.int64:
        _check_whole(what, array, cast)
    if cast.shape != (length,):
        raise InvalidInput(f"{what} must be of shape ({length},); got shape {cast.shape}.")
    return cast


def _check_whole(what: str, given: NDArray[Any], cast: NDArray[np.int64]) -> None:
    """Refuse truth values, texts, and numbers that were rounded or did not fit.

    Raises:
        InvalidInput: naming the first of them.
    """
    if given.dtype.kind in "iuf":
        wrong = cast != given
    else:
        # Of an array of objects, or of an empty list, whose type says nothing.
        plain = given.ravel().tolist()
        fine = [isinstance(v, Real) and not isinstance(v, bool) for v in plain]
        wrong = (np.logical_not(fine) | (cast.ravel() != given.ravel())).reshape(given.shape)
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        value = given.ravel()[row]
        raise InvalidInput(f"{what} must be whole numbers; got {value!s:.60} in row {row}.")


def rows_of(
    what: str,
    values: ArrayLike | None,
    length: int,
    *,
    width: int | None = None,
    half: bool = False,
) -> NDArray[np.floating] | None:
    """Check a column of vectors, shape (length, width); `half` keeps float16 as it is."""
    if values is None:
        return None
    if half and isinstance(values, np.ndarray) and values.dtype == np.float16:
        unmasked(what, values)
        array: NDArray[np.floating] = np.asarray(values)  # may be memory-mapped: no copy
    else:
        array = float_array(what, values)
    if length == 0 and array.size == 0:
        array = array.reshape(0, width or array.shape[-1] or 1)
    wrong_width = array.ndim == 2 and (array.shape[1] != width if width else array.shape[1] == 0)
    if array.ndim != 2 or len(array) != length or wrong_width:
        raise InvalidInput(
            f"{what} must be of shape ({length}, {width or 'width'}); got shape {array.shape}."
        )
    return array


def among(item_ids: NDArray[np.str_], known: Iterable[str]) -> NDArray[np.bool_]:
    """Which ids are among others, shape (n_items,).

    `np.isin` would copy all ids several times, each as wide as the longest.

    Example:
        >>> among(np.array(["a", "b"]), ["b", "c"]).tolist()
        [False, True]
    """
    names = frozenset(known)
    return np.fromiter((i in names for i in item_ids.tolist()), dtype=bool, count=len(item_ids))


def checked_labels(
    labels: ArrayLike, n: int, n_classes: int | None, *, what: str = "labels"
) -> NDArray[np.int64]:
    """Check labels: class positions, −1 for none; of unknown classes, below `MOST_CLASSES`.

    Raises:
        InvalidInput: if a label is not a class position or −1.
    """
    column = column_of(what, labels, n, np.int64)
    last = (n_classes or MOST_CLASSES) - 1
    if n and (column.min() < -1 or column.max() > last):
        known = column[column >= 0]
        from_1 = column.max() == last + 1 and known.min() > 0
        raise InvalidInput(
            f"{what} must be class positions from 0 to {last}, or -1 for none; "
            f"got {column.min() if column.min() < -1 else column.max()}.",
            hint=COUNTED_FROM_1 if from_1 else None,
        )
    return column


def checked_numbers(what: str, numbers: ArrayLike, n: int) -> NDArray[np.float64]:
    """Check that all numbers are finite, or NaN for none.

    Raises:
        InvalidInput: if one is infinite.
    """
    column = column_of(what, numbers, n, np.float64)
    bad = np.flatnonzero(np.isinf(column))
    if bad.size:
        raise InvalidInput(f"{what} must be finite, or NaN for none; got infinity in row {bad[0]}.")
    return column


def checked_costs(costs: ArrayLike, ids: NDArray[np.str_]) -> NDArray[np.float64]:
    """Check that all costs are above 0.

    Raises:
        InvalidInput: if a cost is 0, negative or NaN.
    """
    column = column_of("costs", costs, len(ids), np.float64)
    bad = np.flatnonzero(~(column > 0))
    if bad.size:
        value = float(column[bad[0]])
        raise InvalidInput(f"costs must be above 0; got {value!r} for {named(bad, ids)}.")
    return column


def mean_of_members(members: NDArray[np.floating]) -> NDArray[np.floating]:
    """Mean class probabilities per item, over the members without NaN for that item.

    Args:
        members: shape (n_members, n_items, n_classes).

    Returns:
        Shape (n_items, n_classes); NaN if no member has a complete row.

    Example:
        >>> mean_of_members(np.array([[[1.0, 0.0]], [[0.5, 0.5]]])).tolist()
        [[0.75, 0.25]]
    """
    whole = ~np.isnan(members).any(axis=2)
    present = members if whole.all() else np.where(whole[..., None], members, 0)
    with np.errstate(invalid="ignore"):  # no member present: NaN
        mean: NDArray[np.floating] = present.sum(axis=0) / whole.sum(axis=0)[:, None]
    return mean


def likeliest_classes(probabilities: NDArray[np.floating]) -> NDArray[np.int64]:
    """The most likely class of each row: the first in a tie, −1 for a row with NaN.

    Args:
        probabilities: shape (n_items, n_classes), at least one class.

    Returns:
        Shape (n_items,).

    Example:
        >>> likeliest_classes(np.array([[0.2, 0.8], [0.5, 0.5], [0.5, np.nan]])).tolist()
        [1, 0, -1]
    """
    return loops.likeliest(probabilities)


def checked_votes(votes: ArrayLike, n: int, n_classes: int | None) -> NDArray[np.int64]:
    """Check votes, shape (n_items, n_people), with the rules of `checked_labels`."""
    unmasked("votes", votes)
    try:
        columns = np.asarray(votes)
    except ValueError as error:
        raise InvalidInput("votes must have rows of equal length.") from error
    if columns.ndim != 2 or len(columns) != n:
        raise InvalidInput(f"votes must be of shape ({n}, n_people); got shape {columns.shape}.")
    checked = checked_labels(columns.reshape(-1), columns.size, n_classes, what="votes")
    return checked.reshape(columns.shape)


def n_versions_of(probabilities: NDArray[np.floating] | None, sets: Sequence[object] | None) -> int:
    """The number of model versions with predictions."""
    if probabilities is not None:
        return len(probabilities) if probabilities.ndim == 3 else 1
    return 0 if sets is None else len(sets)


def checked_versions(
    versions: Iterable[object],
    probabilities: NDArray[np.floating] | None,
    sets: Sequence[object] | None,
) -> tuple[str, ...] | None:
    """Check that there is one name per model version; None without predictions."""
    if not isinstance(versions, Iterable):
        raise InvalidInput(f"versions must be a list of names; got {shown(versions)}.")
    names, n_versions = tuple(str(name) for name in versions), n_versions_of(probabilities, sets)
    if not n_versions:
        return None
    if len(names) != n_versions:
        raise InvalidInput(f"versions must be {counted(n_versions, 'name')}; got {listed(names)}.")
    return names

"""Class vectors as people store them: rounded, in part, in percent or as logits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from labelnext.errors import InvalidInput, listed
from labelnext.pool.answers import spread_rest
from labelnext.pool.checks import sums_of_rows
from labelnext.pool.objects import Notice
from labelnext.selection.vectors import LARGEST
from labelnext.support.words import counted
from labelnext_adapters.files.content.oddities import FEW, ROUNDING
from labelnext_adapters.files.tables.arrow import list_rows, mapped_rows
from labelnext_adapters.files.tables.items import Items

#: The class of the probability that no named class can have.
OTHER = "(other)"
ROUNDED = 0.02  # the sum of probabilities with two digits may miss 1 by this much
_OF_POOL = 1e-3  # sums that miss 1 by less are the pool's to mend
Logits = Literal["softmax", "sigmoid"]


@dataclass(frozen=True)
class Meaning:
    """What the numbers of a file mean.

    Attributes:
        multilabel: classes are independent.
        scale: 1, or 100 for percentages.
        logits: softmax or sigmoid if they are logits; None if they are probabilities.
    """

    multilabel: bool = False
    scale: float = 1.0
    logits: Logits | None = None

    @classmethod
    def of(cls, options: Any) -> Meaning:
        """As the options multilabel, scale and logits say."""
        logits = options.logits
        if logits is True:
            logits = "sigmoid" if options.multilabel else "softmax"
        independent = options.multilabel or logits == "sigmoid"
        scale = 100.0 if options.scale == "percent" else 1.0
        return cls(independent, scale, logits or None)


def leaves_rest(rows: NDArray[np.floating], options: Any) -> bool:
    """Whether lists of the likeliest classes leave some probability to a class that none names.

    Args:
        rows: shape (n_items, n_classes), NaN where a list doesn't name a class.
        options: of the format; stated classes are all that there are.
    """
    meaning = Meaning.of(options)
    if options.classes is not None or meaning.logits is not None or meaning.multilabel:
        return False
    return bool((rows.sum(axis=1) < meaning.scale * (1 - ROUNDED) - 1e-9).any())


def by_class(
    rows: NDArray[np.floating], names: Sequence[str], classes: Sequence[str] | None
) -> tuple[NDArray[np.floating], list[str]]:
    """Scores in the order of the stated classes, where these are the names of the scores.

    Args:
        rows: shape (n_items, n_names).
        names: of the scores.
        classes: `source.classes`; where they are none of the names, they name them by position.

    Returns:
        Shape (n_items, n_classes), NaN for classes without scores; and the names.

    Raises:
        InvalidInput: if only some of the names are classes.

    Example:
        >>> by_class(np.array([[0.75, 0.25]]), ["cat", "dog"], ["dog", "cat"])[0].tolist()
        [[0.25, 0.75]]
    """
    if classes is None or list(names) == list(classes) or not set(names) & set(classes):
        return rows, list(names)
    if strange := sorted(set(names).difference(classes)):
        raise InvalidInput(
            f"a class must be one of {listed(classes, 20)}; got {listed(strange)}.",
            hint="set source.classes to all names, or leave it out.",
        )
    ordered: NDArray[np.float64] = np.full((len(rows), len(classes)), np.nan)
    ordered[:, [list(classes).index(name) for name in names]] = rows
    return ordered, list(classes)


class NotProbabilities(InvalidInput):
    """Numbers outside [0, 1], with the keys of `source` that say what they are.

    Attributes:
        settings: by key; empty where it can't be told.
    """

    def __init__(
        self, message: str, *, hint: str, settings: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message, hint=hint)
        self.settings = settings or {}


def usable_vectors(
    rows: NDArray[np.floating],
    ids: Sequence[Any],
    meaning: Meaning,
    notices: list[Notice],
    *,
    partial: bool = False,
) -> NDArray[np.floating]:
    """Numbers of a file as probabilities; NaN rows for those that can't be used.

    Args:
        rows: shape (n_items, n_classes), NaN rows without a prediction.
        ids: of the items.
        meaning: of the numbers.
        notices: to which what was mended or left out is added.
        partial: rows name only some of the classes, NaN for the others.

    Raises:
        InvalidInput: if more than a tenth of the rows can't be used; the hint names the cure for
            percentages and logits.
    """
    if meaning.logits is not None:
        return from_logits(rows, meaning.logits)
    rows = rows / meaning.scale if meaning.scale != 1 else rows
    low, high = (
        np.fmin.reduce(rows, axis=None, initial=0),
        np.fmax.reduce(rows, axis=None, initial=1),
    )
    if low < 0 or high > 1:
        outside = ((rows < -ROUNDING) | (rows > 1 + ROUNDING)).any(axis=1)
        if outside.any():
            predicted = ~np.isnan(rows).all(axis=1)
            if outside.sum() > FEW * predicted.sum():
                raise explained(rows, ids)
            why = dict[int, str]()
            for row in np.flatnonzero(outside).tolist():
                wrong = rows[row][(rows[row] < -ROUNDING) | (rows[row] > 1 + ROUNDING)][0]
                why[row] = f"probabilities must be in [0, 1]; got {wrong:.6g}"
            Items(ids, notices=notices).leave_out("probabilities", why, int(predicted.sum()))
        rows = np.where(np.asarray(outside)[:, None], np.nan, np.clip(rows, 0, 1))
    if partial:
        return class_vectors(rows, ~np.isnan(rows), ids, meaning.multilabel, notices)
    return rows if meaning.multilabel else mended(rows, ids, notices)


def usable_embeddings(rows: NDArray[np.floating], items: Items) -> NDArray[np.floating]:
    """Embeddings without the few that have numbers too large to be squared: NaN there.

    Args:
        rows: shape (n_items, n_dimensions), NaN rows without an embedding.
        items: notes those whose embedding is left out.
    """
    high, low = (one.reduce(rows, axis=None, initial=0) for one in (np.fmax, np.fmin))
    if max(high, -low) <= LARGEST:
        return rows
    sizes = np.abs(rows).max(axis=1)
    far, n_values = sizes > LARGEST, int((~np.isnan(sizes)).sum())
    if far.sum() > FEW * n_values:
        return rows  # said, with the cure, by what reads them
    rule = f"embedding must be of numbers up to {LARGEST:g} in size"
    why = {row: f"{rule}; got {sizes[row]:.6g}" for row in np.flatnonzero(far).tolist()}
    items.leave_out("embedding", why, n_values)
    return np.where(far[:, None], np.nan, rows)


def usable_members(
    array: NDArray[Any], ids: Sequence[Any], meaning: Meaning, notices: list[Notice]
) -> NDArray[np.floating]:
    """An array of a file as probabilities, of one model version or of several.

    Args:
        array: shape (n_items, n_classes) or (n_members, n_items, n_classes).
        ids: of the items.
        meaning: of the numbers.
        notices: to which what was mended or left out is added.

    Raises:
        InvalidInput: if it has another shape, or too many rows can't be used.
    """
    if array.ndim not in (2, 3) or array.dtype.kind not in "fiu" or array.shape[-2] != len(ids):
        raise InvalidInput(
            f"probabilities must be a row of numbers for each of {counted(len(ids), 'item')}; got "
            f"shape {array.shape} of {array.dtype}."
        )
    rows = (
        array.astype(np.float64) if array.dtype.itemsize < 4 or array.dtype.kind != "f" else array
    )
    if not rows.size:
        return rows
    if rows.ndim == 2:
        return usable_vectors(rows, ids, meaning, notices)
    return np.stack([usable_vectors(member, ids, meaning, notices) for member in rows])


def usable_boxes(boxes: NDArray[np.floating]) -> NDArray[np.bool_]:
    """Which boxes are finite, not turned around, and overlap the image, shape (n,).

    Args:
        boxes: shape (n, 4), x1 y1 x2 y2 in fractions of the image.

    Example:
        >>> usable_boxes(np.array([[0, 0, 0.5, 1], [0.5, 0, 0, 1], [2, 0, 3, 1]])).tolist()
        [True, False, False]
    """
    x1, y1, x2, y2 = boxes.T  # by column: rows of four are too short for numpy
    usable: NDArray[np.bool_] = (x1 <= x2) & (y1 <= y2) & (x1 < 1) & (y1 < 1) & (x2 > 0) & (y2 > 0)
    usable &= (np.minimum(x1, y1) > -np.inf) & (np.maximum(x2, y2) < np.inf)
    return usable


def class_vectors(
    rows: NDArray[np.floating],
    named: NDArray[np.bool_],
    ids: Sequence[Any],
    multilabel: bool,
    notices: list[Notice],
) -> NDArray[np.floating]:
    """Probabilities of all classes, from those that each row names.

    A row that names only some classes leaves the rest of the mass to the others, in even shares:
    a list of the five likeliest classes isn't stretched to 1. If nothing is left, or classes are
    independent, the others get 0. Rounding errors are mended and counted; a row that can't be a
    distribution is left out and counted.

    Args:
        rows: shape (n_items, n_classes), NaN where a class isn't named; all NaN without prediction.
        named: shape (n_items, n_classes), the classes that each row names.
        ids: of the items.
        multilabel: classes are independent.
        notices: to which the counts are added.

    Returns:
        Shape (n_items, n_classes), NaN for rows without a prediction or left out.

    Raises:
        InvalidInput: if more than a tenth of the rows can't be used.

    Example:
        >>> rows, nan = np.array([[0.6, np.nan, np.nan]]), []
        >>> class_vectors(rows, ~np.isnan(rows), ["a"], False, nan).tolist()
        [[0.6, 0.2, 0.2]]
    """
    predicted = named.any(axis=1)
    if multilabel or not predicted.any():
        zeros = np.where(named, rows, 0.0)
        return np.where(np.asarray(predicted)[:, None], zeros, np.nan)
    given = np.where(named, rows, np.nan)
    out: NDArray[np.float64] = spread_rest(given).astype(np.float64, copy=False)
    spread = predicted & ~named.all(axis=1) & (np.nansum(given, axis=1) < 1 - ROUNDING)
    if spread.any():
        items = [str(ids[i]) for i in np.flatnonzero(spread)]
        message = (
            f"{counted(len(items), 'item')} named only some classes with less than all the "
            "probability; the rest was spread evenly over the other classes."
        )
        notices.append(Notice("spread", message, tuple(items)))
    return mended(out, ids, notices)


def mended(
    rows: NDArray[np.floating],
    ids: Sequence[Any],
    notices: list[Notice],
) -> NDArray[np.floating]:
    """Rows divided by sums that miss 1 by rounding; NaN for those that miss it by more.

    Raises:
        InvalidInput: if more than a tenth of the rows miss it.
    """
    sums = sums_of_rows(rows, _OF_POOL)
    error = np.abs(sums - 1)
    rounded = (error > _OF_POOL) & (error <= ROUNDED + 1e-9)
    if rounded.any():
        rows = rows.copy()
        rows[rounded] /= sums[rounded, None]
        items = tuple(str(ids[i]) for i in np.flatnonzero(rounded))
        message = f"Renormalised {counted(len(items), 'item')} whose probabilities were rounded."
        notices.append(Notice("renormalised", message, items))
    bad = np.flatnonzero(error > ROUNDED + 1e-9)
    if bad.size:
        rule = "probabilities must sum to 1; they sum to"
        why = {row: f"{rule} {sums[row]:.4g}" for row in bad.tolist()}
        hint = "if classes are independent of each other, set source.multilabel: true."
        if (sums[bad] < 1).all():
            hint += " If these are the likeliest classes alone, name all in source.classes."
        n_values = int((~np.isnan(sums)).sum())
        Items(ids, notices=notices).leave_out("probabilities", why, n_values, hint)
        rows = rows.copy()
        rows[bad] = np.nan
    return rows


def from_logits(rows: NDArray[np.floating], kind: Logits) -> NDArray[np.float64]:
    """Probabilities from logits: softmax over the classes, or a sigmoid of each.

    Args:
        rows: shape (..., n_classes).
        kind: softmax for one class an item, sigmoid for independent classes.

    Example:
        >>> from_logits(np.array([[0.0, 0.0]]), "softmax").tolist()
        [[0.5, 0.5]]
        >>> from_logits(np.array([[0.0, -800.0]]), "sigmoid").tolist()
        [[0.5, 0.0]]
    """
    values = np.asarray(rows, dtype=np.float64)
    if kind == "sigmoid":
        from scipy.special import expit

        probabilities: NDArray[np.float64] = expit(values)
        return probabilities
    if not values.size:
        return values
    with np.errstate(invalid="ignore", over="ignore"):  # infinite ones are left out later
        shifted = np.exp(values - values.max(axis=-1, keepdims=True))
    softmax: NDArray[np.float64] = shifted / shifted.sum(axis=-1, keepdims=True)
    return softmax


def cure(outside: NDArray[np.float64]) -> str | None:
    """What to set where confidences are outside [0, 1]."""
    if outside.size and outside.min() > 1 and outside.max() <= 100:
        return "if these are percentages, set source.scale: percent."
    return "if these are logits, set source.logits: sigmoid." if outside.size else None


def explained(rows: NDArray[np.floating], ids: Sequence[Any]) -> NotProbabilities:
    """Why numbers are no probabilities, and the cure.

    Args:
        rows: shape (n_items, n_classes), in which some value is outside [0, 1].
        ids: of the items.
    """
    outside = (rows < 0) | (rows > 1)
    bad = np.flatnonzero(outside.any(axis=1))
    value = float(rows[bad[0]][outside[bad[0]]][0])
    shown = listed(str(ids[i]) for i in bad)
    message = f"probabilities must be in [0, 1]; got {value:.6g} for item {shown}."
    if np.isposinf(rows[outside]).all():  # as logits, the other items would get other scores
        hint = (
            "infinity is neither a probability nor a percentage: correct it, or leave it empty "
            "(null in JSON)."
        )
        return NotProbabilities(message, hint=hint)
    with np.errstate(over="ignore"):  # finite numbers may add up to infinity
        sums = np.nansum(rows, axis=1)
    if not (rows < 0).any() and np.nanmedian(np.abs(sums - 100)) <= 100 * ROUNDED:
        hint = "these are percentages: set source.scale: percent."
        return NotProbabilities(message, hint=hint, settings={"scale": "percent"})
    if not (rows < 0).any() and np.nanmax(rows) <= 100:
        hint = "for percentages, set source.scale: percent; for logits, source.logits: true."
        return NotProbabilities(message, hint=hint)
    return NotProbabilities(
        message,
        hint="these look like logits: set source.logits: softmax (one class per item) or sigmoid "
        "(independent classes).",
        settings={"logits": "softmax"},
    )


def member_vectors(
    name: str,
    column: Any,
    ids: Sequence[Any],
    notices: list[Notice],
    classes: Sequence[str] | None,
) -> tuple[NDArray[np.floating], tuple[str, ...] | None] | None:
    """The vectors of one model version, and the names of their entries; None where all is null."""
    if pa.types.is_struct(column.type):
        names = [field.name for field in column.type]
        rows, names = by_class(mapped_rows(name, column), names, classes)
        return rows, tuple(names)
    if column.null_count == len(column) and not pa.types.is_fixed_size_list(column.type):
        return None
    return list_rows(name, column, ids, notices=notices), None


def sums_to_one(numbers: Sequence[Any]) -> bool:
    """Whether several numbers may be the scores of all classes."""
    if len(numbers) < 2 or not all(type(n) in (int, float) and n >= 0 for n in numbers):
        return False
    return bool(abs(sum(numbers) - 1) <= ROUNDED)

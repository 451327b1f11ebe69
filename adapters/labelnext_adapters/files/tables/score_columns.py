"""Which number columns of a table hold the scores of its classes."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from labelnext.errors import InvalidInput
from labelnext_adapters.files.tables.column_names import plain
from labelnext_adapters.files.tables.table_options import ScoreOptions, TableOptions
from labelnext_adapters.files.tables.vectors import ROUNDED

_TELLING = 3  # rows; fewer may sum to 1 by chance
_HALF = 0.5
_MANY = 10  # rows
#: The names of two classes, the one that is meant last.
_BINARY = {
    ("0", "1"), ("false", "true"), ("no", "yes"), ("negative", "positive"), ("neg", "pos"),
    ("-1", "1"), ("n", "y"), ("f", "t"), ("ham", "spam"), ("normal", "anomaly"),
}  # fmt: skip
#: What tells that a column is of scores, beside the name of its class.
_AFFIXES = {
    "p", "prob", "probs", "proba", "probas", "probability", "probabilities", "score", "scores",
    "conf", "confidence", "softmax", "logit", "logits", "pred", "predicted", "prediction", "y",
    "%", "pct", "percent",
}  # fmt: skip
_FIRST = re.compile(r"\.?(?P<word>[A-Za-z]+)[_\-. /:](?P<name>.+)")
_LAST = re.compile(r"(?P<name>.+?)[_\-. /:]+(?:\((?=.+\)))?(?P<word>[A-Za-z]+|%)\)?")
_AROUND = re.compile(r"(?P<word>[A-Za-z]+) ?[(\[](?P<name>.+)[)\]]")
_WIDEST = 60  # columns in which runs are looked for


def are_scores(values: NDArray[Any], options: ScoreOptions) -> bool:
    """Whether rows of numbers look like class scores."""
    whole = values[np.isfinite(values).all(axis=1)]
    if not len(whole):
        return False
    if options.logits is not None:
        return True
    top = 100.0 if options.scale == "percent" else 1.0
    inside = (whole >= 0).all() and (whole <= top).all()
    if options.multilabel:
        return bool(inside)
    with np.errstate(over="ignore"):  # of what is no score
        sums = whole.sum(axis=1)
    exact = np.abs(sums - top) <= ROUNDED * top
    percent = np.abs(sums - 100) <= 100 * ROUNDED  # said so, with the cure, when it is read
    return bool(np.mean(exact) >= 0.9 or np.mean(percent) >= 0.9)


def run_of_scores(values: NDArray[Any], options: TableOptions) -> list[bool] | None:
    """Which columns stand side by side and alone look like class scores; None unless one run does.

    Others may be a fold or a loss. A few rows may sum to 1 by chance.
    """
    n = values.shape[1]
    if len(values) < _TELLING or n > _WIDEST or options.multilabel:
        return None
    runs = [
        (start, end)
        for start in range(n)
        for end in range(start + 2, n + 1)
        if are_scores(values[:, start:end], options) and (values[:, start:end] % 1 > 0).any(0).all()
    ]
    return [runs[0][0] <= at < runs[0][1] for at in range(n)] if len(runs) == 1 else None


def class_names(columns: Sequence[str], labels: Collection[str] = ()) -> list[str]:
    """The classes that columns of scores are of: their names without what all have in common.

    Args:
        columns: the names of the columns.
        labels: classes that people named; with these, what is in common may be any words.

    Example:
        >>> class_names(["prob_cat", "prob_dog"]), class_names(["P(cat)", "P(dog)"])
        (['cat', 'dog'], ['cat', 'dog'])
        >>> class_names(["red_cat", "red_dog"]), class_names(["red_cat", "red_dog"], ["dog"])
        (['red_cat', 'red_dog'], ['cat', 'dog'])
    """
    if labels and set(labels) <= set(columns):
        return list(columns)
    names = [name.strip() for name in columns]
    bare = _without_affixes(names, None)
    if not (labels and set(labels) <= set(bare)):
        bare = _without_affixes(names, _AFFIXES)
    return bare if len(set(bare)) == len(bare) else list(columns)


def _without_affixes(names: list[str], known: Collection[str] | None) -> list[str]:
    """Names without the words, of those known or of any, with which all begin or end."""
    for pattern in (_FIRST, _LAST, _AROUND):
        while all(found := [pattern.fullmatch(name) for name in names]):
            words = {one["word"] for one in found if one}
            word = next(iter(words))
            if len(words) > 1 or (known is not None and word.lower() not in known):
                break
            names = [one["name"].strip() for one in found if one]
    return names


def check_of_one_class(table: pa.Table, answer: str, sure: str) -> None:
    """Refuse a probability that is of the same class in every row, not of the predicted one.

    It is below one half wherever the other of two classes is predicted, and there alone.

    Raises:
        InvalidInput: if it seems to be such.
    """
    if any(word in plain(sure) for word in ("conf", "certain", "max", "top")):
        return
    column = table.column(sure)
    if not pa.types.is_floating(column.type):
        return
    values: NDArray[Any] = column.to_numpy(zero_copy_only=False)
    said = np.array([str(one).lower() for one in table.column(answer).to_pylist()])
    low, high = set(said[values < _HALF].tolist()), set(said[values >= _HALF].tolist())
    if len(low) != 1 or len(high) != 1 or low == high:
        return
    (other,), (one,) = low, high
    if (other, one) in _BINARY or (values < _HALF).sum() >= _MANY:
        raise InvalidInput(
            f"{sure} must be the probability of the class in {answer}; it is below 0.5 wherever "
            f"that is {other!r}, so that it seems to be the probability of {one!r}.",
            hint=f"set source.columns: {{probabilities: [{sure}]}} and source.multilabel: true; "
            f"or, if it is a confidence, source.columns: {{prediction: {answer}, confidence: "
            f"{sure}}}.",
        )

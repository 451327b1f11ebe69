"""Tables with one number column a class."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from labelnext.errors import listed
from labelnext_adapters.files.tables.arrow import number_rows
from labelnext_adapters.files.tables.column_names import plain
from labelnext_adapters.files.tables.known_names import CERTAINTIES
from labelnext_adapters.files.tables.laid_out import LaidOut
from labelnext_adapters.files.tables.logit_names import check_no_logits
from labelnext_adapters.files.tables.not_scores import DOUBTS, no_predictions
from labelnext_adapters.files.tables.passed_over import free_numbers
from labelnext_adapters.files.tables.score_columns import are_scores, class_names, run_of_scores
from labelnext_adapters.files.tables.table_options import NAMES, TableOptions
from labelnext_adapters.files.tables.vectors import Meaning

_LIKE_PROBABILITIES = ("prob", "proba", "probability", "score", "conf", "confidence", "logit")


def wide(out: LaidOut, options: TableOptions) -> LaidOut:
    """One number column a class; as it is, if the numbers are no class scores."""
    taken = out.mapped | set(NAMES)
    table = out.table
    numeric = _classes_alone(table, free_numbers(out), options)
    likely = _likely(table, numeric, options)
    chosen = likely or _without_flags(table, numeric, options)
    values = number_rows(table, chosen) if len(chosen) > 1 else None
    if len(chosen) == 1 and Meaning.of(options).logits == "sigmoid":
        message = f"Read column {chosen[0]!r} as the logit of one class."
        return replace(out, columns={**out.columns, "probabilities": chosen}).told(message)
    if values is not None and not likely and not are_scores(values, options):
        top = Meaning.of(options).scale
        inside = [not ((c < 0) | (c > top)).any() for c in values.T]  # others are of something else
        if sum(inside) > 1 and not are_scores(values[:, inside], options):
            inside = run_of_scores(values, options) or inside
        if sum(inside) > 1 and are_scores(values[:, inside], options):
            chosen = [n for n, fits in zip(chosen, inside, strict=True) if fits]
            values = values[:, inside]
    if values is None or not (likely or are_scores(values, options)):
        if {"confidence", "uncertainty"} & set(table.column_names):
            return out  # one number an item
        scale = Meaning.of(options).scale
        why = no_predictions(table, str(out.columns["item_id"]), chosen, values, out.place, scale)
        return replace(out, notices=[*out.notices, why])
    check_no_logits(chosen, options)
    classes = class_names(chosen, _labels(out))
    renamed = {name: f"p_{one}" for name, one in zip(chosen, classes, strict=True)}
    others = [n for n in table.column_names if n.startswith("p_") and n not in {*chosen, *taken}]
    table = table.drop_columns(others)  # a p-value would be one more class
    table = table.rename_columns([renamed.get(n, n) for n in table.column_names])
    message = f"Read columns {listed(chosen)} as class probabilities."
    return replace(out, table=table).told(message)


def _labels(out: LaidOut) -> set[str]:
    """The classes that the column of labels names."""
    name = out.columns.get("label", "label")
    if not isinstance(name, str) or name not in out.table.column_names:
        return set()
    column = out.table.column(name)
    return (
        set(column.unique().to_pylist()) - {None, ""} if pa.types.is_string(column.type) else set()
    )


def _without_flags(table: pa.Table, names: list[str], options: TableOptions) -> list[str]:
    """The columns of independent classes, without those of 0 and 1 alone, if others have fractions.

    These say whether an item has a class, as people or a threshold do, not how probable that is.
    """
    if not options.multilabel:
        return names
    columns = dict(zip(names, number_rows(table, names).T, strict=True)) if names else {}
    flags = {n for n, values in columns.items() if _are_flags(values[~np.isnan(values)])}
    parted = any((np.modf(values)[0] > 0).any() for values in columns.values())
    return [name for name in names if name not in flags] if parted else names


def _are_flags(values: NDArray[np.float64]) -> bool:
    zeros, ones = values == 0, values == 1
    return bool(zeros.any() and ones.any() and (zeros | ones).all())


def _likely(table: pa.Table, names: list[str], options: TableOptions) -> list[str]:
    """The columns called prob_cat, prob_dog, …; those of one word where there are several."""
    words = {name: re.split(r"[_\-. ]", name.lower())[0] for name in names}
    likely = [name for name in names if words[name] in _LIKE_PROBABILITIES]
    by_word = {word: [n for n in likely if words[n] == word] for word in _LIKE_PROBABILITIES}
    several = {word: of_word for word, of_word in by_word.items() if len(of_word) > 1}
    if len(several) > 1 and options.logits is not None:
        return several.get("logit", likely)
    fitting = [one for one in several.values() if are_scores(number_rows(table, one), options)]
    if len(several) > 1 and fitting:
        return fitting[0]
    return likely if len(likely) > 1 else []


def _classes_alone(table: pa.Table, names: list[str], options: TableOptions) -> list[str]:
    """Number columns without an entropy, a largest score or the like, if the others are scores."""
    rest = [name for name in names if plain(name) not in (*DOUBTS, *CERTAINTIES)]
    if not 1 < len(rest) < len(names) or options.logits or options.multilabel:
        rest = [name for name in names if plain(name) not in DOUBTS]
    if not 1 < len(rest) < len(names):
        return names
    return rest if are_scores(number_rows(table, rest), options) else names

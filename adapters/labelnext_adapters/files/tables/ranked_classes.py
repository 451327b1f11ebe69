"""Pairs of columns with the first, second, … class of an item and its confidence."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from labelnext.errors import InvalidInput, listed
from labelnext_adapters.files.content.unpacked import check_spread
from labelnext_adapters.files.tables.column_names import is_ranked_class
from labelnext_adapters.files.tables.long_rows import mapped_scores
from labelnext_adapters.files.tables.rows import texts_of
from labelnext_adapters.files.tables.table_options import TableOptions

_PREFIXES = ("p_", "e_")
_RANKED = re.compile(r"^(.*?)(\d{1,9})(.*)$")


def ranked_columns(table: pa.Table) -> list[tuple[str, str]]:
    """Pairs of columns with the first, second, … class and its confidence; empty if not so."""
    groups: dict[int, list[str]] = {}
    for name in table.column_names:
        told = _RANKED.match(name)
        if told and not name.startswith(_PREFIXES):
            groups.setdefault(int(told[2]), []).append(name)
    pairs = []
    for number in sorted(groups):
        names = groups[number]
        texts = [n for n in names if _names_class(table.schema.field(n))]
        numbers = [n for n in names if pa.types.is_floating(table.schema.field(n).type)]
        if len(texts) != 1 or len(numbers) != 1:
            return []
        pairs.append((texts[0], numbers[0]))
    starts = {0, 1} & set(groups)
    return pairs if len(pairs) > 1 and starts and len(groups) == len(pairs) else []


def _names_class(column: pa.Field) -> bool:
    """Whether a ranked column holds classes: texts, or their numbers by its name."""
    numbered = pa.types.is_integer(column.type) and is_ranked_class(column.name)
    return bool(pa.types.is_string(column.type) or numbered)


def with_likeliest(
    table: pa.Table, pairs: Sequence[tuple[str, str]], options: TableOptions
) -> pa.Table:
    """The likeliest classes of each item as a mapping; the others share the mass that is left.

    Args:
        table: one row an item.
        pairs: columns of classes and of their confidences.
        options: of the format.

    Raises:
        InvalidInput: if a class isn't among `classes`.
    """
    n = table.num_rows
    answers = [texts_of(table.column(answer)) for answer, _ in pairs]
    sure = [table.column(column).to_numpy(zero_copy_only=False) for _, column in pairs]
    met = sorted({name for column in answers for name in column if name})
    classes = list(options.classes or met)
    strange = sorted(set(met).difference(classes))
    if strange:
        raise InvalidInput(f"a class must be one of {listed(classes, 20)}; got {listed(strange)}.")
    places = {name: i for i, name in enumerate(classes)}
    check_spread("class scores", n, len(classes), n * len(pairs))
    rows: NDArray[np.float64] = np.full((n, len(classes)), np.nan)
    named = np.zeros(rows.shape, dtype=bool)
    for column, values in zip(answers, sure, strict=True):
        for row, name in enumerate(column):
            if name:
                rows[row, places[name]], named[row, places[name]] = values[row], True
    taken = {name for pair in pairs for name in pair}
    table = table.select([name for name in table.column_names if name not in taken])
    return table.append_column("probabilities", mapped_scores(classes, rows, named, options))

"""Answers of language models in the rows of a CSV file."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

from labelnext.adapter.sample import Sample
from labelnext.pool.objects import Notice
from labelnext_adapters.files.content.item_ids import ITEM_KEYS
from labelnext_adapters.files.json.roles import Roles
from labelnext_adapters.files.llm.judge_columns import columns_of_judges
from labelnext_adapters.files.llm.replies import JUDGES, are_paired, stated_in
from labelnext_adapters.files.tables.column_names import corners_in, first_of
from labelnext_adapters.files.tables.known_names import BOXES
from labelnext_adapters.files.tables.rows import read_csv, texts_of

_SAMPLED = 200


class _Texts(Roles):
    """All columns are of texts."""

    def is_text(self, name: str) -> bool:
        return True


def read_rows(path: Path) -> tuple[list[tuple[str, Mapping[str, str]]], list[Notice]]:
    """The rows as records of texts, without empty ones, each with its place.

    Returns:
        The records, and notices of lines that were left out.

    Raises:
        InvalidInput: if the file is no CSV.
    """
    rows = read_csv(path, _Texts())
    columns = {name: texts_of(rows.table.column(name)) for name in rows.table.column_names}
    records: list[tuple[str, Mapping[str, str]]] = [
        (
            rows.place(number),
            {name: text for name, text in zip(columns, texts, strict=True) if text},
        )
        for number, texts in enumerate(zip(*columns.values(), strict=True))
    ]
    return records, rows.notices


def first_rows(sample: Sample) -> Sequence[Mapping[str, str]]:
    """The first rows of a CSV file that isn't empty; none if they hold no answers.

    These are answers where several judges answer for an item, at most once each, or each in a
    column of its own, or where a cell holds JSON or states a class with its confidence.
    """
    delimiter = max(",;\t", key=sample.lines[0].count)
    lines = [f"{line}\n" for line in sample.lines[: _SAMPLED + 1]]
    rows = [
        {name: text for name, text in row.items() if name and isinstance(text, str) and text}
        for row in csv.DictReader(lines, delimiter=delimiter)
    ]
    names = {name for row in rows for name in row}
    if corners_in(names) or first_of(names, BOXES):
        return []
    if any(len(columns_of_judges(row)) > 1 for row in rows[:20]):
        return rows
    item, judge = first_of(names, ITEM_KEYS), first_of(names, JUDGES)
    if any(text.startswith("{") for row in rows[:20] for text in row.values()):
        return rows
    if any(map(stated_in, rows[:20])) or are_paired(rows[:20]):
        return rows
    if item is None or judge is None:
        return []
    said = [(row.get(item), row.get(judge)) for row in rows]
    several = len({who for _, who in said}) > 1 and len({it for it, _ in said}) < len(said)
    return rows if several and len(set(said)) == len(said) else []

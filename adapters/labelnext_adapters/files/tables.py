"""What formats of tables share: their options, and a table to a Pool. Arrow is loaded when used."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import AfterValidator, Field

from labelnext.adapter import Context, Options
from labelnext.adapter_formats import Format
from labelnext.errors import InvalidInput, unknown
from labelnext.pool import Pool

if TYPE_CHECKING:
    import pyarrow as pa

NAMES = (
    "item_id",
    "probabilities",
    "objects",
    "embedding",
    "label",
    "votes",
    "truth",
    "labelled",
    "group",
    "cost",
    "media",
)


def _known(name: str) -> str:
    if name not in NAMES:
        raise unknown("columns", name, NAMES)
    return name


class TableOptions(Options):
    """Keys of `source` for formats with one item a row."""

    columns: dict[Annotated[str, AfterValidator(_known)], str | list[str]] = Field(
        default_factory=dict
    )
    """Our names (item_id, probabilities, objects, embedding, label, votes, truth, labelled, group,
    cost, media) to the file's; for probabilities and embedding also a list of number columns; for
    probabilities and objects a list is a committee, one column for each model version; media is the
    path or address of an item's image, from which labelnext send makes tasks."""
    classes: list[str] | None = None
    """Names of the classes, in the order of the probabilities."""
    multilabel: bool = False
    """Classes are independent of each other: an item's probabilities need not sum to 1."""


def table_format(
    name: str, summary: str, endings: tuple[str, ...], rows: Callable[[Path], pa.Table]
) -> Format:
    """A format whose files are tables, one item a row.

    Args:
        name: as in `source.format`.
        summary: what it reads, in one line.
        endings: of the names of its files.
        rows: reads a file.
    """

    def table(path: Path | str, options: TableOptions, context: Context) -> pa.Table:
        return rows(Path(path))

    def read(path: Path | str, options: TableOptions, context: Context) -> Pool:
        return pool_of(rows(Path(path)), options, context)

    return Format(name, summary, endings, TableOptions, read, table=table)


def pool_of(table: pa.Table, options: TableOptions, context: Context) -> Pool:
    """The items of a table.

    Raises:
        InvalidInput: if a column is missing, ragged or of a wrong type.
    """
    from labelnext_adapters.files.columns import pool_of_table

    columns = named_columns(options, context)
    return pool_of_table(table, columns, options.classes, multilabel=options.multilabel)


def named_columns(options: TableOptions, context: Context) -> dict[str, Any]:
    """Our names to the file's; `source.key` is the column of the ids where none is named."""
    columns: dict[str, Any] = dict(options.columns)
    if context.key is not None:
        columns.setdefault("item_id", context.key)
    return columns


def refuse_empty(path: Path) -> None:
    """Say so where a file holds nothing.

    Raises:
        InvalidInput: if it is empty.
    """
    if path.stat().st_size == 0:
        raise InvalidInput("the file must not be empty.")

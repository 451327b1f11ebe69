"""The options of formats with one item a row. Arrow is not loaded for them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from labelnext.adapter.options import Options
from labelnext.adapter.protocol import Context
from labelnext.errors import unknown

WILD = ("*", "?", "[")
NAMES = (
    "item_id",
    "probabilities",
    "prediction",
    "confidence",
    "uncertainty",
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
    """Our names (item_id, probabilities, prediction, confidence, uncertainty, objects, embedding,
    label, votes, truth, labelled, group, cost, media) mapped to the file's columns. probabilities
    and embedding also take a list of number columns. confidence is one number per item, prediction
    the class that it is of; in place of confidence, uncertainty is high where the model is
    uncertain. A list of probabilities, confidence or objects columns is a committee, one per model
    version. media is the path or address of an item's image, used by labelnext send to create
    tasks."""
    classes: list[str] | None = None
    """Class names, in the order of the probabilities."""
    multilabel: bool = False
    """Classes are independent: an item's probabilities needn't sum to 1."""


def named_columns(options: TableOptions, context: Context) -> dict[str, Any]:
    """Our names to the file's; `source.key` is the column of the ids where none is named."""
    columns: dict[str, Any] = dict(options.columns)
    if context.key is not None:
        columns.setdefault("item_id", context.key)
    return columns


class ParquetFolderOptions(TableOptions):
    """Keys of `source` for many Parquet files."""

    broken: Literal["stop", "skip"] = "stop"
    """What to do with a file that can't be read: stop, or skip and count it."""

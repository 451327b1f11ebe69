"""The options of formats with one item a row. Arrow is not loaded for them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from labelnext.adapter.options import Options
from labelnext.adapter.protocol import Context
from labelnext.errors import InvalidInput, listed, unknown

LabelsAre = Literal["names", "positions"]
METADATA = "metadata"
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
    "label_number",
    "truth",
    "labelled",
    "group",
    "cost",
    "media",
    "text",
)


PREFIXES = {"probabilities": "p_", "embedding": "e_"}


def flat_columns(ours: str, names: Iterable[str]) -> list[str]:
    """The columns that hold one number each of our probabilities or embedding.

    Example:
        >>> flat_columns("embedding", ["e_0", "e_bike"]), flat_columns("probabilities", ["p_value"])
        (['e_0'], [])
    """
    found = [name for name in names if name.startswith(PREFIXES[ours])]
    if ours == "embedding":
        return [name for name in found if name.removeprefix(PREFIXES[ours]).isdigit()]
    return [] if found == ["p_value"] else found  # of statistics


def stated_in(columns: Mapping[str, str | Sequence[str]]) -> list[str]:
    """The columns of a file that are named, one by one or in lists.

    Example:
        >>> stated_in({"label": "gold", "probabilities": ["cat", "dog"]})
        ['gold', 'cat', 'dog']
    """
    told = ([names] if isinstance(names, str) else names for names in columns.values())
    return [name for names in told for name in names]


def _known(name: str) -> str:
    if name not in NAMES:
        raise unknown("columns", name, NAMES)
    return name


class ScoreOptions(Options):
    """Keys of `source` for class scores."""

    classes: list[str] | None = None
    """Class names, in the order of the probabilities."""
    multilabel: bool = False
    """Classes are independent: an item's probabilities needn't sum to 1."""
    scale: Literal["fraction", "percent"] = "fraction"
    """Whether probabilities and confidences go up to 1 or, as percent, to 100."""
    logits: Literal["softmax", "sigmoid"] | bool | None = None
    """The numbers are logits: softmax for one class per item, sigmoid for independent classes; true
    goes by multilabel."""


class TableOptions(ScoreOptions):
    """Keys of `source` for formats with one item a row."""

    columns: dict[Annotated[str, AfterValidator(_known)], str | list[str]] = Field(
        default_factory=dict
    )
    """Our names (item_id, probabilities, prediction, confidence, uncertainty, objects, embedding,
    label, votes, label_number, truth, labelled, group, cost, media, text) mapped to the file's
    columns. label_number is the number that an item is labelled with. probabilities and embedding
    also take a list of number columns. confidence is one number per item, prediction the class
    that it is of; in place of confidence, uncertainty is high where the model is uncertain. A list
    of probabilities, confidence or objects columns is a committee, one per model version. media is
    the path or address of an item's image, used by labelnext send to create tasks and by the
    report; text is what the report shows of a text."""
    labels_are: LabelsAre | None = None
    """Whether numbers as labels are class names or positions from 0, where they could be both."""


class CsvOptions(TableOptions):
    """Keys of `source` for CSV files."""

    delimiter: str | None = None
    """Between values; null finds comma, semicolon, tab or bar by itself."""
    decimal: Literal[".", ","] | None = None
    """Of numbers; null finds it by itself."""
    encoding: str | None = None
    """Such as latin-1; null is UTF-8, or what the file's byte order mark says."""


def named_columns(options: TableOptions, context: Context) -> dict[str, Any]:
    """Our names to the file's; `source.key` is the column of the ids where none is named.

    Those of `source.metadata` are a list under the name METADATA.
    """
    columns: dict[str, Any] = dict(options.columns)
    if context.metadata:
        columns[METADATA] = list(context.metadata)
    if context.key is not None:
        columns.setdefault("item_id", context.key)
    return columns


def check_metadata(names: Sequence[str], context: Context) -> None:
    """Raise unless a table has the columns of `source.metadata`.

    Raises:
        InvalidInput: listing those that it has.
    """
    gone = [name for name in context.metadata if name not in names]
    if gone:
        raise InvalidInput(
            f"source.metadata must be columns of the file ({listed(names, 20)}); got "
            f"{listed(gone)}."
        )


class ParquetFolderOptions(TableOptions):
    """Keys of `source` for many Parquet files."""

    broken: Literal["stop", "skip"] = "stop"
    """What to do with a file that can't be read: stop, or skip and count it."""

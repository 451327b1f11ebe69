"""An Arrow table to a Pool: one item a row, predictions in flat or nested columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from labelnext.errors import InvalidInput, listed, unknown
from labelnext.pool import Notice, Objects, Pool

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
)
_PREFIXES = {"probabilities": "p_", "embedding": "e_"}


def pool_of_table(
    table: pa.Table,
    columns: Mapping[str, str | Sequence[str]],
    classes: Sequence[str] | None = None,
) -> Pool:
    """The items of a table.

    Args:
        table: with a column item_id, and any of probabilities (a list, or a struct from class to
            probability; or flat columns p_<class>), objects (a list of structs with confidence,
            class, box, mask, probabilities, embedding), embedding (a list; or flat columns e_0,
            e_1, …), label, votes (a list with the class that each person said, null for none),
            truth (labelled objects, as objects but without confidence), labelled, group and cost.
        columns: our names to the table's.
        classes: names of the classes; from the table when None.

    Raises:
        InvalidInput: if a column is missing, ragged or of a wrong type.
    """
    reader = _Table(table, columns)
    return _pool(reader, reader.ids(), classes)


def part_of_table(
    table: pa.Table,
    columns: Mapping[str, str | Sequence[str]],
    classes: Sequence[str] | None = None,
) -> tuple[Pool, pa.Array]:
    """The items of a table numbered from 0, and their ids as strings.

    For millions of rows: ids stay Arrow's, which Python has not to look at one by one.

    Args:
        table: as for `pool_of_table`.
        columns: our names to the table's.
        classes: names of the classes.

    Raises:
        InvalidInput: as for `pool_of_table`.
    """
    reader = _Table(table, columns)
    return _pool(reader, range(table.num_rows), classes), reader.id_column().cast(pa.string())


def columns_read(
    schema: pa.Schema, columns: Mapping[str, str | Sequence[str]], more: Sequence[str] = ()
) -> list[str]:
    """The columns of a file that are read: all of ours, embeddings and groups only if asked for."""
    left_out = {"embedding", "group"}.difference(more)
    wanted: set[str] = set()
    flat: list[str] = []
    for name in NAMES:
        if name in left_out:
            continue
        stated = columns.get(name, name)
        wanted.update([stated] if isinstance(stated, str) else stated)
        if name in _PREFIXES and name not in columns and name not in schema.names:
            flat.append(_PREFIXES[name])
    return [n for n in schema.names if n in wanted or n.startswith(tuple(flat))]


def _pool(reader: _Table, ids: Sequence[Any], classes: Sequence[str] | None) -> Pool:
    rows, names = reader.vectors("probabilities", ids)
    classes = list(classes or names or []) or None
    boxes, truth = reader.objects("objects", ids), reader.objects("truth", ids)
    found: list[Notice] = []
    label_names = reader.labels_as_text()
    drawn = [name for part in (boxes, truth) if part for name in part.names]
    if classes is None and (label_names is not None or drawn):
        texts = [*(label_names or []), *drawn]
        seen = sorted({t for t in texts if t is not None})
        classes = seen or None
        message = f"the classes were taken from the data: {listed(seen)}."
        found.append(Notice("derived_classes", message))
    if rows is not None and classes is not None and len(classes) != rows.shape[1]:
        if label_names is None or names:
            raise InvalidInput(
                f"classes must have one name for each of the {rows.shape[1]} probabilities; "
                f"got {len(classes)}."
            )
        raise InvalidInput(
            "classes must be given where labels are names and probabilities are plain lists.",
            hint="set source.classes to the names in the order of the probabilities.",
        )
    absent = np.ones(len(ids), dtype=bool)
    if rows is not None:
        absent &= np.isnan(rows).all(axis=1) & reader.nulls("probabilities")
    if boxes is not None:
        absent &= boxes.absent
    embeddings, _ = reader.vectors("embedding", ids)
    return Pool(
        ids,
        probabilities=rows,
        classes=classes,
        embeddings=embeddings,
        labels=reader.labels(classes),
        votes=reader.votes(classes),
        truth=None if truth is None else truth.build(classes, ids),
        labelled=reader.labelled(truth),
        groups=reader.plain("group", pa.string()),
        costs=reader.plain("cost", pa.float64()),
        objects=None if boxes is None else boxes.build(classes, ids),
        missing=None if rows is None and boxes is None else absent,
        notices=found,
    )


class _Table:
    """A table under our names."""

    def __init__(self, table: pa.Table, columns: Mapping[str, str | Sequence[str]]) -> None:
        for name in columns:
            if name not in NAMES:
                raise unknown("columns", name, NAMES)
        self._table, self._columns = table, columns

    def _column(self, name: str) -> Any:
        stated = self._columns.get(name, name)
        if not isinstance(stated, str):
            return None
        if stated in self._table.column_names:
            return self._table.column(stated).combine_chunks()
        if name in self._columns:
            raise InvalidInput(
                f"columns.{name} must be one of {listed(self._table.column_names, 20)}; "
                f"got {stated!r}."
            )
        return None

    def ids(self) -> list[Any]:
        return list(self.id_column().to_pylist())

    def id_column(self) -> pa.Array:
        column = self._column("item_id")
        if column is None:
            raise InvalidInput(
                f"the file must have a column item_id; got {listed(self._table.column_names)}.",
                hint="name another one: columns: {item_id: …}.",
            )
        if column.null_count:
            row = int(np.flatnonzero(_nulls(column))[0]) + 1
            raise InvalidInput(f"item_id must be given for every item; row {row} has none.")
        return column

    def nulls(self, name: str) -> NDArray[np.bool_]:
        column = self._column(name)
        if column is None:  # flat columns
            return np.ones(self._table.num_rows, dtype=bool)
        return _nulls(column)

    def vectors(
        self, name: str, ids: Sequence[Any]
    ) -> tuple[NDArray[np.float64] | None, list[str] | None]:
        """Vectors of equal width, NaN for null rows, and the names of their entries."""
        stated = self._columns.get(name)
        flat = list(stated) if isinstance(stated, Sequence) and not isinstance(stated, str) else []
        prefix = _PREFIXES[name]
        if not flat and self._column(name) is None:
            flat = [c for c in self._table.column_names if c.startswith(prefix)]
        if flat:
            gone = [c for c in flat if c not in self._table.column_names]
            if gone:
                raise InvalidInput(f"columns.{name} must exist; got {listed(gone)}.")
            parts = [_numbers(c, self._table.column(c)) for c in flat]
            return np.stack(parts, axis=1), [c.removeprefix(prefix) for c in flat]
        column = self._column(name)
        if column is None or pa.types.is_null(column.type):
            return None, None
        if pa.types.is_struct(column.type):
            names = [field.name for field in column.type]
            parts = [_numbers(f"{name}.{n}", pc.struct_field(column, n)) for n in names]
            return np.stack(parts, axis=1), names
        return list_rows(name, column, ids), None

    def objects(self, name: str, ids: Sequence[Any]) -> _ObjectColumns | None:
        column = self._column(name)
        if column is None or pa.types.is_null(column.type):
            return None
        return _ObjectColumns(name, column, ids)

    def labelled(self, truth: _ObjectColumns | None) -> Any:
        stated = self.plain("labelled", pa.bool_())
        return stated if stated is not None or truth is None else ~truth.absent

    def labels_as_text(self) -> list[str | None] | None:
        column = self._column("label")
        if column is None or not (
            pa.types.is_string(column.type) or pa.types.is_large_string(column.type)
        ):
            return None
        return [text or None for text in column.to_pylist()]

    def labels(self, classes: Sequence[str] | None) -> list[int] | None:
        column = self._column("label")
        if column is None or pa.types.is_null(column.type):
            return None
        texts = self.labels_as_text()
        if texts is None:
            return [-1 if value is None else value for value in column.to_pylist()]
        return class_positions("label", texts, classes or [])

    def votes(self, classes: Sequence[str] | None) -> NDArray[np.int64] | None:
        """One column a person, −1 where they said nothing."""
        column = self._column("votes")
        if column is None or pa.types.is_null(column.type):
            return None
        if not _is_list(column.type):
            raise InvalidInput(f"votes must be a list for each item; got {column.type}.")
        rows = [row or [] for row in column.to_pylist()]
        width = max(map(len, rows), default=0)
        if any(len(row) not in (0, width) for row in rows):
            raise InvalidInput(f"votes must name the same {width} people in all items.")
        flat = [vote for row in rows for vote in (row or [None] * width)]
        if any(isinstance(vote, str) for vote in flat):
            flat = class_positions("votes", flat, classes or [])
        positions = [-1 if vote is None else vote for vote in flat]
        return np.array(positions, dtype=np.int64).reshape(len(rows), width)

    def plain(self, name: str, kind: pa.DataType) -> Any:
        column = self._column(name)
        if column is None or pa.types.is_null(column.type):
            return None
        if column.null_count and name != "labelled":
            row = int(np.flatnonzero(_nulls(column))[0]) + 1
            raise InvalidInput(f"{name} must be given for every item; row {row} has none.")
        filled = column.fill_null(False) if name == "labelled" else column
        return filled.cast(kind).to_pylist()


class _ObjectColumns:
    """The structs of the column objects or truth, as columns."""

    def __init__(self, name: str, column: Any, ids: Sequence[Any]) -> None:
        if not _is_list(column.type) or not (
            pa.types.is_struct(column.type.value_type) or pa.types.is_null(column.type.value_type)
        ):
            raise InvalidInput(
                f"{name} must be a list of records with confidence, class, box, mask, "
                f"probabilities and embedding; got {column.type}."
            )
        self.absent = _nulls(column)
        lengths = pc.list_value_length(column).fill_null(0).to_numpy(zero_copy_only=False)
        self.offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
        owners = np.repeat(np.arange(len(lengths)), lengths)
        self._owners = [ids[i] for i in owners.tolist()]
        self._values = pc.list_flatten(column)
        kind = self._values.type
        self._fields = [f.name for f in kind] if pa.types.is_struct(kind) else []
        self._certain = name == "truth"  # people are sure
        if len(self._values) and "confidence" not in self._fields and not self._certain:
            raise InvalidInput(
                f"objects must have a confidence each; got the keys {listed(self._fields)}."
            )
        column = self._field("class")
        self._classes = None if column is None else column.to_pylist()
        self.names = sorted({c for c in self._classes or [] if isinstance(c, str)})

    def _field(self, name: str) -> Any:
        if name not in self._fields:
            return None
        return pc.struct_field(self._values, name)

    def build(self, classes: Sequence[str] | None, ids: Sequence[Any]) -> Objects:
        if not len(self._values):
            return Objects(self.offsets, [])
        class_ids = None
        if self._classes is not None:
            class_ids = (
                class_positions("class of an object", self._classes, classes or [])
                if self.names
                else [-1 if c is None else c for c in self._classes]
            )
        return Objects(
            self.offsets,
            np.ones(len(self._values))
            if self._certain
            else _numbers("confidence", self._field("confidence")),
            class_ids=class_ids,
            boxes=self._rows("box", "box"),
            masks=self._masks(),
            probabilities=self._rows("probabilities", "probabilities of an object"),
            embeddings=self._rows("embedding", "embedding of an object"),
        )

    def _masks(self) -> list[Any] | None:
        column = self._field("mask")
        if column is None or pa.types.is_null(column.type):
            return None
        return [mask or {} for mask in column.to_pylist()]

    def _rows(self, name: str, what: str) -> NDArray[np.float64] | None:
        column = self._field(name)
        if column is None or pa.types.is_null(column.type):
            return None
        return list_rows(what, column, self._owners)


def class_positions(what: str, names: Sequence[str | None], classes: Sequence[str]) -> list[int]:
    """Positions of class names, −1 for None.

    Raises:
        InvalidInput: if a name is no class.
    """
    positions: dict[str | None, int] = {name: i for i, name in enumerate(classes)}
    positions[None] = -1
    strange = sorted({str(n) for n in names if n not in positions})
    if strange:
        raise InvalidInput(f"{what} must be one of {listed(classes, 20)}; got {listed(strange)}.")
    return [positions[name] for name in names]


def list_rows(what: str, column: Any, ids: Sequence[Any]) -> NDArray[np.float64]:
    """A list column as rows of one width; NaN rows for null.

    Raises:
        InvalidInput: if the rows differ in length, or are no lists of numbers.
    """
    if not _is_list(column.type):
        raise InvalidInput(f"{what} must be a list of numbers; got {column.type}.")
    nulls = _nulls(column)
    lengths = pc.list_value_length(column).fill_null(0).to_numpy(zero_copy_only=False)
    widths = np.unique(lengths[~nulls])
    if len(widths) > 1:
        common = int(np.bincount(lengths[~nulls].astype(np.int64)).argmax())
        odd = np.flatnonzero(~nulls & (lengths != common))
        raise InvalidInput(
            f"{what} must be of one length in all items; got {common} and "
            f"{int(lengths[odd[0]])} for item {listed(ids[i] for i in odd)}."
        )
    width = int(widths[0]) if len(widths) else 0
    rows = np.full((len(column), width), np.nan)
    valid = column.filter(pa.array(~nulls))
    rows[~nulls] = _numbers(what, pc.list_flatten(valid)).reshape(-1, width)
    return rows


def _numbers(what: str, column: Any) -> NDArray[np.float64]:
    try:
        numbers: NDArray[np.float64] = (
            column.cast(pa.float64()).to_numpy(zero_copy_only=False)
            if isinstance(column, pa.Array)
            else column.cast(pa.float64()).to_numpy()
        )
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise InvalidInput(f"{what} must be numbers; got {column.type}.") from error
    return numbers


def _nulls(column: Any) -> NDArray[np.bool_]:
    nulls: NDArray[np.bool_] = column.is_null().to_numpy(zero_copy_only=False)
    return nulls


def _is_list(kind: pa.DataType) -> bool:
    return bool(
        pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)
    )

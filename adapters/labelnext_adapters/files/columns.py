"""An Arrow table to a Pool: one item a row, predictions in flat or nested columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from labelnext.errors import InvalidInput, listed, unknown
from labelnext.pool.objects import Notice
from labelnext.pool.pool import Pool
from labelnext_adapters.files.answers import AnswerColumns
from labelnext_adapters.files.arrow import class_positions, is_list, list_rows, nulls, numbers
from labelnext_adapters.files.objects import ObjectColumn
from labelnext_adapters.files.table_options import NAMES

_PREFIXES = {"probabilities": "p_", "embedding": "e_"}
_ANSWERS = ("prediction", "confidence", "uncertainty")
_LISTS = ("objects", *_ANSWERS, *_PREFIXES)  # what several columns may hold together


def pool_of_table(
    table: pa.Table,
    columns: Mapping[str, str | Sequence[str]],
    classes: Sequence[str] | None = None,
    *,
    multilabel: bool = False,
) -> Pool:
    """The items of a table.

    Args:
        table: with a column item_id, and any of probabilities (a list, or a struct from class to
            probability; or flat columns p_<class>), objects (a list of structs with confidence,
            class, box, mask, probabilities, embedding), embedding (a list; or flat columns e_0,
            e_1, …), label, votes (a list with the class that each person said, null for none),
            truth (labelled objects, as objects but without confidence), labelled, group and cost.
            Without probabilities and objects, confidence or uncertainty (a number for each item)
            and prediction (the class that it is of).
            Several model versions have a column each, or stand in one as a list of what each said.
        columns: our names to the table's; of several versions the names, the oldest first.
        classes: names of the classes; from the table when None.
        multilabel: the classes are independent, so probabilities need not sum to 1.

    Raises:
        InvalidInput: if a column is missing, ragged or of a wrong type.
    """
    reader = _Table(table, columns)
    return _pool(reader, reader.ids(), classes, multilabel)


def part_of_table(
    table: pa.Table,
    columns: Mapping[str, str | Sequence[str]],
    classes: Sequence[str] | None = None,
    *,
    multilabel: bool = False,
) -> tuple[Pool, pa.Array]:
    """The items of a table numbered from 0, and their ids as strings.

    For millions of rows: ids stay Arrow's, which Python has not to look at one by one.

    Args:
        table: as for `pool_of_table`.
        columns: our names to the table's.
        classes: names of the classes.
        multilabel: as for `pool_of_table`.

    Raises:
        InvalidInput: as for `pool_of_table`.
    """
    reader = _Table(table, columns)
    pool = _pool(reader, range(table.num_rows), classes, multilabel)
    return pool, reader.id_column().cast(pa.string())


def columns_read(
    schema: pa.Schema, columns: Mapping[str, str | Sequence[str]], more: Sequence[str] = ()
) -> list[str]:
    """The columns of a file that are read: all of ours; embeddings, groups, media if asked for."""
    left_out = {"embedding", "group", "media"}.difference(more)
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


def _pool(
    reader: _Table, ids: Sequence[Any], classes: Sequence[str] | None, multilabel: bool
) -> Pool:
    rows, names = reader.probabilities(ids, classes)
    classes = list(classes or names or []) or None
    sets = [ObjectColumn("objects", column, ids) for column in reader.versions("objects", ids)]
    answers = [] if sets or rows is not None else reader.answers(ids)
    truth = reader.truth(ids)
    found: list[Notice] = []
    label_names = reader.labels_as_text()
    drawn = [name for part in (*sets, *answers, truth) if part for name in part.names]
    if classes is None and (label_names is not None or drawn):
        texts = [*(label_names or []), *drawn]
        seen = sorted({t for t in texts if t is not None})
        classes = seen or None
        message = f"The classes come from the data: {listed(seen)}."
        found += [Notice("derived_classes", message)] if seen else []
    if rows is not None and classes is not None and len(classes) != rows.shape[-1]:
        if label_names is None or names:
            raise InvalidInput(
                f"classes must have one name for each of the {rows.shape[-1]} probabilities; "
                f"got {len(classes)}."
            )
        raise InvalidInput(
            "classes must be set if labels are names and probabilities are plain lists.",
            hint="set source.classes to the class names, in the order of the probabilities.",
        )
    absent = np.ones(len(ids), dtype=bool)
    if rows is not None:
        lacking = np.isnan(rows).all(axis=-1)
        absent &= np.atleast_2d(lacking).all(axis=0) & reader.nulls("probabilities", ids)
    for objects in sets:
        absent &= objects.absent
    several = len(sets) > 1 or len(answers) > 1
    built = tuple(objects.build(classes, of_several=several) for objects in sets)
    built += tuple(one.build(classes) for one in answers)
    return Pool(
        ids,
        probabilities=rows,
        classes=classes,
        embeddings=reader.vectors("embedding", ids)[0],
        labels=reader.labels(classes),
        votes=reader.votes(classes),
        truth=None if truth is None else truth.build(classes),
        labelled=reader.labelled(truth),
        groups=reader.plain("group", pa.string()),
        costs=reader.plain("cost", pa.float64()),
        multilabel=multilabel,
        objects=built if several else (built[0] if built else None),
        versions=reader.version_names(
            reader.answer_kind if answers else "objects" if rows is None else "probabilities"
        ),
        missing=None if rows is None and not sets else absent,
        notices=found,
    )


class _Table:
    """A table under our names."""

    def __init__(self, table: pa.Table, columns: Mapping[str, str | Sequence[str]]) -> None:
        for name in columns:
            if name not in NAMES:
                raise unknown("columns", name, NAMES)
        self._table, self._columns = table, columns
        self._whole: dict[str, Any] = {}  # columns by their own names, each of one piece

    def _taken(self, name: str) -> Any:
        if name not in self._whole:
            self._whole[name] = self._table.column(name).combine_chunks()
        return self._whole[name]

    def _column(self, name: str) -> Any:
        stated = self._columns.get(name, name)
        if not isinstance(stated, str):
            if name in _LISTS:
                return None
            raise InvalidInput(f"columns.{name} must be one name; got {listed(stated)}.")
        if stated in self._table.column_names:
            return self._taken(stated)
        if name in self._columns:
            raise InvalidInput(
                f"columns.{name} must be one of {listed(self._table.column_names, 20)}; "
                f"got {stated!r}."
            )
        return None

    def _stated(self, name: str) -> list[str]:
        """The columns of a list in the configuration."""
        stated = self._columns.get(name, name)
        names = [] if isinstance(stated, str) else list(stated)
        gone = [c for c in names if c not in self._table.column_names]
        if gone:
            raise InvalidInput(f"columns.{name} must exist; got {listed(gone)}.")
        return names

    def _flat(self, name: str) -> list[str]:
        """The columns that hold one number each of the vectors of a column."""
        stated = self._stated(name)
        if stated:
            kinds = [self._table.schema.field(c).type for c in stated]
            return [] if any(map(pa.types.is_nested, kinds)) else stated
        if self._column(name) is not None:
            return []
        return [c for c in self._table.column_names if c.startswith(_PREFIXES[name])]

    def versions(self, name: str, ids: Sequence[Any]) -> list[Any]:
        """The column of each model version, the oldest first; none where nothing was predicted."""
        if name in _PREFIXES and self._flat(name):
            return []
        stated = self._stated(name)
        if stated:
            return [self._taken(c) for c in stated]
        column = self._column(name)
        if column is None or pa.types.is_null(column.type):
            return []
        inner = column.type.value_type if is_list(column.type) else pa.null()
        by_class = name == "probabilities" and pa.types.is_struct(inner)
        return _split(name, column, ids) if is_list(inner) or by_class else [column]

    def version_names(self, name: str) -> list[str] | None:
        """The names of the versions, from those of their columns; None where there are none."""
        if name in _PREFIXES and self._flat(name):
            return None
        return [c.removeprefix(f"{name}_") for c in self._stated(name)] or None

    def ids(self) -> list[Any]:
        return list(self.id_column().to_pylist())

    def id_column(self) -> pa.Array:
        column = self._column("item_id")
        if column is None:
            raise InvalidInput(
                f"the file must have a column item_id; got {listed(self._table.column_names)}.",
                hint="to use another column, set source.columns: {item_id: …}.",
            )
        if column.null_count:
            row = int(np.flatnonzero(nulls(column))[0]) + 1
            raise InvalidInput(f"item_id must be set for every item; row {row} has none.")
        return column

    def nulls(self, name: str, ids: Sequence[Any]) -> NDArray[np.bool_]:
        """Items of which no version has anything; all of them where the columns are flat."""
        found = np.ones(self._table.num_rows, dtype=bool)
        for column in self.versions(name, ids):
            found &= nulls(column)
        return found

    def probabilities(
        self, ids: Sequence[Any], classes: Sequence[str] | None
    ) -> tuple[NDArray[np.float64] | None, list[str] | None]:
        """Shape (n_items, n_classes), or with the members before; and the names of the classes."""
        columns = self.versions("probabilities", ids)
        if not columns:
            return self.vectors("probabilities", ids)
        found = [_vectors("probabilities", column, ids) for column in columns]
        known = [one for one in found if one is not None]
        kinds = {(rows.shape[1], names) for rows, names in known}
        if len(kinds) > 1:
            texts = [listed(names) if names else f"{width} numbers" for width, names in kinds]
            raise InvalidInput(
                "probabilities must have the same classes in all model versions; "
                f"got {' and '.join(sorted(texts))}."
            )
        # Nobody predicted anything in this part of a pool: as wide as the others would be.
        width, names = kinds.pop() if kinds else (len(classes or "?"), None)
        shape = (len(ids), width)
        rows = [np.full(shape, np.nan) if one is None else one[0] for one in found]
        return rows[0] if len(rows) == 1 else np.stack(rows), None if names is None else [*names]

    def vectors(
        self, name: str, ids: Sequence[Any]
    ) -> tuple[NDArray[np.float64] | None, list[str] | None]:
        """Vectors of equal width, NaN for null rows, and the names of their entries."""
        flat = self._flat(name)
        if flat:
            parts = [numbers(c, self._table.column(c)) for c in flat]
            return np.stack(parts, axis=1), [c.removeprefix(_PREFIXES[name]) for c in flat]
        if self._stated(name):
            raise InvalidInput(f"columns.{name} must be one column, or a list of number columns.")
        column = self._column(name)
        if column is None or pa.types.is_null(column.type):
            return None, None
        return list_rows(name, column, ids), None

    @property
    def answer_kind(self) -> str:
        """Which columns say how sure a model is of each item."""
        stated = "uncertainty" in self._columns
        return "confidence" if not stated and self._of_versions("confidence") else "uncertainty"

    def answers(self, ids: Sequence[Any]) -> list[AnswerColumns]:
        """One confidence per item of each model version, the oldest first; empty without any."""
        kind, predicted = self.answer_kind, self._of_versions("prediction")
        sure = self._of_versions(kind)
        if predicted and sure and len(predicted) != len(sure):
            raise InvalidInput(
                f"columns.prediction must name as many columns as columns.{kind}; "
                f"got {len(predicted)} and {len(sure)}."
            )
        uncertain = kind == "uncertainty"
        return [
            AnswerColumns(column, predicted[i] if predicted else None, ids, uncertain=uncertain)
            for i, column in enumerate(sure)
        ]

    def _of_versions(self, name: str) -> list[Any]:
        """A column, or the column of each model version; none where the table has none."""
        if stated := self._stated(name):
            return [self._taken(column) for column in stated]
        column = self._column(name)
        return [] if column is None else [column]

    def truth(self, ids: Sequence[Any]) -> ObjectColumn | None:
        """The labelled objects."""
        column = self._column("truth")
        if column is None or pa.types.is_null(column.type):
            return None
        return ObjectColumn("truth", column, ids, certain=True)

    def labelled(self, truth: ObjectColumn | None) -> Any:
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
        if not is_list(column.type):
            raise InvalidInput(f"votes must be a list for each item; got {column.type}.")
        rows = [row or [] for row in column.to_pylist()]
        width = max(map(len, rows), default=0)
        if any(len(row) not in (0, width) for row in rows):
            raise InvalidInput(f"votes must come from the same {width} people for all items.")
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
            row = int(np.flatnonzero(nulls(column))[0]) + 1
            raise InvalidInput(f"{name} must be set for every item; row {row} has none.")
        filled = column.fill_null(False) if name == "labelled" else column
        return filled.cast(kind).to_pylist()


def _split(name: str, column: Any, ids: Sequence[Any]) -> list[Any]:
    """A column that holds a list of what each model version said, as a column for each."""
    lengths = pc.list_value_length(column).fill_null(-1).to_numpy(zero_copy_only=False)
    given = np.unique(lengths[~nulls(column)])
    if len(given) > 1:
        odd = np.flatnonzero(~nulls(column) & (lengths != given[-1]))
        raise InvalidInput(
            f"{name} must have the same number of model versions for all items; got "
            f"{given[-1]} and {lengths[odd[0]]} for item {listed(ids[i] for i in odd)}."
        )
    if not given.any():  # nothing was predicted; that it would be by several is all that is known
        return [pa.nulls(len(column), column.type.value_type)] * 2
    return [pc.list_element(column, place) for place in range(given[0])]


def _vectors(
    name: str, column: Any, ids: Sequence[Any]
) -> tuple[NDArray[np.float64], tuple[str, ...] | None] | None:
    """The vectors of one model version, and the names of their entries; None where all is null."""
    if pa.types.is_struct(column.type):
        names = [field.name for field in column.type]
        parts = [numbers(f"{name}.{n}", pc.struct_field(column, n)) for n in names]
        return np.stack(parts, axis=1), tuple(names)
    if column.null_count == len(column) and not pa.types.is_fixed_size_list(column.type):
        return None
    return list_rows(name, column, ids), None

"""TableReader: the columns of a table under our names, as arrays."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from labelnext.errors import InvalidInput, listed, unknown
from labelnext.pool.objects import Notice
from labelnext.pool.utf8 import Utf8Texts
from labelnext_adapters.files.content.oddities import FEW, ROUNDING
from labelnext_adapters.files.tables.answers import AnswerColumns
from labelnext_adapters.files.tables.arrow import (
    is_list,
    list_rows,
    mapped_rows,
    names_in,
    nulls,
    number_rows,
    plain_type,
    version_columns,
)
from labelnext_adapters.files.tables.class_places import class_places, votes_of
from labelnext_adapters.files.tables.column_names import no_column
from labelnext_adapters.files.tables.flags import is_blank
from labelnext_adapters.files.tables.ids import id_texts, ids_rewritten, usable_ids, utf8_texts
from labelnext_adapters.files.tables.items import Items
from labelnext_adapters.files.tables.objects import ObjectColumn
from labelnext_adapters.files.tables.single_values import single_values, with_costs
from labelnext_adapters.files.tables.table_options import (
    METADATA,
    NAMES,
    PREFIXES,
    LabelsAre,
    flat_columns,
)
from labelnext_adapters.files.tables.vectors import (
    Meaning,
    by_class,
    member_vectors,
    usable_embeddings,
    usable_vectors,
)

_ANSWERS = ("prediction", "confidence", "uncertainty")
_MEANT = {*NAMES} - {"item_id", "group", "media", "text"}  # these may be another thing as well
_TEXTS = ("item_id", "prediction", "label", "group", "media", "text", "label_number")
_LISTS = ("objects", *_ANSWERS, *PREFIXES)  # what several columns may hold together


class TableReader:
    """A table under our names."""

    def __init__(
        self,
        table: pa.Table,
        columns: Mapping[str, str | Sequence[str]],
        meaning: Meaning,
        labels_are: LabelsAre | None = None,
        place: Callable[[int], str] = lambda row: f"row {row + 1}",
    ) -> None:
        for name in columns:
            if name not in (*NAMES, METADATA):
                raise unknown("columns", name, NAMES)
        self._table, self._columns = table, columns
        self._whole: dict[str, Any] = {}  # columns by their own names, each of one piece
        self.notices: list[Notice] = []
        self.odd: dict[str, list[int]] = {}  # rows whose value was left out, by our column
        self.meaning, self.labels_are = meaning, labels_are
        self._ids, self._place = id_texts(ids := self._raw_ids()), place
        usable, left_out = usable_ids(self._ids, place)
        if usable is not None:
            ids = ids.filter(usable)
            self._keep(usable.to_numpy(zero_copy_only=False))
        self.notices += [*left_out, *ids_rewritten(ids)]
        if (costs := self._column("cost")) is not None:
            costed, left_out = with_costs(costs, self._ids, self._place)
            self._keep(costed)
            self.notices += left_out

    def _keep(self, rows: NDArray[np.bool_]) -> None:
        """Leave out the other rows."""
        if rows.all():
            return
        kept, place, mask = np.flatnonzero(rows), self._place, pa.array(rows)
        self._table, self._ids = self._table.filter(mask), self._ids.filter(mask)
        self._whole = {}
        self._place = lambda row: place(int(kept[row]))

    @property
    def _items(self) -> Items:
        return Items(self._ids, self._place, notices=self.notices, odd=self.odd)

    def states(self, name: str) -> bool:
        """Whether the configuration says which column is one of ours."""
        return name in self._columns

    def free(self, *, at_once: bool) -> None:
        """Let go of the rows, once all is read.

        Args:
            at_once: whether the system gets their memory back; the next part would take it again,
                for a sixth of the time that a part takes.
        """
        self._table, self._whole = self._table.schema.empty_table(), {}
        if at_once:
            pa.default_memory_pool().release_unused()

    def _taken(self, name: str) -> Any:
        if name not in self._whole:
            column = self._table.column(name)
            one = column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()
            self._whole[name] = plain_type(one)
        return self._whole[name]

    def _column(self, name: str) -> Any:
        stated = self.name_of(name)
        column = None if stated is None else self._taken(stated)
        if column is not None and name not in _TEXTS and is_blank(column):
            return pa.nulls(len(column))  # CSV doesn't say what an empty column would hold
        return column

    def name_of(self, name: str) -> str | None:
        """What a column of ours is called in the table; None if it isn't there."""
        stated = self._columns.get(name, name)
        if not isinstance(stated, str):
            if name in _LISTS:
                return None
            raise InvalidInput(f"columns.{name} must be one name; got {listed(stated)}.")
        if name in _MEANT and name not in self._columns and name in self._columns.values():
            return None  # a column with our name that is said to hold something else
        if stated in self._table.column_names:
            return stated
        if name in self._columns:
            raise no_column(name, stated, self._table.column_names)
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
        column = self._column(name)
        if column is not None and not pa.types.is_null(column.type):
            return []
        return flat_columns(name, self._table.column_names)

    def versions(self, name: str, ids: Sequence[Any]) -> list[Any]:
        """The column of each model version, the oldest first; none where nothing was predicted."""
        if name in PREFIXES and self._flat(name):
            return []
        stated = self._stated(name)
        if stated:
            return [self._taken(c) for c in stated]
        column = self._column(name)
        if column is None or pa.types.is_null(column.type):
            return []
        inner = column.type.value_type if is_list(column.type) else pa.null()
        by_class = name == "probabilities" and pa.types.is_struct(inner)
        return version_columns(name, column, ids) if is_list(inner) or by_class else [column]

    def version_names(self, name: str) -> list[str] | None:
        """The names of the versions, from those of their columns; None where there are none."""
        if name in PREFIXES and self._flat(name):
            return None
        return [c.removeprefix(f"{name}_") for c in self._stated(name)] or None

    def ids(self) -> Utf8Texts:
        """The ids."""
        return utf8_texts(self._ids)

    def id_texts(self) -> pa.Array:
        """The ids as texts."""
        return self._ids

    def _raw_ids(self) -> Any:
        """The ids as they stand in the file."""
        name = self.name_of("item_id")
        if name is None:
            raise InvalidInput(
                f"the file must have a column item_id; got {listed(self._table.column_names)}.",
                hint="to use another column, set source.columns: {item_id: …}.",
            )
        column = self._table.column(name)
        return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()

    def nulls(self, name: str, ids: Sequence[Any]) -> NDArray[np.bool_]:
        """Items of which no version has anything; all of them where the columns are flat."""
        missing = np.ones(self._table.num_rows, dtype=bool)
        for column in self.versions(name, ids):
            missing &= nulls(column)
        return missing

    def probabilities(
        self, ids: Sequence[Any], classes: Sequence[str] | None
    ) -> tuple[NDArray[np.floating] | None, list[str] | None]:
        """Shape (n_items, n_classes), or with the members before; and the names of the classes."""
        columns = self.versions("probabilities", ids)
        if not columns:
            flat, entries = self.vectors("probabilities", ids)
            if flat is None:
                return None, entries
            if entries is not None and classes is not None and len(entries) == len(classes):
                flat, entries = by_class(flat, entries, classes)
            return self._usable(flat, ids), entries
        members = [
            member_vectors("probabilities", column, ids, self.notices, classes)
            for column in columns
        ]
        known = [one for one in members if one is not None]
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
        rows = [
            np.full(shape, np.nan)
            if one is None
            else self._usable(one[0], ids, partial=one[1] is not None)
            for one in members
        ]
        return rows[0] if len(rows) == 1 else np.stack(rows), None if names is None else [*names]

    def _usable(
        self, rows: NDArray[np.floating], ids: Sequence[Any], *, partial: bool = False
    ) -> NDArray[np.floating]:
        if rows.shape[1] == 1 and not self.meaning.multilabel:
            self.meaning = replace(self.meaning, multilabel=True)
            message = "There is one class: its probability says whether an item has it or not."
            self.notices.append(Notice("one_class", message))
        return usable_vectors(rows, ids, self.meaning, self.notices, partial=partial)

    def vectors(
        self, name: str, ids: Sequence[Any]
    ) -> tuple[NDArray[np.floating] | None, list[str] | None]:
        """Vectors of equal width, NaN for null rows, and the names of their entries."""
        flat = self._flat(name)
        if flat:
            rows = number_rows(self._table, flat)
            return rows, [c.removeprefix(PREFIXES[name]) for c in flat]
        if self._stated(name):
            raise InvalidInput(f"columns.{name} must be one column, or a list of number columns.")
        column = self._column(name)
        if column is None or pa.types.is_null(column.type):
            return None, None
        return list_rows(name, column, ids, notices=self.notices), None

    def embeddings(self, ids: Sequence[Any]) -> NDArray[np.floating] | None:
        """Shape (n_items, n_dimensions), NaN for null rows; None without the column."""
        rows = self.vectors("embedding", ids)[0]
        return None if rows is None else usable_embeddings(rows, self._items)

    def naming(self, ids: Sequence[Any]) -> tuple[bool, bool] | None:
        """Whether some mapping names several classes, and some one class with less than 1.

        None where predictions are no mappings.
        """
        columns = self.versions("probabilities", ids)
        if (
            not columns
            and not self._flat("probabilities")
            and self._column("probabilities") is not None
        ):
            return False, False  # nothing but nulls
        if not columns or self.meaning.multilabel or self.meaning.logits is not None:
            return None
        several = partly = False
        for column in columns:
            if not pa.types.is_struct(column.type) or column.type.num_fields < 2:
                return None
            rows = mapped_rows("probabilities", column)
            named = ~np.isnan(rows)
            several |= bool((named.sum(axis=1) > 1).any())
            partly |= bool((rows[named] < self.meaning.scale * (1 - ROUNDING)).any())
        return several, partly

    def single_classes(
        self, ids: Sequence[Any], decided: bool | None = None
    ) -> list[AnswerColumns]:
        """Mappings that name one class each with less than all the probability; else none.

        Spread over the other classes, a confidence below 1/K would put these first.

        Args:
            ids: of the items.
            decided: whether they are such, as all parts of the pool say; by these when None.
        """
        if decided is False or (decided is None and self.naming(ids) != (False, True)):
            return []
        columns = self.versions("probabilities", ids)
        members = []
        for column in columns:
            names = [field.name for field in column.type]
            rows = mapped_rows("probabilities", column)
            named = ~np.isnan(rows)
            there = named.any(axis=1)
            values = np.where(named, rows, 0.0).sum(axis=1)
            most = self.meaning.scale * (1 + ROUNDING)
            odd = there & ~((values >= -ROUNDING) & (values <= most))
            if odd.sum() > FEW * there.sum():
                return []  # said, with the cure, where distributions are read
            classes = [names[index] for index in named.argmax(axis=1).tolist()]
            sure = pa.array(values, pa.float64(), mask=~there)
            told = pa.array(classes, pa.string(), mask=~there)
            members.append(AnswerColumns(sure, told, ids, meaning=self.meaning))
        return members

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
        members = [
            AnswerColumns(
                column,
                predicted[i] if predicted else None,
                ids,
                uncertain=kind == "uncertainty",
                meaning=self.meaning,
                labels_are=self.labels_are,
            )
            for i, column in enumerate(sure)
        ]
        return members

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

    def label_names(self) -> list[str]:
        """The names that labels have, sorted; none where they are numbers."""
        column = self._column("label")
        return [] if column is None else names_in(column)

    def labels(self, classes: Sequence[str] | None) -> NDArray[np.int64] | None:
        """Positions of the labelled classes, −1 for none; None without the column."""
        column = self._column("label")
        if column is None or pa.types.is_null(column.type):
            return None
        return class_places("label", column, classes, self.labels_are, self._items)

    def votes(self, classes: Sequence[str] | None) -> NDArray[np.int64] | None:
        """One column a person, −1 where they said nothing."""
        column = self._column("votes")
        if column is None or pa.types.is_null(column.type):
            return None
        return votes_of(column, self._items, classes, self.labels_are)

    def metadata(self) -> dict[str, list[Any]] | None:
        """The further columns that are asked for."""
        return {name: self._taken(name).to_pylist() for name in self._stated(METADATA)} or None

    def plain(self, name: str) -> list[Any] | None:
        """A column with one value an item; None without it."""
        column = self._column(name)
        if column is None or pa.types.is_null(column.type):
            return None
        return single_values(name, column, self._items)

"""Tables with several rows an item: one a class, or one a detection."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from labelnext.pool.objects import Notice
from labelnext.support.words import counted
from labelnext_adapters.files.content.oddities import Oddities
from labelnext_adapters.files.content.unpacked import check_spread
from labelnext_adapters.files.tables.arrow import encoded, numbers
from labelnext_adapters.files.tables.column_names import (
    corners_in,
    first_of,
    plain,
    sides_in,
)
from labelnext_adapters.files.tables.known_names import BOXES, YOLOV5
from labelnext_adapters.files.tables.logit_names import check_no_logits
from labelnext_adapters.files.tables.repeated_classes import Named
from labelnext_adapters.files.tables.table_options import TableOptions
from labelnext_adapters.files.tables.vectors import (
    OTHER,
    Meaning,
    cure,
    leaves_rest,
    usable_boxes,
)


def is_boxed(table: pa.Table) -> bool:
    """Whether rows have corners, a corner and a size, or a box in one column."""
    name = first_of(table.column_names, BOXES)
    nested = name is not None and pa.types.is_nested(table.schema.field(name).type)
    return nested or bool(corners_in(table.column_names) or sides_in(table.column_names))


def of_boxes(names: Sequence[str]) -> bool:
    """Whether columns are those of detections, which have corners or a box."""
    drawn = corners_in(names) or sides_in(names) or first_of(names, BOXES)
    return bool(drawn) or {*map(plain, names)} == YOLOV5


def one_row_each(table: pa.Table, id_name: str) -> tuple[NDArray[np.int64], pa.Table]:
    """The item of each row, and the first row of each item.

    Args:
        table: with several rows an item.
        id_name: the column of ids.

    Returns:
        Codes, shape (n_rows,), in the order of the first appearance, −1 for rows without an id;
        and the table of the first rows.
    """
    codes, _ = encoded(table.column(id_name))
    _, firsts = np.unique(codes[codes >= 0], return_index=True)
    rows = np.flatnonzero(codes >= 0)[firsts]
    return codes, table.take(pa.array(rows))


def mapped_scores(
    names: Sequence[str],
    rows: NDArray[np.float64],
    known: NDArray[np.bool_],
    options: TableOptions,
) -> pa.Array:
    """Class scores as by `mapping`; what lists of all classes leave is that of another class."""
    if leaves_rest(rows, options) and OTHER not in names:
        names, rest = [*names, OTHER], np.full((len(rows), 1), np.nan)
        rows, known = np.column_stack([rows, rest]), np.column_stack([known, ~np.isnan(rest)])
    return mapping(names, rows, known)


def mapping(names: Sequence[str], rows: NDArray[np.float64], known: NDArray[np.bool_]) -> pa.Array:
    """Class scores as a column of mappings, null where there is none.

    Args:
        names: of the classes.
        rows: shape (n_items, n_classes).
        known: shape (n_items, n_classes), the classes that each item names.
    """
    columns = [pa.array(c, mask=~k) for c, k in zip(rows.T, known.T, strict=True)]
    lacking = pa.array(~known.any(axis=1))
    return pa.StructArray.from_arrays(columns, list(names), mask=lacking)


def grouped_scores(
    table: pa.Table,
    codes: NDArray[np.int64],
    n_items: int,
    answer: str,
    sure: str,
    options: TableOptions,
    place: Callable[[int], str],
) -> tuple[pa.Array, list[Notice]] | None:
    """One class a row as a column of mappings; None if items repeat classes, as detections do.

    Where only few items repeat one, and the scores of the others are of all classes, the few have
    no scores.

    Args:
        table: with several rows an item.
        codes: the item of each row, −1 for none.
        n_items: number of items.
        answer: the column of classes.
        sure: the column of their scores.
        options: of the format; where they name no classes, what lists of all classes leave is
            that of another class.
        place: of a row in the file, in words.

    Raises:
        InvalidInput: if items have the scores of several models or passes, or logits by name.
    """
    kinds, distinct = encoded(table.column(answer))
    names = np.array([str(name) for name in distinct.to_pylist()], dtype=np.str_)
    known = (codes >= 0) & (kinds >= 0)
    if not len(names):
        return None
    scores = _numbers(table, sure)
    named = Named(codes[known], kinds[known], scores[known])
    doubled = named.doubled
    odd = Oddities(seen=n_items, of=sure)
    if doubled.any():
        meaning = Meaning.of(options)
        summed = not (options.multilabel or options.logits)
        named.check_passes(meaning.scale if summed else None)
        if not named.are_few(doubled, meaning.scale if summed else None):
            return None
        _, firsts = np.unique(named.items[doubled], return_index=True)
        for row in np.flatnonzero(known)[doubled][firsts].tolist():
            why = f"its item names {str(names[kinds[row]])!r} more than once"
            odd.leave_out(place(row), "", why)
    check_spread("class scores", n_items, len(names), len(named.items))
    rows: NDArray[np.float64] = np.full((n_items, len(names)), np.nan)
    rows[codes[known], kinds[known]] = scores[known]
    given = np.zeros(rows.shape, dtype=bool)
    given[codes[known], kinds[known]] = True
    rows[named.items[doubled]], given[named.items[doubled]] = np.nan, False
    check_no_logits([] if sure in options.columns.values() else [sure], options)
    order = np.argsort(names, kind="stable")
    scores = mapped_scores(names[order].tolist(), rows[:, order], given[:, order], options)
    return scores, odd.notices()


def _nameless(names: Any) -> NDArray[np.bool_] | np.bool_:
    """The rows without a class; all, where none has one."""
    if names is None or names.null_count == len(names):
        return np.True_
    nameless = pc.is_null(names)
    if pa.types.is_string(names.type):
        nameless = pc.or_kleene(nameless, pc.equal(names, ""))
    rows: NDArray[np.bool_] = nameless.fill_null(True).to_numpy(zero_copy_only=False)
    return rows


def _unusable(confidences: NDArray[np.float64], meaning: Meaning) -> NDArray[np.bool_]:
    """What can't be a confidence, or a logit where these are meant."""
    if meaning.logits is not None:
        return ~np.isfinite(confidences)
    return ~((confidences >= 0) & (confidences <= meaning.scale))


def detections(
    table: pa.Table,
    codes: NDArray[np.int64],
    n_items: int,
    answer: str | None,
    sure: str,
    size: Sequence[str] | None,
    place: Callable[[int], str],
    meaning: Meaning,
    spans: Sequence[str] | None = None,
) -> tuple[pa.Array, list[Notice]]:
    """One detection a row as a column of objects, whose confidences stay as they are.

    A row without a class and a confidence says that nothing was detected in its item.

    Args:
        table: with several rows an item.
        codes: the item of each row, −1 for none.
        n_items: number of items.
        answer: the column of classes; None if there is none.
        sure: the column of confidences.
        size: the columns of the image's width and height in pixels.
        place: of a row in the file, in words.
        meaning: of the confidences.
        spans: the columns with the start and the end of a span; None if there are none.

    Returns:
        The column, and notices of boxes and rows that were left out.

    Raises:
        InvalidInput: if too many rows can't be used; the hint names the cure for percentages.
    """
    confidences = _numbers(table, sure)
    names = None if answer is None else table.column(answer).combine_chunks()
    empty = np.isnan(confidences) & _nameless(names)
    odd = Oddities("row", seen=table.num_rows)
    bad = ~empty & _unusable(confidences, meaning)
    for row in np.flatnonzero(bad).tolist():
        why = f"{sure} must be in [0, {meaning.scale:g}]; got {confidences[row]:g}"
        odd.leave_out(place(row), "", why)
    for row in np.flatnonzero(codes < 0).tolist():
        odd.leave_out(place(row), "", "it has no id")
    kept = np.flatnonzero(~empty & ~bad & (codes >= 0))
    order = kept[np.argsort(codes[kept], kind="stable")]
    counts = np.bincount(codes[order], minlength=n_items)
    fields: dict[str, Any] = {"confidence": pa.array(confidences[order])}
    fields |= {} if names is None else {"class": names.take(pa.array(order))}
    fields |= _ends(table, spans or (), order)
    notices = odd.notices(cure(confidences[bad]))
    boxes, told = _boxes(table, size, order)
    fields |= boxes
    offsets = pa.array(np.concatenate([[0], np.cumsum(counts)]).astype(np.int32))
    structs = pa.StructArray.from_arrays(list(fields.values()), list(fields))
    unknown = np.isin(np.arange(n_items), codes[bad]) & (counts == 0)  # not empty, but all odd
    return pa.ListArray.from_arrays(offsets, structs, mask=pa.array(unknown)), [*notices, *told]


def _ends(table: pa.Table, spans: Sequence[str], rows: NDArray[np.intp]) -> dict[str, pa.Array]:
    """The fields with the start and the end of each object; none without these columns."""
    columns = [table.column(name).combine_chunks().take(pa.array(rows)) for name in spans]
    return dict(zip(("start", "end"), columns, strict=False))


def _boxes(
    table: pa.Table, size: Sequence[str] | None, rows: NDArray[np.intp]
) -> tuple[dict[str, pa.Array], list[Notice]]:
    """A field of boxes as fractions of the image; none if its size in pixels is unknown."""
    corners = corners_in(table.column_names)
    if corners is None:
        return {}, []
    boxes = np.stack([_numbers(table, c) for c in corners], axis=1)[rows]
    pixels = bool(np.nanmax(boxes, initial=0) > 1)
    if pixels and size is None:
        message = (
            f"Left out the boxes ({', '.join(corners)}): they are in pixels, and the file has no "
            "columns image_width and image_height."
        )
        return {}, [Notice("bad_boxes", message)]
    if pixels and size is not None:
        sides = np.stack([_numbers(table, side) for side in size], axis=1)[rows]
        with np.errstate(divide="ignore", invalid="ignore"):
            boxes = boxes / np.tile(np.where(sides > 0, sides, np.nan), 2)
    usable = np.asarray(usable_boxes(boxes))
    boxes = np.where(usable[:, None], boxes, np.nan)
    flat = pa.array(boxes.reshape(-1), from_pandas=True)
    field = {"box": pa.FixedSizeListArray.from_arrays(flat, 4)}
    if usable.all():
        return field, []
    bad = counted(int((~usable).sum()), "box", "boxes")
    return field, [Notice("bad_boxes", f"Left out {bad} outside the image or turned around.")]


def _numbers(table: pa.Table, name: str) -> NDArray[np.float64]:
    return numbers(name, table.column(name))

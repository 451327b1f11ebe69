"""Arrow columns to arrays: numbers, vectors of one width, positions of class names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from labelnext.errors import InvalidInput, listed
from labelnext.pool.objects import Notice
from labelnext_adapters.files.content.oddities import FEW
from labelnext_adapters.files.tables.items import Items

_AT_ONCE = 1 << 17  # numbers of several columns that are copied at once: they stay in the cache


def plain_type(column: Any) -> Any:
    """A column of plain values: categories decoded, text of one kind, no decimals, UUIDs as text.

    Raises:
        InvalidInput: if bytes are no UTF-8 text.
    """
    kind = column.type
    if isinstance(kind, pa.BaseExtensionType):
        if kind.extension_name != "arrow.uuid":
            return plain_type(column.cast(kind.storage_type))
        return pa.array([one and str(one) for one in column.to_pylist()], pa.string())
    if pa.types.is_dictionary(kind):
        return plain_type(undivided(column))
    if pa.types.is_run_end_encoded(kind):
        return plain_type(pc.run_end_decode(column))
    if pa.types.is_fixed_size_binary(kind):
        return plain_type(column.cast(pa.binary()))
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        try:
            return column.cast(pa.string())
        except pa.ArrowInvalid as error:
            values = column.to_pylist()
            row = next(row for row, value in enumerate(values) if not _is_utf8(value))
            raise InvalidInput(
                f"bytes must be UTF-8 text; row {row + 1} holds {values[row]!r:.60}."
            ) from error
    if pa.types.is_decimal(kind):
        whole = kind.scale == 0 and kind.precision < 19
        return column.cast(pa.int64() if whole else pa.float64())
    if str(kind) in ("string_view", "binary_view", "large_string"):
        return column.cast(pa.string())
    return column


def _is_utf8(value: bytes | None) -> bool:
    try:
        (value or b"").decode()
    except UnicodeDecodeError:
        return False
    return True


def whole_lists(column: Any) -> Any:
    """Lists in place of views of lists, which few functions of Arrow read; else the column.

    Example:
        >>> whole_lists(pa.array([[1, 2], None, [3]], pa.list_view(pa.int8()))).to_pylist()
        [[1, 2], None, [3]]
    """
    kind = column.type
    if not (pa.types.is_list_view(kind) or pa.types.is_large_list_view(kind)):
        return column
    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
    lengths = pc.list_value_length(column).fill_null(0).to_numpy(zero_copy_only=False)
    offsets = pa.array(np.concatenate([[0], np.cumsum(lengths)]), pa.int64())
    mask = column.is_null()
    return pa.LargeListArray.from_arrays(offsets, column.flatten(), mask=mask)


def undivided(column: Any) -> Any:
    """Categories as their values; Arrow doesn't cast those that polars writes as string views."""
    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
    if str(column.type.value_type) != "string_view":
        return column.cast(column.type.value_type)
    return column.dictionary.cast(pa.string()).take(column.indices)


def names_in(column: Any) -> list[str]:
    """The names of classes in a column of texts or of booleans, sorted; none in one of numbers.

    Example:
        >>> names_in(pa.array([True, None, False])), names_in(pa.array([1, 0]))
        (['false', 'true'], [])
    """
    if pa.types.is_boolean(column.type):
        return sorted(str(value).lower() for value in pc.unique(column.drop_null()).to_pylist())
    if not pa.types.is_string(column.type):
        return []
    return sorted(text for text in pc.unique(column).to_pylist() if text)


def _shown(column: Any) -> str:
    """The type of a column, and its first value."""
    first = next((value for value in column.to_pylist() if value is not None), None)
    return str(column.type) if first is None else f"{column.type}, such as {first!r:.60}"


def list_rows(
    what: str,
    column: Any,
    ids: Sequence[Any],
    width: int | None = None,
    owners: NDArray[np.intp] | None = None,
    notices: list[Notice] | None = None,
) -> NDArray[np.floating]:
    """A list column as rows of one width; NaN rows for null. Those of float32 stay float32.

    Args:
        what: the column, for a message.
        column: of lists of numbers.
        ids: of the items, for a message.
        width: of the rows where all are null, as they may be in a part of a pool, and their type
            does not tell; 1 when None.
        owners: the item of each row, where it isn't the row itself.
        notices: to which rows of another length than most are added, as left out; these are an
            error when None.

    Raises:
        InvalidInput: if too many rows differ in length, or they are no lists of numbers.
    """
    if not is_list(column.type):
        raise InvalidInput(f"{what} must be a list of numbers; got {_shown(column)}.")
    missing = nulls(column)
    lengths = pc.list_value_length(column).fill_null(0).to_numpy(zero_copy_only=False)
    widths = np.unique(lengths[~missing])
    if len(widths) > 1:
        common = int(np.bincount(lengths[~missing].astype(np.int64)).argmax())
        odd = np.flatnonzero(~missing & (lengths != common))
        items = odd if owners is None else owners[odd]
        if notices is not None and len(odd) <= FEW * (~missing).sum():
            rule = f"{what} must be {common} numbers, as elsewhere"
            why = {row: f"{rule}; got {int(lengths[row])}" for row in odd.tolist()}
            of = Items(ids, owners=owners, notices=notices)
            of.leave_out(what, why, int((~missing).sum()))
            usable = pa.array(lengths == common)
            return list_rows(what, pc.if_else(usable, column, None), ids, common)
        raise InvalidInput(
            f"{what} must have the same length for all items; got {common} and "
            f"{int(lengths[odd[0]])} for item {listed(ids[i] for i in items)}."
        )
    if len(widths):
        width = int(widths[0])
    elif pa.types.is_fixed_size_list(column.type):
        width = column.type.list_size
    width = 1 if width is None else width
    if not width:
        raise InvalidInput(f"{what} must be lists of numbers; all of them are empty.")
    values = pc.list_flatten(column)  # leaves out null
    rows = _numpy(values) if values.type == pa.float32() else numbers(what, values)
    rows = rows.reshape(-1, width)
    if len(rows) == len(column):
        return rows
    spread = np.full((len(column), width), np.nan, dtype=rows.dtype)
    spread[~missing] = rows
    return spread


def mapped_rows(what: str, column: Any) -> NDArray[np.float64]:
    """Mappings of names to numbers as rows, NaN where a name isn't given (null).

    A given number that is NaN says that something went wrong: the whole row is NaN then, as that of
    a list would be, rather than filled up.

    Args:
        what: the column, for a message.
        column: of structs of numbers.

    Example:
        >>> mapped_rows("p", pa.array([{"a": 0.5}, {"a": 0.5, "b": float("nan")}])).tolist()
        [[0.5, nan], [nan, nan]]
    """
    parts = [pc.struct_field(column, field.name) for field in column.type]
    named = zip(column.type, parts, strict=True)
    rows = np.stack([numbers(f"{what}.{field.name}", part) for field, part in named], axis=1)
    given = np.stack([~nulls(part) for part in parts], axis=1)
    rows[(np.isnan(rows) & given).any(axis=1)] = np.nan
    return rows


def numbers(what: str, column: Any) -> NDArray[np.float64]:
    """A column of numbers; NaN for null.

    Raises:
        InvalidInput: if it holds something else.
    """
    try:
        floats = column if column.type == pa.float64() else column.cast(pa.float64())
        values: NDArray[np.float64] = _numpy(floats)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise InvalidInput(f"{what} must be numbers; got {_shown(column)}.") from error
    return values


def _numpy(column: Any) -> NDArray[Any]:
    """Numbers of the same type; NaN for null."""
    chunked = isinstance(column, pa.ChunkedArray)
    values: NDArray[Any] = column.to_numpy() if chunked else column.to_numpy(zero_copy_only=False)
    return values


def number_rows(table: pa.Table, names: Sequence[str]) -> NDArray[np.float64]:
    """Columns of numbers as rows; NaN for null.

    Args:
        table: with these columns.
        names: of the columns, at least one.

    Raises:
        InvalidInput: if one holds something else.

    Example:
        >>> number_rows(pa.table({"a": [1, 2], "b": [0.5, None]}), ["a", "b"]).tolist()
        [[1.0, 0.5], [2.0, nan]]
    """
    rows, start = np.empty((table.num_rows, len(names))), 0
    for batch in table.select(names).to_batches(max(_AT_ONCE // len(names), 1)):
        part = rows[start : start + batch.num_rows]
        for index, name in enumerate(names):
            part[:, index] = numbers(name, batch.column(index))
        start += batch.num_rows
    return rows


def nulls(column: Any) -> NDArray[np.bool_]:
    """Where a column holds nothing."""
    missing: NDArray[np.bool_] = column.is_null().to_numpy(zero_copy_only=False)
    return missing


def encoded(column: Any) -> tuple[NDArray[np.int64], Any]:
    """The place of each row's value among the distinct ones, −1 for null; and these.

    Example:
        >>> encoded(pa.array(["b", None, "a", "b"]))[0].tolist()
        [0, -1, 1, 0]
    """
    one = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    if not pa.types.is_dictionary(one.type):
        one = one.dictionary_encode()
    codes: NDArray[Any] = one.indices.fill_null(-1).to_numpy(zero_copy_only=False)
    return codes.astype(np.int64), one.dictionary


def is_list(kind: pa.DataType) -> bool:
    """Whether a column of this type holds lists, of one length or of many."""
    return bool(
        pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)
    )


def is_number(kind: pa.DataType) -> bool:
    """Whether a column of this type holds numbers."""
    return bool(pa.types.is_floating(kind) or pa.types.is_integer(kind))


def is_text(kind: pa.DataType) -> bool:
    """Whether a column of this type holds texts."""
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def written_out(array: Any) -> int:
    """The bytes that values take beyond what is stored, where it is kept once and referred to.

    Example:
        >>> written_out(pa.array([["cat", "cat"], ["cat"]]).cast(
        ...     pa.list_(pa.dictionary(pa.int32(), pa.string()))))
        9
        >>> written_out(pa.array(["cat", None], pa.string_view())), written_out(pa.array([7]))
        (3, 0)
    """
    kind = array.type
    if pa.types.is_dictionary(kind):
        return _looked_up(array.dictionary, array.indices.drop_null())
    if str(kind) in ("string_view", "binary_view"):
        # Each view begins with the length of its text.
        views = np.frombuffer(array.buffers()[1] or b"", "<i4").reshape(-1, 4)
        lengths = views[array.offset :][: len(array), 0]
        return int(lengths[~nulls(array)].sum(dtype=np.int64))
    if is_list(kind):
        return written_out(array.flatten())
    if pa.types.is_map(kind):
        return written_out(array.keys) + written_out(array.items)
    return sum(map(written_out, array.flatten())) if pa.types.is_struct(kind) else 0


def _looked_up(values: Any, indices: Any) -> int:
    """The bytes of these values, each time that they are referred to; no more, if nested."""
    try:
        lengths = pc.binary_length(values)
    except pa.ArrowNotImplementedError:
        return len(indices) * (values.nbytes if values.type.num_fields else 8)
    return int(pc.sum(lengths.cast(pa.int64()).take(indices)).as_py() or 0)


def version_columns(name: str, column: Any, ids: Sequence[Any]) -> list[Any]:
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
    return [pc.list_element(column, index) for index in range(given[0])]

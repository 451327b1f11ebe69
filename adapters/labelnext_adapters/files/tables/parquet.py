"""The columns of a Parquet file, unless they would take more memory than they may."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet

from labelnext_adapters.files.content.unpacked import limit_of
from labelnext_adapters.files.tables.arrow import is_list

_WIDTHS = {"BOOLEAN": 1, "INT32": 4, "FLOAT": 4, "INT64": 8, "DOUBLE": 8, "INT96": 8}
_SHARED = {"PLAIN_DICTIONARY", "RLE_DICTIONARY", "DELTA_BYTE_ARRAY"}  # a text is stored once


def read_columns(
    file: Any, source: Any, columns: Sequence[str] | None = None, groups: Any = None
) -> pa.Table:
    """Columns of a Parquet file.

    What numbers take is known from the file's footer. Texts that it keeps once and repeats by
    number are counted before they are written out.

    Args:
        file: the `ParquetFile`.
        source: the path, or open file, that it was made from.
        columns: their names, of nested ones with a dot; all when None.
        groups: of rows; all when None.

    Raises:
        InvalidInput: if they unpack to too much.
    """
    wanted = list(range(file.metadata.num_row_groups) if groups is None else groups)
    names = None if columns is None else list(columns)
    packed, certain, shared = 0, 0, dict[str, int]()
    for chunk in _chunks(file.metadata, wanted, names):
        width = _WIDTHS.get(chunk.physical_type, 0)
        packed += chunk.total_compressed_size
        certain += max(chunk.total_uncompressed_size, chunk.num_values * width)
        if not width and _SHARED.intersection(chunk.encodings):
            most = chunk.num_values * chunk.total_uncompressed_size
            shared[chunk.path_in_schema] = shared.get(chunk.path_in_schema, 0) + most
    limit = limit_of(packed)
    limit.check("the file", certain)
    if certain + sum(shared.values()) > limit.most:
        texts = pyarrow.parquet.ParquetFile(
            source, metadata=file.metadata, read_dictionary=list(shared)
        )
        for group in wanted:
            for column in texts.read_row_group(group, columns=list(shared)).columns:
                certain += sum(map(_bytes_of_texts, column.chunks))
            limit.check("the file", certain, more=True)
    return file.read_row_groups(wanted, columns=names)


def _chunks(footer: Any, groups: Sequence[int], names: Sequence[str] | None) -> Iterator[Any]:
    """What the footer tells of these columns, in each of these groups of rows."""
    for group in groups:
        rows = footer.row_group(group)
        for number in range(rows.num_columns):
            chunk = rows.column(number)
            path = chunk.path_in_schema
            if names is None or any(path == n or path.startswith(f"{n}.") for n in names):
                yield chunk


def _bytes_of_texts(array: Any) -> int:
    """The bytes of texts that are stored once, each time that they occur.

    Example:
        >>> _bytes_of_texts(pa.array([["cat", "cat"], ["cat"]]).cast(
        ...     pa.list_(pa.dictionary(pa.int32(), pa.string()))))
        9
    """
    kind = array.type
    if pa.types.is_dictionary(kind):
        lengths = pc.binary_length(array.dictionary).cast(pa.int64())
        return int(pc.sum(lengths.take(array.indices.drop_null())).as_py() or 0)
    if is_list(kind):
        return _bytes_of_texts(array.flatten())
    if pa.types.is_map(kind):
        return _bytes_of_texts(array.keys) + _bytes_of_texts(array.items)
    return sum(map(_bytes_of_texts, array.flatten())) if pa.types.is_struct(kind) else 0

"""The columns of a Parquet file, unless they would take more memory than they may."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import accumulate
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet

from labelnext.support.threads import arrow_threads
from labelnext_adapters.files.content.unpacked import Limit, limit_of
from labelnext_adapters.files.tables.arrow import written_out
from labelnext_adapters.files.tables.footer import Chunk, Pages, chunks_of, pages_of, texts_at_most

BROKEN = (pa.ArrowException, OSError, ValueError)  # what pyarrow raises for a damaged file


def read_columns(
    file: Any,
    source: Any,
    columns: Sequence[str] | None = None,
    groups: Any = None,
    *,
    near: bool = True,
) -> pa.Table:
    """Columns of a Parquet file.

    What they unpack to is known from the file's footer and from the headers of their pages.
    Texts that it keeps once and repeats by number are counted before they are written out.

    Args:
        file: the `ParquetFile`.
        source: the path, or open file, that it was made from.
        columns: their names, of nested ones with a dot; all when None.
        groups: of rows; all when None.
        near: whether the file is on this machine; elsewhere its footer is believed, as a request
            for each page would take too long.

    Raises:
        InvalidInput: if they unpack to too much.
        ArrowException, OSError, ValueError: if the file is damaged; see `BROKEN`.
    """
    wanted = list(range(file.metadata.num_row_groups) if groups is None else groups)
    names = None if columns is None else list(columns)
    known = set(names or ())
    packed, certain, shared = 0, 0, dict[str, int]()
    texts: list[tuple[Chunk, Pages]] = []
    chunks = chunks_of(file.metadata)
    with _opened(source) as opened:
        for chunk in (chunk for group in wanted for chunk in chunks[group]):
            if names is not None and known.isdisjoint(_paths(chunk.path)):
                continue
            pages = pages_of(opened, chunk) if near else Pages(0, chunk.shared, None)
            unpacked = max(chunk.unpacked, pages.unpacked)
            packed += chunk.packed
            certain += max(unpacked, chunk.n_values * chunk.width)
            if chunk.is_text and (chunk.shared or pages.shared):
                shared[chunk.path] = shared.get(chunk.path, 0) + chunk.n_values * unpacked
                texts.append((chunk, pages))
        limit = limit_of(packed)
        n_rows = sum(file.metadata.row_group(group).num_rows for group in wanted)
        nulls = n_rows * _bytes_of_nulls(file.schema_arrow, names)
        limit.check("the file", max(certain, nulls))
        if certain + sum(shared.values()) > limit.most and (
            certain + sum(texts_at_most(opened, *one) for one in texts) > limit.most
        ):
            _check_written_out(file, source, shared, wanted, limit, certain)
    if any(_fills_lists(field.type) for field in file.schema_arrow):
        file = pyarrow.parquet.ParquetFile(source, metadata=_without_arrows_types(file.metadata))
    table = _read(file, source, wanted, names)
    table.validate(full=True)  # what follows trusts offsets and indices
    return table


def _read(file: Any, source: Any, groups: list[int], names: list[str] | None) -> pa.Table:
    """The columns; pyarrow before 26 reads nulls among vectors of one size as lists only."""
    try:
        return file.read_row_groups(groups, columns=names, use_threads=arrow_threads())
    except pa.ArrowInvalid:
        if not any(_filled_in(field.type) for field in file.schema_arrow):
            raise
    lists = pyarrow.parquet.ParquetFile(source, metadata=_without_arrows_types(file.metadata))
    table = lists.read_row_groups(groups, columns=names, use_threads=arrow_threads())
    for place, name in enumerate(table.column_names):
        kind = file.schema_arrow.field(name).type
        if pa.types.is_fixed_size_list(kind):
            table = table.set_column(place, name, table.column(name).cast(kind))
    return table


def _paths(name: str) -> Iterator[str]:
    """A name with dots, and those of what it may be inside.

    Example:
        >>> list(_paths("a.list.element"))
        ['a', 'a.list', 'a.list.element']
    """
    return accumulate(name.split("."), "{}.{}".format)


def _bytes_of_nulls(schema: Iterable[pa.Field], names: Iterable[str] | None) -> int:
    """The bytes of a row of nulls: those of a list of a fixed size are filled in by Arrow."""
    read = None if names is None else {path for name in names for path in _paths(name)}
    return sum(_filled_in(field.type) for field in schema if read is None or field.name in read)


def _filled_in(kind: pa.DataType) -> int:
    """The bytes that a null of a type takes in lists of fixed sizes.

    Example:
        >>> _filled_in(pa.list_(pa.float32(), 100)), _filled_in(pa.list_(pa.float32()))
        (400, 0)
    """
    kind = getattr(kind, "storage_type", kind)
    if pa.types.is_fixed_size_list(kind):
        inner = kind.value_type
        fixed = pa.types.is_primitive(inner) or pa.types.is_fixed_size_binary(inner)
        width = inner.bit_width // 8 if fixed else 0 if pa.types.is_nested(inner) else 4
        return int(kind.list_size) * max(_filled_in(inner), width)
    return sum(_filled_in(field.type) for field in kind) if pa.types.is_struct(kind) else 0


def _fills_lists(kind: pa.DataType) -> bool:
    """Whether the lists of a type, of any number of values, hold some of a fixed size."""
    kind = getattr(kind, "storage_type", kind)
    inner = [kind.field(n).type for n in range(kind.num_fields)]
    listed = not (pa.types.is_struct(kind) or pa.types.is_fixed_size_list(kind))
    return any(map(_fills_lists, inner)) or (listed and any(map(_filled_in, inner)))


def _without_arrows_types(footer: Any) -> Any:
    """A footer without the types that Arrow wrote down, so that all lists are of any size."""
    sink = pa.BufferOutputStream()
    footer.write_metadata_file(sink)
    data = sink.getvalue().to_pybytes().replace(b"ARROW:schema", b"_____:schema")
    return pyarrow.parquet.read_metadata(pa.BufferReader(data))


def _check_written_out(
    file: Any, source: Any, shared: Iterable[str], groups: Iterable[int], limit: Limit, certain: int
) -> None:
    """Count texts without writing them out, as far as the limit.

    Raises:
        InvalidInput: if they unpack to too much.
    """
    texts = pyarrow.parquet.ParquetFile(
        source, metadata=file.metadata, read_dictionary=list(shared)
    )
    for group in groups:
        for column in texts.read_row_group(
            group, columns=list(shared), use_threads=arrow_threads()
        ).columns:
            certain += sum(map(written_out, column.chunks))
        limit.check("the file", certain, more=True)


@contextmanager
def _opened(source: Any) -> Iterator[Any]:
    """A file to be read at any place; one that is open already stays so."""
    if isinstance(source, str | Path):
        with open(source, "rb", buffering=0) as file:
            yield file
    else:
        yield source

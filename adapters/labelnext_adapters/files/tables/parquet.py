"""The columns of a Parquet file, unless they would take more memory than they may."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet

from labelnext_adapters.files.content.unpacked import limit_of
from labelnext_adapters.files.tables.arrow import written_out
from labelnext_adapters.files.tables.footer import chunks_of, unpacked_by_pages

_WIDTHS = {"BOOLEAN": 1, "INT32": 4, "FLOAT": 4, "INT64": 8, "DOUBLE": 8, "INT96": 8}
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
    packed, certain, shared = 0, 0, dict[str, int]()
    chunks = chunks_of(file.metadata)
    with _opened(source) as pages:
        for chunk in (chunk for group in wanted for chunk in chunks[group]):
            if names is not None and not any(f"{chunk.path}.".startswith(f"{n}.") for n in names):
                continue
            width = _WIDTHS.get(chunk.kind, 0)
            unpacked = max(chunk.unpacked, unpacked_by_pages(pages, chunk) if near else 0)
            packed += chunk.packed
            certain += max(unpacked, chunk.n_values * width)
            if not width and chunk.shared:
                shared[chunk.path] = shared.get(chunk.path, 0) + chunk.n_values * unpacked
    limit = limit_of(packed)
    limit.check("the file", certain)
    if certain + sum(shared.values()) > limit.most:
        texts = pyarrow.parquet.ParquetFile(
            source, metadata=file.metadata, read_dictionary=list(shared)
        )
        for group in wanted:
            for column in texts.read_row_group(group, columns=list(shared)).columns:
                certain += sum(map(written_out, column.chunks))
            limit.check("the file", certain, more=True)
    table = file.read_row_groups(wanted, columns=names)
    table.validate(full=True)  # what follows trusts offsets and indices
    return table


@contextmanager
def _opened(source: Any) -> Iterator[Any]:
    """A file to be read at any place; one that is open already stays so."""
    if isinstance(source, str | Path):
        with open(source, "rb", buffering=0) as file:
            yield file
    else:
        yield source

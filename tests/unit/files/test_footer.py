"""Parquet files made to take more memory than they say, or to be read for ever."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet
import pytest

from labelnext.errors import InvalidInput
from labelnext_adapters.files.content.unpacked import allowing
from labelnext_adapters.files.tables.parquet import BROKEN, read_columns
from tests.unit.files.tampered import (
    DOUBLE,
    I32,
    I64,
    LIST,
    STRUCT,
    Page,
    Struct,
    levels,
    packed,
    page_of,
    rebuilt,
    unsigned,
    written,
)

MIB = 1 << 20
SAID = 100  # bytes that footers claim
TEXTS = 8  # of 1 MiB each
RAW = levels(TEXTS, 1) + (MIB.to_bytes(4, "little") + b"x" * MIB) * TEXTS
PACKED = pa.compress(RAW, codec="zstd", asbytes=True)
ONE_TEXT = written(pa.table({"t": ["a"] * TEXTS}), compression="zstd", use_dictionary=False)


def read(folder: Path, data: bytes, **options: Any) -> pa.Table:
    """The table of a file that may take 1 MiB."""
    (folder / "t.parquet").write_bytes(data)
    with allowing(1 / 1024):
        file = pyarrow.parquet.ParquetFile(folder / "t.parquet")
        return read_columns(file, folder / "t.parquet", **options)


def with_header(header: bytes) -> bytes:
    """A file of texts with one page of this header."""
    return rebuilt(ONE_TEXT, TEXTS, lambda *_: [(header, PACKED)], unpacked=SAID)


def honest() -> Struct:
    return page_of(len(RAW), PACKED, TEXTS)


def counting_dictionary() -> bytes:
    """A page of a dictionary that claims as many values as there are, before the values."""
    text = pa.compress(b"\x01\0\0\0a", codec="zstd", asbytes=True)
    header = [*page_of(5, text, TEXTS), [7, STRUCT, [[1, I32, 1], [2, I32, 0]]]]
    header[0] = [1, I32, 2]
    pages = [(packed(header), text), (packed(honest()), PACKED)]
    return rebuilt(ONE_TEXT, TEXTS, lambda *_: pages, unpacked=SAID)


def shared_unsaid(kind: pa.DataType) -> bytes:
    """A text of 1 MiB and numbers of it, of which the footer says that each is written alone."""
    values = pa.array([b"x" * MIB] * 2).cast(kind)
    data = written(pa.table({"t": values}), compression="none")

    def pages(headers: list[Struct], contents: list[bytes]) -> list[Page]:
        numbers = levels(TEXTS, 1) + b"\x01" + unsigned(TEXTS << 1) + b"\0"
        header = packed(page_of(len(numbers), numbers, TEXTS, encoding=8))
        return [(packed(headers[0]), contents[0]), (header, numbers)]

    return rebuilt(data, TEXTS, pages, encodings=[0, 3])


def nulls(kind: pa.DataType, n: int, n_levels: int = 1, *, name: str = "t", **column: Any) -> bytes:
    """A file of so many nulls, which takes a few bytes."""
    options = {"compression": "none", "use_dictionary": False}
    data = written(pa.table({name: pa.nulls(2, kind)}), **options)
    content = levels(n, 0) * n_levels
    header = packed(page_of(len(content), content, n))
    return rebuilt(data, n, lambda *_: [(header, content)], **column)


@pytest.mark.parametrize(
    "make",
    [
        lambda: with_header(packed(honest())),
        counting_dictionary,
        lambda: shared_unsaid(pa.string()),
        lambda: shared_unsaid(pa.binary(MIB)),
        lambda: nulls(pa.string(), MIB),
        lambda: nulls(pa.binary(MIB), TEXTS),
        lambda: nulls(pa.int64(), MIB, n_values=10),
        lambda: nulls(pa.list_(pa.float32(), MIB), TEXTS, 2),
        lambda: nulls(pa.list_(pa.list_(pa.list_(pa.list_(pa.bool_())))), MIB // 8, 2),
    ],
    ids=["large page", "dictionary that counts values", "shared texts", "shared bytes",
         "null texts", "null bytes", "rows without values", "null vectors", "null lists in lists"],
)  # fmt: skip
def test_what_takes_more_than_it_says_is_refused(tmp_path: Path, make: Callable[[], bytes]) -> None:
    data = make()
    assert len(data) < 2.5 * MIB
    with pytest.raises(InvalidInput, match="the file must unpack to at most"):
        read(tmp_path, data)


@pytest.mark.parametrize(
    "header",
    [
        packed([*honest()[:2], [2, I64, 10], *honest()[2:]]),
        packed([[1, I32, 0], [2, I32, 10], *honest()[2:], [(1 << 16) + 2, I32, len(RAW)]]),
        packed([*honest()[:1], [2, I32, len(RAW) - (1 << 32)], *honest()[2:]]),
        packed(honest())[:-1] + bytes([4 << 4 | LIST, 15 << 4 | DOUBLE]) + unsigned(1 << 60),
        packed(honest())[:-1] + bytes([4 << 4 | I64]) + b"\xff" * MIB + b"\x01\0",
        b"\x19" * MIB,
        b"\x1c" * MIB,
    ],
    ids=["a size twice", "a size under another number", "a size of 33 bits", "no end of numbers",
         "a number without end", "lists in lists", "structs in structs"],
)  # fmt: skip
def test_headers_that_no_writer_writes_are_refused_at_once(tmp_path: Path, header: bytes) -> None:
    with pytest.raises(BROKEN):
        read(tmp_path, with_header(header))


def test_vectors_of_one_size_are_read_as_they_are(tmp_path: Path) -> None:
    vectors = pa.array([[0.5, 1.0], None], pa.list_(pa.float32(), 2))
    table = pa.table({"item_id": ["a", "b"], "embedding": vectors})
    assert read(tmp_path, written(table)).equals(table)


def test_vectors_in_lists_are_read_as_lists(tmp_path: Path) -> None:
    kind = pa.list_(pa.struct([("box", pa.list_(pa.float32(), 4)), ("class", pa.string())]))
    objects = [[{"box": [0.0, 0.0, 1.0, 1.0], "class": "cat"}, {"box": None, "class": "dog"}], []]
    table = pa.table({"item_id": ["a", "b"], "objects": pa.array(objects, kind)})
    found = read(tmp_path, written(table))
    assert found.to_pylist() == table.to_pylist()
    null_vectors = nulls(pa.list_(pa.list_(pa.float32(), MIB)), TEXTS, 2)
    assert read(tmp_path, null_vectors).column(0).to_pylist() == [None] * TEXTS


def test_only_columns_that_are_read_count(tmp_path: Path) -> None:
    vectors = pa.array([[0.5] * 4096] * 100, pa.list_(pa.float64(), 4096))
    table = pa.table({"item_id": [str(n) for n in range(100)], "embedding": vectors})
    data = written(table)
    with pytest.raises(InvalidInput, match="must unpack to at most"):
        read(tmp_path, data)
    assert read(tmp_path, data, columns=["item_id"]).num_rows == 100


def test_columns_whose_names_have_dots_count_too(tmp_path: Path) -> None:
    data = nulls(pa.list_(pa.float32(), MIB), TEXTS, 2, name="a.b")
    with pytest.raises(InvalidInput, match="must unpack to at most"):
        read(tmp_path, data, columns=["a.b"])


@pytest.mark.timeout(100)  # some twenty times what it takes; a quadratic way takes longer
def test_many_columns_are_told_apart(tmp_path: Path) -> None:
    table = pa.table({f"e_{n}": [0.5] for n in range(20_000)})
    pa.parquet.write_table(table, tmp_path / "t.parquet")
    file = pa.parquet.ParquetFile(tmp_path / "t.parquet")
    found = read_columns(file, tmp_path / "t.parquet", table.column_names, near=False)
    assert found.equals(table)

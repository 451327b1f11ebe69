"""Texts that Parquet keeps once: how long they get, without reading them twice."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet
import pytest

from labelnext.errors import InvalidInput
from labelnext.support import loops
from labelnext_adapters.files.content.unpacked import allowing
from labelnext_adapters.files.tables import parquet
from labelnext_adapters.files.tables.footer import chunks_of, pages_of, texts_at_most
from labelnext_adapters.files.tables.parquet import read_columns

LONG = "x" * (1 << 16)
IDS = [f"image-{number:05d}" for number in range(20_000)]


def written(path: Path, column: Any, **options: Any) -> Path:
    pyarrow.parquet.write_table(pa.table({"text": column}), path, store_schema=False, **options)
    return path


def read(path: Path, gib: float) -> list[Any]:
    with allowing(gib):
        table = read_columns(pyarrow.parquet.ParquetFile(path), path)
    found: list[Any] = table.column("text").to_pylist()
    return found


def by_dictionary(path: Path) -> bool:
    (chunk,) = chunks_of(pyarrow.parquet.ParquetFile(path).metadata)[0]
    with path.open("rb") as file:
        return pages_of(file, chunk).dictionary is not None


@pytest.mark.parametrize("version", ["1.0", "2.0"])
@pytest.mark.parametrize("compression", ["none", "snappy"])
@pytest.mark.parametrize("limit", [1 << 20, 1 << 12])  # above, texts are written by themselves
def test_short_texts_are_read_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: Any, compression: str, limit: int
) -> None:
    path = written(
        tmp_path / "p.parquet",
        IDS,
        row_group_size=7_000,
        data_page_version=version,
        compression=compression,
        dictionary_pagesize_limit=limit,
        write_batch_size=100,
    )
    assert by_dictionary(path)
    monkeypatch.delattr(parquet, "_check_written_out")
    assert read(path, 0.001) == IDS  # 0.0003 GiB; each text as long as its page would be 1.5


@pytest.mark.parametrize(
    "column",
    [
        pa.array([LONG] * 200),
        pa.array([None, *[LONG] * 200]),
        pa.array([["a"], *[[LONG]] * 200]),
        pa.array([[], None, *[[LONG]] * 200]),
        pa.array([{"a": None}, *[{"a": LONG}] * 200]),
        pa.array([[("k", LONG)]] * 200, pa.map_(pa.string(), pa.string())),
        pa.array([*["a"] * 200, *[LONG] * 200]),
    ],
    ids=["text", "missing", "list", "empty", "struct", "map", "late"],
)
def test_long_texts_are_counted_wherever_they_are(tmp_path: Path, column: pa.Array) -> None:
    path = written(tmp_path / "p.parquet", column)  # 200 × 64 KiB are 0.0122 GiB
    with pytest.raises(InvalidInput, match="must unpack to at most 0.01 GiB"):
        read(path, 0.01)
    assert read(path, 0.02) == column.to_pylist()


def test_one_long_text_among_short_ones_is_no_hindrance(tmp_path: Path) -> None:
    texts = [*IDS, LONG]  # as many as long as that would be 1.2 GiB
    assert read(written(tmp_path / "p.parquet", texts), 0.001) == texts


def test_texts_that_share_their_beginnings_are_not_taken_for_a_dictionarys(tmp_path: Path) -> None:
    path = written(
        tmp_path / "p.parquet",
        IDS,
        use_dictionary=False,
        column_encoding={"text": "DELTA_BYTE_ARRAY"},
    )
    assert not by_dictionary(path)
    assert not by_dictionary(written(tmp_path / "q.parquet", IDS, use_dictionary=False))


@pytest.mark.parametrize("compression", ["none", "snappy", "gzip", "brotli", "zstd", "lz4"])
@pytest.mark.parametrize("compiled", ["1", "0"])
def test_the_longest_text_of_a_dictionary_is_found(
    tmp_path: Path, compression: str, compiled: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if compiled == "0":
        monkeypatch.setattr(loops, "_library", lambda: None)
    path = written(tmp_path / "p.parquet", [*IDS, "ü" * 40], compression=compression)
    (chunk,) = chunks_of(pyarrow.parquet.ParquetFile(path).metadata)[0]
    with path.open("rb") as file:
        pages = pages_of(file, chunk)
        assert texts_at_most(file, chunk, pages) == 80 * 20_001
        beyond = pages._replace(dictionary=(pages.dictionary[0], 0, 0))
        assert texts_at_most(file, replace(chunk, n_values=0), beyond) == 0
    assert read(path, 0.01)[-1] == "ü" * 40


def test_a_dictionary_that_ends_inside_a_text_is_damaged(tmp_path: Path) -> None:
    path = written(tmp_path / "p.parquet", ["cat", "dog"] * 50, compression="none")
    content = path.read_bytes()
    path.write_bytes(content.replace(b"\3\0\0\0dog", b"\4\0\0\0dog", 1))
    with pytest.raises(ValueError, match="dictionary of column text isn't whole"):
        read(path, 1e-6)

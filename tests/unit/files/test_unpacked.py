"""What a file may unpack to: known or stopped before it fills the memory."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest

from labelnext import rank
from labelnext.adapter.registry import open_adapter
from labelnext.errors import InvalidInput
from labelnext.pool import Pool
from labelnext_adapters.files.content import unpacked
from labelnext_adapters.files.content.content import byte_blocks
from labelnext_adapters.files.content.unpacked import allowing, limit_of, memory
from labelnext_adapters.files.tables.footer import chunks_of
from labelnext_adapters.files.tables.parquet import read_columns

MIB = 1 << 20


def read(path: Path, **options: Any) -> Pool:
    return open_adapter("files", directory=path.parent, path=path.name, **options).read()  # type: ignore[attr-defined]


def refused(path: Path, **options: Any) -> InvalidInput:
    """The error of reading a file."""
    with pytest.raises(InvalidInput) as caught:
        read(path, **options)
    return caught.value


def npz(path: Path, n_bytes: int, claimed: int | None = None) -> None:
    """An archive of two ids and rows of zeros, whose header may claim others."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        ids = io.BytesIO()
        np.save(ids, np.array(["a", "b"]))
        archive.writestr("item_ids.npy", ids.getvalue())
        with archive.open("probabilities.npy", "w") as file:
            shape = (2, (claimed or n_bytes) // 16)
            header = {"descr": "<f8", "fortran_order": False, "shape": shape}
            np.lib.format.write_array_header_1_0(file, header)  # type: ignore[arg-type]
            file.write(bytes(n_bytes))


def parquet_of_one_text(path: Path, nested: bool) -> None:
    """256 rows of the same text of 256 KiB, which Parquet keeps once."""
    n, text = 256, "x" * (MIB >> 2)
    texts: Any = pa.DictionaryArray.from_arrays(np.zeros(n, np.int32), [text])
    if nested:
        offsets = pa.array(np.arange(n + 1, dtype=np.int32))
        inner = pa.StructArray.from_arrays(
            [texts.cast(pa.string()), pa.array([0.5] * n)], ["label", "confidence"]
        )
        texts = pa.ListArray.from_arrays(offsets, inner)
    name = "objects" if nested else "prediction"
    table = pa.table({"item_id": [str(i) for i in range(n)], name: texts, "confidence": [0.5] * n})
    pyarrow.parquet.write_table(table, path, store_schema=False)


@pytest.mark.parametrize(
    ("name", "pack"),
    [("p.jsonl.gz", gzip.compress), ("p.csv.bz2", bz2.compress), ("p.json.gz", gzip.compress)],
)
def test_a_file_that_unpacks_to_too_much_is_stopped(
    tmp_path: Path, name: str, pack: Callable[[bytes], bytes]
) -> None:
    (tmp_path / name).write_bytes(pack(b"item_id,p_a,p_b\n" + b"a,0.5,0.5\n" * (MIB // 2)))
    error = refused(tmp_path / name, max_unpacked=0.001, format=name.split(".")[1])
    # 1,073,741 bytes, and at most one block of 256 KiB more
    told = "must unpack to at most 0.001 GiB (source.max_unpacked); got at least 0.00"
    assert told in error.message
    assert "set source.max_unpacked" in str(error.hint)


@pytest.mark.parametrize("ending", ["gz", "xz", "zip"])
def test_no_more_than_the_limit_is_kept(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"p.csv.{ending}"
    path.write_bytes(packed(b"a,0.5,0.5\n" * MIB, ending))  # 10 MiB, of which 8 are allowed
    kept = []
    with allowing(8 / 1024), pytest.raises(InvalidInput, match="at least"):
        kept.extend(byte_blocks(path))
    assert sum(map(len, kept)) <= 8 * MIB
    with allowing(10 / 1024):  # an honest file has all its bytes
        assert sum(map(len, byte_blocks(path))) == 10 * MIB


@pytest.mark.parametrize("ending", ["xz", "zip"])
@pytest.mark.parametrize("kind", ["csv", "json", "jsonl"])
def test_xz_and_zip_of_one_file_are_read(tmp_path: Path, ending: str, kind: str) -> None:
    texts = {
        "csv": "item_id,p_a,p_b\n007,0.9,0.1\nb,0.5,0.5\n",
        "json": '[{"item_id": "007", "confidence": 0.9}, {"item_id": "b", "confidence": 0.5}]',
        "jsonl": '{"item_id": "007", "confidence": 0.9}\n{"item_id": "b", "confidence": 0.5}\n',
    }
    (tmp_path / f"p.{kind}.{ending}").write_bytes(packed(texts[kind].encode(), ending))
    assert rank(read(tmp_path / f"p.{kind}.{ending}")).item_ids.tolist() == ["b", "007"]
    (tmp_path / f"q.{kind}.{ending}").write_bytes(packed(texts[kind].encode(), ending)[:-9])
    error = refused(tmp_path / f"q.{kind}.{ending}")
    assert f"must be whole {ending} data" in error.message
    assert error.hint == "copy or download it again."


def test_a_zip_is_what_its_file_is(tmp_path: Path) -> None:
    (tmp_path / "p.zip").write_bytes(packed(b"item_id,confidence\na,0.9\nb,0.5\n", "zip"))
    assert rank(read(tmp_path / "p.zip")).item_ids.tolist() == ["b", "a"]


def test_a_zip_of_several_files_is_to_be_unpacked(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "p.json.zip", "w") as archive:
        archive.writestr("a.json", "[]")
        archive.writestr("b.json", "[]")
    error = refused(tmp_path / "p.json.zip")
    assert "a zip file must hold one file without a password; it holds 2 files." in error.message
    assert error.hint == "unpack it first."


def packed(data: bytes, ending: str) -> bytes:
    """Bytes as a compressed file, or as an archive with the leavings of a Mac."""
    if ending == "zip":
        whole = io.BytesIO()
        with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("out/p.csv", data)
            archive.writestr("__MACOSX/out/._p.csv", b"x")
        return whole.getvalue()
    if ending == "xz":
        return lzma.compress(data)
    with pa.BufferOutputStream() as out:
        with pa.CompressedOutputStream(
            out, {"gz": "gzip", "zst": "zstd"}.get(ending, ending)
        ) as file:
            file.write(data)
        return bytes(out.getvalue())


def test_zstd_is_stopped(tmp_path: Path) -> None:
    with pa.CompressedOutputStream(str(tmp_path / "p.jsonl.zst"), "zstd") as file:
        file.write(b" " * 64 * MIB)
    assert "at least" in refused(tmp_path / "p.jsonl.zst", max_unpacked=0.001).message


def test_spacys_documents_are_stopped(tmp_path: Path) -> None:
    (tmp_path / "p.spacy").write_bytes(zlib.compress(bytes(64 * MIB)))
    error = refused(tmp_path / "p.spacy", max_unpacked=0.001)
    assert "a .spacy file must unpack to at most 0.001 GiB" in error.message


def test_an_archives_arrays_are_refused_by_their_headers(tmp_path: Path) -> None:
    npz(tmp_path / "p.npz", 64 * MIB)
    error = refused(tmp_path / "p.npz", max_unpacked=0.05)
    assert "must unpack to at most 0.05 GiB" in error.message
    assert "got 0.0625 GiB from" in error.message


def test_an_array_that_nobody_asks_for_is_not_unpacked(tmp_path: Path) -> None:
    npz(tmp_path / "p.npz", 64 * MIB)
    with (
        zipfile.ZipFile(tmp_path / "p.npz") as old,
        zipfile.ZipFile(tmp_path / "q.npz", "w") as new,
    ):
        new.writestr("item_ids.npy", old.read("item_ids.npy"))
        new.writestr("unused.npy", old.read("probabilities.npy"), zipfile.ZIP_DEFLATED)
        few = io.BytesIO()
        np.save(few, np.array([[0.5, 0.5], [0.25, 0.75]]))
        new.writestr("probabilities.npy", few.getvalue())
    assert read(tmp_path / "q.npz", max_unpacked=0.001).item_ids.tolist() == ["a", "b"]


@pytest.mark.parametrize("ending", ["npz", "npy"])
def test_a_header_that_claims_more_than_there_is(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"p.{ending}"
    npz(path, 16, claimed=1 << 50)
    if ending == "npy":
        with zipfile.ZipFile(path) as archive:
            path.write_bytes(archive.read("probabilities.npy"))
    error = refused(path)
    assert "must hold the 1,125,899,906,842,624 bytes that its header names; it has 16" in (
        error.message
    )


@pytest.mark.parametrize("nested", [False, True])
def test_parquets_shared_texts_are_counted_before_they_are_written_out(
    tmp_path: Path, nested: bool
) -> None:
    parquet_of_one_text(tmp_path / "p.parquet", nested)
    error = refused(tmp_path / "p.parquet", max_unpacked=0.01)
    assert "must unpack to at most 0.01 GiB" in error.message
    with allowing(0.2):
        file = pyarrow.parquet.ParquetFile(tmp_path / "p.parquet")
        assert read_columns(file, tmp_path / "p.parquet").num_rows == 256


def test_parquets_numbers_are_counted_by_the_footer(tmp_path: Path) -> None:
    n = 4 * MIB
    table = pa.table({"item_id": np.zeros(n, np.int64)})
    pyarrow.parquet.write_table(table, tmp_path / "p.parquet")
    error = refused(tmp_path / "p.parquet", max_unpacked=0.01)
    assert "got 0.0312 GiB" in error.message  # 8 bytes each


@pytest.mark.parametrize("version", ["1.0", "2.0"])
def test_parquets_pages_are_counted_whatever_the_footer_says(tmp_path: Path, version: Any) -> None:
    path = tmp_path / "p.parquet"
    table = pa.table({"item_id": ["a"], "p_a": [0.5], "p_b": [0.5], "note": ["x" * 4 * MIB]})
    pyarrow.parquet.write_table(
        table, path, use_dictionary=False, compression="zstd", data_page_version=version
    )
    content = path.read_bytes()
    start = len(content) - 8 - int.from_bytes(content[-8:-4], "little")
    told = chunks_of(pyarrow.parquet.ParquetFile(path).metadata)[0][-1].unpacked
    assert varint(2 * told) in content[start:]
    small = bytes([0x80 | 2, *[0x80] * (len(varint(2 * told)) - 2), 0])  # 1, as long as it was
    path.write_bytes(content[:start] + content[start:].replace(varint(2 * told), small))
    error = refused(path, max_unpacked=0.003)
    assert "at most 0.003 GiB (source.max_unpacked); got 0.00391 GiB from" in error.message
    assert len(read(path, max_unpacked=0.005)) == 1


def varint(value: int) -> bytes:
    """A number as Thrift's compact protocol writes it."""
    groups = [value >> 7 * i & 127 for i in range((value.bit_length() + 6) // 7)]
    return bytes([*(group | 128 for group in groups[:-1]), groups[-1]])


def test_the_limit_is_half_of_the_memory_and_a_hundred_times_the_file(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(unpacked, "memory", lambda: 16 << 30)
    assert limit_of(1000).most == 1 << 30
    assert limit_of(40 * MIB).most == 4000 * MIB
    assert limit_of(1 << 30).most == 8 << 30
    with pytest.raises(InvalidInput, match="half of this machine's memory"):
        limit_of(1 << 30).check("the file", 9 << 30)
    with pytest.raises(InvalidInput, match="1 GiB or 100 times the file's size"):
        limit_of(1000).check("the file", 2 << 30)
    with allowing(3):
        limit_of(1000).check("the file", 2 << 30)


@pytest.mark.parametrize(
    ("line", "file"),
    [
        ("0::/user/one", "user/memory.max"),
        ("4:memory:/one", "memory/memory.limit_in_bytes"),
    ],
)
def test_memory_is_what_the_control_groups_allow(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str, file: str
) -> None:
    (tmp_path / file).parent.mkdir(parents=True)
    (tmp_path / file).write_text("1000000\n")
    (tmp_path / "own").write_text(f"1:cpu:/elsewhere\n{line}\n")
    monkeypatch.setattr(unpacked, "_CGROUPS", tmp_path)
    monkeypatch.setattr(unpacked, "_OWN_GROUPS", tmp_path / "own")
    assert memory() == 1_000_000
    (tmp_path / file).write_text("max\n")
    assert memory() > 1_000_000


@pytest.mark.parametrize("length", [140_000, 600_000])
def test_a_long_text_in_a_csv_is_no_hindrance(tmp_path: Path, length: int) -> None:
    picture = "Q" * length  # in base64, as some tools put it beside the scores
    rows = [f"a,{picture},0.9,0.1", f"b,{picture},0.55,0.45"]
    (tmp_path / "p.csv").write_text("\n".join(["item_id,image_b64,cat,dog", *rows]))
    assert rank(read(tmp_path / "p.csv")).item_ids.tolist() == ["b", "a"]


def test_a_line_without_an_end_in_place_of_the_header_is_cut(tmp_path: Path) -> None:
    (tmp_path / "p.csv.gz").write_bytes(gzip.compress(b"0" * 2 * MIB))
    error = refused(tmp_path / "p.csv.gz")
    assert "the first line must name the columns; got a row: 000" in error.message
    assert len(error.message) < 200


def test_a_header_above_a_mebibyte_is_too_long(tmp_path: Path) -> None:
    names = [f"p_{n}" for n in range(200_000)]  # 200,000 names of six to eight bytes each
    lines = ["item_id," + ",".join(names), "a" + ",0" * len(names)]
    (tmp_path / "p.csv").write_text("\n".join(lines) + "\n")
    error = refused(tmp_path / "p.csv")
    assert "every line must have at most 1,048,576 bytes" in error.message


def test_a_line_of_csv_without_an_end_is_named(tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_bytes(b'item_id,p_a,p_b\na,0.5,0.5\nb,"0' + b"5" * 2 * MIB)
    error = refused(tmp_path / "p.csv")
    assert "every line must have at most 1,048,576 bytes" in error.message
    assert "quotation mark may be open" in str(error.hint)


def test_one_long_line_takes_no_longer_than_its_length(tmp_path: Path) -> None:
    (tmp_path / "p.jsonl").write_bytes(
        b'{"item_id": "a", "p_a": 0.25, "p_b": 0.75}' + b" " * 16 * MIB
    )
    assert read(tmp_path / "p.jsonl").item_ids.tolist() == ["a"]


@pytest.mark.parametrize("kind", [gzip.compress, bz2.compress, lzma.compress])
def test_what_is_packed_inside_a_zip_is_unpacked_too(
    tmp_path: Path, kind: Callable[[bytes], bytes]
) -> None:
    inside = kind(b"item_id,confidence\na,0.9\nb,0.5\n")
    with zipfile.ZipFile(tmp_path / "p.zip", "w") as archive:
        archive.writestr("p.csv.gz", inside)
    assert rank(read(tmp_path / "p.zip")).item_ids.tolist() == ["b", "a"]
    with zipfile.ZipFile(tmp_path / "p.zip", "w") as archive:
        archive.writestr("p.csv.gz", inside[:-9])
    assert "without a password" in refused(tmp_path / "p.zip").message


def test_what_a_zip_packs_twice_may_not_fill_the_memory(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "p.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("p.csv.gz", gzip.compress(b"a" * (8 * MIB)))
    assert "must unpack to at most" in refused(tmp_path / "p.zip", max_unpacked=1 / 1024).message

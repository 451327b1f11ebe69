"""Arrow, Feather and Parquet: damaged files are refused, whatever Arrow's own code would do."""

from __future__ import annotations

import io
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from labelnext.errors import InvalidInput
from labelnext.support.store import Store
from labelnext_adapters.files.content.unpacked import allowing
from labelnext_adapters.files.tables.arrow import written_out
from labelnext_adapters.files.tables.ipc import read_ipc
from tests.unit.files.reading import read

MIB = 1 << 20
EVERY = 17  # bytes


def small() -> pa.Table:
    """Four items, with texts, categories and vectors."""
    return pa.table(
        {
            "item_id": ["a", "b", "ccc", "dd"],
            "probabilities": [[0.5, 0.5], [0.25, 0.75], None, [0.125, 0.875]],
            "label": pa.array(["0", "1", None, "0"]).dictionary_encode(),
        }
    )


def ipc(table: pa.Table, new: Callable[..., pa.RecordBatchFileWriter], packed: str | None) -> bytes:
    sink = io.BytesIO()
    options = pa.ipc.IpcWriteOptions(compression=packed)
    with new(sink, table.schema, options=options) as writer:
        writer.write_table(table)
    return sink.getvalue()


def parquet(table: pa.Table, packed: str) -> bytes:
    sink = io.BytesIO()
    pq.write_table(table, sink, compression=packed)
    return sink.getvalue()


KINDS: dict[str, Callable[[pa.Table], bytes]] = {
    "plain.arrow": lambda table: ipc(table, pa.ipc.new_file, None),
    "lz4.arrow": lambda table: ipc(table, pa.ipc.new_file, "lz4"),
    "stream.arrow": lambda table: ipc(table, pa.ipc.new_stream, None),
    "zstd-stream.arrow": lambda table: ipc(table, pa.ipc.new_stream, "zstd"),
    "plain.parquet": lambda table: parquet(table, "none"),
    "snappy.parquet": lambda table: parquet(table, "snappy"),
}


def flipped(folder: Path) -> Counter[str]:
    """What becomes of each kind with one bit flipped; run in a process of its own."""
    outcomes = Counter[str]()
    for name, made in KINDS.items():
        content = made(small())
        for at in range(0, len(content), EVERY):
            damaged = bytearray(content)
            damaged[at] ^= 1 << at // EVERY % 8
            (folder / name).write_bytes(damaged)
            try:
                pool = read(folder, name)
            except InvalidInput:
                outcomes["refused"] += 1
            else:
                outcomes["shorter" if len(pool) < 4 else "read"] += 1
    return outcomes


def test_no_flipped_bit_ends_the_process_or_hides_rows(tmp_path: Path) -> None:
    code = (
        "import pathlib, sys; from tests.unit.files.test_arrow import flipped; "
        "print(dict(flipped(pathlib.Path(sys.argv[1]))))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]  # negative: killed by its own fault
    outcomes = eval(done.stdout)
    tried = sum(len(range(0, len(made(small())), EVERY)) for made in KINDS.values())
    assert sum(outcomes.values()) == tried
    assert set(outcomes) == {"read", "refused"}


@pytest.mark.parametrize("name", KINDS)
def test_no_part_of_a_file_is_taken_for_the_whole(tmp_path: Path, name: str) -> None:
    content = KINDS[name](small())
    for end in range(1, len(content), EVERY):
        (tmp_path / name).write_bytes(content[:end])
        with pytest.raises(InvalidInput):
            read(tmp_path, name)
    (tmp_path / name).write_bytes(content)
    assert read(tmp_path, name).item_ids.tolist() == ["a", "b", "ccc", "dd"]


def test_a_stream_must_end_with_its_mark_and_nothing_after(tmp_path: Path) -> None:
    content = KINDS["stream.arrow"](small())
    (tmp_path / "p.arrow").write_bytes(content[:-8])  # the mark: −1 and 0
    with pytest.raises(InvalidInput, match="it ends without one, so rows may be missing") as error:
        read(tmp_path, "p.arrow")
    assert error.value.hint == "write it again, and close its writer."
    (tmp_path / "p.arrow").write_bytes(content * 2)
    with pytest.raises(InvalidInput, match=f"{len(content):,} bytes follow that mark"):
        read(tmp_path, "p.arrow")


@pytest.mark.parametrize("n", [1, 3])
def test_a_file_whose_footer_leaves_out_a_batch_is_refused(tmp_path: Path, n: int) -> None:
    sink = io.BytesIO()
    with pa.ipc.new_file(sink, small().schema) as writer:
        for _ in range(n):
            writer.write_table(small())
    content = bytearray(sink.getvalue())
    footer = len(content) - 10 - int.from_bytes(content[-10:-6], "little")
    # The number of batches stands before the place of the first, a multiple of 8.
    places = [at for at in range(footer, len(content) - 28, 4) if content[at] == n]
    refused = []
    for at in places:
        damaged = bytearray(content)
        damaged[at] -= 1
        (tmp_path / "p.arrow").write_bytes(damaged)
        try:
            assert len(read_ipc(tmp_path / "p.arrow")) == 4 * n
        except InvalidInput as error:
            refused.append(error.message)
        except pa.ArrowException:
            pass
    assert refused
    assert all("must name all of its parts" in message for message in refused)


def test_the_first_version_of_feather_is_refused(tmp_path: Path) -> None:
    (tmp_path / "p.feather").write_bytes(b"FEA1" + bytes(40) + b"FEA1")
    with pytest.raises(InvalidInput, match="it is of version 1") as error:
        read(tmp_path, "p.feather")
    assert "f.write_feather(f.read_table('p.feather'), 'p.feather')" in str(error.value.hint)


@pytest.mark.parametrize("new", [pa.ipc.new_file, pa.ipc.new_stream])
@pytest.mark.parametrize("packed", ["lz4", "zstd"])
def test_what_arrow_unpacks_to_is_known_before(
    tmp_path: Path, new: Callable[..., pa.RecordBatchFileWriter], packed: str
) -> None:
    zeros = np.zeros(8 * MIB)  # 64 MiB; the ids as many again
    table = pa.table({"item_id": zeros.astype(np.int64), "p_a": zeros})
    (tmp_path / "p.arrow").write_bytes(ipc(table, new, packed))
    usual = pa.default_memory_pool()
    counting = pa.proxy_memory_pool(usual)
    pa.set_memory_pool(counting)
    try:
        with allowing(0.1), pytest.raises(InvalidInput, match=r"at most 0\.1 GiB .* 0\.125 GiB"):
            read_ipc(tmp_path / "p.arrow")
    finally:
        pa.set_memory_pool(usual)
    assert counting.max_memory() < MIB
    with allowing(0.2):
        assert read_ipc(tmp_path / "p.arrow").equals(table)


@pytest.mark.parametrize("kind", [pa.dictionary(pa.int8(), pa.string()), pa.string_view()])
@pytest.mark.parametrize("nested", [False, True])
def test_texts_that_arrow_keeps_once_are_counted_each_time(
    tmp_path: Path, kind: pa.DataType, nested: bool
) -> None:
    text = "x" * (MIB >> 4)
    if pa.types.is_dictionary(kind):
        texts = pa.DictionaryArray.from_arrays(pa.array(np.zeros(100, np.int8)), [text])
    else:
        texts = pa.array([text] * 100, kind)
    bounds = pa.array(range(101), pa.int32())
    column = pa.ListArray.from_arrays(bounds, texts) if nested else texts
    (tmp_path / "p.arrow").write_bytes(
        ipc(pa.table({"item_id": range(100), "label": column}), pa.ipc.new_file, None)
    )
    assert written_out(column) == 100 * MIB >> 4
    with allowing(0.005), pytest.raises(InvalidInput, match=r"got 0\.0061 GiB"):  # 100 / 16384
        read_ipc(tmp_path / "p.arrow")


def test_a_damaged_table_of_a_run_is_named(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.write_table("t.parquet", small())
    assert store.read_table("t.parquet").num_rows == 4
    content = (tmp_path / "t.parquet").read_bytes()
    (tmp_path / "t.parquet").write_bytes(content[:-20])
    with pytest.raises(InvalidInput, match="must be as labelnext wrote it"):
        store.read_table("t.parquet")
    with pytest.raises(FileNotFoundError):
        store.read_table("other.parquet")

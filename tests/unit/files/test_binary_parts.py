"""Folders whose files are Arrow's or NumPy's parts of one pool."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.feather
import pytest

from labelnext import rank
from labelnext.errors import InvalidInput
from tests.unit.files.reading import notice, order, read

Columns = dict[str, list[Any]]
PARTS: list[Columns] = [
    {"item_id": ["a"], "cat": [0.9], "dog": [0.1]},
    {"item_id": ["b", "c"], "cat": [0.6, 0.75], "dog": [0.4, 0.25]},
]


def feather(path: Path, columns: Columns) -> None:
    pa.feather.write_feather(pa.table(columns), path)


def stream(path: Path, columns: Columns) -> None:
    table = pa.table(columns)
    with pa.ipc.new_stream(str(path), table.schema) as writer:
        writer.write_table(table)


def npz(path: Path, columns: Columns) -> None:
    scores = np.stack([columns["cat"], columns["dog"]], axis=1)
    np.savez(path, item_ids=columns["item_id"], probabilities=scores, classes=["cat", "dog"])


WRITERS = {".feather": feather, ".arrow": feather, ".arrows": stream, ".npz": npz}


@pytest.mark.parametrize("ending", WRITERS)
@pytest.mark.parametrize("path", ["parts", "parts/*{}"])
def test_a_folder_of_parts_is_one_pool(tmp_path: Path, ending: str, path: str) -> None:
    (tmp_path / "parts").mkdir()
    for number, part in enumerate(PARTS):
        WRITERS[ending](tmp_path / "parts" / f"{number}{ending}", part)
    assert order(read(tmp_path, path.format(ending))) == ["b", "c", "a"]


def test_a_stream_is_known_by_its_ending(tmp_path: Path) -> None:
    stream(tmp_path / "p.arrows", PARTS[1])
    assert order(read(tmp_path, "p.arrows")) == ["b", "c"]


def cut_off(data: bytes) -> bytes:
    return data[:100]


def overwritten(data: bytes) -> bytes:
    """With other numbers than their checksum says."""
    place = data.index(np.float64(0.5).tobytes())
    return data[:place] + bytes(8) + data[place + 8 :]


@pytest.mark.parametrize(
    ("ending", "damage"), [(".feather", cut_off), (".npz", cut_off), (".npz", overwritten)]
)
def test_one_part_that_is_damaged_costs_no_other(
    tmp_path: Path, ending: str, damage: Callable[[bytes], bytes]
) -> None:
    (tmp_path / "parts").mkdir()
    for n in range(20):
        part = {"item_id": [f"i{n:02d}"], "cat": [0.5 + n / 50], "dog": [0.5 - n / 50]}
        WRITERS[ending](tmp_path / "parts" / f"{n:02d}{ending}", part)
    whole = (tmp_path / "parts" / f"00{ending}").read_bytes()
    (tmp_path / "parts" / f"20{ending}").write_bytes(damage(whole))
    pool = read(tmp_path, "parts")
    assert order(pool) == [f"i{n:02d}" for n in range(20)]
    assert notice(pool, "left_out").message.startswith(f"Left out 1 of 21 files: 20{ending}: ")


FIRST: dict[str, list[Any]] = {"costs": [1.0], "offsets": [0, 1]}  # of the first of two parts


def parts_of(folder: Path, write: Callable[[Path, int], None]) -> None:
    (folder / "parts").mkdir()
    for number in range(2):
        write(folder / "parts" / f"{number}.npz", number)


def test_objects_of_several_npz_files_belong_to_their_images(tmp_path: Path) -> None:
    found = [([0, 1], [0.9]), ([0, 2, 3], [0.7, 0.5, 0.75])]  # means 0.9; 0.6 and 0.75

    def write(path: Path, n: int) -> None:
        offsets, sure = found[n]
        np.savez(path, item_ids=["a"] if n == 0 else ["b", "c"], offsets=offsets, confidences=sure)

    parts_of(tmp_path, write)
    ranking = rank(read(tmp_path, "parts"), "mean_object_confidence")
    assert ranking.item_ids.tolist() == ["b", "c", "a"]


def test_a_committee_in_several_npz_files_is_joined_along_the_items(tmp_path: Path) -> None:
    said = [[[[0.9, 0.1]], [[0.8, 0.2]]], [[[0.9, 0.1], [0.7, 0.3]], [[0.1, 0.9], [0.6, 0.4]]]]

    def write(path: Path, n: int) -> None:
        np.savez(path, item_ids=["a"] if n == 0 else ["b", "c"], probabilities=said[n])

    parts_of(tmp_path, write)
    pool = read(tmp_path, "parts")
    assert rank(pool, "bald").item_ids.tolist()[0] == "b"
    assert pool.members is not None
    assert [len(member) for member in pool.members] == [3, 3]


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"classes": ["dog", "cat"]}, "the same classes; they differ"),
        ({"extra": [1]}, "must have the same arrays"),
        ({"probabilities": [[0.5, 0.25, 0.25]]}, "arrays of one shape for each item"),
        (
            {"costs": 2.0},
            r"arrays costs .* must have a value for each item; shapes are \(1,\), \(\)",
        ),
        ({"offsets": []}, r"arrays offsets .* must begin with 0; shapes are \(2,\), \(0,\)"),
    ],
)
def test_npz_files_that_do_not_go_together_are_refused(
    tmp_path: Path, more: dict[str, Any], why: str
) -> None:
    def write(path: Path, n: int) -> None:
        arrays: dict[str, Any] = {"probabilities": [[0.5, 0.5]], "classes": ["cat", "dog"]}
        arrays |= {name: first for name, first in FIRST.items() if name in more}
        np.savez(path, item_ids=[f"i{n}"], **(arrays | more if n else arrays))

    parts_of(tmp_path, write)
    with pytest.raises(InvalidInput, match=why):
        read(tmp_path, "parts")

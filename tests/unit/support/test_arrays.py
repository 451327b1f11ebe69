"""Each byte of a kept file is damaged in turn: what reads it goes on without it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from labelnext.adapter.foreign import refuse_foreign
from labelnext.adapter.sample import Sample, suffix_of
from labelnext.embeddings.kept import Kept
from labelnext.errors import ConfigError
from labelnext.quality.stopping import Snapshot, keep, snapshots


def damaged(path: Path, every: int = 1) -> Iterator[int]:
    """Damage one byte after the other, or every so many, in one bit and in all."""
    whole = path.read_bytes()
    for at in range(0, len(whole), every):
        for bits in (0x01, 0xFF):
            path.write_bytes(whole[:at] + bytes([whole[at] ^ bits]) + whole[at + 1 :])
            yield at


def test_vectors_are_as_they_were_or_missing(tmp_path: Path) -> None:
    rows = {"k": np.arange(3, dtype=np.float16), "m": np.ones(3, dtype=np.float16)}
    Kept(tmp_path, "rules").add([*rows], [*rows.values()])
    (path,) = tmp_path.rglob("*.npz")
    for at in damaged(path):
        for key, row in Kept(tmp_path, "rules").vectors.items():
            assert row.tolist() == rows[key].tolist(), at


@pytest.mark.filterwarnings("ignore:skipped. .* can't be read, so its run can't be compared")
def test_a_damaged_snapshot_is_skipped(tmp_path: Path) -> None:
    ids, scores = np.array(["a", "b"]), np.array([0.1, 0.2])
    whole = Snapshot("whole", "entropy", 2, 0, 2, ids, np.array([0, 1]), scores)
    for name in ("damaged", "whole"):
        keep(tmp_path, Snapshot(name, *list(vars(whole).values())[1:]))
    for _ in damaged(tmp_path / "damaged.npz", every=5):
        assert [one.run_id for one in snapshots(tmp_path)][-1] == "whole"


@pytest.mark.parametrize("look", [suffix_of, refuse_foreign, lambda path: Sample(path).start])
def test_a_damaged_archive_is_looked_at(look: Callable[[Path], object], tmp_path: Path) -> None:
    path = tmp_path / "predictions.zip"
    with path.open("wb") as file:
        np.savez(file, a=np.array([1]))
    for _ in damaged(path):
        with suppress(ConfigError):
            look(path)

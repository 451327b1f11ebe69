"""Labels in NPZ files: positions, or names, where an empty text is none."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from labelnext.adapter import open_adapter
from labelnext.errors import InvalidInput
from labelnext.pool import Pool


def read(folder: Path, **arrays: object) -> Pool:
    np.savez(folder / "p.npz", item_ids=["x", "y", "z"], **arrays)
    return open_adapter("files", path=str(folder / "p.npz")).read()


@pytest.mark.parametrize("name", ["labels", "label", "target", "targets", "y_true"])
@pytest.mark.parametrize("kind", [str, bytes])
def test_names_name_the_classes_and_an_empty_one_is_none(
    tmp_path: Path, name: str, kind: type
) -> None:
    labels = np.array(["dog", "", "cat"]).astype(kind)
    pool = read(tmp_path, embeddings=np.eye(3), **{name: labels})
    assert (pool.classes, pool.labels.tolist()) == (("cat", "dog"), [1, -1, 0])


def test_names_are_among_the_classes_of_the_file(tmp_path: Path) -> None:
    halves, classes = np.full((3, 2), 0.5), ["dog", "cat"]
    pool = read(tmp_path, probabilities=halves, classes=classes, labels=["cat", "", "dog"])
    assert pool.labels.tolist() == [1, -1, 0]
    with pytest.raises(InvalidInput, match="labels must be among the classes dog, cat; got 'cow'"):
        read(tmp_path, probabilities=halves, classes=classes, labels=["cow", "", "dog"])


def test_no_name_at_all_is_no_label(tmp_path: Path) -> None:
    pool = read(tmp_path, embeddings=np.eye(3), labels=["", "", ""])
    assert not pool.labelled.any()

"""Labels in NPZ files: positions, or names, where an empty text is none."""

from __future__ import annotations

import zipfile
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
    with pytest.raises(InvalidInput, match="item x: label must be one of dog, cat; got 'cow'"):
        read(tmp_path, probabilities=halves, classes=classes, labels=["cow", "", "dog"])


def test_no_name_at_all_is_no_label(tmp_path: Path) -> None:
    pool = read(tmp_path, embeddings=np.eye(3), labels=["", "", ""])
    assert not pool.labelled.any()


@pytest.mark.parametrize(
    "labels", [["cat"] * 12 + [""] * 8 + ["cow"], [0] * 12 + [-1] * 8 + [7]], ids=["name", "number"]
)
def test_one_label_that_is_no_class_is_left_out_and_its_item_counts_as_labelled(
    tmp_path: Path, labels: list[object]
) -> None:
    names = {"classes": ["cat", "dog"]} if labels[0] == "cat" else {}
    rows = np.full((21, 2), 0.5)
    ids = [f"i{n}" for n in range(21)]
    np.savez(tmp_path / "p.npz", item_ids=ids, probabilities=rows, labels=labels, **names)
    pool = open_adapter("files", path=str(tmp_path / "p.npz")).read()
    assert pool.labels.tolist() == [0] * 12 + [-1] * 9
    assert pool.labelled.tolist() == [True] * 12 + [False] * 8 + [True]
    left_out = next(notice for notice in pool.notices if notice.code == "left_out")
    assert left_out.item_ids == ("i20",)


IDS = ["id", "image_id", "image", "uuid", "index", "sample_ids", "fnames", "img_paths"]


@pytest.mark.parametrize("name", IDS)
def test_arrays_of_ids_go_by_all_usual_names(tmp_path: Path, name: str) -> None:
    np.savez(tmp_path / "p.npz", probabilities=np.eye(2), **{name: ["b", "a"]})
    assert open_adapter("files", path=str(tmp_path / "p.npz")).read().item_ids.tolist() == [
        "b",
        "a",
    ]


def test_an_array_that_does_not_tell_the_items_apart_is_no_id(tmp_path: Path) -> None:
    np.savez(tmp_path / "p.npz", probabilities=np.eye(2), video=["v", "v"])
    assert open_adapter("files", path=str(tmp_path / "p.npz")).read().item_ids.tolist() == [
        "0",
        "1",
    ]


def test_pictures_beside_the_scores_are_no_ids(tmp_path: Path) -> None:
    np.savez(tmp_path / "p.npz", probabilities=np.eye(2), image=np.zeros((2, 4, 4)))
    assert open_adapter("files", path=str(tmp_path / "p.npz")).read().item_ids.tolist() == [
        "0",
        "1",
    ]


def test_the_key_names_the_array_of_ids(tmp_path: Path) -> None:
    rows = [[0.9, 0.1], [0.6, 0.4], [0.2, 0.8]]
    np.savez(tmp_path / "p.npz", number=[2, 1, 0], probabilities=rows)
    pool = open_adapter("files", path=str(tmp_path / "p.npz"), key="number").read()
    assert pool.item_ids.tolist() == ["2", "1", "0"]
    with pytest.raises(InvalidInput, match=r"source\.key.* must be one of .*; got 'nope'"):
        open_adapter("files", path=str(tmp_path / "p.npz"), key="nope").read()


def test_predictions_name_the_classes_of_confidences(tmp_path: Path) -> None:
    arrays = {"prediction": ["dog", "cat"], "confidence": [0.9, 0.6]}
    np.savez(tmp_path / "p.npz", item_ids=["x", "y"], **arrays)
    pool = open_adapter("files", path=str(tmp_path / "p.npz")).read()
    assert (pool.classes, pool.top_classes.tolist()) == (("cat", "dog"), [1, 0])


def test_predictions_beside_a_few_labels_name_classes_too(tmp_path: Path) -> None:
    arrays = {"prediction": ["dog", "cat", ""], "labels": ["", "cow", ""]}
    pool = read(tmp_path, confidence=[0.9, 0.6, 0.5], **arrays)
    assert pool.classes == ("cat", "cow", "dog")
    assert (pool.top_classes.tolist(), pool.labels.tolist()) == ([2, 0, -1], [-1, 1, -1])


def test_a_file_in_an_archive_that_is_no_array_is_passed_over(tmp_path: Path) -> None:
    read(tmp_path, probabilities=np.full((3, 2), 0.5))
    with zipfile.ZipFile(tmp_path / "p.npz", "a") as archive:
        archive.writestr("README.txt", "hello")
        archive.writestr("broken.npy", "broken")
    pool = open_adapter("files", path=str(tmp_path / "p.npz")).read()
    assert pool.item_ids.tolist() == ["x", "y", "z"]


@pytest.mark.parametrize("ids", [[1e17, 2e17], [1.5, 2.0]])
def test_floats_that_have_several_texts_are_no_ids(tmp_path: Path, ids: list[float]) -> None:
    np.savez(tmp_path / "p.npz", item_ids=ids, probabilities=np.eye(2))
    with pytest.raises(InvalidInput, match="item_ids must be text or whole numbers; got float64"):
        open_adapter("files", path=str(tmp_path / "p.npz")).read()

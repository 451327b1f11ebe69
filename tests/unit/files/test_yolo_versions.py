"""YOLO folders of several model versions."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from labelnext import rank
from labelnext.errors import InvalidInput, NotFound
from labelnext.pool.masks import mask_iou
from tests.formats.independent import read
from tests.unit.files.test_yolo import write

DOG, CAT = "1 0.5 0.5 0.5 0.5 0.75\n", "0 0.5 0.5 0.5 0.5 0.75\n"


def test_older_folders_are_a_committee_aligned_by_id(tmp_path: Path) -> None:
    write(tmp_path / "v1" / "labels", a=CAT, b=CAT, c=CAT)
    write(tmp_path / "v2" / "labels", b=DOG, a=CAT, d=CAT)
    for name in ("a", "b", "c", "d"):  # v2 saw them all
        (tmp_path / "v2" / f"{name}.jpg").write_bytes(b"")
    pool = read(tmp_path / "v2", older=[str(tmp_path / "v1" / "labels")])
    assert pool.item_ids.tolist() == ["a.jpg", "b.jpg", "c.jpg", "d.jpg"]
    assert pool.versions == ("v1", "v2")
    first, second = pool.objects
    assert first.counts.tolist() == [1, 1, 1, 0]
    assert second.counts.tolist() == [1, 1, 0, 1]
    assert first.missing.tolist() == [False, False, False, True]  # v1 has no image of d
    assert second.missing is None  # c.jpg is there: no objects
    assert [n.item_ids for n in pool.notices if n.code == "missing_members"] == [("d.jpg",)]
    assert set(rank(pool).item_ids.tolist()[:2]) == {
        "b.jpg",
        "c.jpg",
    }  # on which the versions disagree


def test_a_version_saw_the_images_beside_its_text_files(tmp_path: Path) -> None:
    for version in ("v1", "v2"):
        write(tmp_path / version / "labels", a=CAT)
        (tmp_path / version / "a.jpg").write_bytes(b"")
    (tmp_path / "v1" / "b.png").write_bytes(b"")
    pool = read(tmp_path / "v2", older=[str(tmp_path / "v1")])
    assert pool.item_ids.tolist() == ["a.jpg", "b.png"]
    assert pool.objects[0].missing is None
    assert pool.objects[1].missing.tolist() == [False, True]


def test_the_stated_images_are_those_of_the_newest_version(tmp_path: Path) -> None:
    write(tmp_path / "v1" / "labels", a=CAT)
    write(tmp_path / "v2" / "labels", a=CAT)
    (tmp_path / "images").mkdir()
    for name in ("a", "b"):
        (tmp_path / "images" / f"{name}.jpg").write_bytes(b"")
    pool = read(
        tmp_path / "v2",
        older=[str(tmp_path / "v1")],
        image_folder=str(tmp_path / "images"),
    )
    assert pool.item_ids.tolist() == ["a.jpg", "b.jpg"]
    assert pool.objects[0].missing.tolist() == [False, True]
    assert pool.objects[1].missing is None


def test_older_folders_of_classification_are_a_committee(tmp_path: Path) -> None:
    write(tmp_path / "v1" / "labels", a="0.75 cat\n0.25 dog\n", b="0.75 cat\n0.25 dog\n")
    write(tmp_path / "v2" / "labels", a="0.75 cat\n0.25 dog\n", b="0.25 cat\n0.75 dog\n")
    pool = read(tmp_path / "v2", older=[str(tmp_path / "v1")])
    assert pool.probabilities.shape == (2, 2, 2)
    assert rank(pool).item_ids.tolist() == ["b", "a"]


def test_versions_with_other_classes_are_refused(tmp_path: Path) -> None:
    for version, names in (("v1", "[cat, dog]"), ("v2", "[dog, cat]")):
        write(tmp_path / version / "labels", a=CAT)
        (tmp_path / version / "data.yaml").write_text(f"names: {names}\n")
    with pytest.raises(InvalidInput, match="all versions must have the same classes"):
        read(tmp_path / "v2", older=[str(tmp_path / "v1")])


def test_an_older_folder_must_be_another_that_exists(tmp_path: Path) -> None:
    write(tmp_path / "v2" / "labels", a=CAT)
    with pytest.raises(NotFound, match="older must be folders"):
        read(tmp_path / "v2", older=[str(tmp_path / "v1")])
    with pytest.raises(InvalidInput, match="older must be other folders than path"):
        read(tmp_path / "v2", older=[str(tmp_path / "v2")])


def test_an_error_names_the_older_folder(tmp_path: Path) -> None:
    write(tmp_path / "v1" / "labels", a="0 0.5 0.5 0.5 0.5\n")
    write(tmp_path / "v2" / "labels", a=CAT)
    with pytest.raises(InvalidInput, match="v1: the text files must hold predictions"):
        read(tmp_path / "v2", older=[str(tmp_path / "v1")])


def segments(*points: float) -> str:
    return f"0 {' '.join(map(str, points))} 0.75\n"


def test_segments_of_versions_are_compared_as_masks(tmp_path: Path) -> None:
    square = segments(0, 0, 0.5, 0, 0.5, 0.5, 0, 0.5)
    triangle = segments(0, 0, 0.5, 0, 0.5, 0.5, 0.25, 0.25)  # half of it, in the same box
    write(tmp_path / "v1" / "labels", a=square, b=square)
    write(tmp_path / "v2" / "labels", a=square, b=triangle)
    pool = read(tmp_path / "v2", older=[str(tmp_path / "v1")], task="segment")
    first, second = pool.objects
    np.testing.assert_allclose(first.boxes, second.boxes)
    overlaps = mask_iou(first.masks, second.masks)
    assert overlaps[0, 0] == 1.0
    assert overlaps[1, 1] == pytest.approx(0.5, abs=0.01)
    assert rank(pool).item_ids.tolist() == ["b", "a"]


def test_segments_of_one_version_need_no_masks(tmp_path: Path) -> None:
    write(tmp_path, a=segments(0, 0, 0.5, 0, 0.5, 0.5, 0, 0.5))
    assert read(tmp_path, task="segment").objects.masks is None


def test_segments_beside_boxes_are_compared_by_boxes(tmp_path: Path) -> None:
    write(tmp_path / "v1" / "labels", a=CAT)
    write(tmp_path / "v2" / "labels", a=segments(0.25, 0.25, 0.75, 0.25, 0.75, 0.75, 0.25, 0.75))
    pool = read(tmp_path / "v2", older=[str(tmp_path / "v1")])
    assert [one.masks for one in pool.objects] == [None, None]
    np.testing.assert_allclose(pool.objects[0].boxes, pool.objects[1].boxes)

"""Boxes in lines of text: where the confidence stands, and what is said where it can't be told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from labelnext.adapter import open_adapter
from labelnext.adapter.formats import recognition
from labelnext.errors import InvalidInput, LabelnextError
from tests.formats.independent import by_mean, ranked


def text(folder: Path, **files: str) -> Any:
    (folder / "out").mkdir()
    for name, lines in files.items():
        (folder / "out" / f"{name}.txt").write_text(lines)
    assert recognition(folder / "out").format.name == "voc-text"
    return open_adapter("files", path="out", directory=folder).read()


def test_the_confidence_of_text_lines_may_stand_last(tmp_path: Path) -> None:
    pool = text(tmp_path, b="car 10 20 50 40 0.9\n", a="car 10 20 50 40 0.3\n", c="")
    assert ranked(pool) == by_mean({"a": [0.3], "b": [0.9], "c": []})


def test_text_lines_with_two_numbers_that_could_be_the_confidence_are_refused(
    tmp_path: Path,
) -> None:
    with pytest.raises(InvalidInput, match="either of two numbers can be the confidence"):
        text(tmp_path, a="car 0.1 0.2 0.3 0.4 0.9\n")


def test_boxes_of_fractions_show_where_the_confidence_stands(tmp_path: Path) -> None:
    row = "traffic light 0.{} 0.1 0.2 0.5 0.4\n"
    pool = text(tmp_path, b=row.format(9) * 3, a=row.format(3) * 3, c="")
    assert ranked(pool) == by_mean({"a": [0.3], "b": [0.9], "c": []})
    assert pool.classes == ("traffic light",)
    np.testing.assert_allclose(pool.objects.boxes, [[0.1, 0.2, 0.5, 0.4]] * 6)


def test_one_odd_box_does_not_make_pixels_of_all(tmp_path: Path) -> None:
    pool = text(tmp_path, a="car 0.9 0.1 0.2 0.5 0.4\n" * 19, b="car 0.3 0.1 0.2 0.5 7.4\n")
    np.testing.assert_allclose(pool.objects.boxes[:19], [[0.1, 0.2, 0.5, 0.4]] * 19)
    assert [one.item_ids for one in pool.notices if one.code == "clipped_boxes"] == [("b",)]


def test_a_file_that_is_no_text_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("car 0.9 10 20 50 40\n")
    (tmp_path / "b.txt").write_bytes(b"c\xe4r 0.9 10 20 50 40\n")
    adapter: Any = open_adapter("files", path=str(tmp_path), format="voc-text")
    with pytest.raises(InvalidInput, match=r"b\.txt: the file must be text in UTF-8; line 1"):
        adapter.read()


@pytest.mark.parametrize("line", ["car 90 10 20 50 40\n", "car 0.9 0.9 0.8 0.8 0.5\n"])
def test_text_lines_without_a_confidence_are_refused(tmp_path: Path, line: str) -> None:
    with pytest.raises(InvalidInput, match="a confidence in .0, 1., and a box x1 y1 x2 y2") as told:
        text(tmp_path, a=line * 5)
    assert "divide percentages by 100" in str(told.value.hint)


def test_text_lines_that_begin_with_images_need_files_that_name_the_class(tmp_path: Path) -> None:
    lines = "".join(f"{n:06} 0.{n} 10 20 50 40\n" for n in range(1, 5))
    with pytest.raises(InvalidInput, match="'000001' and 3 other words seem to be images"):
        text(tmp_path, car=lines, dog=lines)


def test_frames_of_several_videos_are_told_apart(tmp_path: Path) -> None:
    for name, sure in (("MOT17-02", 0.9), ("MOT17-04", 0.3)):
        (tmp_path / "out" / name / "det").mkdir(parents=True)
        lines = f"7,-1,10,20,40,20,{sure},-1,-1,-1\n8,-1,10,20,40,20,0.6,-1,-1,-1\n"
        (tmp_path / "out" / name / "det" / "det.txt").write_text(lines)
    pool = open_adapter("files", path="out", directory=tmp_path).read()
    assert ranked(pool) == ["MOT17-04/7", "MOT17-02/8", "MOT17-04/8", "MOT17-02/7"]


def test_a_tracker_without_confidence_is_told_so(tmp_path: Path) -> None:
    lines = "".join(f"{frame},1,10,20,40,20,-1,-1,-1,-1\n" for frame in range(3))
    with pytest.raises(InvalidInput, match="its confidence is -1, which says that there is none"):
        text(tmp_path, video=lines)


@pytest.mark.parametrize(
    ("line", "sure"),
    [
        ("0 320 240 100 80 {}", "last number in pixels, a middle and a size"),
        ("car {} 320 240 100 80", "second number in pixels"),
        ("traffic light,{},0.5,0.5,0.2,0.2", "between commas"),
        ("car 0,5 0,5 0,2 0,2 {}", "decimal commas"),
        ("0 0,5 0,5 0,2 0,2 {}", "decimal commas of numbered classes"),
        ("0;0.5;0.5;0.2;0.2;{}", "between semicolons"),
    ],
)
def test_the_confidence_is_found_by_what_the_others_are(
    tmp_path: Path, line: str, sure: str
) -> None:
    (tmp_path / "out").mkdir()
    for name, number in {"a": "0.9", "b": "0.31", "c": "0.6"}.items():
        number = number.replace(".", ",") if "decimal" in sure else number
        (tmp_path / "out" / f"{name}.txt").write_text(line.format(number) + "\n")
    assert ranked(open_adapter("files", path="out", directory=tmp_path).read()) == ["b", "c", "a"]


def test_a_confidence_that_may_stand_in_two_places_is_asked_about(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="either of two numbers can be the confidence in 'car"):
        text(tmp_path, a="car 0.5 0.5 0.5 0.5 0.5\n")


def test_ground_truth_of_mot_is_refused(tmp_path: Path) -> None:
    lines = "".join(f"{frame},1,10,20,40,20,1,1,0.8\n" for frame in range(3))
    with pytest.raises(InvalidInput, match="it is 0 or 1 in all lines, as in ground truth"):
        text(tmp_path, video=lines)


def test_lines_that_only_begin_as_json_are_no_json(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / f"{name}.txt").write_text("[0.5, 0.5, 0.2, 0.2] 0.9 cat\n" * 2)
    with pytest.raises(LabelnextError, match=r"the 2 text files in .* must hold predictions in a"):
        open_adapter("files", path=".", directory=tmp_path).read()
    with pytest.raises(LabelnextError, match="path must end in one of"):
        open_adapter("files", path="a.txt", directory=tmp_path).read()

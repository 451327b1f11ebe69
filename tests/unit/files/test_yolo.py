"""Folders of YOLO text files."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from labelnext.adapter.formats import recognition
from labelnext.adapter.registry import open_adapter
from labelnext.errors import ConfigError, InvalidInput, NotFound
from tests.formats.independent import (
    FIXTURES,
    by_least_confidence,
    by_mean,
    codes,
    ranked,
    read,
)

SAVE = "predict again with save_txt=True save_conf=True"


def last_numbers(folder: Path, place: int = -1) -> dict[str, list[float]]:
    """By an independent loop: one number of each line of each file."""
    return {
        path.stem: [float(line.split()[place]) for line in path.read_text().splitlines()]
        for path in folder.glob("*.txt")
    }


def write(folder: Path, **texts: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for stem, text in texts.items():
        (folder / f"{stem}.txt").write_text(text)
    return folder


def test_a_folder_without_text_files_is_told_how_to_predict(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=rf"must hold a \.txt file.*{SAVE}"):
        read(tmp_path, format="yolo")


def test_a_predict_folder_has_all_its_images_with_names_from_data_yaml() -> None:
    pool = read("yolo/detect/predict")
    told = last_numbers(FIXTURES / "yolo/detect/predict/labels")
    images = {"bus": "bus.jpg", "zidane": "zidane.jpg", "007": "007.png"}
    expected = {images[stem]: numbers for stem, numbers in told.items()} | {"empty.jpg": []}
    assert ranked(pool) == by_mean(expected) == ["empty.jpg", "zidane.jpg", "bus.jpg", "007.png"]
    assert pool.classes == ("person", "bicycle", "car", "cat", "dog", "bus")
    assert pool.objects.counts.tolist() == [1, 2, 0, 1]  # of 007, bus, empty and zidane
    np.testing.assert_allclose(pool.objects.boxes[0], [0.4, 0.35, 0.6, 0.45])
    assert pool.objects.class_ids.tolist() == [2, 0, 5, 0]


def test_the_labels_folder_is_the_same_pool() -> None:
    inner, outer = read("yolo/detect/predict/labels"), read("yolo/detect/predict")
    assert inner.item_ids.tolist() == outer.item_ids.tolist()
    assert inner.objects.confidences.tolist() == outer.objects.confidences.tolist()


def test_it_is_recognised_by_what_it_holds() -> None:
    for inner in ("detect/predict", "obb", "segment", "pose", "classify/predict/labels"):
        known = recognition(FIXTURES / "yolo" / inner)
        assert known.format.name == "yolo"
        assert "text files with a class and numbers" in known.why


@pytest.mark.parametrize("kind", ["obb", "segment", "pose"])
def test_every_shape_is_ranked_by_its_last_number(kind: str) -> None:
    pool = read(f"yolo/{kind}")
    assert ranked(pool) == by_mean(last_numbers(FIXTURES / f"yolo/{kind}/labels")) == ["b", "a"]
    assert sorted(pool.objects.confidences.tolist()) == [0.25, 0.4, 0.75]


def test_a_box_goes_around_the_points_of_a_shape() -> None:
    np.testing.assert_allclose(read("yolo/segment").objects.boxes[0], [0.2, 0.2, 0.6, 0.8])
    np.testing.assert_allclose(read("yolo/obb").objects.boxes[0], [0.1, 0.1, 0.3, 0.2])
    np.testing.assert_allclose(read("yolo/pose").objects.boxes[0], [0.4, 0.35, 0.6, 0.45])


def test_the_id_of_a_track_is_no_confidence() -> None:
    told = last_numbers(FIXTURES / "yolo/track/labels", -2)
    assert ranked(read("yolo/track")) == by_mean(told) == ["video_2", "video_1"]
    with pytest.raises(InvalidInput, match=f"or the id of a track: {SAVE}"):
        read("yolo/ids_without_confidence")


@pytest.mark.parametrize(
    "kind", ["ground_truth", "segment_without_confidence", "pose_without_confidence"]
)
def test_labels_are_refused_by_name(kind: str) -> None:
    with pytest.raises(InvalidInput, match=f"labels, not predictions.*{SAVE}"):
        read(f"yolo/{kind}")


def test_classification_is_ranked_by_its_probabilities() -> None:
    pool = read("yolo/classify/predict")
    told = last_numbers(FIXTURES / "yolo/classify/predict/labels", 0)
    expected = by_least_confidence({f"{stem}.jpg": numbers for stem, numbers in told.items()})
    assert ranked(pool, "least_confidence") == expected == ["b.jpg", "a.jpg"]
    assert pool.classes == ("7", "dog", "tabby cat")


def test_images_and_names_come_from_a_data_yaml_above() -> None:
    pool = read("yolo/dataset/run")
    assert pool.item_ids.tolist() == ["a.jpg", "b.jpg", "c"]  # no image z.jpg of another split
    assert pool.classes == ("yes", "2")
    assert "without_image" in codes(pool)
    assert ranked(pool) == ["b.jpg", "a.jpg", "c"]


def test_options_name_the_data_the_images_and_the_classes(tmp_path: Path) -> None:
    write(tmp_path / "out", a="0 .5 .5 .2 .2 .6\n")
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures" / "a.png").touch()
    (tmp_path / "my.yaml").write_text("names: {0: zero}")
    pool = read(tmp_path / "out", data=tmp_path / "my.yaml", image_folder=tmp_path / "pictures")
    assert (pool.item_ids.tolist(), pool.classes) == (["a.png"], ("zero",))
    assert read(tmp_path / "out", classes=["x"]).classes == ("x",)
    with pytest.raises(NotFound, match=r"data must be a file; got .*no\.yaml"):
        read(tmp_path / "out", data=tmp_path / "no.yaml")
    with pytest.raises(NotFound, match=r"image_folder must be a folder"):
        read(tmp_path / "out", image_folder=tmp_path / "no")
    with pytest.raises(ConfigError, match=r"task"):
        read(tmp_path / "out", task="boxes")


def test_classes_without_names_are_their_numbers(tmp_path: Path) -> None:
    pool = read(write(tmp_path, a="2 .5 .5 .2 .2 .6\n"))
    assert pool.classes == ("0", "1", "2")
    assert "derived_classes" in codes(pool)


def test_classes_txt_names_classes_and_is_no_item(tmp_path: Path) -> None:
    folder = write(tmp_path, a="1 .5 .5 .2 .2 .6\n", classes="cat\ndog\n")
    pool = read(folder)
    assert (pool.item_ids.tolist(), pool.classes) == (["a"], ("cat", "dog"))


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("0 .5 .5 x .2 .6", "it must be numbers"),
        ("0 .5 .5 .2 .6", "it has no confidence"),
        ("0 .5 .6", "it must have the numbers class x y width height confidence; it has 3"),
        ("1 .5 .5 .2 .2 .6", "the class must be one of 0; got 1"),
        ("0.5 .5 .5 .2 .2 .6", "the class must be one of 0; got 0.5"),
        ("0 .5 .5 .2 .2 1.6", r"confidence must be in \[0, 1\]; got 1.6"),
        ("0 .5 .5 .2 .2 nan", r"confidence must be in \[0, 1\]; got nan"),
    ],
)
def test_an_odd_line_is_left_out_and_counted(tmp_path: Path, line: str, why: str) -> None:
    good = "0 .5 .5 .2 .2 .6\n"
    pool = read(
        write(tmp_path, a=good * 10, b=good * 9 + "\n" + line + "\n", c=line), classes=["x"]
    )
    (notice,) = [notice for notice in pool.notices if notice.code == "left_out"]
    assert re.search(rf"2 of 21 lines: b\.txt line 11 \(item b\): {why}", notice.message)
    assert notice.item_ids == ("b", "c")
    assert pool.objects.counts.tolist() == [10, 9, 0]
    assert ranked(pool) == ["a", "b"]  # nobody knows what c shows


def test_many_odd_lines_stop(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"can't use 1 of 3 lines: a\.txt line 2 \(item a\)"):
        read(write(tmp_path, a="0 .5 .5 .2 .2 .6\n0 .5 .5 .2 .2 60\n0 .5 .5 .2 .2 .6\n"))


def test_a_box_outside_of_the_image_loses_the_box_alone(tmp_path: Path) -> None:
    pool = read(write(tmp_path, a="0 .5 .5 .2 .2 .5\n", b="0 5 .5 .2 .2 .6\n"))
    assert ranked(pool) == ["a", "b"]
    assert np.isnan(pool.objects.boxes).all(axis=1).tolist() == [False, True]
    (notice,) = [notice for notice in pool.notices if notice.code == "bad_boxes"]
    assert "Left out 1 box, but not the objects in them" in notice.message
    assert notice.item_ids == ("b",)


def test_images_that_share_a_stem_are_not_scored(tmp_path: Path) -> None:
    folder = write(
        tmp_path, **{f"c{i}": "0 .5 .5 .2 .2 .6\n" * 2 for i in range(9)}, a="0 .5 .5 .2 .2 .6"
    )
    for name in ("a.jpg", "a.png"):
        (folder / name).touch()
    pool = read(folder)
    assert {"a.jpg", "a.png"} <= set(pool.item_ids.tolist())
    assert not {"a.jpg", "a.png"} & set(ranked(pool))
    assert any("several images have its name" in n.message for n in pool.notices)


def test_windows_line_ends_marks_and_no_last_line_end_are_taken(tmp_path: Path) -> None:
    folder = write(tmp_path, a="0 .5 .5 .2 .2 .6\r\n0 .5 .5 .2 .2 .4")
    (folder / "b.txt").write_bytes("\ufeff0 .5 .5 .2 .2 .3".encode())
    (folder / "c.txt").write_bytes("0 .5 .5 .2 .2 .2\n".encode("utf-16"))
    pool = read(folder, format="yolo")
    assert pool.objects.confidences.tolist() == [0.6, 0.4, 0.3, 0.2]


def test_folders_in_the_labels_folder_are_part_of_the_ids(tmp_path: Path) -> None:
    for split in ("train", "val"):
        write(tmp_path / "labels" / split, **{"1": "0 .5 .5 .2 .2 .6"})
        (tmp_path / "images" / split).mkdir(parents=True)
        (tmp_path / "images" / split / "1.jpg").touch()
    assert read(tmp_path).item_ids.tolist() == ["train/1.jpg", "val/1.jpg"]


def test_all_text_files_may_be_empty(tmp_path: Path) -> None:
    pool = read(write(tmp_path, a="", b="\n"), format="yolo")
    assert pool.objects.counts.tolist() == [0, 0]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("names: 3", "names must be a list of class names"),
        ("names: [cat, cat]", "distinct"),
        ("names: {x: cat}", "names must be a list of class names"),
        ("[1", "it must be YAML; line 1: "),
        ("- 1", "keys such as names"),
        ("a: &a [x, x]\nb: &b [*a, *a]\nnames: [*b]", "aliases aren't read"),
    ],
)
def test_a_broken_data_yaml_is_named(tmp_path: Path, text: str, why: str) -> None:
    write(tmp_path / "labels", a="0 .5 .5 .2 .2 .6\n")
    (tmp_path / "data.yaml").write_text(text)
    with pytest.raises(InvalidInput, match=why):
        read(tmp_path)


def test_key_points_of_data_yaml_settle_the_layout(tmp_path: Path) -> None:
    write(tmp_path / "labels", a="0 .5 .5 .2 .2 .1 .1 .9 .9 .6\n")  # as long as an oriented box
    (tmp_path / "data.yaml").write_text("names: [man]\nkpt_shape: [2, 2]")
    pool = read(tmp_path)
    np.testing.assert_allclose(pool.objects.boxes[0], [0.4, 0.4, 0.6, 0.6])
    (tmp_path / "data.yaml").write_text("names: [man]")
    np.testing.assert_allclose(read(tmp_path).objects.boxes[0], [0.1, 0.1, 0.9, 0.9])


def test_the_folder_of_a_task_settles_the_layout(tmp_path: Path) -> None:
    text = "0 .5 .5 .2 .2 .41 .41 .59 .59 .6\n"  # two points without visibility
    folder = write(tmp_path / "runs" / "pose" / "predict2" / "labels", a=text)
    np.testing.assert_allclose(read(folder).objects.boxes[0], [0.4, 0.4, 0.6, 0.6])
    assert read(folder, task="segment").objects.boxes[0].tolist() == [0.2, 0.2, 0.59, 0.59]


def test_probability_that_no_class_has_is_kept_for_others(tmp_path: Path) -> None:
    folder = write(tmp_path, a="0.50 cat\n0.20 dog\n", b="0.40 cat\n0.10 dog\n")
    pool = read(folder)
    assert pool.classes == ("cat", "dog", "(other)")
    np.testing.assert_allclose(pool.mean_probabilities, [[0.5, 0.2, 0.3], [0.4, 0.1, 0.5]])
    assert read(folder, classes=["cat", "dog", "cow"]).classes == ("cat", "dog", "cow")


def test_a_folder_of_runs_is_read_if_it_holds_one() -> None:
    pool = read("yolo/detect")
    assert pool.item_ids.tolist() == read("yolo/detect/predict").item_ids.tolist()


def test_a_folder_of_several_runs_asks_for_one(tmp_path: Path) -> None:
    for run in ("predict", "predict2"):
        write(tmp_path / run / "labels", a="0 .5 .5 .2 .2 .6")
    with pytest.raises(InvalidInput, match=r"holds predict/labels, predict2/labels.*predict2"):
        read(tmp_path)


def test_images_without_text_files_and_one_text_file_are_told_what_to_do(tmp_path: Path) -> None:
    images = tmp_path / "predict"
    images.mkdir()
    (images / "a.jpg").touch()
    with pytest.raises(InvalidInput, match=rf"must hold a \.txt file for each image.*{SAVE}"):
        read(images, format="yolo")
    with pytest.raises(InvalidInput, match=f"predict holds images alone; .* {SAVE}"):
        ranked(read(images), "auto")
    write(tmp_path / "labels", a="0 .5 .5 .2 .2 .6\n")
    with pytest.raises(InvalidInput, match=r"must be the folder of the text files.*labels'"):
        read(tmp_path / "labels" / "a.txt")


# ---- a committee


def test_data_yaml_may_be_where_yolo_predict_was_run(tmp_path: Path) -> None:
    labels = tmp_path / "runs" / "detect" / "predict" / "labels"
    labels.mkdir(parents=True)
    (labels / "a.txt").write_text("1 0.5 0.5 0.2 0.2 0.75\n")
    (tmp_path / "data.yaml").write_text("names: [person, dog]\n")
    path = str(tmp_path / "runs" / "detect" / "predict")
    pool = open_adapter("files", path=path).read()  # type: ignore[attr-defined]  # of the files adapter
    assert list(pool.classes) == ["person", "dog"]
    assert pool.objects.class_ids.tolist() == [1]


def test_the_confidence_may_be_the_second_number_or_commas_separate_them() -> None:
    told = last_numbers(FIXTURES / "yolo/detect/predict/labels")
    for name in ("second", "commas"):
        pool = read(f"yolo/{name}")
        assert ranked(pool) == by_mean(told)
        np.testing.assert_allclose(pool.objects.boxes, [[0.4, 0.35, 0.6, 0.45]] * 4)


def test_a_confidence_is_asked_for_where_boxes_prove_no_place(tmp_path: Path) -> None:
    second = "0 0.9 0.5 0.4 0.2 0.1\n" * 19
    write(tmp_path / "labels", a=second + "0 0.5 0.1 0.4 0.5 0.2\n")
    with pytest.raises(InvalidInput, match="source.confidence: last or second"):
        read(tmp_path)
    assert set(read(tmp_path, confidence="second").objects.confidences) == {0.9, 0.5}
    assert set(read(tmp_path, confidence="last").objects.confidences) == {0.1, 0.2}


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        (("0 .5 .5 .2 .2 90", "1 .2 .2 .1 .1 30"), r"got 90.*a percentage, or the id of a track"),
        (("0 .1 .1 .3 .3 90.5", "1 .1 .2 .2 .3 30.5"), r"got 90\.5.*divide percentages by 100"),
        (("0 90 .5 .5 .2 .2", "1 30 .2 .2 .1 .1"), "second number.*got 90.*divide percentages"),
        (("0 .1 .1 .3 .1 .3 .3 .1 .3 90", "0 .1 .1 .3 .1 .3 .3 .1 .3 40"), "divide percentages"),
    ],
)
def test_percentages_are_no_other_form_of_line(
    tmp_path: Path, lines: tuple[str, str], why: str
) -> None:
    folder = write(tmp_path, a=f"{lines[0]}\n", b=f"{lines[1]}\n")
    with pytest.raises(InvalidInput) as caught:
        read(folder)
    assert re.search(why, f"{caught.value} {caught.value.hint}")


def test_a_class_without_a_name_is_none_of_those_named(tmp_path: Path) -> None:
    folder = write(tmp_path, a="0 .5 .5 .2 .2 .6\n", b="1 .5 .5 .2 .2 .6\n")
    (tmp_path / "data.yaml").write_text("names: {1: cat, 2: dog}\n", "utf-8")
    with pytest.raises(InvalidInput, match=r"the class must be one of 1, 2; got 0"):
        read(folder)

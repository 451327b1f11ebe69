"""Detections as rows of numbers or records by image, segments of COCO, images that are unknown."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from labelnext import rank
from labelnext.errors import InvalidInput
from tests.unit.files.reading import order, read

BOX = [10, 20, 50, 40]
#: An image's best first: of one object each, the one nearer to one half; none at all last.
ROWS = {
    "class last": [[*BOX, 0.9, 0], [*BOX, 0.55, 1]],
    "confidence last": [[*BOX, 0, 0.9], [*BOX, 1, 0.55]],
    "class and confidence first": [[0, 0.9, *BOX], [1, 0.55, *BOX]],
    "of YOLO": [[0, 0.5, 0.5, 0.2, 0.2, 0.9], [1, 0.5, 0.5, 0.2, 0.2, 0.55]],
    "fractions": [[0.1, 0.2, 0.5, 0.4, 0.9, 0], [0.1, 0.2, 0.5, 0.4, 0.55, 1]],
    "without a class": [[*BOX, 0.9], [*BOX, 0.55]],
}


@pytest.mark.parametrize("rows", ROWS.values(), ids=ROWS)
@pytest.mark.parametrize("as_records", [False, True])
def test_rows_of_numbers_by_image_are_detections(
    tmp_path: Path, rows: list[Any], as_records: bool
) -> None:
    told: Any = {"a.jpg": [rows[0]], "b.jpg": [rows[1]], "007": []}
    if as_records:
        told = [{"image": name, "detections": found} for name, found in told.items()]
    pool = read(tmp_path, "p.json", told)
    assert order(pool) == ["b.jpg", "a.jpg", "007"]
    assert pool.newest_objects.confidences.tolist() == [0.9, 0.55]


def test_boxes_of_rows_are_read_where_they_are_fractions(tmp_path: Path) -> None:
    pool = read(tmp_path, "p.json", {"a": [ROWS["fractions"][0]], "b": [ROWS["fractions"][1]]})
    assert pool.newest_objects.boxes.tolist() == [[0.1, 0.2, 0.5, 0.4]] * 2
    assert pool.newest_objects.class_ids.tolist() == [0, 1]


@pytest.mark.parametrize(
    "rows",
    [
        [[*BOX, 1, 0], [*BOX, 1, 1]],  # any of the two, and no model is that sure
        [[0, 0.1, 0.2, 0.5, 0.4, 0.9], [0, 0.6, 0.2, 0.5, 1.9, 0.7]],
    ],
)
def test_rows_of_which_the_confidence_cannot_be_told_are_refused(
    tmp_path: Path, rows: list[Any]
) -> None:
    with pytest.raises(InvalidInput, match="none of the numbers, or several, can be the confiden"):
        read(tmp_path, "p.json", {"a.jpg": rows[:1], "b.jpg": rows[1:]})


def test_six_probabilities_stay_probabilities(tmp_path: Path) -> None:
    passes = [[0.5, 0.5, 0, 0, 0, 0], [0.25, 0.25, 0.5, 0, 0, 0]]
    pool = read(tmp_path, "p.json", [{"id": "a", "predictions": passes}])
    assert pool.members.shape == (2, 1, 6)


RECORDS = [
    {"x1": 10, "y1": 20, "x2": 50, "y2": 40, "conf": 0, "cls": 1},
    {"bbox": BOX, "score": 0, "label": "car"},
    {"bbox": BOX, "confidence": 0, "class": "car"},
    {"box": BOX, "score": 0, "class_id": 1},
]


@pytest.mark.parametrize("record", RECORDS)
def test_records_of_objects_by_image(tmp_path: Path, record: dict[str, Any]) -> None:
    (sure,) = {"conf", "score", "confidence"} & record.keys()
    told = {
        "a.jpg": [{**record, sure: 0.9}, {**record, sure: 0.3}],
        "b.jpg": [{**record, sure: 0.8}],
        "c.jpg": [],
    }
    pool = read(tmp_path, "p.json", told)
    ids = rank(pool, "mean_object_confidence").item_ids.tolist()
    assert ids == ["c.jpg", "a.jpg", "b.jpg"]  # means 0 by its policy, .6 and .8


def panoptic(*scores: float | None) -> list[dict[str, Any]]:
    return [
        {"image_id": n, "file_name": f"{n}.png", "segments_info": [
            {"id": 9, "category_id": 1, "area": 4} | ({} if s is None else {"score": s})]}
        for n, s in enumerate(scores, 1)
    ]  # fmt: skip


def test_segments_of_panoptic_files_are_objects(tmp_path: Path) -> None:
    assert order(read(tmp_path, "list.json", panoptic(0.9, 0.6))) == ["2", "1"]
    images = [{"id": n, "file_name": f"{n}.jpg", "width": 100, "height": 80} for n in (1, 2, 3)]
    kinds = [{"id": 1, "name": "sky"}]
    data = {"images": images, "categories": kinds, "annotations": panoptic(0.9, 0.6)}
    pool = read(tmp_path, "set.json", data, key="file_name")
    assert order(pool) == ["2.jpg", "1.jpg", "3.jpg"]
    assert pool.classes == ("sky",)


@pytest.mark.parametrize("categories", [{}, {"categories": None}, {"categories": []}])
@pytest.mark.parametrize("listed", [True, False])
def test_classes_that_no_categories_name_are_told(
    tmp_path: Path, categories: dict[str, Any], listed: bool
) -> None:
    images = [{"id": n, "width": 100, "height": 80} for n in (1, 2)]
    (tmp_path / "images.json").write_text(json.dumps({"images": images, **categories}))
    told = [
        {"image_id": n, "category_id": kind, "bbox": BOX, "score": 0.5}
        for n, kind in [(1, 90), (2, 13)]
    ]
    given = {"images": "images.json"} if listed else {}
    pool = read(tmp_path, "p.json", told, **given)
    assert pool.classes == ("90", "13")
    (message,) = [n.message for n in pool.notices if n.code == "nameless_classes"]
    assert message == "Classes are named by their category_id, as no categories name them: 90, 13."


def test_detections_without_a_class_have_none_to_name(tmp_path: Path) -> None:
    (tmp_path / "images.json").write_text(json.dumps([{"id": 1, "width": 100, "height": 80}]))
    told = [{"image_id": 1, "bbox": BOX, "score": 0.5}]
    pool = read(tmp_path, "p.json", told, format="coco", images="images.json")
    assert "nameless_classes" not in [n.code for n in pool.notices]


def test_a_box_around_a_corner_of_its_image_has_its_middle_there(tmp_path: Path) -> None:
    box = {"x": 0, "y": 0, "width": 40, "height": 20}
    one = {"class": "cat", "class_id": 0, "confidence": 0.5, **box}
    image = {"width": 100, "height": 100}
    told = {"predictions": [one], "image": image, "time": 0.1}
    pool = read(tmp_path, "p.json", told, format="roboflow")
    # From -0.2, -0.1 to 0.2, 0.1 of the image, of which a quarter is inside.
    assert pool.newest_objects.boxes.tolist() == [[0.0, 0.0, 0.2, 0.1]]


def test_segments_without_scores_are_labels(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="every detection must have a score") as caught:
        read(tmp_path, "p.json", panoptic(None, None))
    assert "labels, not predictions" in str(caught.value.hint)


@pytest.mark.parametrize("odd", ["high", None, 7])
@pytest.mark.parametrize("versions", [1, 2])
def test_an_image_of_which_all_was_left_out_is_unknown(
    tmp_path: Path, odd: Any, versions: int
) -> None:
    images = [{"id": n, "file_name": f"{n}.jpg", "width": 9, "height": 9} for n in range(13)]
    (tmp_path / "images.json").write_text(
        json.dumps({"images": images, "categories": [{"id": 1, "name": "car"}]})
    )
    box = {"category_id": 1, "bbox": [1, 1, 4, 4]}
    told = [{"image_id": n, "score": 0.5, **box} for n in range(11)]
    told.append({"image_id": 11, "score": odd, **box})
    older = {} if versions == 1 else {"older": ["old.json"]}
    (tmp_path / "old.json").write_text(json.dumps(told))
    pool = read(tmp_path, "p.json", told, images="images.json", **older)
    assert pool.missing.tolist() == [n == 11 for n in range(13)]  # 12 has no objects
    (notice,) = {n.message for n in pool.notices if n.code == "left_out"}
    assert notice.startswith("Left out 1 of 12 detections: record 12 (item 11): ")


def test_one_number_an_item_asks_what_it_is(tmp_path: Path) -> None:
    told = {"a.jpg": 0.9, "b.jpg": 0.5, "007": 0.7}
    pool = read(tmp_path, "p.json", told, columns={"confidence": "score"})
    assert order(pool) == ["b.jpg", "007", "a.jpg"]
    (notice,) = [n for n in read(tmp_path, "p.json", told).notices if n.code == "no_predictions"]
    assert "score can be how sure the model is of its answer" in notice.message


def test_the_image_and_not_the_box_is_the_item(tmp_path: Path) -> None:
    rows = ["0001,7,1,2,3,4,car,0.9", "0002,7,1,2,3,4,car,0.3", "0002,8,1,2,3,4,car,0.4"]
    pool = read(tmp_path, "p.csv", "\n".join(["frame,id,x1,y1,x2,y2,class,conf", *rows, ""]))
    assert order(pool) == ["0002", "0001"]
    assert pool.newest_objects.confidences.tolist() == [0.9, 0.3, 0.4]


def test_results_beside_what_is_said_of_the_file(tmp_path: Path) -> None:
    found = {n: [{"sample_token": n, "detection_name": "car", "detection_score": s, "points": 1}]
             for n, s in (("007", 0.9), ("b", 0.55))}  # fmt: skip
    told = {"meta": {"use_camera": True}, "results": {**found, "c": []}}
    assert order(read(tmp_path, "p.json", told)) == ["b", "007", "c"]


def test_a_number_with_thousands_refuses_nothing(tmp_path: Path) -> None:
    rows = 'a,"1,234",0.9,0.1\nb,"2,345",0.5,0.5\n'
    assert order(read(tmp_path, "p.csv", f"id,views,cat,dog\n{rows}")) == ["b", "a"]


def test_a_first_line_that_is_a_row_is_told(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="the first line must name the columns"):
        read(tmp_path, "p.csv", "a.jpg,1,2,3,4,car,0.9\nb.jpg,1,2,3,4,car,0.5\n")


def test_a_table_of_texts_is_told_to_be_called_by_them(tmp_path: Path) -> None:
    rows = [{"text": "x", "predict_proba": [0.9, 0.1]}, {"text": "y", "predict_proba": [0.5, 0.5]}]
    with pytest.raises(InvalidInput, match="column item_id") as caught:
        read(tmp_path, "p.json", rows)
    assert "source.columns: {item_id: text}" in str(caught.value.hint)
    assert order(read(tmp_path, "p.json", rows, columns={"item_id": "text"})) == ["y", "x"]


@pytest.mark.parametrize("first", [True, False])
def test_rows_with_the_name_of_a_class_are_detections(tmp_path: Path, first: bool) -> None:
    def row(sure: float) -> list[Any]:
        return ["car", sure, *BOX] if first else [*BOX, sure, "car"]

    told = {"a": [row(0.9), row(0.3)], "b": [row(0.55)], "c": [], "d": None}
    pool = read(tmp_path, "p.json", told)
    assert pool.classes == ("car",)
    assert pool.newest_objects.confidences.tolist() == [0.9, 0.3, 0.55]
    assert pool.missing.tolist() == [False, False, False, True]


def test_images_without_a_segment_have_no_objects(tmp_path: Path) -> None:
    empty = {"image_id": 3, "file_name": "3.png", "segments_info": []}
    pool = read(tmp_path, "p.json", [*panoptic(0.9, 0.6), empty])
    assert order(pool) == ["2", "1", "3"]


def test_several_columns_with_a_score_are_asked_about(tmp_path: Path) -> None:
    head = "id,sentiment,sentiment_score,mood,mood_score"
    rows = "a,pos,0.5,joy,0.5\nb,neg,0.25,joy,0.75\n"  # which would sum to 1 in every row
    with pytest.raises(InvalidInput, match="sentiment, mood have a score") as caught:
        read(tmp_path, "p.csv", f"{head}\n{rows}")
    assert "{prediction: sentiment, confidence: sentiment_score}" in str(caught.value.hint)


@pytest.mark.parametrize("fields", ["fields", "_fields"])
@pytest.mark.parametrize("size", [{}, {"image_size": [10, 20]}, {"_image_size": [10, 20]}])
def test_fields_of_detectron2_may_be_those_of_its_instances(
    tmp_path: Path, fields: str, size: dict[str, Any]
) -> None:
    found = {
        i: {
            "instances": {
                fields: {"pred_boxes": [[2, 1, 4, 5]], "scores": [p], "pred_classes": [0]},
                **size,
            }
        }
        for i, p in (("a.jpg", 0.9), ("b.jpg", 0.3))
    }
    pool = read(tmp_path, "p.json", found)
    assert rank(pool, "mean_object_confidence").item_ids.tolist() == ["b.jpg", "a.jpg"]
    if size:
        assert pool.objects.boxes[0].tolist() == pytest.approx([0.1, 0.1, 0.2, 0.5])


TOOLS: dict[str, Any] = {
    "torchvision": lambda p: {"boxes": [[1, 1, 4, 4]], "labels": [1], "scores": [p]},
    "mmdetection": lambda p: {"bboxes": [[1, 1, 4, 4]], "labels": [0], "scores": [p]},
    "detectron2": lambda p: {"instances": {"pred_boxes": [[1, 1, 4, 4]], "scores": [p]}},
    "ultralytics": lambda p: [
        {"name": "cat", "class": 0, "confidence": p, "box": {"x1": 1, "y1": 1, "x2": 4, "y2": 4}}
    ],
}


@pytest.mark.parametrize("tool", TOOLS)
@pytest.mark.parametrize("key", ["prediction", "predictions", "output", "result"])
@pytest.mark.parametrize("image", ["file_name", "id"])
@pytest.mark.parametrize("ending", ["json", "jsonl"])
def test_what_a_tool_said_may_stand_beside_the_name_of_its_image(
    tmp_path: Path, tool: str, key: str, image: str, ending: str
) -> None:
    scores = {"a.jpg": 0.9, "b.jpg": 0.3, "c.jpg": 0.6}
    records = [{image: name, key: TOOLS[tool](p)} for name, p in scores.items()]
    text = json.dumps(records) if ending == "json" else "\n".join(map(json.dumps, records))
    pool = read(tmp_path, f"p.{ending}", text)
    assert rank(pool, "mean_object_confidence").item_ids.tolist() == ["b.jpg", "c.jpg", "a.jpg"]

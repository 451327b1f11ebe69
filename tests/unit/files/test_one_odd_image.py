"""One odd image among many: it is left out and named, and all others stay as they are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from labelnext.errors import InvalidInput
from labelnext.pool.pool import Pool
from tests.formats.independent import codes
from tests.unit.files.images import put, told
from tests.unit.files.images import read as pool_of

N = 30
BOX = {"xmin": 1, "ymin": 2, "xmax": 3, "ymax": 4}
KITTI = "Car 0 0 -1.5 1 2 3 4 1 1 1 1 1 1 1 {}\n"
VISDRONE = "10,20,30,40,{},1,-1,-1\n"
MOT = "{},1,10,20,30,40,{},-1,-1,-1\n"


def read(folder: Path, files: dict[str, Any]) -> Pool:
    """The pool of a file, or of the folder of several."""
    put(folder / "p", files)
    return pool_of(folder, "p" if len(files) > 1 else f"p/{next(iter(files))}")


def left_out(pool: Pool) -> str:
    return " ".join(f"{n.message} {n.item_ids}" for n in pool.notices if n.code == "left_out")


def of_texts(line: str, odd: str) -> dict[str, str]:
    return {**{f"{n}.txt": line.format(0.5) for n in range(N)}, "x.txt": odd}


TEXTS = {
    "KITTI": of_texts(KITTI, KITTI.format("?")),
    "KITTI cut off": of_texts(KITTI, "Car 0 0 -1.5 1 2 3\n"),
    "VisDrone": of_texts(VISDRONE, VISDRONE.format("?")),
    "VisDrone, other end": of_texts(VISDRONE, "10,20,30,40,?,1,0,0\n"),
    "VisDrone, one value less": of_texts(VISDRONE, "10,20,40,0.5,1,-1,-1\n"),
    "YOLO": of_texts("0 0.5 0.5 0.2 0.2 {}\n", "cat 0.5 0.5 0.2 0.2 0.5\n"),
}


@pytest.mark.parametrize("files", TEXTS.values(), ids=TEXTS)
def test_an_odd_line_of_text(tmp_path: Path, files: dict[str, str]) -> None:
    pool = read(tmp_path, files)
    assert told(pool) == {**{str(n): [0.5] for n in range(N)}, "x": None}
    assert "x.txt line 1 (item x)" in left_out(pool)


@pytest.mark.parametrize("frame", ["?", "1.5", "None"])
def test_an_odd_frame_of_mot(tmp_path: Path, frame: str) -> None:
    lines = [MOT.format(n + 1, 0.5) for n in range(N)]
    lines.insert(7, MOT.format(frame, 0.5))
    pool = read(tmp_path, {"video.txt": "".join(lines)})
    assert told(pool) == {str(n + 1): [0.5] for n in range(N)}
    assert "video.txt line 8" in left_out(pool)
    assert "must begin with the number of a frame" in left_out(pool)


def test_files_of_spaces_are_images_without_objects(tmp_path: Path) -> None:
    files = {**of_texts("car {} 1 2 3 4\n", "\n"), "y.txt": "  \n\n"}
    assert told(read(tmp_path, files)) == {**{str(n): [0.5] for n in range(N)}, "x": [], "y": []}


@pytest.mark.parametrize("line", [KITTI, VISDRONE, "car {} 1 2 3 4\n"])
def test_more_than_a_tenth_of_the_lines(tmp_path: Path, line: str) -> None:
    files = {f"{n:02}.txt": line.format("?" if n % 6 == 0 else 0.5) for n in range(N)}
    with pytest.raises(InvalidInput, match=r"can't use 5 of 30 .*: 00.txt line 1 .*; 24.txt"):
        read(tmp_path, files)


def test_more_than_a_tenth_of_the_lines_of_mot(tmp_path: Path) -> None:
    lines = [MOT.format(n + 1, 0.5 if n % 6 else "?") for n in range(N)]
    with pytest.raises(InvalidInput, match=r"can't use 5 of 30 detections: video.txt line 1"):
        read(tmp_path, {"video.txt": "".join(lines)})


def test_objects_are_counted_not_the_outputs_that_hold_them(tmp_path: Path) -> None:
    def outputs(n_odd: int) -> dict[str, Any]:
        scores = ["?" if n < n_odd else 0.5 for n in range(N)]
        return {str(n): [{"label": "c", "score": s, "box": BOX}] for n, s in enumerate(scores)}

    assert "Left out 3 of 30 outputs: key '0', object 1" in left_out(
        read(tmp_path, {"h.json": outputs(3)})
    )
    with pytest.raises(InvalidInput, match=r"can't use 4 of 30 outputs: key '0', object 1"):
        read(tmp_path, {"h.json": outputs(4)})


@pytest.mark.parametrize("turned", [False, True])
def test_an_odd_image_with_other_keys(tmp_path: Path, turned: bool) -> None:
    kinds = [{"boxes": [[1, 2, 3, 4]], "labels": [1], "scores": [0.5]},
             {"xyxy": [[1, 2, 3, 4]], "cls": [1], "conf": [0.5]}]  # fmt: skip
    usual, odd = reversed(kinds) if turned else kinds
    pool = read(tmp_path, {"t.json": {**{str(n): usual for n in range(N)}, "x": odd}})
    assert told(pool) == {**{str(n): [0.5] for n in range(N)}, "x": None}
    assert "(item x): it must be an object with" in left_out(pool)


def response(predictions: Any) -> dict[str, Any]:
    return {"image": {"width": 9, "height": 9}, "predictions": predictions}


def sample(path: str, detections: Any) -> dict[str, Any]:
    field = {"_cls": "Detections", "detections": detections}
    return {"filepath": path, "predictions": field}


ROBOFLOW = {"x": 1, "y": 1, "width": 1, "height": 1, "class": "c", "confidence": 0.5}
FIFTYONE = {"_cls": "Detection", "label": "c", "confidence": 0.5, "bounding_box": [0.1] * 4}


@pytest.mark.parametrize("odd", ["?", -5, True, {"c": {"confidence": 0.5}}])
def test_an_odd_response_of_roboflow(tmp_path: Path, odd: Any) -> None:
    said = {f"{n}": response([ROBOFLOW]) for n in range(N)}
    pool = read(tmp_path, {"r.json": {**said, "x": response(odd)}})
    assert {i: c for i, c in told(pool).items() if i != "x"} == {str(n): [0.5] for n in range(N)}
    assert not pool.multilabel


def test_classes_of_roboflow_among_detections_are_told_and_no_empty_image(tmp_path: Path) -> None:
    said = {f"{n}": response([ROBOFLOW]) for n in range(N)}
    said |= {"x": response({"c": {"confidence": 0.5}}), "empty": response({})}
    pool = read(tmp_path, {"r.json": said})
    assert told(pool) == {**{str(n): [0.5] for n in range(N)}, "x": None, "empty": []}
    (message,) = (n.message for n in pool.notices if n.code == "not_read")
    assert message.startswith("The classes of 1 whole image were not read")


@pytest.mark.parametrize("odd", ["?", -5, True, {"a": 1}, None])
def test_odd_detections_of_fiftyone(tmp_path: Path, odd: Any) -> None:
    samples = [sample(str(n), [FIFTYONE]) for n in range(N)]
    pool = read(tmp_path, {"samples.json": {"samples": [*samples, sample("x", odd)]}})
    assert told(pool) == {**{str(n): [0.5] for n in range(N)}, "x": None}
    assert "(item x): predictions must be a list of objects" in left_out(pool)


@pytest.mark.parametrize("odd", ["?", -5, True, ["?"], [1]])
def test_an_odd_list_of_objects_under_any_name(tmp_path: Path, odd: Any) -> None:
    parts = [{"label": "c", "confidence": 0.5, "coordinates": {"x": 1}}]
    records = [{"image": str(n), "annotations": parts} for n in range(N)]
    pool = read(tmp_path, {"r.json": [*records, {"image": "x", "annotations": odd}]})
    assert told(pool) == {**{str(n): [0.5] for n in range(N)}, "x": None}
    (message,) = (n.message for n in pool.notices if n.code == "not_read")
    assert message.startswith("Left annotations out of 1 record, but not the records")
    assert f"record 31: {odd!r}" in message


def test_an_empty_value_in_place_of_a_list_is_not_odd(tmp_path: Path) -> None:
    parts = [{"label": "c", "confidence": 0.5, "coordinates": {"x": 1}}]
    records = [{"image": str(n), "annotations": parts} for n in range(N)]
    for odd in (None, "", {}):
        pool = read(tmp_path, {"r.json": [*records, {"image": "x", "annotations": odd}]})
        assert "not_read" not in codes(pool)
        assert told(pool)["x"] is None


def test_images_with_classes_beside_objects_are_named(tmp_path: Path) -> None:
    place = {"BoundingBox": {"Width": 0.1, "Height": 0.1, "Left": 0.1, "Top": 0.1}}
    label = {"Name": "c", "Confidence": 50.0}
    placed = {**label, "Geometry": place}
    said = {f"{n}": {"CustomLabels": [placed]} for n in range(N)}
    pool = read(tmp_path, {"r.json": {**said, "x": {"CustomLabels": [label]}}})
    (notice,) = (one for one in pool.notices if one.code == "not_read")
    assert notice.item_ids == ("x",)


def test_the_names_of_images_in_odd_files_of_labelme(tmp_path: Path) -> None:
    shape = {"label": "c", "points": [[1, 1], [2, 2]], "score": 0.5}
    files = {f"{n}.json": {"shapes": [shape], "imagePath": f"{n}.jpg"} for n in range(N)}
    pool = read(tmp_path, {**files, "x.json": {"shapes": None, "imagePath": "x.jpg"}})
    assert "x.json (item x.jpg): shapes must be a list" in left_out(pool)

"""Columns that seem to hold ids but hold classes, numbers of boxes, videos or one value for all."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from labelnext.errors import InvalidInput
from tests.unit.files.reading import lines, order, read

SINK = "x_min,y_min,x_max,y_max,class_id,confidence,tracker_id,class_name,"
YOLO = "name,class,confidence,x1,y1,x2,y2,"
BOX = {"x1": 1, "y1": 1, "x2": 2, "y2": 2}


@pytest.mark.parametrize("box", ['"[1,2,3,4]"', '"{""top"": 1, ""left"": 2}"'])
@pytest.mark.parametrize("last", ["car", "tree"])
def test_a_column_name_of_classes_is_no_image(tmp_path: Path, box: str, last: str) -> None:
    rows = [f"{name},{box},{sure}\n" for name, sure in
            [("car", 0.9), ("dog", 0.6), (last, 0.5)]]  # fmt: skip
    content = "".join(["name,bbox,confidence\n", *rows])
    with pytest.raises(InvalidInput, match="'name' seems to hold names of classes: car, dog"):
        read(tmp_path, "t.csv", content)
    stated = read(tmp_path, "t.csv", content, key="name")
    assert set(stated.item_ids.tolist()) == {"car", "dog", last}


@pytest.mark.parametrize("format_", ["json", "jsonl"])
def test_a_key_name_of_classes_is_no_image(tmp_path: Path, format_: str) -> None:
    said = [("u1", "car", 0.9), ("u2", "dog", 0.6), ("u3", "car", 0.5)]
    records = [{"uuid": u, "name": n, "bbox": [1, 2, 3, 4], "confidence": s} for u, n, s in said]
    content: Any = records if format_ == "json" else lines(records)
    with pytest.raises(InvalidInput, match="'name' seems to hold names of classes: car, dog"):
        read(tmp_path, f"t.{format_}", content)


def test_a_column_name_of_files_is_the_image(tmp_path: Path) -> None:
    rows = "a.jpg,0.9,1,1,2,2\na.jpg,0.5,1,1,2,2\nb.jpg,0.9,1,1,2,2\n"
    pool = read(tmp_path, "t.csv", "name,confidence,x1,y1,x2,y2\n" + rows)
    assert order(pool) == ["a.jpg", "b.jpg"]
    rows = "a,0.9,1,1,2,2,cat\na,0.5,1,1,2,2,dog\nb,0.9,1,1,2,2,cat\n"
    pool = read(tmp_path, "t.csv", "name,confidence,x1,y1,x2,y2,label\n" + rows)
    assert order(pool) == ["a", "b"]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("video,frame,class,score,x1,y1,x2,y2\nv,0,a,.9,1,1,2,2\nw,0,a,.5,1,1,2,2\n",
         "'frame' is '0' in rows whose video is v, w"),
        ("site,filename,species,score\nv,1.jpg,a,.9\nw,1.jpg,b,.5\nw,2.jpg,b,.7\n",
         "'filename' is '1.jpg' in rows whose site is v, w"),
        ("file,frame,class,score,x1,y1,x2,y2\nv,0,a,.9,1,1,2,2\nv,1,a,.5,1,1,2,2\n",
         "'file' is 'v' in rows whose frame is 0, 1"),
        ("image_id,split,class,score,x1,y1,x2,y2\n0,train,a,.9,1,1,2,2\n0,val,a,.5,1,1,2,2\n",
         "'image_id' is '0' in rows whose split is train, val"),
        ("image,image_width,image_height,class,score,x1,y1,x2,y2\n"
         "0,640,480,a,.9,1,1,2,2\n0,320,480,a,.5,1,1,2,2\n",
         "'image' is '0' in rows whose image_width is 320, 640"),
        (f"{SINK}file_name,frame_index\n1,1,2,2,0,.9,,car,v.mp4,0\n1,1,2,2,0,.5,,car,v.mp4,1\n",
         "'file_name' is 'v.mp4' in rows whose frame_index is 0, 1"),
        (f"{SINK}video,frame_index\n1,1,2,2,0,.9,,car,v,0\n1,1,2,2,0,.5,,car,w,0\n",
         "'frame_index' is '0' in rows whose video is v, w"),
        (f"{YOLO}image,frame\ncar,2,.9,1,1,2,2,v.mp4,0\ncar,2,.5,1,1,2,2,v.mp4,1\n",
         "'image' is 'v.mp4' in rows whose frame is 0, 1"),
    ],
)  # fmt: skip
def test_an_id_of_several_images_asks(tmp_path: Path, content: str, why: str) -> None:
    with pytest.raises(InvalidInput, match=why) as caught:
        read(tmp_path, "t.csv", content)
    assert "set source.key" in str(caught.value.hint)


def test_frames_of_several_videos_in_json_ask(tmp_path: Path) -> None:
    box = {"xmin": 1, "ymin": 1, "xmax": 2, "ymax": 2}
    records = [{"frame": 0, "video": v, "label": "car", "score": s, "box": box}
               for v, s in {"v": 0.9, "w": 0.5}.items()]  # fmt: skip
    with pytest.raises(InvalidInput, match="'frame' is '0' in rows whose video is v, w"):
        read(tmp_path, "t.json", records)
    named = [{"file": "v", "frame": n, "name": "car", "class": 0, "confidence": s, "box": BOX}
             for n, s in enumerate([0.9, 0.5])]  # fmt: skip
    with pytest.raises(InvalidInput, match="'file' is 'v' in rows whose frame is 0, 1"):
        read(tmp_path, "t.json", named)


@pytest.mark.parametrize("head", ["id", "uuid", ""])
def test_numbers_of_boxes_are_no_images(tmp_path: Path, head: str) -> None:
    content = f"{head},class,score,x1,y1,x2,y2\n0,cat,.9,1,1,2,2\n1,dog,.5,1,1,2,2\n"
    with pytest.raises(InvalidInput, match="must name the image of each detection; .* another in"):
        read(tmp_path, "t.csv", content)
    if head:
        assert order(read(tmp_path, "t.csv", content, key=head)) == ["1", "0"]


def test_ids_of_annotations_beside_repeated_images_ask(tmp_path: Path) -> None:
    content = "id,image_id,category_id,score\n1,10,1,.9\n2,10,1,.5\n3,11,1,.8\n"
    with pytest.raises(InvalidInput, match="'id' is another in every row, and 'image_id' repeats"):
        read(tmp_path, "t.csv", content)
    assert len(read(tmp_path, "t.csv", content, key="id")) == 3
    assert len(read(tmp_path, "t.csv", content, key="image_id")) == 2


@pytest.mark.parametrize("head", ["key", "file", "url"])
def test_one_value_for_all_rows_is_no_id(tmp_path: Path, head: str) -> None:
    content = f"{head},class,score\nx,cat,.9\nx,dog,.6\nx,cat,.5\n"
    with pytest.raises(InvalidInput, match=f"'{head}' is x in 3 rows"):
        read(tmp_path, "t.csv", content)


def test_few_values_in_hundreds_of_rows_are_no_ids(tmp_path: Path) -> None:
    def content(n: int) -> str:
        rows = [f"{one},{kind},.5\n" for one in ("train", "val") for kind in ["cat", "dog"] * n]
        return "".join(["key,class,score\n", *rows])

    with pytest.raises(InvalidInput, match="'key' is train, val in 204 rows"):
        read(tmp_path, "t.csv", content(51))
    assert len(read(tmp_path, "t.csv", content(50))) == 2


def test_a_row_for_each_of_many_classes_is_an_item(tmp_path: Path) -> None:
    rows = [f"{item},c{n},{1 / 200}\n" for item in "ab" for n in range(200)]
    pool = read(tmp_path, "t.csv", "".join(["id,class,score\n", *rows]))
    assert pool.mean_probabilities.shape == (2, 200)


@pytest.mark.parametrize(
    "records",
    [
        [{"id": "run", "index": n, "answer": a} for n, a in enumerate(["yes", "no", "yes"])],
        [{"id": "run", "question_id": n, "judge": "m", "rating": n} for n in range(3)],
        [{"trace_id": "run", "index": n, "scores": [{"name": "s", "value": n / 3}]}
         for n in range(3)],
    ],
)  # fmt: skip
def test_an_id_of_all_answers_of_a_run_asks(tmp_path: Path, records: list[Any]) -> None:
    key = "question_id" if "question_id" in records[0] else "index"
    with pytest.raises(InvalidInput, match=f"have the id 'run', and {key} is 0, 1, 2") as caught:
        read(tmp_path, "t.jsonl", lines(records))
    assert f"set source.key: {key}" in str(caught.value.hint)


def test_a_detection_without_its_image_takes_no_other_key_for_it(tmp_path: Path) -> None:
    rows = [f"1,1,2,2,0,0.{n + 10},,car,{n}.jpg,{n}\n" for n in range(20)]
    rows[3] = "1,1,2,2,0,0.13,,car,,3\n"
    pool = read(tmp_path, "t.csv", "".join([f"{SINK}file_name,frame_index\n", *rows]))
    assert sorted(pool.item_ids.tolist()) == sorted(f"{n}.jpg" for n in range(20) if n != 3)
    assert "detection 4: it must name its image in file_name" in pool.notices[-2].message
    told = [{"image": f"{n}.jpg", "frame": n, "name": "car", "class": 0, "confidence": 0.5,
             "box": BOX} for n in range(20)]  # fmt: skip
    del told[3]["image"]
    (tmp_path / "t.json").write_text(json.dumps(told))
    pool = read(tmp_path, "t.json")
    assert "3" not in pool.item_ids.tolist()
    assert len(pool) == 19
    assert any("detection 4: it must name its image" in one.message for one in pool.notices)


@pytest.mark.parametrize("name", ["hash", "MD5", "sha256", "image hash", "checksum", "guid"])
def test_hashes_are_ids_and_stay_texts(tmp_path: Path, name: str) -> None:
    rows = "12e4,0.9,0.1\n71e10,0.6,0.4\n30e2,0.75,0.25\n"
    assert order(read(tmp_path, "p.csv", f"{name},cat,dog\n{rows}")) == ["71e10", "30e2", "12e4"]

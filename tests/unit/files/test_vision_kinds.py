"""Kinds of files of vision tools: each case stands for others of its kind."""

from __future__ import annotations

import unicodedata
from pathlib import Path
from typing import Any

import pytest

from labelnext.adapter.formats import recognition
from labelnext.errors import InvalidInput, NotFound
from tests.formats.independent import by_mean, codes, ranked
from tests.unit.files.images import put, read, told

SHAPE = {"xmin": 1, "ymin": 2, "xmax": 3, "ymax": 4}


def cvat(name: str, score: float) -> str:
    shape = f'<box label="car" xtl="1" ytl="1" xbr="3" ybr="3" score="{score}"/>'
    image = f'<image id="0" name="{name}" width="10" height="10">{shape}</image>'
    return f"<annotations>{image}</annotations>"


def voc(name: str, score: float) -> str:
    found = f"<object><name>car</name><score>{score}</score></object>"
    return f"<annotation><filename>{name}</filename>{found}</annotation>"


def box(*scores: float) -> str:
    return "".join(f"0 0.5 0.5 0.2 0.2 {score}\n" for score in scores)


DRAWN = {
    "nuScenes": {"translation": [1, 2, 3], "size": [1, 2, 3], "rotation": [1, 0, 0, 0]},
    "Sloth": {"x": 1, "y": 2, "width": 3, "height": 4},
    "Create ML": {"coordinates": {"x": 1, "y": 2, "width": 3, "height": 4}},
    "BDD100K": {"box2d": {"x1": 1, "y1": 2, "x2": 3, "y2": 4}},
    "polygons": {"vertices": [[1, 2], [3, 4]]},
    "sides": {"x": 1, "y": 2, "w": 3, "h": 4},
}


@pytest.mark.parametrize("drawn", DRAWN.values(), ids=DRAWN)
def test_records_with_a_shape_are_objects_even_if_each_image_has_one(
    tmp_path: Path, drawn: dict[str, Any]
) -> None:
    scores = {"a.jpg": [0.9], "b.jpg": [0.3], "c.jpg": []}
    records = [
        {"image": name, "annotations": [{"label": "car", "score": one, **drawn} for one in scores_]}
        for name, scores_ in scores.items()
    ]
    put(tmp_path, {"list.json": records, "frames.json": {"frames": records, "config": {}}})
    put(tmp_path, {"by_name.json": {one["image"]: one["annotations"] for one in records}})
    for name in ("list.json", "frames.json", "by_name.json"):
        assert told(read(tmp_path, name)) == scores
        assert ranked(read(tmp_path, name)) == by_mean(scores)


def test_objects_of_several_classes_with_a_shape_are_no_class_scores(tmp_path: Path) -> None:
    scores = {"a.jpg": {"car": 0.5, "bus": 0.5}, "b.jpg": {"car": 0.3, "bus": 0.3}}
    records = [
        {"image": name, "annotations": [{"label": k, "score": s, "coordinates": {"x": 1}}
                                        for k, s in found.items()]}
        for name, found in scores.items()
    ]  # fmt: skip
    put(tmp_path, {"list.json": records})
    assert ranked(read(tmp_path, "list.json")) == ["b.jpg", "a.jpg"]


def test_scores_in_lists_of_one_are_numbers(tmp_path: Path) -> None:
    found = {"a.jpg": [0.9], "b.jpg": [0.3]}
    records = [
        {
            "image_path": name,
            "annotations": [{"class_name": "car", "bbox": [1, 2, 3, 4], "score": s}],
        }
        for name, s in found.items()
    ]
    put(tmp_path, {"sam.json": records})
    assert told(read(tmp_path, "sam.json")) == found


LINES = {f"{n}.txt": "car 0.5 1 2 3 4\n" for n in range(14)}
PART = {"label": "car", "score": 0.5, "box": SHAPE}
LOST = {
    "text lines": {**LINES, "x.txt": "car ? 1 2 3 4"},
    "Hugging Face": {
        "p.json": {**{str(n): [PART] for n in range(14)}, "x": [{**PART, "score": "?"}]}
    },
}


@pytest.mark.parametrize("files", LOST.values(), ids=LOST)
def test_an_item_whose_only_object_is_left_out_is_not_one_without_objects(
    tmp_path: Path, files: dict[str, Any]
) -> None:
    put(tmp_path / "p", files)
    pool = read(tmp_path, "p")
    assert told(pool)["x"] is None
    assert {name for one in pool.notices if one.code == "left_out" for name in one.item_ids} == {
        "x"
    }


HIDDEN = {
    "yolo": ("a.txt", box(0.9), "b.txt", box(0.3)),
    "voc": ("a.xml", voc("a", 0.9), "b.xml", voc("b", 0.3)),
    "cvat": ("a.xml", cvat("a", 0.9), "b.xml", cvat("b", 0.3)),
    "ultralytics": (
        "a.json",
        [
            {
                "name": "car",
                "class": 0,
                "confidence": 0.9,
                "box": {"x1": 1, "y1": 1, "x2": 2, "y2": 2},
            }
        ],
        "b.json",
        [
            {
                "name": "car",
                "class": 0,
                "confidence": 0.3,
                "box": {"x1": 1, "y1": 1, "x2": 2, "y2": 2},
            }
        ],
    ),
}


@pytest.mark.parametrize(("kind", "files"), HIDDEN.items(), ids=HIDDEN)
def test_hidden_files_do_not_count(tmp_path: Path, kind: str, files: tuple[Any, ...]) -> None:
    first, one, second, other = files
    put(tmp_path / "p", {first: one, second: other})
    mark = b"\0\5\x16\7"  # of the files that macOS puts beside others
    put(tmp_path / "p", {f"._{first}": mark, f"__MACOSX/._{second}": mark})
    put(tmp_path / "p", {f".ipynb_checkpoints/{first}": one, ".DS_Store": mark})
    assert recognition(tmp_path / "p").format.name == kind
    assert told(read(tmp_path, "p")) == {"a": [0.9], "b": [0.3]}


def test_hidden_folders_are_no_classes(tmp_path: Path) -> None:
    put(tmp_path / "p", {"cat/a.jpg": b"a", ".thumbnails/a.jpg": b"a", "b.jpg": b"b"})
    pool = read(tmp_path, "p", folders_are_labels=True)
    assert (pool.item_ids.tolist(), pool.classes) == (["b.jpg", "a.jpg"], ("cat",))


def test_a_text_file_is_matched_to_an_image_whose_name_is_spelled_otherwise(tmp_path: Path) -> None:
    name = "gr\xf6\xdfe"
    other = unicodedata.normalize("NFD", name)
    assert other != name
    put(tmp_path, {f"p/labels/{other}.txt": box(0.4), f"p/{name}.jpg": b"", "p/b.jpg": b""})
    assert told(read(tmp_path, "p")) == {"b.jpg": [], f"{name}.jpg": [0.4]}


@pytest.mark.parametrize(
    ("stated", "classes"),
    [
        ("[yes, no]", ("yes", "no")),
        ("[007, 1e3]", ("007", "1e3")),
        ("{0: 2024-01-01, 1: 1_000}", ("2024-01-01", "1_000")),
        ("{0: On, 1: 0x1F}", ("On", "0x1F")),
    ],
)
def test_names_of_classes_stay_as_they_are_written(
    tmp_path: Path, stated: str, classes: tuple[str, ...]
) -> None:
    put(tmp_path, {"data.yaml": f"nc: 2\nnames: {stated}\n", "labels/a.txt": box(0.5)})
    assert read(tmp_path, "labels").classes == classes


BODIES = {
    "detect": "0 .5 .5 .2 .2",
    "segment": "0 .1 .1 .4 .1 .4 .4",
    "obb": "0 .1 .1 .4 .1 .4 .4 .1 .4",
    "pose": "0 .5 .5 .4 .4" + " .5 .5 2" * 5,
}


@pytest.mark.parametrize("most", ["tracked", "not tracked"])
@pytest.mark.parametrize(("task", "body"), BODIES.items(), ids=BODIES)
def test_ids_of_tracks_may_be_missing_in_some_images(
    tmp_path: Path, task: str, body: str, most: str
) -> None:
    n_more = 3 if most == "tracked" else 0
    lines = {"a.txt": f"{body} .9 1\n", "b.txt": f"{body} .3\n{body} .2\n"}
    lines |= {f"{n}.txt": f"{body} .5 {n + 2}\n" for n in range(n_more)}
    put(tmp_path / "runs" / task / "track/labels", lines)
    expected = {"a": [0.9], "b": [0.3, 0.2], **{str(n): [0.5] for n in range(n_more)}}
    assert told(read(tmp_path, f"runs/{task}/track")) == expected


def test_lines_of_visdrone_are_a_box_a_confidence_and_a_class(tmp_path: Path) -> None:
    lines = {
        "a.txt": "10,20,30,40,0.9,4,-1,-1\n",
        "b.txt": "10,20,30,40,0.3,1,-1,-1\n",
        "c.txt": "",
    }
    put(tmp_path / "p", lines)
    pool = read(tmp_path, "p", image_size=[100, 100])
    assert told(pool) == {"a": [0.9], "b": [0.3], "c": []}
    assert pool.classes == ("1", "4")
    assert pool.objects.boxes[0].tolist() == pytest.approx([0.1, 0.2, 0.4, 0.6])


def test_xml_may_declare_that_it_is_utf_16(tmp_path: Path) -> None:
    text = '<?xml version="1.0" encoding="utf-16"?>' + cvat("\xe9.jpg", 0.9)
    put(tmp_path, {"a.xml": text.encode("utf-16")})
    assert told(read(tmp_path, "a.xml")) == {"\xe9.jpg": [0.9]}


def test_a_folder_of_cvat_files_is_one_pool(tmp_path: Path) -> None:
    put(tmp_path / "p", {"1.xml": cvat("a.jpg", 0.9), "job 2/annotations.xml": cvat("b.jpg", 0.3)})
    assert told(read(tmp_path, "p")) == {"a.jpg": [0.9], "b.jpg": [0.3]}
    put(tmp_path / "p", {"3.xml": cvat("a.jpg", 0.5)})
    with pytest.raises(InvalidInput, match=r"'a.jpg' is in 1.xml and again in 3.xml"):
        read(tmp_path, "p")
    put(tmp_path / "p", {"3.xml": "<annotations><track/></annotations>"})
    with pytest.raises(InvalidInput, match=r"3.xml: the file must be CVAT's XML for images"):
        read(tmp_path, "p")


def test_google_says_nothing_of_an_image_in_which_it_found_nothing(tmp_path: Path) -> None:
    found = {"localizedObjectAnnotations": [{"name": "Cat", "score": 0.5}]}
    batch = [{**found, "context": {"uri": "a.jpg"}}, {"context": {"uri": "b.jpg"}}]
    put(tmp_path, {"batch.json": {"responses": batch}})
    put(tmp_path / "p", {"a.json": {"responses": [found]}, "b.json": {"responses": [{}]}})
    assert told(read(tmp_path, "batch.json")) == {"a.jpg": [0.5], "b.jpg": []}
    assert told(read(tmp_path, "p")) == {"a": [0.5], "b": []}
    failed = {"error": {"code": 3, "message": "Bad image data."}}
    put(tmp_path, {"batch.json": {"responses": [{**found, "context": {}}] * 19 + [failed]}})
    assert "left_out" in codes(read(tmp_path, "batch.json"))


def test_images_that_share_a_number_are_told_apart_by_their_file_names(tmp_path: Path) -> None:
    record = {"category_id": 1, "bbox": [1, 2, 3, 4]}
    names = {"007.jpg": 0.9, "7.jpg": 0.3}  # of which Ultralytics makes one image_id
    records = [{**record, "image_id": 7, "file_name": n, "score": s} for n, s in names.items()]
    put(tmp_path, {"predictions.json": records})
    assert told(read(tmp_path, "predictions.json")) == {n: [s] for n, s in names.items()}


def test_a_folder_of_coco_results_is_refused_as_one(tmp_path: Path) -> None:
    record = {"category_id": 1, "bbox": [1, 2, 3, 4], "image_id": 7, "score": 0.5}
    put(tmp_path / "p", {"1.json": [record], "2.json": [record]})
    put(tmp_path, {"images.json": {"images": [{"id": 7}], "categories": [{"id": 1, "name": "a"}]}})
    with pytest.raises(InvalidInput, match=r"COCO results must be one file; 'p' is a folder"):
        read(tmp_path, "p", images="images.json")


def ultralytics(score: float) -> dict[str, Any]:
    corners = {"x1": 1.0, "y1": 2.0, "x2": 3.0, "y2": 4.0}
    return {"name": "car", "class": 0, "confidence": score, "box": corners}


BY_NAME = {
    "HUB": lambda scores: {"images": [{"results": [*map(ultralytics, scores)], "shape": [9, 9]}]},
    "boxes": lambda scores: {
        "xyxy": [[1, 2, 3, 4] for _ in scores], "conf": scores, "cls": [0.0 for _ in scores]
    },
    "results": lambda scores: [*map(ultralytics, scores)],
}  # fmt: skip


@pytest.mark.parametrize("result", BY_NAME.values(), ids=BY_NAME)
def test_results_of_ultralytics_by_the_names_of_images(tmp_path: Path, result: Any) -> None:
    scores = {"a.jpg": [0.9, 0.5], "b.jpg": [0.3], "c.jpg": []}
    put(tmp_path, {"r.json": {name: result(found) for name, found in scores.items()}})
    assert told(read(tmp_path, "r.json")) == scores


def test_results_of_ultralytics_may_stand_under_predictions(tmp_path: Path) -> None:
    scores = {"a.jpg": [0.9, 0.5], "b.jpg": [0.3], "c.jpg": []}
    records = [
        {"image": name, "predictions": [*map(ultralytics, found)]} for name, found in scores.items()
    ]
    put(tmp_path, {"r.json": records})
    pool = read(tmp_path, "r.json")
    assert told(pool) == scores
    assert pool.classes == ("car",)


def test_the_scores_of_all_classes_go_before_the_likeliest_one(tmp_path: Path) -> None:
    vectors = {"a.jpg": [0.1, 0.5, 0.4], "b.jpg": [0.3, 0.6, 0.1]}
    records = {
        name: {"pred_scores": row, "pred_label": 1, "pred_score": max(row), "pred_class": "dog"}
        for name, row in vectors.items()
    }
    put(tmp_path, {"r.json": records})
    pool = read(tmp_path, "r.json")
    assert pool.probabilities.tolist() == [[0.1, 0.5, 0.4], [0.3, 0.6, 0.1]]
    assert ranked(pool, "margin") == ["a.jpg", "b.jpg"]


UNREAD = {
    "labels of KITTI": {"a.txt": "Car 0.00 0 -1.57 10 20 30 40 1.5 1.6 4.0 1 2 3 -1.5\n"},
    "labels of DOTA": {"a.txt": "imagesource:GoogleEarth\ngsd:0.1\n1 1 4 1 4 4 1 4 plane 0\n"},
    "WIDER FACE": {"a.txt": "a.jpg\n1\n10 20 30 40 0.9\n", "b.txt": ""},
    "classes below 0": {"a.txt": "-1 0.5 0.5 0.2 0.2 0.9\n"},
}


@pytest.mark.parametrize("files", UNREAD.values(), ids=UNREAD)
def test_text_files_that_are_not_read_are_shown(tmp_path: Path, files: dict[str, str]) -> None:
    put(tmp_path / "p", files)
    first = next(iter(files.values())).splitlines()[0]
    rule = rf"{len(files)} text files? in 'p' must hold predictions in a form .*; a.txt begins with"
    with pytest.raises(NotFound, match=rule) as caught:
        read(tmp_path, "p")
    assert repr(first)[:70] in caught.value.message
    assert "save_conf=True" in str(caught.value.hint)


def test_empty_text_files_are_called_empty(tmp_path: Path) -> None:
    put(tmp_path / "labels", {"a.txt": "", "b.txt": "\n"})
    with pytest.raises(NotFound, match=r"2 text files in 'labels' .*; they are empty"):
        read(tmp_path, "labels")


def test_images_beside_something_else_need_a_word(tmp_path: Path) -> None:
    put(tmp_path / "p", {"a.jpg": b"", "b.jpg": b"", "c.jpg": b"", "film.mp4": b"x"})
    with pytest.raises(NotFound, match=r"3 images, 1 \.mp4 .*source.format: images"):
        read(tmp_path, "p")
    assert read(tmp_path, "p", format="images").item_ids.tolist() == ["a.jpg", "b.jpg", "c.jpg"]


def test_links_of_a_folder_of_images_are_told(tmp_path: Path) -> None:
    put(tmp_path, {"p/a.jpg": b"", "elsewhere/b.jpg": b""})
    (tmp_path / "p/link.jpg").symlink_to("a.jpg")
    assert "links" not in codes(read(tmp_path, "p"))
    (tmp_path / "p/round").symlink_to(".")
    (tmp_path / "p/more").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "p/gone.jpg").symlink_to("nothing.jpg")
    pool = read(tmp_path, "p")
    assert pool.item_ids.tolist() == ["a.jpg", "link.jpg"]
    (told_,) = (one.message for one in pool.notices if one.code == "links")
    assert told_ == "Didn't follow 3 links to folders or to nothing: gone.jpg, more, round."
    (tmp_path / "p/a.jpg").unlink()
    (tmp_path / "p/link.jpg").unlink()
    with pytest.raises(
        InvalidInput, match=r"must hold images; it has none\..*gone.jpg, more, round"
    ):
        read(tmp_path, "p", format="images")


@pytest.mark.parametrize("encoding", ["iso-8859-1", "windows-1252", "UTF-8"])
@pytest.mark.parametrize("write", [voc, cvat])
def test_xml_is_recognised_in_the_encoding_that_it_declares(
    tmp_path: Path, write: Any, encoding: str
) -> None:
    for name, score in (("ä.jpg", 0.9), ("b.jpg", 0.4)):
        text = f"<?xml version='1.0' encoding='{encoding}'?>\n{write(name, score)}"
        (tmp_path / f"{name[0]}.xml").write_bytes(text.encode(encoding))
    assert ranked(read(tmp_path, ".")) == ["b.jpg", "ä.jpg"]


@pytest.mark.parametrize("word", ["score", "confidence", "conf", "probability", "prob"])
@pytest.mark.parametrize("write", [voc, cvat])
def test_a_score_may_be_called_as_tools_call_it(tmp_path: Path, write: Any, word: str) -> None:
    for name, score in (("a.jpg", 0.9), ("b.jpg", 0.4)):
        text = write(name, score).replace("score", word)
        (tmp_path / f"{name[0]}.xml").write_text(text)
    assert ranked(read(tmp_path, ".")) == ["b.jpg", "a.jpg"]

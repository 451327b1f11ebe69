from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import pytest
from pycocotools import mask as coco

from labelnext.adapter import open_adapter
from labelnext.errors import ConfigError, InvalidInput, LabelnextError, NotFound
from labelnext.ranking import rank


def read(folder: Path, name: str, content: str | bytes, **source: object):
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return open_adapter("files", directory=folder, path=name, **source).read()


def lines(*rows: object) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


def test_jsonl_with_lists(tmp_path: Path) -> None:
    text = lines({"item_id": 7, "probabilities": [1, 0]}, {"item_id": 8, "probabilities": None})
    pool = read(tmp_path, "p.jsonl", text, classes=["cat", "dog"])
    assert pool.item_ids.tolist() == ["7", "8"]
    assert pool.probabilities[0].tolist() == [1, 0]
    assert pool.missing.tolist() == [False, True]
    assert pool.classes == ("cat", "dog")


def test_jsonl_with_probabilities_by_class_names_the_classes(tmp_path: Path) -> None:
    text = lines({"item_id": "a", "probabilities": {"cat": 0.9, "dog": 0.1}, "label": "dog"})
    pool = read(tmp_path, "p.jsonl", text)
    assert pool.classes == ("cat", "dog")
    assert pool.labels.tolist() == [1]


def test_jsonl_with_objects(tmp_path: Path) -> None:
    text = lines(
        {"item_id": "a", "objects": [{"confidence": 0.5, "class": "car", "box": [0, 0, 1, 1]}]},
        {"item_id": "b", "objects": []},
        {"item_id": "c", "objects": None},
        {"item_id": "d", "objects": [{"confidence": 0.25, "class": "bus", "box": [0, 0, 1, 0.5]}]},
    )
    pool = read(tmp_path, "p.jsonl", text)
    assert pool.objects.offsets.tolist() == [0, 1, 1, 1, 2]
    assert pool.objects.confidences.tolist() == [0.5, 0.25]
    assert pool.classes == ("bus", "car")
    assert pool.objects.class_ids.tolist() == [1, 0]
    assert pool.objects.boxes[1].tolist() == [0, 0, 1, 0.5]
    assert pool.missing.tolist() == [False, False, True, False]


def test_jsonl_with_embeddings_of_objects(tmp_path: Path) -> None:
    seen = {"confidence": 0.5, "embedding": [1.0, 0.0]}
    other = {"confidence": 0.4, "embedding": None}
    pool = read(tmp_path, "p.jsonl", lines({"item_id": "a", "objects": [seen, other]}))
    assert pool.objects.embeddings[0].tolist() == [1, 0]
    assert np.isnan(pool.objects.embeddings[1]).all()
    pool = read(tmp_path, "n.jsonl", lines({"item_id": "a", "objects": [other]}))
    assert pool.objects.embeddings is None


def test_jsonl_with_vectors_of_objects(tmp_path: Path) -> None:
    row = {"confidence": 0.5, "probabilities": [0.5, 0.3]}
    pool = read(tmp_path, "p.jsonl", lines({"item_id": "a", "objects": [row, row]}))
    assert pool.objects.probabilities.tolist() == [[0.5, 0.3]] * 2


def test_all_other_columns_are_read(tmp_path: Path) -> None:
    rows = [
        {"item_id": "a", "embedding": [1, 2], "label": 0, "group": "v1", "cost": 2},
        {"item_id": "b", "embedding": None, "label": None, "group": "v2", "cost": 1.5},
    ]
    pool = read(tmp_path, "p.jsonl", lines(*rows))
    assert pool.embeddings[0].tolist() == [1, 2]
    assert np.isnan(pool.embeddings[1]).all()
    assert pool.labels.tolist() == [0, -1]
    assert pool.groups.tolist() == ["v1", "v2"]
    assert pool.costs.tolist() == [2, 1.5]


def test_csv_with_flat_columns(tmp_path: Path) -> None:
    text = "item_id,p_cat,p_dog,e_0,e_1,label\nx,0.5,0.5,1,2,\ny,0.9,0.1,3,4,dog\nz,,,5,6,\n"
    pool = read(tmp_path, "p.csv", text)
    assert pool.classes == ("cat", "dog")
    assert pool.probabilities[1].tolist() == [0.9, 0.1]
    assert pool.embeddings.tolist() == [[1, 2], [3, 4], [5, 6]]
    assert pool.labels.tolist() == [-1, 1, -1]
    assert pool.missing.tolist() == [False, False, True]


def test_columns_are_mapped(tmp_path: Path) -> None:
    text = "name,yes,no\nx,0.5,0.5\n"
    columns = {"item_id": "name", "probabilities": ["yes", "no"]}
    pool = read(tmp_path, "p.csv", text, columns=columns)
    assert pool.item_ids.tolist() == ["x"]
    assert pool.classes == ("yes", "no")


def test_parquet_with_fixed_size_lists(tmp_path: Path) -> None:
    table = pa.table(
        {
            "item_id": [1, 2],
            "probabilities": pa.array([[0.5, 0.5], [0.25, 0.75]], pa.list_(pa.float32(), 2)),
            "embedding": pa.array([[1, 2, 3], [4, 5, 6]], pa.list_(pa.float32(), 3)),
        }
    )
    pyarrow.parquet.write_table(table, tmp_path / "p.parquet")
    pool = open_adapter("files", directory=tmp_path, path="p.parquet").read()
    assert pool.probabilities.tolist() == [[0.5, 0.5], [0.25, 0.75]]
    assert pool.embeddings.shape == (2, 3)
    assert pool.probabilities.dtype == pool.embeddings.dtype == np.float32  # half the memory


def test_parquet_with_a_missing_fixed_size_list(tmp_path: Path) -> None:
    rows = pa.array([[0.5, 0.5], None], pa.list_(pa.float32(), 2))
    pyarrow.parquet.write_table(
        pa.table({"item_id": [1, 2], "probabilities": rows}), tmp_path / "p.parquet"
    )
    adapter = open_adapter("files", directory=tmp_path, path="p.parquet")
    if int(pa.__version__.partition(".")[0]) < 26:  # Arrow's own reader can't
        with pytest.raises(InvalidInput, match="all lists to be of size=2"):
            adapter.read()
        return
    pool = adapter.read()
    assert pool.probabilities[0].tolist() == [0.5, 0.5]
    assert pool.missing.tolist() == [False, True]


def test_npz_by_the_names_of_the_pool(tmp_path: Path) -> None:
    np.savez(
        tmp_path / "p.npz",
        item_ids=["a", "b"],
        probabilities=[[0.5, 0.5], [1, 0]],
        classes=["x", "y"],
        offsets=[0, 1, 1],
        confidences=[0.5],
        boxes=[[0, 0, 1, 1]],
    )
    pool = open_adapter("files", directory=tmp_path, path="p.npz").read()
    assert pool.item_ids.tolist() == ["a", "b"]
    assert pool.classes == ("x", "y")
    assert pool.objects.counts.tolist() == [1, 0]


COCO = [
    {"image_id": 2, "category_id": 5, "bbox": [10, 20, 30, 40], "score": 0.5},
    {"image_id": 1, "category_id": 3, "bbox": [0, 0, 100, 50], "score": 0.9},
]
IMAGES = {
    "images": [
        {"id": 1, "width": 100, "height": 50, "file_name": "a.jpg"},
        {"id": 2, "width": 100, "height": 100, "file_name": "b.jpg"},
        {"id": 3, "width": 100, "height": 100, "file_name": "c.jpg"},
    ],
    "categories": [{"id": 5, "name": "dog"}, {"id": 3, "name": "cat"}],
}


def test_coco_results_become_objects_of_their_images(tmp_path: Path) -> None:
    (tmp_path / "images.json").write_text(json.dumps(IMAGES))
    pool = read(tmp_path, "r.json", json.dumps(COCO), images="images.json")
    assert pool.item_ids.tolist() == ["1", "2", "3"]
    assert pool.classes == ("cat", "dog")
    assert pool.objects.counts.tolist() == [1, 1, 0]
    assert pool.objects.class_ids.tolist() == [0, 1]
    assert pool.objects.boxes.tolist() == [[0, 0, 1, 1], [0.1, 0.2, 0.4, 0.6]]


def test_coco_detections_in_any_order_keep_their_own_scores(tmp_path: Path) -> None:
    (tmp_path / "images.json").write_text(json.dumps(IMAGES))
    seen = [(3, 5, 0.3), (1, 3, 0.1), (2, 5, 0.2), (1, 5, 0.4)]
    results = [
        {"image_id": i, "category_id": c, "score": s, "bbox": [0, 0, 100 * s, 10], "embedding": [s]}
        for i, c, s in seen
    ]
    objects = read(tmp_path, "r.json", json.dumps(results), images="images.json").objects
    assert objects.counts.tolist() == [2, 1, 1]
    assert objects.confidences.tolist() == [0.1, 0.4, 0.2, 0.3]
    assert objects.class_ids.tolist() == [0, 1, 1, 1]
    assert objects.embeddings.ravel().tolist() == [0.1, 0.4, 0.2, 0.3]
    widths = [i["width"] for i in IMAGES["images"]]
    expected = [10 / widths[0], 40 / widths[0], 20 / widths[1], 30 / widths[2]]
    assert objects.boxes[:, 2] == pytest.approx(expected)


def test_coco_results_of_older_versions_are_a_committee(tmp_path: Path) -> None:
    # The third image is seen by the older version alone; of the first the boxes are the same.
    (tmp_path / "images.json").write_text(json.dumps(IMAGES))
    here = {"image_id": 1, "category_id": 3, "score": 0.9, "bbox": [0, 0, 50, 50]}
    there = {**here, "image_id": 3}
    (tmp_path / "old.json").write_text(json.dumps([here, there]))
    files = {"images": "images.json", "older": ["old.json"]}
    pool = read(tmp_path, "new.json", json.dumps([here]), **files)
    assert [v.counts.tolist() for v in pool.objects] == [[1, 0, 1], [1, 0, 0]]
    assert pool.versions == ("old", "new")
    ranking = rank(pool, "committee_certainty", no_objects="last")
    assert ranking.item_ids.tolist() == ["3", "1", "2"]
    (tmp_path / "old.json").write_text(json.dumps([{**here, "image_id": 9}]))
    with pytest.raises(
        InvalidInput,
        match="old.json: can't use 1 detection: record 1 .*image_id must be one of the 3 images",
    ):
        read(tmp_path, "new.json", json.dumps([here]), **files)
    (tmp_path / "old.json").unlink()
    with pytest.raises(NotFound, match="older must be files"):
        read(tmp_path, "new.json", json.dumps([here]), **files)
    with pytest.raises(ConfigError, match="older must be left out of jsonl files"):
        read(tmp_path, "p.jsonl", lines({"item_id": "a"}), older=["old.json"])


@pytest.mark.parametrize("name", ["new.jsonl", "old.jsonl", "images.jsonl"])
def test_ranking_never_replaces_a_file_of_the_source(tmp_path: Path, name: str) -> None:
    (tmp_path / "images.jsonl").write_text(json.dumps(IMAGES))
    for results in ("new.jsonl", "old.jsonl"):
        (tmp_path / results).write_text(json.dumps(COCO))
    adapter = open_adapter(
        "files",
        directory=tmp_path,
        path="new.jsonl",
        format="coco",
        older=["old.jsonl"],
        images="images.jsonl",
        write={"output": name},
    )
    ranking = rank(adapter.read(), "committee_certainty")
    with pytest.raises(ConfigError, match="differ from the source's files"):
        adapter.plan(ranking)


def test_coco_segmentations_become_masks(tmp_path: Path) -> None:
    # Image 1 is 100 wide; a polygon, run lengths, and a box that stands for itself.
    (tmp_path / "images.json").write_text(json.dumps(IMAGES))
    sides = [(i["height"], i["width"]) for i in IMAGES["images"]]
    square = [[10, 10, 20, 10, 20, 20, 10, 20]]
    rows = {"size": list(sides[1]), "counts": [0, 3, sides[1][0] * sides[1][1] - 3]}
    common = {"category_id": 3, "score": 0.5}
    results = [
        {**common, "image_id": 1, "segmentation": square},
        {**common, "image_id": 2, "segmentation": rows},
        {**common, "image_id": 2, "bbox": [0, 0, 5, 4]},
    ]
    pool = read(tmp_path, "r.json", json.dumps(results), images="images.json")
    areas = coco.area(pool.objects.masks.tolist()).tolist()
    assert areas == [100, 3, 20]
    h, w = sides[0]
    assert pool.objects.boxes[0].tolist() == [10 / w, 10 / h, 20 / w, 20 / h]


def test_coco_detections_may_have_embeddings(tmp_path: Path) -> None:
    (tmp_path / "images.json").write_text(json.dumps(IMAGES))
    looks = [[1, 0], [0, 1]]
    results = [{**d, "embedding": e} for d, e in zip(COCO, looks, strict=True)]
    pool = read(tmp_path, "r.json", json.dumps(results), images="images.json")
    order = [d["image_id"] for d in COCO]
    assert pool.objects.embeddings.tolist() == [looks[i] for i in np.argsort(order)]
    with pytest.raises(InvalidInput, match="must have an embedding; 1 have one"):
        read(tmp_path, "r.json", json.dumps([results[0], COCO[1]]), images="images.json")


def test_jsonl_with_masks_of_objects(tmp_path: Path) -> None:
    mask = {"size": [2, 2], "counts": "02"}
    whole = {"confidence": 0.5, "mask": {"size": [2, 2], "counts": "04"}}
    pool = read(tmp_path, "p.jsonl", lines({"item_id": "a", "objects": [whole]}))
    assert coco.area(pool.objects.masks.tolist()).tolist() == [4]
    assert pool.objects.boxes.tolist() == [[0, 0, 1, 1]]
    broken = {"confidence": 0.5, "mask": mask}
    with pytest.raises(InvalidInput, match="run lengths of all its pixels"):
        read(tmp_path, "b.jsonl", lines({"item_id": "a", "objects": [broken]}))


def test_coco_ids_may_be_file_names(tmp_path: Path) -> None:
    (tmp_path / "images.json").write_text(json.dumps(IMAGES))
    (tmp_path / "r.json").write_text(json.dumps(COCO))
    adapter = open_adapter(
        "files", directory=tmp_path, path="r.json", images="images.json", key="file_name"
    )
    assert adapter.read().item_ids.tolist() == ["a.jpg", "b.jpg", "c.jpg"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"image_id": 9}, "image_id must be one of the 3 images; got 9"),
        ({"category_id": 9}, "category_id must be one of the categories; got 9"),
        ({"score": 1.5}, r"score must be in \[0, 1\]; got 1.5"),
    ],
)
def test_wrong_coco_record_is_named(tmp_path: Path, change: dict, message: str) -> None:
    (tmp_path / "images.json").write_text(json.dumps(IMAGES))
    with pytest.raises(InvalidInput, match=message):
        read(tmp_path, "r.json", json.dumps([{**COCO[0], **change}]), images="images.json")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("p.jsonl", "", "must not be empty"),
        ("p.jsonl", '{"item_id": "a", "proba', "must be JSON; line 1.* ends in the middle"),
        ("p.jsonl", lines({"nr": "a"}), "must have a column item_id; got nr"),
        ("p.jsonl", lines({"item_id": "a"}, {"item_id": None}), "2 rows: line 2: item_id must"),
        ("p.jsonl", lines({"item_id": "a"}, {"item_id": "a"}), "distinct.*a"),
        (
            "p.jsonl",
            lines(
                {"item_id": "a", "probabilities": [0.5, 0.5]},
                {"item_id": "b", "probabilities": [1.0]},
                {"item_id": "c", "probabilities": [0.5, 0.5]},
            ),
            "probabilities must have the same length for all items; got 2 and 1 for item b",
        ),
        (
            "p.jsonl",
            lines({"item_id": "a", "probabilities": [0.5, 0.6]}),
            "item a: probabilities must sum to 1",
        ),
        ("p.jsonl", lines({"item_id": "a", "probabilities": "x"}), "must be a list of numbers"),
        ("p.jsonl", lines({"item_id": "a", "objects": [0.5]}), "must be a list of records"),
        (
            "p.jsonl",
            lines({"item_id": "a", "objects": [{"shape": 1}]}),
            "every object in objects must have a confidence",
        ),
        ("p.csv", "item_id,p_a,p_b\nx,0.5\n", "every line must have 3 values"),
        ("p.csv", "item_id,p_a,p_b\nx,0.5,lots\n", "p_b must be numbers"),
        (
            "p.parquet",
            b"PAR1 and then nothing",
            "p.parquet can't be read as parquet: .*magic bytes",
        ),
        ("p.npz", b"PK\x03\x04 and then nothing", "p.npz can't be read as npz"),
        ("p.json", "[{", "must be JSON; .* ends in the middle"),
        ("p.txt", "a", "path must end in one of"),
    ],
)
def test_broken_file_is_refused_with_its_reason(
    tmp_path: Path, name: str, content: str | bytes, message: str
) -> None:
    (tmp_path / "images.json").write_text(json.dumps(IMAGES))
    images = {"images": "images.json"} if name.endswith(".json") else {}
    with pytest.raises(LabelnextError, match=f"(?s){message}"):
        read(tmp_path, name, content, **images)


@pytest.mark.parametrize("ending", ["jsonl", "csv", "parquet", "npz"])
def test_file_cut_off_at_any_place_never_gives_fewer_items_in_silence(
    tmp_path: Path, ending: str
) -> None:
    rows = [{"item_id": f"i{i}", "probabilities": [0.25, 0.75]} for i in range(40)]
    path = tmp_path / f"p.{ending}"
    if ending == "jsonl":
        path.write_text(lines(*rows))
    elif ending == "csv":
        path.write_text("item_id,p_a,p_b\n" + "".join(f"i{i},0.25,0.75\n" for i in range(40)))
    elif ending == "parquet":
        pyarrow.parquet.write_table(pa.Table.from_pylist(rows), path)
    else:
        np.savez(path, item_ids=[r["item_id"] for r in rows], probabilities=[[0.25, 0.75]] * 40)
    whole = path.read_bytes()
    cut = whole[: len(whole) * 2 // 3]
    if ending in ("jsonl", "csv"):
        cut = cut[: cut.rindex(b"\n") + 6]  # in the middle of a line
    with pytest.raises(InvalidInput, match="can't be read|must"):
        read(tmp_path, f"cut.{ending}", cut)


def test_coco_without_images_ranks_what_was_detected_and_says_what_is_missing(
    tmp_path: Path,
) -> None:
    with pytest.raises(InvalidInput, match=r"must come with the list of its images.*source.images"):
        read(tmp_path, "r.json", "[]", format="coco")
    pool = read(tmp_path, "r.json", json.dumps(COCO))
    assert pool.item_ids.tolist() == ["2", "1"]
    assert pool.objects.confidences.tolist() == [0.5, 0.9]
    assert "no_image_list" in [notice.code for notice in pool.notices]


def test_unknown_column_name_lists_the_known(tmp_path: Path) -> None:
    with pytest.raises(
        ConfigError, match="columns must be one of confidence, cost, .*did you mean 'label'"
    ):
        read(tmp_path, "p.csv", "item_id\nx\n", columns={"lable": "y"})


@pytest.mark.parametrize("hint", ["did you mean '", "it is looked for in '"])
def test_a_file_that_is_not_there_is_told_by_check_and_by_read(tmp_path: Path, hint: str) -> None:
    (tmp_path / ("gonee.csv" if "mean" in hint else "scores.csv")).touch()
    files = open_adapter("files", directory=tmp_path, path="gone.csv")
    (found,) = files.check()
    assert (found.level, hint in (found.hint or "")) == ("error", True)
    with pytest.raises(NotFound, match="gone.csv', which does not exist") as caught:
        files.read()
    assert hint in (caught.value.hint or "")

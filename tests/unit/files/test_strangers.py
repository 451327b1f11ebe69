"""Files as strangers have them: odd but honest layouts, and what is said of those that can't be."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet
import pytest

from labelnext import Pool, rank
from labelnext.adapter.registry import open_adapter
from labelnext.errors import InvalidInput
from tests.unit.files.reading import lines, notice, order, read


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("id,cat,dog\na,90%,10%\nb,60 %,40 %\n", ["b", "a"]),
        ("id;prediction;confidence\na;cat;90,5%\nb;dog;60%\n", ["b", "a"]),
        (",cat,dog\n007,0.9,0.1\n1e5,0.6,0.4\n", ["1e5", "007"]),
        ("Unnamed: 0,id,cat,dog\n0,a,0.9,0.1\n1,b,0.6,0.4\n", ["b", "a"]),
        (",id,cat,dog\n0,a,0.9,0.1\n1,b,0.6,0.4\n", ["b", "a"]),
        ("id,top1,top1_prob,top2,top2_prob\na,3,0.9,1,0.05\nb,1,0.5,3,0.4\n", ["b", "a"]),
    ],
    ids=["percent", "top-1 percent", "index", "unnamed", "index beside ids", "numbered top-k"],
)
def test_a_table_of_any_writer_ranks(tmp_path: Path, content: str, expected: list[str]) -> None:
    assert order(read(tmp_path, "table.csv", content)) == expected


def test_percentages_keep_the_scale_that_is_stated(tmp_path: Path) -> None:
    content = "id,cat,dog\na,90%,10%\nb,60%,40%\n"
    pool = read(tmp_path, "table.csv", content, scale="percent")
    assert pool.probabilities is not None
    assert pool.probabilities.tolist() == [[0.9, 0.1], [0.6, 0.4]]


def test_one_odd_percentage_is_counted(tmp_path: Path) -> None:
    rows = [f"i{n},cat,{n + 50}%" for n in range(19)]
    pool = read(tmp_path, "t.csv", "\n".join(["id,prediction,confidence", *rows, "odd,cat,?"]))
    assert order(pool) == [f"i{n}" for n in range(19)]
    assert "confidence must be a percentage; got '?'" in notice(pool, "left_out").message


def test_what_ranked_classes_leave_goes_to_no_met_class(tmp_path: Path) -> None:
    content = "id,label_1,score_1,label_2,score_2\na,cat,0.75,dog,0.125\nb,dog,0.5,cat,0.5\n"
    pool = read(tmp_path, "top.csv", content)
    assert pool.classes == ("cat", "dog", "(other)")
    assert pool.probabilities is not None
    assert pool.probabilities.tolist() == [[0.75, 0.125, 0.125], [0.5, 0.5, 0.0]]


def test_yolov5s_table_has_the_names_of_classes(tmp_path: Path) -> None:
    head = "image,xmin,ymin,xmax,ymax,confidence,class,name\n"
    pool = read(tmp_path, "t.csv", f"{head}a,1,1,5,5,0.5,0,cat\na,1,1,5,5,0.5,1,dog\n")
    assert pool.classes == ("cat", "dog")


@pytest.mark.parametrize(
    "head",
    [
        "xmin,ymin,xmax,ymax,confidence,class,name\n",
        "x1,y1,x2,y2,conf,cls,name\n",
        "x_min,y_min,x_max,y_max,score,class_id,name\n",
    ],
)
@pytest.mark.parametrize("index", [False, True])
def test_names_of_classes_are_not_taken_for_those_of_images(
    tmp_path: Path, head: str, index: bool
) -> None:
    rows = ["1,1,5,5,0.5,0,cat\n", "1,1,5,5,0.75,1,dog\n", "2,2,5,5,0.25,0,cat\n"]
    numbers = [f"{n}," for n in range(3)] if index else [""] * 3
    content = "".join([("," if index else "") + head, *map(str.__add__, numbers, rows)])
    with pytest.raises(InvalidInput, match="must name the image of each detection; 'name' seems"):
        read(tmp_path, "t.csv", content)
    stated = read(tmp_path, "t.csv", content, key="name")
    assert stated.item_ids.tolist() == ["cat", "dog"]


@pytest.mark.parametrize("names", [["a.jpg", "b.jpg"], ["a", "b"]])
def test_names_of_images_are_ids_where_classes_are_told_otherwise(
    tmp_path: Path, names: list[str]
) -> None:
    rows = [f"{names[0]},cat,0.75,1,1,5,5\n", f"{names[1]},cat,0.5,1,1,5,5\n"]
    pool = read(tmp_path, "t.csv", "".join(["name,class,confidence,x1,y1,x2,y2\n", *rows]))
    assert order(pool) == [names[1], names[0]]


def test_yolov5s_records_in_a_folder_are_detections_of_their_files(tmp_path: Path) -> None:
    for stem, sure in {"a": 0.75, "b": 0.5}.items():
        box = {"xmin": 10, "ymin": 20, "xmax": 50, "ymax": 40}
        record = {**box, "confidence": sure, "class": 0, "name": "cat"}
        (tmp_path / "p").mkdir(exist_ok=True)
        (tmp_path / "p" / f"{stem}.json").write_text(json.dumps([record, record]))
    pool = read(tmp_path, "p", image_size=[100, 80])
    assert order(pool) == ["b", "a"]
    assert pool.newest_objects is not None
    assert pool.newest_objects.boxes is not None
    assert pool.newest_objects.boxes[0].tolist() == [0.1, 0.25, 0.5, 0.5]


def test_a_table_without_rows_is_called_so(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="the file has no rows below its columns id, cat, dog"):
        rank(read(tmp_path, "t.csv", "id,cat,dog\n"))


@pytest.mark.parametrize(
    "value",
    [
        {"a": {"cat": 0.875, "dog": 0.125}, "b": {"dog": 0.5, "cat": 0.5}},
        {"cat": {"a": 0.875, "b": 0.5}, "dog": {"a": 0.125, "b": 0.5}},
    ],
    ids=["by item", "by class"],
)
def test_an_object_of_scores_ranks_both_ways(tmp_path: Path, value: Any) -> None:
    assert order(read(tmp_path, "scores.json", json.dumps(value))) == ["b", "a"]


def outputs(score: float) -> list[dict[str, Any]]:
    return [{"label": "x", "score": score}, {"label": "y", "score": 1 - score}]


def test_a_pipelines_first_output_may_be_empty(tmp_path: Path) -> None:
    rest = [{"file": f"{n}", "predictions": outputs(0.5 + n / 32)} for n in range(12)]
    pool = read(tmp_path, "o.json", json.dumps([{"file": "e", "predictions": []}, *rest]))
    assert order(pool) == [f"{n}" for n in range(12)]
    assert notice(pool, "left_out").item_ids == ("e",)


def test_a_pipelines_objects_by_name_may_be_none(tmp_path: Path) -> None:
    box = {"xmin": 1, "ymin": 1, "xmax": 4, "ymax": 4}
    found = {"e.jpg": [], "a.jpg": [{"label": "cat", "score": 0.5, "box": box}]}
    pool = read(tmp_path, "o.json", json.dumps(found))
    assert pool.item_ids.tolist() == ["e.jpg", "a.jpg"]


def test_outputs_beside_their_texts_are_numbered(tmp_path: Path) -> None:
    records = [{"text": "t", "output": [{"label": "P", "score": sure}]} for sure in (0.9, 0.6)]
    assert order(read(tmp_path, "o.jsonl", lines(records))) == ["1", "0"]


def test_an_id_that_is_a_fraction_is_a_text_in_a_file_alone(tmp_path: Path) -> None:
    records = [{"id": 1e5, "predictions": outputs(0.5)}]
    assert read(tmp_path, "o.json", json.dumps(records)).item_ids.tolist() == ["100000.0"]
    with pytest.raises(InvalidInput, match=r"an id must be text or a whole number; got 100000\.0"):
        Pool.from_huggingface(records)


@pytest.mark.parametrize("key", ["predictions", "Results", "data"])
def test_records_may_be_the_only_list_of_an_object(tmp_path: Path, key: str) -> None:
    records = [{"id": "a", "p_x": 0.9, "p_y": 0.1}, {"id": "b", "p_x": 0.6, "p_y": 0.4}]
    (tmp_path / "p.json").write_text(json.dumps({"model": "m", key: records}), "utf-8")
    pool = open_adapter("files", directory=tmp_path, path="p.json").read()
    assert rank(pool, "margin").item_ids.tolist() == ["b", "a"]


@pytest.mark.parametrize("name", ["predictions", "labels", "classes"])
def test_classes_beside_their_scores_are_the_likeliest(tmp_path: Path, name: str) -> None:
    records = [
        {"image": "a", name: ["cat", "dog"], "scores": [0.9, 0.05]},
        {"image": "b", name: ["dog", "cat"], "scores": [0.5, 0.45]},
        {"image": "c", name: ["bird", "cat"], "scores": [0.5, 0.25]},
    ]
    (tmp_path / "p.jsonl").write_text("".join(json.dumps(one) + "\n" for one in records))
    pool = open_adapter("files", directory=tmp_path, path="p.jsonl").read()  # type: ignore[attr-defined]  # of the files adapter
    assert list(pool.classes) == ["bird", "cat", "dog"]
    # What a pair leaves goes to the third class: 0.05, 0.05 and 0.25.
    assert pool.mean_probabilities.tolist() == [
        pytest.approx([0.05, 0.9, 0.05]),
        pytest.approx([0.05, 0.45, 0.5]),
        pytest.approx([0.5, 0.25, 0.25]),
    ]


def test_lists_of_probabilities_by_id_are_read(tmp_path: Path) -> None:
    by_id = {"007": [0.9, 0.1], "1e3": [0.6, 0.4]}
    (tmp_path / "p.json").write_text(json.dumps(by_id), "utf-8")
    pool = open_adapter("files", directory=tmp_path, path="p.json").read()
    assert rank(pool, "margin").item_ids.tolist() == ["1e3", "007"]
    (tmp_path / "p.json").write_text(json.dumps({"a": [0.9, 0.1], "b": [1]}), "utf-8")
    with pytest.raises(InvalidInput, match="same length"):
        open_adapter("files", directory=tmp_path, path="p.json").read()


def test_names_in_camel_case_are_known(tmp_path: Path) -> None:
    lines = ["ImageID,LabelName,Confidence,XMin,XMax,YMin,YMax"]
    lines += ["a,/m/01,0.75,0,0.5,0,0.5", "b,/m/02,0.5,0,0.5,0,0.5"]
    (tmp_path / "p.csv").write_text("\n".join(lines), "utf-8")
    pool = open_adapter("files", directory=tmp_path, path="p.csv").read()
    assert pool.item_ids.tolist() == ["a", "b"]
    assert pool.newest_objects.boxes.tolist() == [[0, 0, 0.5, 0.5]] * 2
    assert pool.newest_objects.confidences.tolist() == [0.75, 0.5]


def test_an_empty_list_beside_the_output_is_not_taken_for_it(tmp_path: Path) -> None:
    box = {"xmin": 10, "ymin": 20, "xmax": 110, "ymax": 220}
    output = [{"score": 0.9375, "label": "cat", "box": box}]
    first = {"file": "a.jpg", "width": 200, "height": 400, "output": output}
    second = {**first, "file": "b.jpg", "output": []}
    more = [{**second, "file": f"{n}.jpg", "output": first["output"]} for n in range(10)]
    records = [{**first, "width": []}, second, *more]
    (tmp_path / "p.jsonl").write_text("\n".join(map(json.dumps, records)), "utf-8")
    pool = open_adapter("files", directory=tmp_path, path="p.jsonl").read()
    (notice,) = [n for n in pool.notices if n.code == "bad_boxes"]  # its image has no size
    assert notice.item_ids == ("a.jpg",)
    assert pool.object_sets[0].counts.sum() == 11


@pytest.mark.parametrize("bbox", [{}, {"bbox": None}], ids=["absent", "null"])
def test_coco_detection_without_a_box_is_counted(tmp_path: Path, bbox: dict[str, None]) -> None:
    images = [{"id": n, "file_name": f"{n}.jpg", "width": 10, "height": 10} for n in (1, 2)]
    listing = {"images": images, "categories": [{"id": 1, "name": "cat"}]}
    (tmp_path / "images.json").write_text(json.dumps(listing), "utf-8")
    found = [{"image_id": 1, "category_id": 1, "score": 0.9, **bbox}]
    found += [{"image_id": 2, "category_id": 1, "score": 0.4, "bbox": [1, 1, 3, 3]}]
    pool = read(tmp_path, "p.json", json.dumps(found), images="images.json")
    assert rank(pool, "mean_object_confidence").item_ids.tolist() == ["2", "1"]
    told = notice(pool, "no_boxes")
    assert told.message == "1 detection without a box: record 1 (image 1)."
    assert told.item_ids == ("1",)


@pytest.mark.parametrize("separator", [",", "\t"])
def test_label_studios_own_table_is_told_from_one_with_predictions(
    tmp_path: Path, separator: str
) -> None:
    rows = [
        ["annotation_id", "annotator", "created_at", "id", "kind", "lead_time", "text"],
        ["3", "1", "2026-11-22T09:00:00Z", "7", "good", "3.1", "hello"],
    ]
    name = "project-1.csv" if separator == "," else "project-1.tsv"
    pool = read(tmp_path, name, "".join(separator.join(row) + "\n" for row in rows))
    (notice,) = [notice for notice in pool.notices if notice.code == "no_predictions"]
    assert "Label Studio's own table, which has none. Export the project as JSON." in notice.message


def test_a_page_of_label_studios_api_is_told(tmp_path: Path) -> None:
    page = {"total": 1, "tasks": [{"id": 1, "data": {"text": "hello"}, "predictions": []}]}
    with pytest.raises(InvalidInput, match="as in an answer of Label Studio's API") as caught:
        read(tmp_path, "tasks.json", page)
    assert "the list under tasks by itself" in (caught.value.hint or "")


def test_numbers_that_json_holds_as_texts_are_numbers(tmp_path: Path) -> None:
    """As csv.DictReader and json.dumps write them; ids and labels stay texts."""
    rows = [
        {"id": f"0{n}", "cat": f"{0.5 + n / 40}", "dog": f"{0.5 - n / 40}", "label": ""}
        for n in range(19)
    ]
    odd = {"id": "odd", "cat": "?", "dog": "0.5", "label": ""}
    pool = read(tmp_path, "rows.jsonl", lines([*rows, odd]))
    assert order(pool) == [f"0{n}" for n in range(19)]
    assert "line 20: cat must be a number; got '?'" in notice(pool, "left_out").message
    pyarrow.parquet.write_table(pa.Table.from_pylist(rows), tmp_path / "rows.parquet")
    assert order(read(tmp_path, "rows.parquet")) == [f"0{n}" for n in range(19)]


def test_a_column_of_entropies_is_not_taken_for_a_confidence(tmp_path: Path) -> None:
    pool = read(tmp_path, "t.csv", "image,entropy\na,0.9\nb,0.2\n")
    assert "source.columns: {uncertainty: entropy}" in notice(pool, "no_predictions").message
    columns = {"uncertainty": "entropy"}
    pool = read(tmp_path, "t.csv", "image,entropy\na,0.9\nb,0.2\n", columns=columns)
    assert order(pool) == ["a", "b"]


def test_columns_that_sum_to_one_are_found_among_others(tmp_path: Path) -> None:
    """A fold is whole and a loss has other sums; two runs that sum to 1 are asked about."""
    head = "id,fold,loss,cat,dog"
    rows = ["a,0,0.2,0.9,0.1", "b,1,0.5,0.55,0.45", "c,1,0.1,0.2,0.8"]
    assert order(read(tmp_path, "t.csv", "\n".join([head, *rows]))) == ["b", "c", "a"]
    doubled = [f"{row},{','.join(row.split(',')[3:])}" for row in (head, *rows)]
    doubled[0] = f"{head},cat2,dog2"
    assert read(tmp_path, "t.csv", "\n".join(doubled)).probabilities is None


def test_records_with_predictions_by_item(tmp_path: Path) -> None:
    told = {"a": 0.9, "007": 0.55, "c": 0.2}
    content: Any = {i: {"prediction": "x", "probabilities": [p, 1 - p]} for i, p in told.items()}
    assert order(read(tmp_path, "t.json", content)) == ["007", "c", "a"]
    content = {i: {"probs": {"cat": p, "dog": 1 - p}, "time": 3} for i, p in told.items()}
    assert order(read(tmp_path, "t.json", content)) == ["007", "c", "a"]
    frame = {"id": {"0": "a", "1": "007"}, "probabilities": {"0": [0.9, 0.1], "1": [0.6, 0.4]}}
    assert order(read(tmp_path, "t.json", frame)) == ["007", "a"]


def test_what_stands_inside_records_is_named_in_the_cure(tmp_path: Path) -> None:
    rows = [{"data": {"id": n}, "out": {"probs": {"cat": p, "dog": 1 - p}}} for n, p in
            (("a", 0.9), ("b", 0.6))]  # fmt: skip
    with pytest.raises(InvalidInput, match=r"source.columns: \{item_id: data.id\}"):
        read(tmp_path, "t.jsonl", lines(rows))
    pool = read(tmp_path, "t.jsonl", lines(rows), columns={"item_id": "data.id"})
    assert "{probabilities: out.probs}" in notice(pool, "no_predictions").message
    columns = {"item_id": "data.id", "probabilities": "out.probs"}
    assert order(read(tmp_path, "t.jsonl", lines(rows), columns=columns)) == ["b", "a"]


def test_a_column_called_logit_is_one(tmp_path: Path) -> None:
    content = "id,logit\na,2.2\nb,0.2\nc,-1.4\n"
    told = notice(read(tmp_path, "t.csv", content), "maybe_logit").message
    assert "source.logits: sigmoid" in told
    assert order(read(tmp_path, "t.csv", content, logits="sigmoid")) == ["b", "c", "a"]


@pytest.mark.parametrize("box", ["box", "bbox", "geometry"])
def test_rows_of_a_class_a_score_and_a_box_are_detections(tmp_path: Path, box: str) -> None:
    """Once taken for the output of a pipeline for one image."""
    rows = [("a", 0.9), ("a", 0.5), ("b", 0.3)]
    records = [{"image": i, "label": "cat", "score": s, box: [1, 2, 3, 4]} for i, s in rows]
    for content in (records, records[1:]):  # also where each image has one
        pool = read(tmp_path, "t.json", content)
        assert rank(pool, "mean_object_confidence").item_ids.tolist() == ["b", "a"]
        assert pool.objects.counts.tolist() == [len(content) - 1, 1]


def test_objects_under_usual_keys_are_objects(tmp_path: Path) -> None:
    told = {"a": [0.9, 0.5], "b": [0.3], "c": []}
    corners = {"x1": 1, "y1": 2, "x2": 3, "y2": 4}
    rows = [
        {"image": i, "objects": [{"name": "cat", "conf": c, **corners} for c in sure]}
        for i, sure in told.items()
    ]
    pool = read(tmp_path, "t.jsonl", lines(rows))
    assert rank(pool, "mean_object_confidence").item_ids.tolist() == ["c", "b", "a"]


def test_answers_to_questions_with_their_scores(tmp_path: Path) -> None:
    rows = [{"id": i, "score": s, "start": 3, "end": 9, "answer": f"the {i}"} for i, s in
            (("a", 0.9), ("b", 0.2), ("c", 0.5))]  # fmt: skip
    assert order(read(tmp_path, "t.json", rows)) == ["b", "c", "a"]


def test_predictions_beside_embeddings_are_read(tmp_path: Path) -> None:
    rows = [{"id": i, "embedding": [p, 1.0], "cat": p, "dog": 1 - p} for i, p in
            (("a", 0.9), ("b", 0.6))]  # fmt: skip
    assert order(read(tmp_path, "t.jsonl", lines(rows))) == ["b", "a"]
    bare = [{"id": row["id"], "embedding": row["embedding"], "size": 3} for row in rows]
    pool = read(tmp_path, "t.jsonl", lines(bare))
    assert pool.probabilities is None
    assert not [one for one in pool.notices if one.code == "no_predictions"]


def test_json_in_texts_of_parquet_is_read(tmp_path: Path) -> None:
    rows = [{"id": i, "probs": json.dumps({"cat": p, "dog": 1 - p}), "about": "{x"} for i, p in
            (("a", 0.9), ("b", 0.6))]  # fmt: skip
    pyarrow.parquet.write_table(pa.Table.from_pylist(rows), tmp_path / "t.parquet")
    assert order(read(tmp_path, "t.parquet")) == ["b", "a"]


def test_numbered_classes_with_fractions_are_scores(tmp_path: Path) -> None:
    pool = read(tmp_path, "t.csv", "filename,class_0,class_1\na,0.9,0.1\nb,0.55,0.45\n")
    assert order(pool) == ["b", "a"]


def test_records_by_the_index_of_pandas(tmp_path: Path) -> None:
    content = {"0": {"id": "a", "cat": 0.9, "dog": 0.1}, "1": {"id": "007", "cat": 0.6, "dog": 0.4}}
    assert order(read(tmp_path, "t.json", content)) == ["007", "a"]


@pytest.mark.parametrize(("no", "yes"), [("0", "1"), ("False", "True"), ("neg", "pos")])
def test_a_probability_of_the_same_class_in_every_row_is_asked_about(
    tmp_path: Path, no: str, yes: str
) -> None:
    """Of scikit-learn's predict and predict_proba(x)[:, 1]: c is surest, not the most doubtful."""
    rows = f"a,{yes},0.9\nb,{yes},0.55\nc,{no},0.02\nd,{no},0.4\n"
    with pytest.raises(
        InvalidInput, match=f"the probability of '{yes.lower()}'. Hint: set"
    ) as told:
        read(tmp_path, "t.csv", f"id,pred,prob\n{rows}")
    assert "{probabilities: [prob]}" in str(told.value)
    source: Any = {"columns": {"probabilities": ["prob"]}, "multilabel": True}
    assert order(read(tmp_path, "t.csv", f"id,pred,prob\n{rows}", **source)) == ["b", "d", "a", "c"]
    assert order(read(tmp_path, "t.csv", f"id,pred,confidence\n{rows}")) == ["c", "d", "b", "a"]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("bars.txt", "id|cat|dog\na|.9|.1\nb|.6|.4\n"),
        ("commas.jsonl", '{"id": "a", "probs": [0.9, 0.1]},\n{"id": "b", "probs": [0.6, 0.4]}\n'),
        (
            "mongo.jsonl",
            '{"_id": {"$oid": "a"}, "probs": [0.9, 0.1]}\n'
            '{"_id": {"$oid": "b"}, "probs": [0.6, 0.4]}\n',
        ),
    ],
)
def test_signs_of_other_writers_are_read(tmp_path: Path, name: str, content: str) -> None:
    assert order(read(tmp_path, name, content)) == ["b", "a"]

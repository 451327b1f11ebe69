"""Tables as people have them: any layout, delimiter, encoding and scale; ids stay text."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet
import pytest

from labelnext import rank
from labelnext.adapter.registry import open_adapter
from labelnext.errors import InvalidInput, LabelnextError
from labelnext.pool import Pool


def read(folder: Path, name: str, content: str | bytes, **options: Any) -> Pool:
    data = content.encode() if isinstance(content, str) else content
    (folder / name).write_bytes(data)
    adapter = open_adapter("files", directory=folder, path=name, **options)
    return adapter.read()  # type: ignore[attr-defined]  # of the files adapter


def order(pool: Pool, name: str = "auto") -> list[str]:
    return rank(pool, name).item_ids.tolist()


CATS = "id,cat,dog\n001,0.9,0.1\n2024-01-01,0.6,0.4\n1e5,0.2,0.8\n"


@pytest.mark.parametrize(
    ("name", "content", "options", "expected"),
    [
        ("wide.csv", CATS, {}, ["2024-01-01", "1e5", "001"]),
        ("tab.tsv", CATS.replace(",", "\t"), {}, ["2024-01-01", "1e5", "001"]),
        ("crlf.csv", CATS.replace("\n", "\r\n"), {}, ["2024-01-01", "1e5", "001"]),
        ("bom.csv", "\ufeff" + CATS, {}, ["2024-01-01", "1e5", "001"]),
        (
            "comma.csv",
            CATS.replace(",", ";").replace("0.", "0,"),
            {},
            ["2024-01-01", "1e5", "001"],
        ),
        ("u16.csv", CATS.encode("utf-16"), {}, ["2024-01-01", "1e5", "001"]),
        ("packed.csv.gz", gzip.compress(CATS.encode(), mtime=0), {}, ["2024-01-01", "1e5", "001"]),
        (
            "latin.csv",
            "id,bär,hund\nä,0.9,0.1\nö,0.6,0.4\n".encode("latin-1"),
            {"encoding": "latin-1"},
            ["ö", "ä"],
        ),
        ("percent.csv", "id,p_a,p_b\nx,93,7\ny,51,49\n", {"scale": "percent"}, ["y", "x"]),
        # softmax of (3, −1) is further from even than that of (0.2, 0.1)
        ("logits.csv", "id,a,b\nx,3,-1\ny,0.2,0.1\n", {"logits": True}, ["y", "x"]),
        ("sigmoid.csv", "id,logit_a\nx,3\ny,0.2\n", {"columns": {"probabilities": ["logit_a"]},
                                                      "logits": "sigmoid"}, ["y", "x"]),
        # left for the third class: 0.2 and 0.05
        ("top2.csv", "file,pred_1,prob_1,pred_2,prob_2\nx,a,.6,b,.2\ny,b,.5,c,.45\n", {},
         ["y", "x"]),
        ("long.csv", "id,class,score\nx,a,0.9\ny,a,0.4\nx,b,0.1\ny,b,0.6\n", {}, ["y", "x"]),
        ("answer.csv", "id,prediction,confidence\nx,7,0.99\ny,8,0.06\nz,7,0.5\n", {},
         ["y", "z", "x"]),
        ("spam.csv", "item_id,p_spam\nx,0.9\ny,0.55\n", {}, ["y", "x"]),
        ("rounded.csv", "id,a,b,c\nx,0.33,0.33,0.33\ny,0.9,0.05,0.05\n", {}, ["x", "y"]),
    ],
    ids=lambda value: value if isinstance(value, str) and len(value) < 15 else "",
)  # fmt: skip
def test_a_table_is_ranked_whatever_its_layout(
    tmp_path: Path, name: str, content: str | bytes, options: Mapping[str, Any], expected: list[str]
) -> None:
    assert order(read(tmp_path, name, content, **options)) == expected


def test_one_row_a_detection_gives_objects_and_a_row_without_one_an_empty_image(
    tmp_path: Path,
) -> None:
    rows = (
        "file_name,class_name,confidence,xmin,ymin,xmax,ymax,image_width,image_height\n"
        "a.jpg,cat,0.9,10,10,50,20,100,40\nb.jpg,dog,0.3,0,0,100,40,100,40\n"
        "a.jpg,dog,0.4,0,0,10,4,100,40\nc.jpg,,,,,,,100,40\n"
    )
    pool = read(tmp_path, "d.csv", rows)
    assert pool.item_ids.tolist() == ["a.jpg", "b.jpg", "c.jpg"]
    assert pool.objects.counts.tolist() == [2, 1, 0]
    assert pool.objects.confidences.tolist() == [0.9, 0.4, 0.3]
    assert pool.objects.class_ids.tolist() == [0, 1, 1]
    assert pool.objects.boxes[0].tolist() == [0.1, 0.25, 0.5, 0.5]
    assert not pool.missing.any()
    assert order(pool, "mean_object_confidence") == ["c.jpg", "b.jpg", "a.jpg"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("id,p_a,p_b\nx,93,7\ny,51,49\n", "got 93 .*percentages: set source.scale: percent"),
        ("id,p_a,p_b\nx,3,-1\ny,0.2,0.1\n", "got 3 for item x.*look like logits"),
        ("id,p_a,p_b\nx,0.6,0.4\ny,inf,0.1\n", "got inf for item y.*infinity is neither"),
        ("id,p_a,p_b\nx,3,-1\ny,inf,0.1\n", "got 3 for item x.*look like logits"),
        ("id,label,score\nx,a,0.9\n", "what people said or what a model said"),
        ("id,p_a,p_a\nx,0.9,0.1\n", "distinct names; got 'p_a'"),
        ("0.9,0.1\n0.2,0.8\n", "first line must name the columns"),
        ("id;p_a;p_b\nx;0.5\n", "every line must have 3 values.*semicolons"),
        ("id,p_a,p_b\n\xff", "UTF-8"),
        ("id,a,b\nx,0.9,0.9\n", "the pool has none"),
    ],
)
def test_what_can_t_be_ranked_says_why(tmp_path: Path, content: str, message: str) -> None:
    with pytest.raises(LabelnextError, match=f"(?s){message}"):
        rank(read(tmp_path, "p.csv", content.encode("latin-1")), "margin")


def test_a_few_odd_rows_are_left_out_and_counted(tmp_path: Path) -> None:
    rows = [f"i{i},0.{i:02d},{1 - i / 100:.2f}\n" for i in range(1, 30)]
    text = "id,a,b\n" + "".join(rows)
    pool = read(tmp_path, "p.csv", text + "odd,0.9,0.9\n,0.5,0.5\nword,lots,0.5\n")
    told = " ".join(notice.message for notice in pool.notices)
    assert "item odd: probabilities must sum to 1; they sum to 1.8" in told
    assert "line 32: item_id must be set" in told
    assert "a must be a number; got 'lots'" in told
    ranking = rank(pool, "margin")
    assert len(ranking.item_ids) == 29
    assert sorted(ranking.unscored_ids) == ["odd", "word"]


def test_ids_stay_as_they_are_in_every_format(tmp_path: Path) -> None:
    ids = ["007", "7", "1e5", "2024-01-01", "true", "0x1F", "9007199254740993"]
    records = [{"item_id": i, "probabilities": [0.6, 0.4]} for i in ids]
    table = pa.Table.from_pylist(records)
    pa.parquet.write_table(table, tmp_path / "p.parquet")
    pa.feather.write_feather(table, tmp_path / "p.feather")
    np.savez(tmp_path / "p.npz", item_ids=np.array(ids, dtype="S"), probabilities=[[0.6, 0.4]] * 7)
    np.save(tmp_path / "p.npy", np.array([[0.6, 0.4]] * 7))
    (tmp_path / "ids.txt").write_text("\n".join(ids))
    (tmp_path / "p.csv").write_text("item_id,p_a,p_b\n" + "".join(f"{i},0.6,0.4\n" for i in ids))
    (tmp_path / "p.jsonl").write_text("".join(json.dumps(r) + "\n" for r in records))
    (tmp_path / "p.json").write_text(json.dumps(records))
    for name in ("p.parquet", "p.feather", "p.npz", "p.npy", "p.csv", "p.jsonl", "p.json"):
        options = {"ids": "ids.txt"} if name == "p.npy" else {}
        pool = open_adapter("files", directory=tmp_path, path=name, **options).read()  # type: ignore[attr-defined]
        assert pool.item_ids.tolist() == ids, name


@pytest.mark.parametrize(
    ("ids", "expected"),
    [
        (pa.array(["b", "a"]).dictionary_encode(), ["b", "a"]),
        (pa.array([b"b", b"a"]), ["b", "a"]),
        (pa.array(["b", "a"], pa.string_view()), ["b", "a"]),
        (pa.array(["b", "a"], pa.large_string()), ["b", "a"]),
        (pa.array([1, 2], pa.uint8()), ["1", "2"]),
        (pa.array([1.0, 2.0]), ["1", "2"]),
        (pa.array([1, 2]).cast(pa.decimal128(20, 0)), ["1", "2"]),
    ],
)
def test_ids_of_any_arrow_type_are_text(tmp_path: Path, ids: Any, expected: list[str]) -> None:
    table = pa.table({"item_id": ids, "probabilities": [[0.6, 0.4], [0.5, 0.5]]})
    pa.parquet.write_table(table, tmp_path / "p.parquet")
    pool = open_adapter("files", directory=tmp_path, path="p.parquet").read()  # type: ignore[attr-defined]
    assert pool.item_ids.tolist() == expected


@pytest.mark.parametrize("kind", [pa.bool_(), pa.list_(pa.int64()), pa.binary()])
def test_ids_of_other_types_are_refused(tmp_path: Path, kind: pa.DataType) -> None:
    values = {pa.bool_(): [True, False], pa.binary(): [b"\xff", b"a"]}.get(kind, [[1], [2]])
    table = pa.table({"item_id": pa.array(values, kind), "p_a": [0.6, 0.5], "p_b": [0.4, 0.5]})
    pa.parquet.write_table(table, tmp_path / "p.parquet")
    with pytest.raises(InvalidInput, match=r"must be (text or whole numbers|UTF-8)"):
        open_adapter("files", directory=tmp_path, path="p.parquet").read()  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("labels", "options", "expected"),
    [
        ("1,2,1", {}, [0, 1, 0]),  # text of a CSV is a name where there is one
        ("1,,2", {}, [0, -1, 1]),
        ("1,2,9", {}, "label must be one of 1, 2, 3; got '9'"),
    ],
)
def test_a_label_of_a_csv_is_a_name_where_classes_are_named(
    tmp_path: Path, labels: str, options: Mapping[str, Any], expected: list[int] | str
) -> None:
    rows = [f"i{i},.5,.3,.2,{label}\n" for i, label in enumerate(labels.split(","))]
    text = "item_id,p_1,p_2,p_3,label\n" + "".join(rows)
    if isinstance(expected, str):
        with pytest.raises(InvalidInput, match=expected):
            read(tmp_path, "p.csv", text, **options)
    else:
        assert read(tmp_path, "p.csv", text, **options).labels.tolist() == expected


def test_a_number_that_could_be_a_name_and_a_position_is_asked_about(tmp_path: Path) -> None:
    records = [
        {"item_id": i, "probabilities": {"1": 0.5, "2": 0.3, "3": 0.2}, "label": label}
        for i, label in zip("abc", [1, 2, 1], strict=True)
    ]
    text = json.dumps(records)
    with pytest.raises(InvalidInput, match=r"the class named 1, or the class at position 1, 2"):
        read(tmp_path, "p.json", text)
    assert read(tmp_path, "p.json", text, labels_are="names").labels.tolist() == [0, 1, 0]
    assert read(tmp_path, "p.json", text, labels_are="positions").labels.tolist() == [1, 2, 1]


def test_nulls_at_the_beginning_of_a_list_keep_their_places(tmp_path: Path) -> None:
    lines = [
        {"item_id": "a", "probabilities": None},
        {"item_id": "b", "probabilities": [None, 0.25]},
        {"item_id": "c", "probabilities": [0.75, 0.25]},
    ]
    pool = read(tmp_path, "p.jsonl", "".join(json.dumps(line) + "\n" for line in lines))
    assert pool.missing.tolist() == [True, False, False]
    assert np.isnan(pool.mean_probabilities[1]).any()
    assert pool.mean_probabilities[2].tolist() == [0.75, 0.25]


def test_records_of_another_form_are_left_out_by_line(tmp_path: Path) -> None:
    lines = [json.dumps({"item_id": f"i{i}", "probabilities": [0.75, 0.25]}) for i in range(30)]
    lines[4] = json.dumps({"item_id": "i4", "probabilities": "lost"})
    lines[9] = json.dumps({"item_id": "i9", "probabilities": [0.5, "x"]})
    pool = read(tmp_path, "p.jsonl", "\n".join(lines))
    assert len(pool) == 28
    (left,) = [notice for notice in pool.notices if notice.code == "left_out"]
    assert left.item_ids == ("i4", "i9")
    assert "line 5 (item i4)" in left.message


@pytest.mark.parametrize(
    "header",
    [
        "Image Name,Predicted Class,Confidence (%)",
        "image,pred_label,pred_conf",
        "filename,label_pred,confidence_pred",
    ],
)
def test_names_of_columns_may_have_any_sign_between_words(tmp_path: Path, header: str) -> None:
    (tmp_path / "t.csv").write_text(f"{header}\n007,cat,0.75\n008,dog,0.5\n")
    pool = open_adapter("files", path="t.csv", directory=tmp_path).read()
    assert pool.item_ids.tolist() == ["007", "008"]
    assert pool.answer is not None
    assert pool.answer.confidences.tolist() == [0.75, 0.5]


@pytest.mark.parametrize("name", ["media", "text", "group"])
def test_ids_may_also_be_what_is_shown(tmp_path: Path, name: str) -> None:
    pool = read(
        tmp_path, "p.csv", "item_id,p_a,p_b\nx,0.9,0.1\ny,0.5,0.5\n", columns={name: "item_id"}
    )
    assert pool.item_ids.tolist() == ["x", "y"]
    assert pool.probabilities.tolist() == [[0.9, 0.1], [0.5, 0.5]]


def test_a_column_that_is_not_there_is_told_beside_those_of_the_file(tmp_path: Path) -> None:
    text = "item_id,cat,dog,lable\nx,0.4,0.6,\n"
    with pytest.raises(
        InvalidInput, match="one of item_id, cat, dog, lable; got 'label'"
    ) as caught:
        read(tmp_path, "p.csv", text, columns={"label": "label"})
    assert caught.value.hint == "did you mean 'lable'?"


@pytest.mark.parametrize(
    ("head", "said"),
    [
        ("id,pred_a,conf_a,pred_b,conf_b", "prediction: [pred_a, pred_b], confidence: [conf_a, "),
        ("id,vit_pred,vit_conf,cnn_pred,cnn_conf", "prediction: [vit_pred, cnn_pred]"),
        ("id,mood_label,mood_score,topic_label,topic_score", "[mood_label, topic_label]"),
    ],
)
def test_answers_of_several_models_are_asked_about(tmp_path: Path, head: str, said: str) -> None:
    path = tmp_path / "p.csv"
    path.write_text(f"{head}\na,cat,0.9,dog,0.8\nb,cat,0.7,cat,0.7\n")
    adapter: Any = open_adapter("files", directory=tmp_path, path="p.csv")
    with pytest.raises(InvalidInput, match="one column must be the prediction") as caught:
        adapter.read()
    assert said in str(caught.value.hint)
    _, first, sure, second, other = head.split(",")
    columns = {"prediction": [first, second], "confidence": [sure, other]}
    committee: Any = open_adapter("files", directory=tmp_path, path="p.csv", columns=columns)
    assert rank(committee.read()).item_ids.tolist() == ["a", "b"]


def test_names_of_one_answer_are_no_several_models(tmp_path: Path) -> None:
    text = "id,pred_class,pred_category,pred_score\na,cat,x,.9\nb,dog,y,.5\n"
    (tmp_path / "p.csv").write_text(text)
    adapter: Any = open_adapter("files", directory=tmp_path, path="p.csv")
    assert rank(adapter.read()).item_ids.tolist() == ["b", "a"]


def test_rows_without_any_value_count_for_nothing(tmp_path: Path) -> None:
    text = "img,pred,conf\na,cat,0.9\nb,dog,0.5\n,,\n , ,\n"
    (tmp_path / "p.csv").write_text(text.replace(" ", ""))
    adapter: Any = open_adapter("files", directory=tmp_path, path="p.csv")
    pool = adapter.read()
    assert rank(pool).item_ids.tolist() == ["b", "a"]
    assert not [one for one in pool.notices if one.code == "left_out"]


def test_a_doubt_beside_class_scores_is_no_class(tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_text("img_id,cat,dog,entropy\na,.9,.1,.3\nb,.5,.5,.69\n")
    adapter: Any = open_adapter("files", directory=tmp_path, path="p.csv")
    pool = adapter.read()
    assert (pool.classes, rank(pool).item_ids.tolist()) == (("cat", "dog"), ["b", "a"])


def test_true_classes_beside_a_probability_are_no_scores(tmp_path: Path) -> None:
    rows = "".join(f"{n},{n % 2},{1 - n % 2}.0\n" for n in range(9))
    (tmp_path / "p.csv").write_text(f"id,y_true,y_prob\n{rows}")
    adapter: Any = open_adapter("files", directory=tmp_path, path="p.csv")
    pool = adapter.read()
    assert pool.probabilities is None
    told = next(one.message for one in pool.notices if one.code == "no_predictions")
    assert "y_prob can be how sure the model is" in told

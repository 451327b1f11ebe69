"""Class scores and objects in columns of lists, in matrices and in texts, under usual names."""

from __future__ import annotations

import json
import pickle
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest

from labelnext import rank
from labelnext.adapter.formats import recognition
from labelnext.errors import InvalidInput
from labelnext.pool import Pool
from labelnext_adapters.files.tables.known_names import CLASSES, SCORES
from labelnext_adapters.files.tables.nested import VECTORS
from tests.unit.files.reading import order, read


def lines(records: Sequence[Any]) -> str:
    return "".join(json.dumps(record) + "\n" for record in records)


def message(pool: Pool, code: str) -> str:
    return next(one.message for one in pool.notices if one.code == code)


CERTAIN = {"cat": 0.875, "dog": 0.125}
OPEN = {"cat": 0.5625, "dog": 0.4375}


@pytest.mark.parametrize("label", ["label", "class", "name", "tag", "category", "className"])
@pytest.mark.parametrize("score", ["probability", "prob", "confidence", "score", "conf", "value"])
def test_lists_of_a_class_and_its_score_rank(tmp_path: Path, label: str, score: str) -> None:
    records = [
        {"id": name, "predictions": [{label: k, score: p} for k, p in scores.items()]}
        for name, scores in {"a": CERTAIN, "b": OPEN}.items()
    ]
    pool = read(tmp_path, "p.json", records)
    assert order(pool) == ["b", "a"]
    np.testing.assert_allclose(pool.mean_probabilities, [[0.875, 0.125], [0.5625, 0.4375]])


def test_what_is_said_by_name_ranks(tmp_path: Path) -> None:
    lists = {i: [{"label": k, "confidence": p} for k, p in s.items()]
             for i, s in {"a": CERTAIN, "b": OPEN}.items()}  # fmt: skip
    assert order(read(tmp_path, "p.json", lists)) == ["b", "a"]
    single = {name: told[0] for name, told in lists.items()}
    assert order(read(tmp_path, "p.json", single)) == ["b", "a"]
    table = [{"image": name, "label": "x", "score": told[0]["confidence"]}
             for name, told in lists.items()]  # fmt: skip
    with pytest.raises(InvalidInput, match="columns label and score can be what people said"):
        read(tmp_path, "p.json", {"results": table})
    stated = {"prediction": "label", "confidence": "score"}
    assert order(read(tmp_path, "p.json", {"results": table}, columns=stated)) == ["b", "a"]


def test_vectors_of_several_versions_are_a_committee(tmp_path: Path) -> None:
    records = [{"id": "a", "probs": [[0.875, 0.125], [0.125, 0.875]]},
               {"id": "b", "probs": [[0.875, 0.125], [0.75, 0.25]]}]  # fmt: skip
    pool = read(tmp_path, "p.jsonl", lines(records))
    assert pool.members is not None
    assert order(pool) == ["a", "b"]


def test_every_usual_name_is_looked_for() -> None:
    assert {"label", "class", "name"} <= set(CLASSES)
    assert {"probability", "prob", "confidence", "score"} <= set(SCORES)
    assert {"probs", "scores", "softmax", "predictions"} <= set(VECTORS)


@pytest.mark.parametrize("name", ["probs", "Probs", "scores", "pred_scores", "softmax", "y_prob",
                                  "predictions", "prediction", "anything"])  # fmt: skip
@pytest.mark.parametrize("mapped", [True, False])
def test_a_column_of_scores_ranks_by_any_usual_name(
    tmp_path: Path, name: str, mapped: bool
) -> None:
    told = {i: s if mapped else list(s.values()) for i, s in {"a": CERTAIN, "b": OPEN}.items()}
    records = [{"id": item, "text": "?", name: scores} for item, scores in told.items()]
    pool = read(tmp_path, "p.jsonl", lines(records))
    assert order(pool) == ["b", "a"]
    assert pool.classes == (("cat", "dog") if mapped else None)


def test_lists_that_are_no_scores_are_left_alone(tmp_path: Path) -> None:
    records = [{"id": "a", "features": [0.5, 0.5]}, {"id": "b", "features": [0.25, 0.75]}]
    pool = read(tmp_path, "p.jsonl", lines(records))
    assert pool.probabilities is None
    assert "No column was taken as predictions" in message(pool, "no_predictions")


def test_a_column_of_logits_asks_for_their_meaning(tmp_path: Path) -> None:
    content = lines([{"id": "a", "logits": [3, -1]}, {"id": "b", "logits": [0.5, 0.25]}])
    with pytest.raises(InvalidInput, match="the column 'logits', which are logits by its name"):
        read(tmp_path, "p.jsonl", content)
    assert order(read(tmp_path, "p.jsonl", logits="softmax")) == ["b", "a"]


def test_log_probabilities_by_class_are_as_good_as_logits(tmp_path: Path) -> None:
    shares = {"a": {"yes": -0.1054, "no": -2.3026}, "b": {"yes": -0.5108, "no": -0.9163}}
    content = lines([{"id": item, "logprobs": one} for item, one in shares.items()])
    with pytest.raises(InvalidInput, match="the column 'logprobs', which are logits by its name"):
        read(tmp_path, "p.jsonl", content)
    pool = read(tmp_path, "p.jsonl", logits="softmax")
    np.testing.assert_allclose(pool.probabilities, [[0.9, 0.1], [0.6, 0.4]], atol=1e-4)


def test_objects_in_a_column_keep_images_without_any(tmp_path: Path) -> None:
    def found(*scores: float) -> Any:
        return [{"label": "cat", "prob": s, "box": {"x1": 0, "y1": 0, "x2": 0.5, "y2": 1}}
                for s in scores]  # fmt: skip

    records = [{"id": "two", "objs": found(0.9, 0.5)}, {"id": "none", "objs": []},
               {"id": "one", "objs": found(0.4)}, {"id": "unseen", "objs": None}]  # fmt: skip
    pool = read(tmp_path, "p.jsonl", lines(records))
    mean = rank(pool, "mean_object_confidence").item_ids.tolist()
    assert mean == ["none", "one", "two"]
    assert pool.objects.boxes.tolist() == [[0, 0, 0.5, 1]] * 3
    assert pool.missing.tolist() == [False, False, False, True]


def test_a_box_of_four_numbers_is_not_guessed(tmp_path: Path) -> None:
    records = [{"id": "a", "found": [{"name": "cat", "conf": 0.5, "bbox": [1, 2, 3, 4]}]}]
    pool = read(tmp_path, "p.json", records)
    assert pool.objects.boxes is None
    assert "Left out 'bbox' of the objects" in message(pool, "no_boxes")


def test_parquet_with_lists_of_structs_ranks(tmp_path: Path) -> None:
    rows = [[{"tag": k, "p": v} for k, v in s.items()] for s in (CERTAIN, OPEN)]
    pa.parquet.write_table(pa.table({"uid": ["a", "b"], "tags": rows}), tmp_path / "p.parquet")
    assert order(read(tmp_path, "p.parquet")) == ["b", "a"]


def test_parallel_lists_must_be_as_long(tmp_path: Path) -> None:
    records = [{"id": "a", "classes": ["x", "y"], "probs": [0.5, 0.5]},
               {"id": "b", "classes": ["x"], "probs": [0.75, 0.25]}]  # fmt: skip
    with pytest.raises(InvalidInput, match="line 2: classes must be as many as probs; got 1 and 2"):
        read(tmp_path, "p.jsonl", lines(records))


ROWS = [[0.875, 0.125], [0.5, 0.5], [0.25, 0.75]]


@pytest.mark.parametrize(
    ("value", "ids"),
    [
        (ROWS, ["1", "2", "0"]),
        ({"probs": ROWS}, ["1", "2", "0"]),
        ({"class_names": ["x", "y"], "predictions": ROWS, "filenames": list("abc")}, list("bca")),
        ({"preds": ROWS, "vocab": ["x", "y"], "items": [7, 8, 9]}, ["8", "9", "7"]),
    ],
)
def test_a_matrix_ranks(tmp_path: Path, value: Any, ids: list[str]) -> None:
    pool = read(tmp_path, "m.json", value)
    assert order(pool) == ids
    numbered = "numbered" in {one.code for one in pool.notices}
    assert numbered == (ids == ["1", "2", "0"])
    (tmp_path / "m.pkl").write_bytes(pickle.dumps(value))
    assert order(read(tmp_path, "m.pkl")) == ids


def test_a_square_matrix_does_not_take_its_classes_for_columns(tmp_path: Path) -> None:
    pool = read(tmp_path, "m.json", {"classes": ["x", "y"], "proba": ROWS[:2], "id": ["a", "b"]})
    assert pool.classes == ("x", "y")
    assert order(pool) == ["b", "a"]


def test_names_of_a_matrix_must_fit(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="class_names must have a name of its own for each of"):
        read(tmp_path, "m.json", {"class_names": ["x"], "predictions": ROWS})


def test_outputs_of_a_trainer_are_named_as_logits(tmp_path: Path) -> None:
    outputs = np.array([[2.0, -1.0], [0.3, 0.1]])
    np.savez(tmp_path / "t.npz", predictions=outputs, label_ids=np.array([0, 1]))
    (tmp_path / "t.pkl").write_bytes(pickle.dumps((outputs, np.array([0, 1]), {"loss": 0.5})))
    for name in ("t.npz", "t.pkl"):
        with pytest.raises(InvalidInput, match=r"probabilities must be in \[0, 1\]") as error:
            read(tmp_path, name)
        assert "set source.logits" in str(error.value)
        pool = read(tmp_path, name, logits=True)
        assert pool.labels is not None
        assert pool.labels.tolist() == [0, 1]


KAGGLE = "id,PredictionString\na,{}\nb,\nc,{}\n"


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ("1 0.5 0 0 9 9 2 0.9 0 0 9 9", "1 0.4 0 0 9 9", ["b", "c", "a"]),
        ("0.5 0 0 9 9 0.9 0 0 9 9", "0.4 0 0 9 9", ["b", "c", "a"]),
        ("1 0.5 eNoLCA 2 0.9 eNoLCA", "1 0.4 eNoLCA", ["b", "c", "a"]),
    ],
)
def test_a_prediction_string_ranks(
    tmp_path: Path, first: str, second: str, expected: list[str]
) -> None:
    pool = read(tmp_path, "k.csv", KAGGLE.format(first, second))
    assert rank(pool, "mean_object_confidence").item_ids.tolist() == expected


def test_a_prediction_string_without_confidence_says_what_is_read(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="for each detection, class confidence x1 y1 x2 y2, or"):
        read(tmp_path, "k.csv", KAGGLE.format("cat dog", "cat"))


def test_one_odd_prediction_string_is_left_out(tmp_path: Path) -> None:
    rows = [f"i{n:02},1 0.{n + 10} 0 0 9 9" for n in range(19)]
    pool = read(tmp_path, "k.csv", "\n".join(["id,PredictionString", *rows, "odd,1 7 0 0 9 9"]))
    assert "line 21: PredictionString must be class confidence x1 y1 x2 y2" in message(
        pool, "left_out"
    )
    assert len(pool) == 20
    assert rank(pool, "mean_object_confidence").item_ids.tolist() == [f"i{n:02}" for n in range(19)]


def test_geojson_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="GeoJSON isn't read"):
        read(tmp_path, "map.json", {"type": "FeatureCollection", "features": []})


JUDGED = {
    "judges": [
        {"id": "a", "judges": [{"name": "g", "label": "x", "score": 0.9},
                               {"name": "h", "label": "y", "score": 0.9}]},
        {"id": "b", "judges": [{"name": "g", "label": "x", "score": 0.9},
                               {"name": "h", "label": "x", "score": 0.9}]},
    ],
    "by name": [
        {"id": "a", "judges": {"g": {"label": "x"}, "h": {"label": "y"}}},
        {"id": "b", "judges": {"g": {"label": "x"}, "h": {"label": "x"}}},
    ],
    "raters": [
        {"id": "a", "annotations": [{"rater": 1, "label": "x"}, {"rater": 2, "label": "y"}]},
        {"id": "b", "annotations": [{"rater": 1, "label": "x"}, {"rater": 2, "label": "x"}]},
    ],
}  # fmt: skip


@pytest.mark.parametrize("kind", JUDGED)
def test_judges_inside_a_record_are_a_committee(tmp_path: Path, kind: str) -> None:
    pool = read(tmp_path, "j.jsonl", lines(JUDGED[kind]))
    assert recognition(tmp_path / "j.jsonl").format.name == "llm"
    assert len(pool.answers if pool.members is None else pool.members) == 2
    assert order(pool) == ["a", "b"]


def test_scores_by_class_are_no_traces(tmp_path: Path) -> None:
    records = [{"id": "a", "scores": CERTAIN}, {"id": "b", "scores": OPEN}]
    assert order(read(tmp_path, "s.jsonl", lines(records))) == ["b", "a"]


@pytest.mark.parametrize("value", [{"a": 1}, ["a"], True, 0.5])
@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("text", {}),
        ("media", {}),
        ("note", {}),
        ("note", {"columns": {"text": "note"}}),
    ],
)
def test_an_odd_value_that_is_only_shown_costs_no_item(
    tmp_path: Path, name: str, options: dict[str, Any], value: Any
) -> None:
    records = [{"id": f"i{n}", "probs": [0.75, 0.25], name: f"said {n}"} for n in range(20)]
    records[7][name] = value
    pool = read(tmp_path, "t.jsonl", lines(records), **options)
    assert pool.item_ids.tolist() == [f"i{n}" for n in range(20)]
    assert message(pool, "not_read") == (
        f"Left {name} out of 1 record, but not the records: it differs in form from the others; "
        f"line 8: {value!r}."
    )


@pytest.mark.parametrize(
    ("name", "amount", "place"),
    [
        ("label", "20 values of label, but not the items", "line 8 (item i7)"),
        ("prediction", "20 records", "line 8"),
    ],
)
def test_an_odd_name_is_called_by_its_column(
    tmp_path: Path, name: str, amount: str, place: str
) -> None:
    records = [{"id": f"i{n}", "probs": {"a": 0.75, "b": 0.25}, name: "a"} for n in range(20)]
    records[7][name] = {"a": 1}
    assert message(read(tmp_path, "t.jsonl", lines(records)), "left_out") == (
        f"Left out 1 of {amount}: {place}: {name} must be text or a whole number; got {{'a': 1}}."
    )


def test_what_is_no_record_is_shown_as_it_stands_in_the_file(tmp_path: Path) -> None:
    records: list[Any] = [{"id": f"i{n}", "probs": [0.75, 0.25]} for n in range(20)]
    pool = read(tmp_path, "t.jsonl", lines([*records, None]))
    assert "line 21: a record must be a JSON object; got null." in message(pool, "left_out")

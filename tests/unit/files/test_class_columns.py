"""Columns of class scores by the names that people and tools give them, and what isn't one."""

from __future__ import annotations

from pathlib import Path

import joblib
import numpy as np
import pytest

from labelnext import rank
from labelnext.errors import InvalidInput
from labelnext_adapters.files.tables.score_columns import class_names
from tests.unit.files.reading import lines, notice, order, read

SHARES = {"a": ("0.875", "0.125"), "b": ("0.5", "0.5"), "c": ("0.25", "0.75")}
AFFIXED = [
    "{}", "prob_{}", "p_{}", "{}_prob", "{}_score", "P({})", "p[{}]", "prob({})", "{} (%)",
    "pred_prob_{}", "y_prob_{}", "score: {}", "scores/{}", "confidence({})", ".pred_{}",
    "{} probability", "Probability.{}", "{}-confidence", "prediction_score_{}",
]  # fmt: skip


def _table(head: list[str], more: dict[str, str] | None = None) -> str:
    more = more or dict.fromkeys(SHARES, "")
    rows = [",".join([i, *(p.split("|")), *([more[i]] if len(head) > 3 else [])])
            for i, p in ((i, "|".join(s)) for i, s in SHARES.items())]  # fmt: skip
    return "\n".join([",".join(head), *rows])


@pytest.mark.parametrize("written", AFFIXED)
def test_classes_are_called_as_labels_call_them(tmp_path: Path, written: str) -> None:
    head = ["id", written.format("cat"), written.format("dog"), "label"]
    pool = read(tmp_path, "t.csv", _table(head, {"a": "cat", "b": "", "c": ""}))
    assert pool.classes == ("cat", "dog")
    assert pool.labels is not None
    assert pool.labels.tolist() == [0, -1, -1]
    assert order(pool) == ["b", "c"]
    unlabelled = read(tmp_path, "t.csv", _table(head[:3]))
    assert unlabelled.classes == ("cat", "dog")
    assert order(unlabelled) == ["b", "c", "a"]


def test_any_words_in_common_are_left_out_if_labels_do(tmp_path: Path) -> None:
    head = ["id", "animal_cat", "animal_dog", "label"]
    pool = read(tmp_path, "t.csv", _table(head, {"a": "cat", "b": "", "c": ""}))
    assert pool.classes == ("cat", "dog")
    assert read(tmp_path, "t.csv", _table(head[:3])).classes == ("animal_cat", "animal_dog")


@pytest.mark.parametrize(
    "names",
    [
        ["cat", "cat_prob"],
        ["prob", "probs"],
        ["p_p", "q_p"],
        ["class_1", "class_2"],
        ["prob_cat", "prob cat"],
    ],
)
def test_names_stay_distinct_and_not_empty(names: list[str]) -> None:
    found = class_names(names)
    assert len(set(found)) == len(names)
    assert all(found)


@pytest.mark.parametrize("head", [["id", "e_bike", "car"], ["id", "e_bike", "e_car"]])
def test_classes_that_begin_as_embeddings_do_are_classes(tmp_path: Path, head: list[str]) -> None:
    pool = read(tmp_path, "t.csv", _table(head))
    assert pool.embeddings is None
    assert pool.classes == tuple(head[1:])
    assert order(pool) == ["b", "c", "a"]


def test_a_p_value_is_no_class(tmp_path: Path) -> None:
    content = "id,p_value,cat,dog\na,0.03,0.875,0.125\nb,0.04,0.5,0.5\nc,0.5,0.25,0.75\n"
    pool = read(tmp_path, "t.csv", content)
    assert pool.classes == ("cat", "dog")
    assert order(pool) == ["b", "c", "a"]


def test_a_table_with_items_as_columns_is_to_be_turned_around(tmp_path: Path) -> None:
    content = ",a,b,c\ncat,0.9,0.6,0.2\ndog,0.1,0.4,0.8\n"
    said = notice(read(tmp_path, "t.csv", content), "no_predictions").message
    assert "a, b, c sum to 1 from top to bottom" in said
    assert "frame.T" in said


def test_a_row_of_sums_is_named(tmp_path: Path) -> None:
    content = "id,cat,dog\na,0.9,0.1\nb,0.6,0.4\nTotal,1.5,0.5\n"
    said = notice(read(tmp_path, "t.csv", content), "no_predictions").message
    assert "must be at most 1; cat is 1.5 in line 4 (item Total)" in said


def test_a_title_above_the_names_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="got '' more than once") as caught:
        read(tmp_path, "t.csv", "My predictions,,\nid,cat,dog\na,0.9,0.1\n")
    assert "remove what stands above the names of the columns" in str(caught.value.hint)


def test_a_table_without_ids_says_how_to_write_them(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput) as caught:
        read(tmp_path, "t.csv", "cat,dog\n0.9,0.1\n0.6,0.4\n")
    assert "pandas' index (to_csv(index=True))" in str(caught.value.hint)


@pytest.mark.parametrize("name", ["index", ".row", "inst#", "recording"])
def test_numbers_of_rows_are_ids_where_nothing_else_is(tmp_path: Path, name: str) -> None:
    pool = read(tmp_path, "t.csv", f"{name},cat,dog\n7,0.9,0.1\n8,0.6,0.4\n")
    assert order(pool) == ["8", "7"]


@pytest.mark.parametrize("compress", [0, 3])
def test_arrays_of_joblib_are_named(tmp_path: Path, compress: int) -> None:
    joblib.dump(np.eye(2), tmp_path / "p.joblib", compress=compress)
    with pytest.raises(InvalidInput, match=r"arrays of joblib.dump\(\) aren't read") as caught:
        read(tmp_path, "p.joblib", format="pickle")
    assert "joblib.load(FILE)" in str(caught.value.hint)


def test_features_of_an_archive_are_embeddings(tmp_path: Path) -> None:
    np.savez(tmp_path / "p.npz", ids=np.array(["a", "b"]), features=np.eye(2))
    pool = read(tmp_path, "p.npz")
    assert pool.embeddings is not None
    assert pool.embeddings.tolist() == [[1.0, 0.0], [0.0, 1.0]]


def test_an_archive_without_predictions_names_its_arrays(tmp_path: Path) -> None:
    np.savez(tmp_path / "p.npz", ids=np.array(["a", "b"]), y_pred=np.array([0, 1]))
    said = notice(read(tmp_path, "p.npz"), "no_predictions").message
    assert "the file has ids, y_pred" in said


def test_a_table_of_weights_and_biases_is_read(tmp_path: Path) -> None:
    rows = [[i, {"_type": "image-file", "path": f"{i}.png"}, *map(float, s)]
            for i, s in SHARES.items()]  # fmt: skip
    value = {"columns": ["id", "image", "score_cat", "score_dog"], "data": rows, "ncols": 4,
             "nrows": 3, "column_types": {"wb_type": "typedDict"}}  # fmt: skip
    pool = read(tmp_path, "p.table.json", value)
    assert pool.classes == ("cat", "dog")
    assert order(pool) == ["b", "c", "a"]


@pytest.mark.parametrize(
    ("inside", "cure"),
    [
        ({"run": {"output": {"label": "cat", "score": 0.5}}, "n": 0.5},
         "{prediction: run.output.label, confidence: run.output.score}"),
        ({"queryResult": {"intent": {"displayName": "cat"}, "intentDetectionConfidence": 0.5}},
         "{prediction: queryResult.intent.displayName, confidence: "
         "queryResult.intentDetectionConfidence}"),
    ],
)  # fmt: skip
def test_fields_of_records_in_records_are_suggested(
    tmp_path: Path, inside: dict[str, object], cure: str
) -> None:
    records = [{"id": i, **inside} for i in "abc"]
    said = notice(read(tmp_path, "p.jsonl", lines(records)), "no_predictions").message
    assert cure in said
    said_columns = dict(one.split(": ") for one in cure.strip("{}").split(", "))
    assert len(order(read(tmp_path, "p.jsonl", columns=said_columns))) == 3


def test_a_class_inside_a_record_is_not_suggested_as_the_id(tmp_path: Path) -> None:
    records = [{"text": "hi", "intent": {"name": "greet", "confidence": 0.5}}]
    with pytest.raises(InvalidInput) as caught:
        read(tmp_path, "p.jsonl", lines(records), format="jsonl")
    assert "{item_id: text}" in str(caught.value.hint)


def test_what_people_said_is_no_judge(tmp_path: Path) -> None:
    content = "id,actual,predicted\na,cat,cat\nb,dog,cat\nc,dog,dog\n"
    said = notice(read(tmp_path, "t.csv", content), "no_predictions").message
    assert "predicted says what the model predicts, but not how sure it is" in said


def test_how_probable_a_text_is_counts_where_its_tokens_arent_listed(tmp_path: Path) -> None:
    chances = {"a": -0.1, "b": -0.7, "c": -0.3}
    records = [
        {"request_id": i, "prompt": "p", "outputs": [
            {"text": "cat" if i != "c" else "dog", "token_ids": [1, 2], "logprobs": None,
             "cumulative_logprob": x}]}
        for i, x in chances.items()
    ]  # fmt: skip
    assert order(read(tmp_path, "p.jsonl", lines(records))) == ["b", "c", "a"]


def test_outputs_in_a_list_of_one_input_are_its_outputs(tmp_path: Path) -> None:
    records = [
        {"id": i, "response": [[{"label": "cat", "score": float(p)},
                                {"label": "dog", "score": float(q)}]]}
        for i, (p, q) in SHARES.items()
    ]  # fmt: skip
    assert order(read(tmp_path, "p.jsonl", lines(records))) == ["b", "c", "a"]


def test_independent_classes_are_read_without_the_columns_that_a_threshold_fills(
    tmp_path: Path,
) -> None:
    head = "id,cat,dog,cat_pred,dog_true"
    rows = ["a,0.875,0.9375,1,1", "b,0.5625,0.375,1,0", "c,0.25,0.75,0,"]
    pool = read(tmp_path, "t.csv", "\n".join([head, *rows]), multilabel=True)
    assert pool.classes == ("cat", "dog")
    assert order(pool) == ["b", "c", "a"]


def test_of_two_columns_that_differ_in_case_the_usual_one_is_the_id(tmp_path: Path) -> None:
    content = "id,ID,cat,dog\na,1,0.9,0.1\nb,2,0.6,0.4\n"
    assert order(read(tmp_path, "t.csv", content)) == ["b", "a"]


@pytest.mark.parametrize("cell", ["1e308", "inf", "-inf", "1e400"])
def test_numbers_beyond_all_bounds_are_one_odd_row(tmp_path: Path, cell: str) -> None:
    rows = ["id,cat,dog", *(f"i{n},0.25,0.75" for n in range(30)), f"odd,{cell},{cell}"]
    pool = read(tmp_path, "t.csv", "\n".join(rows))  # without a warning of numpy
    assert pool.n_classes == 2
    assert (
        "Left out 1 of 31 values of probabilities, but not the items: item odd: "
        in notice(pool, "left_out").message
    )


@pytest.mark.parametrize("cell", ["", "nan", "NaN", "None", "n/a"])
def test_columns_without_a_value_are_called_empty(tmp_path: Path, cell: str) -> None:
    rows = ["id,cat,dog", f"a,{cell},{cell}", "b,,"]
    with pytest.raises(InvalidInput, match=r"No column was taken as predictions: cat, dog are emp"):
        rank(read(tmp_path, "t.csv", "\n".join(rows)))


MORE = ["max_prob", "Max Probability", "score", "pred_conf", "certainty", "top1_prob", "entropy"]


@pytest.mark.parametrize("name", MORE)
def test_the_largest_score_beside_the_classes_is_none_of_them(tmp_path: Path, name: str) -> None:
    pool = read(
        tmp_path, "t.csv", _table(["id", "cat", "dog", name], {"a": ".875", "b": ".5", "c": ".75"})
    )
    assert pool.classes == ("cat", "dog")
    assert order(pool) == ["b", "c", "a"]


def test_scores_and_logits_of_the_same_classes_are_told_apart(tmp_path: Path) -> None:
    rows = [
        "id,prob_cat,prob_dog,logit_cat,logit_dog",
        "a,.9,.1,.2,.1",
        "b,.6,.4,3,1",
        "c,.7,.3,5,0",
    ]
    assert order(read(tmp_path, "t.csv", "\n".join(rows))) == ["b", "c", "a"]
    by_logits = read(tmp_path, "t.csv", "\n".join(rows), logits="softmax")
    assert order(by_logits) == ["a", "b", "c"]  # gaps of 0.1, 2 and 5
    assert by_logits.classes == ("cat", "dog")

"""Columns of true or false as people write them, and columns of which a file has only the name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from labelnext.errors import InvalidInput
from tests.unit.files.reading import lines, order, read


@pytest.mark.parametrize(
    ("yes", "no"),
    [("true", "false"), ("True", "False"), ("yes", "no"), ("Y", "N"), ("1", "0"), ("1.0", "0.0"),
     ("TRUE", ""), ("t", "f")],
)  # fmt: skip
def test_what_is_labelled_may_be_written_in_words(tmp_path: Path, yes: str, no: str) -> None:
    content = f"item_id,p_cat,p_dog,labelled\na,0.9,0.1,{yes}\nb,0.6,0.4,{no}\nc,0.7,0.3,{no}\n"
    pool = read(tmp_path, "t.csv", content)
    assert pool.labelled.tolist() == [True, False, False]
    assert order(pool) == ["b", "c"]


@pytest.mark.parametrize("value", [True, 1, 1.0, "yes", "True"])
def test_what_is_labelled_may_be_of_any_type(tmp_path: Path, value: Any) -> None:
    records = [
        {"item_id": "a", "probabilities": [0.75, 0.25], "labelled": value},
        {"item_id": "b", "probabilities": [0.5, 0.5], "labelled": None},
    ]
    assert read(tmp_path, "t.jsonl", lines(records)).labelled.tolist() == [True, False]


@pytest.mark.parametrize("value", ["done", 2, -1, 0.5, [], ["x"]])
def test_what_is_neither_true_nor_false_is_named(tmp_path: Path, value: Any) -> None:
    records = [
        {"item_id": "a", "probabilities": [0.75, 0.25], "labelled": value},
        {"item_id": "b", "probabilities": [0.5, 0.5], "labelled": None},
    ]
    with pytest.raises(
        InvalidInput, match="labelled must be (true or false|one value for each item); got"
    ):
        read(tmp_path, "t.jsonl", lines(records))


def test_a_column_of_another_thing_may_have_another_name(tmp_path: Path) -> None:
    content = "item_id,p_cat,p_dog,labelled\na,0.9,0.1,2024-01-01\nb,0.6,0.4,\n"
    with pytest.raises(InvalidInput, match="true or false; got '2024-01-01'") as caught:
        read(tmp_path, "t.csv", content)
    assert "give the column another name" in str(caught.value.hint)
    renamed = content.replace("labelled", "labelled_on")
    assert not read(tmp_path, "t.csv", renamed).labelled.any()


def test_a_cost_that_is_no_number_is_shown(tmp_path: Path) -> None:
    content = "item_id,p_cat,p_dog,cost\na,0.9,0.1,cheap\nb,0.6,0.4,1\n"
    with pytest.raises(InvalidInput, match="line 2 .*cost must be a number above 0; got 'cheap'"):
        read(tmp_path, "t.csv", content)


@pytest.mark.parametrize(
    "name",
    ["probabilities", "objects", "embedding", "truth", "votes", "labelled", "cost", "confidence",
     "uncertainty", "prediction", "label", "group", "media", "text", "label_number"],
)  # fmt: skip
def test_an_empty_column_of_a_csv_file_says_nothing(tmp_path: Path, name: str) -> None:
    content = f"item_id,p_cat,p_dog,{name}\na,0.9,0.1,\nb,0.6,0.4,\n"
    pool = read(tmp_path, "t.csv", content)
    assert order(pool) == ["b", "a"]
    assert not pool.labelled.any()


@pytest.mark.parametrize("name", ["group", "cost", "media", "text", "label_number", "labelled"])
@pytest.mark.parametrize("value", [["x"], [0.5], {"cat": 0.5}, [{"label": "cat"}], [[]]])
def test_lists_are_no_value_of_an_item(tmp_path: Path, name: str, value: Any) -> None:
    records = [{"item_id": i, "probabilities": [0.5, 0.5], name: value} for i in "ab"]
    if name in ("media", "text"):
        assert order(read(tmp_path, "t.jsonl", lines(records))) == ["a", "b"]
        return
    with pytest.raises(InvalidInput, match=f"{name} must be one value for each item; got "):
        read(tmp_path, "t.jsonl", lines(records))


@pytest.mark.parametrize("name", ["probabilities", "embedding"])
def test_vectors_without_numbers_are_named(tmp_path: Path, name: str) -> None:
    records = [{"item_id": i, name: []} for i in "ab"]
    with pytest.raises(InvalidInput, match=f"{name} must be lists of numbers; all of them are"):
        read(tmp_path, "t.jsonl", lines(records))


def test_a_class_in_a_record_is_no_class_of_a_guess(tmp_path: Path) -> None:
    records = [{"index": "x", "prediction": {"label": "cat", "score": n / 200}} for n in range(200)]
    with pytest.raises(InvalidInput, match="must be distinct"):
        read(tmp_path, "t.jsonl", lines(records), format="jsonl")

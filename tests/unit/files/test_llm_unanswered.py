"""Records whose answer or output is null: the model wasn't asked, so their items are missing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from labelnext.errors import InvalidInput
from tests.unit.files.reading import lines, order, read


def said(confidence: float) -> str:
    return json.dumps({"label": "cat", "confidence": confidence})


@pytest.mark.parametrize("nothing", [None, "", " \n"])
def test_items_without_an_answer_are_missing(tmp_path: Path, nothing: Any) -> None:
    answers = {"a": said(0.9), "b": said(0.6), "c": nothing, "d": nothing}
    records = [{"id": item, "response": answer} for item, answer in answers.items()]
    pool = read(tmp_path, "answers.jsonl", lines(records))
    assert order(pool) == ["b", "a"]
    assert sorted(pool.item_ids[pool.missing].tolist()) == ["c", "d"]


def test_an_item_that_one_judge_did_not_answer_is_told_once(tmp_path: Path) -> None:
    answers = [
        ("a", "x", said(0.9)),
        ("a", "y", None),
        ("b", "x", said(0.6)),
        ("b", "y", said(0.7)),
    ]
    records = [{"id": item, "model": model, "response": text} for item, model, text in answers]
    pool = read(tmp_path, "answers.jsonl", lines(records))
    assert [one.item_ids for one in pool.notices if one.code == "missing_members"] == [("a",)]


def test_one_answer_among_items_without_any_is_read(tmp_path: Path) -> None:
    records = [{"id": "a", "response": None}, {"id": "b", "response": said(0.6)}]
    pool = read(tmp_path, "answers.jsonl", lines(records))
    assert order(pool) == ["b"]
    assert sorted(pool.item_ids.tolist()) == ["a", "b"]


def test_a_file_without_any_answer_is_an_error(tmp_path: Path) -> None:
    records = [{"id": "a", "response": None}, {"id": "b", "response": None}]
    with pytest.raises(InvalidInput, match="can't use 2 answers: "):
        order(read(tmp_path, "answers.jsonl", lines(records), format="llm"))


def test_a_failed_request_is_left_out_with_its_reason(tmp_path: Path) -> None:
    records = [{"id": f"i{n}", "response": said(0.5)} for n in range(20)]
    records.append({"id": "odd", "response": None, "error": {"message": "too long"}})
    pool = read(tmp_path, "answers.jsonl", lines(records))
    assert "too long" in next(n for n in pool.notices if n.code == "left_out").message


@pytest.mark.parametrize("key", ["predictions", "scored"])
def test_items_without_an_output_of_a_pipeline_are_missing(tmp_path: Path, key: str) -> None:
    def output(score: float) -> Any:
        return [{"label": "cat", "score": score}, {"label": "dog", "score": round(1 - score, 2)}]

    outputs = {"a": output(0.9), "b": output(0.6), "c": None}
    records = [{"file": item, key: value} for item, value in outputs.items()]
    pool = read(tmp_path, "outputs.json", records)
    assert order(pool) == ["b", "a"]
    assert pool.item_ids.tolist() == ["a", "b", "c"]

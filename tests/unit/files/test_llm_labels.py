"""People's labels beside the answers of language models."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from labelnext.adapter.registry import open_adapter
from labelnext.pool import Pool

SURE = (("a", 0.9), ("b", 0.6), ("c", 0.7))


def read(path: Path, records: list[dict[str, Any]], **options: Any) -> Pool:
    path.write_text("".join(f"{json.dumps(record)}\n" for record in records), encoding="utf-8")
    pool: Pool = open_adapter("files", path=str(path), **options).read()
    return pool


def stated(sure: float) -> dict[str, Any]:
    return {"label": "cat", "confidence": sure}


def completion(sure: float) -> dict[str, Any]:
    message = {"role": "assistant", "content": json.dumps(stated(sure))}
    return {"status_code": 200, "body": {"choices": [{"message": message}]}}


def judged(sure: float) -> list[dict[str, str]]:
    return [{"name": "x", "label": "cat"}, {"name": "y", "label": "cat" if sure > 0.8 else "dog"}]


@pytest.mark.parametrize(
    "answer",
    [
        lambda sure: {"response": completion(sure)},
        lambda sure: {"response": json.dumps(stated(sure))},
        lambda sure: {"output": stated(sure)},
        lambda sure: {"response": f"cat ({round(100 * sure)}%)"},
        lambda sure: {"answers": ["cat"] * round(10 * sure) + ["dog"] * round(10 - 10 * sure)},
        lambda sure: {"judges": judged(sure)},
        lambda sure: {"judge_1": "cat", "judge_2": "cat" if sure > 0.8 else "dog"},
        lambda sure: {"ratings": [1, 2, round(10 * sure)]},
        lambda sure: {"scores": [{"name": "helpful", "value": sure}]},
    ],
    ids=["batch", "json", "object", "text", "votes", "judges", "columns", "ratings", "trace"],
)
@pytest.mark.parametrize("first", ["cat", None])
def test_a_label_beside_an_answer_is_a_persons(tmp_path: Path, answer: Any, first: Any) -> None:
    labels = {"a": first, "b": " Cat"}
    rows = [{"id": i, **answer(sure), "label": labels.get(i)} for i, sure in SURE]
    pool = read(tmp_path / "a.jsonl", rows)
    bare = [{name: one for name, one in row.items() if name != "label"} for row in rows]
    without = read(tmp_path / "b.jsonl", bare)
    assert pool.item_ids.tolist() == without.item_ids.tolist() == ["a", "b", "c"]
    assert pool.labelled.tolist() == [first is not None, True, False]
    if without.classes is not None:
        assert pool.classes == without.classes
        assert pool.labels is not None
        assert pool.labels.tolist() == [-1 if first is None else 0, 0, -1]
    if without.probabilities is not None:
        assert (pool.probabilities == without.probabilities).all()
    else:
        assert pool.answer is not None
        assert without.answer is not None
        assert (pool.answer.confidences == without.answer.confidences).all()


def test_the_class_that_a_model_states_beside_its_confidence_is_no_label(tmp_path: Path) -> None:
    rows = [{"id": i, **stated(sure), "response": "It purrs."} for i, sure in SURE]
    assert not read(tmp_path / "a.jsonl", rows, format="llm").labelled.any()
    rows = [
        {"id": i, "judge": j, "label": "cat", "response": "It purrs."} for i in "ab" for j in "xy"
    ]
    assert not read(tmp_path / "b.jsonl", rows).labelled.any()


def test_a_key_of_labels_is_named_or_named_as_unread(tmp_path: Path) -> None:
    said = (("a", "x"), ("a", "y"), ("b", "x"))
    rows = [{"id": i, "answer": word, "gold": "dog"} for i, word in said]
    pool = read(tmp_path / "a.jsonl", rows, label_key="gold")
    assert pool.labelled.tolist() == [True, True]
    assert pool.classes == ("x", "y", "dog")  # no model said the last
    assert pool.labels is not None
    assert pool.labels.tolist() == [2, 2]
    assert pool.probabilities is not None
    assert pool.probabilities.tolist() == [[0.5, 0.5, 0], [1, 0, 0]]
    pool = read(tmp_path / "b.jsonl", rows)
    assert not pool.labelled.any()
    assert any("Key 'gold' isn't read as labels" in n.message for n in pool.notices)


def test_labels_that_contradict_or_name_no_class_count_without_a_class(tmp_path: Path) -> None:
    rows = [{"id": i, "output": stated(sure), "label": "bird"} for i, sure in SURE]
    rows += [{"id": "d", "output": stated(0.5), "label": name} for name in ("cat", "dog")]
    pool = read(tmp_path / "a.jsonl", rows, classes=["cat", "dog"])
    assert pool.labelled.tolist() == [True] * 4
    assert pool.labels is not None
    assert pool.labels.tolist() == [-1] * 4
    assert any(n.message.startswith("Left out 4 labels") for n in pool.notices)


@pytest.mark.parametrize("options", [{}, {"label_key": "label"}])
def test_numbers_beside_empty_labels_are_whole_as_pandas_writes_them(
    tmp_path: Path, options: dict[str, str]
) -> None:
    labels = {"a": 2.0, "b": None, "c": float("nan")}
    rows = [
        {"id": i, "output": {"label": str(n), "confidence": sure}, "label": labels[i]}
        for n, (i, sure) in enumerate(SURE, 1)
    ]
    pool = read(tmp_path / "a.jsonl", rows, **options)
    assert pool.classes == ("1", "2", "3")
    assert pool.labelled.tolist() == [True, False, False]
    assert pool.labels is not None
    assert pool.labels.tolist() == [1, -1, -1]


def test_a_key_without_labels_is_named(tmp_path: Path) -> None:
    rows = [{"id": i, "output": stated(sure), "human": "cat"} for i, sure in SURE]
    pool = read(tmp_path / "a.jsonl", rows, label_key="humann")
    assert not pool.labelled.any()
    told = [n.message for n in pool.notices if n.code == "unread_labels"]
    assert told[0] == "No record has a label under 'humann', which source.label_key names."
    pool = read(tmp_path / "a.jsonl", rows, label_key="human")
    assert pool.labelled.all()
    assert not [n for n in pool.notices if n.code == "unread_labels"]

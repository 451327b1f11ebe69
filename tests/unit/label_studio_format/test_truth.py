"""What people said of tasks, as columns of a pool."""

from __future__ import annotations

import json
from typing import Any

import msgspec

from labelnext_adapters.label_studio_format.annotations import Annotation, Truth
from labelnext_adapters.label_studio_format.regions import Setup

SEVERAL = Setup("kind", "Choices", {"red": 0, "big": 1, "old": 2}, multiple=True)


def said(*choices: str) -> list[Annotation]:
    value = {"choices": list(choices)}
    region = {"from_name": "kind", "to_name": "text", "type": "choices", "value": value}
    result = json.dumps([region] if choices else []).encode()
    return [Annotation(1, result=msgspec.Raw(result), created_at="2026-01-01T00:00:00Z")]


def columns(given: dict[int, list[Annotation]], *tasks: int, setup: Setup = SEVERAL) -> Any:
    truth = Truth(setup)
    for task, made in given.items():
        truth.take(task, made)
    return truth.columns(tasks)


def test_no_labels_are_no_truth() -> None:
    assert "truth" not in columns({}, 1, 2)


def test_several_choices_of_a_task_are_its_classes() -> None:
    truth = columns({1: said("old", "red"), 2: said(), 3: said("big")}, 1, 2, 3, 4)["truth"]
    assert truth.offsets.tolist() == [0, 2, 2, 3, 3]
    assert sorted(truth.class_ids[:2].tolist()) == [0, 2]
    assert truth.class_ids[2:].tolist() == [1]
    assert truth.missing.tolist() == [False, False, False, True]  # 2 has none of them; 4 is open


def test_an_annotation_that_does_not_fit_says_nothing() -> None:
    given = {1: said("red", "big"), 2: said("heavy"), 3: [Annotation(2, was_cancelled=True)]}
    truth = columns(given, 1, 2, 3)["truth"]
    assert truth.missing.tolist() == [False, True, True]


def test_where_each_task_has_one_class_it_is_its_label() -> None:
    found = columns({1: said("big")}, 1, 2)
    assert found["labels"] == [1, -1]
    assert "truth" not in found


NUMBER = Setup("age", "Number", {})


def aged(*numbers: float | str) -> list[Annotation]:
    regions = [
        {"from_name": "age", "to_name": "text", "type": "number", "value": {"number": number}}
        for number in numbers
    ]
    result = msgspec.Raw(json.dumps(regions).encode())
    return [Annotation(1, result=result, created_at="2026-01-01T00:00:00Z")]


def test_numbers_of_tasks_are_a_column_of_their_own() -> None:
    found = columns(
        {1: aged(2.5), 2: aged(), 3: aged(1, 2), 5: aged("one")}, 1, 2, 3, 4, 5, setup=NUMBER
    )
    assert [*found] == ["numbers"]
    assert str(found["numbers"]) == "[2.5, nan, nan, nan, nan]"

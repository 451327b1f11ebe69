"""Scores in odd places, of odd types and on odd scales."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from labelnext.errors import InvalidInput
from labelnext.ranking import rank
from tests.unit.label_studio_format.test_export import box, choice, read, task
from tests.unit.label_studio_format.test_kinds import CARS, notice


def test_scores_as_text_are_read_and_said(tmp_path: Path) -> None:
    tasks = [
        task(1, [box("car", score="0.5", original_width="100")]),
        task(2, [box("car", score=1)]),
    ]
    tasks += [task(3, [box("car")]), task(4, [box("car", score=" 75 % ")])]
    tasks[2]["predictions"][0]["score"] = "25%"
    pool: Any = read(tmp_path, tasks, CARS)
    assert pool.objects.confidences.tolist() == [0.5, 1, 0.25, 0.75]
    assert notice(pool, "text_scores").item_ids == ("1", "3", "4")


@pytest.mark.parametrize("score", ["high", "%", "93 per cent", True, [0.5], {"a": 1}, "", "nan"])
def test_what_is_no_score_is_shown(tmp_path: Path, score: Any) -> None:
    tasks = [task(n, [box("car", score=0.5)]) for n in range(1, 4)]
    tasks[1]["predictions"][0]["result"] = [box("car", score=score)]
    pool = read(tmp_path, tasks, CARS)
    assert pool.missing.tolist() == [False, True, False]
    assert "score must be a number; got" in notice(pool, "broken_regions").message


@pytest.mark.parametrize(
    "regions",
    [
        [choice("good", score=93)],
        [choice("good", score="93")],
        [choice("good", value={"probs": {"good": 93, "bad": 7}})],
        [choice("good", score=93), choice("bad", score=7)],
        [choice("good", meta={"probs": [93, 7, 0]})],
    ],
)
def test_percentages_are_named_as_they_stand(tmp_path: Path, regions: Any) -> None:
    with pytest.raises(InvalidInput, match=r"must be in \[0, 1\]; got 93 for item 1\.") as error:
        read(tmp_path, [task(1, regions)])
    assert "divide percentages by 100" in str(error.value)


@pytest.mark.parametrize(("first", "cure"), [(1.7, "sigmoid"), (7.5, "divide percentages by 100")])
def test_logits_are_told_from_percentages(tmp_path: Path, first: float, cure: str) -> None:
    second = 3.25 if cure == "sigmoid" else 81
    tasks = [task(1, [choice("good", score=first)]), task(2, [choice("bad", score=second)])]
    with pytest.raises(InvalidInput, match=cure):
        read(tmp_path, tasks)


def test_a_prediction_in_percent_is_named_too(tmp_path: Path) -> None:
    bare = task(1, [choice("good")])
    bare["predictions"][0]["score"] = 87.5
    with pytest.raises(InvalidInput, match="got 87.5 for item 1"):
        read(tmp_path, [bare])


def test_one_odd_number_among_many_is_left_out(tmp_path: Path) -> None:
    tasks = [task(n, [box("car", score=0.5)]) for n in range(1, 21)]
    tasks[3]["predictions"][0]["result"] = [box("car", score=2.0)]
    pool = read(tmp_path, tasks, CARS)
    assert notice(pool, "out_of_range").item_ids == ("4",)
    vectors = [task(n, [choice("good", value={"probs": [1, 0, 0]})]) for n in range(1, 21)]
    vectors[3]["predictions"][0]["result"] = [choice("good", value={"probs": [0.5, 0.1, 0.1]})]
    pool = read(tmp_path, vectors)
    assert notice(pool, "no_sum").item_ids == ("4",)
    assert pool.missing.sum() == 1


def test_predictions_without_any_score_say_where_it_belongs(tmp_path: Path) -> None:
    pool = read(tmp_path, [task(1, [choice("good")]), task(2, [choice("bad")]), task(3)])
    message = notice(pool, "no_score").message
    assert message.startswith('2 of 2 predictions have no score; treated as missing. Set "score"')
    for name in ("auto", "margin"):
        with pytest.raises(InvalidInput, match="2 of 2 predictions have no score"):
            rank(pool, name)


# ---- one odd region

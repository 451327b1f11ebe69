"""One score of a task is ranked as the confidence of its answer, not as a detection."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from labelnext.pool import Pool
from labelnext.ranking import rank
from tests.unit.label_studio_format.test_export import SETUP, box, choice, read, task

SCORES = {1: 0.95, 2: 0.5, 3: 0.2, 4: 0.05}
BOXES = (
    '<View><Image name="i" value="$text"/><RectangleLabels name="b" toName="i">'
    '<Label value="car"/><Label value="bus"/></RectangleLabels>'
    '<PolygonLabels name="p" toName="i"><Label value="car"/></PolygonLabels></View>'
)
TAGS = {
    "Choices": ("choices", {"choices": ["odd"]}, '<Choice value="good"/><Choice value="bad"/>'),
    "Taxonomy": (
        "taxonomy",
        {"taxonomy": [["odd"]]},
        '<Choice value="good"/><Choice value="bad"/>',
    ),
    "Rating": ("rating", {"rating": 3}, ""),
    "TextArea": ("textarea", {"text": ["hello"]}, ""),
    "Number": ("number", {"number": 7}, ""),
}


def order(pool: Pool) -> list[str]:
    return list(rank(pool).item_ids)


def scored(number: int, score: float | None, *regions: dict[str, Any]) -> dict[str, Any]:
    """A task whose prediction has a score of its own."""
    found = task(number, [*regions])
    found["predictions"][0]["score"] = score
    return found


@pytest.mark.parametrize("of", ["region", "prediction"])
@pytest.mark.parametrize("tag", TAGS)
def test_an_answer_about_the_item_is_least_confident_first(
    tmp_path: Path, tag: str, of: str
) -> None:
    kind, value, labels = TAGS[tag]
    labels += '<Choice value="odd"/>' if labels else ""
    control = f'<{tag} name="kind" toName="text">{labels}</{tag}>'
    setup = f'<View><Text name="text" value="$text"/>{control}</View>'
    region = {"from_name": "kind", "to_name": "text", "type": kind, "value": value}
    tasks = [
        scored(number, None, {**region, "score": score})
        if of == "region"
        else scored(number, score, region)
        for number, score in SCORES.items()
    ]
    pool = read(tmp_path, tasks, setup)
    assert order(pool) == ["4", "3", "2", "1"]
    assert pool.object_sets == ()


@pytest.mark.parametrize("tag", ["Choices", "Taxonomy"])
def test_several_choices_with_one_score_are_one_answer(tmp_path: Path, tag: str) -> None:
    kind, value, labels = TAGS[tag]
    (key,) = value
    both = {key: [*value[key], "good" if tag == "Choices" else ["good"]]}
    control = f'<{tag} name="kind" toName="text" choice="multiple">{labels}'
    setup = f'<View><Text name="text" value="$text"/>{control}<Choice value="odd"/></{tag}></View>'
    region = {"from_name": "kind", "to_name": "text", "type": kind, "value": both}
    tasks = [task(number, [{**region, "score": score}]) for number, score in SCORES.items()]
    pool = read(tmp_path, tasks, setup)
    assert order(pool) == ["4", "3", "2", "1"]  # 0.05 is no noise below a floor


def test_a_task_without_a_choice_is_missing(tmp_path: Path) -> None:
    pool = read(tmp_path, [task(1, [choice("odd", score=0.5)]), task(2, [])])
    assert pool.missing.tolist() == [False, True]


def test_versions_of_one_choice_are_a_committee(tmp_path: Path) -> None:
    tasks = []
    for number, (old, new) in {1: ("good", "good"), 2: ("good", "bad")}.items():
        both = task(number, [choice(old, score=0.9)])
        (newer,) = task(number, [choice(new, score=0.7)], version="m2")["predictions"]
        both["predictions"].append({**newer, "id": 10 * number + 5})
        tasks.append(both)
    pool = read(tmp_path, tasks, model_version=["m1", "m2"])
    ranking = rank(pool)
    # 1 − 0.9/2 and 1 − (0.9 + 0.7)/2
    assert dict(zip(ranking.item_ids, ranking.scores.round(3), strict=True)) == {
        "2": 0.55,
        "1": 0.2,
    }


def test_one_choice_of_a_version_is_compared_with_class_probabilities_of_another(
    tmp_path: Path,
) -> None:
    tasks = []
    for number, probs in {1: [0.9, 0.05, 0.05], 2: [0.05, 0.9, 0.05]}.items():
        both = task(number, [choice("good", score=0.8)])
        (newer,) = task(number, [choice("good", value={"probs": probs})], version="m2")[
            "predictions"
        ]
        both["predictions"].append({**newer, "id": 10 * number + 5})
        tasks.append(both)
    pool = read(tmp_path, tasks, model_version=["m1", "m2"])
    assert pool.probabilities is not None
    assert pool.probabilities[0].tolist() == [pytest.approx([0.8, 0.1, 0.1])] * 2
    assert order(pool) == ["2", "1"]


def test_a_prediction_s_score_counts_once_however_many_boxes(tmp_path: Path) -> None:
    tasks = [
        scored(1, 0.95, *[box("car")] * 12),
        scored(2, 0.6, box("bus")),
        scored(3, 0.3, box("car"), box("bus")),
        scored(4, 0.45),
    ]
    pool = read(tmp_path, tasks, BOXES, from_name="b")
    assert order(pool) == ["3", "4", "2", "1"]
    pool = read(tmp_path, tasks, BOXES, from_name=["b", "p"])
    assert order(pool) == ["3", "4", "2", "1"]


def test_boxes_with_scores_stay_objects_beside_a_prediction_without(tmp_path: Path) -> None:
    tasks = [scored(1, 0.5, box("car"), box("car")), scored(2, 0.5, box("car", score=0.25))]
    pool = read(tmp_path, tasks, BOXES, from_name="b")
    assert pool.newest_objects is not None
    assert pool.newest_objects.counts.tolist() == [2, 1]


def test_several_choices_of_an_item_stay_objects(tmp_path: Path) -> None:
    several = [choice("odd", score=0.9), choice("bad", score=0.8)]
    pool = read(tmp_path, [task(1, several), task(2, [choice("odd", score=0.9)])])
    assert pool.newest_objects is not None


@pytest.mark.parametrize("tag", TAGS)
def test_a_few_with_several_answers_change_the_order_of_no_others(tmp_path: Path, tag: str) -> None:
    kind, value, labels = TAGS[tag]
    labels += '<Choice value="odd"/>' if labels else ""
    control = f'<{tag} name="kind" toName="text">{labels}</{tag}>'
    setup = f'<View><Text name="text" value="$text"/>{control}</View>'
    region = {"from_name": "kind", "to_name": "text", "type": kind, "value": value}
    other = {"choices": [["good"]], "taxonomy": [["good"]], "rating": 4, "text": ["bye"]}
    (key,) = value
    second = (
        {**region, "value": {key: other[key][0] if key == "choices" else other[key]}}
        if (key in other)
        else region
    )
    tasks = [task(n, [{**region, "score": score}]) for n, score in SCORES.items()]
    tasks.append(task(5, [{**region, "score": 0.9}, {**second, "score": 0.6}]))
    pool = read(tmp_path, tasks, setup)
    assert order(pool) == ["4", "3", "2", "5", "1"]  # 0.05, 0.2, 0.5, 0.6 and 0.95


def test_a_choice_that_is_named_twice_is_one_answer(tmp_path: Path) -> None:
    tasks = [task(n, [choice("odd", score=score)]) for n, score in SCORES.items()]
    tasks.append(task(5, [choice("bad", score=0.6), choice("bad", score=0.3)]))
    pool = read(tmp_path, tasks)
    assert order(pool) == ["4", "3", "2", "5", "1"]
    assert "least_sure" not in {notice.code for notice in pool.notices}


@pytest.mark.parametrize("tag", ["Choices", "Taxonomy", "Rating"])
def test_without_any_answer_the_prediction_s_score_is_the_confidence(
    tmp_path: Path, tag: str
) -> None:
    labels = TAGS[tag][2]
    control = f'<{tag} name="kind" toName="text">{labels}</{tag}>'
    setup = f'<View><Text name="text" value="$text"/>{control}</View>'
    tasks = [scored(number, score) for number, score in SCORES.items()]
    assert order(read(tmp_path, tasks, setup)) == ["4", "3", "2", "1"]


def test_the_likeliest_choices_are_a_distribution(tmp_path: Path) -> None:
    likeliest = [choice("odd", score=0.6), choice("bad", score=0.3)]
    pool = read(tmp_path, [task(1, likeliest)])
    assert pool.probabilities is not None
    assert pool.probabilities[0].tolist() == pytest.approx([0.1, 0.3, 0.6])


def test_a_prediction_s_score_counts_once_however_many_choices(tmp_path: Path) -> None:
    tasks = [scored(1, 0.6, choice("odd", "bad")), scored(2, 0.3, choice("good"))]
    pool = read(tmp_path, tasks)
    assert order(pool) == ["2", "1"]
    assert pool.predicted_classes.tolist() == [-1, 0]


def test_one_choice_among_distributions_is_a_list_of_one(tmp_path: Path) -> None:
    whole = [choice("odd", score=0.4), choice("bad", score=0.3), choice("good", score=0.3)]
    tasks = [
        task(1, [choice("odd", score=0.9)]),
        task(2, whole),
        task(3, [choice("bad", score=0.6)]),
        scored(4, 0.05, choice("good")),
    ]
    pool = read(tmp_path, tasks)
    assert pool.probabilities is not None
    assert pool.probabilities.tolist() == [
        pytest.approx([0.05, 0.05, 0.9]),
        pytest.approx([0.3, 0.3, 0.4]),
        pytest.approx([0.2, 0.6, 0.2]),
        pytest.approx([0.05, 0.475, 0.475]),
    ]
    notices = {notice.code: notice.item_ids for notice in pool.notices}
    assert notices["top_classes"] == ("1", "3", "4")
    assert not pool.missing.any()
    # Margins 0.85, 0.1, 0.4 and 0.
    assert order(pool) == ["4", "2", "3", "1"]


def test_several_answers_allowed_one_score_says_nothing_of_the_other_classes(
    tmp_path: Path,
) -> None:
    setup = SETUP.replace('toName="text"', 'toName="text" choice="multiple"')
    whole = [choice("odd", score=0.4), choice("bad", score=0.3), choice("good", score=0.3)]
    pool = read(tmp_path, [task(1, [choice("odd", score=0.9)]), task(2, whole)], setup)
    assert pool.missing.tolist() == [True, False]

"""Label Studio, on a real server: predictions of every kind, also broken ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from labelnext.errors import InvalidInput
from labelnext.ranking import rank
from tests.integration.label_studio_tasks import (
    CHOICES,
    TWO_TAGS,
    Json,
    box,
    choice,
    codes,
    image_task,
    text_task,
)

if TYPE_CHECKING:  # pytest itself imports the plugin, and wants to be the first
    from tests.integration.label_studio_server import LabelStudio, Open

pytest_plugins = ("tests.integration.label_studio_server",)


# ---- what predictions of choices can hold


@pytest.mark.parametrize(
    "result",
    [
        [choice("good", probs={"odd": 0.2, "good": 0.5, "bad": 0.3})],
        [choice("good", probs=[0.5, 0.3, 0.2])],
        [{**choice("good"), "meta": {"probs": {"good": 0.5, "bad": 0.3, "odd": 0.2}}}],
        [choice("odd", score=0.2), choice("good", score=0.5), choice("bad", score=0.3)],
    ],
    ids=["value.probs by name", "value.probs as a list", "meta.probs", "a scored region each"],
)
def test_a_distribution_is_found_in_each_of_its_places(
    label_studio: LabelStudio, connect: Open, result: list[Json]
) -> None:
    project = label_studio.create_project(CHOICES.format(more=""), [text_task(result)])
    assert connect(project).read().probabilities.tolist() == [[0.5, 0.3, 0.2]]


def test_one_score_of_two_classes_is_a_distribution(
    label_studio: LabelStudio, connect: Open
) -> None:
    region = {**choice("night", score=0.75), "to_name": "image"}
    by_prediction = {**choice("day"), "to_name": "image"}
    tasks = [image_task(region), image_task(by_prediction, score=0.625)]
    project = label_studio.create_project(TWO_TAGS, tasks)
    pool = connect(project, from_name="kind").read()
    assert pool.probabilities.tolist() == [[0.25, 0.75], [0.625, 0.375]]


def test_one_score_of_three_classes_is_one_confidence(
    label_studio: LabelStudio, connect: Open
) -> None:
    tasks = [text_task([choice("bad", score=0.75)]), text_task([choice("odd")], score=0.5)]
    project = label_studio.create_project(CHOICES.format(more=""), [*tasks, text_task([])])
    pool = connect(project).read()
    assert pool.probabilities is None
    assert pool.objects.confidences.tolist() == [0.75, 0.5]
    assert pool.objects.class_ids.tolist() == [1, 2]
    assert pool.missing.tolist() == [False, False, True]
    assert rank(pool).scores.tolist() == [0.5, 0.25]


def test_scores_without_answers_are_ranked_lowest_first(
    label_studio: LabelStudio, connect: Open
) -> None:
    tasks = [text_task([], score=score) for score in (0.9, 0.2, 0.5)]
    project = label_studio.create_project(CHOICES.format(more=""), tasks)
    ranking = rank(connect(project).read())
    ids = label_studio.task_ids(project)
    assert list(ranking.item_ids) == [str(ids[place]) for place in (1, 2, 0)]


@pytest.mark.parametrize("more", ["", ' choice="multiple"'])
def test_one_odd_prediction_changes_the_order_of_no_others(
    label_studio: LabelStudio, connect: Open, more: str
) -> None:
    tasks = [text_task([choice("good", score=score)]) for score in (0.9, 0.05, 0.5)]
    tasks.append(text_task([choice("good", score=0.8), choice("bad", score=0.7)]))
    project = label_studio.create_project(CHOICES.format(more=more), tasks)
    pool = connect(project).read()
    ids = label_studio.task_ids(project)
    assert list(rank(pool).item_ids) == [str(ids[place]) for place in (1, 2, 3, 0)]
    assert "least_sure" in codes(pool)


def test_one_score_among_distributions_is_one_too_and_is_counted(
    label_studio: LabelStudio, connect: Open
) -> None:
    tasks = [text_task([choice("bad", probs=[0, 1, 0])]), text_task([choice("bad", score=0.75)])]
    project = label_studio.create_project(CHOICES.format(more=""), tasks)
    pool = connect(project).read()
    assert pool.probabilities.tolist() == [[0, 1, 0], [0.125, 0.75, 0.125]]
    (notice,) = pool.notices
    assert (notice.code, notice.item_ids) == ("top_classes", (pool.item_ids[1],))


def test_choices_without_any_score_are_counted(label_studio: LabelStudio, connect: Open) -> None:
    project = label_studio.create_project(CHOICES.format(more=""), [text_task([choice("bad")])])
    pool = connect(project).read()
    assert pool.missing.tolist() == [True]
    assert codes(pool) == ["no_score"]


def test_independent_classes_are_multilabel(label_studio: LabelStudio, connect: Open) -> None:
    config = CHOICES.format(more=' choice="multiple"')
    tasks = [text_task([choice(c, score=0.75) for c in ("good", "bad", "odd")])]
    pool = connect(label_studio.create_project(config, tasks)).read()
    assert pool.multilabel
    assert pool.probabilities.tolist() == [[0.75, 0.75, 0.75]]
    assert codes(pool) == ["multilabel"]


def test_a_distribution_that_does_not_sum_to_1_names_the_task(
    label_studio: LabelStudio, connect: Open
) -> None:
    tasks = [text_task([choice("bad", probs=p)]) for p in ([0, 1, 0], [0.5, 0.1, 0.1])]
    project = label_studio.create_project(CHOICES.format(more=""), tasks)
    second = label_studio.task_ids(project)[1]
    with pytest.raises(InvalidInput, match=f"sum to 1.*got 0.7 .* for item {second}"):
        connect(project).read()


def test_a_ragged_distribution_is_counted(label_studio: LabelStudio, connect: Open) -> None:
    tasks = [text_task([choice("bad", probs=p)]) for p in ([0, 1, 0], [0.5, 0.5])]
    pool = connect(label_studio.create_project(CHOICES.format(more=""), tasks)).read()
    assert pool.missing.tolist() == [False, True]
    assert codes(pool) == ["broken_regions"]


def test_an_unknown_label_names_the_task(label_studio: LabelStudio, connect: Open) -> None:
    tasks = [text_task([choice("bad", probs={"bad": 0.5, "worse": 0.5})])]
    project = label_studio.create_project(CHOICES.format(more=""), tasks)
    (task,) = label_studio.task_ids(project)
    with pytest.raises(InvalidInput, match=f"good, bad, odd; got 'worse' for item {task}"):
        connect(project).read()


# ---- what predictions of boxes can hold


def test_an_image_without_boxes_is_not_missing(label_studio: LabelStudio, connect: Open) -> None:
    tasks = [image_task(), image_task(box(score=0.5)), {"data": {"image": "http://localhost/b"}}]
    pool = connect(label_studio.create_project(TWO_TAGS, tasks), from_name="box").read()
    assert pool.missing.tolist() == [False, False, True]
    assert pool.objects.counts.tolist() == [0, 1, 0]


def test_a_turned_box_is_read_as_the_upright_box_around_it(
    label_studio: LabelStudio, connect: Open
) -> None:
    # 200 x 100 pixels: the corner is at (100, 20); 60 wide and 40 high, a quarter turn clockwise
    # about that corner puts it at x 60 to 100 and y 20 to 80 of 200 x 100.
    value = {"x": 50, "y": 20, "width": 30, "height": 40}
    size = {"original_width": 200, "original_height": 100}
    task = image_task(box(score=0.5, rotation=90, value=value, **size))
    pool = connect(label_studio.create_project(TWO_TAGS, [task]), from_name="box").read()
    np.testing.assert_allclose(pool.objects.boxes, [[0.3, 0.2, 0.5, 0.8]], atol=1e-12)


def test_the_score_of_a_box_is_its_own_then_its_class_then_the_predictions(
    label_studio: LabelStudio, connect: Open
) -> None:
    probs = {"car": 0.125, "bus": 0.875}
    task = image_task(
        box(score=0.25, value={"probs": probs}),
        box("bus", value={"probs": probs}),
        box("bus", meta={"probs": probs}),
        score=0.5,
    )
    plain = image_task(box(), score=0.5)
    adapter = connect(label_studio.create_project(TWO_TAGS, [task]), from_name="box")
    objects = adapter.read().objects
    assert objects.confidences.tolist() == [0.25, 0.875, 0.875]
    assert objects.probabilities.tolist() == [[0.125, 0.875]] * 3
    mixed = connect(label_studio.create_project(TWO_TAGS, [task, plain]), from_name="box").read()
    assert mixed.objects.confidences.tolist() == [0.25, 0.875, 0.875, 0.5]
    assert mixed.objects.probabilities is None
    assert codes(mixed) == ["partial_vectors"]
    assert mixed.notices[0].item_ids == (mixed.item_ids[1],)


def test_boxes_without_any_score_are_counted(label_studio: LabelStudio, connect: Open) -> None:
    tasks = [image_task(box()), image_task(box(score=0.5))]
    pool = connect(label_studio.create_project(TWO_TAGS, tasks), from_name="box").read()
    assert pool.missing.tolist() == [True, False]
    assert codes(pool) == ["no_score"]


def test_scores_that_are_all_zero_are_said(label_studio: LabelStudio, connect: Open) -> None:
    tasks = [image_task(box(), score=0.0), image_task(box(), score=0.0)]
    pool = connect(label_studio.create_project(TWO_TAGS, tasks), from_name="box").read()
    assert codes(pool) == ["zero_scores"]


def test_a_score_in_percent_names_the_task(label_studio: LabelStudio, connect: Open) -> None:
    project = label_studio.create_project(TWO_TAGS, [image_task()])
    (task,) = label_studio.task_ids(project)
    body = {"task": task, "model_version": "m2", "result": [box(score=87.5)]}
    label_studio.api("POST", "/api/predictions/", body)
    with pytest.raises(
        InvalidInput, match=rf"scores must be in \[0, 1\]; got 87.5 for item {task}"
    ):
        connect(project, from_name="box").read()


def test_broken_regions_are_counted(label_studio: LabelStudio, connect: Open) -> None:
    results: list[Any] = [
        [box(score=0.5, value={"x": "ten"})],
        [{"from_name": "box", "value": "no object"}],
        [box(score="high")],
    ]
    project = label_studio.create_project(TWO_TAGS, [{"data": {"image": "x"}} for _ in results])
    ids = label_studio.task_ids(project)
    for task, result in zip(ids, results, strict=True):
        body = {"task": task, "model_version": "m1", "result": result}
        label_studio.api("POST", "/api/predictions/", body)
    pool = connect(project, from_name="box").read()
    assert pool.missing.all()
    (notice,) = pool.notices
    assert (notice.code, list(notice.item_ids)) == ("broken_regions", [str(i) for i in ids])


def test_a_box_that_sticks_out_is_clipped_and_counted(
    label_studio: LabelStudio, connect: Open
) -> None:
    task = image_task(box(score=0.5, value={"x": 90}))
    pool = connect(label_studio.create_project(TWO_TAGS, [task]), from_name="box").read()
    np.testing.assert_allclose(pool.objects.boxes, [[0.9, 0.2, 1.0, 0.6]])
    assert codes(pool) == ["clipped_boxes"]

"""What a ranking is given beside the order: what is predicted of its batch."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from labelnext.acquisition import ACQUISITIONS, get_acquisition
from labelnext.config import load_config
from labelnext.config.recipe import recipe_of
from labelnext.config.sections import Acquisition, Selection
from labelnext.errors import ConfigError, InvalidInput
from labelnext.pool import Objects, Pool
from labelnext.ranking import Ranking, rank
from labelnext.ranking.ranking import batch_ranking
from labelnext.ranking.recipe import Recipe
from labelnext.runs.ranked import follow, uses_boxes, with_clusters, with_prelabels


def predicted(pool: Pool, ranking: Ranking) -> Pool:
    prelabels = with_prelabels(pool, ranking).prelabels
    assert prelabels is not None
    return prelabels


def batch_of(*items: str) -> Ranking:
    return batch_ranking([{"item_id": item, "score": None} for item in items])


def test_pre_labels_of_nothing_predicted_are_none_and_say_so() -> None:
    ranking = with_prelabels(Pool(["a"]), batch_of("a"))
    assert ranking.prelabels is None
    assert [notice.code for notice in ranking.notices] == ["no_prelabels"]


def test_pre_labels_of_a_committee_are_its_mean_in_the_order_of_the_batch() -> None:
    nan = float("nan")
    first = [[1.0, 0.0], [0.5, 0.5], [nan, nan]]
    second = [[0.5, 0.5], [0.0, 1.0], [nan, nan]]
    pool = Pool("abc", probabilities=[first, second], missing=[False, False, True])
    made = predicted(pool, batch_of("b", "c", "a"))
    assert made.item_ids.tolist() == ["b", "a"]  # nothing is predicted of c
    assert made.probabilities is not None
    assert made.probabilities.tolist() == [[0.25, 0.75], [0.75, 0.25]]


def test_pre_labels_of_several_detectors_are_those_of_the_newest() -> None:
    old = Objects([0, 1, 1], [0.5], class_ids=[0])
    new = Objects([0, 1, 2], [0.9, 0.8], class_ids=[1, 0])
    made = predicted(Pool("ab", objects=(old, new)), batch_of("b"))
    (objects,) = made.object_sets
    assert (objects.confidences.tolist(), objects.class_ids.tolist()) == ([0.8], [0])  # type: ignore[union-attr]  # it has some
    part = Objects([0, 0, 1], [0.8], class_ids=[0], missing=[True, False])  # which never saw a
    (objects,) = predicted(Pool("ab", objects=(old, part)), batch_of("b", "a")).object_sets
    assert objects.confidences.tolist() == [0.8, 0.5]


def test_pre_labels_of_one_confidence_per_item_keep_their_class() -> None:
    answers = Objects([0, 1, 2], [0.5, 0.75], class_ids=[1, 0], whole_items=True)
    pool = Pool("ab", objects=answers, classes=["x", "y"])
    made = predicted(pool, rank(pool, "least_confidence", budget=1))
    assert made.item_ids.tolist() == ["a"]
    assert made.top_names is not None
    assert made.top_names.tolist() == ["y"]


def test_label_review_has_no_pre_labels() -> None:
    pool = Pool("a", probabilities=[[0.5, 0.5]])
    ranking = batch_ranking([{"item_id": "a", "score": None}], purpose="review")
    with pytest.raises(ConfigError, match="prelabels must be left out for label review"):
        with_prelabels(pool, ranking)


def test_clusters_are_numbered_by_rank_and_hold_the_first_of_each() -> None:
    # By rank, the items lie in turn at 0, 10 and 20; two of each cluster are numbered.
    ids = [f"i{n:02}" for n in range(24)]
    places = [[10.0 * (n % 3)] for n in range(24)]
    doubt = [[0.5 + n / 100, 0.5 - n / 100] for n in range(24)]
    pool = Pool(ids, probabilities=doubt, embeddings=places)
    clusters = with_clusters(pool, rank(pool, "margin", budget=3), 3).clusters
    assert clusters == {item: n % 3 for n, item in enumerate(ids[:6])}


def test_clusters_go_by_probabilities_where_there_are_no_embeddings() -> None:
    rows = [[0.5, 0.5, 0.0], [0.0, 0.5, 0.5]] * 2 + [[0.9, 0.1, 0.0]] * 4
    pool = Pool("abcdefgh", probabilities=rows)
    clusters = with_clusters(pool, rank(pool, "margin", budget=2), "auto").clusters
    assert clusters == {"a": 0, "b": 1, "c": 0, "d": 1}


def test_clusters_leave_out_items_without_an_embedding_and_need_some() -> None:
    nan = float("nan")
    rows = [[0.5, 0.5]] * 3
    pool = Pool("abc", probabilities=rows, embeddings=[[nan], [1.0], [2.0]])
    ranking = with_clusters(pool, rank(pool, "margin", budget=3), 2)
    assert {*(ranking.clusters or {})} == {"b", "c"}
    with pytest.raises(InvalidInput, match=r"write\.clusters needs embeddings or class"):
        with_clusters(Pool("a"), batch_of("a"), 2)
    assert with_clusters(Pool("a"), batch_of(), 2).clusters == {}


BOXES = Pool("ab", objects=Objects([0, 1, 2], [0.9, 0.6]))  # b's box is the less certain one


def recipe(**acquisition: Any) -> Recipe:
    named = Acquisition(name="least_confidence", **acquisition)
    return recipe_of(named, Selection(), Path())


@pytest.mark.parametrize("of", [{}, {"of": None}, {"of": "objects"}], ids=str)
def test_a_function_that_is_named_scores_boxes_where_there_is_nothing_else(of: Any) -> None:
    ranking = follow(recipe(**of, reduce="max"), BOXES)
    assert (ranking.of, ranking.item_ids.tolist()) == ("objects", ["b", "a"])


def test_a_function_that_is_named_scores_items_where_both_are_there() -> None:
    pool = replace(BOXES, probabilities=[[0.6, 0.4], [0.9, 0.1]])  # a is the less certain item
    assert follow(recipe(), pool).item_ids.tolist() == ["a", "b"]
    assert follow(recipe(of="objects"), pool).item_ids.tolist() == ["b", "a"]


def test_items_that_are_asked_for_are_not_replaced_by_boxes() -> None:
    with pytest.raises(InvalidInput, match="set of: objects to score its objects"):
        follow(recipe(of="items"), BOXES)


@pytest.mark.parametrize(
    ("name", "lacking"),
    [
        ("margin", "margin needs a class probability vector for each object"),
        ("distinct_entropy", "distinct_entropy needs an embedding for each object"),
        ("bald", "bald needs class probabilities, but the pool has none"),
    ],
)
def test_what_boxes_lack_is_said_without_a_cure_that_does_not_help(name: str, lacking: str) -> None:
    assert get_acquisition(name).obstacle(BOXES) == lacking


@pytest.mark.parametrize(
    ("changed", "used"),
    [
        ({}, False),
        ({"acquisition": {"name": "entropy", "of": "objects"}}, False),
        ({"report": {"path": "page.html"}}, True),
        ({"purpose": "review"}, True),
    ],
)
def test_boxes_are_used_by_pages_and_reviews_alone(changed: dict[str, Any], used: bool) -> None:
    given = {"source": {"adapter": "files", "path": "pool.csv"}, "report": {"path": None}}
    assert uses_boxes(load_config({**given, **changed}), cast("Any", object())) is used


def test_boxes_may_be_used_by_what_writes_pre_labels_and_by_functions_of_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    given = {"source": {"adapter": "files", "path": "pool.csv"}, "report": {"path": None}}
    settings = load_config({**given, "acquisition": {"name": "entropy"}})
    platform = cast("Any", SimpleNamespace(wants_prelabels=lambda: True))
    assert uses_boxes(settings, platform)
    monkeypatch.setattr(ACQUISITIONS, "_built_in", {})  # then entropy is another package's
    assert uses_boxes(settings, cast("Any", object()))

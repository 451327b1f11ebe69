"""Whole groups, such as the frames of a clip, chosen as one item."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import labelnext
from labelnext.errors import ConfigError, InvalidInput
from labelnext.pool import Objects, Pool
from labelnext.ranking import rank
from labelnext.ranking.explain import explain_item

# The gap between two classes: u1 0.1, u2 0.9; v1 0.3, v2 0.4, v3 without a prediction; w1 0.2,
# which is labelled, w2 0.8; x, without a group, 0.5.
IDS = ["u1", "u2", "v1", "v2", "v3", "w1", "w2", "x"]
GAPS = np.array([0.1, 0.9, 0.3, 0.4, np.nan, 0.2, 0.8, 0.5])
POOL = Pool(
    IDS,
    probabilities=np.stack([(1 + GAPS) / 2, (1 - GAPS) / 2], axis=1),
    missing=np.isnan(GAPS),
    classes=["cat", "dog"],
    groups=["u", "u", "v", "v", "v", "w", "w", ""],
    labels=[-1, -1, -1, -1, -1, 0, -1, -1],
    costs=[1, 1, 1, 1, 1, 5, 2, 1],
    metadata={"city": ["Oslo", "Rome", "Rome", "Rome", "Oslo", "Bonn", "", ""]},
)


def ranked(budget: int, pool: Pool = POOL, **options: Any) -> tuple[list[str], list[str]]:
    """The batch, and what follows it."""
    ranking = rank(pool, "margin", budget=budget, **options)
    assert ranking.unscored_ids == ()
    order = ranking.pool_order.tolist()
    assert order[: len(ranking)] == ranking.item_ids.tolist()
    return order[: len(ranking)], order[len(ranking) :]


def test_a_group_stands_together_and_the_budget_counts_groups() -> None:
    # The least gaps: u 0.1, v 0.3, x 0.5, w 0.8, as w1 is labelled. Within a group by the own gap,
    # what has none last.
    assert ranked(2, groups_as_items=True) == (
        ["u1", "u2", "v1", "v2", "v3"],
        ["x", "w2"],
    )
    (notice,) = rank(POOL, "margin", budget=3, groups_as_items="max").notices
    assert notice.message == "The batch has 3 groups, 6 items."


def test_the_score_of_a_group_is_a_mean_or_the_worst_too() -> None:
    # Mean gaps: u 0.5, v 0.35, x 0.5, w 0.8; of equal ones the first by id.
    batch, rest = ranked(3, groups_as_items="mean")
    assert batch + rest == ["v1", "v2", "v3", "u1", "u2", "x", "w2"]
    # The largest gaps: v 0.4, x 0.5, w 0.8, u 0.9.
    batch, rest = ranked(1, groups_as_items="min")
    assert batch + rest == ["v1", "v2", "v3", "x", "w2", "u1", "u2"]


def test_the_order_of_rows_does_not_matter() -> None:
    turned = np.arange(len(IDS))[::-1]
    columns = ("groups", "labels", "costs", "missing")
    pool = Pool(
        POOL.item_ids[turned],
        probabilities=POOL.mean_probabilities[turned],  # type: ignore[index]  # it has some
        **{name: getattr(POOL, name)[turned] for name in columns},
    )
    assert ranked(2, pool, groups_as_items=True) == ranked(2, groups_as_items=True)


def test_constraints_are_on_groups() -> None:
    assert ranked(1, groups_as_items=True, include=["w2"])[0] == ["w2"]
    assert ranked(2, groups_as_items=True, include=["v3", "v1"])[0] == [
        "v1",
        "v2",
        "v3",
        "u1",
        "u2",
    ]
    # Without u1, u has 0.9 left.
    assert ranked(4, groups_as_items=True, exclude=["u1"])[0] == ["v1", "v2", "v3", "x", "w2", "u2"]
    # u costs 2, v 3, x 1, w the 2 of w2: of 4, u, then x.
    assert ranked(4, groups_as_items=True, budget_in="cost")[0] == ["u1", "u2", "x"]
    # The commonest city of v is Rome, of u Oslo before Rome; w is Bonn before nothing.
    cities = {"quota": {"Rome": 1, "Oslo": 0, "": 0}, "quota_of": "city"}
    assert ranked(2, groups_as_items=True, **cities)[0] == ["v1", "v2", "v3"]


def test_a_group_of_mixed_predictions_has_the_class_of_its_mean() -> None:
    pool = Pool(
        "abc",
        probabilities=[[0.9, 0.1], [0.4, 0.6], [0.45, 0.55]],
        classes=["cat", "dog"],
        groups=["g", "g", ""],
    )
    batch = rank(pool, "margin", budget=1, groups_as_items=True, quota={"cat": 1}).item_ids
    assert batch.tolist() == ["b", "a"]
    found = Objects([0, 1, 2, 3], [0.9, 0.8, 0.7], class_ids=[0, 0, 1])
    images = Pool("abc", objects=found, classes=["cat", "dog"], groups=["g", "g", ""])
    batch = rank(images, budget=1, groups_as_items=True, quota={"dog": 1}).item_ids
    assert batch.tolist() == ["c"]


def test_distances_are_between_the_means_of_groups() -> None:
    # u is at 0 ((−9 + 9) / 2), v at 5, w at 1 (of its finite vector), x at 4 and labelled; the
    # farthest from 4 is u, then v is 1 and w 1 away from what is nearest.
    pool = Pool(
        ["u1", "u2", "v1", "w1", "w2", "x"],
        embeddings=[[-9.0], [9.0], [5.5], [1.0], [np.nan], [4.0]],
        groups=["u", "u", "v", "w", "w", ""],
        labels=[-1, -1, -1, -1, -1, 0],
    )
    ranking = rank(pool, None, selection="k_center", budget=2, groups_as_items=True)
    assert ranking.item_ids.tolist() == ["u1", "u2", "v1"]
    near = rank(pool, None, selection="k_center", groups_as_items=True, min_distance=1.25, budget=9)
    assert near.item_ids.tolist() == ["u1", "u2", "v1"]  # w is 1.0 from u


def test_a_vector_without_use_is_left_out_of_its_group() -> None:
    def batch(odd: float) -> list[str]:
        embeddings = [[odd], *[[float(i)] for i in range(1, 12)]]
        pool = Pool(range(12), embeddings=embeddings, groups=[f"g{i % 4}" for i in range(12)])
        ranking = rank(pool, None, selection="k_center", budget=2, groups_as_items=True)
        return [str(item) for item in ranking.item_ids]

    assert batch(1e16) == batch(np.inf) == batch(np.nan)


def test_groups_are_compared_by_their_mean_probabilities() -> None:
    # u has the mean of l, which is labelled: the distance is 0. That of v is 0.15.
    pool = Pool(
        ["l", "u1", "u2", "v1", "v2"],
        probabilities=[[0.5, 0.5], [1, 0], [0, 1], [0.7, 0.3], [0.7, 0.3]],
        groups=["l", "u", "u", "v", "v"],
        labels=[0, -1, -1, -1, -1],
    )
    options = {"selection": "k_center", "space": "probabilities", "groups_as_items": True}
    assert rank(pool, None, budget=1, **options).item_ids.tolist() == ["v1", "v2"]


def test_what_is_skipped_comes_last_only_if_all_of_its_group_is() -> None:
    deferred = np.isin(POOL.item_ids, ["u1", "v1", "v2", "v3"])
    assert ranked(2, replace(POOL, deferred=deferred), groups_as_items=True)[0] == ["u1", "u2", "x"]


def test_an_empty_pool_and_one_that_is_labelled_have_no_groups_to_choose() -> None:
    empty = Pool([], probabilities=np.empty((0, 2)), groups=[])
    done = Pool(["a", "b"], probabilities=[[0.5, 0.5]] * 2, groups=["g", "g"], labels=[0, 1])
    for pool in (empty, done):
        assert ranked(1, pool, groups_as_items=True) == ([], [])


def test_explain_says_that_the_group_ranks() -> None:
    why = explain_item(POOL, rank(POOL, "margin", budget=2, groups_as_items=True), "u2")
    assert why.place == 2
    assert why.rule.endswith("; its whole group ranks as one item")
    assert why.changes == []


def test_a_run_on_a_file_writes_whole_clips(tmp_path: Path) -> None:
    # Gaps 0.4, 0.2, 0.1, 0.9: the clip of c is first, with d.
    rows = ["a,v1,0.7,0.3", "b,v1,0.6,0.4", "c,v2,0.55,0.45", "d,v2,0.95,0.05"]
    (tmp_path / "p.csv").write_text("\n".join(["id,clip,cat,dog", *rows]))
    (tmp_path / "c.yaml").write_text(
        "source: {adapter: files, path: p.csv, columns: {group: clip}}\n"
        "acquisition: {name: margin}\n"
        "selection: {budget: 1, options: {groups_as_items: true}}\n"
        "write: {output: ranking.csv}\n"
    )
    report = labelnext.run(tmp_path / "c.yaml")
    assert report.ranking.item_ids.tolist() == ["c", "d"]
    assert "The batch has 1 group, 2 items." in str(report)
    lines = (tmp_path / "ranking.csv").read_text().splitlines()[1:]
    assert [line.split(",")[0].strip('"') for line in lines] == ["c", "d", "b", "a"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"per_group": 1}, "per_group must be left out with groups_as_items"),
        ({"quota": {"u": 1}, "quota_of": "group"}, "quota must not be of group with"),
        (
            {"groups_as_items": "sum"},
            "groups_as_items must be true, false, 'max', 'mean' or 'min'; got 'sum'",
        ),
        ({"include": ["w1"]}, "include must not be labelled; got w1"),
    ],
)
def test_what_makes_no_sense_is_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises((InvalidInput, ConfigError), match=message):
        rank(POOL, "margin", budget=2, **{"groups_as_items": True, **options})


def test_a_pool_without_groups_and_single_objects_are_refused() -> None:
    with pytest.raises(InvalidInput, match="left out for a pool without groups"):
        rank(Pool("a", probabilities=[[1.0, 0.0]]), "margin", groups_as_items=True)
    found = Objects([0, 1], [0.5], embeddings=[[1.0]])
    pool = Pool("a", objects=found, groups=["g"])
    with pytest.raises(InvalidInput, match="left out with object_diversity, which goes by single"):
        rank(pool, selection="object_diversity", budget=1, groups_as_items=True)

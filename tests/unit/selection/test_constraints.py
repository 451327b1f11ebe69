from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from labelnext.config import load_config
from labelnext.errors import ConfigError, InvalidInput
from labelnext.pool import Objects, Pool
from labelnext.ranking import rank
from labelnext.selection import SELECTIONS, get_selection

# By margin: a 0.0, b 0.1, c 0.2, … Predicted: cat but for c and f. Groups x x y y x and none.
P = [0.5, 0.55, 0.4, 0.65, 0.7, 0.25]
POOL = Pool(
    ["a", "b", "c", "d", "e", "f"],
    probabilities=[[p, 1 - p] for p in P],
    classes=["cat", "dog"],
    groups=["x", "x", "y", "y", "x", ""],
    costs=[3, 1, 2, 1, 1, 1],
)


def batch(budget: int | None = None, **options: object) -> str:
    return "".join(rank(POOL, "margin", budget=budget, **options).item_ids.tolist())


def test_without_constraints_the_order_is_by_score() -> None:
    assert batch() == "abcdef"


def test_excluded_items_are_not_ranked_and_not_unscored() -> None:
    ranking = rank(POOL, "margin", exclude=["a", "d"])
    assert ranking.pool_order.tolist() == ["b", "c", "e", "f"]
    assert ranking.unscored_ids == ()


def test_excluded_id_that_does_not_exist_is_a_notice() -> None:
    (notice,) = rank(POOL, "margin", exclude=["a", "zz"]).notices
    assert (notice.code, notice.item_ids) == ("unknown_id", ("zz",))


def test_included_items_come_first_in_their_order() -> None:
    assert batch(4, include=["f", "d"]) == "fdab"


@pytest.mark.parametrize(
    "ids", [np.array(["f", "d"]), pd.Series(["f", "d"]), pd.Index(["f", "d"]), ("f", "d")]
)
def test_ids_may_come_as_an_array_or_a_series(ids: Any) -> None:
    assert batch(4, include=ids) == "fdab"
    assert rank(POOL, "margin", exclude=ids).pool_order.tolist() == ["a", "b", "c", "e"]


def test_a_set_of_ids_counts_in_the_order_of_the_ids() -> None:
    assert batch(4, include={"f", "d"}) == "dfab"
    assert rank(POOL, "margin", exclude={"a", "d"}).pool_order.tolist() == ["b", "c", "e", "f"]


def test_included_item_without_a_score_is_ranked() -> None:
    pool = Pool(["a", "b"], probabilities=[[0.5, 0.5], [np.nan, 0.5]], missing=[False, True])
    ranking = rank(pool, "margin", include=["b"])
    assert ranking.item_ids.tolist() == ["b", "a"]
    assert ranking.unscored_ids == ()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"include": ["zz"]}, "include must be in the pool; got zz"),
        ({"include": ["a", "a"]}, "include must be distinct; got a more than once"),
        ({"include": ["a"], "exclude": ["a"]}, "include must not be excluded too; got a"),
        ({"include": "a"}, "include must be a list of ids; got 'a'"),
        ({"quota": {"cow": 2}}, "quota must name classes of the pool, cat, dog; got 'cow'"),
        ({"quota": {"cat": -1}}, "quota.cat must be at least 0; got -1"),
        ({"quota": {"cat": 9}, "budget": 3}, "quota must sum to at most the budget of 3; got 9"),
        ({"per_group": 0}, "per_group must be a whole number of at least 1; got 0"),
        ({"quota_of": "size"}, "quota_of must be left out without a quota; got 'size'"),
        (
            {"quota": "input", "quota_of": "size", "budget": 3},
            "quota must be of one of class, group; got 'size'",
        ),
        ({"budget_in": "hours"}, "budget_in must be one of items, cost; got 'hours'"),
    ],
)
def test_impossible_constraint_is_refused(options: dict[str, object], message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        rank(POOL, "margin", **options)


@pytest.mark.parametrize("options", ["include: [a, b, a]", "{include: [1], exclude: ['1']}"])
def test_an_impossible_include_is_refused_before_data_is_read(tmp_path: Path, options: str) -> None:
    listed = options if options.startswith("{") else f"{{{options}}}"
    path = tmp_path / "labelnext.yaml"
    path.write_text("source: {adapter: files, path: missing.csv}\nselection:\n  options: " + listed)
    with pytest.raises(ConfigError, match="line 3: selection.options.include must") as caught:
        load_config(path)
    assert "missing.csv" not in str(caught.value)


def test_labelled_item_cannot_be_included() -> None:
    pool = Pool(["a", "b"], probabilities=[[0.5, 0.5]] * 2, labels=[0, -1])
    with pytest.raises(InvalidInput, match="include must not be labelled; got a"):
        rank(pool, "margin", include=["a"])


def test_at_most_m_of_a_group_and_items_without_one_are_free() -> None:
    assert batch(per_group=1) == "acf"
    assert batch(3, per_group=2) == "abc"


def test_quota_of_predicted_classes_holds_and_others_share_the_rest() -> None:
    # Dogs by margin: c, then f. With two dogs of four, two places are left for cats: a, b.
    assert sorted(batch(4, quota={"dog": 2})) == ["a", "b", "c", "f"]
    assert batch(2, quota={"dog": 2}) == "cf"


def test_quota_of_groups_holds() -> None:
    assert batch(3, quota={"x": 1, "y": 2}, quota_of="group") == "acd"


def test_quota_that_cannot_be_reached_is_a_notice() -> None:
    (notice,) = rank(POOL, "margin", quota={"dog": 3, "cat": 1}, budget=4).notices
    assert notice.message == "Quota not met for dog 2 of 3: no more items fit."


def test_quota_of_images_is_of_their_most_confident_object() -> None:
    objects = Objects([0, 2, 3, 3], [0.4, 0.9, 0.8], class_ids=[0, 1, 0])
    pool = Pool(["a", "b", "c"], objects=objects, classes=["car", "bus"])
    ranking = rank(pool, "mean_object_confidence", quota={"bus": 1}, budget=1)
    assert ranking.item_ids.tolist() == ["a"]


def test_budget_in_cost_takes_what_still_fits() -> None:
    # a costs 3, b 1: full at 4. With 2 left after nothing: a does not fit, b and then d do.
    assert batch(4, budget_in="cost") == "ab"
    assert batch(2, budget_in="cost") == "bd"


def test_a_budget_below_every_cost_is_named_with_the_least() -> None:
    ranking = rank(POOL, "margin", budget=1, budget_in="cost", exclude=list("bdef"))
    assert len(ranking) == 0
    assert [n.message for n in ranking.notices] == [
        "Nothing fits the budget of 1: the least costs 2."
    ]


def test_costs_that_no_budget_covers_are_named() -> None:
    pool = Pool(["a", "b"], probabilities=[[0.5, 0.5]] * 2, costs=[np.inf, np.inf])
    (notice,) = rank(pool, "margin", budget=9, budget_in="cost").notices
    assert notice.message == "Nothing fits the budget of 9: the least costs inf."


def test_constraint_needs_its_column() -> None:
    bare = Pool(["a"], embeddings=[[0.0]])
    for options, lacking in (
        ({"budget_in": "cost"}, "costs"),
        ({"per_group": 1}, "groups"),
        ({"quota": {"0": 1}}, "predicted classes"),
    ):
        with pytest.raises(InvalidInput, match=f"for a pool without {lacking}"):
            rank(bare, None, selection="k_center", **options)


def test_picks_of_earlier_rounds_count_as_labelled() -> None:
    # Proposed first: b (10 away from a) and c (8 away), but c is of the group of b. Then, with b
    # a centre, e (5 away) beats d (1 away); with a alone it would be d.
    pool = Pool(
        ["a", "b", "c", "d", "e"],
        embeddings=[[0.0], [10.0], [-8.0], [9.0], [5.0]],
        labels=[0, -1, -1, -1, -1],
        groups=["", "v", "v", "w", "w"],
    )
    ranking = rank(pool, None, selection="k_center", budget=2, per_group=1)
    assert ranking.item_ids.tolist() == ["b", "e"]


@pytest.mark.parametrize("method", SELECTIONS.own_names())
def test_every_method_keeps_to_its_constraints(method: str) -> None:
    rng = np.random.default_rng(1)
    pool = Pool(
        range(60),
        probabilities=rng.dirichlet(np.ones(3), 60),
        embeddings=rng.normal(size=(60, 4)),
        groups=rng.integers(0, 8, 60).astype(str),
        labels=np.where(np.arange(60) < 6, 0, -1),
        objects=Objects(range(61), rng.random(60), embeddings=rng.normal(size=(60, 4))),
    )
    score = "margin" if "utilities" in get_selection(method).inputs else None
    ranking = rank(
        pool, score, selection=method, budget=12, per_group=2, exclude=["10"], include=["11"]
    )
    ids = ranking.item_ids.tolist()
    groups = pool.groups[np.array(ids, dtype=int)]
    assert len(set(ids)) == 12
    assert ids[0] == "11"
    assert "10" not in ids
    assert not set(ids) & set("012345")
    assert np.unique(groups, return_counts=True)[1].max() <= 2


def test_limits_look_at_the_order_of_the_scores_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    method = get_selection("top_k")

    def counted(utilities: np.ndarray, budget: int | None = None) -> np.ndarray:
        asked.append(len(utilities))
        return method.function(utilities, budget)

    spy = replace(method, function=counted)
    monkeypatch.setattr("labelnext.ranking.recipe.get_selection", lambda name: spy)
    n = 1000  # the best hundred items are of one group, the next of another, and so on
    first = np.linspace(0.5, 0.9, n)
    groups = [f"g{i // 100}" for i in range(n)]
    pool = Pool(range(n), probabilities=np.stack([first, 1 - first], axis=1), groups=groups)
    assert rank(pool, "margin", budget=10, per_group=1).item_ids.tolist() == [
        str(i) for i in range(0, n, 100)
    ]
    assert asked == [n]


def test_thousands_of_included_and_excluded_ids_are_kept_apart() -> None:
    n = 20_000
    pool = Pool(range(3 * n), probabilities=np.full((3 * n, 2), 0.5))
    include, exclude = ([str(i) for i in range(k * n, (k + 1) * n)] for k in (1, 2))
    ids = rank(pool, "margin", include=include, exclude=exclude).item_ids.tolist()
    assert ids == [*include, *map(str, range(n))]

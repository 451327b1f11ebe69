from __future__ import annotations

import json

import numpy as np
import pytest

from labelnext.errors import InvalidInput, LabelnextError, UnknownName
from labelnext.pool import Objects, Pool
from labelnext.pool.objects import Notice
from labelnext.ranking import rank
from labelnext.selection import SelectionMethod

POOL = Pool(
    ["10", "9", "3", "4", "5"],
    probabilities=[[0.5, 0.5], [0.5, 0.5], [0.9, 0.1], [0.6, 0.4], [0.7, 0.3]],
    labels=[-1, -1, -1, -1, 0],
)


def test_ranking_of_an_empty_pool_is_empty() -> None:
    ranking = rank(Pool([], probabilities=np.empty((0, 2))), "margin", budget=3)
    assert len(ranking) == 0
    assert ranking.to_rows() == []


def test_one_item_is_ranked_first_with_priority_one() -> None:
    ranking = rank(Pool(["a"], probabilities=[[0.5, 0.5]]), "entropy")
    assert ranking.to_rows() == [
        {"item_id": "a", "rank": 1, "priority": 1.0, "score": pytest.approx(np.log(2))}
    ]


def test_low_first_score_puts_the_lowest_first_and_ties_by_integer_value() -> None:
    ranking = rank(POOL, "margin")
    assert ranking.item_ids.tolist() == ["9", "10", "4", "3"]
    assert ranking.scores == pytest.approx([0, 0, 0.2, 0.8])


def test_priority_falls_from_one_by_one_over_the_number_ranked() -> None:
    ranking = rank(POOL, "margin", budget=2)
    assert ranking.ranks.tolist() == [1, 2]
    assert ranking.priorities.tolist() == [1.0, 0.75]
    assert ranking.pool_priorities.tolist() == [1.0, 0.75, 0.5, 0.25]


def test_pool_order_is_complete_beyond_the_batch() -> None:
    ranking = rank(POOL, "margin", budget=1)
    assert ranking.item_ids.tolist() == ["9"]
    assert ranking.pool_order.tolist() == ["9", "10", "4", "3"]
    assert [row["batch"] for row in ranking.pool_rows()] == [True, False, False, False]


def test_labelled_items_never_appear() -> None:
    assert "5" not in rank(POOL, "margin").pool_order


def test_budget_beyond_the_pool_returns_the_pool() -> None:
    assert len(rank(POOL, "margin", budget=1000)) == 4


@pytest.mark.parametrize("budget", [0, -1, 1.5, True, "3"])
def test_impossible_budget_is_refused(budget: object) -> None:
    with pytest.raises(InvalidInput, match=r"budget must be a whole number of at least 1; got"):
        rank(POOL, "margin", budget=budget)


def test_missing_and_nan_items_are_unscored_and_not_ranked() -> None:
    pool = Pool(
        ["a", "b", "c"],
        probabilities=[[0.5, 0.5], [np.nan, 0.5], [0.9, 0.1]],
        missing=[True, False, False],
    )
    ranking = rank(pool, "entropy")
    assert ranking.item_ids.tolist() == ["c"]
    assert ranking.unscored_ids == ("a", "b")


def test_objects_rank_by_mean_confidence_with_empty_images_first() -> None:
    pool = Pool(["a", "b", "c"], objects=Objects([0, 2, 2, 3], [0.9, 0.7, 0.3]))
    ranking = rank(pool, "mean_object_confidence")
    assert ranking.item_ids.tolist() == ["b", "c", "a"]
    assert ranking.scores == pytest.approx([0, 0.3, 0.8])


def test_empty_image_stands_strictly_before_an_object_of_confidence_zero() -> None:
    pool = Pool(["a", "b"], objects=Objects([0, 1, 1], [0.0]))
    assert rank(pool, "mean_object_confidence").item_ids.tolist() == ["b", "a"]
    last = rank(pool, "mean_object_confidence", no_objects="last")
    assert last.item_ids.tolist() == ["a", "b"]


def test_missing_prediction_is_not_an_empty_image() -> None:
    pool = Pool(["a", "b"], objects=Objects([0, 0, 0], []), missing=[True, False])
    ranking = rank(pool, "mean_object_confidence")
    assert ranking.item_ids.tolist() == ["b"]
    assert ranking.unscored_ids == ("a",)


def test_option_reaches_the_function_that_names_it() -> None:
    assert rank(POOL, "entropy", base=2).scores[0] == pytest.approx(1)


def test_unknown_option_lists_the_known_ones() -> None:
    with pytest.raises(UnknownName, match="option must be one of base, .*did you mean 'base'"):
        rank(POOL, "entropy", bose=2)


def test_option_of_objects_is_refused_for_items() -> None:
    with pytest.raises(InvalidInput, match="reduce must be left out"):
        rank(POOL, "entropy", reduce="max")


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ({"acquisition": "margn"}, "did you mean 'margin'"),
        ({"selection": "topk"}, "did you mean 'top_k'"),
    ],
)
def test_unknown_name_gives_the_nearest(names: dict[str, str], message: str) -> None:
    with pytest.raises(UnknownName, match=message):
        rank(POOL, **names)


def test_top_k_without_an_acquisition_function_is_refused() -> None:
    with pytest.raises(InvalidInput, match="acquisition must be named"):
        rank(POOL, None)


@pytest.mark.parametrize(
    ("pool", "name", "message"),
    [
        (Pool(["a"]), "margin", "margin needs class probabilities"),
        (
            Pool(["a"], objects=Objects([0, 1], [0.5])),
            "margin",
            "probability vector for each object",
        ),
        (POOL, "mean_object_confidence", "needs detected objects"),
        (Pool(["a"], probabilities=[[[1.0]], [[1.0]]]), "margin", "several"),
        (Pool(["a"], probabilities=[[0.9, 0.9]], multilabel=True), "margin", "multilabel"),
    ],
)
def test_pool_without_what_is_needed_is_refused(pool: Pool, name: str, message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        rank(pool, name, of="objects" if pool.objects is not None else None)


def test_diversity_without_a_score_ranks_only_the_batch() -> None:
    pool = Pool(list("abcd"), embeddings=[[0.0], [0.1], [5.0], [5.1]], classes=["x", "y"])
    ranking = rank(pool, None, selection="image_diversity", budget=2)
    assert ranking.priorities.tolist() == [1.0, 0.5]
    assert np.isnan(ranking.scores).all()
    assert ranking.pool_order.tolist() == ranking.item_ids.tolist()
    assert ranking.to_rows()[0]["score"] is None


def test_diversity_with_a_score_orders_the_rest_by_it() -> None:
    pool = Pool(
        list("abcd"),
        embeddings=[[0.0], [0.1], [5.0], [5.1]],
        probabilities=[[0.9, 0.1], [0.8, 0.2], [0.7, 0.3], [0.5, 0.5]],
    )
    ranking = rank(pool, "margin", selection="image_diversity", budget=2)
    batch = set(ranking.item_ids.tolist())
    rest = [name for name in "dcba" if name not in batch]
    assert ranking.pool_order.tolist()[2:] == rest


def test_diversity_needs_embeddings_and_a_number_of_clusters() -> None:
    with pytest.raises(InvalidInput, match="image_diversity needs embeddings"):
        rank(POOL, None, selection="image_diversity", space="embeddings")
    with pytest.raises(InvalidInput, match="image_diversity needs embeddings"):
        rank(Pool(["a"], classes=["x"]), None, selection="image_diversity")
    with pytest.raises(InvalidInput, match="n_clusters must be given"):
        rank(Pool(["a"], embeddings=[[1.0]]), None, selection="image_diversity")
    assert len(
        rank(Pool(["a"], embeddings=[[1.0]]), None, selection="image_diversity", n_clusters=1)
    )


def test_more_clusters_than_items_are_reduced_and_said() -> None:
    pool = Pool(["a", "b"], embeddings=[[1.0], [2.0]], classes=["x", "y", "z"])
    ranking = rank(pool, None, selection="image_diversity")
    assert [n.message for n in ranking.notices] == [
        "Reduced n_clusters from 3 to 2, the number of items."
    ]


def test_items_with_nan_embeddings_are_unscored() -> None:
    pool = Pool(["a", "b"], embeddings=[[np.nan], [2.0]], classes=["x"])
    ranking = rank(pool, None, selection="image_diversity")
    assert ranking.item_ids.tolist() == ["b"]
    assert ranking.unscored_ids == ("a",)


def test_rows_are_json_and_html_is_escaped() -> None:
    pool = Pool(["<b>", "x"], probabilities=[[0.5, 0.5], [0.9, 0.1]])
    ranking = rank(pool, "margin")
    assert json.loads(json.dumps(ranking.to_rows()))[0]["item_id"] == "<b>"
    assert "&lt;b&gt;" in ranking._repr_html_()
    assert "<b>" not in ranking._repr_html_()


def test_dataframe_has_the_rows() -> None:
    frame = rank(POOL, "margin", budget=2).to_dataframe()
    assert frame.to_dict("list") == {
        "item_id": ["9", "10"],
        "rank": [1, 2],
        "priority": [1.0, 0.75],
        "score": pytest.approx([0, 0]),
    }


@pytest.mark.parametrize("picks", [[0, 0], [-1], [2], [0, 1], [0.5], [[0]], [True], None], ids=repr)
@pytest.mark.parametrize("options", [{}, {"include": ["9"]}], ids=["free", "constrained"])
def test_a_method_that_chooses_wrongly_is_named(
    picks: object, options: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    def wrong(utilities: np.ndarray, budget: int | None = None) -> object:
        return picks

    method = SelectionMethod("wrong", wrong, "", "", "", "")  # type: ignore[arg-type]
    monkeypatch.setattr("labelnext.ranking.recipe.get_selection", lambda name: method)
    pool = Pool(["9", "10", "11"], probabilities=[[0.5, 0.5]] * 3, labels=[-1, -1, 0])
    budget = 2 if options else 1
    with pytest.raises(LabelnextError, match="the selection method wrong must return different"):
        rank(pool, "margin", selection="wrong", budget=budget, **options)  # type: ignore[arg-type]


def test_a_method_that_chooses_nothing_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing(utilities: np.ndarray, budget: int | None = None) -> np.ndarray:
        return np.empty(0, dtype=np.intp)

    method = SelectionMethod("nothing", nothing, "", "", "", "")
    monkeypatch.setattr("labelnext.ranking.recipe.get_selection", lambda name: method)
    pool = Pool(["a", "b"], probabilities=[[0.5, 0.5]] * 2, groups=["x", "x"])
    assert rank(pool, "margin", selection="nothing", per_group=1).item_ids.tolist() == []


def test_deferred_items_come_after_all_others_and_labelled_ones_may_be_open() -> None:
    # Margins 0.8, 0.0, 0.4, 0.2: without more, the order is b, d, c, a.
    rows = [[0.9, 0.1], [0.5, 0.5], [0.7, 0.3], [0.6, 0.4]]
    done = {"labelled": [False, False, True, True], "open": [True, True, True, False]}
    pool = Pool("abcd", probabilities=rows, deferred=[False, True, False, False], **done)
    ranking = rank(pool, "margin")
    assert ranking.pool_order.tolist() == ["c", "a", "b"]  # d has all the labels it needs
    assert rank(pool, "margin", budget=1).item_ids.tolist() == ["c"]
    batch = rank(pool, "margin", budget=3, quota={"0": 3}, quota_of="class")
    assert batch.item_ids.tolist() == ["c", "a", "b"]


def test_a_seeded_method_fills_the_batch_before_it_takes_deferred_items() -> None:
    rows = [[0.9, 0.1], [0.5, 0.5], [0.7, 0.3], [0.6, 0.4]]
    pool = Pool("abcd", probabilities=rows, deferred=[True, True, False, False])
    ranking = rank(pool, "margin", selection="stochastic", budget=3)
    assert {*ranking.item_ids.tolist()[:2]} == {"c", "d"}
    assert ranking.item_ids[2] in ("a", "b")


def test_a_ranking_of_one_item_is_of_one_item() -> None:
    ranking = rank(Pool(["a"], probabilities=[[0.5, 0.5]]), "margin")
    assert repr(ranking) == "<Ranking of 1 item, batch of 1: margin, top_k>"


LACKING = {
    "NaN": [np.nan, 1],
    "infinity": [1, -np.inf],
    "too large": [1, 2e15],
}


@pytest.mark.parametrize("row", LACKING.values(), ids=LACKING)
@pytest.mark.parametrize("method", ["k_center", "uncertainty_herding", "cluster_margin", "auto"])
def test_items_that_a_method_leaves_out_for_their_embedding_are_named(
    method: str, row: list[float]
) -> None:
    points = [[0.0, 0], row, [1, 0], [0, 1], *np.eye(2), *np.eye(2), *np.eye(2), *np.eye(2)]
    rows = np.full((12, 2), 0.5)
    rows[2] = np.nan  # has no score: not for lack of an embedding
    pool = Pool(range(12), probabilities=rows, embeddings=points, missing=np.arange(12) == 2)
    ranking = rank(pool, "margin", selection=method)
    assert set(ranking.unscored_ids) == {"1", "2"}
    told = [n for n in ranking.notices if n.code == "no_embedding"]
    assert [n.item_ids for n in told] == [("1",)]
    assert "goes by embeddings, so it leaves out 1 item without one that can be" in told[0].message
    assert not [n for n in rank(pool, "margin").notices if n.code == "no_embedding"]


def test_items_without_an_embedding_are_named_once() -> None:
    known = Notice("no_image", "No embedding for 1 item without an image: 1.", ("1",))
    pool = Pool(range(3), embeddings=[[0.0], [np.nan], [1]], notices=[known])
    assert rank(pool, None, selection="k_center").notices == ()


def test_auto_goes_by_class_probabilities_where_no_embedding_can_be_used() -> None:
    rows = np.full((4, 3), 1 / 3)
    pool = Pool(range(4), probabilities=rows, embeddings=np.full((4, 2), np.nan))
    ranking = rank(pool, "margin", selection="auto")
    assert (ranking.selection, len(ranking)) == ("weighted", 4)

"""More like these: by hand, with (1 + cosine) / 2 and shares of the candidates."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from labelnext import Pool, rank, run
from labelnext.config import load_config
from labelnext.errors import ConfigError, InvalidInput
from labelnext.ranking.explain import explain_item
from labelnext.selection.likeness import Likeness, similarity

# Margins 0, 0.2 and 0.8; cosines with f are 0, 1 and 1.
POOL = Pool(
    ["a", "b", "c", "f"],
    probabilities=[[0.5, 0.5], [0.6, 0.4], [0.9, 0.1], [0.9, 0.1]],
    embeddings=[[1, 0], [0, 1], [0, 3], [0, 2]],
    labels=[-1, -1, -1, 0],
)


def test_scores_times_similarity() -> None:
    ranking = rank(POOL, "margin", similar_to=["f"])
    # a: 3/3 · 1/2, b: 2/3 · 1, c: 1/3 · 1.
    assert ranking.item_ids.tolist() == ["b", "a", "c"]
    assert ranking.scores.round(9).tolist() == [0.2, 0, 0.8]  # they stay the function's


def test_exponent_of_similarity() -> None:
    # a: 1/4, so that c with 1/3 comes first.
    ranking = rank(POOL, "margin", similar_to=["f"], similar_strength=2.0)
    assert ranking.item_ids.tolist() == ["b", "c", "a"]


def test_similarity_alone() -> None:
    ranking = rank(POOL, None, similar_to=["f"])
    assert ranking.item_ids.tolist() == ["b", "c", "a"]
    assert ranking.scores.tolist() == [1, 1, 0.5]
    assert "how similar it is" in explain_item(POOL, ranking, "a").rule


def test_nearest_of_several_named_items_counts() -> None:
    points = np.array([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0], [0.0, 0.0]])
    assert similarity(points, points[:2]).tolist() == [1, 1, 0.5, 0.5]


def test_huge_vectors_have_directions_too() -> None:
    points = np.array([[1e300, 0.0], [0.0, 1e300], [1e-300, 0.0]])
    assert similarity(points, points[:1]).tolist() == [1, 0.5, 1]


def test_class_probabilities_stand_in_for_embeddings() -> None:
    pool = Pool(["a", "b", "c"], probabilities=[[1, 0], [0.5, 0.5], [0, 1]])
    assert rank(pool, None, similar_to=["c"]).item_ids.tolist() == ["c", "b", "a"]


def test_order_of_rows_does_not_matter() -> None:
    turned = Pool(
        POOL.item_ids[::-1],
        probabilities=POOL.probabilities[::-1],
        embeddings=POOL.embeddings[::-1],
        labels=POOL.labels[::-1],
    )
    assert rank(turned, "margin", similar_to=["f"]).item_ids.tolist() == ["b", "a", "c"]


@pytest.mark.parametrize(
    "method", ["weighted", "uncertainty_herding", "cluster_margin", "stochastic", "auto"]
)
def test_works_with_every_method(method: str) -> None:
    batch = rank(POOL, "margin", selection=method, budget=3, similar_to=["f"]).item_ids
    assert sorted(batch.tolist()) == ["a", "b", "c"]


@pytest.mark.parametrize("method", ["k_center", "typiclust", "facility_location", "badge"])
def test_a_method_that_goes_by_no_scores_is_refused_rather_than_not_told(method: str) -> None:
    with pytest.raises(InvalidInput, match=f"similar_to must be left out for {method}, which"):
        rank(POOL, "margin", selection=method, budget=3, similar_to=["f"])
    assert len(rank(POOL, "margin", selection=method, budget=3)) == 3


@pytest.mark.parametrize("acquisition", ["margin", None])
def test_auto_goes_by_scores_with_few_labels_too(acquisition: str | None) -> None:
    # Of three crowds, the batch is to come from that of the named item; there is no label.
    crowds = np.repeat([[9.0, 0, 0], [0, 9, 0], [0, 0, 9]], 4, axis=0)
    rows = np.full((12, 3), 1 / 3)
    pool = Pool(range(12), probabilities=rows, embeddings=crowds + np.eye(12, 3) / 9)
    options = {"similar_to": [5], "similar_strength": 50.0}
    ranking = rank(pool, acquisition, selection="auto", budget=1, **options)
    assert ranking.item_ids[0] in {"4", "5", "6", "7"}
    why = "auto chose uncertainty_herding: the pool has embeddings, and similar_to goes by scores."
    assert why in [notice.message for notice in ranking.notices]


def test_unknown_ids_are_named() -> None:
    notices = rank(POOL, "margin", similar_to=["f", "x"]).notices
    assert [n.item_ids for n in notices if n.code == "unknown_id"] == [("x",)]


def test_items_with_a_value_or_a_tag_are_named() -> None:
    columns = {"found": ["", "ok", "ok", "wrong"], "tags": [["x"], [], [], ["hard", "x"]]}
    pool = replace(POOL, metadata=columns)
    for named in ({"found": "wrong"}, {"tags": "hard"}, {"tag": "hard"}):
        assert rank(pool, "margin", similar_to=named).item_ids.tolist() == ["b", "a", "c"]
    # a and f hold x: all are like one of them, so the shares decide.
    assert rank(pool, "margin", similar_to={"tags": "x"}).item_ids.tolist() == ["a", "b", "c"]
    with pytest.raises(InvalidInput, match="a value of found that items have") as caught:
        rank(pool, "margin", similar_to={"found": "fine"})
    assert caught.value.hint == "there are ok, wrong."
    with pytest.raises(InvalidInput, match="name a column of the metadata; got 'city'"):
        rank(pool, "margin", similar_to={"city": "Oslo"})
    with pytest.raises(InvalidInput, match="name a column of the metadata; got 'tags'") as caught:
        rank(replace(POOL, metadata=None), "margin", similar_to={"tag": "hard"})
    assert "source.metadata: [tags]" in str(caught.value.hint)
    with pytest.raises(InvalidInput, match="similar_to must name a single column"):
        rank(pool, "margin", similar_to={"found": "wrong", "tags": "x"})


@pytest.mark.parametrize("named", [{"ids": ["f"]}, {"ids": "f"}, {"file": "failures.txt"}])
def test_python_is_told_to_give_a_list(named: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput, match="similar_to must") as caught:
        rank(POOL, "margin", similar_to=named)
    assert "give ids as the list itself: similar_to=['a', 'b']" in str(caught.value.hint)


def test_a_run_goes_by_a_column_of_its_file(tmp_path: Path) -> None:
    rows = ["a,1,0,", "b,0.5,0.5,", "c,0,1,2024"]  # by class probabilities, c, b, a
    (tmp_path / "p.csv").write_text("\n".join(["id,cat,dog,year", *rows]))
    (tmp_path / "c.yaml").write_text(
        "source: {adapter: files, path: p.csv, metadata: [year]}\nacquisition: {name: null}\n"
        "selection: {options: {similar_to: {year: 2024}}}\nreport: {path: null}\n"
    )
    assert run(tmp_path / "c.yaml", dry_run=True).ranking.item_ids.tolist() == ["c", "b", "a"]


@pytest.mark.parametrize(
    ("pool", "ids", "message"),
    [
        (POOL, ["x"], "similar_to must name items of the pool that have embeddings; got x."),
        (Pool(["a"], costs=[1.0]), ["a"], "similar_to must be left out for a pool without"),
        (
            Pool(["a", "b"], embeddings=[[1.0], [np.nan]]),
            ["b"],
            "similar_to must name items of the pool that have embeddings; got b. "
            "Hint: name others: nothing is known of what those are like.",
        ),
        (
            Pool(["a", "b"], probabilities=[[0.5, 0.5], [np.nan, np.nan]]),
            ["b"],
            "similar_to must name items of the pool that have class probabilities; got b.",
        ),
    ],
)
def test_what_can_not_be_compared_is_refused(pool: Pool, ids: list[str], message: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        Likeness(ids).weigh(pool, None, None)
    assert str(caught.value).startswith(message)


def test_items_of_a_value_are_told_in_the_order_of_their_ids() -> None:
    pool = Pool(["c", "a", "b"], metadata={"city": ["Oslo", "Oslo", "Rome"]})
    with pytest.raises(InvalidInput, match="without embeddings; got a, c"):
        rank(pool, None, similar_to={"city": "Oslo"})


def test_a_strength_of_nothing_is_refused() -> None:
    with pytest.raises(InvalidInput, match="similar_strength must be left out without similar_to"):
        rank(POOL, "margin", similar_strength=2.0)


def test_a_strength_that_would_leave_no_similarity_is_refused() -> None:
    # 0.5 ** 1075 is 0, so that every item but the named one would be alike.
    with pytest.raises(InvalidInput, match="above 0 and at most 100; got 1075"):
        rank(POOL, "margin", similar_to=["f"], similar_strength=1075)
    assert rank(POOL, "margin", similar_to=["f"], similar_strength=100).item_ids.size


def test_ids_of_a_file_and_of_a_mapping(tmp_path: Path) -> None:
    (tmp_path / "failures.txt").write_text("007\n\n 1.10\n")
    for written in ("{file: failures.txt}", "{ids: [007, 1.10]}", "[007, 1.10]"):
        config = tmp_path / "labelnext.yaml"
        config.write_text(
            "source: {adapter: files, path: p.csv}\n"
            f"selection: {{options: {{similar_to: {written}}}}}\n"
        )
        assert list(load_config(config).recipe.likeness["similar_to"]) == ["007", "1.10"]


@pytest.mark.parametrize(
    "written",
    [
        "{city: Rome, tags: bad}",
        "{city: [a]}",
        "{ids: a}",
        "{ids: [a], file: b}",
        "{}",
        "{file: none.txt}",
    ],
)
def test_other_mappings_are_refused_with_the_line(tmp_path: Path, written: str) -> None:
    config = tmp_path / "labelnext.yaml"
    config.write_text(
        "source: {adapter: files, path: p.csv}\n"
        f"selection: {{options: {{similar_to: {written}}}}}\n"
    )
    with pytest.raises(ConfigError, match="line 2: selection.options.similar_to must"):
        load_config(config)

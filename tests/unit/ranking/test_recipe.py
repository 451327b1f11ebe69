"""The recipe: checked before any data is read, settled once by the data, kept as JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from labelnext.acquisition import AUTO, AUTO_FUNCTIONS
from labelnext.config import load_config
from labelnext.errors import ConfigError, InvalidInput, UnknownName
from labelnext.journal.journal import journals
from labelnext.pool import Objects, Pool
from labelnext.ranking import rank
from labelnext.ranking.recipe import Recipe, asked, resolved
from labelnext.replays.replay import replay
from labelnext.runs.run import run

ROWS = [[0.9, 0.1], [0.5, 0.5], [0.6, 0.4]]
IDS = ["a", "b", "c"]


def written(folder: Path, text: str) -> Path:
    (folder / "nothere.csv").unlink(missing_ok=True)
    path = folder / "labelnext.yaml"
    path.write_text("source: {adapter: files, path: nothere.csv}\n" + text)
    return path


@pytest.mark.parametrize(
    ("text", "line", "key", "near"),
    [
        (
            "selection:\n  method: image_diversity\n  options:\n    n_cluster: 3\n",
            5,
            "selection.options.n_cluster must be one of",
            "n_clusters",
        ),
        ("acquisition:\n  options: {bse: 2}\n", 3, "acquisition.options.bse", "base"),
        (
            "selection:\n  options:\n    per_groups: 2\n",
            4,
            "selection.options.per_groups",
            "per_group",
        ),
        (
            "selection:\n  method: k_center\n  options:\n    standardize: true\n",
            5,
            "selection.options.standardize",
            "standardise",
        ),
        (
            "acquisition:\n  name: entropy\n  options:\n    class_weight: counts\n",
            5,
            "acquisition.options.class_weight",
            "class_weights",
        ),
    ],
)
def test_an_option_that_nothing_takes_is_refused_before_the_data_is_looked_for(
    tmp_path: Path, text: str, line: int, key: str, near: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        load_config(written(tmp_path, text))
    assert f"line {line}: {key}" in caught.value.message
    assert caught.value.hint == f"did you mean {near!r}?"


def test_an_option_of_another_method_is_named_with_its_methods(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load_config(written(tmp_path, "selection: {options: {n_cluster: 3}}\n"))
    assert (
        caught.value.hint
        == "n_clusters is an option of image_diversity, prob_cover, cluster_margin."
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            "quota_of: clas",
            "selection.options.quota_of must be left out without a quota; got 'clas'.",
        ),
        ("budget_in: hours", "selection.options.budget_in must be one of items, cost"),
        ("exclude: a.jpg", "selection.options.exclude must be a list of ids; got 'a.jpg'."),
        (
            "quota: {dog: many}",
            "selection.options.quota.dog must be a whole number of at",
        ),
        ("per_group: 0", "selection.options.per_group must be a whole number of at least 1"),
        ("distance: l1", "selection.options.distance must be one of euclidean, cosine"),
    ],
)
def test_a_value_that_breaks_its_rule_is_refused_with_its_key_path_and_line(
    tmp_path: Path, options: str, message: str
) -> None:
    text = f"selection:\n  method: k_center\n  options:\n    {options}\n"
    with pytest.raises(ConfigError) as caught:
        load_config(written(tmp_path, text))
    assert message in caught.value.message
    assert "line 5" in caught.value.message


def test_an_option_may_stand_in_either_section_but_not_in_both(tmp_path: Path) -> None:
    either = "acquisition: {name: entropy}\nselection: {options: {base: 2}}\n"
    assert load_config(written(tmp_path, either)).recipe.options == {"base": 2}
    both = "acquisition: {name: entropy, options: {base: 2}}\nselection: {options: {base: 3}}\n"
    with pytest.raises(ConfigError, match="selection.options, not both"):
        load_config(written(tmp_path, both))


def test_auto_takes_the_options_of_every_function_that_it_may_choose() -> None:
    recipe = asked(AUTO, options={"iou": 0.5, "floor": 0.2})
    assert recipe.options == {"iou": 0.5, "floor": 0.2}
    with pytest.raises(UnknownName, match="option must be one of .*; got 'iou'"):
        resolved(recipe, Pool(IDS, probabilities=ROWS))


def test_auto_chooses_only_what_it_says_it_may() -> None:
    objects = Objects([0, 1], [0.5])
    pools = [
        Pool(["a"], probabilities=ROWS[:1]),
        Pool(["a"], probabilities=ROWS[:1], multilabel=True),
        Pool(["a"], probabilities=[ROWS[:1], ROWS[1:2]]),
        Pool(["a"], objects=objects),
        Pool(["a"], objects=(objects, objects)),
        Pool(["a"], objects=Objects([0, 1], [0.5], whole_items=True)),
    ]
    names = [resolved(Recipe(), pool).acquisition for pool in pools]
    assert names[:5] == ["margin", "entropy", "bald", "entropy", "committee_certainty"]
    assert names[5:] == ["least_confidence"]
    assert {*names} == {*AUTO_FUNCTIONS}


def test_what_depends_on_the_data_is_settled_once_with_a_reason() -> None:
    pool = Pool(IDS, probabilities=ROWS, embeddings=np.eye(3))
    recipe = resolved(asked(AUTO, options={}, selection="image_diversity", budget=2), pool)
    assert (recipe.acquisition, recipe.unit, recipe.reduction) == ("margin", "items", None)
    assert recipe.selection_options == {"n_clusters": 2}
    assert recipe.reasons == {
        "acquisition": "auto chose margin of items: the pool has class probabilities.",
        "n_clusters": "2, one per class.",
    }
    assert resolved(recipe, pool) == recipe


def test_the_selection_that_auto_takes_stands_in_the_recipe_of_the_ranking() -> None:
    pool = Pool(IDS, probabilities=ROWS, embeddings=np.eye(3), labelled=[True, False, False])
    ranking = rank(pool, "margin", selection="auto", budget=1)
    assert ranking.recipe is not None
    assert ranking.recipe.selection == ranking.selection == "typiclust"
    assert ranking.recipe.reasons["selection"].startswith("auto chose typiclust: ")


def test_objects_have_their_reduction_floor_and_place_in_the_recipe_by_default() -> None:
    pool = Pool(["a"], objects=Objects([0, 1], [0.5]))
    named = resolved(asked("entropy", options={}, unit="objects"), pool)
    assert (named.reduction, named.floor, named.no_objects) == ("mean", 0.0, "first")
    auto = resolved(asked(AUTO, options={"floor": 0.3}), pool)
    assert (auto.reduction, auto.floor, auto.no_objects) == ("sum", 0.3, "last")
    assert auto.options == {}


def test_a_multilabel_item_has_a_reduction_and_no_floor() -> None:
    pool = Pool(["a"], probabilities=[[0.9, 0.8]], multilabel=True)
    recipe = resolved(asked("entropy", options={}), pool)
    assert (recipe.reduction, recipe.floor, recipe.no_objects) == ("mean", None, None)


def test_options_of_a_function_where_nothing_is_scored_are_refused() -> None:
    pool = Pool(IDS, embeddings=np.eye(3), classes=["x", "y"])
    recipe = asked(AUTO, options={"base": 2}, selection="image_diversity")
    with pytest.raises(InvalidInput, match="base must be left out without an acquisition function"):
        resolved(recipe, pool)


def test_a_recipe_comes_back_from_json_as_it_was() -> None:
    options: dict[str, Any] = {"per_group": 1, "include": ["c"], "floor": 0.25, "reduce": "max"}
    recipe = asked("entropy", options=options, budget=2, seed=7, unit="objects")
    assert Recipe.from_dict(json.loads(json.dumps(recipe.to_dict()))) == recipe
    assert Recipe.from_dict({**recipe.to_dict(), "of another version": 1}) == recipe


def test_report_journal_and_dry_run_hold_the_same_recipe(tmp_path: Path) -> None:
    lines = [
        json.dumps({"item_id": i, "probabilities": {"cat": p, "dog": q}})
        for i, (p, q) in zip(IDS, ROWS, strict=True)
    ]
    (tmp_path / "items.jsonl").write_text("\n".join(lines))
    config = tmp_path / "labelnext.yaml"
    config.write_text("source: {adapter: files, path: items.jsonl}\nselection: {budget: 2}\n")
    dry = json.loads(run(config, dry_run=True).to_json())["recipe"]
    assert (dry["acquisition"], dry["unit"], dry["budget"]) == ("margin", "items", 2)
    assert dry["reasons"]["acquisition"].startswith("auto chose margin of items")
    report = run(config)
    (journal,) = journals(tmp_path / ".labelnext")
    assert report.recipe == journal.header["recipe"] == dry


def test_a_strategy_of_the_replay_is_checked_with_the_configuration(tmp_path: Path) -> None:
    text = "replay:\n  strategies: [margin, entropy/k_centre]\n"
    with pytest.raises(ConfigError) as caught:
        load_config(written(tmp_path, text))
    assert "line 3: replay.strategies must be one of" in caught.value.message
    assert caught.value.hint == "did you mean 'k_center'?"


def test_an_option_of_the_replayed_model_is_checked_before_the_data_is_looked_for(
    tmp_path: Path,
) -> None:
    config = written(tmp_path, "replay:\n  model_options: {max_itr: 10}\n")
    with pytest.raises(ConfigError, match="replay.model_options must be one of .*max_iter") as e:
        replay(config)
    assert e.value.hint == "did you mean 'max_iter'?"

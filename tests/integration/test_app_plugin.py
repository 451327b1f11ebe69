"""The App plugin without a browser: every operator and the panel, on a real mongod."""

from __future__ import annotations

import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.integration.app import (
    FORM,
    OPERATORS,
    ORDER,
    PARTS,
    PLUGIN,
    ROWS,
    choices,
    context,
    delegated,
    execute,
    form,
    names,
    panel,
    part,
    requests,
    shown,
)

pytest_plugins = ("tests.integration.mongod", "tests.integration.app_samples")


def test_fiftyone_registers_every_operator_and_the_panel(plugins: Path) -> None:
    import fiftyone.operators as foo
    import fiftyone.plugins as fop
    import yaml

    contexts = [c for c in fop.context.build_plugin_contexts() if c.name == PLUGIN]
    assert [c.errors for c in contexts] == [[]]
    found = {op.uri for op in foo.list_operators() if op.uri.startswith(PLUGIN)}
    assert found == PARTS
    manifest = yaml.safe_load((plugins / "labelnext-plugin" / "fiftyone.yml").read_text("utf-8"))
    assert {f"{PLUGIN}/{n}" for n in manifest["operators"] + manifest["panels"]} == PARTS
    assert manifest["secrets"] == ["FIFTYONE_LABELSTUDIO_URL", "FIFTYONE_LABELSTUDIO_API_KEY"]


def test_every_operator_says_what_it_risks_and_has_an_icon(plugins: Path) -> None:
    # FiftyOne 1.10 keeps no risk levels.
    risks = {name: part(name).config.to_json().get("risk_level") for name in OPERATORS}
    known = tuple(map(int, version("fiftyone").split(".")[:2])) > (1, 13)
    assert not known or {name: risk.lower() for name, risk in risks.items()} == {
        "rank_samples": "medium",
        "compare_rankings": "low",
        "manage_runs": "high",
        "send_batch": "high",
        "fetch_annotations": "medium",
    }
    for name in (*OPERATORS, "label_next"):
        icon = part(name).config.icon
        assert (plugins / "labelnext-plugin" / icon.lstrip("/")).is_file()


def test_the_form_offers_the_fields_that_hold_predictions_and_labels(filled: Any) -> None:
    inputs = form("rank_samples", filled)
    assert inputs["pred_field"]["type"]["values"] == ["pred"]
    assert inputs["pred_field"]["default"] == "pred"
    assert inputs["labelled"]["type"]["values"] == ["field:truth", "nothing"]
    assert inputs["labelled"]["default"] == "field:truth"
    assert "embeddings" not in inputs
    assert inputs["acquisition"]["default"] == "auto"
    offered = choices(inputs["acquisition"])
    assert offered["auto"]["description"] == "What suits the predictions, here margin of samples"


def test_predictions_are_not_taken_for_labels(filled: Any) -> None:
    import fiftyone as fo

    filled.delete_sample_field("truth")
    other = fo.Classification(label="no", confidence=0.5)
    filled.set_values("other", [other] * 5)
    inputs = form("rank_samples", filled)
    assert inputs["labelled"]["type"]["values"] == ["field:other", "nothing"]
    assert inputs["labelled"]["default"] == "nothing"


def test_the_form_says_why_a_function_cannot_be_chosen(filled: Any) -> None:
    inputs = form("rank_samples", filled, acquisition="mean_object_confidence")
    offered = choices(inputs["acquisition"])
    assert offered["mean_object_confidence"]["disabled"]
    assert "Needs detected objects" in offered["mean_object_confidence"]["description"]
    assert not offered["margin"]["disabled"]
    assert inputs["acquisition"]["invalid"]
    assert choices(inputs["method"])["image_diversity"]["disabled"]


def test_the_form_offers_reductions_for_objects_alone(filled: Any) -> None:
    import fiftyone as fo

    assert "reduce" not in form("rank_samples", filled, acquisition="margin")
    box = fo.Detection(label="no", confidence=0.5, bounding_box=[0, 0, 1, 1])
    filled.set_values("boxes", [fo.Detections(detections=[box])] * 5)
    inputs = form("rank_samples", filled, pred_field="boxes")
    assert "reduce" not in inputs, "auto chooses it"
    offered = choices(inputs["acquisition"])
    assert offered["auto"]["description"] == "What suits the predictions, here entropy of objects"
    inputs = form("rank_samples", filled, pred_field="boxes", acquisition="entropy")
    assert inputs["reduce"]["default"] == "mean"
    assert not choices(inputs["acquisition"])["mean_object_confidence"]["disabled"]
    assert choices(inputs["acquisition"])["margin"]["disabled"]


@pytest.mark.parametrize(
    ("run", "message"), [("a b", "must be a name"), ("name", "must be labelnext's own")]
)
def test_a_run_name_is_checked_while_it_is_typed(filled: Any, run: str, message: str) -> None:
    prop = form("rank_samples", filled, run=run)["run"]
    assert prop["invalid"]
    assert message in prop["error_message"]


def test_a_dataset_without_predictions_cannot_be_ranked(plugins: Path, dataset: Any) -> None:
    import fiftyone as fo

    dataset.add_sample(fo.Sample("/images/a.png"))
    inputs = form("rank_samples", dataset)
    assert inputs["nothing"]["invalid"]


def test_ranking_shows_the_batch_in_its_order(filled: Any) -> None:
    result = execute("rank_samples", filled, **FORM)
    filled.reload()
    assert shown(filled, result) == ORDER[:2]
    assert dict(zip(*filled.values(["name", "next.rank"]), strict=True)) == {
        "d": 1, "b": 2, "c": 3, "a": 4, "e": None,
    }  # fmt: skip
    assert "2 of 4 ranked" in requests(result)["set_progress"]["label"]
    assert "replaces" in form("rank_samples", filled, run="next")


def test_ranking_without_a_score_goes_by_embeddings(filled: Any) -> None:
    filled.set_values("emb", list(np.eye(5)))
    inputs = form("rank_samples", filled, acquisition="none", embeddings="emb")
    assert inputs["acquisition"]["invalid"], "top_k needs a score"
    assert not choices(inputs["method"])["image_diversity"]["disabled"]
    chosen = {"acquisition": "none", "method": "image_diversity", "embeddings": "emb"}
    execute("rank_samples", filled, **{**FORM, **chosen})
    filled.reload()
    assert filled.exists("next.rank").count() == 2
    assert filled.get_run_info("next").config.acquisition is None


def test_only_the_current_view_is_ranked_when_asked(filled: Any) -> None:
    from fiftyone import ViewField

    view = filled.match(ViewField("name").is_in(["a", "c"]))
    result = execute("rank_samples", filled, view=view, view_target="CURRENT_VIEW", **FORM)
    filled.reload()
    assert shown(filled, result) == ["c", "a"]


def test_a_ranking_that_fails_says_why(filled: Any) -> None:
    from fiftyone.operators.executor import ExecutionError

    with pytest.raises(ExecutionError, match="needs detected objects"):
        execute("rank_samples", filled, **{**FORM, "acquisition": "mean_object_confidence"})
    assert not filled.has_sample_field("next")


def test_ranking_can_be_delegated(filled: Any) -> None:
    assert not filled.has_sample_field("next")
    delegated("rank_samples", filled, **FORM)
    filled.reload()
    assert names(filled.load_saved_view("next-batch")) == ORDER[:2]


def test_comparing_needs_two_rankings(filled: Any) -> None:
    execute("rank_samples", filled, **FORM)
    assert form("compare_rankings", filled)["no_runs"]["invalid"]
    execute("rank_samples", filled, **{**FORM, "run": "other"})
    filled.reload()
    assert form("compare_rankings", filled, first="next", second="next")["second"]["invalid"]


def test_comparing_counts_the_overlap_and_shows_the_disagreements(filled: Any) -> None:
    execute("rank_samples", filled, **FORM)
    filled.set_values("pred.logits", [np.log(r) for r in (ROWS[3], *ROWS[1:3], ROWS[0])] + [None])
    execute("rank_samples", filled, **{**FORM, "run": "other"})
    filled.reload()
    result = execute("compare_rankings", filled, first="next", second="other", show=True)
    # Ranks d b c a = 1 2 3 4 and 4 2 3 1: rho = 1 − 6·(9 + 9)/(4·15) = −0.8; both batches hold b.
    assert result.result["overlap"] == "1 of 2"
    assert result.result["correlation"] == -0.8
    assert shown(filled, result)[:2] == ["a", "d"]
    assert result.result["disagreements"][0].keys() == {"sample", "id", "first", "second"}


def test_only_the_current_view_is_compared_when_asked(filled: Any) -> None:
    execute("rank_samples", filled, **FORM)
    execute("rank_samples", filled, **{**FORM, "run": "other"})
    filled.reload()
    view = filled.match({"name": {"$in": ["d", "a"]}})
    both = {"first": "next", "second": "other", "view_target": "CURRENT_VIEW"}
    result = execute("compare_rankings", filled, view=view, **both)
    # Of the batch d, b only d is in the view.
    assert (result.result["overlap"], result.result["common"]) == ("1 of 1", "2")
    assert result.result["correlation"] == 1.0


def test_comparing_can_be_delegated(filled: Any) -> None:
    execute("rank_samples", filled, **FORM)
    execute("rank_samples", filled, **{**FORM, "run": "other"})
    assert (
        delegated("compare_rankings", filled, first="next", second="other")["overlap"] == "2 of 2"
    )


def test_comparing_a_ranking_that_is_gone_says_so(filled: Any) -> None:
    from fiftyone.operators.executor import ExecutionError

    execute("rank_samples", filled, **FORM)
    with pytest.raises(ExecutionError):
        execute("compare_rankings", filled, first="next", second="gone")


def test_managing_without_a_ranking_says_what_to_do(filled: Any) -> None:
    notice = form("manage_runs", filled)["no_runs"]
    assert "Rank samples to label" in notice["view"]["description"]


def test_a_ranking_can_be_opened(filled: Any) -> None:
    execute("rank_samples", filled, **FORM)
    filled.reload()
    assert shown(filled, execute("manage_runs", filled, run="next", action="open")) == ORDER[:2]


def test_deleting_previews_what_goes_and_takes_it_all(filled: Any) -> None:
    schema, views = list(filled.get_field_schema()), filled.list_saved_views()
    indexes = filled.list_indexes()
    execute("rank_samples", filled, **FORM)
    filled.reload()
    text = form("manage_runs", filled, run="next", action="delete")["goes"]["default"]
    for what in ("field next, set on 4", "view next-batch", "view next-all", "index on next.rank"):
        assert what in text
    execute("manage_runs", filled, run="next", action="delete")
    filled.reload()
    assert list(filled.get_field_schema()) == schema
    assert (filled.list_saved_views(), filled.list_indexes()) == (views, indexes)
    assert filled.list_runs() == []


def test_deleting_can_be_delegated(filled: Any) -> None:
    execute("rank_samples", filled, **FORM)
    assert "the field next" in delegated("manage_runs", filled, run="next", action="delete")["done"]
    filled.reload()
    assert not filled.has_sample_field("next")


def test_managing_a_ranking_that_is_gone_says_so(filled: Any) -> None:
    from fiftyone.operators.executor import ExecutionError

    execute("rank_samples", filled, **FORM)
    with pytest.raises(ExecutionError, match="Ranking gone no longer exists"):
        execute("manage_runs", filled, run="gone", action="delete")
    filled.reload()
    assert filled.list_runs() == ["next"]


def test_renaming_takes_the_field_the_views_and_the_index_along(filled: Any) -> None:
    execute("rank_samples", filled, **FORM)
    filled.reload()
    prop = form("manage_runs", filled, run="next", action="rename", new_name="pred")["new_name"]
    assert prop["invalid"]
    execute("manage_runs", filled, run="next", action="rename", new_name="later")
    filled.reload()
    assert filled.list_runs(method="labelnext") == ["later"]
    assert filled.values("later.rank") == [4, 2, 3, 1, None]
    assert not filled.has_sample_field("next")
    assert set(filled.list_saved_views()) == {"later-all", "later-batch"}
    assert names(filled.load_saved_view("later-batch")) == ORDER[:2]
    assert names(filled.load_saved_view("later-all")) == ORDER
    assert "later.rank" in filled.list_indexes()
    execute("manage_runs", filled, run="later", action="delete")
    filled.reload()
    assert not filled.has_sample_field("later")
    assert filled.list_saved_views() == []


def test_the_panel_says_what_to_do_when_nothing_is_ranked(filled: Any) -> None:
    _, parts = panel(filled)
    assert set(parts) == {"empty", "rank"}


def test_the_panel_shows_scores_classes_progress_and_the_next_samples(filled: Any) -> None:
    import fiftyone as fo

    execute("rank_samples", filled, **FORM)
    filled.match({"name": "d"}).set_values("truth", [fo.Classification(label="no")])
    ctx, parts = panel(filled)
    assert {"run", "text", "scores", "classes", "next", "buttons"} <= set(parts)
    assert "**2** of 4 ranked samples" in ctx.panel.state.text
    assert "Labelled so far: **1** of 2 (50%)" in ctx.panel.state.text
    ranked, batch = ctx.panel._data._data["scores"]
    assert (sum(ranked["y"]), sum(batch["y"])) == (4, 2)
    shares = [trace["x"] for trace in ctx.panel._data._data["classes"]]
    assert shares == [[100.0], [100.0]]  # every label is "no"
    counts = [trace["y"] for trace in ctx.panel._data._data["classes"]]
    assert counts == [["no (2 of 4)"]] * 2
    (row,) = ctx.panel._data._data["next"]
    assert (row["rank"], row["sample"], row["score"]) == (2, "b.png", "0.2000")
    assert row["why"] == "no 0.60, yes 0.40"


def test_a_bar_of_the_panel_opens_its_samples(filled: Any) -> None:
    import fiftyone as fo

    execute("rank_samples", filled, **FORM)
    filled.reload()
    ctx, _ = panel(filled)
    state = dict(ctx.panel.state._data)
    for idx, expected in ((0, ["d"]), (29, ["a"])):  # margins from 0 to 0.8, in 30 bars
        ctx = context(
            "label_next", filled, params={"panel_id": "p", "panel_state": state, "idx": idx}
        )
        part("label_next").on_bar(ctx)
        stages = ctx.executor._requests[-1].params["view"]
        assert names(fo.DatasetView._build(filled, stages)) == expected


def test_the_panel_follows_the_view_and_the_runs(filled: Any) -> None:
    execute("rank_samples", filled, **FORM)
    filled.reload()
    ctx, _ = panel(filled, "on_change_view", view=filled.load_saved_view("next-batch"))
    assert "shows 2 of these" in ctx.panel.state.text
    filled.delete_run("next")
    _, parts = panel(filled, "on_change_dataset")
    assert "empty" in parts


def test_the_panel_outlives_the_predictions_and_the_views_of_a_run(filled: Any) -> None:
    execute("rank_samples", filled, **FORM)
    filled.reload()
    filled.delete_sample_field("pred")
    filled.delete_saved_view("next-batch")
    ctx, _ = panel(filled)
    assert "**2** of 4 ranked samples" in ctx.panel.state.text
    assert [row["why"] for row in ctx.panel._data._data["next"]] == ["no prediction"] * 2
    ctx = context("label_next", filled, params={"panel_id": "p", "panel_state": {"run": "next"}})
    part("label_next").on_batch(ctx)
    (request,) = ctx.executor._requests
    assert "Run again" in request.params["message"]


@pytest.mark.parametrize("button", ["rank", "compare", "manage", "send", "fetch"])
def test_the_buttons_of_the_panel_open_the_operators(filled: Any, button: str) -> None:
    ctx = context("label_next", filled, params={"panel_id": "p"})
    getattr(part("label_next"), f"on_{button}")(ctx)
    (request,) = ctx.executor._requests
    assert request.params["operator_uri"] in PARTS


def test_a_view_that_changes_reads_no_ranking_again(filled: Any) -> None:
    from unittest import mock

    execute("rank_samples", filled, **FORM)
    filled.reload()
    ctx, _ = panel(filled)
    shape = part("label_next")
    module = sys.modules[f"{type(shape).__module__}_state"]
    with mock.patch.object(module, "summarise_run", side_effect=module.summarise_run) as summarise:
        ctx.request_params["view"] = filled.limit(0)._serialize()
        shape.on_change_view(ctx)
        assert summarise.call_count == 0
        filled.set_values("truth.label", {filled.first().id: "no"}, key_field="id")
        shape.on_change_view(ctx)
        assert summarise.call_count == 1, "a label was added"
        shape.on_load(ctx)
        assert summarise.call_count == 2


def test_a_row_of_the_panel_opens_its_sample(filled: Any) -> None:
    execute("rank_samples", filled, **FORM)
    filled.reload()
    ctx, elements = panel(filled)
    assert [action["name"] for action in elements["next"]["view"]["row_actions"]] == ["open"]
    ctx.params["row"] = 1
    part("label_next").on_open(ctx)
    assert ctx.executor._requests[-1].operator_uri.endswith("open_sample")
    assert filled[ctx.executor._requests[-1].params["id"]].name == ORDER[1]

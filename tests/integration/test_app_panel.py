"""What the panel shows of a ranking, and where a click leads."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pytest

from labelnext.errors import Unavailable
from tests.integration.app import FORM, OPERATORS, context, execute, names, panel, part

pytest_plugins = ("tests.integration.mongod", "tests.integration.app_samples")


def test_a_filter_of_the_sidebar_stays_beside_the_panel(filled: Any) -> None:
    execute("rank_samples", filled, **FORM)
    filled.reload()
    ctx, _ = panel(filled)
    params = {"panel_state": ctx.panel.state._data, "panel_id": "p"}
    some = filled.match({"name": "d"})
    filtered = context("label_next", filled, some, params=params)
    part("label_next").on_change_view(filtered)
    # A patch of the state makes the App read its page anew, without the filters.
    asked = [one.operator_uri for one in filtered.executor._requests]
    assert "patch_panel_state" not in asked
    assert "shows 1 of these" in filtered.panel._data._data["text"]


def test_the_panel_follows_the_newest_ranking_until_another_is_chosen(filled: Any) -> None:
    execute("rank_samples", filled, **FORM)
    filled.reload()
    ctx, _ = panel(filled)
    assert ctx.panel.state.run == "next"
    execute("rank_samples", filled, **{**FORM, "run": "other"})
    filled.reload()
    shape = part("label_next")
    shape.on_change_view(ctx)
    assert ctx.panel.state.run == "other"
    ctx.params["value"] = "next"
    shape.on_pick(ctx)
    shape.on_change_view(ctx)
    assert ctx.panel.state.run == "next"
    for button in ("compare", "manage", "send"):
        getattr(shape, f"on_{button}")(ctx)
        params = ctx.executor._requests[-1].params["params"]
        assert "next" in (params.get("run"), params.get("first"))


def test_the_panel_draws_a_map_whose_points_lead_to_their_samples(filled: Any) -> None:
    import fiftyone as fo

    filled.set_values("emb", list(np.eye(5)))
    execute("rank_samples", filled, **FORM)
    filled.reload()
    ctx, _ = panel(filled)
    assert "**Map of emb**: 5 samples" in ctx.panel.state.map_text
    traces = ctx.panel._data._data["map"]
    # e has no prediction; c and a are ranked; d and b are the batch.
    counts = [(trace["name"], len(trace["ids"])) for trace in traces]
    assert counts == [("not ranked", 1), ("ranked", 2), ("batch", 2)]
    assert "d.png<br>in the batch, rank 1, score 0.000" in traces[2]["hovertext"]
    ctx.params["data"] = [{"id": traces[0]["ids"][0]}]
    part("label_next").on_lasso(ctx)
    stages = ctx.executor._requests[-1].params["view"]
    assert names(fo.DatasetView._build(filled, stages)) == ["e"]
    ctx.params["value"] = "score"
    part("label_next").on_colour(ctx)
    (trace,) = ctx.panel._data._data["map"]
    assert sorted(trace["marker"]["color"]) == [0.0, 0.2, 0.4, 0.8]


def test_nothing_of_a_longer_list_stays_when_another_ranking_is_shown(filled: Any) -> None:
    execute("rank_samples", filled, **FORM)
    filled.reload()
    ctx, _ = panel(filled)
    sent = [(r.operator_uri.split("/")[-1], r.params) for r in ctx.executor._requests]
    for name in ("scores", "classes", "groups", "next"):
        # The App merges lists of the state and of the data; after nothing comes the whole list.
        states = [
            p["state"][name] for uri, p in sent if uri == "patch_panel_state" and name in p["state"]
        ]
        data = [
            p["data"][name] for uri, p in sent if uri == "patch_panel_data" and name in p["data"]
        ]
        assert states == [None]
        assert data[0] is None
        assert data[1:] == [ctx.panel._data._data[name]]


def test_the_panel_compares_the_groups_of_the_batch_with_all(filled: Any) -> None:
    filled.match({"name": {"$in": ["a", "d"]}}).tag_samples("day")
    filled.match({"name": {"$in": ["b", "c", "e"]}}).tag_samples("night")
    execute("rank_samples", filled, **FORM)
    filled.reload()
    ctx, parts = panel(filled)
    ranked, batch = ctx.panel._data._data["groups"]
    assert sorted(ranked["y"]) == ["day (1 of 2)", "night (1 of 2)"]
    assert batch["x"] == [50.0, 50.0]
    assert parts["groups"]["view"]["layout"]["yaxis"]["title"]["text"] == "tag"
    picture = parts["pictures"]["type"]["properties"]["picture0"]
    assert picture["default"] == "/media?filepath=/images/d.png"


def test_the_panel_counts_what_a_view_shows_of_the_ranking(
    filled: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    import fiftyone as fo

    execute("rank_samples", filled, **FORM)
    filled.reload()
    # d, b, c and a are ranked, in this order; e is not.
    some = filled.match({"name": {"$in": ["a", "c", "e"]}})
    views = {
        4: [filled.view(), filled.load_saved_view("next-all"), filled.sort_by("name")],
        2: [filled.load_saved_view("next-batch"), some, some.sort_by("next.rank")],
        1: [filled.sort_by("next.rank").limit(2)],  # e, which has no rank, and d
        0: [filled.match({"name": "e"})],
    }
    for n, shown in views.items():
        for view in shown:
            text = panel(filled, view=view)[0].panel.state.text
            assert f"The grid shows {n} of these " in text, view

    def refuse(*_: Any) -> None:
        raise AssertionError("was counted already")

    monkeypatch.setattr(fo.DatasetView, "count", refuse)
    assert "shows 2 of these" in panel(filled, view=some)[0].panel.state.text


def test_a_ranking_whose_field_was_deleted_says_what_to_do(filled: Any) -> None:
    execute("rank_samples", filled, **FORM)
    filled.reload()
    filled.delete_sample_field("next")
    _, elements = panel(filled)
    assert set(elements) == {"run", "problem", "cures"}
    said = "its field next was deleted. Rank again, or delete what is left of it under Manage."
    assert elements["problem"]["default"].endswith(said)
    execute("manage_runs", filled, run="next", action="delete")
    assert filled.list_runs() == []


def test_a_dataset_that_was_renamed_or_a_deleted_ranking_is_told(filled: Any) -> None:
    execute("rank_samples", filled, **FORM)
    filled.reload()
    ctx, _ = panel(filled)
    filled.delete_run("next")
    ctx.params["idx"] = 0
    part("label_next").on_bar(ctx)
    told = [r.params["message"] for r in ctx.executor._requests if "message" in r.params]
    assert told == ["Ranking next no longer exists."]
    assert ctx.panel.state.runs == []
    renamed = {"dataset_name": "gone"}
    for method in ("on_load", "on_change_view", "on_batch", "on_rank"):
        ctx = context("label_next", filled, params={"panel_id": "p"}, **renamed)
        getattr(part("label_next"), method)(ctx)
        (asked,) = ctx.executor._requests
        assert asked.params["message"].startswith("This dataset isn't there any more.")
    for form_of in OPERATORS:
        ctx = context(form_of, filled, params={}, **renamed)
        notice = part(form_of).resolve_input(ctx).to_json()["type"]["properties"]["gone"]
        assert notice["invalid"]


@pytest.mark.parametrize(
    ("named", "said"),
    [
        ({"dataset_name": "gone"}, "This dataset isn't there any more. Somebody has renamed or "
         "deleted it. Reload the page, and choose a dataset."),
        ({"dataset_name": None}, "No dataset is open. Choose one."),
    ],
)  # fmt: skip
def test_a_dataset_that_is_gone_differs_from_none_at_all(
    filled: Any, named: dict[str, Any], said: str
) -> None:
    ctx = context("label_next", filled, params={"panel_id": "p"}, **named)
    part("label_next").on_load(ctx)
    (asked,) = ctx.executor._requests
    assert asked.params["message"] == said


def test_the_panel_goes_on_to_the_newest_ranking_where_its_own_was_undone(filled: Any) -> None:
    for run in ("first", "next"):
        execute("rank_samples", filled, **{**FORM, "run": run})
        filled.reload()
    ctx, _ = panel(filled)
    assert ctx.panel.state.run == "next"
    filled.delete_run("next")
    part("label_next").on_batch(ctx)
    assert ctx.panel.state.run == "first"


def test_a_panel_whose_ranking_is_gone_says_once_what_else_fails(
    filled: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    execute("rank_samples", filled, **FORM)
    filled.reload()
    ctx, _ = panel(filled)
    filled.delete_run("next")

    def refuse(*_: Any) -> None:
        raise Unavailable("The database is away.")

    shown = sys.modules[f"{type(part('label_next')).__module__}_state"]
    monkeypatch.setattr(shown, "last_action", refuse)
    part("label_next").on_batch(ctx)
    told = [r.params["message"] for r in ctx.executor._requests if "message" in r.params]
    assert told == ["Ranking next no longer exists.", "The database is away."]


def test_a_visualization_of_brain_is_the_map(filled: Any) -> None:
    import fiftyone as fo
    import fiftyone.brain as fob

    execute("rank_samples", filled, **FORM)
    places = np.arange(10.0).reshape(5, 2)
    asked = {"points": places, "brain_key": "seen", "verbose": False}
    older = {**asked, "points": np.zeros((5, 2)), "brain_key": "tried_before"}
    fob.compute_visualization(filled, **older)
    fob.compute_visualization(filled, **asked)
    boxes = fo.Detections(detections=[fo.Detection(label="car", bounding_box=[0, 0, 1, 1])])
    filled.set_values("boxes", [boxes] * 5)
    asked |= {"points": np.zeros((5, 2)), "patches_field": "boxes", "brain_key": "parts"}
    fob.compute_visualization(filled, **asked)
    ctx, elements = panel(filled)
    assert ctx.panel.state.map_text.startswith("**Map of seen**: 5 samples; those that look alike")
    assert "%" not in ctx.panel.state.map_text
    found = {
        i: place
        for trace in ctx.panel._data._data["map"]
        for i, *place in zip(trace["ids"], trace["x"], trace["y"], strict=True)
    }
    assert found == dict(zip(filled.values("id"), places.tolist(), strict=True))
    assert elements["map"]["view"]["layout"]["xaxis"]["title"]["text"] == "first dimension"


def test_bars_are_called_as_the_classes_are() -> None:
    from labelnext_app.plots import shares

    alike = ("speed limit of 30 at night", "speed limit of 50 at night")
    trace, _ = shares((("<unk>", 3, 1), *((name, 2, 1) for name in alike)), "predictions")
    assert trace["y"][-1] == "&lt;unk&gt; (1 of 3)", "Plotly would take it for markup"
    assert len({*trace["y"]}) == 3, "bars of one name lie over each other"
    assert trace["hovertext"][-1].startswith("&lt;unk&gt;: 3 predictions")


def test_few_samples_are_counted_by_whole_numbers() -> None:
    from labelnext_app.plots import scores_layout

    assert scores_layout(2, "margin", "samples")["yaxis"]["dtick"] == 1
    assert "dtick" not in scores_layout(6, "margin", "samples")["yaxis"]

"""A view that labelnext set is not taken for somebody's choice of samples."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from labelnext_adapters.fiftyone.app.own_views import is_own_view
from tests.integration.app import context, execute, form, part, requests

pytest_plugins = ("tests.integration.mongod",)

CHOSEN = {"pred_field": "pred", "labelled": "nothing", "acquisition": "margin", "method": "top_k"}


@pytest.fixture
def ranked(plugins: Path, dataset: Any) -> Any:
    """Six samples, a to f, ranked as first with a batch of two; the last has no prediction."""
    import fiftyone as fo

    dataset.default_classes = ["no", "yes"]
    rows = [[0.9, 0.1], [0.6, 0.4], [0.7, 0.3], [0.5, 0.5], [0.8, 0.2]]
    preds = [fo.Classification(label="no", logits=np.log(row)) for row in rows]
    dataset.add_samples(
        [
            fo.Sample(f"/images/{n}.png", name=n, pred=p, tags=["day"] if n in "ab" else [])
            for n, p in zip("abcdef", [*preds, None], strict=True)
        ],
        progress=False,
    )
    execute("rank_samples", dataset, **CHOSEN, budget=2, run="first")
    dataset.reload()
    return dataset


def of_view(dataset: Any, kind: str) -> Any:
    """A view that labelnext sets, as it leaves it in the grid."""
    import fiftyone as fo
    from fiftyone import ViewField

    from labelnext_adapters.fiftyone.app.summary import scores_view

    if kind == "set":
        result = execute("rank_samples", dataset, **CHOSEN, budget=2, run="first")
        return fo.DatasetView._build(dataset, requests(result)["set_view"]["view"])
    if kind in ("batch", "all"):
        return dataset.load_saved_view(f"first-{kind}")
    if kind == "bar":
        return scores_view(dataset, "first", 0.0, 0.5)
    if kind == "filtered further":
        return dataset.load_saved_view("first-batch").match(ViewField("name") == "d")
    without_d = dataset.match(ViewField("name") != "d")  # so that each rank differs by one
    execute("rank_samples", dataset, view=without_d, **CHOSEN, budget=2, run="second")
    dataset.reload()
    result = execute("compare_rankings", dataset, first="first", second="second", show=True)
    return fo.DatasetView._build(dataset, requests(result)["set_view"]["view"])


OWN = ["set", "batch", "all", "bar", "filtered further", "disagreements"]


@pytest.mark.parametrize("kind", OWN)
def test_ranking_from_a_view_of_ours_ranks_the_dataset(ranked: Any, kind: str) -> None:
    view = of_view(ranked, kind)
    inputs = form("rank_samples", ranked, view)
    assert inputs["view_target"]["default"] == "DATASET"
    assert "view by labelnext" in inputs["own_view"]["view"]["label"]
    assert inputs["scope"]["default"].startswith("Ranks **5 of 6** samples")
    assert "(1 without a prediction that can be ranked)" in inputs["scope"]["default"]
    execute("rank_samples", ranked, view=view, **CHOSEN, budget=2, run="again")
    ranked.reload()
    assert ranked.exists("again.rank").count() == 5
    both = execute("compare_rankings", ranked, view=view, first="first", second="again")
    assert both.result["common"] == "5"


@pytest.mark.parametrize("kind", ["all", "bar", "disagreements"])
def test_a_view_of_a_ranking_that_was_deleted_is_not_the_user_s(ranked: Any, kind: str) -> None:
    view = of_view(ranked, kind)
    for run in ranked.list_runs():
        ranked.delete_run(run)
    inputs = form("rank_samples", ranked, view)
    assert inputs["view_target"]["default"] == "DATASET"
    assert inputs["scope"]["default"].startswith("Ranks **5 of 6** samples")


@pytest.mark.parametrize("kind", ["class", "boxes", "attribute", "named"])
def test_a_view_by_scores_of_predictions_is_the_user_s(ranked: Any, kind: str) -> None:
    """Scores that FiftyOne knows no field of, as it doesn't know those of a deleted ranking."""
    import fiftyone as fo
    from fiftyone import ViewField

    sure = ViewField("score") > 0.5
    boxes = [fo.Detections(detections=[fo.Detection(label="no", score=0.9)]) for _ in range(6)]
    ranked.set_values("boxes", boxes)
    view = {
        "class": lambda: ranked.filter_labels("pred", ~sure),
        "boxes": lambda: ranked.filter_labels("boxes", sure),
        "attribute": lambda: ranked.sort_by("boxes.detections.score"),
        "named": lambda: ranked.match_labels(filter=sure, fields="boxes"),
    }[kind]()
    assert view.get_field("boxes.detections.score") is None
    assert not is_own_view(view)


def test_a_view_without_samples_says_so_whatever_else_there_is(ranked: Any) -> None:
    ranked.set_values("emb", list(np.eye(6)))
    inputs = form("rank_samples", ranked, ranked.match({"name": "z"}))
    said = inputs["nothing"]["view"]["description"]
    assert said == "The view has no samples. Remove its filters, or choose the dataset above."
    assert inputs["nothing"]["invalid"]


def test_a_view_of_the_user_s_stays_the_default(ranked: Any) -> None:
    view = ranked.match_tags("day")
    inputs = form("rank_samples", ranked, view)
    assert inputs["view_target"]["default"] == "CURRENT_VIEW"
    assert "own_view" not in inputs
    text = inputs["scope"]["default"]
    assert text.startswith("Ranks **2 of 6** samples")
    assert "(4 outside the chosen view)" in text
    execute("rank_samples", ranked, view=view, **CHOSEN, budget=2, run="again")
    ranked.reload()
    assert ranked.exists("again.rank").count() == 2


def test_the_current_view_and_a_selection_can_still_be_chosen(ranked: Any) -> None:
    view = of_view(ranked, "batch")
    inputs = form("rank_samples", ranked, view, view_target="CURRENT_VIEW")
    assert inputs["scope"]["default"].startswith("Ranks **2 of 6** samples")
    assert "own_view" not in inputs
    ctx = context("rank_samples", ranked, view, params={}, selected=view.limit(1).values("id"))
    inputs = part("rank_samples").resolve_input(ctx).to_json()["type"]["properties"]
    assert inputs["view_target"]["default"] == "SELECTED_SAMPLES"
    assert inputs["scope"]["default"].startswith("Ranks **1 of 6** samples")


def test_the_form_counts_what_is_labelled_already(ranked: Any) -> None:
    import fiftyone as fo

    ranked.set_values("truth", [fo.Classification(label="no"), fo.Classification()] + [None] * 4)
    text = form("rank_samples", ranked, labelled="field:truth")["scope"]["default"]
    assert text.startswith("Ranks **4 of 6** samples")
    assert "(1 labelled already in truth, 1 without a prediction that can be ranked)" in text
    text = form("rank_samples", ranked, labelled="tag:day")["scope"]["default"]
    assert text.startswith("Ranks **3 of 6** samples")


def test_rankings_of_different_samples_have_no_correlation_and_no_table(ranked: Any) -> None:
    from fiftyone import ViewField

    half = ranked.match(ViewField("name").is_in(["a", "b"]))
    rest = ranked.match(ViewField("name").is_in(["c", "d"]))
    for view, run in ((half, "left"), (rest, "right")):
        chosen = {**CHOSEN, "view_target": "CURRENT_VIEW"}
        execute("rank_samples", ranked, view=view, **chosen, run=run)
    ranked.reload()

    def result(**both: str) -> set[str]:
        """What the result of a comparison shows."""
        found = execute("compare_rankings", ranked, **both).result
        ctx = context("compare_rankings", ranked, params=both, results=found)
        return {*part("compare_rankings").resolve_output(ctx).to_json()["type"]["properties"]}

    assert result(first="left", second="right") == {"overlap", "common"}
    execute("rank_samples", ranked, **CHOSEN, view_target="DATASET", run="alike")
    ranked.reload()
    assert result(first="first", second="alike") == {"overlap", "correlation", "common", "same"}
    assert result(first="first", second="left") == {
        "overlap", "correlation", "common", "disagreements",
    }  # fmt: skip


def test_a_view_that_can_t_be_ranked_says_that_others_can(ranked: Any) -> None:
    problem = form("rank_samples", ranked, ranked.group_by("name"))["problem"]
    said = "View must be flat; got dynamic groups. group_by(…, flat=True) ranks their samples."
    assert problem["view"]["description"] == f"{said} Or choose other samples above."
    assert problem["invalid"]


def test_how_many_ranks_a_ranking_replaces_is_said(ranked: Any) -> None:
    replaces = form("rank_samples", ranked, run="first")["replaces"]
    assert replaces["view"]["label"] == "This replaces the earlier run first with its 5 ranks."


@pytest.mark.parametrize("chosen", ["ab", "abf"])
def test_a_choice_of_which_nothing_can_be_ranked_leaves_the_ranking_alone(
    ranked: Any, chosen: str
) -> None:
    import fiftyone as fo
    from fiftyone.operators.executor import ExecutionError

    ranked.match_tags("day").set_values("truth", [fo.Classification(label="no")] * 2)
    view = ranked.match({"name": {"$in": list(chosen)}})
    params = {**CHOSEN, "labelled": "field:truth", "view_target": "CURRENT_VIEW", "run": "first"}
    inputs = form("rank_samples", ranked, view, **params)
    assert inputs["scope"]["default"].startswith(f"Ranks **0 of 6** samples of {ranked.name}")
    assert f"{6 - len(chosen)} outside the chosen view, 2 labelled" in inputs["scope"]["default"]
    assert inputs["nothing_ranked"]["error_message"] == "Nothing to rank. Choose other samples."
    assert "foreseen" not in inputs
    assert "recommended" not in inputs
    with pytest.raises(ExecutionError, match="Nothing to rank"):
        execute("rank_samples", ranked, view=view, **params, budget=2)
    ranked.reload()
    assert ranked.exists("first.rank").count() == 5


def test_a_dataset_that_is_labelled_throughout_says_so(ranked: Any) -> None:
    import fiftyone as fo

    ranked.set_values("truth", [fo.Classification(label="no")] * 6)
    inputs = form("rank_samples", ranked, labelled="field:truth")
    said = "Nothing to rank. Every sample is labelled. Add some, then come back."
    assert inputs["nothing_ranked"]["error_message"] == said


def test_a_view_without_labels_is_not_called_a_field_without_labels(ranked: Any) -> None:
    import fiftyone as fo

    ranked.match_tags("day").set_values("truth", [fo.Classification(label="no")] * 2)
    view = ranked.match({"name": "c"})
    inputs = form("rank_samples", ranked, view, view_target="CURRENT_VIEW", labelled="field:truth")
    said = inputs["no_review"]["default"]
    assert said.endswith("predictions measured, where samples with a label are chosen.")

"""The form that ranks: it offers what the samples hold, and says why something is not possible."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.integration.app import FORM, choices, execute, form, shown

pytest_plugins = ("tests.integration.mongod",)


def classified(*rows: list[float]) -> list[Any]:
    import fiftyone as fo

    return [fo.Classification(label="no", logits=np.log(row)) for row in rows]


@pytest.fixture
def pictures(plugins: Path, dataset: Any) -> Any:
    """Three samples, named a, b and c, with what a model says; the order is b, c, a."""
    import fiftyone as fo

    dataset.default_classes = ["no", "yes"]
    rows = classified([0.9, 0.1], [0.5, 0.5], [0.7, 0.3])
    dataset.add_samples(
        [fo.Sample(f"/images/{n}.png", name=n, pred=p) for n, p in zip("abc", rows, strict=True)],
        progress=False,
    )
    return dataset


def test_fields_of_other_models_make_a_committee(pictures: Any) -> None:
    assert "others" not in form("rank_samples", pictures)
    pictures.set_values("second", classified([0.9, 0.1], [0.5, 0.5], [0.1, 0.9]))
    inputs = form("rank_samples", pictures, pred_field="pred")
    assert list(choices(inputs["others"])) == ["second"]
    assert choices(inputs["acquisition"])["bald"]["disabled"]
    inputs = form("rank_samples", pictures, pred_field="pred", others=["second"])
    assert not choices(inputs["acquisition"])["bald"]["disabled"]
    # Only of c the models differ.
    result = execute(
        "rank_samples",
        pictures,
        pred_field="pred",
        others=["second"],
        labelled="nothing",
        acquisition="bald",
        method="top_k",
        budget=1,
        run="next",
    )
    pictures.reload()
    assert shown(pictures, result) == ["c"]
    assert pictures.get_run_info("next").config.pred_field == ["pred", "second"]


def test_a_similarity_index_gives_embeddings(pictures: Any) -> None:
    import fiftyone.brain as fob

    assert choices(form("rank_samples", pictures)["method"])["k_center"]["disabled"]
    vectors = np.array([[0.0, 0], [0, 1], [9, 9]])
    fob.compute_similarity(pictures, embeddings=vectors, brain_key="near", backend="sklearn")
    inputs = form("rank_samples", pictures)
    assert inputs["embeddings"]["type"]["values"] == ["near"]
    assert inputs["embeddings"]["default"] == "near"
    assert not choices(inputs["method"])["k_center"]["disabled"]


def test_a_heatmap_or_number_is_asked_which_end_is_unsure(pictures: Any) -> None:
    import fiftyone as fo

    pictures.set_values("doubt", [0.1, 0.2, 0.9])
    pictures.set_values("far", [1.0, 2.0, 3.0])
    pictures.set_values("map", [fo.Heatmap(map=np.full((2, 2), x)) for x in (0.5, 0.6, 0.7)])
    inputs = form("rank_samples", pictures)
    assert list(choices(inputs["pred_field"])) == ["pred", "doubt", "map"]
    assert "pred_values" not in inputs
    inputs = form("rank_samples", pictures, pred_field="doubt")
    assert set(choices(inputs["pred_values"])) == {"confidence", "uncertainty"}
    result = execute(
        "rank_samples",
        pictures,
        pred_field="doubt",
        pred_values="uncertainty",
        labelled="nothing",
        acquisition="mean_object_confidence",
        reduce="mean",
        method="top_k",
        budget=2,
        run="next",
    )
    pictures.reload()
    assert shown(pictures, result) == ["c", "b"]


def test_a_segmentation_cannot_be_chosen_and_says_what_to_store(pictures: Any) -> None:
    import fiftyone as fo

    mask = fo.Segmentation(mask=np.zeros((2, 2), np.uint8))
    pictures.set_values("areas", [mask] * 3)
    inputs = form("rank_samples", pictures, pred_field="areas")
    choice = choices(inputs["pred_field"])["areas"]
    assert choice["disabled"]
    assert "store them as a Heatmap" in choice["description"]
    assert "store them as a Heatmap" in inputs["pred_field"]["error_message"]
    pictures.delete_sample_field("pred")
    assert (
        "store them as a Heatmap"
        in form("rank_samples", pictures)["nothing"]["view"]["description"]
    )


def test_a_slice_of_groups_is_chosen(plugins: Path, dataset: Any) -> None:
    import fiftyone as fo

    dataset.default_classes = ["no", "yes"]
    dataset.add_group_field("group", default="left")
    rows = iter(classified([0.9, 0.1], [0.6, 0.4], [0.5, 0.5], [0.8, 0.2]))
    samples = []
    for n in "ab":
        group = fo.Group()
        samples += [
            fo.Sample(f"/{n}{side}.png", name=n + side, group=group.element(side), pred=next(rows))
            for side in ("left", "right")
        ]
    assert "no samples yet" in form("rank_samples", dataset)["nothing"]["view"]["description"]
    dataset.add_samples(samples, progress=False)
    inputs = form("rank_samples", dataset)
    assert "in all slices" not in str(inputs)  # one is ranked
    assert list(choices(inputs["slice"])) == ["left", "right"]
    assert inputs["slice"]["default"] == "left"
    flat = form("rank_samples", dataset, dataset.select_group_slices())
    assert flat["scope"]["default"].startswith("Ranks **4 of 4** samples")
    chosen = {"labelled": "nothing", "acquisition": "margin", "method": "top_k", "run": "next"}
    result = execute("rank_samples", dataset, slice="right", pred_field="pred", budget=2, **chosen)
    dataset.reload()
    assert shown(dataset, result) == ["aright", "bright"]


@pytest.fixture
def videos(plugins: Path, dataset: Any) -> Any:
    """Two videos with predictions of their frames; the order of the frames is 2, 1 and 1, 2."""
    import fiftyone as fo

    dataset.default_classes = ["no", "yes"]
    for name, rows in (("a", ([0.8, 0.2], [0.5, 0.5])), ("b", ([0.6, 0.4], [0.9, 0.1]))):
        sample = fo.Sample(f"/videos/{name}.mp4", name=name)
        for number, pred in enumerate(classified(*rows), 1):
            sample.frames[number] = fo.Frame(pred=pred)
        dataset.add_sample(sample)
    return dataset


def test_frames_of_videos_are_ranked_when_asked(videos: Any) -> None:
    import fiftyone as fo

    from tests.integration.app import panel, requests

    known = set(fo.list_datasets())
    inputs = form("rank_samples", videos)
    assert "frames" in inputs
    assert inputs["nothing"]["invalid"], "whole videos have no predictions"
    assert "Tick Rank frames above" in inputs["nothing"]["view"]["description"]
    inputs = form("rank_samples", videos, frames=True)
    assert list(choices(inputs["pred_field"])) == ["pred"]
    assert inputs["recommended"]["default"].startswith("Recommended: **margin**")
    taken = form("rank_samples", videos, frames=True, run="pred")["run"]
    assert "Field frames.pred" in taken["error_message"]
    assert set(fo.list_datasets()) == known, "the copies of frames are gone again"
    chosen = {"labelled": "nothing", "acquisition": "margin", "method": "top_k", "budget": 3}
    result = execute("rank_samples", videos, frames=True, pred_field="pred", run="next", **chosen)
    videos.reload()
    batch = fo.DatasetView._build(videos, requests(result)["set_view"]["view"])
    assert batch.values(["filepath", "frame_number"]) == (
        ["/videos/a.mp4", "/videos/b.mp4", "/videos/a.mp4"], [2, 1, 1],
    )  # fmt: skip
    # The panel, over the batch and over the videos; and the batch can be ranked once more.
    ctx, _ = panel(videos, view=batch)
    assert "**3** of 4 ranked frames" in ctx.panel.state.text
    assert "shows 3 of these" in ctx.panel.state.text
    assert ctx.panel._data._data["next"][0]["sample"] == "a.mp4 #2"
    ctx, _ = panel(videos)
    assert "shows 0 of these" in ctx.panel.state.text
    again = {"view": batch, "view_target": "CURRENT_VIEW", "pred_field": "pred", "run": "again"}
    execute("rank_samples", videos, **again, **{**chosen, "budget": 1})
    videos.reload()
    assert videos.values("frames.again.rank") == [[3, 1], [2, None]]
    compared = execute("compare_rankings", videos, first="next", second="again", show=True)
    assert compared.result["common"] == "3"
    execute("manage_runs", videos, run="again", action="delete")
    videos.reload()
    assert "again" not in videos.get_frame_field_schema()


def test_videos_without_frames_are_asked_for_no_frames(plugins: Path, dataset: Any) -> None:
    import fiftyone as fo

    dataset.add_sample(fo.Sample("/a.mp4", pred=fo.Classification(label="no", confidence=0.5)))
    inputs = form("rank_samples", dataset)
    assert "frames" not in inputs
    assert list(choices(inputs["pred_field"])) == ["pred"]


def test_the_form_says_what_scheduling_needs(
    pictures: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    import fiftyone as fo

    monkeypatch.setattr(fo.config, "allow_legacy_orchestrators", False)
    text = form("rank_samples", pictures)["schedule"]["default"]
    assert "FIFTYONE_ALLOW_LEGACY_ORCHESTRATORS=true" in text
    assert "schedule" not in form("rank_samples", pictures, level="rank")
    monkeypatch.setattr(fo.config, "allow_legacy_orchestrators", True)
    assert "schedule" not in form("rank_samples", pictures)


@pytest.mark.parametrize(
    ("name", "params", "message"),
    [
        ("rank_samples", {"quota": {"cat": 3}}, "quota must be text; got {'cat': 3}."),
        ("rank_samples", {"floor": "0.5"}, "floor must be a number; got '0.5'."),
        ("rank_samples", {"per_group": True}, "per_group must be a number; got True."),
        ("rank_samples", {"others": "pred"}, "others must be a list of texts; got 'pred'."),
        ("rank_samples", {"frames": "no"}, "frames must be true or false; got 'no'."),
        ("compare_rankings", {"first": ["a"]}, "first must be text; got ['a']."),
        ("manage_runs", {"run": {"a": 1}}, "run must be text; got {'a': 1}."),
        ("send_batch", {"project": "7"}, "project must be a number; got '7'."),
        ("fetch_annotations", {"field": 5}, "field must be text; got 5."),
    ],
)
def test_a_parameter_of_a_wrong_kind_is_refused(
    pictures: Any, name: str, params: dict[str, Any], message: str
) -> None:
    from fiftyone.operators.executor import ExecutionError

    given = {**(FORM if name == "rank_samples" else {}), **params}
    assert form(name, pictures, **given)["odd"]["error_message"] == message
    with pytest.raises(ExecutionError, match=re.escape(message)):
        execute(name, pictures, **given)
    assert not pictures.list_runs()


def test_names_in_the_form_are_no_markdown(plugins: Path, dataset: Any) -> None:
    import fiftyone as fo

    labels = ["__background__", "*b*", "traffic_light"]
    guesses = [fo.Classification(label=label, confidence=0.5) for label in labels]
    dataset.add_samples([fo.Sample(f"/{g.label}.png", pred=g) for g in guesses], progress=False)
    dataset.default_classes = labels
    name, dataset.name = dataset.name, f"{dataset.name} <b>"
    try:
        inputs = form("rank_samples", dataset)
        assert f"samples of {name} \\<b\\>." in inputs["scope"]["default"]
        foreseen = inputs["foreseen"]["default"]
        assert {"\\*b\\* (1)", "\\_\\_background\\_\\_ (1)", "traffic_light (1)"} == {
            part.strip(" .") for part in foreseen.partition("Predicted: ")[2].split(",")
        }
    finally:
        dataset.name = name


def test_predictions_and_labels_of_embedded_documents_are_offered(pictures: Any) -> None:
    import fiftyone as fo

    rows = classified([0.5, 0.5], [0.9, 0.1], [0.7, 0.3])
    documents = [
        fo.DynamicEmbeddedDocument(
            pred=pred, truth=fo.Classification(label="no") if at == 1 else None, sure=0.5
        )
        for at, pred in enumerate(rows)
    ]
    pictures.delete_sample_field("pred")
    pictures.set_values("model", documents, dynamic=True)
    inputs = form("rank_samples", pictures)
    assert list(choices(inputs["pred_field"])) == ["model.pred"]
    assert "field:model.truth" in choices(inputs["labelled"])
    chosen = {"pred_field": "model.pred", "labelled": "field:model.truth", "budget": 3}
    result = execute("rank_samples", pictures, **{**FORM, **chosen, "run": "next"})
    pictures.reload()
    assert shown(pictures, result) == ["a", "c"]
    # What a run wrote is no prediction.
    assert list(choices(form("rank_samples", pictures)["pred_field"])) == ["model.pred"]


def test_a_run_without_a_name_is_asked_for_one(pictures: Any) -> None:
    assert form("rank_samples", pictures, run="")["run"]["error_message"] == "Enter a name."

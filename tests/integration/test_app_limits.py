"""The form that ranks: whole groups, near-duplicates, and more like the selected samples."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.integration.app import choices, execute, form, panel, shown

pytest_plugins = ("tests.integration.mongod",)

# From the least sure to the surest; b is nearly a, and d nearly c.
SAMPLES = {
    "a": (0.50, [1, 0], "x"),
    "b": (0.52, [1, 0.01], "y"),
    "c": (0.60, [0, 1], "y"),
    "d": (0.65, [0.02, 1], "z"),
    "e": (0.70, [-1, 0], "z"),
    "f": (0.80, [-0.5, -1], "x"),
}
RANK = {"acquisition": "margin", "labelled": "tag:done", "run": "next", "budget": 3}


@pytest.fixture
def six(plugins: Path, dataset: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Six images of three scenes, of which e is labelled; the files of a and b hold the same."""
    import fiftyone as fo
    from PIL import Image

    from labelnext_adapters.fiftyone.app import foreseen

    monkeypatch.setattr(foreseen, "PATIENCE", 60)
    dataset.default_classes = ["no", "yes"]
    generator, samples = np.random.default_rng(0), []
    pixels = {name: generator.integers(0, 256, (8, 9)).astype(np.uint8) for name in SAMPLES}
    for name, (p, vector, scene) in SAMPLES.items():
        path = tmp_path / f"{name}.png"
        Image.fromarray(pixels["a" if name == "b" else name]).resize((90, 80)).save(path)
        samples.append(
            fo.Sample(
                path,
                name=name,
                pred=fo.Classification(label="no", logits=np.log([p, 1 - p])),
                embedding=np.array(vector, float),
                scene=scene,
                tags=["done"] if name == "e" else [],
            )
        )
    dataset.add_samples(samples, progress=False)
    return dataset


def named(dataset: Any, *names: str) -> list[str]:
    return list(dataset.match({"name": {"$in": names}}).values("id"))


@pytest.mark.parametrize(
    ("chosen", "batch"),
    [
        ({"near": "embeddings"}, ["a", "c", "f"]),
        ({"near": "embeddings", "dedupe": 1.0}, ["a", "b", "c"]),
        ({"near": "distance", "min_distance": 1.5}, ["a"]),  # f is 1.1 from e, which is labelled
        ({"near": "images"}, ["a", "c", "d"]),
        ({"groups": "scene", "whole": "max", "budget": 1}, ["a", "f"]),
        # The means of the margins are 0.3, 0.12 and, without e, 0.3.
        ({"groups": "scene", "whole": "mean", "budget": 1}, ["b", "c"]),
    ],
)
def test_near_duplicates_and_whole_groups(
    six: Any, chosen: dict[str, Any], batch: list[str]
) -> None:
    result = execute("rank_samples", six, **{**RANK, **chosen})
    six.reload()
    assert shown(six, result) == batch


def test_a_limit_for_each_video_counts_without_a_field() -> None:
    from labelnext_adapters.fiftyone.app.offered import Offered, _limits, completed

    nothing = Offered([], [], {}, [], [])
    params = completed({"per_group": 2}, nothing)
    assert _limits(params, frames=True)[0] == {"per_group": 2}
    assert _limits(params, frames=False)[0] == {}
    whole = completed({"per_group": 2, "whole": "min"}, nothing)
    assert _limits(whole, frames=True)[0] == {"groups_as_items": "min"}


def test_more_like_the_selected_samples(six: Any) -> None:
    failed = named(six, "e")
    # Likeness alone: the cosine of f with e is 0.45, that of c is 0, and that of a is -1.
    alone = {**RANK, "acquisition": "none", "like_selected": True}
    result = execute("rank_samples", six, selected=failed, **alone)
    six.reload()
    assert shown(six, result) == ["f", "c", "d"]
    # Times the share of scores that are no better: c has 0.6 / 2, d 0.4 · 0.49, f 0.2 · 0.72.
    result = execute("rank_samples", six, selected=failed, **{**alone, "acquisition": "margin"})
    six.reload()
    assert shown(six, result) == ["c", "d", "f"]
    _, elements = panel(six)
    said = "The order also weighs how much each sample is like those that were chosen."
    assert said in elements["text"]["default"]


def test_the_selected_samples_are_then_not_what_is_ranked(six: Any) -> None:
    failed = named(six, "a", "e")
    before = form("rank_samples", six, selected=failed, level="rank")
    assert before["scope"]["default"].startswith("Ranks **2 of 6** samples")
    assert before["like_selected"]["view"]["label"] == "More like the 2 selected samples"
    chosen = {**RANK, "like_selected": True, "view_target": "SELECTED_SAMPLES"}
    after = form("rank_samples", six, selected=failed, **chosen)
    assert after["scope"]["default"].startswith("Ranks **5 of 6** samples")
    assert "weighed by likeness to the 2 selected samples;" in after["recommended"]["default"]
    refused = form("rank_samples", six, selected=failed, **{**chosen, "like_strength": 0})
    assert refused["like_strength"]["error_message"] == "Enter a number above 0 and at most 100."


def test_of_a_large_dataset_the_selected_samples_are_looked_at(
    six: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from labelnext_adapters.fiftyone.app import foreseen

    monkeypatch.setattr(foreseen, "MOST", 3)
    like = {**RANK, "like_selected": True, "budget": 2}
    inputs = form("rank_samples", six, selected=named(six, "e"), **like)
    assert "judged by 4 samples" in inputs["foreseen"]["default"]


def test_what_cannot_limit_a_batch_is_grey_and_says_why(six: Any) -> None:
    six.delete_sample_field("embedding")
    inputs = form("rank_samples", six)
    like = inputs["like_selected"]["view"]
    assert like["read_only"]
    assert like["description"].startswith("Select samples in the grid first")
    near = choices(inputs["near"])
    assert [name for name, choice in near.items() if choice["disabled"]] == [
        "embeddings", "distance",
    ]  # fmt: skip
    whole = choices(inputs["whole"])["max"]
    assert whole["description"] == "It needs a group: choose one above"
    inputs = form("rank_samples", six, groups="scene", method="object_diversity")
    assert "goes by single objects" in choices(inputs["whole"])["max"]["description"]
    of = choices(
        form("rank_samples", six, groups="scene", whole="max", quota="uniform")["quota_of"]
    )
    assert [of[name]["disabled"] for name in ("class", "tag", "group")] == [False, True, True]


def test_the_form_says_what_near_duplicates_and_groups_make_of_the_batch(six: Any) -> None:
    said = form("rank_samples", six, **RANK, near="embeddings")["foreseen"]["default"]
    assert said.endswith("Left 2 near-duplicates out of the batch.")
    said = form("rank_samples", six, **{**RANK, "budget": 1}, groups="scene", whole="max")
    assert said["foreseen"]["default"].endswith("The batch has 1 group, 2 samples.")
    said = form("rank_samples", six, **RANK, near="images")["foreseen"]["default"]
    assert said.endswith("Images are compared when you rank, and near-duplicates then left out.")
    asked = form("rank_samples", six, **RANK, near="distance")["min_distance"]
    assert asked["error_message"] == "Enter a distance above 0."

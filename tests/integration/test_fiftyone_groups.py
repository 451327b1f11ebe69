"""Flat views of several slices of a grouped dataset are ranked whole, and compared."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import labelnext
from labelnext.errors import InvalidInput
from labelnext.runs.undo import undo
from labelnext_adapters.fiftyone.app.compare import compare_runs, n_common
from labelnext_adapters.fiftyone.app.summary import summarise_run
from tests.integration.app import form
from tests.integration.fiftyone_runs import state

pytest_plugins = ("tests.integration.mongod",)

# Of the second class; the margins rise from l0 to r2.
SECOND = {"l0": 0.5, "r0": 0.45, "l1": 0.4, "r1": 0.35, "l2": 0.3, "r2": 0.25}


@pytest.fixture
def grouped(dataset: Any) -> Any:
    """Three groups of a left and a right image and a point cloud without predictions."""
    import fiftyone as fo

    dataset.add_group_field("group", default="left")
    dataset.default_classes = ["no", "yes"]
    samples = []
    for i in range(3):
        group = fo.Group()
        for name, ending in (("left", "png"), ("right", "png"), ("lidar", "pcd")):
            path = f"/images/{name[0]}{i}.{ending}"
            sample = fo.Sample(path, group=group.element(name), scene=f"s{i}")
            if ending == "png":
                yes = SECOND[f"{name[0]}{i}"]
                sample["pred"] = fo.Classification(label="no", logits=np.log([1 - yes, yes]))
            samples.append(sample)
    dataset.add_samples(samples, progress=False)
    return dataset


def settings(view: Any, folder: Path, **write: Any) -> dict[str, Any]:
    return {
        "source": {"adapter": "fiftyone", "dataset": view, "pred_field": "pred"},
        "acquisition": {"name": "margin"},
        "selection": {"budget": 4},
        "write": write,
        "report": {"path": None},
        "state": str(folder / "state"),
    }


def shown(view: Any) -> list[str]:
    return [Path(path).stem for path in view.values("filepath")]


def test_an_active_slice_that_is_not_read_is_named(grouped: Any, tmp_path: Path) -> None:
    grouped.group_slice = "right"

    def said(**source: Any) -> list[str]:
        config = settings(grouped, tmp_path)
        config["source"] |= source
        pool = labelnext.open_adapter(config["source"].pop("adapter"), **config["source"]).read()
        return [notice.message for notice in pool.notices if notice.code == "slice"]

    text = "the dataset's default slice left was read, not right, which is active now"
    expected = [f"{text}; source.slice: right reads that one."]
    assert said() == said(dataset=grouped.name) == expected
    assert said(slice="right") == said(slice="left") == []
    assert said(dataset=grouped.select_group_slices("left")) == []
    grouped.group_slice = "left"
    assert said() == []


@pytest.mark.parametrize("slices", [["left", "right"], ["left", "right", "lidar"]])
def test_a_flat_view_of_several_slices_is_ranked_whole(
    grouped: Any, tmp_path: Path, slices: list[str]
) -> None:
    view = grouped.select_group_slices(slices, _allow_mixed=True)
    grouped.save_view("flat", view)
    before = state(grouped)
    config = settings(view, tmp_path, prelabels=True)
    assert labelnext.run(config).counts["ranked"] == 6
    grouped.reload()
    assert shown(grouped.load_saved_view("labelnext-batch")) == ["l0", "r0", "l1", "r1"]
    assert shown(grouped.load_saved_view("labelnext-all")) == [*SECOND]
    assert shown(grouped.load_run_view("labelnext")) == ["l0", "r0", "l1", "r1"]
    images = grouped.select_group_slices(["left", "right"])
    assert sorted(shown(images.exists("labelnext_prelabel"))) == ["l0", "l1", "r0", "r1"]
    summary = summarise_run(grouped, "labelnext")
    assert (summary.n_ranked, len(summary.next_items)) == (6, 4)

    # The next run is of one slice: pre-labels of the other one go.
    right = settings(grouped.select_group_slices("right"), tmp_path, prelabels=True)
    labelnext.run(right)
    grouped.reload()
    assert shown(grouped.load_saved_view("labelnext-all")) == ["r0", "r1", "r2"]
    assert sorted(shown(images.exists("labelnext_prelabel"))) == ["r0", "r1", "r2"]
    undo(right)
    assert sorted(shown(images.exists("labelnext_prelabel"))) == ["l0", "l1", "r0", "r1"]
    undo(config)
    assert state(grouped) == before


def test_rankings_are_compared_by_a_flat_view(grouped: Any, tmp_path: Path) -> None:
    flat = grouped.select_group_slices(["left", "right"])
    for run in ("one", "two"):
        labelnext.run(settings(flat, tmp_path, run=run))
    grouped.reload()
    for view, n in ((grouped, 6), (flat, 6), (flat.limit(1), 1)):
        assert n_common(view, "one", "two") == compare_runs(view, "one", "two").n_common == n
    left = settings(grouped.select_group_slices("left"), tmp_path, run="left")
    labelnext.run(left)
    grouped.reload()
    for view in (grouped, flat):
        assert compare_runs(view, "left", "one").n_common == 3


def test_a_view_of_dynamic_groups_says_that_it_must_be_flat(grouped: Any, tmp_path: Path) -> None:
    flat = grouped.select_group_slices("left")
    for run in ("one", "two"):
        labelnext.run(settings(flat, tmp_path, run=run))
    grouped.reload()
    for compare in (n_common, compare_runs):
        with pytest.raises(InvalidInput, match="must be flat; got dynamic groups"):
            compare(flat.group_by("scene"), "one", "two")


def test_the_form_takes_dynamic_groups_of_plain_samples(plugins: Path, dataset: Any) -> None:
    import fiftyone as fo

    guess = fo.Classification(label="no", confidence=0.5)
    samples = [fo.Sample(f"/{i}.png", scene=f"s{i // 2}", pred=guess.copy()) for i in range(4)]
    dataset.add_samples(samples, progress=False)
    problem = form("rank_samples", dataset, dataset.group_by("scene"))["problem"]
    assert problem["invalid"]
    assert "must be flat; got dynamic groups" in problem["view"]["description"]


def test_frames_are_compared_by_a_view_that_is_older_than_the_rankings(
    dataset: Any, tmp_path: Path
) -> None:
    import fiftyone as fo

    video = fo.Sample("/a.mp4")
    for number in (1, 2, 3):
        box = fo.Detection(label="a", confidence=number / 4, bounding_box=[0, 0, 0.5, 0.5])
        video.frames[number] = fo.Frame(pred=fo.Detections(detections=[box]))
    dataset.add_sample(video)
    frames = dataset.to_frames(sample_frames="dynamic", sparse=True)
    for run in ("one", "two"):
        config = settings(dataset, tmp_path, run=run)
        config["source"]["frames"] = True
        config["acquisition"] = {"name": "mean_object_confidence"}
        labelnext.run(config)
    dataset.reload()
    assert compare_runs(frames, "one", "two").n_common == 3
    assert compare_runs(frames.limit(2), "one", "two").n_common == 2

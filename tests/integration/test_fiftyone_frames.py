"""Frames of videos as items: read, grouped by video, written, opened and taken back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import labelnext
from labelnext.adapter import open_adapter
from labelnext.errors import InvalidInput, NotFound, WriteRefused
from labelnext.runs.check import check
from labelnext.runs.undo import runs, undo

pytest_plugins = ("tests.integration.mongod",)

# Of the frames 1, 2 and 4 of two videos: how sure the model is that it sees a car.
SURE = {"day": {1: 0.9, 2: 0.55, 4: 0.6}, "night": {1: 0.5, 2: 0.95, 4: 0.7}}
# The margins are |2p − 1|: 0.0, 0.1, 0.2, 0.4, 0.8, 0.9.
ORDER = [("night", 1), ("day", 2), ("day", 4), ("night", 4), ("day", 1), ("night", 2)]


def video(path: Path) -> str:
    """Five frames of 32 by 32 pixels, from black to grey."""
    import cv2

    kind = cv2.VideoWriter.fourcc(*"mp4v")
    writer = cv2.VideoWriter(str(path), kind, 5, (32, 32))
    for i in range(5):
        writer.write(np.full((32, 32, 3), 40 * i, np.uint8))
    writer.release()
    return str(path)


@pytest.fixture
def videos(dataset: Any, tmp_path: Path) -> Any:
    """Two videos; the predictions are of frames alone."""
    import fiftyone as fo

    dataset.classes = {"frames.pred": ["car", "none"]}
    for name, frames in SURE.items():
        sample = fo.Sample(video(tmp_path / f"{name}.mp4"), name=name)
        for number, p in frames.items():
            pred = fo.Classification(label="car", confidence=p)
            box = fo.Detection(label="car", confidence=p, bounding_box=[0, 0, 0.5, 0.5])
            boxes = fo.Detections(detections=[box] * number)
            sample.frames[number] = fo.Frame(pred=pred, boxes=boxes)
        dataset.add_sample(sample)
    return dataset


def settings(dataset: Any, folder: Path, **more: Any) -> dict[str, Any]:
    source = {"adapter": "fiftyone", "dataset": dataset, "frames": True, "pred_field": "pred"}
    source |= more.pop("source", {})
    rest = {"report": {"path": None}, "state": str(folder / "state"), "selection": {"budget": 3}}
    return {"source": source, **rest, **more}


def where(view: Any) -> list[tuple[str, int]]:
    """Of each item the video and the number of the frame."""
    paths, numbers = view.values(["filepath", "frame_number"])
    return [(Path(p).stem, n) for p, n in zip(paths, numbers, strict=True)]


def state(dataset: Any) -> dict[str, Any]:
    """All that a run touches, but for moments and FiftyOne's copies of the frames."""
    dataset.reload()

    def rows(collection: Any) -> list[dict[str, Any]]:
        found = collection.find().sort("_id")
        return [{k: v for k, v in d.items() if k != "last_modified_at"} for d in found]

    return {
        "frames": rows(dataset._frame_collection),
        "samples": rows(dataset._sample_collection),
        "schema": {n: str(f) for n, f in dataset.get_frame_field_schema(flat=True).items()},
        "views": dataset.list_saved_views(),
        "runs": dataset.list_runs(),
        "indexes": dataset.list_indexes(),
    }


def test_every_frame_is_an_item_with_an_id_of_its_own(videos: Any, tmp_path: Path) -> None:
    report = labelnext.run(settings(videos.name, tmp_path), dry_run=True)
    ids = [i for of_video in videos.values("frames.id") for i in of_video]
    assert sorted(report.ranking.pool_order) == sorted(ids)
    assert len(set(ids)) == 6
    assert where(videos.to_frames(sample_frames="dynamic", sparse=True).select(
        report.ranking.pool_order.tolist(), ordered=True
    )) == ORDER  # fmt: skip


def test_frames_of_one_video_are_a_group(videos: Any, tmp_path: Path) -> None:
    one_each = {"budget": 2, "options": {"per_group": 1}}
    labelnext.run(settings(videos.name, tmp_path, selection=one_each))
    videos.reload()
    assert where(videos.load_saved_view("labelnext-batch")) == [("night", 1), ("day", 2)]
    labelnext.run(settings(videos.name, tmp_path, selection={**one_each, "budget": 3}))
    videos.reload()
    assert where(videos.load_saved_view("labelnext-batch"))[:2] == [("night", 1), ("day", 2)]
    whole = {"budget": 1, "options": {"groups_as_items": True}}
    labelnext.run(settings(videos.name, tmp_path, selection=whole))
    videos.reload()
    nights = [place for place in ORDER if place[0] == "night"]
    assert where(videos.load_saved_view("labelnext-batch")) == nights


def test_scores_are_on_the_frames_and_the_views_show_them_in_order(
    videos: Any, tmp_path: Path
) -> None:
    labelnext.run(settings(videos.name, tmp_path))
    videos.reload()
    assert videos.values("frames.labelnext.rank") == [[5, 2, 3], [1, 6, 4]]
    assert videos.get_field("frames.labelnext.rank") is not None
    assert videos.get_field("labelnext") is None
    assert videos.values("frames.labelnext.score")[0] == pytest.approx([0.8, 0.1, 0.2])
    assert "frames.labelnext.rank" in videos.list_indexes()
    assert where(videos.load_saved_view("labelnext-batch")) == ORDER[:3]
    everything = videos.load_saved_view("labelnext-all")
    assert where(everything) == ORDER
    assert everything.values("labelnext.rank") == [1, 2, 3, 4, 5, 6]
    assert where(videos.load_run_view("labelnext")) == ORDER[:3]
    assert all(moment is not None for moment in videos.values("last_modified_at"))


def test_a_second_run_replaces_the_ranks_of_frames(videos: Any, tmp_path: Path) -> None:
    labelnext.run(settings(videos.name, tmp_path))
    videos.set_values("frames.pred.confidence", [[0.5, 0.99, 0.98], [0.97, 0.96, 0.95]])
    before = state(videos)
    labelnext.run(settings(videos.name, tmp_path, selection={"budget": 1}))
    videos.reload()
    assert where(videos.load_saved_view("labelnext-batch")) == [("day", 1)]
    assert videos.load_saved_view("labelnext-all").values("labelnext.rank") == [1, 2, 3, 4, 5, 6]
    undo(settings(videos.name, tmp_path))
    assert state(videos) == before
    assert where(videos.load_saved_view("labelnext-batch")) == ORDER[:3]


@pytest.mark.parametrize("how", ["undo", "delete_run"])
def test_nothing_of_a_run_over_frames_stays(videos: Any, tmp_path: Path, how: str) -> None:
    from labelnext_adapters.fiftyone.write.manage import delete_run, what_goes

    before = state(videos)
    config = settings(
        videos.name,
        tmp_path,
        source={"pred_field": "boxes"},
        acquisition={"name": "mean_object_confidence", "of": "objects"},
        write={"objects": True},
    )
    labelnext.run(config)
    videos.reload()
    scores = videos.values("frames.boxes.detections.labelnext")
    assert scores[0] == [[0.9], [0.55, 0.55], [0.6] * 4]
    if how == "undo":
        undo(config)
    else:
        assert what_goes(videos, "labelnext")[0] == ("the field frames.labelnext, set on 6 frames")
        delete_run(videos, "labelnext")
    assert state(videos) == before


def test_a_run_over_frames_can_be_renamed_and_then_undone(videos: Any, tmp_path: Path) -> None:
    from labelnext_adapters.fiftyone.write.manage import rename_run

    before = state(videos)
    labelnext.run(settings(videos.name, tmp_path))
    videos.reload()
    rename_run(videos, "labelnext", "later")
    assert videos.values("frames.later.rank") == [[5, 2, 3], [1, 6, 4]]
    assert where(videos.load_saved_view("later-batch")) == ORDER[:3]
    assert videos.load_saved_view("later-batch").values("later.rank") == [1, 2, 3]
    assert where(videos.load_saved_view("later-all")) == ORDER
    undo(settings(videos.name, tmp_path))
    assert state(videos) == before


def test_labelled_frames_are_left_out(videos: Any, tmp_path: Path) -> None:
    import fiftyone as fo

    truth = fo.Classification(label="car")
    videos.set_values("frames.truth", [[None, truth, None], [truth, None, None]])
    videos.limit(1).tag_samples("done")
    report = labelnext.run(settings(videos.name, tmp_path, source={"gt_field": "truth"}))
    assert (report.counts["labelled"], report.counts["ranked"]) == (2, 4)
    assert report.ranking.acquisition == "margin"
    videos.reload()
    assert where(videos.load_saved_view("labelnext-all")) == [
        p for p in ORDER if p not in (("night", 1), ("day", 2))
    ]
    # A tag of FiftyOne is the video's, so all its frames count.
    report = labelnext.run(settings(videos.name, tmp_path, source={"label_tag": "done"}))
    assert report.counts["labelled"] == 3


def test_frames_that_are_stored_as_images_are_shown_as_images(videos: Any, tmp_path: Path) -> None:
    from PIL import Image

    paths = [[str(tmp_path / f"{v}-{n}.png") for n in SURE[v]] for v in SURE]
    for path in (p for of_video in paths for p in of_video):
        Image.new("RGB", (8, 8)).save(path)
    videos.set_values("frames.filepath", paths)
    labelnext.run(settings(videos.name, tmp_path))
    videos.reload()
    first = videos.load_saved_view("labelnext-batch").first()
    assert Path(first.filepath).name == "night-1.png"


def test_a_view_of_frames_is_ranked_when_it_is_handed_over(videos: Any, tmp_path: Path) -> None:
    from fiftyone import ViewField

    view = videos.match(ViewField("name") == "day").to_frames(sample_frames="dynamic", sparse=True)
    labelnext.run(settings(view, tmp_path))
    videos.reload()
    assert videos.values("frames.labelnext.rank") == [[3, 1, 2], [None, None, None]]
    with pytest.raises(InvalidInput, match="frames: true"):
        labelnext.run(settings(view, tmp_path, source={"frames": False}))


def test_what_the_run_of_frames_shows_in_the_panel(videos: Any, tmp_path: Path) -> None:
    from labelnext_adapters.fiftyone.app.compare import compare_runs
    from labelnext_adapters.fiftyone.app.summary import scores_view, summarise_run

    labelnext.run(settings(videos.name, tmp_path, write={"run": "first"}))
    labelnext.run(settings(videos.name, tmp_path, write={"run": "second"}))
    videos.reload()
    summary = summarise_run(videos, "first")
    assert (summary.n_ranked, summary.n_batch, summary.classes) == (6, 3, (("car", 6, 3),))
    assert summary.groups_are == "video"
    assert {*summary.groups} == {("day.mp4", 3, 2), ("night.mp4", 3, 1)}
    assert [row["name"] for row in summary.next_items] == [
        "night.mp4 #1",
        "day.mp4 #2",
        "day.mp4 #4",
    ]
    assert where(scores_view(videos, "first", 0.05, 0.3)) == [("day", 2), ("day", 4)]
    assert compare_runs(videos, "first", "second").n_overlap == 3


def test_copies_of_frames_and_patches_that_are_older_than_a_ranking_count(
    videos: Any, tmp_path: Path
) -> None:
    import fiftyone as fo

    from labelnext_adapters.fiftyone.app.summary import n_shown

    def found() -> Any:
        return fo.Detections(detections=[fo.Detection(label="a", bounding_box=[0, 0, 1, 1])])

    videos.set_values("frames.found", [[found() for _ in range(3)] for _ in range(2)])
    frames = videos.to_frames(sample_frames="dynamic", sparse=True)
    late = frames.match({"frame_number": {"$gt": 1}})
    patches = late.to_patches("found")
    labelnext.run(settings(videos.name, tmp_path))
    videos.reload()
    # Two videos with the frames 1, 2 and 4, each ranked and with boxes.
    shown = [n_shown(videos, "labelnext", view, n_ranked=6) for view in (frames, late, patches)]
    assert shown == [6, 4, 4]
    assert n_shown(videos, "labelnext", videos.view(), n_ranked=6) == 0


def test_the_private_bulk_write_is_not_needed_for_frames(
    videos: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import labelnext_adapters.fiftyone.write.performer as module

    monkeypatch.setattr(module, "bulk_writer", lambda *_: None)
    labelnext.run(settings(videos.name, tmp_path))
    videos.reload()
    assert videos.values("frames.labelnext.rank") == [[5, 2, 3], [1, 6, 4]]


def test_copying_frames_shows_no_bars_of_fiftyone(
    videos: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    import fiftyone as fo

    monkeypatch.setattr(fo.config, "show_progress_bars", True)
    videos.to_frames(sample_frames="dynamic", sparse=True)
    assert "samples/s" in capsys.readouterr().out, "FiftyOne by itself shows one"
    labelnext.run(settings(videos.name, tmp_path))
    undo(settings(videos.name, tmp_path))
    assert capsys.readouterr().out == ""
    assert fo.config.show_progress_bars


def test_a_run_stays_in_its_kind_of_items(videos: Any, tmp_path: Path) -> None:
    import fiftyone as fo

    labelnext.run(settings(videos.name, tmp_path))
    videos.set_values("whole", [fo.Classification(label="car", confidence=0.5)] * 2)
    whole = settings(videos.name, tmp_path, source={"frames": False, "pred_field": "whole"})
    with pytest.raises(WriteRefused, match=r"must stay in its field frames\.labelnext"):
        labelnext.run({**whole, "acquisition": {"name": "mean_object_confidence"}})
    assert len(runs(whole)) == 1


def test_check_counts_frames(videos: Any, tmp_path: Path) -> None:
    messages = [finding.message for finding in check(settings(videos.name, tmp_path)).findings]
    assert f"6 frames in dataset {videos.name}." in messages
    assert "6 of 6 frames have a prediction (Classification) in pred." in messages


def test_frames_of_images_are_refused(dataset: Any, tmp_path: Path) -> None:
    import fiftyone as fo

    dataset.add_sample(fo.Sample("/a.png", pred=fo.Classification(label="a", confidence=0.5)))
    with pytest.raises(InvalidInput, match="no videos; got images"):
        labelnext.run(settings(dataset.name, tmp_path))


def test_a_field_of_frames_is_named_without_its_prefix(videos: Any, tmp_path: Path) -> None:
    config = settings(videos.name, tmp_path, source={"frames": False, "pred_field": "frames.pred"})
    with pytest.raises(InvalidInput, match="must be a field of what is ranked") as caught:
        labelnext.run(config)
    assert caught.value.hint == "frames: true ranks frames, and the field is then 'pred'."


def test_a_field_of_frames_is_not_called_missing_where_videos_are_ranked(videos: Any) -> None:
    with pytest.raises(NotFound, match="got 'pred'") as caught:
        open_adapter("fiftyone", dataset=videos.name, pred_field="pred").read()
    assert caught.value.hint == "it is a field of frames: frames: true ranks these."


def test_no_copies_of_frames_are_left_but_those_of_saved_views(videos: Any, tmp_path: Path) -> None:
    import fiftyone.core.dataset as fod

    def copies() -> set[str]:  # which FiftyOne's own list leaves out
        return set(fod._list_datasets(include_private=True)) - known

    known: set[str] = set()
    known = copies()
    check(settings(videos.name, tmp_path))
    labelnext.run(settings(videos.name, tmp_path), dry_run=True)
    assert copies() == set()
    labelnext.run(settings(videos.name, tmp_path))
    left = copies()
    assert all(fod.load_dataset(name).persistent for name in left)
    assert len(left) == 1
    labelnext.run(settings(videos.name, tmp_path))
    again = copies()
    assert len(again) == 1
    videos.reload()
    videos.save_view("mine", videos.load_saved_view("labelnext-batch").limit(1))
    undo(settings(videos.name, tmp_path))
    undo(settings(videos.name, tmp_path))
    assert copies() == again, "a view of the user's shows it"
    assert where(videos.load_saved_view("mine")) == ORDER[:1]

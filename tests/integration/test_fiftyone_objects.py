"""Scores of single objects, slices of groups, and runs renamed by hand, on a real MongoDB."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import labelnext
from labelnext.config import load_config
from labelnext.errors import ConfigError, WriteFailed, WriteRefused
from labelnext.runs.undo import resume, undo
from labelnext_adapters.fiftyone.write.manage import delete_run
from tests.integration.fiftyone_runs import state
from tests.integration.test_fiftyone_read import add, box, boxes, logits

pytest_plugins = ("tests.integration.mongod",)

PATH = "pred.detections.next"


@pytest.fixture
def detected(dataset: Any) -> Any:
    """Three samples with two, one and no boxes, and one that nobody looked at."""
    add(
        dataset,
        {"pred": boxes(box("car", 0.5), box("car", 0.25)), "name": "a"},
        {"pred": boxes(box("car", 0.75)), "name": "b"},
        {"pred": boxes(), "name": "c"},
        {"name": "d"},
        classes=["car"],
    )
    return dataset


def settings(dataset: Any, folder: Path, *, objects: bool = True, **source: Any) -> Any:
    return load_config(
        {
            "source": {
                "adapter": "fiftyone",
                "dataset": dataset.name,
                "key": "name",
                "pred_field": "pred",
                **source,
            },
            "acquisition": {"name": "mean_object_confidence", "of": "objects"},
            "write": {"run": "next", "objects": objects},
            "report": {"path": None},
            "state": str(folder / "state"),
        }
    )


def test_each_object_gets_its_own_score(detected: Any, tmp_path: Path) -> None:
    labelnext.run(settings(detected, tmp_path))
    assert detected.values(PATH) == [[0.5, 0.25], [0.75], [], None]
    assert detected.bounds(PATH) == (0.25, 0.75)
    assert detected.get_run_info("next").config.objects == PATH


def test_a_filtered_view_s_objects_get_their_scores_and_others_none(
    detected: Any, tmp_path: Path
) -> None:
    from fiftyone import ViewField

    unsure = detected.filter_labels("pred", ViewField("confidence") < 0.5)
    detected.save_view("unsure", unsure)
    before = state(detected)
    result = labelnext.run(settings(detected, tmp_path, view="unsure"))
    detected.reload()
    assert detected.values(PATH) == [[None, 0.25], [None], [], None]
    assert "changed meanwhile" not in str(result)
    undo(settings(detected, tmp_path))
    assert state(detected) == before


def test_samples_whose_objects_were_scored_are_marked_as_modified(
    detected: Any, tmp_path: Path
) -> None:
    labelnext.run(settings(detected, tmp_path, objects=False))
    before = detected.values("last_modified_at")
    labelnext.run(settings(detected, tmp_path))
    after = detected.values("last_modified_at")
    assert after[0] > before[0]
    assert after[3] == before[3]


@pytest.mark.parametrize("how", ["undo", "delete"])
def test_scores_of_objects_go_with_the_run(detected: Any, tmp_path: Path, how: str) -> None:
    before = state(detected)
    config = settings(detected, tmp_path)
    labelnext.run(config)
    detected.reload()
    if how == "undo":
        undo(config)
    else:
        detected.delete_run("next")
    assert state(detected) == before


@pytest.mark.parametrize("how", ["undo", "delete", "another run"])
def test_scores_of_objects_go_from_a_field_that_was_renamed(
    detected: Any, tmp_path: Path, how: str
) -> None:
    config = settings(detected, tmp_path)
    labelnext.run(config)
    detected.reload()
    detected.rename_sample_field("pred", "guess")
    moved = PATH.replace("pred", "guess", 1)
    if how == "delete":
        assert f"the attribute {moved} of the labels" in delete_run(detected, "next")
    elif how == "undo":
        assert undo(config)[1] == []
    else:
        labelnext.run(settings(detected, tmp_path, objects=False, pred_field="guess"))
    detected.reload()
    assert not detected.has_sample_field(moved)
    assert detected._sample_collection.find_one({moved: {"$exists": True}}) is None


def test_earlier_scores_of_objects_come_back_to_a_field_that_was_renamed(
    detected: Any, tmp_path: Path
) -> None:
    config = settings(detected, tmp_path)
    labelnext.run(config)
    detected.match({"name": "a"}).set_field("pred.detections.confidence", 1.0).save("pred")
    labelnext.run(config)
    detected.reload()
    detected.rename_sample_field("pred", "guess")
    undo(config)
    detected.reload()
    assert detected.values("guess.detections.next") == [[0.5, 0.25], [0.75], [], None]


def test_earlier_scores_of_objects_that_are_gone_are_named(detected: Any, tmp_path: Path) -> None:
    config = settings(detected, tmp_path)
    labelnext.run(config)
    labelnext.run(config)
    detected.reload()
    detected.delete_sample_field("pred")
    left_out = f"Left out the earlier scores in {PATH}: pred.detections isn't there any more."
    assert undo(config)[1] == [left_out]
    assert undo(config)[1] == []


def test_scores_of_objects_stay_where_it_is_unclear_whose_they_are(
    detected: Any, tmp_path: Path
) -> None:
    config = settings(detected, tmp_path)
    labelnext.run(config)
    detected.reload()
    detected.clone_sample_field("pred", "copy")
    detected.rename_sample_field("pred", "guess")
    moved = [PATH.replace("pred", name, 1) for name in ("copy", "guess")]
    assert detected.has_sample_field(moved[0])
    (said,) = undo(config)[1]
    assert said.startswith("Kept attributes")
    assert all(path in said for path in (*moved, PATH))
    assert detected.values(moved[1]) == [[0.5, 0.25], [0.75], [], None]


def test_undo_brings_back_the_earlier_scores_of_objects(detected: Any, tmp_path: Path) -> None:
    config = settings(detected, tmp_path)
    labelnext.run(config)
    before = state(detected)
    detected.match({"name": "a"}).set_field("pred.detections.confidence", 1.0).save("pred")
    labelnext.run(config)
    assert detected.values(PATH) == [[1.0, 1.0], [0.75], [], None]
    undo(config)
    assert detected.values(PATH) == [[0.5, 0.25], [0.75], [], None]
    assert state(detected)["schema"] == before["schema"]


def test_a_run_without_scores_of_objects_removes_the_earlier_ones(
    detected: Any, tmp_path: Path
) -> None:
    labelnext.run(settings(detected, tmp_path))
    before = state(detected)
    config = settings(detected, tmp_path, objects=False)
    labelnext.run(config)
    assert not detected.has_sample_field(PATH)
    assert detected._sample_collection.find_one({PATH: {"$exists": True}}) is None
    undo(config)
    assert state(detected) == before


def test_objects_that_changed_meanwhile_get_no_score_and_are_counted(
    detected: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import labelnext_adapters.fiftyone.write.performer as module

    write = module.write_scores

    def late(*arguments: Any) -> int:
        sample = detected.match({"name": "b"}).first()
        sample.pred.detections.append(box("car", 0.5))
        sample.save()
        return write(*arguments)

    monkeypatch.setattr(module, "write_scores", late)
    report = labelnext.run(settings(detected, tmp_path))
    assert detected.values(PATH) == [[0.5, 0.25], [None, None], [], None]
    assert "1 samples got no scores of objects" in str(report.to_dict())


def test_a_field_of_predictions_that_is_deleted_during_a_run_is_named(
    detected: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from labelnext_adapters.fiftyone.write.performer import FiftyOnePerformer

    perform = FiftyOnePerformer.perform

    def deleted(self: FiftyOnePerformer, step: Any) -> None:
        if step.kind == "objects":
            detected.delete_sample_field("pred")
        perform(self, step)

    monkeypatch.setattr(FiftyOnePerformer, "perform", deleted)
    config = settings(detected, tmp_path)
    with pytest.raises(WriteFailed, match=r"field pred\.detections of .* must still be there"):
        labelnext.run(config)
    assert undo(config)[1] == []
    detected.reload()
    assert not detected.has_sample_field("next")
    assert detected.list_saved_views() == detected.list_runs() == []


def test_an_attribute_that_is_not_labelnext_s_is_never_overwritten(
    dataset: Any, tmp_path: Path
) -> None:
    add(dataset, {"pred": boxes(box("car", 0.5, next=7.0)), "name": "a"}, classes=["car"])
    before = state(dataset)
    with pytest.raises(WriteRefused, match=r"attribute next of pred\.detections"):
        labelnext.run(settings(dataset, tmp_path))
    assert state(dataset) == before


def test_scores_of_objects_need_objects(dataset: Any, tmp_path: Path) -> None:
    add(dataset, {"pred": logits(1, 3), "name": "a"}, classes=["a", "b"])
    config = {
        "source": {"adapter": "fiftyone", "dataset": dataset.name, "pred_field": "pred"},
        "write": {"objects": True},
        "report": {"path": None},
        "state": str(tmp_path),
    }
    with pytest.raises(ConfigError, match=r"write\.objects must be left out unless objects"):
        labelnext.run(config)


def test_a_renamed_run_keeps_its_scores_of_objects(detected: Any, tmp_path: Path) -> None:
    before = state(detected)
    labelnext.run(settings(detected, tmp_path))
    detected.reload()
    detected.rename_run("next", "later")
    assert detected.values("pred.detections.later") == [[0.5, 0.25], [0.75], [], None]
    detected.delete_run("later")
    assert state(detected) == before


def test_a_run_that_was_renamed_in_fiftyone_can_be_undone(detected: Any, tmp_path: Path) -> None:
    before = state(detected)
    config = settings(detected, tmp_path)
    labelnext.run(config)
    first = state(detected)
    labelnext.run(config)
    detected.reload()
    detected.rename_run("next", "later")
    undo(config)
    detected.reload()
    assert state(detected) == first, "the earlier run has its name again"
    detected.rename_run("next", "sooner")
    undo(config)
    assert state(detected) == before


def test_undo_of_a_renamed_run_leaves_alone_what_has_its_name_now(
    detected: Any, tmp_path: Path
) -> None:
    config = settings(detected, tmp_path)
    labelnext.run(config)
    detected.reload()
    detected.rename_run("next", "later")
    detected.register_run("next", detected.init_run(method="something"))
    renamed = state(detected)
    with pytest.raises(WriteRefused, match="another run has that name now") as caught:
        undo(config)
    assert caught.value.hint == "dataset.delete_run('later') deletes it with all that it made."
    assert state(detected) == renamed


def test_a_broken_run_that_was_renamed_is_not_written_twice(
    detected: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from labelnext_adapters.fiftyone.write import performer as write

    def failing(*_: Any) -> None:
        raise WriteRefused("the power went out.")

    config = settings(detected, tmp_path)
    before = state(detected)
    with monkeypatch.context() as patch:
        patch.setattr(write, "save_views", failing)
        with pytest.raises(WriteFailed):
            labelnext.run(config)
    detected.reload()
    detected.rename_run("next", "later")
    with pytest.raises(WriteFailed, match="renamed to 'later' in FiftyOne") as caught:
        resume(config)
    assert "dataset.rename_run('later', 'next')" in str(caught.value.hint)
    undo(config)
    assert state(detected) == before


def test_a_slice_is_ranked_viewed_and_taken_back(dataset: Any, tmp_path: Path) -> None:
    import fiftyone as fo

    dataset.add_group_field("group", default="left")
    for number, confidence in enumerate((0.75, 0.25)):
        group = fo.Group()
        for side in ("left", "right"):
            name = f"{side}{number}"
            sample = fo.Sample(f"/{name}.png", group=group.element(side), name=name)
            sample["pred"] = boxes(box("car", confidence))
            dataset.add_samples([sample], progress=False)
        del sample
    before = state(dataset)
    config = settings(dataset, tmp_path, objects=False, slice="right")
    labelnext.run(config)
    dataset.reload()
    assert dataset.group_slice == "left"
    for name in ("next-batch", "next-all"):
        assert dataset.load_saved_view(name).values("name") == ["right1", "right0"]
    assert dataset.exists("next").count() == 0
    labelnext.run(settings(dataset, tmp_path, objects=False))
    dataset.reload()
    assert dataset.load_saved_view("next-all").values("name") == ["left1", "left0"]
    assert dataset.select_group_slices("right").exists("next").count() == 0
    undo(config)
    dataset.reload()
    assert dataset.load_saved_view("next-all").values("name") == ["right1", "right0"]
    undo(config)
    assert state(dataset) == before


def test_objects_in_a_document_of_the_user_s_get_their_scores(dataset: Any, tmp_path: Path) -> None:
    import fiftyone as fo

    found = boxes(box("car", 0.5), box("car", 0.25))
    add(dataset, {"model": fo.DynamicEmbeddedDocument(pred=found), "name": "a"}, classes=["car"])
    dataset.add_dynamic_sample_fields()
    before = state(dataset)
    config = settings(dataset, tmp_path, pred_field="model.pred")
    labelnext.run(config)
    dataset.reload()
    assert dataset.values("model.pred.detections.next") == [[0.5, 0.25]]
    undo(config)
    assert state(dataset) == before


def test_read_only_predictions_get_no_scores_of_objects(detected: Any, tmp_path: Path) -> None:
    field = detected.get_field("pred")
    field.read_only = True
    field.save()
    with pytest.raises(WriteRefused, match="field pred .* must be writable; it is read-only"):
        labelnext.run(settings(detected, tmp_path))
    labelnext.run(settings(detected, tmp_path, objects=False))


def test_scores_of_frames_go_from_a_field_that_was_renamed(dataset: Any, tmp_path: Path) -> None:
    import fiftyone as fo

    video = fo.Sample("/a.mp4")
    boxes = [fo.Detection(label="a", confidence=0.5, bounding_box=[0, 0, 0.5, 0.5])]
    video.frames[1] = fo.Frame(pred=fo.Detections(detections=boxes))
    dataset.add_sample(video)
    config = settings(dataset, tmp_path, frames=True, key=None)
    labelnext.run(config)
    dataset.reload()
    dataset.rename_frame_field("pred", "guess")
    assert undo(config)[1] == []
    dataset.reload()
    assert dataset.get_field(f"frames.{PATH}".replace("pred", "guess", 1)) is None

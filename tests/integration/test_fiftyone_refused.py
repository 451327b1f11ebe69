"""What a dataset holds but nobody can rank is refused in one line, by a run and by check."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import labelnext
from labelnext.adapter import open_adapter
from labelnext.errors import InvalidInput, LabelnextError, NotFound
from labelnext.runs.check import check
from labelnext_adapters.fiftyone.read.batch import read_batch
from tests.integration.test_fiftyone_read import add, box, boxes, logits

pytest_plugins = ("tests.integration.mongod",)


def refused(dataset: Any, **source: str) -> str:
    adapter = open_adapter("fiftyone", dataset=dataset.name, **source)
    with pytest.raises(InvalidInput) as caught:
        adapter.read()
    told = [finding.message for finding in adapter.check() if finding.level == "error"]
    assert told == [caught.value.message]
    return str(caught.value.message)


def test_dynamic_groups_are_refused_and_their_samples_ranked(dataset: Any) -> None:
    add(dataset, *({"scene": n, "pred": logits(0.5, 0.5)} for n in "aab"), classes=["a", "b"])
    dataset.save_view("groups", dataset.group_by("scene"))
    dataset.save_view("flat", dataset.group_by("scene", flat=True))
    expected = "view must be flat; got dynamic groups."
    assert refused(dataset, view="groups", pred_field="pred") == expected
    assert len(open_adapter("fiftyone", dataset=dataset.name, view="flat").read()) == 3


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("tags", "embeddings must be a vector field; got 'tags' of ListField of StringField."),
        ("name", "embeddings must be a vector field; got 'name' of StringField."),
    ],
)
def test_lists_of_other_things_are_no_embeddings(dataset: Any, name: str, message: str) -> None:
    add(dataset, {"name": "a", "tags": ["x"]}, {"name": "b"})
    assert refused(dataset, embeddings=name) == message


def test_empty_embeddings_are_refused(dataset: Any) -> None:
    import fiftyone as fo

    dataset.add_sample_field("empty", fo.ListField, subfield=fo.FloatField)
    add(dataset, {"empty": []}, {"empty": []})
    with pytest.raises(InvalidInput, match="vectors of numbers; those in 'empty' are empty"):
        open_adapter("fiftyone", dataset=dataset.name, embeddings="empty").read()


def test_another_view_that_cannot_be_read_is_no_hindrance(dataset: Any, tmp_path: Path) -> None:
    add(dataset, {"pred": logits(0.5, 0.5)}, {"pred": logits(0.9, 0.1)}, classes=["a", "b"])
    dataset.save_view("broken", dataset.limit(1))
    view = dataset._get_saved_view_doc("broken")
    view.view_stages = ["{}"]
    view.save()
    source = {"adapter": "fiftyone", "dataset": dataset.name, "pred_field": "pred"}
    config = {"source": source, "report": {"path": None}, "state": str(tmp_path)}
    for _ in range(2):
        assert labelnext.run(config).counts["ranked"] == 2
    dataset.reload()
    assert "broken" in dataset.list_saved_views()
    with pytest.raises(InvalidInput, match="view broken of .* cannot be loaded"):
        open_adapter("fiftyone", dataset=dataset.name, view="broken").read()


@pytest.mark.parametrize("key", [None, "name"])
@pytest.mark.parametrize("saved", [False, True])
def test_a_view_that_holds_a_sample_twice_is_refused_with_the_cure(
    dataset: Any, key: str | None, saved: bool
) -> None:
    rows = ({"pred": logits(0.5, 0.5), "name": f"n{i}"} for i in range(4))
    add(dataset, *rows, classes=["a", "b"])
    twice = dataset.concat(dataset.limit(2))
    dataset.save_view("twice", twice)
    source = {"dataset": dataset, "view": "twice"} if saved else {"dataset": twice}
    adapter = open_adapter("fiftyone", pred_field="pred", key=key, **source)
    with pytest.raises(InvalidInput, match="each sample once; its view has 2 of them") as refused:
        adapter.read()
    assert str(refused.value.hint) == "rank dataset.select(view.distinct('id'))."
    once = dataset.select(twice.distinct("id"))
    assert len(open_adapter("fiftyone", dataset=once, pred_field="pred").read()) == 4


def test_a_view_whose_field_is_gone_is_refused(dataset: Any) -> None:
    add(dataset, {"u": 0.5, "pred": logits(0.5, 0.5)})
    dataset.save_view("selected", dataset.select_fields(["u", "pred"]))
    dataset.save_view("existing", dataset.exists("u").select_fields("u"))
    dataset.delete_sample_field("u")
    for view in ("selected", "existing"):
        message = refused(dataset, view=view, pred_field="pred")
        assert message.startswith(f"view {view} of {dataset.name} cannot be loaded: ")
        assert "'u'" in message


@pytest.mark.parametrize("part", ["confidence", "label", "bounding_box"])
@pytest.mark.parametrize("option", ["pred_field", "gt_field", "embeddings"])
def test_a_value_of_each_label_in_a_list_is_refused(dataset: Any, option: str, part: str) -> None:
    add(dataset, {"pred": boxes(box(), box())}, {"pred": boxes(box())})
    path = f"pred.detections.{part}"
    assert refused(dataset, **{option: path}) == (
        f"{option} must be one value a sample; got {path!r}, which is in the list pred.detections."
    )


def ranked_batch(dataset: Any, tmp_path: Path) -> Any:
    """The batch of a run, as it would be sent."""
    source = {"adapter": "fiftyone", "dataset": dataset, "pred_field": "pred"}
    labelnext.run({"source": source, "state": str(tmp_path), "report": {"path": None}})
    dataset.reload()
    return read_batch(dataset, "labelnext")


def test_masks_of_some_objects_stay_behind_when_a_batch_is_sent_and_that_is_said(
    dataset: Any, tmp_path: Path
) -> None:
    import fiftyone as fo

    masked = fo.Detection(
        label="a", bounding_box=[0, 0, 1, 1], confidence=0.5, mask=np.ones((2, 2))
    )
    add(dataset, {"pred": fo.Detections(detections=[masked])}, {"pred": boxes(box())})
    told = [notice.message for notice in ranked_batch(dataset, tmp_path).notices]
    assert told == ["1 sample has masks, but not each object has one; only boxes are sent."]


def test_masks_that_cannot_be_read_are_told_before_a_batch_is_sent(
    dataset: Any, tmp_path: Path
) -> None:
    import fiftyone as fo

    path = str(tmp_path / "mask.png")
    masked = fo.Detection(label="a", bounding_box=[0, 0, 1, 1], confidence=0.5, mask_path=path)
    add(dataset, {"pred": fo.Detections(detections=[masked])})
    with pytest.raises(InvalidInput, match=r"its size; .* can't be opened"):
        ranked_batch(dataset, tmp_path)
    dataset.set_values("metadata", [fo.ImageMetadata(width=4, height=2)])
    with pytest.raises(InvalidInput, match=r"a mask must be readable; .*mask\.png"):
        ranked_batch(dataset, tmp_path)


def test_open_lines_are_sent_as_polygons_and_that_is_said(dataset: Any, tmp_path: Path) -> None:
    import fiftyone as fo

    line = fo.Polyline(label="a", points=[[(0, 0), (1, 1)]], confidence=0.5)
    add(dataset, {"pred": fo.Polylines(polylines=[line])})
    told = [notice.message for notice in ranked_batch(dataset, tmp_path).notices]
    assert told == ["1 sample has open lines, which are sent as polygons and come back closed."]


NOT_SENT = {
    "nix": "send.fields",
    "age": "send.fields must be of .*; age is of FloatField",
    "pred": "send.fields must be other fields than pred_field; got 'pred'",
    "pred.detections": "send.fields must be of samples' own fields",
    "map": "the dataset must name the classes of map to send it",
}
NO_ATTRIBUTES = {
    "nix": "must be attributes of objects with texts, numbers or truth values; nix holds nothing",
    "sides": "truth values; sides holds",
}


def test_what_cannot_be_sent_beside_the_predictions_is_named(dataset: Any, tmp_path: Path) -> None:
    import fiftyone as fo

    box = fo.Detection(label="a", bounding_box=[0, 0, 1, 1], confidence=0.5, sides={"left": 1})
    pred, kind = fo.Detections(detections=[box]), fo.Classification(label="a", confidence=0.5)
    add(dataset, {"pred": pred, "kind": kind, "age": 1.5, "map": fo.Segmentation()})
    ranked_batch(dataset, tmp_path)
    for name, told in NOT_SENT.items():
        with pytest.raises(LabelnextError, match=told):
            read_batch(dataset, "labelnext", [name])
    for name, told in NO_ATTRIBUTES.items():
        with pytest.raises(InvalidInput, match=told):
            read_batch(dataset, "labelnext", ["kind"], [name])
    dataset.rename_sample_field("labelnext", "mine")
    with pytest.raises(NotFound, match="field labelnext .* must hold the ranking; somebody has"):
        read_batch(dataset, "labelnext")


def test_numbers_and_outlines_that_are_none_are_not_sent(dataset: Any, tmp_path: Path) -> None:
    import fiftyone as fo

    line = fo.Polyline(label="a", points=[[], [(0, 0), (1, 1), (1, 0)]], confidence=0.5)
    unknown = fo.Regression(value=float("nan"))
    add(dataset, {"pred": fo.Polylines(polylines=[line]), "age": unknown})
    ranked_batch(dataset, tmp_path)
    batch = read_batch(dataset, "labelnext", ["age"])
    ((mark,),) = [item.marks for item in batch.items]
    assert mark.paths == (((0, 0), (1, 1), (1, 0)),)
    assert [further.marks for further in batch.further] == [(None,)]


def test_videos_are_not_sent(dataset: Any, tmp_path: Path) -> None:
    import fiftyone as fo

    dataset.add_sample(fo.Sample("/a.mp4", pred=fo.Classification(label="a", confidence=0.5)))
    with pytest.raises(InvalidInput, match=r"images to be sent; .* holds videos") as told:
        ranked_batch(dataset, tmp_path)
    assert "to_frames" in str(told.value.hint)


@pytest.mark.parametrize("shown", ["selected", "excluded"])
@pytest.mark.parametrize("option", ["pred_field", "gt_field", "embeddings"])
def test_a_field_that_a_view_leaves_out_is_not_called_missing(
    dataset: Any, shown: str, option: str
) -> None:
    add(dataset, {"pred": logits(0.5, 0.5), "name": "a"}, classes=["a", "b"])
    view = dataset.select_fields("name") if shown == "selected" else dataset.exclude_fields("pred")
    dataset.save_view("less", view)
    adapter = open_adapter("fiftyone", dataset=dataset.name, view="less", **{option: "pred"})
    with pytest.raises(NotFound) as caught:
        adapter.read()
    said = f"{option} must be a field that the view of {dataset.name} shows "
    assert str(caught.value.message).startswith(said)
    assert caught.value.message.endswith("it leaves 'pred' out.")
    assert "select_fields" in str(caught.value.hint)


def test_infinity_is_refused_with_its_own_cure(dataset: Any) -> None:
    add(dataset, {"sure": 0.5}, {"sure": float("inf")})
    with pytest.raises(InvalidInput) as caught:
        open_adapter("fiftyone", dataset=dataset.name, pred_field="sure").read()
    assert caught.value.hint == "store None where there is no number."


def test_a_refused_field_is_named_with_its_line(dataset: Any, tmp_path: Path) -> None:
    add(dataset, {"pred": logits(0.5, 0.5)}, classes=["a", "b"])
    config = tmp_path / "c.yaml"
    config.write_text(
        f"source:\n  adapter: fiftyone\n  dataset: {dataset.name}\n  pred_field: guess\n"
    )
    said = f"{config}, line 4: source.pred_field must be a field of {dataset.name} "
    with pytest.raises(NotFound) as caught:
        labelnext.run(config)
    assert str(caught.value).startswith(said)
    (told,) = (f for f in check(config).findings if f.level == "error")
    assert told.message == caught.value.message


def test_clips_are_refused_without_advice_that_was_followed(dataset: Any) -> None:
    import fiftyone as fo

    video = fo.Sample("/a.mp4")
    video.frames[1] = fo.Frame(pred=logits(0.5, 0.5))
    dataset.add_sample(video)
    clips = dataset.to_clips([[[1, 1]]])
    for frames, hint in (
        (False, "rank the samples that they come from; set frames: true to rank frames."),
        (True, "rank the samples that they come from."),
    ):
        adapter = open_adapter("fiftyone", dataset=clips, frames=frames, pred_field="pred")
        with pytest.raises(InvalidInput, match="a view of patches, clips or frames") as caught:
            adapter.read()
        assert caught.value.hint == hint


@pytest.mark.parametrize("field", ["id", "filepath", "tags", "metadata.width", "created_at"])
def test_what_fiftyone_fills_itself_says_nothing_of_labels(dataset: Any, field: str) -> None:
    add(dataset, {"pred": logits(0.5, 0.5)}, classes=["a", "b"])
    expected = f"gt_field must be a field with people's labels; got {field!r}, which FiftyOne"
    assert refused(dataset, pred_field="pred", gt_field=field).startswith(expected)


@pytest.mark.parametrize("field", ["pred", "pred.label", "pred.confidence"])
def test_predictions_are_no_labels(dataset: Any, field: str) -> None:
    add(dataset, {"pred": logits(0.5, 0.5), "pred2": logits(0.5, 0.5)}, classes=["a", "b"])
    expected = f"people's labels; got {field!r}, as pred_field is 'pred'."
    assert expected in refused(dataset, pred_field="pred", gt_field=field)
    other = open_adapter("fiftyone", dataset=dataset.name, pred_field="pred", gt_field="pred2")
    assert other.read().labelled.tolist() == [True]


@pytest.mark.parametrize("key", ["pred", "tags", "pair"])
def test_a_key_is_one_value(dataset: Any, key: str) -> None:
    add(dataset, {"pred": logits(0.5, 0.5), "pair": [1.0, 2.0], "tags": ["x"]}, classes=["a", "b"])
    adapter = open_adapter("fiftyone", dataset=dataset.name, pred_field="pred", key=key)
    with pytest.raises(InvalidInput, match=f"key '{key}' must hold a text or a number"):
        adapter.read()

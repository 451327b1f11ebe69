"""Pre-labels in a dataset: they go with their run, but for those that somebody corrected."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import labelnext
from labelnext.errors import ConfigError, WriteRefused
from labelnext.runs.undo import undo
from labelnext_adapters.fiftyone.write.manage import what_goes
from tests.integration.test_fiftyone_read import add

pytest_plugins = ("tests.integration.mongod",)


@pytest.fixture
def config(dataset: Any, tmp_path: Path) -> dict[str, Any]:
    """Of four samples; the least confident of them come first."""
    import fiftyone as fo

    guesses = [fo.Classification(label="red", confidence=0.6 + 0.1 * i) for i in range(4)]
    add(dataset, *({"pred": guess} for guess in guesses), classes=["red", "green"])
    return {
        "source": {"adapter": "fiftyone", "dataset": dataset.name, "pred_field": "pred"},
        "selection": {"budget": 3},
        "write": {"prelabels": True},
        "report": {"path": None},
        "state": str(tmp_path / "state"),
    }


def test_deleting_a_run_takes_its_pre_labels_along(dataset: Any, config: Any) -> None:
    schema = {*dataset.get_field_schema()}
    labelnext.run(config)
    assert "the pre-labels in labelnext_prelabel, on 3 samples" in what_goes(dataset, "labelnext")
    dataset.delete_run("labelnext")
    assert {*dataset.get_field_schema()} == schema


def test_field_of_that_name_that_is_somebody_elses_stays(dataset: Any, config: Any) -> None:
    labelnext.run(config)
    dataset.delete_sample_field("labelnext_prelabel")
    dataset.set_values("labelnext_prelabel", ["mine"] * 4)
    dataset.delete_run("labelnext")
    assert dataset.values("labelnext_prelabel") == ["mine"] * 4


def test_undo_keeps_pre_labels_that_somebody_corrected(dataset: Any, config: Any) -> None:
    labelnext.run(config)
    first = dataset.load_saved_view("labelnext-batch").first()
    first["labelnext_prelabel"].label = "green"
    first.save()
    (stayed,) = undo(config)[1]
    assert stayed == "Kept field labelnext_prelabel on 1 sample, where somebody changed it since."
    assert dataset.values("labelnext_prelabel.label") == ["green", None, None, None]


def test_pre_labels_that_cannot_be_stored_are_refused_before_anything_is_written(
    dataset: Any, config: Any
) -> None:
    dataset.set_values("labelnext_prelabel", ["mine"] * 4)
    with pytest.raises(WriteRefused, match="field labelnext_prelabel of .* must be free") as caught:
        labelnext.run(config)
    assert caught.value.hint == "choose another write.run."
    assert dataset.list_runs() == []


def test_frames_get_no_pre_labels(dataset: Any, config: Any) -> None:
    import fiftyone as fo

    dataset.delete_samples(dataset.values("id"))
    dataset.delete_sample_field("pred")
    dataset.media_type = "video"
    video = fo.Sample("/a.mp4")
    video.frames[1] = fo.Frame(pred=fo.Classification(label="red", confidence=0.5))
    dataset.add_sample(video)
    config["source"]["frames"] = True
    with pytest.raises(ConfigError, match=r"write\.prelabels must be left out where frames"):
        labelnext.run(config)

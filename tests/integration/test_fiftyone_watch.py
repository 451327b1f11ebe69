"""`labelnext watch` on a FiftyOne dataset: what counts as a label, and what it notices."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from labelnext.adapter import open_adapter
from labelnext.errors import WriteRefused
from labelnext.runs.status import status
from labelnext.runs.undo import runs
from labelnext.runs.watch import watch

pytest_plugins = ("tests.integration.mongod",)


@pytest.fixture
def six(dataset: Any) -> Any:
    import fiftyone as fo

    dataset.add_samples(
        [
            fo.Sample(f"/images/{i}.png", pred=fo.Classification(label="a", confidence=c))
            for i, c in enumerate((0.9, 0.6, 0.7, 0.5, 0.8, 0.95))
        ],
        progress=False,
    )
    return dataset


def opened(dataset: Any, **source: Any) -> Any:
    return open_adapter("fiftyone", dataset=dataset.name, pred_field="pred", **source)


def test_a_field_tags_and_fetched_labels_count_each_sample_once(six: Any) -> None:
    import fiftyone as fo

    box = fo.Detection(label="a", bounding_box=[0, 0, 1, 1])
    none = fo.Detections(detections=[])  # looked at, and nothing is there: that is a label
    six.limit(2).set_values("truth", [fo.Detections(detections=[box]), none])
    six.skip(1).limit(2).tag_samples("done")  # the second is in both
    six.skip(3).limit(1).tag_samples("other")
    counts = {
        "truth": opened(six, gt_field="truth"),
        "tags": opened(six, label_tag=["done", "checked"]),
        "both": opened(six, gt_field="truth", label_tag="done"),
        "none": opened(six),
    }
    assert {name: a.count_labels() for name, a in counts.items()} == {
        "truth": 2,
        "tags": 2,
        "both": 3,
        "none": 0,
    }
    assert all(a.count_labels() == a.read().labelled.sum() for a in counts.values())


def test_predictions_and_samples_change_the_state_and_labels_do_not(six: Any) -> None:
    import fiftyone as fo

    states = [opened(six).prediction_state()]
    six.tag_samples("done")
    assert opened(six).prediction_state() == states[0]
    six.limit(1).set_values("pred.confidence", [0.25])  # a new model, as many predictions
    states.append(opened(six).prediction_state())
    six.add_sample(fo.Sample("/images/6.png"))
    states.append(opened(six).prediction_state())
    assert len(set(states)) == 3


def test_watch_ranks_again_after_labels_and_after_predictions(six: Any, tmp_path: Path) -> None:
    import fiftyone as fo

    six.add_sample_field("truth", fo.EmbeddedDocumentField, embedded_doc_type=fo.Classification)
    config = tmp_path / "c.yaml"
    config.write_text(
        f"source: {{adapter: fiftyone, dataset: {six.name}, pred_field: pred, gt_field: truth}}\n"
        "selection: {budget: 2}\nreport: {path: null}\nwatch: {labels: 2}\n"
    )

    def batch() -> list[str]:
        six.reload()
        return [
            Path(path).stem for path in six.load_saved_view("labelnext-batch").values("filepath")
        ]

    watch(config, once=True)
    assert batch() == ["3", "1"]
    six.skip(3).limit(1).set_values("truth", [fo.Classification(label="a")])
    watch(config, once=True)
    assert len(runs(config)) == 1  # one label of two
    loop = status(config).loop
    assert loop is not None
    assert (loop.labels, loop.ranked_at, loop.left) == (1, 0, 1)
    six.skip(1).limit(1).set_values("truth", [fo.Classification(label="a")])
    watch(config, once=True)
    assert batch() == ["2", "4"]
    six.limit(1).set_values("pred.confidence", [0.55])
    watch(config, once=True)
    assert batch() == ["0", "2"]
    watch(config, once=True)
    assert len(runs(config)) == 3


def test_a_field_that_push_may_not_write_is_refused_before_the_command(
    six: Any, tmp_path: Path
) -> None:
    config = tmp_path / "c.yaml"
    config.write_text(
        f"source: {{adapter: fiftyone, dataset: {six.name}, pred_field: pred}}\n"
        "report: {path: null}\nwatch: {command: touch trained, version: pred}\n"
    )
    with pytest.raises(WriteRefused, match="field pred of .* must be one that labelnext push made"):
        watch(config, once=True)
    assert not (tmp_path / "trained").exists()

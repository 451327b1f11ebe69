"""The batch of a Parquet pool goes into a real FiftyOne dataset."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

import labelnext
from labelnext.errors import InvalidInput, NotFound, WriteRefused
from labelnext.runs.large.export import export
from labelnext.runs.undo import undo
from tests.integration.exchange import ranked
from tests.integration.fiftyone_runs import ORDER, fill, state
from tests.integration.killing import killed

pytest_plugins = ("tests.integration.mongod", "tests.integration.label_studio_server")

# label-studio-sdk 2.1 exchanges a Personal Access Token by a call that pydantic has deprecated.
pytestmark = pytest.mark.filterwarnings("ignore:The `parse_obj` method is deprecated")


def of_dataset(dataset: Any, folder: Path, key: str | None = "name") -> dict[str, Any]:
    """A dataset's samples as Parquet, and the configuration that ranks them."""
    fill(dataset)
    source = {"adapter": "fiftyone", "dataset": dataset.name, "pred_field": "pred", "key": key}
    export({"source": source}, folder / "pool", rows=2)
    send = {"adapter": "fiftyone", "dataset": dataset.name, "key": key}
    return ranked(folder, send=send)


@pytest.mark.parametrize("key", [None, "name"])
def test_a_batch_becomes_a_field_and_a_view_of_its_dataset(
    dataset: Any, tmp_path: Path, key: str | None
) -> None:
    config = of_dataset(dataset, tmp_path, key)
    labelnext.run(config)
    before = state(dataset)
    said = labelnext.send(config, dry_run=True)
    assert "Set labelnext.score, .priority and .rank on 2 samples" in said.steps
    assert state(dataset) == before

    sent = labelnext.send(config)
    dataset.reload()
    assert sent.counts == {"in the batch": 2}
    view = dataset.load_saved_view("labelnext-batch")
    assert view.values("name") == ORDER[:2] == ["d", "b"]
    assert view.values("labelnext.rank") == [1, 2]
    assert view.values("labelnext.priority") == [1.0, 0.5]
    assert view.values("labelnext.score") == pytest.approx([0.0, 0.2])
    assert dataset.exists("labelnext").values("name") == ["b", "d"]
    info = dataset.get_run_info("labelnext").config
    assert (info.acquisition, info.direction, info.selection) == ("margin", "low", "top_k")

    after = state(dataset)
    labelnext.send(config)  # once more: the same but for the run's own journal and moment
    assert {**state(dataset), "runs": None} == {**after, "runs": None}
    undo(config)
    assert state(dataset) == after
    assert undo(config)[1] == []
    assert state(dataset) == before


def test_samples_that_are_gone_are_counted_and_foreign_fields_refused(
    dataset: Any, tmp_path: Path
) -> None:
    import fiftyone as fo

    config = of_dataset(dataset, tmp_path)
    labelnext.run(config)
    dataset.delete_samples(dataset.match(fo.ViewField("name") == "b"))
    (notice,) = labelnext.send(config).notices
    assert notice.message == f"1 item of the batch is not in dataset {dataset.name}: b."
    assert dataset.load_saved_view("labelnext-batch").values("name") == ["d"]
    undo(config)
    dataset.add_sample_field("labelnext", fo.IntField)
    with pytest.raises(WriteRefused, match="must be labelnext's own"):
        labelnext.send(config)
    wrong = {**config["send"], "key": "filepath"}
    with pytest.raises(InvalidInput, match=r"must be in dataset .*; none of 2 is: d, b"):
        labelnext.send(config | {"send": wrong})


def test_a_ranking_of_another_name_is_not_sent(dataset: Any, tmp_path: Path) -> None:
    config = of_dataset(dataset, tmp_path)
    with pytest.raises(NotFound, match="has no ranking, not that of run 'labelnext'"):
        labelnext.send(config)
    labelnext.run(config)
    with pytest.raises(
        NotFound, match="has the ranking of run 'labelnext', not that of run 'other'"
    ):
        labelnext.send(config, "other")


def test_sigkill_at_any_write_leaves_a_dataset_that_resume_and_undo_settle(
    dataset: Any, tmp_path: Path
) -> None:
    config = of_dataset(dataset, tmp_path)
    labelnext.run(config)
    path = tmp_path / "labelnext.yaml"
    path.write_text(yaml.safe_dump(config), "utf-8")
    deaths = killed(path, "send", every=2)
    # Of the run, its field, two samples, an index and two views.
    assert sum(d["touched"] for d in deaths) >= 3

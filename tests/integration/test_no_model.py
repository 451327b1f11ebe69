"""From nothing on real platforms: embeddings of what they show, and a probe on them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

import labelnext
from labelnext.report import Report
from tests.integration.test_fiftyone_read import add

if TYPE_CHECKING:  # pytest itself imports the plugin, and wants to be the first
    from tests.integration.label_studio_server import LabelStudio

pytest_plugins = ("tests.integration.label_studio_server", "tests.integration.mongod")

CHOICES = (
    '<View><Text name="text" value="$text"/><Choices name="kind" toName="text">'
    '<Choice value="travel"/><Choice value="sport"/></Choices></View>'
)
WORDS = ("sun sea beach hotel", "goal match team score")


def ran(folder: Path, **source: Any) -> Report:
    return labelnext.run(
        {
            "source": {"model": "probe", **source},
            "selection": {"budget": 4},
            "report": {"path": None},
            "state": str(folder / "state"),
        }
    )


def codes(report: Report) -> list[str]:
    return [notice.code for notice in report.notices]


def test_images_of_a_dataset_are_embedded_and_predicted(dataset: Any, tmp_path: Path) -> None:
    import fiftyone as fo

    fields: list[dict[str, Any]] = []
    for i in range(12):
        pixels = np.full((8, 8, 3), 15 * i, dtype=np.uint8)
        pixels[..., i % 2] = 250
        path = tmp_path / f"{i}.png"
        Image.fromarray(pixels).save(path)
        label = fo.Classification(label=["red", "green"][i % 2]) if i < 8 else None
        fields.append({"filepath": str(path), "truth": label})
    ids = add(dataset, *fields, classes=["red", "green"])
    (tmp_path / "11.png").write_bytes(b"no image")
    source = {"adapter": "fiftyone", "dataset": dataset.name, "gt_field": "truth"}
    report = ran(tmp_path, **source, embeddings={"from": "images"})
    assert report.counts["predicted"] == 11
    (broken,) = [notice for notice in report.notices if notice.code == "broken_image"]
    assert broken.item_ids == (ids[11],)
    said = {row["item_id"]: row["reason"].split()[0] for row in report.next_items}
    assert said == {ids[8]: "red", ids[9]: "green", ids[10]: "red"}


def test_texts_of_a_project_start_cold_and_are_predicted(
    label_studio: LabelStudio, tmp_path: Path
) -> None:
    tasks = [{"data": {"text": f"{WORDS[i % 2]} {i}"}} for i in range(12)]
    project = label_studio.create_project(CHOICES, tasks)
    source = {"adapter": "label-studio", "url": label_studio.url, "project": project}
    source |= {"api_key": label_studio.token, "embeddings": {"from": "text"}}
    report = ran(tmp_path, **source)
    assert "probe_not_trained" in codes(report)
    assert report.recipe is not None
    assert report.recipe["selection"] == "typiclust"
    assert len(report.ranking) == 4
    numbers = label_studio.task_ids(project)
    for place, task in enumerate(numbers[:6]):
        choice = {"choices": [["travel", "sport"][place % 2]]}
        region = {"from_name": "kind", "to_name": "text", "type": "choices", "value": choice}
        label_studio.api("POST", f"/api/tasks/{task}/annotations/", {"result": [region]})
    report = ran(tmp_path, **source)
    assert "probe" in codes(report)
    said = {row["item_id"]: row["reason"].split()[0] for row in report.next_items}
    kinds = {str(task): ["travel", "sport"][place % 2] for place, task in enumerate(numbers)}
    assert len(said) == 4
    assert said == {item: kinds[item] for item in said}

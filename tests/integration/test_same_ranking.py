"""The same predictions give the same ranking on all three platforms, key for key."""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

import labelnext
from tests.integration.cars import LABEL_CONFIG, car_task, cars

if TYPE_CHECKING:
    from tests.integration.label_studio_server import LabelStudio

pytest_plugins = ("tests.integration.label_studio_server", "tests.integration.mongod")

SECRET = "LABELNEXT_TEST_TOKEN"


@pytest.fixture
def sources(
    tmp_path: Path, label_studio: LabelStudio, dataset: Any, monkeypatch: pytest.MonkeyPatch
) -> dict[str, dict[str, Any]]:
    """The `source` of each platform, over the same images and detections."""
    images, detections = cars()
    of_image = defaultdict(list)
    for detection in detections:
        of_image[detection["image_id"]].append(detection)

    listing = {"images": images, "categories": [{"id": 0, "name": "Car"}]}
    (tmp_path / "images.json").write_text(json.dumps(listing))
    (tmp_path / "results.json").write_text(json.dumps(detections))

    tasks = [car_task(image, of_image[image["id"]]) for image in images]
    for task, image in zip(tasks, images, strict=True):
        task["data"]["file_name"] = image["file_name"]
    project = label_studio.create_project(LABEL_CONFIG, tasks)
    monkeypatch.setenv(SECRET, label_studio.token)

    import fiftyone as fo

    dataset.default_classes = ["Car"]
    dataset.add_samples(
        [fiftyone_sample(fo, image, of_image[image["id"]]) for image in images], progress=False
    )
    return {
        "files": {"path": "results.json", "images": "images.json", "key": "file_name"},
        "label-studio": {
            "url": label_studio.url,
            "api_key": f"${{{SECRET}}}",
            "project": project,
            "key": "file_name",
        },
        "fiftyone": {"dataset": dataset.name, "pred_field": "pred", "key": "file_name"},
    }


def fiftyone_sample(fo: Any, image: dict[str, Any], detections: list[dict[str, Any]]) -> Any:
    width, height = image["width"], image["height"]
    boxes = [
        fo.Detection(
            label="Car",
            confidence=d["score"],
            bounding_box=[
                d["bbox"][0] / width,
                d["bbox"][1] / height,
                d["bbox"][2] / width,
                d["bbox"][3] / height,
            ],
        )
        for d in detections
    ]
    return fo.Sample(
        f"/{image['file_name']}",
        file_name=image["file_name"],
        pred=fo.Detections(detections=boxes),
    )


@pytest.mark.parametrize(
    "acquisition",
    [
        {"name": "mean_object_confidence"},
        {"name": "entropy", "of": "objects", "reduce": "sum", "floor": 0.3, "no_objects": "last"},
        {"name": "least_confidence", "of": "objects", "reduce": "max"},
    ],
    ids=lambda a: a["name"],
)
def test_three_platforms_agree_key_for_key(
    sources: dict[str, dict[str, Any]], acquisition: dict[str, Any], tmp_path: Path
) -> None:
    rankings = {}
    for adapter, source in sources.items():
        folder = tmp_path / adapter
        folder.mkdir()
        for name in ("results.json", "images.json"):
            (folder / name).symlink_to(tmp_path / name)
        config = {
            "source": {"adapter": adapter, **source},
            "acquisition": acquisition,
            "selection": {"budget": 50},
        }
        path = folder / "labelnext.yaml"
        path.write_text(yaml.safe_dump(config))
        report = labelnext.run(path)
        assert report.counts["ranked"] == 355
        rankings[adapter] = report.ranking
    files = rankings["files"]
    assert len(files.item_ids) == 50
    for adapter in ("label-studio", "fiftyone"):
        assert rankings[adapter].item_ids.tolist() == files.item_ids.tolist()
        assert rankings[adapter].pool_order.tolist() == files.pool_order.tolist()
        assert rankings[adapter].scores == pytest.approx(files.scores, abs=1e-12)


def test_written_orders_are_those_of_the_ranking(
    sources: dict[str, dict[str, Any]], label_studio: LabelStudio, dataset: Any, tmp_path: Path
) -> None:
    orders = {}
    for adapter, source in sources.items():
        config = {
            "source": {"adapter": adapter, **source},
            "acquisition": {"name": "mean_object_confidence"},
            "state": f"state-{adapter}",
        }
        path = tmp_path / f"{adapter}.yaml"
        path.write_text(yaml.safe_dump(config))
        orders[adapter] = labelnext.run(path).ranking.pool_order.tolist()
    project = sources["label-studio"]["project"]
    names = {t: json.loads(d)["file_name"] for t, d in label_studio.stored_data(project).items()}
    assert [names[t] for t in label_studio.listing(project)] == orders["files"]
    dataset.reload()
    assert dataset.load_saved_view("labelnext-all").values("file_name") == orders["files"]
    assert label_studio.token not in (tmp_path / "labelnext-report.html").read_text()

"""Committees and masks of real platforms: exported, they are ranked as they are there."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import yaml

import labelnext
from labelnext.runs.large.export import export

if TYPE_CHECKING:  # pytest itself imports the plugin, and wants to be the first
    from tests.integration.label_studio_server import LabelStudio

pytest_plugins = ("tests.integration.label_studio_server", "tests.integration.mongod")

N = 40
POLYGONS = (
    '<View><Image name="o" value="$image"/><PolygonLabels name="x" toName="o">'
    '<Label value="a"/><Label value="b"/></PolygonLabels></View>'
)
SECRET = "LABELNEXT_TEST_TOKEN"


def polygons_of(rng: np.random.Generator) -> list[dict[str, Any]]:
    """A quadrangle or two, near the middle, so that those of two versions overlap."""
    corners = np.array([[20, 20], [70, 20], [70, 70], [20, 70]])
    return [
        {
            "from_name": "x",
            "to_name": "o",
            "type": "polygonlabels",
            "original_width": 80,
            "original_height": 60,
            "score": float(rng.uniform(0.3, 1)),
            "value": {
                "points": (corners + rng.uniform(-15, 15, (4, 2))).tolist(),
                "polygonlabels": [str(rng.choice(["a", "b"], p=[0.8, 0.2]))],
            },
        }
        for _ in range(rng.integers(0, 3))
    ]


@pytest.fixture
def label_studio_source(
    label_studio: LabelStudio, monkeypatch: pytest.MonkeyPatch
) -> dict[str, Any]:
    """Two versions of polygons; the first did not see every fifth image."""
    rng = np.random.default_rng(0)
    tasks = [
        {
            "data": {"image": f"http://localhost/{i}.jpg", "name": f"{i}.jpg"},
            "predictions": [
                {"model_version": version, "result": polygons_of(rng)}
                for version in ("m1", "m2")
                if version == "m2" or i % 5
            ],
        }
        for i in range(N)
    ]
    project = label_studio.create_project(POLYGONS, tasks)
    monkeypatch.setenv(SECRET, label_studio.token)
    return {
        "adapter": "label-studio",
        "url": label_studio.url,
        "api_key": f"${{{SECRET}}}",
        "project": project,
        "key": "name",
        "model_version": ["m1", "m2"],
    }


@pytest.fixture
def fiftyone_source(dataset: Any) -> dict[str, Any]:
    """Two fields of boxes; some samples have one of them alone, and one has none."""
    import fiftyone as fo

    rng = np.random.default_rng(1)

    def detections() -> Any:
        boxes = rng.uniform([0.1, 0.1, 0.3, 0.3], [0.3, 0.3, 0.6, 0.6], (rng.integers(0, 4), 4))
        labels = rng.choice(["car", "bus"], len(boxes)).tolist()
        found = zip(boxes.tolist(), labels, rng.uniform(0.2, 1, len(boxes)).tolist(), strict=True)
        return fo.Detections(
            detections=[fo.Detection(bounding_box=b, label=n, confidence=c) for b, n, c in found]
        )

    samples = []
    for i in range(N):
        fields = {} if i == 7 else {"old": detections(), "new": detections()}
        fields = {"new": fields["new"]} if i % 6 == 3 else fields
        samples.append(fo.Sample(f"/{i}.jpg", name=f"{i}.jpg", **fields))
    dataset.default_classes = ["bus", "car", "van"]
    dataset.add_samples(samples, progress=False)
    return {
        "adapter": "fiftyone",
        "dataset": dataset.name,
        "key": "name",
        "pred_field": ["old", "new"],
    }


@pytest.mark.parametrize("name", ["committee_certainty", "localisation_stability"])
@pytest.mark.parametrize("platform", ["label_studio_source", "fiftyone_source"])
def test_an_exported_committee_is_ranked_as_on_its_platform(
    request: pytest.FixtureRequest, tmp_path: Path, platform: str, name: str
) -> None:
    source = request.getfixturevalue(platform)
    acquisition = {"name": name, "of": "objects"}
    config = tmp_path / "there.yaml"
    config.write_text(yaml.safe_dump({"source": source, "acquisition": acquisition}))
    there = labelnext.run(config, dry_run=True).ranking
    assert len(np.unique(there.scores)) > 10
    text = export(config, tmp_path / "pool", rows=15)
    assert yaml.safe_load(text)["source"]["columns"].keys() == {"objects"}
    (tmp_path / "here.yaml").write_text(f"{text}acquisition: {acquisition}\n")
    report = labelnext.run(tmp_path / "here.yaml")
    assert report.ranking.item_ids.tolist() == there.item_ids.tolist()
    assert report.ranking.scores.tolist() == pytest.approx(there.scores, rel=1e-15, nan_ok=True)
    assert {n.code for n in report.notices} >= {"missing_members"}

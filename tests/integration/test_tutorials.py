"""The scripts of the tutorials run on real servers, on small data, and do what their pages say."""

from __future__ import annotations

import json
import math
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.integration.cars import cars

if TYPE_CHECKING:
    from tests.integration.label_studio_server import LabelStudio

pytest_plugins = ("tests.integration.label_studio_server", "tests.integration.mongod")

TUTORIALS = Path(__file__).parents[2] / "docs" / "tutorials"
MNIST = Path(__file__).parents[3] / "shared" / "data" / "mnist"


def tutorial(name: str, folder: Path, *arguments: object, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, TUTORIALS / f"{name}.py", *map(str, arguments)],
        cwd=folder,
        env={**os.environ, "FIFTYONE_DO_NOT_TRACK": "1", **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=400,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


@pytest.fixture
def database(mongod_uri: str) -> dict[str, str]:
    return {"FIFTYONE_DATABASE_URI": mongod_uri, "FIFTYONE_DATABASE_VALIDATION": "false"}


def test_easy_active_learning_on_mnist(
    tmp_path: Path, database: dict[str, str], label_studio: LabelStudio
) -> None:
    out = tutorial(
        "mnist",
        tmp_path,
        *("--data", MNIST if MNIST.is_dir() else "digits"),
        *("--images", 1200, "--labelled", 600, "--trees", 20, "--seeds", 2, "--rounds", 3),
        *("--label-studio", label_studio.url, "--folder", "out", "--dataset", "tutorial-mnist"),
        LABEL_STUDIO_API_KEY=label_studio.token,
        **database,
    )
    import fiftyone as fo

    dataset = fo.load_dataset("tutorial-mnist")
    batch = dataset.load_saved_view("labelnext-batch")
    ranks = batch.values("labelnext.rank")
    scores = batch.values("labelnext.score")
    assert ranks == list(range(1, 101))
    assert scores == sorted(scores, reverse=True)
    rest = dataset.match(fo.ViewField("labelnext.rank") > 100).values("labelnext.score")
    assert len(rest) == 500
    assert min(scores) >= max(rest)
    assert batch.exists("ground_truth").count() == 0
    order = dataset.load_saved_view("labelnext-all").values("name")
    project = max(p["id"] for p in label_studio.api("GET", "/api/projects/")["results"])
    names = {t: json.loads(d)["name"] for t, d in label_studio.stored_data(project).items()}
    assert [names[t] for t in label_studio.listing(project)] == order
    assert (tmp_path / "out" / "next-100.png").stat().st_size > 10_000
    assert (tmp_path / "out" / "labelnext-replay.html").exists()
    assert "random" in out.splitlines()[-1]
    fo.delete_dataset("tutorial-mnist")


def test_diversity_sampling_without_a_model(
    tmp_path: Path, database: dict[str, str], label_studio: LabelStudio
) -> None:
    out = tutorial(
        "diversity",
        tmp_path,
        *("--folder", "out", "--dataset", "t-diversity", "--label-studio", label_studio.url),
        LABEL_STUDIO_API_KEY=label_studio.token,
        **database,
    )
    import fiftyone as fo

    dataset = fo.load_dataset("t-diversity")
    batch = dataset.load_saved_view("image_diversity-batch")
    assert batch.count() == 20
    assert batch.exists("ground_truth").count() == 0
    beside = dataset.load_saved_view("typiclust-batch")
    assert beside.count() == 20
    assert beside.exists("ground_truth").count() == 0
    project = max(p["id"] for p in label_studio.api("GET", "/api/projects/")["results"])
    sent = {t: json.loads(d) for t, d in label_studio.stored_data(project).items()}
    order = [sent[t]["fiftyone_id"] for t in label_studio.listing(project)]
    assert order == [str(i) for i in batch.values("id")]
    # The first k cover every cluster, of a k-means that the script makes by itself.
    found = dict(re.findall(r"(\w+): the first 10 are of (\d+) clusters", out))
    assert found["image_diversity"] == "10"
    assert {"typiclust", "random"} < found.keys()
    assert (tmp_path / "out" / "first-20.png").stat().st_size > 10_000
    fo.delete_dataset("t-diversity")


def hardest(images: list[Any], detections: list[Any]) -> tuple[set[str], set[str]]:
    """The 50 first by mean confidence, and by the summed entropy of boxes of 0.1 and more."""
    scores = {image["id"]: [d["score"] for d in detections if d["image_id"] == image["id"]]
              for image in images}  # fmt: skip
    means = {i: sum(s) / max(len(s), 1) for i, s in scores.items()}
    sums = {
        i: sum(-p * math.log(p) - (1 - p) * math.log(1 - p) for p in s if 0.1 <= p < 1)
        for i, s in scores.items()
    }
    file = {image["id"]: image["file_name"] for image in images}
    return (
        {file[i] for i in sorted(means, key=lambda i: (means[i], file[i]))[:50]},
        {file[i] for i in sorted(sums, key=lambda i: (-sums[i], file[i]))[:50]},
    )


def test_hard_samples_for_detection(tmp_path: Path, label_studio: LabelStudio) -> None:
    images, detections = cars()
    listing: dict[str, Any] = {"images": images, "categories": [{"id": 0, "name": "Car"}]}
    categories = {d["category_id"] for d in detections}
    assert len(categories) == 1
    listing["categories"][0]["id"] = categories.pop()
    (tmp_path / "images.json").write_text(json.dumps(listing))
    (tmp_path / "detections.json").write_text(json.dumps(detections))
    out = tutorial(
        "detection",
        tmp_path,
        *("detections.json", "images.json", "--label-studio", label_studio.url, "--folder", "out"),
        LABEL_STUDIO_API_KEY=label_studio.token,
    )
    unsure, much = hardest(images, detections)
    assert f"{len(unsure & much)} of the 50 hardest images are the same for both" in out
    assert "50 are labelled; the next is" in out
    project = max(p["id"] for p in label_studio.api("GET", "/api/projects/")["results"])
    queue = label_studio.listing(project)
    assert len(queue) == 305
    names = {t: json.loads(d)["name"] for t, d in label_studio.stored_data(project).items()}
    # What was labelled, the 50 hardest by the default, is gone from the queue.
    assert {names[task] for task in names.keys() - set(queue)} == much
    assert (tmp_path / "out" / "hardest.png").stat().st_size > 10_000

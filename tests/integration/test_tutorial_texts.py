"""The tutorial from unlabelled texts to a classifier, with people simulated by the true classes."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow.csv
import pytest
import yaml

from labelnext import Pool, probe
from labelnext.cli.commands import app
from labelnext.config.config import load_config
from labelnext.config.opened import opened, read_pool
from labelnext.runs.status import status
from labelnext.runs.undo import runs
from labelnext.runs.watch import watch

if TYPE_CHECKING:  # pytest itself imports the plugin, and wants to be the first
    from tests.integration.label_studio_server import LabelStudio

pytest_plugins = ("tests.integration.label_studio_server",)

PAGE = Path(__file__).parents[2] / "docs" / "tutorials" / "texts.md"
SHARES = {"delivery": 0.45, "payment": 0.3, "praise": 0.2, "returns": 0.05}
WORDS = {
    "delivery": "parcel courier late arrived door tracking van doorstep morning address",
    "payment": "card invoice charged bank refused transfer amount paypal twice receipt",
    "praise": "great lovely thanks perfect happy friendly recommend excellent team again",
    "returns": "refund broken return exchange label size wrong box faulty replacement",
}
COMMON = "please hello order my the and it was for with yesterday shop customer can you i".split()  # noqa: SIM905
N_TEXTS, N_LABELS = 300, 80


def messages() -> tuple[list[str], list[str]]:
    """Made messages and their classes: a word of the class among some that say nothing."""
    rng = np.random.default_rng(7)
    classes = rng.choice([*SHARES], size=N_TEXTS, p=[*SHARES.values()]).tolist()
    texts = []
    for name in classes:
        said = [*rng.choice(WORDS[name].split(), 1), *rng.choice(COMMON, 4)]
        if rng.random() < 0.3:  # some also mention what another class is about
            said.append(rng.choice(WORDS[rng.choice([*SHARES])].split()))
        texts.append(" ".join(rng.permutation(said)))
    return texts, classes


def block(language: str) -> str:
    """The code of the page in that language."""
    found = re.search(rf"```{language}\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    assert found is not None
    return found[1]


def label(server: LabelStudio, task: int, name: str) -> None:
    region = {"from_name": "class", "to_name": "text", "type": "choices"}
    result = [{**region, "value": {"choices": [name]}}]
    server.api("POST", f"/api/tasks/{task}/annotations/", {"result": result})


def accuracy(pool: Pool, labelled: list[int], classes: list[str]) -> float:
    """Of the probe with these labels, on the others."""
    names = sorted(SHARES)
    truth = np.array([names.index(name) for name in classes])
    labels = np.full(len(classes), -1)
    labels[labelled] = truth[labelled]
    fitted = probe(
        Pool(pool.item_ids, embeddings=pool.embeddings, labels=labels, classes=tuple(names))
    )
    probabilities = fitted.mean_probabilities
    assert probabilities is not None
    others = labels < 0
    return float((probabilities.argmax(axis=1) == truth)[others].mean())


def test_texts_become_a_classifier_that_is_better_than_with_random_labels(
    label_studio: LabelStudio, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts, classes = messages()
    project = label_studio.create_project(block("xml"), [{"data": {"text": t}} for t in texts])
    ids = label_studio.task_ids(project)
    place = {task: row for row, task in enumerate(ids)}
    settings = yaml.safe_load(block("yaml"))
    settings["source"] |= {"url": label_studio.url, "project": project}
    settings["report"] = {"path": None}
    config = tmp_path / "labelnext.yaml"
    config.write_text(yaml.safe_dump(settings))
    monkeypatch.setenv("LABEL_STUDIO_API_KEY", label_studio.token)

    labelled: list[int] = []
    while len(labelled) < N_LABELS:
        assert watch(config, once=True).ok
        batch = label_studio.listing(project)[: settings["watch"]["labels"]]
        for task in batch:
            label(label_studio, task, classes[place[task]])
        labelled += [place[task] for task in batch]
    assert len(runs(config)) == 8
    found = status(config)
    assert (found.n_labelled, found.loop and found.loop.left) == (N_LABELS, 0)

    out = tmp_path / "classes.csv"
    command(["predictions", str(config), str(out)])
    rows = pyarrow.csv.read_csv(out).to_pylist()
    assert [row["item_id"] for row in rows] == ids
    others = sorted({*range(N_TEXTS)}.difference(labelled))
    active = np.mean([rows[row]["prediction"] == classes[row] for row in others])

    with opened(load_config(config), None, None) as adapter:
        pool = read_pool(load_config(config), adapter)
    assert accuracy(pool, labelled, classes) == pytest.approx(active)  # the file is the probe's
    draws = [np.random.default_rng(seed).permutation(N_TEXTS)[:N_LABELS] for seed in range(20)]
    random = [accuracy(pool, draw.tolist(), classes) for draw in draws]
    assert active > np.mean(random)
    said = re.search(
        r"right on (\d+)% of the other.*right\s+on\s+(\d+)% on average",
        PAGE.read_text("utf-8"),
        re.DOTALL,
    )
    assert said is not None
    measured = [100 * active, 100 * np.mean(random)]
    assert [float(share) for share in said.groups()] == pytest.approx(measured, abs=2)

    command(["push", str(config), str(out), "--version", "final", "--yes"])
    stored = label_studio.api("GET", "/api/predictions/", project=project)
    assert sum(row["model_version"] == "final" for row in stored) == N_TEXTS
    command(["undo", str(config), "--all", "--yes"])
    left = label_studio.api("GET", "/api/predictions/", project=project)
    assert {place[row["task"]] for row in left} <= {*labelled}  # what people have seen stays
    assert all(row["model_version"].endswith("pre-labels") for row in left)
    count = label_studio.api("GET", f"/api/projects/{project}/")["total_annotations_number"]
    assert count == N_LABELS


def command(words: list[Any]) -> None:
    app(words, standalone_mode=False)

"""A loop with a model of one's own on a real Label Studio: labels, push, undo, and watch."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

import labelnext
from labelnext.errors import WriteRefused
from labelnext.runs.labelled_file import labels
from labelnext.runs.push import push
from labelnext.runs.undo import runs, undo, undo_all
from tests.fuzz.campaign import Campaign
from tests.integration.choices import CHOICES, choice_task
from tests.waiting import ended, until

if TYPE_CHECKING:  # pytest itself imports the plugin, and wants to be the first
    from tests.integration.label_studio_server import LabelStudio

pytest_plugins = ("tests.integration.label_studio_server",)

# label-studio-sdk 2.1 exchanges a Personal Access Token by a call that pydantic has deprecated.
pytestmark = pytest.mark.filterwarnings("ignore:The `parse_obj` method is deprecated")

SURE = (0.9, 0.6, 0.7, 0.95)  # of the model m1: item-1 is the least sure
STAYS = ("labelnext_priority", "labelnext_batch")


@pytest.fixture
def project(label_studio: LabelStudio) -> int:
    tasks = [choice_task(p, name=f"item-{i}") for i, p in enumerate(SURE)]
    return label_studio.create_project(CHOICES, tasks)


@pytest.fixture
def config(label_studio: LabelStudio, project: int, tmp_path: Path) -> Path:
    path = tmp_path / "labelnext.yaml"
    path.write_text(
        f"source: {{adapter: label-studio, url: '{label_studio.url}', project: {project}, "
        f"api_key: '{label_studio.token}', key: name}}\nreport: {{path: null}}\n"
    )
    return path


def predictions(folder: Path) -> Path:
    """Those of a model for which item-3 is the least sure, then item-0."""
    path = folder / "new.csv"
    rows = {"item-0": 0.25, "item-1": 0.875, "item-2": 0.125, "item-3": 0.5}
    lines = [f"{item},{p},{1 - p}" for item, p in rows.items()]
    path.write_text("\n".join(["item_id,good,bad", *lines, "stranger,0.5,0.5", ""]))
    return path


def kept(server: LabelStudio, project: int) -> Any:
    """All of the project but what a run says that stays, and numbers that are made anew."""
    settings, tabs, tasks, stored = server.dump(project)
    rows = [
        {**t, "data": {k: v for k, v in t["data"].items() if k not in STAYS}, "predictions": None}
        for t in tasks["tasks"]
    ]
    told = sorted((p["task"], str(p["model_version"]), str(p["result"])) for p in stored)
    return settings, [tab["data"]["title"] for tab in tabs], rows, told


def names(server: LabelStudio, project: int) -> list[str]:
    order = {task: f"item-{i}" for i, task in enumerate(server.task_ids(project))}
    return [order[task] for task in server.listing(project)]


def test_pushed_predictions_are_ranked_by_and_undo_all_leaves_the_project_as_it_was(
    label_studio: LabelStudio, project: int, config: Path, tmp_path: Path
) -> None:
    # A server that has served many tests may no longer count its predictions when some are deleted.
    assert label_studio.process is not None
    label_studio.process.stop()
    label_studio.process.start()
    before = kept(label_studio, project)
    planned = push(config, predictions(tmp_path), "v8", dry_run=True)
    assert planned.steps == ("Store predictions of 4 tasks as model version 'v8'",)
    assert kept(label_studio, project) == before
    result = push(config, predictions(tmp_path), "v8")
    assert result.counts == {"in the file": 5, "stored": 4}
    where = f"project {project} of {label_studio.url}"
    assert f"1 prediction is of no task in {where}: stranger." in [
        notice.message for notice in result.notices
    ]
    assert result.next_steps == ("The next run ranks by these predictions.",)
    with pytest.raises(WriteRefused, match="model version 'v8' must be new in project"):
        push(config, predictions(tmp_path), "v8")
    labelnext.run(config)
    # The margins: item-3 has 0, item-0 has 0.5, the others 0.75.
    assert names(label_studio, project)[:2] == ["item-3", "item-0"]
    assert [journal.what for journal in runs(config)] == ["push", "run"]
    assert [journal.what for journal, _ in undo_all(config)] == ["run", "push"]
    assert kept(label_studio, project) == before


def _of_version(server: LabelStudio, project: int, version: str) -> list[dict[str, Any]]:
    stored = server.api("GET", "/api/predictions/", project=project)
    return [p for p in stored if p["model_version"] == version]


def test_predictions_that_others_stored_or_changed_under_the_version_stay(
    label_studio: LabelStudio, project: int, config: Path, tmp_path: Path
) -> None:
    rows = predictions(tmp_path).read_text().splitlines()
    (tmp_path / "two.csv").write_text("\n".join(rows[:3]) + "\n")
    push(config, tmp_path / "two.csv", "v8")
    other = label_studio.task_ids(project)[3]
    body = [{"task": other, "model_version": "v8", "result": [], "score": 0.5}]
    label_studio.api("POST", f"/api/projects/{project}/import/predictions", body)
    changed, *_ = [p for p in _of_version(label_studio, project, "v8") if p["task"] != other]
    label_studio.api("PATCH", f"/api/predictions/{changed['id']}/", {"score": 0.125})
    _, stayed = undo(config)
    assert stayed == ["Kept 2 predictions of 'v8' that others stored or changed."]
    left = [p["task"] for p in _of_version(label_studio, project, "v8")]
    assert sorted(left) == sorted([changed["task"], other])


def test_what_others_push_after_an_undo_whose_answer_was_lost_stays(
    label_studio: LabelStudio,
    project: int,
    config: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    push(config, predictions(tmp_path), "v8")
    send, deleted = httpx.HTTPTransport.handle_request, list[int]()
    other = {"task": label_studio.task_ids(project)[0], "model_version": "v8", "result": []}

    def lost(transport: httpx.HTTPTransport, request: httpx.Request) -> httpx.Response:
        answer = send(transport, request)
        if request.method == "DELETE":
            deleted.append(answer.status_code)
            if len(deleted) == 1:  # the version is free again, and somebody takes it
                path = f"/api/projects/{project}/import/predictions"
                label_studio.api("POST", path, [other])
                raise httpx.ReadError("the connection was reset")
        return answer

    monkeypatch.setattr(httpx.HTTPTransport, "handle_request", lost)
    _, stayed = undo(config)
    assert stayed == ["Kept 1 prediction of 'v8' that others stored or changed."]
    assert [p["task"] for p in _of_version(label_studio, project, "v8")] == [other["task"]]
    assert len(deleted) == 1


def test_labels_tell_who_labelled_what_and_when(
    label_studio: LabelStudio, project: int, config: Path, tmp_path: Path
) -> None:
    first, second, third, _ = label_studio.task_ids(project)
    for task, choices in ((first, ["good"]), (second, ["bad"]), (second, ["good"])):
        value = {"choices": choices}
        region = {"from_name": "kind", "to_name": "text", "type": "choices", "value": value}
        label_studio.api("POST", f"/api/tasks/{task}/annotations/", {"result": [region]})
    skipped = {"result": [], "was_cancelled": True}
    label_studio.api("POST", f"/api/tasks/{third}/annotations/", skipped)
    written = labels(config, tmp_path / "labels.jsonl")
    assert (written.labels, written.items, written.notices) == (3, 2, ())
    rows = [json.loads(line) for line in (tmp_path / "labels.jsonl").read_text().splitlines()]
    said = [(row["item_id"], row["label"], row["counts"]) for row in rows]
    assert said == [("item-0", "good", True), ("item-1", "bad", False), ("item-1", "good", True)]
    me = label_studio.api("GET", "/api/current-user/whoami")["email"].casefold()
    assert {row["labelled_by"] for row in rows} == {me}
    assert all(row["labelled_at"].startswith("20") for row in rows)
    assert rows[0]["stored"][0]["value"] == {"choices": ["good"]}


def test_a_death_at_any_write_of_a_push_is_settled_by_resume_and_undo(
    label_studio: LabelStudio, project: int, config: Path, tmp_path: Path, campaign: Campaign
) -> None:
    from tests.integration.dying import ACTIONS, Mortal

    path = predictions(tmp_path)

    def dump() -> Any:
        return kept(label_studio, project)

    def act(one: Path) -> None:
        if any(journal.status in ("done", "broken") for journal in runs(one)):
            undo(one)  # what an undo that died left must go before the version is new again
        push(one, path, "v8")

    mortal = Mortal(config, act, dump, dump)
    points = mortal.points(["run"], "server")
    assert len(points) == 1  # all predictions in one request
    campaign.each(points, len(points), mortal.trial)
    campaign.each(mortal.points(ACTIONS), 6, mortal.trial)


TRAIN = """
import os, pathlib, time
import pyarrow as pa, pyarrow.parquet as pq
labels = pq.read_table(os.environ["LABELNEXT_LABELS"]).to_pylist()
print("labelled:", sorted(row["item_id"] for row in labels), flush=True)
if pathlib.Path("slow").exists():
    pathlib.Path("begun").touch()
    time.sleep(3600)
if pathlib.Path("broken").exists():
    raise SystemExit("out of memory")
least = pathlib.Path("least").read_text()
ids = [f"item-{i}" for i in range(4)]
good = [0.5 if item == least else 0.875 for item in ids]
rows = {"item_id": ids, "good": good, "bad": [1 - p for p in good]}
pq.write_table(pa.table(rows), os.environ["LABELNEXT_PREDICTIONS"])
"""


def test_watch_trains_pushes_ranks_waits_after_a_failure_and_ends_whole(
    label_studio: LabelStudio, project: int, config: Path, tmp_path: Path
) -> None:
    (tmp_path / "train.py").write_text(TRAIN)
    (tmp_path / "least").write_text("item-2")
    command = json.dumps([sys.executable, "train.py"])
    config.write_text(config.read_text() + f"watch: {{labels: 1, command: {command}}}\n")
    words = [sys.executable, "-m", "labelnext.cli", "watch", str(config), "--poll", "0.3"]
    with (tmp_path / "out").open("w") as out:
        watching = subprocess.Popen(words, stdout=out, stderr=subprocess.STDOUT)

    def said(text: str) -> Callable[[], bool]:
        return lambda: text in (tmp_path / "out").read_text()

    try:
        until(said("round 1 stored 4 predictions as round-1, ranked 4 items"))
        assert names(label_studio, project)[0] == "item-2"
        (tmp_path / "broken").touch()
        label_studio.annotate(label_studio.task_ids(project)[2])
        until(said("the queue is as it was, trying again: watch.command ended with exit code 1"))
        assert len(runs(config)) == 2
        (tmp_path / "broken").unlink()
        (tmp_path / "least").write_text("item-0")
        until(said("ranked 3 items"))
        assert names(label_studio, project)[0] == "item-0"
        logs = sorted((tmp_path / ".labelnext" / "loop" / "labelnext").glob("round-*.log"))
        assert logs[1].read_text().startswith("labelled: ['item-2']\nout of memory")
        (tmp_path / "slow").touch()
        label_studio.annotate(label_studio.task_ids(project)[0])
        until(lambda: (tmp_path / "begun").exists())
        children = subprocess.run(
            ["ps", "--ppid", str(watching.pid), "-o", "pid="], capture_output=True, text=True
        ).stdout.split()
        assert len(children) == 1
        watching.send_signal(signal.SIGTERM)
        assert ended(watching) == 0
        assert not os.path.exists(f"/proc/{children[0]}")
        assert said("Stopped after 2 runs.")()
        assert not said(label_studio.token)()
    finally:
        if watching.poll() is None:
            watching.kill()
            watching.wait()
    done = [journal.what for journal in runs(config) if journal.status == "done"]
    assert done == ["push", "run", "push", "run"]


def test_predictions_of_somebody_else_are_noticed(
    label_studio: LabelStudio, project: int, config: Path
) -> None:
    from labelnext.runs.watch import watch

    assert watch(config, once=True).runs == 1
    assert watch(config, once=True).runs == 0
    task = label_studio.task_ids(project)[0]
    body = [{"task": task, "model_version": "theirs", "result": [], "score": 0.5}]
    label_studio.api("POST", f"/api/projects/{project}/import/predictions", body)
    assert watch(config, once=True).runs == 1
    assert watch(config, once=True).runs == 0


PAGE = (Path(__file__).parents[2] / "docs" / "own-model.md").read_text("utf-8")


def test_commands_of_the_page_run_as_they_are_printed(
    label_studio: LabelStudio, tmp_path: Path
) -> None:
    texts = ["good day", "good night", "bad day", "bad night", "day", "bad bad good"]
    tasks = [{"data": {"text": text}} for text in texts]
    project = label_studio.create_project(CHOICES, tasks)
    ids = label_studio.task_ids(project)
    for task, kind in zip(ids[:4], ("good", "good", "bad", "bad"), strict=True):
        value = {"choices": [kind]}
        region = {"from_name": "kind", "to_name": "text", "type": "choices", "value": value}
        label_studio.api("POST", f"/api/tasks/{task}/annotations/", {"result": [region]})
    lines = [f"{task},{text}" for task, text in zip(ids, texts, strict=True)]
    (tmp_path / "texts.csv").write_text("\n".join(["item_id,text", *lines, ""]))
    (code,) = re.findall(r"```python\n(# train.py.*?)```", PAGE, re.DOTALL)
    (tmp_path / "train.py").write_text(code)
    config = tmp_path / "labelnext.yaml"
    source = f"url: '{label_studio.url}', project: {project}, api_key: '{label_studio.token}'"
    config.write_text(f"source: {{adapter: label-studio, {source}}}\nreport: {{path: null}}\n")
    (commands,) = re.findall(r"```bash\n(labelnext labels.*?)```", PAGE, re.DOTALL)
    for command in commands.splitlines():
        program, *words = shlex.split(command, comments=True)
        start = {"labelnext": [sys.executable, "-m", "labelnext.cli"], "python": [sys.executable]}
        subprocess.run([*start[program], *words], cwd=tmp_path, check=True, timeout=120)
    assert [journal.what for journal in runs(config)] == ["push", "run"]
    # One text says both, the other neither: "day" is as good as bad, and comes first.
    assert label_studio.listing(project) == [ids[4], ids[5]]
    (example,) = re.findall(r"```yaml\n(watch:.*?)```", PAGE, re.DOTALL)
    config.write_text(config.read_text() + example.replace("python ", f"{sys.executable} "))
    words = ["watch", "labelnext.yaml", "--once"]
    answer = subprocess.run(
        [sys.executable, "-m", "labelnext.cli", *words],
        cwd=tmp_path, check=True, timeout=120, capture_output=True, text=True,
    )  # fmt: skip
    assert "4 labels: round 1 stored 6 predictions as round-1, ranked 2 items" in answer.stdout
    assert len(list(undo_all(config))) == 4

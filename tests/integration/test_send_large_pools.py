"""The batch of a Parquet pool goes to a real Label Studio."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

import labelnext
from labelnext.errors import ConfigError, InvalidInput, NotFound
from labelnext.runs.large.export import export
from labelnext.runs.undo import resume, runs, undo
from tests.integration.choices import CHOICES, choice_task, sure_to_unsure
from tests.integration.exchange import choose, commands, image, ranked, tasks
from tests.integration.writing import tags

if TYPE_CHECKING:  # pytest itself imports the plugins, and wants to be the first
    from tests.integration.label_studio_server import LabelStudio

pytest_plugins = ("tests.integration.mongod", "tests.integration.label_studio_server")

# label-studio-sdk 2.1 exchanges a Personal Access Token by a call that pydantic has deprecated.
pytestmark = pytest.mark.filterwarnings("ignore:The `parse_obj` method is deprecated")


def exported(server: LabelStudio, project: int, folder: Path, key: str | None = None) -> None:
    """The tasks of a project as Parquet, in two files."""
    source = {"adapter": "label-studio", "url": server.url, "api_key": server.token}
    config = {"source": {**source, "project": project, "key": key}}
    export(config, folder / "pool", rows=4)


@pytest.fixture
def project(label_studio: LabelStudio, tmp_path: Path) -> int:
    """Six texts, the last the least sure; what they predict is exported and ranked."""
    made = label_studio.create_project(CHOICES, sure_to_unsure(6))
    exported(label_studio, made, tmp_path)
    return made


def to(server: LabelStudio, project: int | None = None, **options: Any) -> dict[str, Any]:
    return {"url": server.url, "api_key": server.token, "project": project, **options}


def test_the_tasks_of_a_batch_are_put_in_order_and_no_others_are_touched(
    label_studio: LabelStudio, project: int, tmp_path: Path
) -> None:
    config = ranked(tmp_path, send=to(label_studio, project))
    ids = label_studio.task_ids(project)
    report = labelnext.run(config)
    assert report.ranking.item_ids.tolist() == [str(ids[5]), str(ids[4])]
    before, stored = label_studio.dump(project), label_studio.stored_data(project)

    said = labelnext.send(config, dry_run=True)
    assert said.steps[0] == (
        "Set labelnext_priority on 2 tasks, and set labelnext_batch on the 2 tasks of the batch"
    )
    assert label_studio.dump(project) == before

    sent = labelnext.send(config)
    assert sent.counts == {"in the batch": 2}
    assert label_studio.priorities(project) == {ids[5]: "1.0000", ids[4]: "0.5000"}
    assert tags(label_studio, project) == {ids[5]: "next", ids[4]: "next"}
    assert label_studio.listing(project)[:2] == [ids[5], ids[4]]
    now = label_studio.stored_data(project)
    assert [now[i] for i in ids[:4]] == [stored[i] for i in ids[:4]]
    assert any(f"/projects/{project}/data?tab=" in line for line in sent.next_steps)

    after = label_studio.dump(project)
    labelnext.send(config)  # once more changes nothing
    assert label_studio.dump(project) == after
    assert undo(config)[1] == []
    _, stayed = undo(config)
    assert "The data key labelnext_priority stays, empty, on" in stayed[0]
    assert label_studio.priorities(project) == {ids[5]: "", ids[4]: ""}
    assert label_studio.tabs(project) == before[1]
    assert [journal.what for journal in runs(config)] == ["run", "send", "send"]


def test_the_next_batch_takes_the_place_of_the_one_before(
    label_studio: LabelStudio, project: int, tmp_path: Path
) -> None:
    config = ranked(tmp_path, send=to(label_studio, project))
    ids = label_studio.task_ids(project)
    labelnext.run(config)
    labelnext.send(config)
    label_studio.annotate(ids[5])
    exclude = {"budget": 2, "options": {"exclude": [str(ids[5]), str(ids[4])]}}
    labelnext.run(config | {"selection": exclude})
    labelnext.send(config)
    expected = {ids[5]: "1.0000", ids[4]: "", ids[3]: "1.0000", ids[2]: "0.5000"}
    assert label_studio.priorities(project) == expected
    assert label_studio.listing(project)[:2] == [ids[3], ids[2]]


def test_tasks_that_are_gone_are_counted_and_those_of_another_project_refused(
    label_studio: LabelStudio, project: int, tmp_path: Path
) -> None:
    config = ranked(tmp_path, send=to(label_studio, project))
    ids = label_studio.task_ids(project)
    labelnext.run(config)
    other = label_studio.create_project(CHOICES, [choice_task(0.5)])
    with pytest.raises(InvalidInput, match=f"must be in project {other} .*; none of 2 is"):
        labelnext.send(config | {"send": to(label_studio, other)})
    with pytest.raises(ConfigError, match=r"send.project must be the number of the project"):
        labelnext.send(config | {"send": to(label_studio)})
    label_studio.api("DELETE", f"/api/tasks/{ids[4]}/")
    (notice,) = labelnext.send(config).notices
    assert f"1 item of the batch is not in project {project}" in notice.message
    assert notice.message.endswith(f": {ids[4]}.")
    assert label_studio.priorities(project) == {ids[5]: "1.0000"}


def test_tasks_are_found_by_a_data_key_too(label_studio: LabelStudio, tmp_path: Path) -> None:
    rows = [choice_task(p, name=n) for p, n in ((0.9, "a"), (0.6, "b"), (0.7, "c"))]
    project = label_studio.create_project(CHOICES, rows)
    exported(label_studio, project, tmp_path, key="name")
    config = ranked(tmp_path, send=to(label_studio, project, key="name"))
    labelnext.run(config)
    labelnext.send(config)
    ids = label_studio.task_ids(project)
    assert label_studio.priorities(project) == {ids[1]: "1.0000", ids[2]: "0.5000"}


@pytest.mark.parametrize("n", [1, 2, 3])
def test_marking_that_broke_off_is_finished_by_resume(
    label_studio: LabelStudio,
    project: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    n: int,
) -> None:
    from labelnext_adapters.label_studio.server import client as module

    config = ranked(tmp_path, send=to(label_studio, project))
    labelnext.run(config)
    left, request = [n], module.Client._request

    def dying(self: Any, method: str, path: str, **arguments: Any) -> bytes:
        """Ends at the n-th request that changes something, when its answer is on the way."""
        answer = request(self, method, path, **arguments)
        left[0] -= method != "GET"
        if left[0] == 0 and method != "GET":
            raise KeyboardInterrupt
        return answer

    with monkeypatch.context() as patch:
        patch.setattr(module.Client, "_request", dying)
        with pytest.raises(KeyboardInterrupt):
            labelnext.send(config)
    assert runs(config)[-1].status == "broken"
    resume(config)
    ids = label_studio.task_ids(project)
    assert label_studio.priorities(project) == {ids[5]: "1.0000", ids[4]: "0.5000"}
    assert label_studio.listing(project)[:2] == [ids[5], ids[4]]


def lake(folder: Path, **more: Any) -> None:
    """A pool of four images that no platform knows; the last is the least sure."""
    table = pa.table(
        {
            "item_id": ["a", "b", "c", "d"],
            "probabilities": [[0.9, 0.1], [0.2, 0.8], [0.6, 0.4], [0.5, 0.5]],
            "url": [f"http://images.example.com/{name}.jpg" for name in "abcd"],
            **more,
        }
    )
    (folder / "pool").mkdir()
    for number in range(2):
        path = folder / "pool" / f"{number}.parquet"
        pq.write_table(table.slice(2 * number, 2), path)


def from_lake(folder: Path, server: LabelStudio, **changes: Any) -> dict[str, Any]:
    path = str(folder / "pool")
    columns = {"media": "url"}
    source = {"adapter": "files", "path": path, "columns": columns, "classes": ["cat", "dog"]}
    how = {"source": source, "selection": {"budget": 3}, "send": to(server), **changes}
    return ranked(folder, **how)


def project_of(server: LabelStudio) -> dict[str, Any]:
    """The newest project of a lake."""
    found = server.api("GET", "/api/projects/", page_size=1000)["results"]
    made = [p for p in found if "[files:" in (p["description"] or "")]
    return dict(max(made, key=lambda p: int(p["id"])))


def test_images_of_a_lake_become_tasks_once(label_studio: LabelStudio, tmp_path: Path) -> None:
    lake(tmp_path)
    config = from_lake(tmp_path, label_studio)
    labelnext.run(config)
    said = labelnext.send(config, dry_run=True)
    assert said.steps[0] == "Create the project 'pool: label next' with 2 labels"
    assert said.steps[1] == "Create 3 tasks (3 with predictions)"
    labelnext.send(config)
    labelnext.send(config)  # once more makes nothing twice
    made = project_of(label_studio)
    rows = tasks(label_studio, made["id"])
    data = {row["data"]["files_id"]: row["data"] for row in rows}
    assert len(rows) == 3
    assert {i: d["image"][-5:] for i, d in data.items()} == {
        "d": "d.jpg",
        "c": "c.jpg",
        "b": "b.jpg",
    }
    order = {i: d["labelnext_priority"] for i, d in data.items()}
    assert order == {"d": "1.0000", "c": "0.6667", "b": "0.3333"}
    (prediction,) = rows[[r["data"]["files_id"] for r in rows].index("b")]["predictions"]
    assert prediction["result"][0]["value"] == {"choices": ["dog"]}
    assert prediction["score"] == pytest.approx(0.8)

    choose(label_studio, rows[0]["id"], "cat")
    undo(config)
    _, stayed = undo(config)
    assert f"Kept 1 task that someone has worked on: {rows[0]['id']}." in stayed
    assert [row["id"] for row in tasks(label_studio, made["id"])] == [rows[0]["id"]]


def test_labelled_tasks_are_left_out_of_what_is_sent_again(
    label_studio: LabelStudio, tmp_path: Path
) -> None:
    lake(tmp_path)
    config = from_lake(tmp_path, label_studio)
    labelnext.run(config)
    labelnext.send(config)
    number = project_of(label_studio)["id"]
    ids = {row["data"]["files_id"]: row["id"] for row in tasks(label_studio, number)}
    choose(label_studio, ids["d"], "cat")
    (notice,) = labelnext.send(config).notices
    assert notice.message == "Left out 1 labelled task: d."
    texts = label_studio.priorities(number)
    assert [texts[ids[item]] for item in "dcb"] == ["1.0000", "1.0000", "0.5000"]
    assert label_studio.listing(number) == [ids["c"], ids["b"]]
    choose(label_studio, ids["c"], "cat")
    choose(label_studio, ids["b"], "dog")
    said = labelnext.send(config, dry_run=True)
    assert said.steps == ()
    assert said.next_steps[0].startswith("Nobody can be handed anything of the batch of ")


def test_boxes_and_local_files_of_a_lake_arrive(label_studio: LabelStudio, tmp_path: Path) -> None:
    boxes = [
        [{"confidence": 0.75, "class": "car", "box": [0.1, 0.2, 0.5, 0.4]}],
        [],
        [{"confidence": 0.5, "class": "bike", "box": [0.0, 0.0, 1.0, 1.0]}],
        None,
    ]
    lake(tmp_path, objects=boxes)
    for name in "abcd":
        image(tmp_path, name)
    tables = [pq.read_table(f) for f in sorted((tmp_path / "pool").iterdir())]
    names = pa.array(["a.png", "b.png", None, "d.png"])
    whole = pa.concat_tables(tables).drop_columns(["probabilities", "url"])
    for file in (tmp_path / "pool").iterdir():
        file.unlink()
    pq.write_table(whole.append_column("file", names), tmp_path / "pool" / "0.parquet")

    source = {"path": "pool", "columns": {"media": "file"}, "classes": ["car", "bike"]}
    config = from_lake(
        tmp_path,
        label_studio,
        source={"adapter": "files", **source},
        acquisition={"name": "mean_object_confidence"},
    )
    path = tmp_path / "labelnext.yaml"  # relative paths begin beside it
    path.write_text(yaml.safe_dump(config))
    labelnext.run(path)
    (notice,) = labelnext.send(path).notices
    assert notice.message == "Left out 1 item without an image: c."
    rows = {r["data"]["files_id"]: r for r in tasks(label_studio, project_of(label_studio)["id"])}
    assert set(rows) == {"a", "b"}
    (region,) = rows["a"]["predictions"][0]["result"]
    assert region["value"]["rectanglelabels"] == ["car"]
    assert [region["value"][side] for side in ("x", "y", "width", "height")] == [10, 20, 40, 20]
    assert region["score"] == 0.75
    assert [p["result"] for p in rows["b"]["predictions"]] == [[]]
    shown = label_studio._http.get(rows["a"]["data"]["image"]).content
    assert shown == (tmp_path / "a.png").read_bytes()


def test_a_ranking_of_one_file_is_sent_as_well(label_studio: LabelStudio, tmp_path: Path) -> None:
    text = "item_id,p_cat,p_dog,url\n007,0.9,0.1,http://h/7.jpg\n08,0.5,0.5,http://h/8.jpg\n"
    (tmp_path / "lake.csv").write_text(text)
    columns = {"media": "url"}
    source = {"adapter": "files", "path": str(tmp_path / "lake.csv"), "columns": columns}
    write = {"output": str(tmp_path / "ranking.csv")}
    config = ranked(tmp_path, source=source, write=write, send=to(label_studio))
    with pytest.raises(NotFound, match=r"ranking.csv' does not exist"):
        labelnext.send(config)
    labelnext.run(config)
    labelnext.send(config)
    rows = tasks(label_studio, project_of(label_studio)["id"])
    assert [row["data"]["files_id"] for row in rows] == ["08", "007"]  # an id is text


def test_the_command_sends_what_the_command_ranked(
    label_studio: LabelStudio,
    project: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("LABEL_STUDIO_API_KEY", label_studio.token)
    key = {"api_key": "${LABEL_STUDIO_API_KEY}"}
    config = ranked(tmp_path, send={**to(label_studio, project), **key})
    path = tmp_path / "labelnext.yaml"
    path.write_text(yaml.safe_dump(config))

    said = commands(monkeypatch, capsys)
    said("run", str(path))
    assert "Would do: • Set labelnext_priority on 2 tasks" in said("send", str(path), "--dry-run")
    assert "Done: • Set labelnext_priority on 2 tasks" in said("send", str(path))
    assert json.loads(said("runs", str(path), "--json"))[-1]["what"] == "send"
    with pytest.raises(ConfigError, match="must be able to take labels back; 'files' can't"):
        labelnext.fetch(path)
    journals = "".join(file.read_text() for file in (tmp_path / "state").glob("*.jsonl"))
    assert label_studio.token not in journals

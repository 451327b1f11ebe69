"""A batch of a FiftyOne dataset goes to a real Label Studio, and its labels come back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import yaml

import labelnext
from labelnext.errors import NotFound, WriteRefused
from labelnext.runs.undo import runs, undo
from tests.integration.exchange import ROWS, choose, commands, draw, image, made, settings, tasks

if TYPE_CHECKING:  # pytest itself imports the plugins, and wants to be the first
    from tests.integration.label_studio_server import LabelStudio

pytest_plugins = (
    "tests.integration.mongod",
    "tests.integration.label_studio_server",
    "tests.integration.exchange_datasets",
)

# label-studio-sdk 2.1 exchanges a Personal Access Token by a call that pydantic has deprecated.
pytestmark = pytest.mark.filterwarnings("ignore:The `parse_obj` method is deprecated")


def test_a_batch_is_sent_labelled_fetched_and_left_out_of_the_next_run(
    label_studio: LabelStudio, animals: Any, tmp_path: Path
) -> None:
    config = settings(label_studio, animals, tmp_path)
    labelnext.run(config)
    sent = labelnext.send(config)
    project = made(label_studio, animals)
    rows = tasks(label_studio, project["id"])
    by_name = {row["data"]["name"]: row for row in rows}
    assert set(by_name) == {"d.png", "b.png", "c.png"}
    names = dict(zip(*animals.values(["id", "name"]), strict=True))
    assert {names[r["data"]["fiftyone_id"]] + ".png" for r in rows} == set(by_name)
    priorities = {n: r["data"]["labelnext_priority"] for n, r in by_name.items()}
    assert priorities == {"d.png": "1.0000", "b.png": "0.6667", "c.png": "0.3333"}
    assert label_studio.listing(project["id"]) == [by_name[f"{n}.png"]["id"] for n in "dbc"]
    (prediction,) = by_name["b.png"]["predictions"]
    assert prediction["model_version"] == "pred"
    assert prediction["score"] == pytest.approx(0.6)
    assert prediction["result"][0]["value"] == {"choices": ["cat"]}
    assert prediction["result"][0]["score"] == pytest.approx(0.6)
    # The server shows the very file that the dataset names.
    picture = label_studio._http.get(by_name["b.png"]["data"]["image"]).content
    assert picture == Path(tmp_path / "b.png").read_bytes()
    assert any(f"/projects/{project['id']}/data?tab=" in line for line in sent.next_steps)

    choose(label_studio, by_name["d.png"]["id"], "dog")
    choose(label_studio, by_name["b.png"]["id"], "cat", was_cancelled=True)
    fetched = labelnext.fetch(config)
    assert fetched.counts == {"labelled": 1, "waiting": 2, "changed": 1}
    animals.reload()
    labels = dict(zip(*animals.values(["name", "labels.label"]), strict=True))
    assert labels == {"a": None, "b": None, "c": None, "d": "dog"}
    report = labelnext.run(config)
    assert [names[i] for i in report.ranking.pool_order] == ["b", "c", "a"]


def test_predictions_of_a_side_file_are_sent(
    label_studio: LabelStudio, animals: Any, tmp_path: Path
) -> None:
    ids = dict(zip(*animals.values(["name", "id"]), strict=True))
    rows = "".join(
        f"{ids[n]},{p},{1 - p}\n" for n, p in zip("abcd", (0.9, 0.25, 0.3, 0.5), strict=True)
    )
    (tmp_path / "p.csv").write_text(f"item_id,p_cat,p_dog\n{rows}")
    config = settings(label_studio, animals, tmp_path)
    config["source"] = {
        **{"adapter": "fiftyone", "dataset": animals.name},
        "predictions": {"file": str(tmp_path / "p.csv")},
    }
    labelnext.run(config)
    labelnext.send(config)
    told = {}
    for row in tasks(label_studio, made(label_studio, animals)["id"]):
        (prediction,) = row["predictions"]
        told[row["data"]["name"]] = prediction["result"][0]["value"]["choices"]
    assert told == {"d.png": ["cat"], "c.png": ["dog"], "b.png": ["dog"]}


def test_boxes_go_out_and_come_back_on_the_right_samples(
    label_studio: LabelStudio, street: Any, tmp_path: Path
) -> None:
    config = settings(label_studio, street, tmp_path)
    labelnext.run(config | {"acquisition": {"name": "mean_object_confidence"}})
    sent = labelnext.send(config)
    # "cow" is no class of the dataset, so the project has no such label.
    assert ["1 predicted label missing" in notice.message for notice in sent.notices] == [True]
    rows = {t["data"]["name"]: t for t in tasks(label_studio, made(label_studio, street)["id"])}
    (prediction,) = rows["a.png"]["predictions"]
    (region,) = prediction["result"]
    assert region["value"] == {
        "x": 10, "y": 20, "width": 40, "height": 20, "rotation": 0, "rectanglelabels": ["car"],
    }  # fmt: skip
    assert (region["original_width"], region["original_height"]) == (40, 20)
    assert (region["score"], prediction["score"]) == (0.9, 0.9)
    assert [p["result"] for p in rows["b.png"]["predictions"]] == [[]]

    draw(label_studio, rows["a.png"]["id"], [("bike", (25, 50, 50, 25)), ("car", (0, 0, 10, 10))])
    draw(label_studio, rows["b.png"]["id"], [])
    assert labelnext.fetch(config).counts == {"labelled": 2, "waiting": 1, "changed": 2}
    street.reload()
    boxes = dict(zip(*street.values(["name", "labels.detections.bounding_box"]), strict=True))
    assert boxes["a"] == [pytest.approx([0.25, 0.5, 0.5, 0.25]), pytest.approx([0, 0, 0.1, 0.1])]
    assert (boxes["b"], boxes["c"]) == ([], None)
    named = dict(zip(*street.values(["name", "labels.detections.label"]), strict=True))
    assert named["a"] == ["bike", "car"]
    report = labelnext.run(config | {"acquisition": {"name": "mean_object_confidence"}})
    assert street[report.ranking.pool_order.tolist()].values("name") == ["c"]


def test_a_dry_run_says_what_would_happen_and_does_nothing(
    label_studio: LabelStudio, animals: Any, tmp_path: Path
) -> None:
    config = settings(label_studio, animals, tmp_path)
    labelnext.run(config)
    before = label_studio.api("GET", "/api/projects/")["count"]
    said = labelnext.send(config, dry_run=True)
    assert said.steps[0].startswith("Create the project")
    assert said.steps[1].startswith("Create 3 tasks (3 with predictions) and upload 3 images")
    assert label_studio.api("GET", "/api/projects/")["count"] == before
    with pytest.raises(NotFound, match="no batch of .* has been sent to"):
        labelnext.fetch(config, dry_run=True)
    labelnext.send(config)
    choose(label_studio, tasks(label_studio, made(label_studio, animals)["id"])[0]["id"], "dog")
    assert labelnext.fetch(config, dry_run=True).counts["changed"] == 1
    animals.reload()
    assert not animals.has_sample_field("labels")


def test_sending_again_adds_what_is_new_and_orders_all_anew(
    label_studio: LabelStudio, animals: Any, tmp_path: Path
) -> None:
    config = settings(label_studio, animals, tmp_path) | {"selection": {"budget": 2}}
    labelnext.run(config)
    labelnext.send(config)
    project = made(label_studio, animals)["id"]
    first = {task["data"]["name"]: task["id"] for task in tasks(label_studio, project)}
    assert set(first) == {"d.png", "b.png"}
    # The model now doubts c and a, so the batch is c, a; nobody has labelled d and b meanwhile.
    logits = {"a": [0.55, 0.45], "b": [0.99, 0.01], "c": [0.5, 0.5], "d": [0.9, 0.1]}
    animals.set_values("pred.logits", [np.log(logits[n]) for n in animals.values("name")])
    labelnext.run(config)
    labelnext.send(config)
    rows = {task["data"]["name"]: task for task in tasks(label_studio, project)}
    assert {name: rows[name]["id"] for name in first} == first, "nothing is sent twice"
    values = {name: row["data"]["labelnext_priority"] for name, row in rows.items()}
    assert values == {"c.png": "1.0000", "a.png": "0.5000", "d.png": "", "b.png": ""}
    again = labelnext.send(config)
    assert [step for step in again.steps if "Make" in step] == []
    assert {t["id"] for t in tasks(label_studio, project)} == {r["id"] for r in rows.values()}


def test_labels_that_changed_are_fetched_and_those_that_went_are_cleared(
    label_studio: LabelStudio, animals: Any, tmp_path: Path
) -> None:
    config = settings(label_studio, animals, tmp_path)
    labelnext.run(config)
    labelnext.send(config)
    first, second, third = tasks(label_studio, made(label_studio, animals)["id"])
    old = choose(label_studio, first["id"], "dog", ground_truth=True)
    gone = choose(label_studio, second["id"], "cat")
    names = dict(zip(*animals.values(["id", "name"]), strict=True))
    n1, n2, n3 = (names[task["data"]["fiftyone_id"]] for task in (first, second, third))

    def held() -> dict[str, Any]:
        animals.reload()
        return dict(zip(*animals.values(["name", "labels.label"]), strict=True))

    labelnext.fetch(config)
    assert (held()[n1], held()[n2], held()[n3]) == ("dog", "cat", None)
    assert labelnext.fetch(config).counts["changed"] == 0
    choose(label_studio, first["id"], "cat")  # a second opinion, which is the latest
    label_studio.api("DELETE", f"/api/annotations/{gone['id']}/")
    choose(label_studio, third["id"], "dog")
    said = labelnext.fetch(config)
    assert said.steps == (
        "Write labels on 1 sample, change it on 1 sample, clear it on 1 whose annotation is gone",
    )
    assert (held()[n1], held()[n2], held()[n3]) == ("cat", None, "dog")
    truth = config | {"send": {**config["send"], "labels": "ground_truth"}}
    labelnext.fetch(truth)
    assert (held()[n1], held()[n2], held()[n3]) == ("dog", None, None)
    assert old["ground_truth"]
    undo(config)
    assert (held()[n1], held()[n2], held()[n3]) == ("cat", None, "dog")
    undo(config)
    assert (held()[n1], held()[n2], held()[n3]) == ("dog", "cat", None)
    undo(config)
    animals.reload()
    assert not animals.has_sample_field("labels")


def test_a_field_that_is_not_ours_is_never_written(
    label_studio: LabelStudio, animals: Any, tmp_path: Path
) -> None:
    import fiftyone as fo

    config = settings(label_studio, animals, tmp_path)
    labelnext.run(config)
    labelnext.send(config)
    choose(label_studio, tasks(label_studio, made(label_studio, animals)["id"])[0]["id"], "dog")
    animals.set_values("labels", [fo.Classification(label="mine")] * 4)
    with pytest.raises(WriteRefused, match="labelnext fetch made"):
        labelnext.fetch(config)
    assert animals.values("labels.label") == ["mine"] * 4
    with pytest.raises(WriteRefused, match="must be labelnext's own"):
        labelnext.run(config | {"write": {"run": "labels"}})


def test_undo_deletes_what_nobody_worked_on_and_says_what_stays(
    label_studio: LabelStudio, animals: Any, tmp_path: Path
) -> None:
    config = settings(label_studio, animals, tmp_path)
    labelnext.run(config)
    labelnext.send(config)
    project = made(label_studio, animals)["id"]
    first, second, third = (task["id"] for task in tasks(label_studio, project))
    choose(label_studio, first, "dog")
    choose(label_studio, second, "dog", was_cancelled=True)
    _, stayed = undo(config)
    assert [task["id"] for task in tasks(label_studio, project)] == [first, second]
    assert f"Kept 2 tasks that someone has worked on: {first}, {second}." in stayed
    assert f"Kept project {project}, which still has 2 tasks." in stayed
    files = label_studio.api("GET", f"/api/projects/{project}/file-uploads", all=True)
    assert len(files) == 2
    assert third not in (first, second)


def test_undo_of_an_untouched_sending_leaves_no_project(
    label_studio: LabelStudio, animals: Any, tmp_path: Path
) -> None:
    config = settings(label_studio, animals, tmp_path)
    before = label_studio.api("GET", "/api/projects/", page_size=1000)["results"]
    labelnext.run(config)
    labelnext.send(config)
    assert undo(config)[1] == []
    after = label_studio.api("GET", "/api/projects/", page_size=1000)["results"]
    assert [p["id"] for p in after] == [p["id"] for p in before]
    undo(config)
    animals.reload()
    assert animals.list_runs() == []


def test_images_that_the_server_shows_by_itself_are_not_uploaded(
    label_studio: LabelStudio, animals: Any, tmp_path: Path
) -> None:
    folder = tmp_path / "a folder é"
    folder.mkdir()
    paths = {name: image(folder, name) for name in ROWS}
    animals.set_values("filepath", [paths[name] for name in animals.values("name")])
    # The server of the tests serves "/"; of that, what a storage of a project names.
    config = settings(label_studio, animals, tmp_path, document_root="/")
    labelnext.run(config)
    sent = labelnext.send(config)
    project = made(label_studio, animals)["id"]
    # Without a storage the server shows no file of its disk: one was made.
    said = [notice.message for notice in sent.notices]
    assert f"Made a local storage for {folder} in project {project}, which images need." in said
    images = {task["data"]["name"]: task["data"]["image"] for task in tasks(label_studio, project)}
    assert images["b.png"].startswith("/data/local-files/?d=")
    assert label_studio._http.get(images["b.png"]).content == Path(paths["b"]).read_bytes()
    assert label_studio.api("GET", f"/api/projects/{project}/file-uploads", all=True) == []
    undo(config)
    # Where the address leads to no image, the sending says what to click.
    wrong = settings(label_studio, animals, tmp_path, document_root="/")
    wrong["send"]["url_prefix"] = "/data/local-files/?d=elsewhere/"
    (told,) = [
        n.message for n in labelnext.send(wrong).notices if "Add Source Storage" in n.message
    ]
    assert f"({folder} if it is this machine)" in told
    undo(wrong)
    with pytest.raises(labelnext.LabelnextError, match="must be inside send.document_root"):
        labelnext.send(settings(label_studio, animals, tmp_path, document_root="/nowhere"))


def test_a_project_of_ones_own_needs_a_control_that_fits(
    label_studio: LabelStudio, animals: Any, tmp_path: Path
) -> None:
    boxes = (
        '<View><Image name="pic" value="$photo"/><RectangleLabels name="b" toName="pic">'
        '<Label value="cat"/></RectangleLabels></View>'
    )
    project = label_studio.create_project(boxes)
    config = settings(label_studio, animals, tmp_path, project=project)
    labelnext.run(config)
    with pytest.raises(NotFound, match=r"control tag Choices of an image; it has: b \("):
        labelnext.send(config)
    choices = boxes.replace("RectangleLabels", "Choices").replace("Label ", "Choice ")
    own = label_studio.create_project(choices, [{"data": {"photo": "http://h/x.png"}}])
    config = settings(label_studio, animals, tmp_path, project=own)
    labelnext.send(config)
    rows = tasks(label_studio, own)
    assert len(rows) == 4
    assert rows[1]["data"]["photo"].startswith(f"/data/upload/{own}/")
    assert undo(config)[1] == []
    assert [task["data"] for task in tasks(label_studio, own)] == [{"photo": "http://h/x.png"}]


def test_images_that_are_not_there_are_named(
    label_studio: LabelStudio, animals: Any, tmp_path: Path
) -> None:
    config = settings(label_studio, animals, tmp_path)
    labelnext.run(config)
    (tmp_path / "d.png").unlink()
    with pytest.raises(labelnext.LabelnextError, match=r"got 1 that don't exist: .*d\.png"):
        labelnext.send(config)
    assert [journal.what for journal in runs(config)] == ["run"]


def test_more_images_than_the_server_takes_at_once_are_sent_in_parts(
    label_studio: LabelStudio, dataset: Any, tmp_path: Path
) -> None:
    import fiftyone as fo

    n = 101  # Label Studio takes 100 files in one request
    names = [f"{i:03d}" for i in range(n)]
    dataset.default_classes = ["cat", "dog"]
    dataset.add_samples(
        [
            fo.Sample(
                image(tmp_path, name),
                pred=fo.Classification(label="cat", confidence=0.5 + i / 1000),
            )
            for i, name in enumerate(names)
        ],
        progress=False,
    )
    config = settings(label_studio, dataset, tmp_path) | {"selection": {"budget": None}}
    labelnext.run(config)
    stages: list[tuple[str, int, int | None]] = []
    labelnext.send(config, progress=lambda *report: stages.append(report))
    assert {stage.partition(":")[0] for stage, _, _ in stages} == {"send"}, "one bar"
    assert [report[1:] for report in stages] == [(0, n), (100, n), (n, n)]
    project = made(label_studio, dataset)["id"]
    listed = label_studio.listing(project)
    by_id = {task: label_studio.stored_data(project)[task] for task in listed}
    assert [json.loads(by_id[task])["name"] for task in listed] == [f"{i}.png" for i in names]


def test_the_commands_send_and_fetch(
    label_studio: LabelStudio,
    animals: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("LABEL_STUDIO_API_KEY", label_studio.token)
    config = settings(label_studio, animals, tmp_path, api_key="${LABEL_STUDIO_API_KEY}")
    path = tmp_path / "labelnext.yaml"
    path.write_text(yaml.safe_dump(config))

    said = commands(monkeypatch, capsys)
    said("run", str(path))
    text = said("send", str(path), "--dry-run")
    assert "3 in the batch" in text
    assert "Would do: • Create the project" in text
    text = said("send", str(path), "labelnext")
    assert "Done: • Created the project" in text
    assert "Next: Open http" in text
    choose(label_studio, tasks(label_studio, made(label_studio, animals)["id"])[0]["id"], "dog")
    assert json.loads(said("fetch", str(path), "--json"))["counts"]["labelled"] == 1
    assert "Nothing to write" in said("fetch", str(path))
    assert [row["what"] for row in json.loads(said("runs", str(path), "--json"))] == [
        "run", "send", "fetch",
    ]  # fmt: skip
    assert label_studio.token not in "".join(
        file.read_text() for file in (tmp_path / "state").glob("*.jsonl")
    )

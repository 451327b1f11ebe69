"""Sending and fetching from the App, with a real Label Studio and a real mongod."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from tests.integration.app import choices, delegated, execute, form, names, queued, shown

if TYPE_CHECKING:  # pytest itself imports the plugins, and wants to be the first
    from tests.integration.label_studio_server import LabelStudio

pytest_plugins = ("tests.integration.mongod", "tests.integration.label_studio_server")

# label-studio-sdk 2.1 exchanges a Personal Access Token by a call that pydantic has deprecated.
pytestmark = pytest.mark.filterwarnings("ignore:The `parse_obj` method is deprecated")

# Margins .8, .2, .4: the order of labelling is b, c, a.
ROWS = {"a": [0.9, 0.1], "b": [0.6, 0.4], "c": [0.7, 0.3]}


@pytest.fixture
def ranked(plugins: Path, dataset: Any, tmp_path: Path) -> Any:
    """Three pictures, ranked; the batch is b, c."""
    import fiftyone as fo
    from PIL import Image

    dataset.default_classes = ["cat", "dog"]
    samples = []
    for name, row in ROWS.items():
        path = tmp_path / f"{name}.png"
        Image.new("RGB", (8, 8)).save(path)
        pred = fo.Classification(label="cat", confidence=row[0], logits=np.log(row))
        samples.append(fo.Sample(str(path), name=name, pred=pred))
    dataset.add_samples(samples, progress=False)
    execute(
        "rank_samples",
        dataset,
        pred_field="pred",
        labelled="nothing",
        acquisition="margin",
        method="top_k",
        budget=2,
        run="next",
    )
    dataset.reload()
    return dataset


@pytest.fixture
def secrets(label_studio: LabelStudio, monkeypatch: pytest.MonkeyPatch) -> LabelStudio:
    """The server, known to the App."""
    monkeypatch.setenv("FIFTYONE_LABELSTUDIO_URL", label_studio.url)
    monkeypatch.setenv("FIFTYONE_LABELSTUDIO_API_KEY", label_studio.token)
    return label_studio


def sent_tasks(server: LabelStudio, dataset: Any) -> dict[str, int]:
    """The tasks of the project that was made, by the names of their files."""
    projects = server.api("GET", "/api/projects/", page_size=1000)["results"]
    (project,) = [p["id"] for p in projects if str(dataset._doc.id) in (p["description"] or "")]
    page = server.api("GET", "/api/tasks", project=project, fields="all", page_size=100)
    return {Path(task["data"]["name"]).stem: task["id"] for task in page["tasks"]}


def choose(server: LabelStudio, task: int, label: str) -> None:
    value = {"choices": [label]}
    region = {"from_name": "label", "to_name": "image", "type": "choices", "value": value}
    server.api("POST", f"/api/tasks/{task}/annotations/", {"result": [region]})


@pytest.mark.parametrize("name", ["send_batch", "fetch_annotations"])
def test_without_secrets_the_form_says_which_to_set(
    ranked: Any, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for secret in ("FIFTYONE_LABELSTUDIO_URL", "FIFTYONE_LABELSTUDIO_API_KEY"):
        monkeypatch.delenv(secret, raising=False)
    notice = form(name, ranked)["secrets"]
    assert notice["invalid"]
    assert "FIFTYONE_LABELSTUDIO_API_KEY" in notice["view"]["description"]


def test_sending_without_a_ranking_says_what_to_do(plugins: Path, dataset: Any) -> None:
    assert "Rank samples to label" in form("send_batch", dataset)["no_runs"]["view"]["description"]


def test_fetching_before_anything_was_sent_says_what_to_do(
    ranked: Any, secrets: LabelStudio
) -> None:
    inputs = form("fetch_annotations", ranked)
    notice = inputs["unsent"]
    assert notice["invalid"]
    assert notice["view"]["label"] == "Nothing was sent yet"
    assert "Run 'Send batch to Label Studio' first" in notice["view"]["description"]
    assert {"field", "project"} < inputs.keys()  # labels of a project can be fetched all the same
    assert "problem" not in inputs
    execute("send_batch", ranked, run="next")
    assert "unsent" not in form("fetch_annotations", ranked)
    assert "problem" in form("fetch_annotations", ranked, project=987654)


def test_the_form_says_what_would_be_sent(ranked: Any, secrets: LabelStudio) -> None:
    inputs = form("send_batch", ranked)
    assert inputs["run"]["default"] == "next"
    text = inputs["preview"]["default"]
    assert "Create 2 tasks (2 with predictions) and upload 2 images" in text
    assert secrets.token not in str(inputs)


def test_the_form_says_why_nothing_can_be_sent(ranked: Any, secrets: LabelStudio) -> None:
    inputs = form("send_batch", ranked, project=987654)
    assert inputs["problem"]["invalid"]
    assert "must be the number of a project" in inputs["problem"]["view"]["description"]
    assert "preview" not in inputs


def test_a_batch_goes_from_the_app_and_its_labels_come_back(
    ranked: Any, secrets: LabelStudio
) -> None:
    assert "Create 2 tasks" in form("send_batch", ranked)["preview"]["default"]
    result = execute("send_batch", ranked, run="next")
    assert "Created 2 tasks" in result.result["done"]
    assert "**The batch of 2 samples, in a project for" in result.result["done"]
    assert f"]({secrets.url}/projects/" in result.result["next"]
    tasks = sent_tasks(secrets, ranked)
    assert set(tasks) == {"b", "c"}
    text = form("send_batch", ranked)["preview"]["default"]
    assert "Make" not in text, "all is there"

    choose(secrets, tasks["c"], "dog")
    inputs = form("fetch_annotations", ranked)
    assert "Write labels on 1 sample" in inputs["preview"]["default"]
    result = execute("fetch_annotations", ranked, field="labels")
    ranked.reload()
    assert shown(ranked, result) == ["c"]
    assert names(ranked.match({"labels.label": "dog"})) == ["c"]
    assert "1 labelled, 1 waiting, 1 changed" in result.result["done"]
    assert "'Already labelled: a label in labels' lets it learn" in result.result["next"]


def test_the_whole_batch_is_sent_and_fetched_whatever_the_grid_shows(
    ranked: Any, secrets: LabelStudio
) -> None:
    view = ranked.match({"name": {"$in": ["a", "c"]}})
    assert "view_target" not in form("send_batch", ranked, view)
    execute("send_batch", ranked, view=view, run="next")
    tasks = sent_tasks(secrets, ranked)
    assert set(tasks) == {"b", "c"}
    elsewhere = ranked.match({"name": "a"})
    said = form("fetch_annotations", ranked, elsewhere)["preview"]["default"]
    assert "Nothing to write: nothing is labelled yet in project" in said
    assert ":** 0 labelled, 2 waiting\n" in said
    nothing = execute("fetch_annotations", ranked, field="labels").result
    assert "nothing is labelled yet in project" in nothing["done"]
    assert nothing["next"] == "", "it has been said"
    choose(secrets, tasks["b"], "dog")
    execute("fetch_annotations", ranked, view=elsewhere, field="labels")
    ranked.reload()
    assert names(ranked.exists("labels")) == ["b"]
    said = form("fetch_annotations", ranked, elsewhere)["preview"]["default"]
    assert f"Nothing to write: field labels of {ranked.name} holds what project" in said
    assert said.count("1 label.") == 1


def test_sending_and_fetching_can_be_delegated(ranked: Any, secrets: LabelStudio) -> None:
    assert "Created 2 tasks" in delegated("send_batch", ranked, run="next")["done"]
    choose(secrets, sent_tasks(secrets, ranked)["b"], "cat")
    assert "1 changed" in delegated("fetch_annotations", ranked, field="labels")["done"]
    ranked.reload()
    assert ranked.exists("labels").values("name") == ["b"]


def test_a_field_that_is_not_ours_is_refused_in_the_form(ranked: Any, secrets: LabelStudio) -> None:
    prop = form("fetch_annotations", ranked, field="pred")["field"]
    assert prop["invalid"]
    assert "labelnext fetch made" in prop["error_message"]
    assert "Choose another field for the labels." in prop["error_message"]


def test_sending_to_a_server_that_is_away_fails_and_says_so(
    ranked: Any, secrets: LabelStudio, monkeypatch: pytest.MonkeyPatch
) -> None:
    from fiftyone.operators.executor import ExecutionError

    monkeypatch.setenv("FIFTYONE_LABELSTUDIO_URL", "http://127.0.0.1:9")
    for name in ("send_batch", "fetch_annotations"):
        with pytest.raises(ExecutionError, match=r"127\.0\.0\.1:9"):
            execute(name, ranked, run="next", field="labels")
    assert not ranked.has_sample_field("labels")


@pytest.mark.parametrize("name", ["send_batch", "fetch_annotations"])
def test_delegated_work_that_fails_says_why(
    ranked: Any, secrets: LabelStudio, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    execute("send_batch", ranked, run="next")

    def away() -> None:
        monkeypatch.setenv("FIFTYONE_LABELSTUDIO_URL", "http://127.0.0.1:9")

    done = queued(name, ranked, away, run="next", field="labels")
    assert done.run_state == "failed"
    assert "127.0.0.1:9" in done.result.error
    assert secrets.token not in done.result.error
    assert not ranked.has_sample_field("labels")


def test_a_sending_and_a_fetch_can_be_taken_back_in_the_app(
    ranked: Any, secrets: LabelStudio
) -> None:
    execute("send_batch", ranked, run="next")
    choose(secrets, sent_tasks(secrets, ranked)["b"], "cat")
    execute("fetch_annotations", ranked, field="labels")
    ranked.reload()
    inputs = form("manage_runs", ranked, action="undo")
    assert set(choices(inputs["action"])) == {"open", "rename", "delete", "undo"}
    assert "takes back the labels in the field labels" in inputs["last"]["default"]
    assert "Wrote labels on 1 sample" in inputs["last"]["default"]
    assert (
        "Took back the labels in the field labels"
        in execute("manage_runs", ranked, action="undo").result["done"]
    )
    ranked.reload()
    assert not ranked.has_sample_field("labels")

    assert "the batch sent to" in form("manage_runs", ranked, action="undo")["last"]["default"]
    done = execute("manage_runs", ranked, action="undo").result["done"]
    assert "Kept 1 task that someone has worked on" in done
    assert set(sent_tasks(secrets, ranked)) == {"b"}

    execute("manage_runs", ranked, action="undo")
    ranked.reload()
    assert ranked.list_runs() == []
    assert form("manage_runs", ranked)["no_runs"]["invalid"], "nothing is left to take back"


def test_taking_back_a_sending_needs_the_secrets(
    ranked: Any, secrets: LabelStudio, monkeypatch: pytest.MonkeyPatch
) -> None:
    execute("send_batch", ranked, run="next")
    monkeypatch.delenv("FIFTYONE_LABELSTUDIO_API_KEY")
    assert form("manage_runs", ranked, action="undo")["secrets"]["invalid"]


def test_a_fetch_that_broke_off_can_be_finished_in_the_app(
    ranked: Any, secrets: LabelStudio, monkeypatch: pytest.MonkeyPatch
) -> None:
    import fiftyone as fo
    from fiftyone.operators.executor import ExecutionError

    def dying(*_: Any, **__: Any) -> None:
        raise ConnectionError("the database went away")

    execute("send_batch", ranked, run="next")
    choose(secrets, sent_tasks(secrets, ranked)["b"], "cat")
    assert "resume" not in choices(form("manage_runs", ranked)["action"])
    with monkeypatch.context() as patch:
        patch.setattr(fo.Dataset, "set_values", dying)
        with pytest.raises(ExecutionError, match="labelnext resume"):
            execute("fetch_annotations", ranked, field="labels")
    assert "resume" in choices(form("manage_runs", ranked)["action"])
    assert "finishes the labels" in form("manage_runs", ranked, action="resume")["last"]["default"]
    execute("manage_runs", ranked, action="resume")
    ranked.reload()
    assert names(ranked.exists("labels")) == ["b"]


def test_further_fields_and_attributes_are_offered_where_there_are_any(
    ranked: Any, secrets: LabelStudio
) -> None:
    import fiftyone as fo

    assert not {"fields", "attributes"} & set(form("send_batch", ranked))
    first = ranked.first()
    first["weather"] = fo.Classification(label="fog")
    first.save()
    inputs = form("send_batch", ranked, fields=["weather"])
    assert set(choices(inputs["fields"])) == {"weather"}
    assert "Create the project" in inputs["preview"]["default"]
    assert "with 2 labels" in inputs["preview"]["default"]

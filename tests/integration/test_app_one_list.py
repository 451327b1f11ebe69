"""Runs of the App and of the command line are one list: each undoes and resumes the other's."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from unittest import mock

import pytest

import labelnext
from labelnext.cli import app
from labelnext.errors import Unavailable, WriteFailed
from labelnext.journal.lock import only_run
from labelnext.runs.undo import resume, runs, undo
from labelnext_adapters.fiftyone.write.performer import FiftyOnePerformer
from tests.integration.app import execute, form, panel, part
from tests.integration.test_app_form import classified

pytest_plugins = ("tests.integration.mongod",)

CHOSEN = {"pred_field": "pred", "labelled": "nothing", "acquisition": "margin", "method": "top_k"}


@pytest.fixture
def pictures(plugins: Path, dataset: Any) -> Any:
    """Three samples with predictions."""
    import fiftyone as fo

    dataset.default_classes = ["no", "yes"]
    rows = classified([0.9, 0.1], [0.5, 0.5], [0.7, 0.3])
    dataset.add_samples([fo.Sample(f"/{i}.png", pred=p) for i, p in enumerate(rows)])
    return dataset


@pytest.fixture
def config(pictures: Any, tmp_path: Path) -> Path:
    """A configuration whose journals are in a folder of its own."""
    path = tmp_path / "labelnext.yaml"
    source = f"{{adapter: fiftyone, dataset: {pictures.name}, pred_field: pred}}"
    path.write_text(f"source: {source}\nreport: {{path: null}}\nwrite: {{run: ours}}\n")
    return path


def broken(self: Any, *of: Any) -> None:
    raise RuntimeError("the power went")


def test_the_app_takes_back_what_the_command_line_ran(pictures: Any, config: Path) -> None:
    labelnext.run(config)
    pictures.reload()
    assert (
        "takes back the ranking ours"
        in form("manage_runs", pictures, action="undo")["last"]["default"]
    )
    done = execute("manage_runs", pictures, action="undo").result["done"]
    assert "Took back the ranking ours" in done
    pictures.reload()
    assert not pictures.has_sample_field("ours")
    assert [journal.status for journal in runs(config)] == ["undone"]


def test_the_command_line_takes_back_what_the_app_ran(
    pictures: Any, config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    labelnext.run(config)
    execute("rank_samples", pictures, **CHOSEN, budget=2, run="theirs")
    app(["runs", str(config)], standalone_mode=False)
    listed = [line.split("\t") for line in capsys.readouterr().out.splitlines()]
    assert [(row[1], row[-2], row[-1]) for row in listed] == [
        ("run", pictures.name, "ours"), ("run", pictures.name, "theirs"),
    ]  # fmt: skip
    app(["undo", str(config)], standalone_mode=False)  # the newest of both, and it says which
    theirs = runs(config)[1].run_id
    said = f"Undid run {theirs}, which wrote theirs to {pictures.name}.\n"
    assert capsys.readouterr().out == said
    journal, _ = undo(config)
    assert journal.plan.run == "ours"
    pictures.reload()
    assert pictures.list_runs() == []
    assert "no_runs" in form("manage_runs", pictures)


def test_the_app_finishes_what_the_command_line_began(pictures: Any, config: Path) -> None:
    with (
        mock.patch.object(FiftyOnePerformer, "_write", broken),
        pytest.raises((WriteFailed, RuntimeError)),
    ):
        labelnext.run(config)
    pictures.reload()
    assert "resume" in form("manage_runs", pictures)["action"]["type"]["values"]
    assert "Finished" in execute("manage_runs", pictures, action="resume").result["done"]
    pictures.reload()
    assert pictures.exists("ours.rank").count() == 3


def test_the_panel_says_what_was_interrupted_until_it_is_finished(
    pictures: Any, config: Path
) -> None:
    with mock.patch.object(FiftyOnePerformer, "_write", broken), pytest.raises(RuntimeError):
        labelnext.run(config)
    pictures.reload()
    ctx, parts = panel(pictures)
    said = parts["interrupted"]["view"]["description"]
    assert said.startswith("The ranking ours, started ")
    assert said.endswith("UTC. It is only partly there: finish it, or take back what there is.")
    assert set(parts["endings"]["type"]["properties"]) == {"finish", "take_back"}
    assert set(parts) == {"interrupted", "endings", "run", "problem"}, "nothing of half a ranking"
    for method, action in (("on_finish", "resume"), ("on_take_back", "undo")):
        getattr(part("label_next"), method)(ctx)
        assert ctx.executor._requests[-1].params["params"] == {"action": action}
    (journal,) = runs(config)
    with only_run(journal.path.parent):  # it isn't interrupted, but at work
        assert "interrupted" not in panel(pictures)[1]
    execute("manage_runs", pictures, action="resume")
    pictures.reload()
    _, parts = panel(pictures)
    assert "interrupted" not in parts
    assert "3 ranked samples" in parts["text"]["default"]


def test_what_is_half_taken_back_can_only_be_taken_back(pictures: Any, config: Path) -> None:
    labelnext.run(config)
    stopped = mock.patch.object(FiftyOnePerformer, "_restore_scores", broken)
    with stopped, pytest.raises(RuntimeError):
        undo(config)
    pictures.reload()
    _, parts = panel(pictures)
    assert parts["interrupted"]["view"]["description"].endswith("UTC. Take back the rest.")
    assert set(parts["endings"]["type"]["properties"]) == {"take_back"}
    assert "resume" not in form("manage_runs", pictures)["action"]["type"]["values"]
    execute("manage_runs", pictures, action="undo")
    pictures.reload()
    assert set(panel(pictures)[1]) == {"empty", "rank"}


def test_the_command_line_finishes_what_the_app_began(pictures: Any, config: Path) -> None:
    with (
        mock.patch.object(FiftyOnePerformer, "_write", broken),
        pytest.raises(Exception, match="interrupted|power|journal"),
    ):
        execute("rank_samples", pictures, **CHOSEN, budget=2, run="theirs")
    assert resume(config).plan.run == "theirs"
    pictures.reload()
    assert pictures.exists("theirs.rank").count() == 3


def test_another_configuration_s_run_stays_its_own(pictures: Any, config: Path) -> None:
    labelnext.run(config)
    other = config.parent / "other" / "labelnext.yaml"
    other.parent.mkdir()
    other.write_text(config.read_text().replace("ours", "others"))
    assert runs(other) == []
    labelnext.run(other)
    assert [journal.plan.run for journal in runs(other)] == ["others"]
    assert [journal.plan.run for journal in runs(config)] == ["ours"]


def test_runs_of_a_dataset_that_was_renamed_can_be_taken_back(pictures: Any, config: Path) -> None:
    name = pictures.name
    execute("rank_samples", pictures, **CHOSEN, budget=1, run="theirs")
    labelnext.run(config)
    pictures.reload()
    pictures.name = f"{name}-renamed"
    try:
        # The command's, by its configuration with the new name; then the App's.
        config.write_text(config.read_text().replace(name, pictures.name))
        assert [journal.plan.run for journal in runs(config)] == ["theirs", "ours"]
        undo(config)
        pictures.reload()
        assert pictures.list_runs() == ["theirs"]
        execute("manage_runs", pictures, action="undo")
        pictures.reload()
        assert pictures.list_runs() == []
    finally:
        pictures.name = name


def test_a_renamed_dataset_s_runs_stay_with_their_configurations(
    pictures: Any, config: Path
) -> None:
    name = pictures.name
    other = config.parent / "other.yaml"  # with the same state folder
    other.write_text(config.read_text().replace("ours", "others"))
    labelnext.run(config)
    labelnext.run(other)
    pictures.reload()
    pictures.name = f"{name}-renamed"
    try:
        for path in (config, other):
            path.write_text(path.read_text().replace(name, pictures.name))
        assert [journal.plan.run for journal in runs(config)] == ["ours"]
        assert [journal.plan.run for journal in runs(other)] == ["others"]
        other.unlink()  # now its runs belong to any configuration that names the dataset
        assert [journal.plan.run for journal in runs(config)] == ["ours", "others"]
    finally:
        pictures.name = name


def test_a_second_configuration_with_a_dataset_s_new_name_has_its_run(
    pictures: Any, config: Path
) -> None:
    name = pictures.name
    labelnext.run(config)
    pictures.reload()
    pictures.name = f"{name}-renamed"
    after = config.parent / "after.yaml"
    after.write_text(config.read_text().replace(name, pictures.name))
    try:
        assert [journal.plan.run for journal in runs(after)] == ["ours"]
        undo(after)
        pictures.reload()
        assert pictures.list_runs() == []
    finally:
        pictures.name = name


def test_a_database_that_is_down_is_asked_once_for_many_runs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from labelnext_adapters.fiftyone.database import connection

    asked = []

    def down() -> str:
        asked.append(1)
        raise Unavailable("the database didn't answer.")

    monkeypatch.setattr(connection, "_answers", {})
    monkeypatch.setattr(connection, "reach_database", down)
    assert [connection.names_now({"0" * 24}) for _ in range(3)] == [set()] * 3
    assert len(asked) == 1

"""Several configurations, one state folder: each sees its own runs."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

import labelnext
from labelnext.config.config import load_config
from labelnext.errors import ConfigError, LabelnextWarning, NotFound
from labelnext.journal.journal import Journal
from labelnext.journal.plan import Plan
from labelnext.runs.belonging import origin_of
from labelnext.runs.run import explain
from labelnext.runs.status import status
from labelnext.runs.undo import resume, runs, to_undo, undo
from tests.unit.runs.test_one_frame import break_off

POOL = """{"item_id": "a", "probabilities": [0.6, 0.4]}
{"item_id": "b", "probabilities": [0.5, 0.5]}
"""


def configured(folder: Path, name: str, output: str) -> Path:
    (folder / "p.jsonl").write_text(POOL)
    path = folder / f"{name}.yaml"
    path.write_text(
        f"source: {{adapter: files, path: p.jsonl}}\nwrite: {{output: {output}}}\n"
        "report: {path: null}\n"
    )
    return path


def test_undo_takes_back_the_newest_run_of_its_own_configuration(tmp_path: Path) -> None:
    alpha, beta = (configured(tmp_path, name, f"{name}.csv") for name in ("alpha", "beta"))
    first = labelnext.run(alpha).run_id
    second = labelnext.run(beta).run_id
    assert [j.run_id for j in runs(alpha)] == [first]
    assert [j.run_id for j in runs(beta)] == [second]
    assert [j.config for j in runs(alpha, every=True)] == ["alpha.yaml", "beta.yaml"]
    assert [s.run_id for s in status(alpha).runs] == [first]
    assert to_undo(alpha).run_id == first
    undo(alpha)
    assert (tmp_path / "beta.csv").exists()
    assert not (tmp_path / "alpha.csv").exists()
    with pytest.raises(NotFound, match="this configuration has no run to undo") as caught:
        undo(alpha)
    assert "--all" in caught.value.hint


@pytest.mark.parametrize("end", [undo, resume], ids=["undo", "resume"])
def test_undo_and_resume_make_no_state_folder(tmp_path: Path, end: Any) -> None:
    alpha = configured(tmp_path, "alpha", "alpha.csv")
    labelnext.run(alpha)
    alpha.write_text(f"{alpha.read_text()}state: elsewhere\n")
    with pytest.raises(NotFound, match="has no run to .*elsewhere', which isn't there: if state"):
        end(alpha)
    assert not (tmp_path / "elsewhere").exists()


def test_one_output_of_two_configurations_is_named_and_undone_in_turn(tmp_path: Path) -> None:
    alpha, beta = (configured(tmp_path, name, "r.csv") for name in ("alpha", "beta"))
    first = labelnext.run(alpha).run_id
    dry = labelnext.run(beta, dry_run=True)
    with pytest.warns(LabelnextWarning, match=f"alpha.yaml also writes this file .run {first}"):
        report = labelnext.run(beta)
    (notice,) = [n for n in report.notices if n.code == "shared_target"]
    assert notice in dry.notices
    assert notice.message.startswith(f"alpha.yaml also writes this file (run {first})")
    told = f"the later run {report.run_id} of .*beta.yaml builds on it.*beta.yaml {report.run_id}"
    with pytest.raises(ConfigError, match=told):
        undo(alpha)
    undo(alpha, report.run_id)  # asked by name
    undo(alpha)
    assert not (tmp_path / "r.csv").exists()


@pytest.mark.parametrize("end", [undo, resume], ids=["undo", "resume"])
def test_a_run_asked_for_by_name_must_have_this_ranking_file(tmp_path: Path, end: Any) -> None:
    alpha, beta = (configured(tmp_path, name, f"{name}.csv") for name in ("alpha", "beta"))
    run_id = labelnext.run(alpha).run_id
    with pytest.raises(ConfigError, match="one of alpha.yaml, which wrote to .*name alpha.yaml"):
        end(beta, run_id)
    assert (tmp_path / "alpha.csv").exists()


def test_runs_of_python_code_belong_to_their_output(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    mine, other = (configured(tmp_path, name, f"{name}.csv") for name in ("mine", "other"))
    settings = {
        "source": {"adapter": "files", "path": "p.jsonl"},
        "write": {"output": "mine.csv"},
        "report": {"path": None},
    }
    run_id = labelnext.run(settings).run_id
    elsewhere = {**settings, "write": {"output": "elsewhere.csv"}}
    assert [j.run_id for j in runs(mine)] == [j.run_id for j in runs(settings)] == [run_id]
    assert runs(other) == runs(elsewhere) == []
    with pytest.raises(NotFound):
        undo(other)
    with pytest.raises(NotFound):
        undo(elsewhere)
    assert (tmp_path / "mine.csv").exists()
    undo(settings)
    assert not (tmp_path / "mine.csv").exists()


def of_python(output: str) -> dict[str, Any]:
    return {
        "source": {"adapter": "files", "path": "p.jsonl"},
        "write": {"output": output},
        "report": {"path": None},
    }


#: Who made a run, who asks, whether the ranking file is the same, and whose run it is.
WHOSE = [
    ("a file", "it", True, True),
    ("a file", "it", False, True),  # its output has changed since
    ("a file", "another file", True, False),  # named as one that shares the target
    ("a file", "another file", False, False),
    ("a file", "it, renamed", True, True),
    ("a file", "it, renamed", False, False),
    ("a file", "python", True, True),
    ("a file", "python", False, False),
    ("python", "a file", True, True),
    ("python", "a file", False, False),
    ("python", "python", True, True),
    ("python", "python", False, False),
]


@pytest.mark.parametrize("place", ["same platform", "another platform"])
@pytest.mark.parametrize(("maker", "asker", "same", "own"), WHOSE)
def test_whose_run_it_is(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    maker: str,
    asker: str,
    same: bool,
    own: bool,
    place: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    made_by: Any = configured(tmp_path, "maker", "r.csv")
    if maker == "python":
        made_by = of_python("r.csv")
    run_id = labelnext.run(made_by).run_id
    output = "r.csv" if same else "other.csv"
    if asker == "it, renamed":
        made_by.unlink()
    asked: Any = of_python(output)
    if asker != "python":
        asked = configured(tmp_path, "maker" if asker == "it" else "asker", output)
    if place == "another platform":
        move(tmp_path / ".labelnext", {"adapter": "files", "url": "http://elsewhere:80"})
        own = False
    assert [j.run_id for j in runs(asked)] == [run_id] * own
    assert [j.run_id for j in runs(asked, every=True)] == [run_id]
    if own:
        assert undo(asked)[0].run_id == run_id
    else:
        with pytest.raises(NotFound):
            undo(asked)
    assert (tmp_path / "r.csv").exists() != own


def move(state: Path, place: dict[str, str]) -> None:
    """Let the journal of the only run say that it wrote to another place."""
    (journal,) = runs(of_python("r.csv"), every=True)
    header, *rest = journal.path.read_text().splitlines(keepends=True)
    told = json.loads(header)
    told["origin"]["place"] = place
    journal.path.write_text(json.dumps(told, separators=(",", ":")) + "\n" + "".join(rest))


@pytest.mark.parametrize("maker", ["a file", "python"])
def test_an_earlier_run_of_python_code_can_be_undone_unless_a_later_one_wrote_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, maker: str
) -> None:
    monkeypatch.chdir(tmp_path)
    later: dict[str, Any] = {}
    for output in ("r.csv", "other.csv"):
        path = configured(tmp_path, output, output)
        later[output] = path if maker == "a file" else of_python(output)
    first = labelnext.run(of_python("r.csv")).run_id
    labelnext.run(later["other.csv"])
    assert undo(of_python("r.csv"))[0].run_id == first
    assert not (tmp_path / "r.csv").exists()
    first = labelnext.run(of_python("r.csv")).run_id
    labelnext.run(later["r.csv"])
    with pytest.raises(ConfigError, match="the later run .* builds on it"):
        undo(of_python("r.csv"), first)


@pytest.mark.parametrize(
    ("maker", "output", "message"),
    [
        ("a file", "r.csv", "run RUN was interrupted earlier; this run overwrites what it left"),
        (
            "a file",
            "other.csv",
            "run RUN was interrupted earlier and left r.csv unfinished, which this run doesn't "
            "write; resume or undo it.",
        ),
        ("python", "r.csv", "run RUN was interrupted earlier; this run overwrites what it left"),
        ("python", "other.csv", None),
    ],
)
def test_a_broken_run_is_named_by_what_it_left(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    maker: str,
    output: str,
    message: str | None,
) -> None:
    monkeypatch.chdir(tmp_path)
    config = configured(tmp_path, "mine", "r.csv")
    break_off(of_python("r.csv") if maker == "python" else config, monkeypatch)
    (broken,) = runs(config, every=True)
    report = labelnext.run(configured(tmp_path, "mine", output))
    said = [n.message for n in report.notices if n.code == "broken_run"]
    assert len(said) == (message is not None)
    expected = (message or "").replace("RUN", broken.run_id).replace(" r.csv", f" {broken.target}")
    assert all(line.startswith(expected) for line in said)


def test_a_renamed_configuration_keeps_its_runs_and_a_copy_has_none(tmp_path: Path) -> None:
    alpha = configured(tmp_path, "alpha", "r.csv")
    run_id = labelnext.run(alpha).run_id
    copy = tmp_path / "copy.yaml"
    shutil.copy(alpha, copy)
    assert runs(copy) == []
    alpha.rename(tmp_path / "gamma.yaml")
    assert [j.run_id for j in runs(tmp_path / "gamma.yaml")] == [run_id]
    undo(tmp_path / "gamma.yaml")
    assert not (tmp_path / "r.csv").exists()


def test_a_run_of_another_project_is_refused_even_by_name(tmp_path: Path) -> None:
    alpha = configured(tmp_path, "alpha", "r.csv")
    run_id = labelnext.run(alpha).run_id
    journal = runs(alpha)[-1].path
    header, *rest = journal.read_text().splitlines(keepends=True)
    told = json.loads(header)
    told["origin"]["place"] = {"adapter": "label-studio", "url": "http://one:80", "project": "1"}
    journal.write_text(json.dumps(told, separators=(",", ":")) + "\n" + "".join(rest))
    with pytest.raises(NotFound):
        undo(alpha)
    with pytest.raises(ConfigError, match="must be of a project, dataset or file that this conf"):
        undo(alpha, run_id)
    assert (tmp_path / "r.csv").exists()


@pytest.mark.parametrize("copied", [False, True], ids=["moved", "copied"])
def test_a_moved_or_copied_run_is_said_to_have_written_where_its_file_lies_now(
    tmp_path: Path, copied: bool
) -> None:
    (old := tmp_path / "old").mkdir()
    labelnext.run(configured(old, "alpha", "r.csv"))
    new = tmp_path / "new"
    (shutil.copytree if copied else shutil.move)(old, new)

    (journal,) = runs(new / "alpha.yaml")
    assert journal.target == str(new / "r.csv")
    undone, _ = undo(new / "alpha.yaml")

    assert undone.target == str(new / "r.csv")
    assert not (new / "r.csv").exists()
    assert (old / "r.csv").exists() == copied


@pytest.mark.parametrize("what", ["send", "fetch", "push"])
def test_what_wrote_no_ranking_keeps_the_target_that_it_wrote_to(tmp_path: Path, what: str) -> None:
    path = configured(tmp_path, "alpha", "r.csv")
    path.write_text(path.read_text() + "send: {adapter: fiftyone, dataset: street}\n")
    details = {"what": what, **origin_of(load_config(path), what)}
    plan = Plan("fiftyone", "labelnext", "street", ())
    assert Journal.create(tmp_path / ".labelnext", plan, details=details).target == "street"


def test_a_run_through_a_link_keeps_the_name_that_it_was_given(tmp_path: Path) -> None:
    (tmp_path / "far.csv").write_text("")
    (tmp_path / "r.csv").symlink_to("far.csv")
    labelnext.run(configured(tmp_path, "alpha", "r.csv"))
    (journal,) = runs(tmp_path / "alpha.yaml")
    assert journal.target == str(tmp_path / "r.csv")


def test_undo_names_what_it_could_not_read(tmp_path: Path) -> None:
    labelnext.run(configured(tmp_path, "alpha", "r.csv"))
    (journal,) = (tmp_path / ".labelnext").glob("*.jsonl")
    journal.write_text(journal.read_text()[:100])
    with pytest.raises(NotFound, match="has no run to undo") as caught:
        undo(tmp_path / "alpha.yaml")
    assert journal.name in caught.value.hint


def test_status_says_whether_the_newest_run_read_what_is_there_now(tmp_path: Path) -> None:
    alpha, beta = (configured(tmp_path, name, f"{name}.csv") for name in ("alpha", "beta"))
    assert (status(alpha).newest, status(alpha).unchanged) == (None, None)
    assert json.loads(status(alpha).to_json())["unchanged"] is None
    run_id = labelnext.run(alpha).run_id
    assert (status(alpha).newest, status(alpha).unchanged) == (run_id, True)
    assert status(beta).unchanged is None
    (tmp_path / "p.jsonl").write_text(POOL.replace("0.6, 0.4", "0.7, 0.3"))
    assert (status(alpha).newest, status(alpha).unchanged) == (run_id, False)
    assert explain(alpha, "a").changes[-1].startswith("predictions or labels have changed since")


def test_explain_needs_no_runs_of_another_user(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    alpha = configured(tmp_path, "alpha", "r.csv")
    labelnext.run(alpha)
    where = explain(alpha, "b").status
    listdir = os.listdir

    def refused(path: Any) -> list[str]:
        if Path(path).name == ".labelnext":
            raise PermissionError(13, "Permission denied", str(path))
        return listdir(path)

    monkeypatch.setattr("os.listdir", refused)
    assert explain(alpha, "b").status == where
    with pytest.raises(ConfigError, match="state must be a folder that can be read"):
        runs(alpha)

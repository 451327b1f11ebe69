"""push: matched by id, journaled, listed, undone; and what is left out."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from labelnext.adapter import Context
from labelnext.adapter.predicted import check_one_version, rows_there
from labelnext.cli import app
from labelnext.errors import InvalidInput, Unavailable, UnknownName, WriteFailed
from labelnext.journal.carry_out import carry_out
from labelnext.pool import Pool
from labelnext.runs.push import push
from labelnext.runs.undo import resume, runs, undo
from tests.contract.minimal_adapter import MinimalAdapter, MinimalSource, MinimalWrite, load


@pytest.fixture
def config(tmp_path: Path) -> Path:
    items: dict[str, Any] = {item: {} for item in "abc"}
    kinds = ("runs", "object_scores", "labels", "tasks", "queues", "versions")
    data = {"id": "f00d", "classes": ["yes", "no"], "items": items, **{k: {} for k in kinds}}
    (tmp_path / "platform.json").write_text(json.dumps(data))
    path = tmp_path / "c.yaml"
    path.write_text("source: {adapter: files, path: p.csv}\nreport: {path: null}\n")
    return path


@pytest.fixture
def platform(config: Path) -> MinimalAdapter:
    source = MinimalSource(path=config.parent / "platform.json")
    return MinimalAdapter(source, MinimalWrite(), Context())


def predictions(config: Path, text: str) -> Path:
    path = config.parent / "new.csv"
    path.write_text(text)
    return path


def stored(config: Path) -> Any:
    return load(config.parent / "platform.json")["versions"]


def test_predictions_are_matched_by_id_and_the_rest_is_named(
    config: Path, platform: MinimalAdapter
) -> None:
    text = "item_id,p_yes,p_no\nb,0.25,0.75\nz,0.5,0.5\na,1,0\nc,,\n"
    result = push(config, predictions(config, text), "v8", adapter=platform)
    assert stored(config) == {"v8": {"a": {"yes": 1.0, "no": 0.0}, "b": {"yes": 0.25, "no": 0.75}}}
    assert result.counts == {"in the file": 4, "stored": 2}
    said = [notice.message for notice in result.notices]
    where = config.parent / "platform.json"
    assert f"1 prediction is of no item in {where}: z." in said
    assert "1 item of the file without a prediction: c." in said


def test_dry_run_stores_nothing_and_undo_takes_a_push_back(
    config: Path, platform: MinimalAdapter
) -> None:
    path = predictions(config, "id,p_yes,p_no\nb,0.25,0.75\n")
    planned = push(config, path, "v8", key="id", adapter=platform, dry_run=True)
    assert (planned.counts, planned.steps) == (
        {"in the file": 1, "to store": 1},
        ("Store predictions of 1 items",),
    )
    assert (stored(config), runs(config)) == ({}, [])
    push(config, path, "v8", key="id", adapter=platform)
    assert [(journal.what, journal.status) for journal in runs(config)] == [("push", "done")]
    undo(config, adapter=platform)
    assert stored(config) == {}


def test_a_push_beside_a_probe_says_that_runs_go_by_the_probe(
    config: Path, platform: MinimalAdapter
) -> None:
    config.write_text("source: {adapter: files, path: p.csv, model: probe}\n")
    path = predictions(config, "item_id,p_yes,p_no\nb,0.25,0.75\n")
    result = push(config, path, "v8", adapter=platform)
    assert result.next_steps == (
        "Runs rank by the probe; without source.model, they rank by stored predictions.",
    )


def test_push_that_broke_off_can_be_resumed(
    config: Path, platform: MinimalAdapter, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> None:
        raise Unavailable("the server does not answer.")

    pool = Pool(["a"], probabilities=[[0.5, 0.5]], classes=["yes", "no"])
    with monkeypatch.context() as patch:
        patch.setattr(sys.modules[carry_out.__module__], "perform_step", away)
        with pytest.raises(WriteFailed, match="stopped at step 1 of 1"):
            push(config, pool, "v8", adapter=platform)
    assert stored(config) == {}
    resume(config, adapter=platform)
    assert stored(config) == {"v8": {"a": {"yes": 0.5, "no": 0.5}}}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("item_id,p_yes,p_no\na,1.75,-0.75\n", "probabilities must be in [0, 1]; got 1.75"),
        ("item_id,yes,no\na,1.5,-0.5\nb,2.5,-1\n", "none. No column was taken as predictions"),
    ],
)
def test_a_hint_names_only_what_a_push_can_set(
    config: Path, platform: MinimalAdapter, text: str, said: str
) -> None:
    with pytest.raises(InvalidInput) as caught:
        push(config, predictions(config, text), "v8", adapter=platform)
    assert said in caught.value.message
    assert str(caught.value.hint).startswith("a push knows no options of source: write a table")


def test_half_a_file_is_to_be_written_again(config: Path, platform: MinimalAdapter) -> None:
    half = config.with_name("half.parquet")
    half.write_bytes(b"PAR1 and no more")
    with pytest.raises(InvalidInput) as caught:
        push(config, half, "v8", adapter=platform)
    assert str(caught.value.hint).startswith("write the file again; a push knows no options of")


def test_a_push_that_stores_nothing_promises_nothing(
    config: Path, platform: MinimalAdapter
) -> None:
    path = predictions(config, "item_id,p_yes,p_no\na,,\nz,1,0\n")
    result = push(config, path, "v8", adapter=platform)
    assert (result.counts["stored"], result.next_steps) == (0, ())
    assert result.nothing.startswith("Nothing to store: no prediction of the file can be stored in")


def test_adapter_that_takes_none_is_named(config: Path) -> None:
    (config.parent / "p.csv").write_text("item_id,p_a,p_b\nx,0.9,0.1\n")
    with pytest.raises(UnknownName, match="must be able to take predictions; 'files' can't") as e:
        push(config, config.parent / "p.csv", "v8")
    assert e.value.hint == (
        "adapters that can: fiftyone, label-studio. Files are read anew in each run: name the file "
        "in source.path."
    )


def test_command_needs_a_version(config: Path) -> None:
    answer = CliRunner().invoke(app, ["push", str(config), "p.csv"])
    assert answer.exit_code == 2
    assert "--version" in answer.stderr


def test_no_ids_in_common_say_what_the_ids_are() -> None:
    pool = Pool(["x", "y"], probabilities=[[0.5, 0.5]] * 2)
    with pytest.raises(InvalidInput) as caught:
        rows_there(pool, {"1": 1, "2": 2}, "project 7", "task")
    assert caught.value.message == (
        "the predictions must have ids of project 7; none of 2 is a task: x, y; project 7 has 1, 2."
    )


def test_ids_with_a_decimal_point_are_told_from_another_key() -> None:
    pool = Pool(["1.0", "2.0"], probabilities=[[0.5, 0.5]] * 2)
    with pytest.raises(InvalidInput, match="none of 2 is a task") as caught:
        rows_there(pool, {"1": 1, "2": 2}, "project 7", "task")
    assert "write the ids as whole numbers" in str(caught.value.hint)


def test_several_versions_or_none_are_refused() -> None:
    several = Pool(["x"], probabilities=[[[0.5, 0.5]], [[0.75, 0.25]]], versions=["m1", "m2"])
    with pytest.raises(InvalidInput, match="must be of one model version; got 2: m1, m2"):
        check_one_version(several)
    with pytest.raises(InvalidInput, match="must hold class probabilities"):
        check_one_version(Pool(["x"]))
    check_one_version(Pool(["x"], probabilities=[[0.5, 0.5]]))

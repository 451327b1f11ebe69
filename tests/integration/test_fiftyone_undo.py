"""A run on FiftyOne is taken back, finished after it broke off, or deleted, without a trace."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from labelnext.adapter import open_adapter
from labelnext.errors import ConfigError, WriteFailed, WriteRefused
from labelnext.journal import Journal
from labelnext.ranking import rank
from labelnext_adapters.fiftyone.write.manage import delete_run, what_stays
from tests.integration.fiftyone_runs import (
    ORDER,
    documents,
    fill,
    names,
    opened,
    state,
    write,
    write_ranking,
)

pytest_plugins = ("tests.integration.mongod",)


@pytest.fixture
def filled(dataset: Any) -> Any:
    """Five samples; the fifth has no prediction."""
    return fill(dataset)


def test_undo_leaves_no_trace(filled: Any, tmp_path: Path) -> None:
    before = state(filled)
    journal = write(filled, tmp_path)
    assert opened(filled).undo(Journal(journal.path)) == []
    assert state(filled) == before


@pytest.mark.parametrize("named", ["before", "now"])
def test_a_dataset_that_was_renamed_is_found_by_its_id(
    filled: Any, tmp_path: Path, named: str
) -> None:
    before, name = state(filled), filled.name
    journal = write(filled, tmp_path)
    filled.name = f"{name}-renamed"
    dataset = name if named == "before" else filled.name
    adapter = open_adapter("fiftyone", dataset=dataset, pred_field="pred", write={"run": "next"})
    try:
        assert adapter.undo(Journal(journal.path)) == []
    finally:
        filled.name = name
    assert state(filled) == before


def test_a_dataset_is_found_by_its_id_after_another_one_took_its_name(
    filled: Any, tmp_path: Path
) -> None:
    import fiftyone as fo

    before, name = state(filled), filled.name
    journal = write(filled, tmp_path)
    filled.name = f"{name}-old"
    other = fill(fo.Dataset(name))
    try:
        start = state(other)
        assert opened(other).undo(Journal(journal.path)) == []
        assert state(other) == start
    finally:
        other.delete()
        filled.name = name
    assert state(filled) == before


def test_a_journal_that_was_changed_to_name_another_dataset_is_refused(
    filled: Any, tmp_path: Path
) -> None:
    import fiftyone as fo

    other = fill(fo.Dataset(f"{filled.name}-other"))
    try:
        start = state(filled)
        journal = write(filled, tmp_path)
        write(other, tmp_path)
        before, text = state(other), journal.path.read_text()
        ours, others = str(filled._doc.id), str(other._doc.id)
        assert ours in text
        journal.path.write_text(text.replace(ours, others))
        changed = Journal(journal.path)
        for do in (opened(filled).undo, lambda j: opened(filled).apply(j.plan, j)):
            with pytest.raises(ConfigError, match="which the configuration names; its journal"):
                do(changed)
        assert state(other) == before
        journal.path.write_text(text.replace(ours, "no id"))
        with pytest.raises(WriteRefused, match="isn't the one"):
            opened(filled).undo(Journal(journal.path))
        journal.path.write_text(text)
        assert opened(filled).undo(Journal(journal.path)) == []
        assert state(filled) == start
    finally:
        other.delete()


def test_undo_of_a_second_run_brings_back_the_first(filled: Any, tmp_path: Path) -> None:
    write(filled, tmp_path)
    before = state(filled)
    adapter = opened(filled)
    journal = write_ranking(adapter, rank(adapter.read(), "margin", budget=3), tmp_path)
    filled.reload()
    assert names(filled.load_saved_view("next-batch")) == ORDER[:3]
    assert names(filled.load_run_view("next")) == ORDER[:3]
    adapter.undo(Journal(journal.path))
    assert state(filled) == before
    assert names(filled.load_run_view("next")) == ORDER[:2]


WRITE = """
import sys
from pathlib import Path
import fiftyone as fo
from tests.integration.fiftyone_runs import write
write(fo.load_dataset(sys.argv[1]), Path(sys.argv[2]), budget=1)
"""


@pytest.mark.parametrize("planned", ["before", "after"])
def test_a_run_that_another_process_wrote_meanwhile_comes_back(
    filled: Any, tmp_path: Path, mongod_uri: str, planned: str
) -> None:
    before = state(filled)
    adapter = opened(filled)
    ranking = rank(adapter.read(), "margin", budget=2)
    plan = adapter.plan(ranking)
    command = [sys.executable, "-W", "ignore", "-c", WRITE, filled.name, str(tmp_path / "other")]
    env = {**os.environ, "FIFTYONE_DATABASE_URI": mongod_uri}
    subprocess.run(command, env=env, check=True, capture_output=True)
    assert filled.list_runs() == ["other"], "nobody has read the dataset anew"
    theirs = documents(filled)
    journal = Journal.create(tmp_path, plan if planned == "before" else adapter.plan(ranking))
    adapter.apply(journal.plan, journal)
    assert names(filled.load_saved_view("next-batch")) == ORDER[:2]
    adapter.undo(Journal(journal.path))
    filled.reload()
    assert names(filled.load_saved_view("next-batch")) == ORDER[:1]
    assert names(filled.load_run_view("next")) == ORDER[:1]
    assert documents(filled) == theirs
    (earlier,) = (tmp_path / "other").glob("*.jsonl")
    adapter.undo(Journal(earlier))
    assert state(filled) == before


def test_undo_of_an_older_run_is_refused(filled: Any, tmp_path: Path) -> None:
    first = write(filled, tmp_path)
    second = write(filled, tmp_path)
    before = state(filled)
    with pytest.raises(WriteRefused, match=second.run_id):
        opened(filled).undo(first)
    assert state(filled) == before


class Broken(Exception):
    """The process dies here."""


@pytest.mark.parametrize("again", [False, True])
@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("step", range(4))
def test_a_run_that_broke_off_can_be_resumed_and_undone(
    filled: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    step: int,
    moment: str,
    again: bool,
) -> None:
    from labelnext_adapters.fiftyone.write.performer import FiftyOnePerformer

    if again:
        write(filled, tmp_path / "earlier", budget=1)
    before = state(filled)
    adapter = opened(filled)
    plan = adapter.plan(rank(adapter.read(), "margin", budget=2))
    journal = Journal.create(tmp_path, plan)
    perform = FiftyOnePerformer.perform

    def breaking(self: FiftyOnePerformer, current: Any) -> None:
        if plan.steps.index(current) == step and moment == "before":
            raise Broken
        perform(self, current)
        if plan.steps.index(current) == step:
            raise Broken

    with monkeypatch.context() as patch:
        patch.setattr(FiftyOnePerformer, "perform", breaking)
        with pytest.raises(Broken):
            adapter.apply(plan, journal)
    resumed = Journal(journal.path)
    assert resumed.status == "broken"
    opened(filled).apply(resumed.plan, resumed)
    assert names(filled.load_saved_view("next-batch")) == ORDER[:2]
    assert names(filled.load_saved_view("next-all")) == ORDER
    assert filled.get_run_info("next").config.journal == journal.run_id
    opened(filled).undo(Journal(journal.path))
    assert state(filled) == before


def test_a_broken_run_can_be_undone_without_resuming(
    filled: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import labelnext_adapters.fiftyone.write.performer as module

    before = state(filled)
    adapter = opened(filled)
    plan = adapter.plan(rank(adapter.read(), "margin", budget=2))
    journal = Journal.create(tmp_path, plan)

    def failing(*_: object) -> None:
        raise ConnectionError("gone")

    monkeypatch.setattr(module, "save_views", failing)
    with pytest.raises(WriteFailed, match="step 4 of 4"):
        adapter.apply(plan, journal)
    opened(filled).undo(Journal(journal.path))
    assert state(filled) == before


def test_undo_says_that_a_renamed_field_stays(filled: Any, tmp_path: Path) -> None:
    before = filled.list_saved_views(), filled.list_runs()
    journal = write(filled, tmp_path)
    filled.reload()
    filled.rename_sample_field("next", "kept")
    assert opened(filled).undo(Journal(journal.path)) == ["Kept field kept, which was next."]
    filled.reload()
    assert filled.has_sample_field("kept")
    assert (filled.list_saved_views(), filled.list_runs()) == before


@pytest.mark.parametrize("part", ["batch", "all"])
@pytest.mark.parametrize("how", ["undo", "delete"])
def test_saved_views_that_were_renamed_stay_and_are_named(
    filled: Any, tmp_path: Path, part: str, how: str
) -> None:
    journal = write(filled, tmp_path)
    write(filled, tmp_path, run="second")
    filled.reload()
    filled.update_saved_view_info(f"next-{part}", {"name": "Keep this"})
    kept = f"saved view Keep this, which was next-{part}"
    if how == "undo":
        assert opened(filled).undo(Journal(journal.path)) == [f"Kept {kept}."]
    else:
        assert what_stays(filled, "next") == [kept]
        assert what_stays(filled, "second") == []
        assert not any("next-" + part in gone for gone in delete_run(filled, "next"))
    filled.reload()
    assert sorted(filled.list_saved_views()) == ["Keep this", "mine", "second-all", "second-batch"]


def test_deleting_a_run_says_that_a_renamed_field_stays(filled: Any, tmp_path: Path) -> None:
    write(filled, tmp_path)
    filled.reload()
    filled.rename_sample_field("next", "kept")
    assert what_stays(filled, "next") == ["field kept, which was next"]
    assert not any("field" in gone for gone in delete_run(filled, "next"))
    filled.reload()
    assert filled.has_sample_field("kept")


def test_a_field_that_somebody_made_read_only_is_neither_written_nor_deleted(
    filled: Any, tmp_path: Path
) -> None:
    before = state(filled)
    journal = write(filled, tmp_path)
    for read_only in (True, False):
        filled.reload()
        field = filled.get_field("next")
        field.read_only = read_only
        field.save()
        if read_only:
            with pytest.raises(WriteRefused, match="field next .* must be writable"):
                write(filled, tmp_path)
            with pytest.raises(WriteRefused, match="field next .* must be writable"):
                opened(filled).undo(Journal(journal.path))
    assert opened(filled).undo(Journal(journal.path)) == []
    assert state(filled) == before


def test_samples_that_were_deleted_during_a_run_are_told(filled: Any, tmp_path: Path) -> None:
    adapter = opened(filled)
    plan = adapter.plan(rank(adapter.read(), budget=2))
    filled.delete_samples(filled.match({"name": ORDER[0]}).values("id"))
    journal = Journal.create(tmp_path, plan)
    adapter.apply(plan, journal)
    assert journal.remarks == ("Skipped 1 item deleted meanwhile.",)


@pytest.mark.parametrize(
    ("kind", "gone"), [("scores", "custom run next"), ("index", "field next"), ("views", "next")]
)
def test_what_is_deleted_during_a_run_is_named_and_the_rest_taken_back(
    filled: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, gone: str
) -> None:
    from labelnext_adapters.fiftyone.write.performer import FiftyOnePerformer

    before = state(filled)
    perform = FiftyOnePerformer.perform

    def deleted(self: FiftyOnePerformer, step: Any) -> None:
        if step.kind == kind and gone.startswith("field"):
            filled.delete_sample_field("next")
        elif step.kind == kind:
            filled.delete_run("next")
        filled.reload()
        perform(self, step)

    monkeypatch.setattr(FiftyOnePerformer, "perform", deleted)
    named = f"{gone} of .* must still be there; somebody deleted"
    with pytest.raises(WriteFailed, match=named) as caught:
        write(filled, tmp_path)
    hint = str(caught.value.hint)
    assert hint.startswith("undo it with ")
    assert hint.endswith(", then run again.")
    monkeypatch.undo()
    (path,) = tmp_path.glob("*.jsonl")
    assert opened(filled).undo(Journal(path)) == []
    assert state(filled) == before


def test_views_of_a_run_that_was_unregistered_are_still_ours(filled: Any, tmp_path: Path) -> None:
    import fiftyone.core.runs as fors

    before = state(filled)
    first = write(filled, tmp_path)
    filled.reload()
    fors.Run.delete_run(filled, "next", cleanup=False)  # as FiftyOne without labelnext does
    second = write(filled, tmp_path)
    for journal in (second, first):
        assert opened(filled).undo(Journal(journal.path)) == []
    assert state(filled) == before
    filled.save_view("next-batch", filled.limit(1), description="The next batch of mine.")
    with pytest.raises(WriteRefused, match="saved view 'next-batch' .* must be labelnext's own"):
        write(filled, tmp_path)


def test_a_deleted_dataset_is_refused(filled: Any) -> None:
    view = filled.limit(1)
    filled.delete()
    for gone in (filled, view):
        with pytest.raises(ConfigError, match=f"must exist; {filled.name} was deleted"):
            open_adapter("fiftyone", dataset=gone)


def test_deleting_the_run_in_fiftyone_cleans_up(filled: Any, tmp_path: Path) -> None:
    before = state(filled)
    write(filled, tmp_path)
    filled.delete_run("next")
    assert state(filled) == before

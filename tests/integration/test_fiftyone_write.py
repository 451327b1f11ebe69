"""A ranking goes into a real FiftyOne dataset, as one field, an index and two views."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from labelnext.adapter import open_adapter
from labelnext.errors import Busy, ConfigError, InvalidInput, NotFound, WriteFailed, WriteRefused
from labelnext.journal import Journal
from labelnext.ranking import Ranking, rank
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


def test_a_run_is_a_field_with_score_priority_and_rank(filled: Any, tmp_path: Path) -> None:
    write(filled, tmp_path)
    values = filled.values(["name", "next.rank", "next.priority", "next.score"])
    rows = {name: rest for name, *rest in zip(*values, strict=True)}
    assert [rows[n][0] for n in ORDER] == [1, 2, 3, 4]
    assert [rows[n][1] for n in ORDER] == [1.0, 0.75, 0.5, 0.25]
    np.testing.assert_allclose([rows[n][2] for n in ORDER], [0, 0.2, 0.4, 0.8], atol=1e-12)
    assert rows["e"] == [None, None, None]


def test_a_run_is_in_the_schema_with_bounds_and_an_index(filled: Any, tmp_path: Path) -> None:
    write(filled, tmp_path)
    schema = filled.get_field_schema(flat=True)
    assert {"next", "next.score", "next.priority", "next.rank"} <= schema.keys()
    assert filled.bounds("next.rank") == (1, 4)
    assert "next.rank" in filled.list_indexes()
    assert filled.list_runs(method="labelnext") == ["next"]


def test_the_saved_views_are_in_the_order_of_the_ranking(filled: Any, tmp_path: Path) -> None:
    write(filled, tmp_path)
    assert names(filled.load_saved_view("next-batch")) == ORDER[:2]
    assert names(filled.load_saved_view("next-all")) == ORDER


def test_fiftyone_loads_the_view_of_a_run(filled: Any, tmp_path: Path) -> None:
    write(filled, tmp_path)
    assert names(filled.load_run_view("next")) == ORDER[:2]
    shown = filled.load_run_view("next", select_fields=True)
    assert shown.has_field("next.rank")
    filled.rename_run("next", "later")
    assert names(filled.load_run_view("later")) == ORDER[:2]


def test_a_batch_too_long_for_a_list_is_a_view_by_rank(
    filled: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import labelnext_adapters.fiftyone.write.plan as module

    monkeypatch.setattr(module, "VIEW_LIMIT", 2)
    write(filled, tmp_path, budget=3)
    assert names(filled.load_saved_view("next-batch")) == ORDER[:3]


def test_samples_and_dataset_are_marked_as_modified(filled: Any, tmp_path: Path) -> None:
    before = dict(zip(*filled.values(["name", "last_modified_at"]), strict=True))
    write(filled, tmp_path)
    after = dict(zip(*filled.values(["name", "last_modified_at"]), strict=True))
    assert all(after[n] > before[n] for n in ORDER)
    assert after["e"] == before["e"]
    assert filled.last_modified_at.replace(tzinfo=None) >= max(after.values()).replace(tzinfo=None)


def test_without_a_key_samples_go_by_their_own_ids(filled: Any, tmp_path: Path) -> None:
    write(filled, tmp_path, key=None)
    assert names(filled.load_saved_view("next-batch")) == ORDER[:2]


def test_other_fields_stay_as_they_are(filled: Any, tmp_path: Path) -> None:
    before = documents(filled)
    write(filled, tmp_path)
    after = documents(filled)
    for row in after:
        row.pop("next", None)
    assert after == before


def test_a_plan_changes_nothing_and_is_data(filled: Any) -> None:
    before = state(filled)
    adapter = opened(filled)
    plan = adapter.plan(rank(adapter.read(), "margin", budget=2))
    assert json.loads(json.dumps(plan.to_dict())) == plan.to_dict() | {
        "steps": [json.loads(json.dumps(s)) for s in plan.to_dict()["steps"]]
    }
    assert [step.kind for step in plan.steps] == ["register", "scores", "index", "views"]
    assert filled.name in plan.next_steps[0]
    assert state(filled) == before


def test_an_empty_batch_is_not_to_be_opened(filled: Any, tmp_path: Path) -> None:
    write(filled, tmp_path)
    filled.set_values("said", ["cat"] * 5)
    adapter = opened(filled, gt_field="said")
    plan = adapter.plan(rank(adapter.read(), "margin", budget=2))
    assert plan.steps  # the ranks go
    assert [line for line in plan.next_steps if "App" in line] == []


def test_a_second_run_replaces_the_first(filled: Any, tmp_path: Path) -> None:
    import fiftyone as fo

    write(filled, tmp_path)
    ids = {v.name: v.id for v in filled._doc.get_saved_views()}
    untouched = [{**row, "next": None} for row in documents(filled)]
    d = filled.match({"name": "d"}).first()
    d["truth"] = fo.Classification(label="no")  # the first of the batch got its label
    d.save()
    write(filled, tmp_path, gt_field="truth")
    rows = dict(zip(*filled.values(["name", "next.rank"]), strict=True))
    assert rows == {"b": 1, "c": 2, "a": 3, "d": None, "e": None}
    assert names(filled.load_saved_view("next-batch")) == ["b", "c"]
    assert names(filled.load_saved_view("next-all")) == ["b", "c", "a"]
    filled.reload()
    assert {v.name: v.id for v in filled._doc.get_saved_views()} == ids
    after = [{**row, "next": None} for row in documents(filled)]
    assert [{k: v for k, v in row.items() if k != "truth"} for row in after] == untouched


def test_the_same_run_again_changes_nothing_but_the_journal(filled: Any, tmp_path: Path) -> None:
    write(filled, tmp_path)
    before = state(filled)
    write(filled, tmp_path)
    after = state(filled)
    assert {**after, "runs": None} == {**before, "runs": None}


def test_without_the_private_bulk_write_the_result_is_the_same(
    filled: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import fiftyone as fo

    write(filled, tmp_path)
    expected = documents(filled)
    filled.delete_run("next")
    from labelnext_adapters.fiftyone.write import performer as module

    monkeypatch.setattr(module, "bulk_writer", lambda *_: None)
    write(filled, tmp_path)
    assert documents(filled) == expected
    write(filled, tmp_path, view="mine")
    rows = dict(zip(*filled.values(["name", "next.rank"]), strict=True))
    assert rows == {"b": 1, "a": 2, "c": None, "d": None, "e": None}
    assert fo.dataset_exists(filled.name)


@pytest.mark.parametrize("what", ["field", "view", "slug", "run"])
def test_what_is_not_labelnext_s_is_never_overwritten(
    filled: Any, tmp_path: Path, what: str
) -> None:
    import fiftyone as fo

    if what == "field":
        filled.add_sample_field("next", fo.FloatField)
    elif what == "run":
        filled.register_run("next", filled.init_run(method="something"))
    else:
        filled.save_view("next-batch" if what == "view" else "Next Batch", filled.limit(1))
    before = state(filled)
    with pytest.raises(WriteRefused, match="must be labelnext's own; it is not"):
        write(filled, tmp_path)
    assert opened(filled).check()[-1].level == "error"
    assert state(filled) == before


def test_a_field_that_replaced_ours_is_not_deleted(filled: Any, tmp_path: Path) -> None:
    import fiftyone as fo

    journal = write(filled, tmp_path)
    filled.drop_index("next.rank")
    filled.delete_sample_field("next")
    filled.add_sample_field("next", fo.FloatField)
    with pytest.raises(WriteRefused, match="field next"):
        opened(filled).undo(journal)
    assert filled.has_sample_field("next")
    filled.delete_run("next")
    assert filled.has_sample_field("next")


@pytest.mark.parametrize(
    "run",
    ["a.b", "a$b", "_a", "1a", "a b", "", "save", "filename", "tags", "größe", "夜", "x" * 1000],
)
def test_a_run_that_cannot_be_a_field_is_refused(filled: Any, run: str) -> None:
    ranking = rank(opened(filled).read(), "margin")
    with pytest.raises((InvalidInput, ConfigError, WriteRefused), match="must (not )?be"):
        opened(filled, run=run).plan(ranking)


def test_the_longest_name_of_a_run_works(filled: Any, tmp_path: Path) -> None:
    before, run = state(filled), "x" * 100
    journal = write(filled, tmp_path, run=run)
    assert names(filled.load_saved_view(f"{run}-all")) == ORDER
    opened(filled, run=run).undo(Journal(journal.path))
    assert state(filled) == before


def test_nothing_left_to_rank_writes_nothing(dataset: Any) -> None:
    import fiftyone as fo

    dataset.add_sample_field("pred", fo.EmbeddedDocumentField, embedded_doc_type=fo.Classification)
    adapter = opened(dataset, key=None)
    plan = adapter.plan(rank(adapter.read(), "entropy"))
    assert plan.steps == ()


def test_a_run_with_nothing_left_clears_the_earlier_ranks(filled: Any, tmp_path: Path) -> None:
    write(filled, tmp_path)
    write_ranking(opened(filled), _nothing(), tmp_path)
    assert filled.count_values("next.rank") == {None: 5}
    assert names(filled.load_saved_view("next-batch")) == []
    assert names(filled.load_saved_view("next-all")) == []


def _nothing() -> Ranking:
    none = np.array([], dtype=np.str_)
    empty = np.array([])
    return Ranking(none, np.array([], dtype=np.int64), empty, empty, none, empty)


def test_a_ranking_of_other_samples_is_refused(filled: Any) -> None:
    ids = np.array(["a", "zz"])
    one = np.array([1.0, 0.5])
    foreign = Ranking(ids, np.array([1, 2]), one, one, ids, one)
    with pytest.raises(InvalidInput, match="1 are not: zz"):
        opened(filled).plan(foreign)


def test_a_ranking_without_scores_keeps_its_order(filled: Any, tmp_path: Path) -> None:
    ids = np.array(["c", "a"])
    nan = np.array([np.nan, np.nan])
    ranking = Ranking(ids, np.array([1, 2]), np.array([1.0, 0.5]), nan, ids, nan)
    write_ranking(opened(filled), ranking, tmp_path)
    assert names(filled.load_saved_view("next-batch")) == ["c", "a"]
    assert filled.count("next.score") == 0


def test_a_dataset_that_was_deleted_is_not_found(filled: Any, tmp_path: Path) -> None:
    import fiftyone as fo

    adapter = opened(filled)
    plan = adapter.plan(rank(adapter.read(), "margin"))
    fo.delete_dataset(filled.name)
    with pytest.raises(WriteFailed) as caught:
        adapter.apply(plan, Journal.create(tmp_path, plan))
    assert isinstance(caught.value.__cause__, NotFound)


def test_another_dataset_of_the_same_name_is_not_touched(filled: Any, tmp_path: Path) -> None:
    import fiftyone as fo

    journal = write(filled, tmp_path)
    name = filled.name
    fo.delete_dataset(name)
    other = fo.Dataset(name, persistent=True)
    before = state(other)
    with pytest.raises(WriteRefused, match="although it has the same name"):
        opened(other).undo(journal)
    assert state(other) == before


def test_check_says_what_there_is(filled: Any) -> None:
    findings = opened(filled, gt_field=None, label_tag="done").check()
    text = " ".join(f.message for f in findings)
    assert "5 samples in dataset" in text
    assert "4 of 5 samples have a prediction (Classification) in pred." in text
    assert "pred holds logits." in text
    assert "0 samples are labelled by the tag done." in text
    assert {f.level for f in findings} == {"ok"}
    assert findings[-1].message == "Run next can be written."


def test_check_names_a_missing_dataset(filled: Any) -> None:
    findings = open_adapter("fiftyone", dataset="nope").check()
    assert findings[-1].level == "error"
    assert filled.name in findings[-1].message


def test_a_run_is_written_by_one_process_at_a_time(filled: Any, tmp_path: Path) -> None:
    before = state(filled)
    adapter = open_adapter(
        "fiftyone", dataset=filled.name, pred_field="pred", write={"run": "next"}
    )
    plan = adapter.plan(rank(adapter.read(), budget=2))
    first, second = (Journal.create(tmp_path / name, plan) for name in ("first", "second"))
    with (
        adapter.performer(first).held(first),
        pytest.raises(Busy, match=f"another process writes run next of .*: run {first.run_id}"),
    ):
        adapter.apply(plan, second)
    assert state(filled) == before
    adapter.apply(plan, second)
    assert "next" in filled.list_runs()

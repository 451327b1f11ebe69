"""Fetched labels in a dataset: a field of our own, written, compared and taken back."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from labelnext.adapter import open_adapter
from labelnext.adapter.batch import Labels, Mark
from labelnext.errors import InvalidInput, WriteRefused
from labelnext.journal import Journal

pytest_plugins = ("tests.integration.mongod",)


@pytest.fixture
def three(dataset: Any) -> Any:
    import fiftyone as fo

    dataset.add_samples([fo.Sample(f"/{n}.png", name=n) for n in "abc"], progress=False)
    return dataset


def said(dataset: Any, marks: dict[str, tuple[Mark, ...]], unit: Any = "items") -> Labels:
    """Labels by the names of the samples; the others are waiting."""
    ids = dict(zip(*dataset.values(["name", "id"]), strict=True))
    waiting = tuple(i for name, i in ids.items() if name not in marks)
    return Labels("a test", unit, {ids[n]: m for n, m in marks.items()}, waiting)


def written(dataset: Any, labels: Labels, folder: Path, field: str = "labels") -> Journal:
    adapter: Any = open_adapter("fiftyone", dataset=dataset)
    plan = adapter.plan_labels(labels, field)
    journal = Journal.create(folder, plan, details={"what": "fetch"})
    adapter.apply(plan, journal)
    dataset.reload()
    return journal


def held(dataset: Any, field: str = "labels") -> list[Any]:
    return list(dataset.sort_by("name").values(f"{field}.label"))


@pytest.mark.parametrize("field", ["", "a.b", "$a", "a b", "1a", "_a"])
def test_a_name_that_no_field_can_have_is_refused_with_the_rule(three: Any, field: str) -> None:
    adapter: Any = open_adapter("fiftyone", dataset=three)
    with pytest.raises(InvalidInput, match=r"letters, digits and _"):
        adapter.plan_labels(said(three, {"a": (Mark("x"),)}), field)


@pytest.mark.parametrize("field", ["id", "tags", "filepath", "name"])
def test_a_field_that_somebody_else_made_is_refused(three: Any, field: str) -> None:
    adapter: Any = open_adapter("fiftyone", dataset=three)
    with pytest.raises(WriteRefused, match="must be one that labelnext fetch made"):
        adapter.plan_labels(said(three, {"a": (Mark("x"),)}), field)


def test_a_field_of_ours_that_somebody_made_read_only_is_refused(
    three: Any, tmp_path: Path
) -> None:
    labels = said(three, {"a": (Mark("x"),)})
    journal = written(three, labels, tmp_path)
    field = three.get_field("labels")
    field.read_only = True
    field.save()
    adapter: Any = open_adapter("fiftyone", dataset=three)
    with pytest.raises(WriteRefused, match="field labels .* must be writable; it is read-only"):
        adapter.plan_labels(labels, "labels")
    with pytest.raises(WriteRefused, match="field labels .* must be writable; it is read-only"):
        adapter.undo(journal)
    assert held(three) == ["x", None, None]


def test_further_fields_are_written_compared_and_taken_back(three: Any, tmp_path: Path) -> None:
    def numbers(first: float) -> Labels:
        ids = dict(zip(*three.values(["name", "id"]), strict=True))
        known = {ids["a"]: (Mark("", number=first),), ids["b"]: (Mark("", number=-1.0),)}
        speed = Labels("a test", "items", known, shape="number")
        classes = {ids["a"]: (Mark("x"), Mark("y")), ids["b"]: ()}
        kinds = Labels("a test", "items", classes, shape="classes")
        return replace(said(three, {}), further={"speed": speed, "kinds": kinds})

    journal = written(three, numbers(2.5), tmp_path)
    in_order = three.sort_by("name")
    assert in_order.values("labels_speed.value") == [2.5, -1.0, None]
    assert in_order.values("labels_kinds.classifications.label") == [["x", "y"], [], None]
    adapter: Any = open_adapter("fiftyone", dataset=three)
    (step,) = adapter.plan_labels(numbers(3.5), "labels").steps
    assert step.description == "Change labels_speed on 1 sample"
    three.delete_sample_field("labels_kinds")  # somebody has no use for it
    assert adapter.undo(journal) == []
    three.reload()
    assert not [name for name in three.get_field_schema() if name.startswith("labels")]


@pytest.mark.parametrize("field", ["ünïcode", "x" * 1000])
def test_an_odd_name_works(three: Any, tmp_path: Path, field: str) -> None:
    journal = written(three, said(three, {"b": (Mark("x"),)}), tmp_path, field)
    assert held(three, field) == [None, "x", None]
    open_adapter("fiftyone", dataset=three).undo(journal)
    three.reload()
    assert not three.has_sample_field(field)


def test_only_what_differs_is_written(three: Any, tmp_path: Path) -> None:
    written(three, said(three, {"a": (Mark("x"),), "b": (Mark("y"),)}), tmp_path)
    labels = said(three, {"a": (Mark("x"),), "b": (Mark("z"),), "c": (Mark("x"),)})
    adapter: Any = open_adapter("fiftyone", dataset=three)
    (step,) = adapter.plan_labels(labels, "labels").steps
    assert step.description == "Write labels on 1 sample, change it on 1 sample"
    assert step.n_items == 2
    same = said(three, {"a": (Mark("x"),), "b": (Mark("y"),)})
    assert adapter.plan_labels(same, "labels").steps == ()


def test_boxes_that_only_rounding_moved_are_the_same(three: Any, tmp_path: Path) -> None:
    box = (0.1, 0.2, 0.3, 0.4)
    written(three, said(three, {"a": (Mark("x", box),), "b": ()}, "objects"), tmp_path)
    near = tuple(side + 1e-9 for side in box)
    adapter: Any = open_adapter("fiftyone", dataset=three)
    again = said(three, {"a": (Mark("x", near),), "b": ()}, "objects")  # type: ignore[arg-type]
    assert adapter.plan_labels(again, "labels").steps == ()
    moved = said(three, {"a": (Mark("x", (0.1, 0.2, 0.3, 0.5)),), "b": ()}, "objects")
    assert [step.n_items for step in adapter.plan_labels(moved, "labels").steps] == [1]


def test_boxes_and_classes_do_not_share_a_field(three: Any, tmp_path: Path) -> None:
    written(three, said(three, {"a": (Mark("x"),)}), tmp_path)
    adapter: Any = open_adapter("fiftyone", dataset=three)
    with pytest.raises(InvalidInput, match="must hold Detections; labels .* holds Classification"):
        adapter.plan_labels(said(three, {"a": ()}, "objects"), "labels")


def test_undo_keeps_labels_that_others_put_into_the_field(three: Any, tmp_path: Path) -> None:
    import fiftyone as fo

    journal = written(three, said(three, {"a": (Mark("x"),)}), tmp_path)
    three.match({"name": "c"}).set_values("labels", [fo.Classification(label="mine")])
    (stayed,) = open_adapter("fiftyone", dataset=three).undo(journal)
    assert stayed.startswith("Kept field labels, which has other labels on 1 sample")
    assert held(three) == [None, None, "mine"]


def test_undo_keeps_fetched_labels_that_people_changed_since(three: Any, tmp_path: Path) -> None:
    boxes = {n: (Mark("x", (0.1, 0.2, 0.3, 0.4)),) for n in "abc"}
    journal = written(three, said(three, boxes, "box"), tmp_path)
    a, b, _ = three.sort_by("name")
    a.labels.detections[0].label = "y"
    b.labels.detections[0].tags = ["checked"]
    for sample in (a, b):
        sample.save()
    (stayed,) = open_adapter("fiftyone", dataset=three).undo(journal)
    assert stayed == "Kept field labels on 2 samples, where somebody changed it since."
    in_order = three.sort_by("name")
    assert in_order.values("labels.detections.label") == [["y"], ["x"], None]
    assert in_order.values("labels.detections.tags")[1] == [["checked"]]


def test_undo_puts_back_every_attribute_of_a_label(three: Any, tmp_path: Path) -> None:
    written(three, said(three, {"a": (Mark("x"),)}), tmp_path)
    three.match({"name": "a"}).set_values("labels.tags", [["checked"]])
    before = three.match({"name": "a"}).values("labels")[0].to_dict()
    journal = written(three, said(three, {"a": (Mark("y"),)}), tmp_path)
    assert held(three) == ["y", None, None]
    open_adapter("fiftyone", dataset=three).undo(journal)
    assert three.match({"name": "a"}).values("labels")[0].to_dict() == before


def test_a_write_that_died_after_the_field_was_made_can_be_taken_back(
    three: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import fiftyone as fo

    def dying(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(fo.Dataset, "set_values", dying)
        with pytest.raises(KeyboardInterrupt):
            written(three, said(three, {"a": (Mark("x"),)}), tmp_path)
    (path,) = tmp_path.glob("*.jsonl")
    assert Journal(path).status == "broken"
    open_adapter("fiftyone", dataset=three).undo(Journal(path))
    three.reload()
    assert not three.has_sample_field("labels")


def test_samples_that_were_deleted_meanwhile_are_passed_over(three: Any, tmp_path: Path) -> None:
    labels = said(three, {"a": (Mark("x"),), "b": (Mark("y"),)})
    adapter: Any = open_adapter("fiftyone", dataset=three)
    plan = adapter.plan_labels(labels, "labels")
    three.delete_samples(three.match({"name": "a"}))
    adapter.apply(plan, Journal.create(tmp_path, plan, details={"what": "fetch"}))
    assert held(three) == ["y", None]


def test_a_ranking_never_takes_the_field_of_fetched_labels(three: Any, tmp_path: Path) -> None:
    from labelnext_adapters.fiftyone.read.own_runs import refuse_foreign

    written(three, said(three, {"a": (Mark("x"),)}), tmp_path)
    with pytest.raises(WriteRefused, match="must be labelnext's own"):
        refuse_foreign(three, "labels")


def test_samples_with_a_fetched_label_count_as_labelled(three: Any, tmp_path: Path) -> None:
    import fiftyone as fo

    three.default_classes = ["x", "y"]
    three.set_values("pred", [fo.Classification(label="x", confidence=0.5)] * 3)
    written(three, said(three, {"b": (Mark("x"),)}), tmp_path)
    pool = open_adapter("fiftyone", dataset=three, pred_field="pred", key="name").read()
    assert dict(zip(pool.item_ids, pool.labelled.tolist(), strict=True)) == {
        "a": False, "b": True, "c": False,
    }  # fmt: skip


def test_numbers_of_a_field_are_the_labels_that_a_regression_learns(three: Any) -> None:
    import fiftyone as fo

    a, b, _ = three.sort_by("name")
    a["age"], a["sure"] = fo.Regression(value=2.5), 3.5
    b["age"] = fo.Regression(confidence=0.5)
    for sample in (a, b):
        sample.save()
    for field, number in (("age", 2.5), ("sure", 3.5)):
        adapter: Any = open_adapter("fiftyone", dataset=three, gt_field=field, key="name")
        pool = adapter.read()
        assert pool.labelled.tolist() == [True, False, False]
        assert str(pool.numbers.tolist()) == f"[{number}, nan, nan]"
        assert adapter.count_labels() == 1

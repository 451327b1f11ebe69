"""Projects that Label Studio exported, read as files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from labelnext import rank
from labelnext.adapter import open_adapter
from labelnext.errors import InvalidInput, NotFound
from labelnext.pool import Pool
from labelnext_adapters.label_studio_format.export import key_value
from labelnext_adapters.label_studio_format.xml import derived_tags, parse_config
from tests.unit.files.test_same_ids import IDS

SETUP = (
    '<View><Text name="text" value="$text"/><Choices name="kind" toName="text">'
    '<Choice value="good"/><Choice value="bad"/><Choice value="odd"/></Choices></View>'
)
TWO = SETUP.replace('<Choice value="odd"/>', "")


def choice(*labels: str, **more: Any) -> dict[str, Any]:
    value = {"choices": [*labels], **more.pop("value", {})}
    return {"from_name": "kind", "to_name": "text", "type": "choices", "value": value, **more}


def box(label: str, **more: Any) -> dict[str, Any]:
    value = {"x": 10, "y": 20, "width": 30, "height": 40, "rectanglelabels": [label]}
    return {"from_name": "b", "to_name": "i", "type": "rectanglelabels", "value": value, **more}


def task(number: int, *results: Any, said: Any = None, version: str = "m1") -> dict[str, Any]:
    predictions = [
        {"id": 10 * number + i, "model_version": version, "result": r, "created_at": "2026-01-01"}
        for i, r in enumerate(results)
    ]
    annotations = [] if said is None else [{"id": number, "result": said}]
    data = {"text": f"text {number}", "n": number}
    return {"id": number, "data": data, "predictions": predictions, "annotations": annotations}


def read(folder: Path, tasks: Any, setup: str | None = SETUP, **options: Any) -> Pool:
    (folder / "export.json").write_text(json.dumps(tasks))
    if setup is not None:
        (folder / "setup.xml").write_text(setup)
        options["label_config"] = "setup.xml"
    return open_adapter("files", directory=folder, path="export.json", **options).read()


def codes(pool: Pool) -> list[str]:
    return [notice.code for notice in pool.notices]


def test_an_export_of_no_tasks_is_an_empty_pool(tmp_path: Path) -> None:
    pool = read(tmp_path, [])
    assert len(pool) == 0
    assert pool.classes == ("good", "bad", "odd")


def test_an_export_gives_predictions_labels_and_all_classes_of_the_setup(tmp_path: Path) -> None:
    probs = {"probs": {"good": 0.75, "bad": 0.25}}
    tasks = [task(3, [choice("good", value=probs)]), task(5, said=[choice("bad")]), task(9)]
    tasks[2]["annotations"] = [{"id": 1, "result": [], "was_cancelled": True}]
    pool = read(tmp_path, tasks)
    assert pool.item_ids.tolist() == ["3", "5", "9"]
    assert pool.classes == ("good", "bad", "odd")
    assert pool.probabilities is not None
    assert pool.probabilities[0].tolist() == [0.75, 0.25, 0]
    assert pool.missing.tolist() == [False, True, True]
    assert pool.labelled.tolist() == [False, True, False]
    assert pool.labels is not None
    assert pool.labels.tolist() == [-1, 1, -1]
    assert pool.notices == ()


def test_without_a_setup_the_classes_are_those_that_occur(tmp_path: Path) -> None:
    tasks = [task(1, [choice("good", score=0.75)]), task(2, said=[choice("bad")])]
    pool = read(tmp_path, tasks, setup=None)
    assert pool.classes == ("bad", "good")
    assert pool.probabilities is None  # there may be a third class
    assert [one.confidences.tolist() for one in pool.answers] == [[0.75]]
    (notice,) = pool.notices
    assert notice.message == (
        "The classes come from the data: bad, good. Set source.label_config to get all of the "
        "project's classes."
    )


@pytest.mark.parametrize("setup", [None, TWO])
def test_one_score_is_of_two_classes_only_where_the_setup_says_so(
    tmp_path: Path, setup: str | None
) -> None:
    scores = {1: 0.5, 2: 0.3, 3: 0.9, 4: 0.55}
    tasks = [task(n, [choice("bad" if n % 2 else "good", score=s)]) for n, s in scores.items()]
    ids = rank(read(tmp_path, tasks, setup=setup)).item_ids.tolist()
    # Of two classes, .3 is as sure as .7; else it is the least sure.
    assert ids == (["2", "1", "4", "3"] if setup is None else ["1", "4", "2", "3"])


def test_several_choices_at_once_are_not_a_distribution_of_two(tmp_path: Path) -> None:
    tasks = [task(1, [choice("good", score=0.75)]), task(2, said=[choice("bad", "good")])]
    assert read(tmp_path, tasks, setup=None).probabilities is None


def test_boxes_and_what_people_drew_are_read_from_a_snapshot(tmp_path: Path) -> None:
    tasks = [task(1, [box("car", score=0.5), box("bus", score=0.75)]), task(2, said=[box("bus")])]
    pool: Any = read(tmp_path, tasks, setup=None, key="text")
    assert pool.item_ids.tolist() == ["text 1", "text 2"]
    assert pool.classes == ("bus", "car")
    assert pool.objects.confidences.tolist() == [0.5, 0.75]
    assert pool.objects.class_ids.tolist() == [1, 0]
    assert pool.objects.boxes[0].tolist() == pytest.approx([0.1, 0.2, 0.4, 0.6])
    assert pool.truth.counts.tolist() == [0, 1]
    assert pool.labelled.tolist() == [False, True]


def test_the_numbers_of_predictions_alone_are_refused_with_the_remedy(tmp_path: Path) -> None:
    plain = [{**task(1), "predictions": [7]}, task(2)]
    with pytest.raises(
        InvalidInput, match="only prediction ids, not predictions, for 1 of 2 tasks"
    ) as error:
        read(tmp_path, plain)
    assert '{"serialization_options": {"predictions": {"only_id": false}}}' in str(error.value)


def test_the_newest_model_version_is_read_and_the_others_are_said(tmp_path: Path) -> None:
    tasks = [task(1, [choice("good", value={"probs": [0.5, 0.25, 0.25]})])]
    newer = {"id": 99, "model_version": "m2", "created_at": "2026-02-01", "result": []}
    copy = {**newer, "model_version": "labelnext:labelnext:1", "created_at": "2026-03-01"}
    newer["result"] = [choice("bad", value={"probs": [0, 1, 0]})]
    tasks[0]["predictions"] += [newer, copy]
    pool = read(tmp_path, tasks)
    assert pool.probabilities is not None
    assert pool.probabilities.tolist() == [[0, 1, 0]]
    assert pool.versions == ("m2",)
    assert [n.message for n in pool.notices] == [
        "The export has predictions of 2 model versions; using each task's newest: m2 (1 task). "
        "No task's newest is of m1."
    ]
    both = read(tmp_path, tasks, model_version=["m1", "m2"])
    assert both.probabilities is not None
    assert both.versions == ("m1", "m2")
    assert both.probabilities[:, 0].tolist() == [[0.5, 0.25, 0.25], [0, 1, 0]]
    with pytest.raises(NotFound, match=r"got 'm3'.*available versions: 'm2', 'm1'"):
        read(tmp_path, tasks, model_version="m3")


def test_what_is_no_export_is_refused(tmp_path: Path) -> None:
    detection = {"image_id": 1, "category_id": 1, "bbox": [0, 0, 1, 1], "score": 0.5}
    for body in ([detection], {"rows": []}, [{"text": "of JSON_MIN", "id": 1}]):
        with pytest.raises(InvalidInput, match="a JSON export of a Label Studio project") as error:
            read(tmp_path, body)
        assert "source.images" in str(error.value)


def test_tasks_to_be_imported_have_no_ids_and_need_a_key(tmp_path: Path) -> None:
    tasks = [{"data": {"text": "a"}}, {"data": {"text": "b"}}]
    with pytest.raises(InvalidInput, match="every task must have an id; got 2 without one"):
        read(tmp_path, tasks)
    assert read(tmp_path, tasks, key="text").item_ids.tolist() == ["a", "b"]
    with pytest.raises(InvalidInput, match="got 'name', missing from task 1 of the file"):
        read(tmp_path, tasks, key="name")


@pytest.mark.parametrize(
    ("labels", "expected"),
    [("latest", [1, -1]), ("majority", [0, -1]), ("ground_truth", [2, -1]), (None, None)],
)
def test_the_label_of_a_task_is_the_annotation_that_is_asked_for(
    tmp_path: Path, labels: str | None, expected: list[int] | None
) -> None:
    words = ["good", "good", "odd", "bad"]
    rows = [
        {
            "id": number,
            "result": [choice(word)],
            "updated_at": f"2026-01-0{number}",
            "completed_by": number,
            "ground_truth": word == "odd",
        }
        for number, word in enumerate(words, 1)
    ]
    pool: Any = read(tmp_path, [{**task(1), "annotations": rows}, task(2)], labels=labels)
    assert pool.labelled.tolist() == [True, False]
    assert (None if pool.labels is None else pool.labels.tolist()) == expected


def test_a_majority_of_boxes_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="labels must be latest or ground_truth"):
        read(tmp_path, [task(1, said=[box("car")])], setup=None, labels="majority")


def test_predictions_older_than_the_newest_annotation_are_said(tmp_path: Path) -> None:
    tasks = [task(1, [choice("good", score=0.5)]), task(2, said=[choice("bad")])]
    tasks[1]["annotations"][0]["created_at"] = "2026-01-02"
    assert "old_predictions" in codes(read(tmp_path, tasks))
    assert "old_predictions" not in codes(read(tmp_path, tasks, labels=None))


def test_only_versions_that_count_are_called_older_than_the_labels(tmp_path: Path) -> None:
    tasks = [task(n, [choice("good", score=0.5)]) for n in (1, 2, 3)]
    tasks[0]["annotations"] = [{"id": 1, "result": [choice("bad")], "created_at": "2026-01-02"}]
    newer = {"model_version": "m2", "created_at": "2026-01-03"}
    for row in tasks[1:]:
        row["predictions"].append({**row["predictions"][0], **newer, "id": row["id"] + 100})
    assert "old_predictions" not in codes(read(tmp_path, tasks))  # each waiting task has one of m2
    committee = read(tmp_path, tasks, model_version=["m1", "m2"])
    (told,) = [n.message for n in committee.notices if n.code == "old_predictions"]
    assert "predictions of m1 are older" in told
    del tasks[2]["predictions"][1]
    (told,) = [n.message for n in read(tmp_path, tasks).notices if n.code == "old_predictions"]
    assert "predictions of m1 are older" in told


def test_annotations_that_do_not_fit_the_setup_are_counted_by_their_items(tmp_path: Path) -> None:
    pool = read(tmp_path, [task(4, said=[choice("gone")])])
    assert pool.labelled.tolist() == [True]
    (notice,) = [n for n in pool.notices if n.code == "broken_labels"]
    assert notice.item_ids == ("4",)


def test_a_setup_that_is_no_xml_or_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="label_config must be a labelling setup in XML"):
        read(tmp_path, [task(1)], setup="<View>")
    with pytest.raises(NotFound, match="label_config must be a file"):
        read(tmp_path, [task(1)], setup=None, label_config="nowhere.xml")


def test_a_setup_gives_aliases_and_the_ends_of_a_taxonomy() -> None:
    tags = parse_config(
        '<View><Choices name="k" toName="t"><Choice value="a" alias="A"/><Choice value="b"/>'
        '</Choices><Taxonomy name="x" toName="t"><Choice value="C"><Choice value="D"/></Choice>'
        '</Taxonomy><Labels name="d" toName="t,u" value="$labels"/></View>'
    )
    assert {name: tag["labels"] for name, tag in tags.items()} == {
        "k": ["A", "b"],
        "x": ["C", "D"],
        "d": [],
    }
    assert tags["d"]["to_name"] == ["t", "u"]
    assert tags["d"]["dynamic_labels"]


def test_tags_are_derived_from_regions_of_every_kind() -> None:
    import msgspec

    def result(*regions: Any) -> Any:
        return msgspec.Raw(json.dumps(regions).encode())

    track = {"from_name": "v", "to_name": "o", "type": "videorectangle", "value": {"labels": ["c"]}}
    path = {
        "from_name": "x",
        "to_name": "o",
        "type": "taxonomy",
        "value": {"taxonomy": [["A", "B"]]},
    }
    odd = {"from_name": "z", "to_name": "o", "type": "unheard-of", "value": {}}
    tags, multiple = derived_tags(
        [result(track, path, odd), result(choice("a", "b")), msgspec.Raw(b'{"no": "list"}')]
    )
    assert {name: (tag["type"], tag["labels"]) for name, tag in tags.items()} == {
        "kind": ("Choices", ["a", "b"]),
        "v": ("VideoRectangle", ["c"]),
        "v labels": ("Labels", ["c"]),
        "x": ("Taxonomy", ["A / B"]),
    }
    assert multiple == {"kind"}


def test_numbers_that_people_gave_are_read_and_there_is_a_column_before_the_first(
    tmp_path: Path,
) -> None:
    setup = '<View><Text name="text" value="$text"/><Number name="age" toName="text"/></View>'
    region = {"from_name": "age", "to_name": "text", "type": "number", "value": {"number": 2.5}}
    for said, numbers in ((None, "[nan, nan]"), ([region], "[2.5, nan]")):
        pool = read(tmp_path, [task(1, said=said), task(2)], setup, labels="latest")
        assert str(pool.numbers.tolist()) == numbers  # type: ignore[union-attr]
        assert pool.labelled.tolist() == [said is not None, False]


@pytest.mark.parametrize("item", [*IDS, 2**53 + 1, 2**64 + 1, -7])
def test_a_key_of_any_look_is_the_id_as_it_stands(item: str | int) -> None:
    assert key_value({"k": msgspec.Raw(json.dumps(item).encode())}, "k") == str(item)

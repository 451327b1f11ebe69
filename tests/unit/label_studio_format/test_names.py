"""The names by which predictions call the classes of a labelling setup."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from labelnext.errors import InvalidInput
from labelnext.pool import Pool
from labelnext.ranking import rank
from tests.unit.label_studio_format.test_export import SETUP, choice, read, task

TREE = '<Choice value="Car" alias="car"><Choice value="Van"/></Choice><Choice value="Bus"/>'
NESTED = (
    '<View><Text name="text" value="$text"/><Choices name="kind" toName="text" allowNested="true">'
    f"{TREE}</Choices></View>"
)
TAXONOMY = (
    '<View><Text name="text" value="$text"/><Taxonomy name="kind" toName="text">'
    f"{TREE}</Taxonomy></View>"
)


def class_ids(pool: Pool) -> list[int]:
    assert pool.objects is not None
    assert not isinstance(pool.objects, tuple)
    assert pool.objects.class_ids is not None
    return pool.objects.class_ids.tolist()


def nested(*names: Any) -> list[dict[str, Any]]:
    """Tasks that are predicted to be of these classes."""
    return [task(n, [choice(name, score=0.5)]) for n, name in enumerate(names, 1)]


def test_a_nested_choice_is_named_by_itself_or_by_its_path(tmp_path: Path) -> None:
    names = ["Van", ["car", "Van"], ["Car", "Van"], ["Car"], "car", ["Bus"]]
    pool = read(tmp_path, nested(*names), NESTED)
    assert pool.classes == ("car", "Van", "Bus")
    assert class_ids(pool) == [1, 1, 1, 0, 0, 2]
    assert pool.notices == ()
    said = [task(9, said=[choice(["car", "Van"])]), *nested("Van")]
    labels = read(tmp_path, said, NESTED).labels
    assert labels is not None
    assert labels.tolist() == [1, -1]


def test_paths_are_classes_where_there_is_no_setup(tmp_path: Path) -> None:
    pool = read(tmp_path, nested(["Car", "Van"], "Bus"), None)
    assert pool.classes == ("Bus", "Car / Van")
    assert class_ids(pool) == [1, 0]


@pytest.mark.parametrize("tag", ["Choices", "Taxonomy"])
def test_labels_that_stand_in_the_tasks_are_those_that_occur(tmp_path: Path, tag: str) -> None:
    key = tag.lower()
    setup = (
        f'<View><Text name="text" value="$text"/><{tag} name="kind" toName="text" '
        'value="$options"/></View>'
    )

    def region(label: str, **more: Any) -> dict[str, Any]:
        named = [label] if tag == "Choices" else [[label]]
        where = {"from_name": "kind", "to_name": "text", "type": key}
        return {**where, "value": {key: named}, **more}

    tasks = [
        task(n, [region(name, score=s)]) for n, (name, s) in enumerate([("a", 0.9), ("z", 0.2)])
    ]
    pool = read(tmp_path, [*tasks, task(5, said=[region("m")])], setup)
    assert pool.classes == ("a", "m", "z")
    assert list(rank(pool).item_ids) == ["1", "0"]
    (notice,) = [n for n in pool.notices if n.code == "derived_classes"]
    assert notice.message == "The classes come from the data: a, m, z."


def test_stars_are_read_from_text(tmp_path: Path) -> None:
    setup = '<View><Text name="text" value="$text"/><Rating name="kind" toName="text"/></View>'
    where = {"from_name": "kind", "to_name": "text", "type": "rating", "score": 0.5}
    tasks = [task(n, [{**where, "value": {"rating": r}}]) for n, r in enumerate(["3", 3, 3.0])]
    assert class_ids(read(tmp_path, tasks, setup)) == [2, 2, 2]


def test_a_version_without_a_name_is_told_as_such(tmp_path: Path) -> None:
    tasks = [task(n, [choice("Van", score=0.5)], version=v) for n, v in enumerate(["", "m1"], 1)]
    (notice,) = [n for n in read(tmp_path, tasks, NESTED).notices if n.code != "derived_classes"]
    assert "using each task's newest: " in notice.message
    assert "no version (1 task)" in notice.message


def test_a_taxonomy_is_named_by_aliases_or_by_values(tmp_path: Path) -> None:
    tasks = [task(n, [{}]) for n in range(1, 6)]
    paths = [["car", "Van"], ["Car", "Van"], ["Van"], ["Car"], ["Bus"]]
    for each, path in zip(tasks, paths, strict=True):
        value = {"taxonomy": [path]}
        region = {"from_name": "kind", "to_name": "text", "type": "taxonomy", "value": value}
        each["predictions"][0]["result"] = [{**region, "score": 0.5}]
    pool = read(tmp_path, tasks, TAXONOMY)
    assert pool.classes == ("car", "car / Van", "Bus")
    assert class_ids(pool) == [1, 1, 1, 0, 2]


def test_stars_may_be_written_as_decimal_numbers(tmp_path: Path) -> None:
    setup = '<View><Text name="text" value="$text"/><Rating name="kind" toName="text"/></View>'
    tasks = [task(n, [{}]) for n in (1, 2, 3)]
    for each, stars in zip(tasks, (2, 4.0, 2.5), strict=True):
        region = {"from_name": "kind", "to_name": "text", "type": "rating", "score": 0.5}
        each["predictions"][0]["result"] = [{**region, "value": {"rating": stars}}]
    pool = read(tmp_path, tasks, setup)
    assert class_ids(pool) == [1, 3]
    (left_out,) = pool.notices
    assert left_out.item_ids == ("3",)
    assert left_out.message.endswith("doesn't have; treated as missing: 2.5.")


def test_probabilities_in_meta_name_classes_where_there_is_no_setup(tmp_path: Path) -> None:
    tasks = [task(1, [choice("good", meta={"probs": {"good": 0.75, "bad": 0.25}})])]
    pool = read(tmp_path, tasks, None)
    assert pool.classes == ("bad", "good")
    assert pool.probabilities is not None
    assert pool.probabilities.tolist() == [[0.25, 0.75]]


@pytest.mark.parametrize(
    ("setup", "cure"), [(SETUP, 'choice="multiple" if'), (None, "set source.label_config, which")]
)
def test_probabilities_that_do_not_sum_to_1_are_refused_with_a_cure(
    tmp_path: Path, setup: str | None, cure: str
) -> None:
    probs = {"good": 0.75, "bad": 0.5, "odd": 0.25}
    tasks = [task(n, [choice("good", value={"probs": probs})]) for n in (1, 2)]
    with pytest.raises(InvalidInput, match="single choice must sum to 1; got 1.5 from") as caught:
        read(tmp_path, tasks, setup)
    assert "'kind' for items 1, 2." in caught.value.message
    assert cure in str(caught.value.hint)


def test_tracks_need_no_labels(tmp_path: Path) -> None:
    setup = '<View><Video name="v" value="$text"/><VideoRectangle name="kind" toName="v"/></View>'
    track = {"from_name": "kind", "to_name": "v", "type": "videorectangle", "value": {}}
    tasks = [task(n, [{**track, "score": score}]) for n, score in ((1, 0.75), (2, 0.5))]
    for given in (setup, None):
        pool = read(tmp_path, tasks, given)
        assert class_ids(pool) == [-1, -1]
        assert pool.classes is None
        assert rank(pool).item_ids.tolist() == ["2", "1"]


NUMBERED = '<{tag} name="kind" toName="text" {more}>{labels}</{tag}>'
ONE = '<{0} value="1"/><{0} value="2.5"/><{0} value="x"/>'
TWO = '<Choice value="1"><Choice value="2"/></Choice><Choice value="x"/>'


@pytest.mark.parametrize(
    ("tag", "labels", "value", "name"),
    [
        ("Choices", ONE.format("Choice"), {"choices": [1]}, "1"),
        ("Choices", ONE.format("Choice"), {"choices": [2.5]}, "2.5"),
        ("Choices", TWO, {"choices": [[1]]}, "1"),
        ("Taxonomy", TWO, {"taxonomy": [[1, 2]]}, "1 / 2"),
        ("RectangleLabels", ONE.format("Label"), {"rectanglelabels": [1]}, "1"),
        ("Labels", ONE.format("Label"), {"labels": [1], "start": 0, "end": 1}, "1"),
    ],
)
@pytest.mark.parametrize("known", [True, False], ids=["setup", "derived"])
def test_a_number_is_the_label_that_it_spells(
    tmp_path: Path, tag: str, labels: str, value: dict[str, Any], name: str, known: bool
) -> None:
    control = NUMBERED.format(tag=tag, more='allowNested="true"', labels=labels)
    setup = f'<View><Text name="text" value="$text"/>{control}</View>'
    region = {"from_name": "kind", "to_name": "text", "type": tag.lower(), "value": value}
    if tag == "RectangleLabels":
        value |= {"x": 10, "y": 20, "width": 30, "height": 40}
    pool = read(tmp_path, [task(1, [{**region, "score": 0.5}])], setup if known else None)
    assert pool.classes is not None
    assert pool.classes[class_ids(pool)[0]] == name


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ({"choices": "odd"}, "choices must be a list; got text."),
        ({"choices": [True]}, "choices[0] must be a number or text or a list; got true or false."),
        ({"taxonomy": ["odd"]}, "taxonomy[0] must be a list; got text."),
    ],
)
def test_what_is_no_label_is_said_in_words(tmp_path: Path, value: dict[str, Any], why: str) -> None:
    region = {**choice("odd", score=0.5), "value": value}
    pool = read(tmp_path, [task(1, [region]), task(2, [choice("odd", score=0.5)])])
    assert pool.missing.tolist() == [True, False]
    assert any(notice.message.endswith(f"treated as missing: {why}") for notice in pool.notices)


def test_a_version_without_a_name_is_called_so_where_two_are_of_different_kinds(
    tmp_path: Path,
) -> None:
    where = {"from_name": "kind", "to_name": "text", "type": "choices"}
    setup = (
        '<View><Text name="text" value="$text"/><Choices name="kind" toName="text" '
        'choice="multiple"><Choice value="a"/><Choice value="b"/></Choices></View>'
    )
    both = task(1, [{**where, "value": {"choices": ["a"]}, "score": 0.5}], version="")
    probs = {"choices": ["a"], "probs": {"a": 0.5, "b": 0.5}}
    (other,) = task(1, [{**where, "value": probs}], version="m2")["predictions"]
    both["predictions"].append({**other, "id": 15})
    with pytest.raises(InvalidInput, match="; no version has objects, m2 has class probabilities"):
        read(tmp_path, [both], setup, model_version=["", "m2"])

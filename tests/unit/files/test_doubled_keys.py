"""A key that an object of JSON has twice: its record is left out, and no value silently wins."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from labelnext.errors import InvalidInput
from tests.unit.files.reading import notice, order, read

SCORES = [round(0.51 + n / 50, 2) for n in range(20)]


def classes(score: float) -> Any:
    return {"cat": score, "dog": round(1 - score, 2)}


def vector(score: float) -> Any:
    return [score, round(1 - score, 2)]


def pipeline(score: float) -> Any:
    return [{"label": name, "score": one} for name, one in classes(score).items()]


def torchvision(score: float) -> Any:
    return {"boxes": [[1, 1, 5, 5]], "labels": [1], "scores": [score]}


def completion(score: float) -> Any:
    said = json.dumps({"label": "cat", "confidence": score})
    return {"choices": [{"message": {"role": "assistant", "content": said}}]}


@pytest.mark.parametrize("value", [classes, vector, pipeline, torchvision, completion])
def test_an_id_that_is_there_twice_is_left_out(
    tmp_path: Path, value: Callable[[float], Any]
) -> None:
    by_id = [(f"i{n:02d}", value(score)) for n, score in enumerate(SCORES)]
    members = [f"{json.dumps(name)}: {json.dumps(one)}" for name, one in by_id]
    members.append(f'"i03": {json.dumps(value(0.5))}')
    pool = read(tmp_path, "p.json", f"{{{', '.join(members)}}}")
    assert set(order(pool)) == {name for name, _ in by_id} - {"i03"}
    assert "it has 'i03' twice" in notice(pool, "left_out").message


@pytest.mark.parametrize("name", ["p.jsonl", "p.json"])
@pytest.mark.parametrize("spaces", [(", ", ": "), (",", ":")])
def test_a_class_that_is_there_twice_costs_its_record(
    tmp_path: Path, name: str, spaces: tuple[str, str]
) -> None:
    records = [{"item_id": f"i{n:02d}", "probabilities": classes(s)} for n, s in enumerate(SCORES)]
    lines = [json.dumps(one, separators=spaces) for one in records]
    odd = json.dumps({"item_id": "odd", "probabilities": {"cat": 0.5, "CAT": 0.9, "dog": 0.5}})
    lines.append(odd.replace("CAT", "cat"))
    text = "\n".join(lines) if name == "p.jsonl" else f"[{','.join(lines)}]"
    pool = read(tmp_path, name, text)
    assert order(pool) == [f"i{n:02d}" for n in range(20)]
    assert "it has 'cat' twice" in notice(pool, "left_out").message


FIRST = '{"item_id": "i00", "cat": 0.5, "dog": 0.5}'
ODD = {
    "a space before the colon": (FIRST, '"cat" : 0.5, "cat" : 0.9, "dog" : 0.5'),
    "another key is lacking": (FIRST, '"cat": 0.5, "cat": 0.9'),
    "another record lacks it": ('{"item_id": "i00", "dog": 0.5}', '"cat": 0.5, "cat": 0.9'),
    "null comes first": (FIRST, '"cat": null, "cat": 0.9, "dog": 0.1'),
    "escapes": (
        f'{FIRST[:-1]}, "café": 0}}',
        r'"cat": 0.5, "dog": 0.5, "caf\u00e9": 1, "caf\u00e9": 2',
    ),
}


@pytest.mark.parametrize("kind", ODD)
def test_a_key_that_is_there_twice_is_noticed_in_any_line(tmp_path: Path, kind: str) -> None:
    first, odd = ODD[kind]
    records = [{"item_id": f"i{n:02d}", **classes(score)} for n, score in enumerate(SCORES)]
    lines = [first, *map(json.dumps, records[1:]), f'{{"item_id": "odd", {odd}}}']
    pool = read(tmp_path, "p.jsonl", "\n".join(lines))
    assert "odd" not in pool.item_ids.tolist()
    assert " twice" in notice(pool, "left_out").message


def test_each_id_that_is_there_twice_is_left_out(tmp_path: Path) -> None:
    by_id = [(f"i{n:02d}", classes(score)) for n, score in enumerate(SCORES * 2)]
    members = [f"{json.dumps(name)}: {json.dumps(one)}" for name, one in [*by_id, *by_id[:2]]]
    members.append('"odd": {"cat": 0.5, "cat": 0.9, "dog": 0.5}')
    pool = read(tmp_path, "p.json", f"{{{', '.join(members)}}}")
    assert set(order(pool)) == {name for name, _ in by_id[2:]}


def test_a_value_that_is_called_like_a_key_is_no_key(tmp_path: Path) -> None:
    records = [{"item_id": "a", "prediction": "prediction", "confidence": 0.9}]
    pool = read(tmp_path, "p.jsonl", json.dumps(records[0]))
    assert (order(pool), pool.classes) == (["a"], ("prediction",))


def test_a_file_of_little_else_names_the_key(tmp_path: Path) -> None:
    text = '{"a": {"cat": 0.9}, "a": {"cat": 0.5}, "b": {"cat": 0.6}}'
    with pytest.raises(InvalidInput, match="it has 'a' twice"):
        read(tmp_path, "p.json", text)


@pytest.mark.parametrize("value", [classes, vector, torchvision])
def test_keys_of_a_pickle_that_are_the_same_as_text_are_there_twice(
    tmp_path: Path, value: Callable[[float], Any]
) -> None:
    by_id: dict[Any, Any] = {n: value(score) for n, score in enumerate(SCORES)}
    (tmp_path / "p.pkl").write_bytes(pickle.dumps(by_id | {"3": value(0.5)}))
    pool = read(tmp_path, "p.pkl")
    assert set(order(pool)) == {*map(str, range(20))} - {"3"}
    assert "it has '3' twice" in notice(pool, "left_out").message


def test_a_record_of_a_pickle_with_a_key_twice_is_left_out(tmp_path: Path) -> None:
    scored = [{"item_id": f"i{n}", "probabilities": classes(s)} for n, s in enumerate(SCORES)]
    odd = {"item_id": "odd", "probabilities": {1: 0.2, "1": 0.3, "dog": 0.5}}
    (tmp_path / "p.pkl").write_bytes(pickle.dumps([*scored, odd]))
    pool = read(tmp_path, "p.pkl")
    assert set(order(pool)) == {f"i{n}" for n in range(20)}
    assert "it has '1' twice" in notice(pool, "left_out").message


@pytest.mark.parametrize("key", ["image_id", "score", "category_id", "bbox", "file_name"])
def test_a_detection_with_a_key_twice_is_left_out(tmp_path: Path, key: str) -> None:
    told = {"category_id": 1, "bbox": [1, 1, 5, 5]}
    named = [{"image_id": n, "file_name": f"{n}.jpg"} for n in range(20)]
    records = [
        json.dumps({**one, "score": s, **told}) for one, s in zip(named, SCORES, strict=True)
    ]
    again = json.dumps({key: json.loads(records[3])[key]})
    records[3] = f"{records[3][:-1]}, {again[1:]}"
    pool = read(tmp_path, "p.json", f"[{', '.join(records)}]", format="coco")
    assert pool.objects is not None
    assert pool.objects.confidences.tolist() == SCORES[:3] + SCORES[4:]
    assert f"it has '{key}' twice" in notice(pool, "left_out").message


def test_a_detection_may_have_a_key_again_further_in(tmp_path: Path) -> None:
    inner = {"attributes": {"score": 0.1}, "bbox": [1, 1, 5, 5], "category_id": 1}
    records = [{"image_id": n, "score": s, **inner} for n, s in enumerate(SCORES)]
    pool = read(tmp_path, "p.json", records, format="coco")
    assert pool.objects is not None
    assert pool.objects.confidences.tolist() == SCORES


def of_objects(score: float) -> dict[str, Any]:
    return {"objects": [{"class": "cat", "confidence": score}, {"class": "dog", "confidence": 0.5}]}


def of_lists(score: float) -> dict[str, Any]:
    return {"predictions": [{"label": "cat", "score": score}, {"label": "dog", "score": 0.1}]}


@pytest.mark.parametrize("value", [of_objects, of_lists])
@pytest.mark.parametrize("lacking", [True, False])
def test_a_key_that_is_there_twice_inside_a_list_costs_its_record(
    tmp_path: Path, value: Callable[[float], dict[str, Any]], lacking: bool
) -> None:
    lines = [json.dumps({"item_id": f"i{n:02d}"} | value(score)) for n, score in enumerate(SCORES)]
    name = '"class"' if "class" in lines[0] else '"label"'
    lines.append(lines[0].replace("i00", "odd").replace(name, f'{name}: "fox", {name}', 1))
    if lacking:  # one key fewer than there could be, so that all keys are as many as expected
        lines[0] = lines[0].replace(f'{name}: "cat", ', "")
    pool = read(tmp_path, "p.jsonl", "\n".join(lines))
    assert set(pool.item_ids.tolist()) <= {f"i{n:02d}" for n in range(20)}
    assert " twice" in notice(pool, "left_out").message

"""Outputs of Hugging Face pipelines, however deep a file nests them: no item is lost."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from labelnext import Pool
from labelnext.errors import InvalidInput
from tests.unit.files.reading import lines, notice, order, read


def classes(first: float) -> list[dict[str, Any]]:
    return [{"label": "cat", "score": first}, {"label": "dog", "score": round(1 - first, 2)}]


def span(score: float) -> list[dict[str, Any]]:
    return [{"entity_group": "PER", "score": score, "word": "x", "start": 0, "end": 1}]


def boxed(score: float) -> list[dict[str, Any]]:
    box = {"xmin": 1, "ymin": 1, "xmax": 5, "ymax": 5}
    return [{"label": "cat", "score": score, "box": box}]


def zero_shot(score: float) -> dict[str, Any]:
    return {"sequence": "x", "labels": ["cat", "dog"], "scores": [score, round(1 - score, 2)]}


def one(score: float) -> list[dict[str, Any]]:
    return [{"label": "cat", "score": score}]


@pytest.mark.parametrize("output", [classes, span, boxed, zero_shot, one])
def test_a_list_around_the_output_of_an_input_loses_no_item(tmp_path: Path, output: Any) -> None:
    by_id = {"a": [output(0.9)], "b": [output(0.6)], "c": [output(0.75)]}
    assert order(read(tmp_path, "out.json", by_id)) == ["b", "c", "a"]


def test_a_list_around_only_some_outputs_loses_no_item(tmp_path: Path) -> None:
    by_id = {"a": classes(0.9), "b": [classes(0.6)], "c": classes(0.2)}
    assert order(read(tmp_path, "out.json", by_id)) == ["b", "c", "a"]


@pytest.mark.parametrize(
    "batches",
    [
        [[classes(0.9), classes(0.6)], [classes(0.2)]],
        [[classes(0.9)], [classes(0.6)], [classes(0.2)]],
        [[classes(0.9), classes(0.6), classes(0.2)]],
    ],
)
def test_batches_are_the_outputs_of_their_inputs(tmp_path: Path, batches: Any) -> None:
    pool = read(tmp_path, "out.json", batches)
    assert order(pool) == ["1", "2", "0"]


def test_an_object_from_id_to_output_on_each_line_names_the_items(tmp_path: Path) -> None:
    text = lines([{"a": classes(0.9)}, {"b": classes(0.6)}, {"c": [classes(0.2)]}])
    assert order(read(tmp_path, "out.jsonl", text)) == ["b", "c", "a"]


def test_one_odd_line_costs_the_others_no_id(tmp_path: Path) -> None:
    text = lines([{f"i{n:02d}": classes(0.5 + n / 50)} for n in range(20)])
    odd = '{"odd": [{"label": "cat", "score": 0.9, "score": 0.1}]}'
    pool = read(tmp_path, "out.jsonl", f"{text}\n{odd}")
    assert order(pool) == [f"i{n:02d}" for n in range(20)]
    assert "line 21: " in notice(pool, "left_out").message


def test_lines_with_the_same_key_are_one_item_each(tmp_path: Path) -> None:
    text = lines([{"scores": classes(0.9)}, {"scores": classes(0.6)}])
    assert order(read(tmp_path, "out.jsonl", text)) == ["1", "0"]


def test_a_second_output_of_a_record_is_named(tmp_path: Path) -> None:
    records = [
        {"id": "a", "topic": classes(0.9), "mood": classes(0.55)},
        {"id": "b", "topic": classes(0.6), "mood": classes(0.95)},
    ]
    pool = read(tmp_path, "out.json", records)
    assert order(pool) == ["b", "a"]
    assert notice(pool, "not_read").message.startswith("Read topic as the output of each record,")


def test_the_output_is_that_of_one_key_in_any_order_of_the_keys(tmp_path: Path) -> None:
    records = [
        {"id": "a", "topic": classes(0.9), "mood": classes(0.55)},
        {"id": "b", "mood": classes(0.95), "topic": classes(0.6)},
        {"id": "c", "topic": None, "mood": classes(0.7)},
        {"id": "d", "topic": classes(0.7)},
    ]
    pool = read(tmp_path, "out.json", records)
    assert order(pool) == ["b", "d", "a"]
    assert pool.item_ids.tolist() == ["a", "b", "c", "d"]


def test_a_key_that_no_record_has_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="none has 'nope'"):
        read(tmp_path, "out.json", [{"file": "a", "predictions": classes(0.9)}], key="nope")
    with pytest.raises(InvalidInput, match="none has 'nope'"):
        Pool.from_huggingface([{"file": "a", "predictions": classes(0.9)}], key="nope")


def test_outputs_by_numbers_or_paths_in_python() -> None:
    by_number = {1: classes(0.9), 2: [classes(0.6)], 3: classes(0.2)}
    assert order(Pool.from_huggingface(by_number)) == ["2", "3", "1"]
    by_path = {Path("x/a"): classes(0.9), Path("x/b"): classes(0.6)}
    assert order(Pool.from_huggingface(by_path)) == ["x/b", "x/a"]
    with pytest.raises(InvalidInput, match="must be distinct"):
        Pool.from_huggingface({1: classes(0.9), "1": classes(0.6)})


def test_responses_of_roboflow_of_which_one_describes_its_image_lose_no_item(
    tmp_path: Path,
) -> None:
    def response(score: float) -> dict[str, Any]:
        named = {"cat": {"confidence": score, "class_id": 0}}
        return {"predictions": named, "predicted_classes": ["cat"]}

    image = {"image": {"width": 1, "height": 1}}
    by_name = {"a.jpg": {**response(0.9), **image}, "b.jpg": response(0.5)}
    assert order(read(tmp_path, "responses.json", by_name)) == ["b.jpg", "a.jpg"]


KEYED = [{f"i{n:02d}": classes(0.5 + n / 50)} for n in range(20)]
IN_ORDER = [f"i{n:02d}" for n in range(20)]


def test_an_output_on_each_line_keeps_its_id_beside_a_copy(tmp_path: Path) -> None:
    assert order(read(tmp_path, "out.jsonl", lines([*KEYED, KEYED[3]]))) == IN_ORDER


def test_an_id_with_two_outputs_costs_no_other(tmp_path: Path) -> None:
    pool = read(tmp_path, "out.jsonl", lines([*KEYED, {"i03": classes(0.99)}]))
    assert order(pool) == [i for i in IN_ORDER if i != "i03"]
    assert "its id is there twice, at line 4" in notice(pool, "left_out").message


def test_a_line_of_another_form_leaves_the_ids_to_the_others(tmp_path: Path) -> None:
    pool = read(tmp_path, "out.jsonl", lines([*KEYED, {"error": "out of memory"}]))
    assert order(pool) == IN_ORDER
    assert "line 21" in notice(pool, "left_out").message


def test_the_same_key_on_each_line_is_no_id(tmp_path: Path) -> None:
    pool = read(tmp_path, "out.jsonl", lines([{"topic": classes(p)} for p in (0.9, 0.6, 0.75)]))
    assert order(pool) == ["1", "2", "0"]


@pytest.mark.parametrize("odd", [{"error": "out of memory"}, None, []])
def test_a_batch_of_another_form_is_named(tmp_path: Path, odd: Any) -> None:
    batch = [classes(0.9), classes(0.6)]
    with pytest.raises(InvalidInput, match="record 2 must be the outputs of a batch") as caught:
        read(tmp_path, "out.json", [batch, odd, batch, batch])
    assert "Nobody can tell which inputs come after it" in caught.value.message


def test_outputs_in_lists_of_one_are_no_batches(tmp_path: Path) -> None:
    outputs = [[classes(0.5 + n / 50)] for n in range(20)]
    pool = read(tmp_path, "out.json", [*outputs, {"error": "out of memory"}])
    assert order(pool) == [str(n) for n in range(20)]
    assert "record 21" in notice(pool, "left_out").message

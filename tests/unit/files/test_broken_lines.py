"""A line of JSON Lines that isn't JSON is left out and named, in every format that has lines."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from labelnext import Pool, rank
from labelnext.errors import ConfigError, InvalidInput
from tests.formats.independent import read

GOOD = 14


def _completion(i: int, p: float) -> dict[str, Any]:
    content = {"label": "spam", "confidence": p}
    message = {"role": "assistant", "content": json.dumps(content)}
    return {"custom_id": f"i{i}", "response": {"body": {"choices": [{"message": message}]}}}


RECORDS = {
    "table": lambda i, p: {"item_id": f"i{i}", "probabilities": {"a": p, "b": 1 - p}},
    "answers": lambda i, p: {"id": f"i{i}", "prediction": "a", "confidence": p},
    "huggingface": lambda i, p: {
        "id": f"i{i}",
        "output": [{"label": "a", "score": p}, {"label": "b", "score": 1 - p}],
    },
    "completions": _completion,
    "traces": lambda i, p: {"trace_id": f"i{i}", "scores": [{"name": "sure", "value": p}]},
    "ratings": lambda i, p: {"id": f"i{i}", "ratings": [1 + i / 10, 5 - i / 10]},
    "spacy": lambda i, p: {"text": "t", "cats": {"a": p, "b": 1 - p}, "meta": {"id": f"i{i}"}},
}


def lines(kind: str) -> list[str]:
    """From the least certain to the most certain."""
    return [json.dumps(RECORDS[kind](i, (50 + 3 * i) / 100)) for i in range(GOOD)]


def text(kind: str, at: int) -> str:
    """With the first half of a record as one more line."""
    whole = lines(kind)
    broken = whole[0][: len(whole[0]) // 2]
    return "\n".join([*whole[:at], broken, *whole[at:]]) + "\n"


@pytest.mark.parametrize("at", [0, 7, GOOD])
@pytest.mark.parametrize("kind", RECORDS)
def test_a_broken_line_is_left_out_and_named(tmp_path: Path, kind: str, at: int) -> None:
    path = tmp_path / "p.jsonl"
    path.write_text(text(kind, at))
    pool: Pool = read(path)
    assert sorted(pool.item_ids) == sorted(f"i{i}" for i in range(GOOD))
    assert rank(pool).item_ids.tolist()[:2] == ["i0", "i1"]
    (notice,) = [n for n in pool.notices if n.code == "left_out"]
    assert f"line {at + 1}" in notice.message
    assert "must be JSON; column" in notice.message


def test_many_broken_lines_stop_the_file(tmp_path: Path) -> None:
    path = tmp_path / "p.jsonl"
    path.write_text("\n".join([*lines("table"), "{", '{"a', "nothing"]))
    with pytest.raises(InvalidInput, match="can't use 3 of 17 records: line 15: it must be JSON"):
        read(path)


def test_a_file_without_a_whole_line_says_what_is_wrong_with_the_first(tmp_path: Path) -> None:
    path = tmp_path / "p.jsonl"
    path.write_text('{"item_id": "a"\n{"item_id": "b"\n')
    with pytest.raises(InvalidInput, match="the file must be JSON; line 1, column 16"):
        read(path)


CSV = "item_id,a,b\n" + "".join(f"i{i},0.{50 + i},0.{50 - i}\n" for i in range(GOOD))


@pytest.mark.parametrize(("line", "n_values"), [("x,0.5", 2), ("x,0.5,0.5,oops", 4), ("x", 1)])
@pytest.mark.parametrize("at", [2, 8, GOOD + 2])
def test_a_csv_line_of_another_length_is_left_out_and_named(
    tmp_path: Path, at: int, line: str, n_values: int
) -> None:
    whole = CSV.splitlines()
    path = tmp_path / "p.csv"
    path.write_text("\n".join([*whole[: at - 1], line, *whole[at - 1 :]]) + "\n")
    pool = read(path)
    assert pool.item_ids.tolist() == [f"i{i}" for i in range(GOOD)]
    (notice,) = [n for n in pool.notices if n.code == "left_out"]
    assert notice.message == (
        f"Left out 1 of 15 rows: line {at}: it must have 3 values, like the first line; "
        f"got {n_values}."
    )


def test_rows_below_a_line_that_was_left_out_keep_their_line_numbers(tmp_path: Path) -> None:
    path = tmp_path / "p.csv"
    more = "".join(f"j{i},0.5,0.5\n" for i in range(9))
    path.write_text(CSV.replace("i3,", "x\ni3,").replace("0.60,", "?,") + more)
    short, strange = [n.message for n in read(path).notices if n.code == "left_out"]
    assert "line 5: it must have 3 values" in short
    assert "line 13: a must be a number; got '?'" in strange


def test_an_open_quotation_mark_is_named_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "p.csv"
    path.write_text(CSV.replace("i3,0", 'i3,"0'))
    with pytest.raises(InvalidInput, match="must be closed; line 5 runs on over 10 more lines"):
        read(path)


BEYOND = 120_000  # rows, of which the last are not in the first block that is read


def _long_csv(*last: str) -> str:
    rows = [f"i{i},0.75,0.25" for i in range(BEYOND)]
    return "\n".join(["item_id,a,b", *rows, *last]) + "\n"


def test_quotation_marks_far_behind_the_start_may_hold_line_breaks(tmp_path: Path) -> None:
    path = tmp_path / "p.csv"
    path.write_text(_long_csv('"two\nlines","0.5","0.5"', "last,0.625,0.375"))
    pool = read(path)
    assert pool.item_ids[-3:].tolist() == [f"i{BEYOND - 1}", "two\nlines", "last"]
    assert pool.members[0, -3:].tolist() == [[0.75, 0.25], [0.5, 0.5], [0.625, 0.375]]
    assert len(pool) == BEYOND + 2


def test_lines_of_another_length_are_named_once_where_quotation_marks_follow(
    tmp_path: Path,
) -> None:
    path = tmp_path / "p.csv"
    path.write_text(_long_csv("x", '"y",0.5,0.5').replace("i3,", "z\ni3,"))
    pool = read(path)
    (notice,) = [n for n in pool.notices if n.code == "left_out"]
    assert f"Left out 2 of {BEYOND + 3:,} rows: line 5: " in notice.message
    assert f"line {BEYOND + 3}: it must have 3 values" in notice.message
    assert pool.item_ids[-2:].tolist() == [f"i{BEYOND - 1}", "y"]


@pytest.mark.parametrize("name", ["p.csv", "p.jsonl"])
def test_a_file_that_is_cut_off_is_refused(tmp_path: Path, name: str) -> None:
    whole = CSV if name == "p.csv" else "\n".join(lines("table"))
    path = tmp_path / name
    path.write_text(whole[: whole.rindex(",")])
    with pytest.raises(InvalidInput) as caught:
        read(path)
    assert "cut off" in str(caught.value.hint)


def test_an_id_with_a_nul_character_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "p.csv"
    path.write_text(CSV + "x\0,0.5,0.5\n")
    pool = read(path)
    assert len(pool) == GOOD
    assert "line 16: item_id must not hold a NUL character" in pool.notices[0].message


@pytest.mark.parametrize("column", ["confidence", "uncertainty"])
@pytest.mark.parametrize("odd", [-1, 1.7])
def test_an_item_whose_confidence_is_out_of_range_is_left_out(
    tmp_path: Path, column: str, odd: float
) -> None:
    path = tmp_path / "p.csv"
    head = f"item_id,prediction,{column}\n"
    path.write_text(head + "".join(f"i{i},a,0.{50 + i}\n" for i in range(GOOD)) + f"x,a,{odd}\n")
    pool = read(path)
    order = rank(pool).item_ids.tolist()
    assert order == [f"i{i}" for i in range(GOOD)][:: 1 if column == "confidence" else -1]
    (notice,) = [n for n in pool.notices if n.code == "left_out"]
    assert (
        notice.message == f"Left out 1 of 15 values of {column}, but not the items: item x: "
        f"{column} must be in [0, 1]; got {odd}."
    )
    assert notice.item_ids == ("x",)


@pytest.mark.parametrize("head", ["", "sep=;\n", '"sep=;"\r\n'])
def test_each_column_has_its_own_decimal_sign(tmp_path: Path, head: str) -> None:
    path = tmp_path / "p.csv"
    path.write_text(f"{head}id;version;a;b\n3.14;1.2;0,9;0,1\n2.71;1.3;0,4;0.6\n1.0;1.3;0,5;0,5\n")
    pool = read(path, columns={"probabilities": ["a", "b"]})
    assert pool.item_ids.tolist() == ["3.14", "2.71", "1.0"]
    assert pool.probabilities.tolist() == [[0.9, 0.1], [0.4, 0.6], [0.5, 0.5]]


@pytest.mark.parametrize("sign", ["\t", ";", ","])
def test_a_table_in_a_text_file_is_recognised_by_its_lines(tmp_path: Path, sign: str) -> None:
    path = tmp_path / "scores.txt"
    path.write_text(CSV.replace(",", sign))
    assert rank(read(path), "margin").item_ids.tolist()[:2] == ["i0", "i1"]


@pytest.mark.parametrize("text", ["a, b, c\nd, e, f\n", "one line"])
def test_other_text_is_no_table(tmp_path: Path, text: str) -> None:
    path = tmp_path / "notes.txt"
    path.write_text(text)
    with pytest.raises(ConfigError, match="path must end in one of"):
        read(path)


def test_json_of_pandas_by_split_is_read(tmp_path: Path) -> None:
    path = tmp_path / "p.json"
    rows = [[f"0{i}", "a", 0.5 + i / 100] for i in range(3)]
    names = ["id", "prediction", "confidence"]
    path.write_text(json.dumps({"columns": names, "index": [0, 1, 2], "data": rows}))
    assert rank(read(path)).item_ids.tolist() == ["00", "01", "02"]


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("9" * 5000, "it must be JSON with ordinary numbers; one has more than 4,300 digits."),
        ("[" * 2000, "it must not be nested deeper than 1,000 levels."),
        ('{"id": b}', "it must be JSON; column 8: expecting value."),
    ],
)
def test_why_a_line_is_broken_is_said_once(tmp_path: Path, line: str, why: str) -> None:
    path = tmp_path / "p.jsonl"
    path.write_text("\n".join([*lines("table"), line]) + "\n")
    (notice,) = [n for n in read(path).notices if n.code == "left_out"]
    assert notice.message.endswith(f": line {GOOD + 1}: {why}")

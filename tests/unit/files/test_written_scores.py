"""Class scores and classes that stand in one cell as text."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest

from labelnext import Pool
from labelnext.errors import InvalidInput
from labelnext_adapters.files.tables.written_scores import scores_reader
from tests.unit.files.reading import lines, notice, order, read

SHARES = [[0.875, 0.125], [0.5, 0.5], [0.25, 0.75]]
CLASSES = ["cat", "dog"]
LISTS = ["{} {}", "{};{}", "{}|{}", "{}, {}", "{},{}", " {} ; {} "]
PAIRS = [
    "cat:{}|dog:{}", "cat: {}, dog: {}", "cat={};dog={}", "cat:{} dog:{}", "cat ({}), dog ({})",
]  # fmt: skip


def _csv(folder: Path, head: list[str], rows: list[list[str]]) -> None:
    with (folder / "t.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([head, *rows])


def _cells(form: str) -> list[str]:
    return [form.format(*shares) for shares in SHARES]


@pytest.mark.parametrize("name", ["scores", "probabilities", "probs", "prediction", "result"])
@pytest.mark.parametrize("form", [*LISTS, *PAIRS])
def test_scores_in_one_cell_are_read(tmp_path: Path, name: str, form: str) -> None:
    _csv(tmp_path, ["id", name], [[i, c] for i, c in zip("abc", _cells(form), strict=True)])
    pool = read(tmp_path, "t.csv")
    assert pool.probabilities is not None
    assert pool.probabilities.tolist() == SHARES
    assert pool.classes == (("cat", "dog") if form in PAIRS else None)
    assert order(pool) == ["b", "c", "a"]


@pytest.mark.parametrize("form", ["{} {}", "cat:{}|dog:{}"])
def test_such_cells_are_read_from_other_tables(tmp_path: Path, form: str) -> None:
    records = [{"id": i, "scores": c} for i, c in zip("abc", _cells(form), strict=True)]
    assert order(read(tmp_path, "t.jsonl", lines(records))) == ["b", "c", "a"]
    pa.parquet.write_table(pa.Table.from_pylist(records), tmp_path / "t.parquet")
    assert order(read(tmp_path, "t.parquet")) == ["b", "c", "a"]


def test_decimal_commas_and_whole_numbers_are_read_by_the_column(tmp_path: Path) -> None:
    content = "id;scores\na;0,875 0,125\nb;0,5 0,5\nc;0 1\n"
    pool = read(tmp_path, "t.csv", content)
    assert pool.probabilities is not None
    assert pool.probabilities.tolist() == [[0.875, 0.125], [0.5, 0.5], [0.0, 1.0]]
    _csv(tmp_path, ["id", "scores"], [["a", "1,0"], ["b", "0.5,0.5"], ["c", "0.25,0.75"]])
    assert order(read(tmp_path, "t.csv")) == ["b", "c", "a"]


@pytest.mark.parametrize("form", ["{}:{}", "{} ({})", "{}={}"])
def test_one_class_with_its_confidence_in_a_cell_is_that(tmp_path: Path, form: str) -> None:
    told = [("a", "cat", 0.875), ("b", "dog", 0.25), ("c", "great tit", 0.5)]
    _csv(tmp_path, ["id", "prediction"], [[i, form.format(c, p)] for i, c, p in told])
    pool = read(tmp_path, "t.csv")
    assert order(pool) == ["b", "c", "a"]
    assert pool.classes == ("cat", "dog", "great tit")


@pytest.mark.parametrize(
    "texts",
    [["0,97"], ["1 234.5"], ["1.234,5"], ["10:30"], ["3.11.2"], ["cat"], ["cat 0.9"], ["90;10"]],
)
def test_other_texts_list_no_scores(texts: list[str]) -> None:
    assert scores_reader(texts) is None


@pytest.mark.parametrize("value", ["cat (90%)", "cat 0.9", "4 of 5"])
@pytest.mark.parametrize("name", ["scores", "confidence", "predictions"])
def test_what_is_no_score_is_shown(tmp_path: Path, name: str, value: str) -> None:
    _csv(tmp_path, ["id", name], [["a", value], ["b", value]])
    with pytest.raises(InvalidInput) as caught:
        order(read(tmp_path, "t.csv"))
    assert repr(value) in str(caught.value)


@pytest.mark.parametrize("sign", ["|", ";", ",", ", ", " "])
@pytest.mark.parametrize(
    "names", [("labels", "scores"), ("classes", "confidence"), ("predicted_labels", "probs")]
)
def test_classes_and_scores_in_two_cells_go_together(
    tmp_path: Path, names: tuple[str, str], sign: str
) -> None:
    rows = [[i, sign.join(CLASSES), sign.join(map(str, s))]
            for i, s in zip("abc", SHARES, strict=True)]  # fmt: skip
    _csv(tmp_path, ["id", *names], rows)
    pool = read(tmp_path, "t.csv")
    assert pool.probabilities is not None
    assert pool.probabilities.tolist() == SHARES
    assert order(pool) == ["b", "c", "a"]


def test_a_list_of_the_likeliest_classes_may_be_shorter(tmp_path: Path) -> None:
    rows = [["a", "cat|dog", "0.75|0.125"], ["b", "dog", "0.5"], ["c", "dog|bird", "0.625|0.25"]]
    _csv(tmp_path, ["id", "labels", "scores"], rows)
    pool = read(tmp_path, "t.csv")
    assert pool.probabilities is not None
    # What is left goes to the classes that an item doesn't name.
    assert pool.classes == ("bird", "cat", "dog")
    assert pool.probabilities.tolist() == [
        [0.125, 0.75, 0.125], [0.25, 0.25, 0.5], [0.25, 0.125, 0.625],
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("classes", "scores", "told"),
    [("cat|dog|bird", "0.5|0.5", "3 and 2"), ("", "0.5|0.5", "0 and 2"), ("cat", "", "1 and 0")],
)
def test_one_odd_row_does_not_part_classes_from_scores(
    tmp_path: Path, classes: str, scores: str, told: str
) -> None:
    rows = [[f"i{n}", "dog|cat", "0.75|0.25"] for n in range(19)]
    _csv(tmp_path, ["id", "labels", "scores"], [*rows, ["z", classes, scores]])
    pool = read(tmp_path, "t.csv")
    assert pool.classes == ("cat", "dog")
    assert pool.probabilities is not None
    assert pool.probabilities[:19].tolist() == [[0.25, 0.75]] * 19
    assert np.isnan(pool.probabilities[19]).all()
    said = notice(pool, "left_out").message
    assert said == (
        f"Left out 1 of 20 items: line 21: labels must be as many as scores; got {told}."
    )


def test_the_sign_between_classes_is_that_of_cells_with_several(tmp_path: Path) -> None:
    rows = [[f"i{n}", "great tit", "[0.75]"] for n in range(19)]
    rows.append(["z", "owl;great tit", "[0.5, 0.25]"])
    _csv(tmp_path, ["id", "labels", "scores"], rows)
    assert read(tmp_path, "t.csv").classes == ("great tit", "owl", "(other)")


def test_objects_of_a_row_with_lists_of_unequal_lengths_are_unknown(tmp_path: Path) -> None:
    rows = [[f"i{n}", "cat|dog", "0.9|0.8", "[[1,2,3,4],[1,2,3,4]]"] for n in range(19)]
    rows.append(["z", "cat", "0.9|0.8", "[[1,2,3,4],[1,2,3,4]]"])
    _csv(tmp_path, ["id", "labels", "scores", "boxes"], rows)
    pool = read(tmp_path, "t.csv")
    assert "z" not in order(pool)[:19]
    assert notice(pool, "left_out").message.startswith("Left out 1 of 20 items: line 21: labels")


def _labelled(label: Any) -> list[dict[str, Any]]:
    return [{"id": i, "p_cat": p, "p_dog": q, "label": label}
            for i, (p, q) in zip("abc", SHARES, strict=True)]  # fmt: skip


@pytest.mark.parametrize("label", ["cat|dog", "cat;dog", "cat, dog", ["cat", "dog"]])
def test_several_classes_as_one_label_are_named_with_the_cure(tmp_path: Path, label: Any) -> None:
    with pytest.raises(InvalidInput, match="label must be one") as caught:
        read(tmp_path, "t.jsonl", lines(_labelled(label)), multilabel=True)
    assert str(caught.value.hint).endswith(
        "if items have several classes, give the column label another name, and add one called "
        "labelled with true or false."
    )


def test_that_cure_helps(tmp_path: Path) -> None:
    records = [
        {"id": one["id"], "p_cat": one["p_cat"], "p_dog": one["p_dog"], "tags": one["label"],
         "labelled": one["id"] == "b"}
        for one in _labelled("cat|dog")
    ]  # fmt: skip
    pool: Pool = read(tmp_path, "t.jsonl", lines(records), multilabel=True)
    assert pool.labelled.tolist() == [False, True, False]


@pytest.mark.parametrize("prediction", ["cat|dog", ["cat", "dog"]])
def test_classes_without_scores_say_that_these_lack(tmp_path: Path, prediction: Any) -> None:
    records = [{"id": i, "prediction": prediction} for i in "abc"]
    said = notice(read(tmp_path, "t.jsonl", lines(records)), "no_predictions").message
    assert "prediction says what the model predicts, but not how sure it is" in said

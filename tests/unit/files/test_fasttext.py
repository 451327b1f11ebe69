"""What fastText's `predict-prob` prints."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from labelnext import rank
from labelnext.adapter import open_adapter
from labelnext.adapter.formats import recognition
from labelnext.errors import InvalidInput
from labelnext.pool import Pool

ALL = "__label__pos 0.93 __label__neg 0.07\n__label__neg 0.55 __label__pos 0.45\n"
TOP = "__label__pos 0.93\n__label__neg 0.55\n__label__pos 0.7\n"


def read(folder: Path, text: str, name: str = "out.txt", **options: Any) -> Pool:
    (folder / name).write_text(text)
    assert recognition(folder / name).format.name == "fasttext"
    pool: Pool = open_adapter("files", directory=folder, path=name, **options).read()  # type: ignore[attr-defined]  # of the files adapter
    return pool


def test_all_classes_are_their_probabilities(tmp_path: Path) -> None:
    pool = read(tmp_path, ALL)
    assert pool.classes == ("neg", "pos")
    assert pool.mean_probabilities.tolist() == [[0.07, 0.93], [0.55, 0.45]]
    assert rank(pool).item_ids.tolist() == ["1", "0"]


@pytest.mark.parametrize(
    "text",
    [
        TOP,
        TOP.replace("\n", " a text beside it\n"),
        "".join(f"a text, before\t{line}\n" for line in TOP.split("\n")[:-1]),
    ],
)
def test_the_least_confident_label_comes_first_with_texts_beside_it(
    tmp_path: Path, text: str
) -> None:
    for name in ("out.txt", "out.tsv"):
        assert rank(read(tmp_path, text, name)).item_ids.tolist() == ["1", "2", "0"]


def test_the_two_likeliest_classes_leave_the_rest_to_the_third(tmp_path: Path) -> None:
    pool = read(tmp_path, "__label__a 0.5 __label__b 0.25\n\n__label__c 0.5 __label__b 0.5\n")
    np.testing.assert_allclose(
        pool.mean_probabilities, [[0.5, 0.25, 0.25], [np.nan] * 3, [0, 0.5, 0.5]]
    )


def test_ids_are_those_of_a_file_or_stand_before_the_labels(tmp_path: Path) -> None:
    (tmp_path / "ids.txt").write_text("007\n1e5\nx\n")
    assert rank(read(tmp_path, TOP, ids="ids.txt")).item_ids.tolist() == ["1e5", "x", "007"]
    beside = "007 __label__pos 0.93\n1e5 __label__pos 0.6\n"
    assert rank(read(tmp_path, beside)).item_ids.tolist() == ["1e5", "007"]
    for sign in (",", ";", "|", ", ", "\t"):
        apart = beside.replace(" __label__", f"{sign}__label__")
        assert rank(read(tmp_path, apart)).item_ids.tolist() == ["1e5", "007"]


def test_an_odd_line_is_left_out_and_named(tmp_path: Path) -> None:
    pool = read(tmp_path, TOP * 5 + "__label__pos\n")
    (notice,) = [one for one in pool.notices if one.code == "left_out"]
    assert "line 16" in notice.message
    assert len(rank(pool)) == 15


@pytest.mark.parametrize("text", ["__label__a\n__label__b\n", "__label__a good\n__label__b bad\n"])
def test_labels_without_probabilities_are_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(InvalidInput, match="each label must have its probability.*predict-prob"):
        read(tmp_path, text)


def test_as_many_ids_as_lines_are_asked_for(tmp_path: Path) -> None:
    (tmp_path / "ids.txt").write_text("a\n")
    with pytest.raises(InvalidInput, match="each of 3 lines; got 1"):
        read(tmp_path, TOP, ids="ids.txt")

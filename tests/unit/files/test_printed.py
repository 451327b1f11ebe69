"""Tables as they are printed, and lines above the names of a table's columns."""

from __future__ import annotations

from pathlib import Path

import pytest

from labelnext.errors import ConfigError, InvalidInput
from tests.unit.files.reading import order, read

#: Margins: 007 .8, b.jpg .1, "my c" .6.
TABLES = {
    "psql": " id    | cat  | dog  \n-------+------+------\n 007   |  0.9 |  0.1 \n"
    " b.jpg | 0.55 | 0.45 \n my c  |  0.2 |  0.8 \n(3 rows)\n\n",
    "mysql": "+-------+------+------+\n| id    | cat  | dog  |\n+-------+------+------+\n"
    "| 007   |  0.9 |  0.1 |\n| b.jpg | 0.55 | 0.45 |\n| my c  |  0.2 |  0.8 |\n"
    "+-------+------+------+\n3 rows in set (0.00 sec)\n",
    "sqlite": "id     cat   dog \n-----  ----  ----\n007    0.9   0.1 \nb.jpg  0.55  0.45\n"
    "my c   0.2   0.8\n",
    "R": '"cat" "dog"\n"007" 0.9 0.1\n"b.jpg" 0.55 0.45\n"my c" 0.2 0.8\n',
    "pandas": "      id   cat   dog\n0    007  0.90  0.10\n1  b.jpg  0.55  0.45\n"
    "2   my c  0.20  0.80\n\n[3 rows x 3 columns]\n",
    "pandas by name": "        cat   dog\nname             \n007    0.90  0.10\n"
    "b.jpg  0.55  0.45\nmy c   0.20  0.80\n",
    "Markdown": "| id | cat | dog |\n|---|---|---|\n| 007 | 0.9 | 0.1 |\n| b.jpg | 0.55 | 0.45 |\n"
    "| my c | 0.2 | 0.8 |\n",
    "comments": "# model: v1\n# date: 1/2\nid,cat,dog\n007,0.9,0.1\nb.jpg,0.55,0.45\n"
    "my c,0.2,0.8\n",
    "names after #": "#id\tcat\tdog\n007\t0.9\t0.1\nb.jpg\t0.55\t0.45\nmy c\t0.2\t0.8\n",
}


@pytest.mark.parametrize("ending", ["txt", "csv"])
@pytest.mark.parametrize("name", TABLES)
def test_a_printed_table_ranks(tmp_path: Path, name: str, ending: str) -> None:
    source = {"columns": {"item_id": "#id"}} if "#" in name else {}
    if (name, ending) == ("comments", "txt"):
        source = {"format": "csv"}
    pool = read(tmp_path, f"out.{ending}", TABLES[name], **source)
    assert order(pool) == ["b.jpg", "my c", "007"]


def test_single_spaces_separate_where_each_line_has_as_many(tmp_path: Path) -> None:
    lines = [f"i{n} a {0.5 + n / 100}" for n in range(19)]
    table = "\n".join(["id prediction confidence", *lines, "odd a x", ""])
    pool = read(tmp_path, "out.txt", table)
    assert order(pool) == [f"i{n}" for n in range(19)]
    (notice,) = (one for one in pool.notices if one.code == "left_out")
    assert "line 21: confidence must be a number; got 'x'" in notice.message


def test_a_print_that_was_shortened_is_refused(tmp_path: Path) -> None:
    table = "    id   cat\n0    a  0.9\n..  ..  ...\n99   b  0.6\n\n[100 rows x 2 columns]\n"
    with pytest.raises(InvalidInput, match="it was shortened when it was printed"):
        read(tmp_path, "out.txt", table)


@pytest.mark.parametrize("row", ["a.jpg,cat,0.9\nb.jpg,dog,0.6\n", "a,0.9\nb,0.6\n"])
def test_a_table_without_names_is_told_so(tmp_path: Path, row: str) -> None:
    with pytest.raises(InvalidInput, match="first line must name the columns; got a row: a"):
        read(tmp_path, "out.csv", row)
    with pytest.raises(ConfigError, match="needs the names of its columns in the first line"):
        read(tmp_path, "out.txt", row.replace(",", " "))


def test_a_title_above_the_names_is_named_as_the_cause(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="remove what stands above the names of the columns"):
        read(tmp_path, "out.csv", "My results\nid,cat,dog\na,0.9,0.1\n")


def test_names_of_numbers_are_names(tmp_path: Path) -> None:
    assert order(read(tmp_path, "out.csv", "id,0,1\na,0.9,0.1\nb,0.6,0.4\n")) == ["b", "a"]

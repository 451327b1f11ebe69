"""A demo keeps to a folder of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from labelnext.errors import ConfigError
from labelnext_adapters.demo.shown import own_folder
from labelnext_adapters.files.demo import run_demo


@pytest.mark.parametrize(
    "name", ["labelnext.yaml", "ranking.csv", "images/digit-0000.png", "notes.txt", ".env"]
)
def test_a_demo_touches_nothing_in_a_folder_with_other_files(tmp_path: Path, name: str) -> None:
    mine = tmp_path / name
    mine.parent.mkdir(exist_ok=True)
    mine.write_text("mine")

    with pytest.raises(ConfigError, match="must be empty or new"):
        run_demo(tmp_path)

    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [mine]
    assert mine.read_text() == "mine"


def test_a_demo_takes_a_new_folder_an_empty_one_and_its_own(tmp_path: Path) -> None:
    own_folder(tmp_path / "a" / "b")
    (tmp_path / "a" / "b" / "images").mkdir()  # as after a kill, before anything else is there
    own_folder(tmp_path / "a" / "b")
    own_folder(tmp_path / "a" / "b" / "images")


def test_a_demo_takes_the_folder_of_a_demo_of_an_earlier_version(tmp_path: Path) -> None:
    (tmp_path / "labelnext.yaml").write_text("# The demo for plain files. Change it, and run it.\n")
    own_folder(tmp_path)


def test_a_demo_in_place_of_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(ConfigError, match="can't be made"):
        own_folder(tmp_path / "file")

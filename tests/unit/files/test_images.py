"""A folder of images without predictions: each image an item, the folders inside it its labels."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path
from typing import cast

import numpy as np
import pytest
import yaml
from click.testing import CliRunner
from PIL import Image
from sklearn.datasets import load_digits

import labelnext
from labelnext import Pool
from labelnext.adapter.protocol import ShowsItems
from labelnext.adapter.registry import open_adapter
from labelnext.cli import app
from labelnext.errors import ConfigError, InvalidInput, NotFound
from tests.unit.cli.test_commands import labelnext as command_line


def painted(path: Path, pixels: np.ndarray | None = None) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    gray = np.zeros((8, 8)) if pixels is None else pixels * 15.9
    Image.fromarray(gray.astype(np.uint8)).save(path)


def read(folder: Path | str, **source: object) -> Pool:
    return open_adapter("files", path=str(folder), **source).read()


def test_ids_are_the_paths_inside_the_folder_and_what_systems_leave_there_is_none(
    tmp_path: Path,
) -> None:
    for name in ("b.png", "a.JPG", "2024/007.png", "2024/a.JPG"):
        painted(tmp_path / "photos" / name)
    for name in (".DS_Store", "Thumbs.db", "._b.png", "2024/.hidden.png"):
        (tmp_path / "photos" / name).write_bytes(b"x")
    pool = read(tmp_path / "photos")
    assert pool.item_ids.tolist() == ["2024/007.png", "2024/a.JPG", "a.JPG", "b.png"]
    assert not pool.labelled.any()
    assert pool.probabilities is None


def test_a_glob_of_all_images_is_the_folder_and_one_of_some_is_refused(tmp_path: Path) -> None:
    for name in ("a1.png", "a2.png", "b1.png"):
        painted(tmp_path / name)
    assert read(tmp_path / "*.png").item_ids.tolist() == ["a1.png", "a2.png", "b1.png"]
    with pytest.raises(NotFound, match=r"'.*a\*\.png' has 2 files: 2 images \(a1\.png, a2\.png\)"):
        read(tmp_path / "a*.png")


def test_folders_inside_are_labels_if_that_is_said(tmp_path: Path) -> None:
    for name in ("cat/1.png", "cat/more/2.png", "ant/3.png", "4.png"):
        painted(tmp_path / name)
    pool = read(tmp_path, folders_are_labels=True)
    assert pool.item_ids.tolist() == ["4.png", "3.png", "1.png", "2.png"]
    assert pool.classes == ("ant", "cat")
    assert pool.labels.tolist() == [-1, 0, 1, 1]
    painted(tmp_path / "ant" / "1.png")
    with pytest.raises(InvalidInput, match="distinct names .* got 'ant/1.png' and 'cat/1.png'"):
        read(tmp_path, folders_are_labels=True)


def test_images_have_a_name_beside_their_id_once_they_are_moved(tmp_path: Path) -> None:
    for name in ("cat/1.png", "2.png"):
        painted(tmp_path / name)
    adapter = open_adapter("files", path=str(tmp_path), folders_are_labels=True)
    adapter.read()
    shown = cast("ShowsItems", adapter).previews(["1.png", "2.png"])
    assert {item: known.name for item, known in shown.items()} == {
        "1.png": "cat/1.png",
        "2.png": None,
    }


def test_other_folders_and_single_images_are_refused(tmp_path: Path) -> None:
    painted(tmp_path / "one.png")
    with pytest.raises(ConfigError, match="'one.png' is an image"):
        read(tmp_path / "one.png")
    with pytest.raises(InvalidInput, match="must be a folder of images; it is a file"):
        read(tmp_path / "one.png", format="images")
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "a.txt").write_text("x")
    with pytest.raises(InvalidInput, match="the folder must hold images; it has none"):
        read(tmp_path / "texts", format="images")


def test_images_beside_predictions_stay_what_they_were(tmp_path: Path) -> None:
    painted(tmp_path / "a.png")
    (tmp_path / "a.txt").write_text("0 0.5 0.5 0.2 0.2 0.9\n")
    assert read(tmp_path).objects is not None


def test_init_sort_into_folders_and_rank_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From images alone to a probe that is right, with nothing but a file manager."""
    monkeypatch.chdir(tmp_path)
    digits = load_digits()
    rows = np.flatnonzero(np.isin(digits.target, (0, 1, 4)))[:240]
    truth = {f"{row:04}.png": str(digits.target[row]) for row in rows}
    for row in rows:
        painted(Path(f"photos/{row:04}.png"), digits.images[row])
    made = CliRunner().invoke(app, ["init", "files", "photos"])
    assert made.exit_code == 0, made.output
    config = yaml.safe_load(Path("labelnext.yaml").read_text())
    assert config["source"]["model"] == "probe"
    assert config["source"]["embeddings"] == {"from": "images"}
    config["source"]["folders_are_labels"] = True
    config["selection"]["budget"] = 15
    sorted_in: set[str] = set()
    for _ in range(3):
        labelnext.run(config)
        with Path("ranking.csv").open() as file:
            batch = [line["item_id"] for line in csv.DictReader(file)][:15]
        assert not {*batch} & sorted_in
        sorted_in.update(batch)
        for name in batch:
            Path("photos", truth[name]).mkdir(exist_ok=True)
            shutil.move(Path("photos", name), Path("photos", truth[name], name))
    adapter = open_adapter("files", path="photos", folders_are_labels=True)
    shown = adapter.previews([batch[0], min({*truth} - sorted_in)])
    assert shown[batch[0]].name == f"{truth[batch[0]]}/{batch[0]}"
    assert all(one.image() for one in shown.values())
    Path("labelnext.yaml").write_text(yaml.safe_dump(config))
    said = CliRunner().invoke(app, ["predictions", "labelnext.yaml", "classes.csv"])
    assert said.exit_code == 0, said.output
    with Path("classes.csv").open() as file:
        answers = {line["item_id"]: line["prediction"] for line in csv.DictReader(file)}
    right = [answers[name] == truth[name] for name in {*truth} - sorted_in]
    assert len(right) == 195
    assert np.mean(right) > 0.9


def test_init_and_runs_in_the_folder_of_the_images_itself(tmp_path: Path) -> None:
    for n in range(4):
        painted(tmp_path / f"{n}.png")
    (tmp_path / "README.txt").write_text("Photos of our own.")
    assert command_line("init", "files", ".", folder=tmp_path).returncode == 0
    for command in ("check", "run", "check", "run", "undo"):
        done = command_line(command, "labelnext.yaml", folder=tmp_path)
        assert done.returncode == 0, done.stderr
    assert len(read(tmp_path)) == 4


def test_a_table_beside_images_may_hold_their_predictions(tmp_path: Path) -> None:
    painted(tmp_path / "a.png")
    (tmp_path / "p.csv").write_text("id,cat,dog\na.png,0.5,0.5\n")
    assert read(tmp_path).probabilities is not None

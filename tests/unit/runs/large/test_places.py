"""Where the ranking of a pool in parts may lie."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import labelnext
from labelnext.cli.console import print_status
from labelnext.errors import LabelnextError, WriteRefused
from labelnext.runs.status import status
from labelnext.runs.undo import undo


def pool(folder: Path, ids: str = "ab") -> None:
    folder.mkdir(parents=True, exist_ok=True)
    rows = [[0.6, 0.4], [0.5, 0.5]][: len(ids)]
    pq.write_table(
        pa.table({"item_id": list(ids), "probabilities": rows}), folder / f"{ids}.parquet"
    )


def configured(folder: Path, path: str, output: str | None = None) -> Path:
    config = folder / "c.yaml"
    more = "" if output is None else f"write: {{output: {output}}}\n"
    config.write_text(f"source: {{adapter: files, path: {path!r}}}\n{more}report: {{path: null}}\n")
    return config


def test_a_ranking_inside_its_pool_is_no_part_of_it(tmp_path: Path) -> None:
    pool(tmp_path)
    config = configured(tmp_path, ".")
    counts = [labelnext.run(config).counts["items"] for _ in range(3)]
    assert counts == [2, 2, 2]
    half = tmp_path / "ranking" / "20200101T000000-000000"  # of a run that was killed
    for inside in ("scores", "scores/items", "rest"):
        pool(half / inside)
    assert labelnext.run(config).counts["items"] == 2


@pytest.mark.parametrize(
    ("path", "n"), [("d/*.parquet", 2), ("d/*/*.parquet", 1), ("d/**/*.parquet", 3), ("d", 3)]
)
def test_a_star_does_not_cross_folders(tmp_path: Path, path: str, n: int) -> None:
    pool(tmp_path / "d", "ab")
    pool(tmp_path / "d" / "e", "c")
    assert labelnext.run(configured(tmp_path, path)).counts["items"] == n


@pytest.mark.parametrize("name", ["manifest.json", "manifest.json/", "notes.txt"])
def test_a_folder_of_somebody_else_is_refused_before_any_work(tmp_path: Path, name: str) -> None:
    pool(tmp_path / "d")
    (tmp_path / "theirs").mkdir()
    if name.endswith("/"):
        (tmp_path / "theirs" / name).mkdir()
    else:
        (tmp_path / "theirs" / name).write_text(json.dumps({"run_id": 3, "files": "many"}))
    seen: list[str] = []
    with pytest.raises(WriteRefused, match="must be a new folder, or one with a ranking"):
        labelnext.run(
            configured(tmp_path, "d", "theirs"), progress=lambda stage, *_: seen.append(stage)
        )
    assert seen == []
    assert [path.name for path in (tmp_path / "theirs").iterdir()] == [name.strip("/")]
    assert not (tmp_path / ".labelnext").exists()


def test_a_pool_is_no_place_for_a_ranking(tmp_path: Path) -> None:
    pool(tmp_path / "d")
    with pytest.raises(WriteRefused, match="it holds ab.parquet"):
        labelnext.run(configured(tmp_path, "d", "d"))


def test_undo_of_the_first_run_leaves_no_folder(tmp_path: Path) -> None:
    pool(tmp_path / "d")
    config = configured(tmp_path, "d")
    labelnext.run(config)
    undo(config)
    assert not (tmp_path / "ranking").exists()


def test_a_ranking_whose_files_are_gone_is_not_put_back(tmp_path: Path) -> None:
    pool(tmp_path / "d")
    config = configured(tmp_path, "d")
    for _ in range(3):
        labelnext.run(config)
    undo(config)
    manifest = (tmp_path / "ranking" / "manifest.json").read_bytes()
    with pytest.raises(LabelnextError, match="a later run removed the ranking it had replaced"):
        undo(config)
    assert (tmp_path / "ranking" / "manifest.json").read_bytes() == manifest
    files = json.loads(manifest)["files"]
    assert all((tmp_path / "ranking" / file["path"]).exists() for file in files)


def test_an_output_is_none_of_the_pools_files(tmp_path: Path) -> None:
    pool(tmp_path / "d")
    before = (tmp_path / "d" / "ab.parquet").read_bytes()
    for path in ("d", "d/*", "d/ab.parquet"):
        config = configured(tmp_path, path)
        text = config.read_text().replace("{path: null}", "{path: d/ab.parquet}")
        config.write_text(text)
        with pytest.raises(LabelnextError, match="report.path must"):
            labelnext.run(config)
    assert (tmp_path / "d" / "ab.parquet").read_bytes() == before


def test_files_that_were_only_moved_are_not_said_to_hold_other_predictions(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pool(tmp_path / "d")
    run_id = labelnext.run(configured(tmp_path, "d")).run_id
    print_status(status(tmp_path / "c.yaml"))
    assert "Nothing has changed since the newest run" in capsys.readouterr().out

    time = (tmp_path / "d" / "ab.parquet").stat().st_mtime_ns + 10**9
    os.utime(tmp_path / "d" / "ab.parquet", ns=(time, time))

    print_status(status(tmp_path / "c.yaml"))
    second = capsys.readouterr().out.splitlines()[1]
    assert second.startswith(f"The pool's files were changed or moved since run {run_id}:")

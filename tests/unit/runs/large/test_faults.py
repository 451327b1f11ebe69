"""Files that are broken, disks that are full, and rankings that are taken back."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import labelnext
from labelnext.errors import InvalidInput, MissingExtra, WriteFailed
from labelnext.runs.check import check
from labelnext.runs.large import order, performer
from labelnext.runs.undo import resume, runs, undo
from labelnext.support.store import Store
from tests.unit.runs.large.test_job import (
    assert_same,
    classification,
    in_memory,
    settings,
    spread,
    texts,
    written,
)


def cut_short(file: Path) -> bytes:
    content = file.read_bytes()
    file.write_bytes(content[: len(content) // 2])
    return content


def test_a_broken_file_is_named_and_mended_and_the_run_resumed(tmp_path: Path) -> None:
    table = classification(texts())
    path = spread(table, tmp_path / "data", 7)
    content = cut_short(path / "005.parquet")
    config = settings(tmp_path, path)
    with pytest.raises(WriteFailed, match=r"005.parquet: it must be a whole Parquet file"):
        labelnext.run(config)
    (broken,) = runs(config)
    assert broken.status == "broken"
    scores = tmp_path / "ranking" / broken.run_id / "scores"
    done = {file.name: file.stat().st_mtime_ns for file in scores.glob("0*")}
    assert 1 <= len(done) < 7
    damaged = scores / min(done)
    stored = damaged.read_bytes()
    damaged.write_bytes(stored[:4] + b"\xff" * 60 + stored[64:])  # its footer is whole

    (path / "005.parquet").write_bytes(content)
    kept: dict[str, int] = {}

    def look(stage: str, count: int, total: int | None) -> None:
        if stage == "order":
            kept.update({file.name: file.stat().st_mtime_ns for file in scores.glob("0*")})

    assert resume(config, progress=look).status == "done"
    assert_same(written(tmp_path / "ranking"), in_memory(tmp_path, table))
    again = {name for name in done if kept[name] != done[name]}
    assert again == {damaged.name}  # no other is scored again
    assert not scores.exists()


def test_broken_files_are_left_out_and_counted_where_that_is_wished(tmp_path: Path) -> None:
    path = spread(classification(texts()), tmp_path / "data", 7)
    cut_short(path / "002.parquet")
    whole = pa.concat_tables(
        [pq.read_table(f) for f in sorted(path.glob("*")) if "002" not in f.name]
    )
    source = {"adapter": "files", "path": str(path), "broken": "skip"}
    report = labelnext.run(settings(tmp_path, path, source=source))
    assert_same(written(tmp_path / "ranking"), in_memory(tmp_path, whole))
    (notice,) = [n for n in report.notices if n.code == "broken_parts"]
    assert "left out 1 part that could not be read" in notice.message
    assert "002.parquet" in notice.message


@pytest.mark.parametrize(("broken", "level"), [("stop", "error"), ("skip", "warning")])
def test_check_names_a_broken_file_wherever_it_stands(
    tmp_path: Path, broken: str, level: str
) -> None:
    path = spread(classification(texts()), tmp_path / "data", 7)
    cut_short(path / "005.parquet")
    source = {"adapter": "files", "path": str(path), "broken": broken}
    checked = check(settings(tmp_path, path, source=source))
    (finding,) = [f for f in checked.findings if "005.parquet" in f.message]
    assert finding.level == level
    dry = labelnext.run(settings(tmp_path, path, source=source), dry_run=True)
    assert any("005.parquet" in notice.message for notice in dry.notices)
    assert ".." not in finding.message


def test_a_row_that_breaks_a_rule_is_named_with_its_file(tmp_path: Path) -> None:
    rows = [[0.5, 0.5]] * 6
    rows[4] = [0.9, 0.9]
    table = pa.table({"item_id": list("abcdef"), "probabilities": rows})
    (tmp_path / "data").mkdir()
    for number in range(2):
        pq.write_table(table.slice(3 * number, 3), tmp_path / "data" / f"{number}.parquet")
    wrong = r"data/1.parquet, rows 0 to 2: .*item 1: probabilities must sum to 1; they sum to 1.8"
    with pytest.raises(WriteFailed, match=wrong):
        labelnext.run(settings(tmp_path, tmp_path / "data"))
    (tmp_path / "data" / "0.parquet").unlink()
    with pytest.raises(InvalidInput, match=wrong):  # of the first part, before anything begins
        labelnext.run(settings(tmp_path, tmp_path / "data"))


FULL = """
import json, resource, sys
import labelnext
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]),) * 2)
import signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
try:
    labelnext.run(json.loads(sys.argv[1]))
except labelnext.errors.WriteFailed as error:
    print(error)
"""


def test_a_disk_that_is_full_leaves_the_earlier_ranking(tmp_path: Path) -> None:
    path = spread(classification(texts()), tmp_path / "data", 2)
    config = settings(tmp_path, path)
    labelnext.run(config)
    before = written(tmp_path / "ranking")
    again = {**config, "acquisition": {"name": "margin"}}
    done = subprocess.run(
        [sys.executable, "-c", FULL, json.dumps(again), "20000"],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert "allow larger files (ulimit -f)" in done.stdout, done.stderr
    assert "resume" in done.stdout
    assert_same(written(tmp_path / "ranking"), before)
    resume(again)
    assert written(tmp_path / "ranking").column("score").to_pylist()[0] == 0


def test_a_run_without_duckdb_ends_before_its_journal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = settings(tmp_path, spread(classification(texts()), tmp_path / "data", 3))
    monkeypatch.setitem(sys.modules, "duckdb", None)
    with pytest.raises(MissingExtra, match="needs the package duckdb"):
        labelnext.run(config)
    assert runs(config) == []
    assert not (tmp_path / "ranking").exists()


def full(*_: object) -> None:
    import duckdb

    raise duckdb.IOException("Could not write file: No space left on device")


def nonsense(file: Path) -> None:
    file.write_bytes(b"PAR1" + b"\xff" * 500)


def of_text(file: Path) -> None:
    table = pa.ipc.open_file(file.read_bytes()).read_all()
    words = pa.array(["x"] * len(table))
    at = table.column_names.index("utility")
    table = table.set_column(at, "utility", words).replace_schema_metadata()
    with pa.ipc.new_file(str(file), table.schema) as out:
        out.write_table(table)


@pytest.mark.parametrize(
    "damage", [cut_short, Path.unlink, nonsense, of_text, full], ids=lambda one: one.__name__
)
def test_scores_that_are_damaged_before_they_are_sorted_leave_the_earlier_ranking(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, damage: Callable[[Path], object]
) -> None:
    table = classification(texts())
    path = spread(table, tmp_path / "data", 3)
    config = settings(tmp_path, path)
    labelnext.run(config)
    before = written(tmp_path / "ranking")
    again = {**config, "acquisition": {"name": "margin"}}

    def damaged(store: Store, names: Sequence[str], **options: Any) -> Any:
        if damage is full:
            patch.setattr(performer, "batch_of", full)
        else:
            damage(Path(store.path(names[1])))
        return order.opened_scores(store, names, **options)

    with monkeypatch.context() as patch:
        patch.setattr(performer, "opened_scores", damaged)
        with pytest.raises(
            WriteFailed, match=r"the scores (could not be sorted|can't be read).* resume "
        ) as error:
            labelnext.run(again)
    assert len(str(error.value).splitlines()) == 1
    assert_same(written(tmp_path / "ranking"), before)
    assert not list(tmp_path.rglob("*.sort"))
    assert check(again).ok
    assert resume(again).status == "done"
    assert_same(
        written(tmp_path / "ranking"), in_memory(tmp_path, table, acquisition=again["acquisition"])
    )
    undo(again)
    assert_same(written(tmp_path / "ranking"), before)


def test_undo_puts_the_earlier_ranking_back(tmp_path: Path) -> None:
    path = spread(classification(texts()), tmp_path / "data", 2)
    entropy, margin = (
        settings(tmp_path, path, acquisition={"name": n}) for n in ("entropy", "margin")
    )
    labelnext.run(entropy)
    first = written(tmp_path / "ranking")
    labelnext.run(margin)
    assert written(tmp_path / "ranking").column("score")[0].as_py() == 0
    journal, stayed = undo(margin)
    assert (journal.status, stayed) == ("undone", [])
    assert_same(written(tmp_path / "ranking"), first)
    undo(entropy)
    assert not (tmp_path / "ranking").exists()  # as before


def test_undo_sweeps_what_a_killed_undo_left_in_the_folder(tmp_path: Path) -> None:
    config = settings(tmp_path, spread(classification(texts()), tmp_path / "data", 2))
    labelnext.run(config)
    (folder,) = (path for path in (tmp_path / "ranking").iterdir() if path.is_dir())
    for place in (folder.parent, folder):
        (place / ".labelnext-0123456789abcdef.partial").write_text("half")
    undo(config)
    assert not (tmp_path / "ranking").exists()


def test_only_the_ranking_that_stands_and_the_one_before_keep_their_files(tmp_path: Path) -> None:
    path = spread(classification(texts()), tmp_path / "data", 2)
    config = settings(tmp_path, path)
    labelnext.run(config)
    (tmp_path / "ranking" / "mine").mkdir()
    for _ in range(2):
        labelnext.run(config)
    folders = sorted(f.name for f in (tmp_path / "ranking").iterdir() if f.is_dir())
    assert folders == [*(journal.run_id for journal in runs(config)[1:]), "mine"]

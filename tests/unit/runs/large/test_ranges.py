"""The whole order of a pool in parts, in ranges that workers make."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import labelnext
from labelnext.adapter.protocol import Part
from labelnext.errors import InvalidInput, WriteFailed
from labelnext.runs.large import performer, ranges, score_part
from labelnext.runs.large.order import among
from labelnext.runs.undo import resume
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

N = 3_000


@pytest.fixture(autouse=True)
def _small_ranges(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ranges, "_RANGE", 250)
    monkeypatch.setattr(score_part, "_EVERY", 20)


def sure(values: Any, ids: list[str] | None = None) -> pa.Table:
    """Items of two classes, of which the first has these probabilities."""
    rows = [[float(p), 1 - float(p)] for p in values]
    return pa.table({"item_id": ids or texts(len(rows)), "probabilities": rows})


def skewed() -> pa.Table:
    """Nearly all are as sure as can be, and the few others differ by the last digits alone."""
    values = np.ones(N)
    values[: N // 20] = np.nextafter(0.5, np.arange(N // 20))
    return sure(values)


def numbered(values: Any) -> pa.Table:
    """Ids that are integers, which go by value: 9 before 10, and 009 beside 9."""
    numbers = [*map(str, range(-50, len(values) - 150)), *(f"00{n}" for n in range(100))]
    order = np.random.default_rng(3).permutation(len(values))
    return sure(values, [numbers[i] for i in order])


CASES = {
    "ties, NaN and labels": lambda: classification(texts(N)),
    "all different": lambda: sure(np.random.default_rng(0).random(N)),
    "all equal": lambda: sure(np.full(N, 0.5)),
    "skewed": skewed,
    "integers, all equal": lambda: numbered(np.full(N, 0.5)),
    "integers, ties": lambda: numbered(np.random.default_rng(0).integers(0, 9, N) / 16),
}


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-20])


def n_files(folder: Path) -> int:
    return len(json.loads((folder / "manifest.json").read_text())["files"])


@pytest.mark.parametrize("threads", ["1", "2", "7"])
@pytest.mark.parametrize("case", CASES)
def test_ranges_give_the_order_of_the_whole(
    tmp_path: Path, case: str, threads: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LABELNEXT_THREADS", threads)
    table = CASES[case]()
    path = spread(table, tmp_path / "data", 5)
    labelnext.run(settings(tmp_path, path))
    assert n_files(tmp_path / "ranking") >= 10
    assert_same(written(tmp_path / "ranking"), in_memory(tmp_path, table))
    assert not [*(tmp_path / "ranking").glob("*/scores")]


@pytest.mark.parametrize(
    "selection",
    [
        {"budget": 600},
        {"budget": None},
        {"budget": 40, "options": {"quota": {"0": 10}}},
        {"method": "stochastic", "budget": 300},
    ],
)
def test_batch_comes_first_whatever_chose_it(tmp_path: Path, selection: dict[str, Any]) -> None:
    table = classification(texts(N))
    path = spread(table, tmp_path / "data", 5)
    report = labelnext.run(settings(tmp_path, path, selection=selection))
    ranked = written(tmp_path / "ranking")
    assert_same(ranked, in_memory(tmp_path, table, selection=selection))
    batch = ranked.filter(ranked.column("batch")).column("item_id").to_pylist()
    (lines,) = (tmp_path / "ranking").glob("*/batch.jsonl")
    assert [json.loads(line)["item_id"] for line in lines.read_text().splitlines()] == batch
    assert report.counts["batch"] == len(batch)


def test_report_is_that_of_one_range(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = spread(classification(texts(N)), tmp_path / "data", 5)
    config = settings(tmp_path, path)
    several = labelnext.run(config)
    monkeypatch.setattr(ranges, "_RANGE", N)
    one = labelnext.run(config)
    assert (one.scores, one.classes, one.counts) == (
        several.scores,
        several.classes,
        several.counts,
    )


def test_id_that_is_there_twice_in_other_ranges_is_refused(tmp_path: Path) -> None:
    values = np.random.default_rng(0).random(N)
    values[:2] = 0.5, 1.0
    ids = texts(N)
    ids[1] = ids[0]
    path = spread(sure(values, ids), tmp_path / "data", 5)
    with pytest.raises(WriteFailed, match=f"got ids more than once: {ids[0]}"):
        labelnext.run(settings(tmp_path, path))
    assert not (tmp_path / "ranking" / "manifest.json").exists()


@pytest.mark.parametrize("stage", ["sort", "order"])
def test_a_run_that_broke_off_between_ranges_goes_on_where_it_was(
    tmp_path: Path, stage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = classification(texts(N))
    path = spread(table, tmp_path / "data", 5)
    config = settings(tmp_path, path)

    def stop(name: str, done: int, total: int | None) -> None:
        if name == stage and done > N // 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        labelnext.run(config, progress=stop)
    assert not (tmp_path / "ranking" / "manifest.json").exists()
    made: list[str] = []
    write = Store.write_table
    monkeypatch.setattr(
        Store, "write_table", lambda *args, **more: (made.append(args[1]), write(*args, **more))
    )
    assert resume(config).status == "done"
    assert_same(written(tmp_path / "ranking"), in_memory(tmp_path, table))
    n_made = len(json.loads((tmp_path / "ranking" / "manifest.json").read_text())["files"])
    again = [name for name in made if "scores" not in name]
    assert len(again) < n_made if stage == "order" else len(again) == n_made


@pytest.mark.parametrize("damage", [cut, Path.unlink])
@pytest.mark.parametrize(
    ("stage", "files"),
    [
        ("sort", "*.arrow"),
        ("order", "items/*.arrow"),
        ("order", "hashes/*.arrow"),
        ("look", "0*.arrow"),
    ],
)
def test_what_was_damaged_meanwhile_is_made_again_on_resume(
    tmp_path: Path, stage: str, files: str, damage: Callable[[Path], None]
) -> None:
    table = classification(texts(N))
    path = spread(table, tmp_path / "data", 5)
    config = settings(tmp_path, path)
    harmed: list[Path] = []

    def harm(name: str, done: int, total: int | None) -> None:
        if name == stage and not harmed:
            harmed.append(sorted((tmp_path / "ranking").glob(f"*/scores/{files}"))[-1])
            damage(harmed[0])

    with pytest.raises(WriteFailed, match="can't be read"):
        labelnext.run(config, progress=harm)
    assert resume(config).status == "done"
    assert_same(written(tmp_path / "ranking"), in_memory(tmp_path, table))


@pytest.mark.parametrize("gone", ["proposals", "evidence", "items"])
def test_a_run_that_broke_off_while_it_tidied_up_keeps_what_it_published(
    tmp_path: Path, gone: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    vectors = np.random.default_rng(0).normal(size=(N, 2)).tolist()
    table = classification(texts(N)).append_column("embedding", pa.array(vectors))
    path = spread(table, tmp_path / "data", 3)
    config = settings(tmp_path, path, selection={"method": "k_center", "budget": 30})
    ranking, remove = tmp_path / "ranking", Store.remove_folder

    def stop(store: Store, name: str) -> None:
        remove(store, f"{name}/{gone}")
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Store, "remove_folder", stop)
        with pytest.raises(KeyboardInterrupt):
            labelnext.run(config)
    published = written(ranking)
    assert published.column("batch").to_pylist().count(True) == 30
    assert resume(config).status == "done"
    assert_same(written(ranking), published)
    assert not [*ranking.glob("*/scores")]


def test_a_batch_that_comes_out_otherwise_on_resume_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Another library or another number of threads may choose otherwise by the last digit.
    table = classification(texts(N))
    path = spread(table, tmp_path / "data", 5)
    chosen = {"method": "stochastic", "budget": 100}
    config = settings(tmp_path, path, selection=chosen)

    def stop(name: str, done: int, total: int | None) -> None:
        if name == "order" and done > N // 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        labelnext.run(config, progress=stop)
    choose = performer.batch_of

    def otherwise(*args: Any) -> Any:
        batch, notices = choose(*args)
        assert batch is not None
        return batch.slice(10), notices

    monkeypatch.setattr(performer, "batch_of", otherwise)
    resume(config)
    whole = in_memory(tmp_path, table, selection=chosen)
    ids = [t.column("item_id").to_pylist() for t in (written(tmp_path / "ranking"), whole)]
    assert sorted(ids[0]) == sorted(ids[1])
    assert ids[0][:90] == ids[1][10:100]


def test_many_small_parts_are_cut_into_ranges_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ranges, "_RANGE", 60)
    table = classification(texts(600))
    path = spread(table, tmp_path / "data", 120)
    labelnext.run(settings(tmp_path, path))
    assert n_files(tmp_path / "ranking") >= 6
    assert_same(written(tmp_path / "ranking"), in_memory(tmp_path, table))


def test_a_very_large_pool_has_larger_ranges(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ranges, "_RANGE", 1_000_000)
    sample = [(n / 7, str(n)) for n in range(5_000)]
    for n, wanted in ((10**6, 0), (10**7, 9), (2 * 10**8, 99), (10**9, 249)):
        assert len(ranges.range_starts(sample, n, integers=True)) == wanted
    assert ranges.range_starts([], 10**9, integers=False) == []


@pytest.mark.parametrize("cuts", [[], [0], [3, 3, 50], [7, 99, 100, 100]])
def test_pieces_of_a_table_are_read_alone(tmp_path: Path, cuts: list[int]) -> None:
    files = Store(tmp_path)
    table = pa.table({"n": pa.chunked_array([np.arange(7), np.arange(7, 100)])})
    files.write_rows("t.arrow", table, cuts)
    for number, (start, end) in enumerate(pairwise([0, *cuts, 100])):
        assert files.read_piece("t.arrow", number).equals(table.slice(start, end - start))
    assert files.read_columns("t.arrow").equals(table)


@pytest.mark.parametrize("left", [0, 100, -1])
def test_a_table_of_rows_that_is_cut_off_is_damaged(tmp_path: Path, left: int) -> None:
    files, path = Store(tmp_path), tmp_path / "t.arrow"
    files.write_rows("t.arrow", pa.table({"n": np.arange(100)}))
    path.write_bytes(path.read_bytes()[:left])
    with pytest.raises(InvalidInput, match="must be as labelnext wrote it"):
        files.read_piece("t.arrow", 0)
    path.unlink()
    with pytest.raises(FileNotFoundError):
        files.read_piece("t.arrow", 0)


@pytest.mark.parametrize("batch", [[], ["b"], ["e", "b", "x"], [*"edcbaxyz"]])
@pytest.mark.parametrize("ids", [[], ["a"], [*"abcd"]])
def test_the_batch_is_found_in_a_part_whichever_is_larger(ids: list[str], batch: list[str]) -> None:
    columns = [pa.chunked_array([names[:1], names[1:]], pa.string()) for names in (ids, batch)]
    assert among(*columns).to_pylist() == [name in batch for name in ids]


@pytest.mark.parametrize(
    ("rows", "n_ranges", "together", "names"),
    [
        ([3, 3, 3, 9, 0], 1, [9, 9], ["0 to 2", "3 to 4"]),  # of 18 rows, up to 9
        ([3, 3, 3, 9, 0], 2, [3, 3, 3, 9, 0], [*"01234"]),  # up to 4; a part is never cut
        ([0, 5], 1, [0, 5], [*"01"]),
        ([7], 1, [7], ["0"]),
        ([], 1, [], []),
    ],
)
def test_parts_are_sorted_together_up_to_half_a_range(
    rows: list[int], n_ranges: int, together: list[int], names: list[str]
) -> None:
    scoring: Any = SimpleNamespace(name=lambda part: part.name)
    starts = tuple((1.0 / n, str(n)) for n in range(1, n_ranges))
    split = ranges.Split(scoring, "", starts, False, None)
    parts = [Part(number, str(number), {}, n) for number, n in enumerate(rows)]
    groups = split.groups(parts)
    assert [group.rows for group in groups] == together
    assert [group.name for group in groups] == names
    assert [name for group in groups for name in group.payload["scores"]] == [
        part.name for part in parts
    ]

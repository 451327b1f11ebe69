"""What a dry run and a check look at, of a pool in parts."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import labelnext
from labelnext.runs.check import check
from tests.unit.runs.large.test_job import classification, settings, spread, texts


def test_a_dry_run_looks_at_the_first_part_and_writes_nothing(tmp_path: Path) -> None:
    path = spread(classification(texts()), tmp_path / "data", 4)
    report = labelnext.run(settings(tmp_path, path), dry_run=True)
    assert report.dry_run
    assert report.counts["items"] == 1_000
    assert "first of 4 parts alone, 1,000 of 4,000 rows" in report.to_text()
    assert not (tmp_path / "ranking").exists()
    assert not (tmp_path / "state").exists()


@pytest.mark.parametrize("why", ["labelled", "not predicted"])
def test_a_dry_run_and_a_check_pass_over_parts_of_which_nothing_can_be_ranked(
    tmp_path: Path, why: str
) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    rows: list[list[float] | None] = [[0.5, 0.5], [0.75, 0.25]]
    for part, there in enumerate([False, False, True]):
        done = why == "labelled" and not there
        columns = {
            "item_id": [f"{part}{n}" for n in range(2)],
            "probabilities": rows if there or done else [None, None],
            "labelled": [done, done],
        }
        kinds = pa.schema(
            [("item_id", pa.string()), ("probabilities", pa.list_(pa.float64()))]
        ).append(pa.field("labelled", pa.bool_()))
        pq.write_table(pa.table(columns, kinds), folder / f"{part}.parquet")
    config = settings(tmp_path, folder)
    report = labelnext.run(config, dry_run=True)
    assert (report.counts["ranked"], report.nothing_ranked) == (2, "")
    seen = "part 3 of 3, the first with items that can be ranked"
    assert f"orders {seen} alone, 2 of 6 rows" in report.to_text()
    found = check(config)
    assert found.ok
    assert any(seen in finding.message for finding in found.findings)


def test_a_dry_run_of_a_pool_that_is_all_labelled_says_so_by_its_first_part(
    tmp_path: Path,
) -> None:
    table = pa.table({"item_id": list("abcd"), "probabilities": [[0.5, 0.5]] * 4})
    table = table.append_column("labelled", pa.array([True] * 4))
    report = labelnext.run(settings(tmp_path, spread(table, tmp_path / "data", 2)), dry_run=True)
    assert report.why_nothing == "every item is labelled"
    assert "the first of 2 parts alone" in report.to_text()


def test_a_check_looks_at_the_first_part(tmp_path: Path) -> None:
    path = spread(classification(texts()), tmp_path / "data", 4)
    result = check(settings(tmp_path, path))
    assert result.ok
    assert (
        "4,000 items in 4 parts, read as parquet-folder: it is a folder"
        in result.findings[0].message
    )
    rows = pq.read_table(min(path.iterdir())).to_pylist()
    predicted = [row for row in rows if row["probabilities"] and row["probabilities"][0] >= 0]
    names = [row["item_id"] for row in predicted[:3]]
    shown = [f.message.partition(":")[0] for f in result.findings if f.message.startswith("read ")]
    assert shown == [f"read {name}" for name in names]

"""Pools that are read in parts: the same ranking as in memory, whatever breaks off."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import labelnext
from labelnext.errors import ConfigError, NotFound, WriteFailed
from labelnext.runs.check import check

N = 4_000


def classification(ids: list[str], seed: int = 0) -> pa.Table:
    """Coarse probabilities, so that many tie; some rows missing, some labelled, some with NaN."""
    rng = np.random.default_rng(seed)
    n = len(ids)
    parts = rng.multinomial(8, [0.5, 0.3, 0.2], size=n) / 8
    rows: list[Any] = [row.tolist() for row in parts]
    for i in rng.choice(n, n // 20, replace=False):
        rows[i] = None
    for i in rng.choice(n, n // 50, replace=False):
        rows[i] = [float("nan"), 0.5, 0.5]
    labels = np.where(rng.random(n) < 0.1, 1, -1).tolist()
    return pa.table({"item_id": ids, "probabilities": rows, "label": labels})


def detections(ids: list[str]) -> pa.Table:
    rng = np.random.default_rng(1)
    column: list[Any] = []
    for _ in ids:
        vectors = rng.multinomial(4, [0.4, 0.4, 0.2], size=rng.integers(0, 4)) / 4
        column.append([{"confidence": v.max(), "probabilities": v.tolist()} for v in vectors])
    column[3] = column[5] = None
    return pa.table({"item_id": ids, "objects": column})


def texts(n: int = N) -> list[str]:
    return [f"img-{i}" for i in np.random.default_rng(9).permutation(n)]


def spread(table: pa.Table, folder: Path, files: int) -> Path:
    """The rows, shuffled, in some files."""
    folder.mkdir(parents=True)
    order = np.random.default_rng(files).permutation(len(table))
    shuffled = table.take(pa.array(order))
    for number, rows in enumerate(np.array_split(np.arange(len(table)), files)):
        part = shuffled.slice(rows[0], len(rows))
        pq.write_table(
            part, folder / f"{number:03d}.parquet", row_group_size=max(len(part) // 3, 1)
        )
    return folder


def settings(
    tmp_path: Path, path: Path, metadata: Sequence[str] = (), **changes: Any
) -> dict[str, Any]:
    return {
        "source": {"adapter": "files", "path": str(path), "metadata": [*metadata]},
        "acquisition": {"name": "entropy"},
        "selection": {"budget": 50},
        "write": {"output": str(tmp_path / "ranking")},
        "state": str(tmp_path / "state"),
        "report": {"path": None},
        **changes,
    }


def in_memory(tmp_path: Path, table: pa.Table, **changes: Any) -> pa.Table:
    path = tmp_path / "whole.parquet"
    pq.write_table(table, path)
    out = tmp_path / "whole-ranking.parquet"
    config = settings(tmp_path, path, **changes)
    labelnext.run(config | {"write": {"output": str(out)}, "state": str(tmp_path / "other")})
    return pq.read_table(out)


def written(folder: Path) -> pa.Table:
    manifest = json.loads((folder / "manifest.json").read_text())
    return pa.concat_tables([pq.read_table(folder / f["path"]) for f in manifest["files"]])


def assert_same(streamed: pa.Table, whole: pa.Table) -> None:
    assert streamed.column_names == whole.column_names
    for name in whole.column_names:
        left, right = (t.column(name).combine_chunks() for t in (streamed, whole))
        assert left.equals(right), name


@pytest.mark.parametrize("files", [1, 7, 64])
@pytest.mark.parametrize("name", ["least_confidence", "margin", "variance", "entropy"])
def test_parts_in_any_number_give_the_ranking_of_the_whole(
    tmp_path: Path, name: str, files: int
) -> None:
    table = classification(texts())
    path = spread(table, tmp_path / "data", files)
    how = {"acquisition": {"name": name}}
    report = labelnext.run(settings(tmp_path, path, **how))
    whole = in_memory(tmp_path, table, **how)
    assert_same(written(tmp_path / "ranking"), whole)
    assert report.ranking.item_ids.tolist() == whole.column("item_id").to_pylist()[:50]
    assert report.counts["items"] == N
    assert report.counts["unscored"] > report.counts["missing"] > 0


@pytest.mark.parametrize(
    "acquisition",
    [
        {"name": "mean_object_confidence", "of": "objects"},
        {"name": "mean_object_confidence", "of": "objects", "no_objects": "last"},
        {"name": "entropy", "of": "objects", "reduce": "sum", "floor": 0.3},
        {"name": "margin", "of": "objects", "reduce": "min"},
        {"name": "least_confidence", "of": "objects", "reduce": "mean_top_k", "options": {"k": 2}},
        {"name": "entropy", "of": "objects", "reduce": "max", "options": {"per_cost": True}},
    ],
    ids=lambda how: "-".join(str(v) for v in how.values() if not isinstance(v, dict)),
)
def test_parts_with_objects_give_the_ranking_of_the_whole(
    tmp_path: Path, acquisition: dict[str, Any]
) -> None:
    table = detections(texts(1_000))
    path = spread(table, tmp_path / "data", 7)
    labelnext.run(settings(tmp_path, path, acquisition=acquisition))
    assert_same(written(tmp_path / "ranking"), in_memory(tmp_path, table, acquisition=acquisition))


def test_predictions_of_another_number_of_classes_are_refused(tmp_path: Path) -> None:
    # Their entropies would not compare; in memory the rows would be of two lengths.
    (tmp_path / "data").mkdir()
    for width in (2, 3):
        rows = {"item_id": [f"of {width}"], "probabilities": [[1 / width] * width]}
        pq.write_table(pa.table(rows), tmp_path / "data" / f"{width}.parquet")
    nothing = {"item_id": ["x"], "probabilities": pa.array([None], pa.list_(pa.float64()))}
    pq.write_table(pa.table(nothing), tmp_path / "data" / "4.parquet")
    alike = r"the same kind of predictions; got .* classes in data/\d.parquet, rows 0 to 0 and"
    with pytest.raises(WriteFailed, match=alike):
        labelnext.run(settings(tmp_path, tmp_path / "data"))
    (tmp_path / "data" / "2.parquet").unlink()  # nothing is of no number
    other = settings(tmp_path, tmp_path / "data", state=str(tmp_path / "again"))
    assert labelnext.run(other).ranking.item_ids.tolist() == ["of 3"]


def labelled_detections() -> pa.Table:
    """Objects of frequent and rare classes, one of which was never predicted; few are labelled."""
    rng = np.random.default_rng(4)
    names = rng.choice(["car", "bus", "van"], (300, 3), p=[0.7, 0.25, 0.05])
    column = [
        [{"confidence": float(rng.uniform()), "class": c} for c in row[: rng.integers(0, 4)]]
        for row in names.tolist()
    ]
    truth: list[Any] = [None] * 300
    for i in range(0, 300, 29):
        truth[i] = [{"class": c} for c in names[i]]
    truth[7] = [{"class": "tram"}]
    return pa.table({"item_id": texts(300), "objects": column, "truth": truth})


@pytest.mark.parametrize("classes", [None, ["van", "car", "bus", "tram", "bike"]])
@pytest.mark.parametrize("files", [1, 60])
@pytest.mark.parametrize(
    "acquisition",
    [
        {"name": "auto"},
        {"name": "entropy", "of": "objects", "reduce": "weighted_sum"},
        {
            "name": "least_confidence",
            "of": "objects",
            "reduce": "weighted_sum",
            "options": {
                "class_weights": "difficulty",
                "class_quality": {"car": 0.9, "bus": 0.5, "van": 0.2, "tram": 1, "bike": 0},
            },
        },
    ],
    ids=["auto", "counts", "difficulty"],
)
def test_classes_weigh_what_the_labels_of_all_parts_say(
    tmp_path: Path, acquisition: dict[str, Any], files: int, classes: list[str] | None
) -> None:
    table = labelled_detections()
    path = spread(table, tmp_path / "data", files)
    how: dict[str, Any] = {"acquisition": acquisition}
    source = {"adapter": "files", "classes": classes}
    here = settings(tmp_path, path, **how, source={**source, "path": str(path)})
    report = labelnext.run(here)
    pq.write_table(table, tmp_path / "all.parquet")
    out = tmp_path / "all-ranking.parquet"
    labelnext.run(
        {
            **here,
            "source": {**source, "path": str(tmp_path / "all.parquet")},
            "write": {"output": str(out)},
            "state": str(tmp_path / "other"),
        }
    )
    assert_same(written(tmp_path / "ranking"), pq.read_table(out))
    assert report.counts["labelled"] == 12
    assert len(set(written(tmp_path / "ranking").column("score").to_pylist())) > 100


def test_no_label_in_any_part_weighs_all_classes_alike(tmp_path: Path) -> None:
    table = labelled_detections().drop_columns(["truth"])
    path = spread(table, tmp_path / "data", 3)
    for acquisition in (
        {"name": "auto"},
        {"name": "entropy", "of": "objects", "reduce": "weighted_sum"},
    ):
        labelnext.run(settings(tmp_path, path, acquisition=acquisition))
        whole = in_memory(tmp_path, table, acquisition=acquisition)
        assert_same(written(tmp_path / "ranking"), whole)


def test_the_report_says_what_auto_chose(tmp_path: Path) -> None:
    path = spread(labelled_detections(), tmp_path / "data", 2)
    report = labelnext.run(settings(tmp_path, path, acquisition={"name": "auto"}))
    (notice,) = [n for n in report.notices if n.code == "acquisition"]
    assert "auto chose entropy of objects (reduce weighted_sum, floor 0.1" in notice.message


@pytest.mark.parametrize(
    "ids",
    [
        ["10", "9", "-3", "007", "7", "100"],
        ["10", "9", "-3", "a", "é", "Z"],
        ["7", "007", "99999999999999999999"],
    ],
)
def test_equal_scores_go_by_id_as_in_memory(tmp_path: Path, ids: list[str]) -> None:
    table = pa.table({"item_id": ids, "probabilities": [[0.5, 0.5]] * len(ids)})
    labelnext.run(settings(tmp_path, spread(table, tmp_path / "data", 3)))
    whole = in_memory(tmp_path, table)
    assert_same(written(tmp_path / "ranking"), whole)
    expected = [
        ["-3", "007", "7", "9", "10", "100"],
        ["-3", "10", "9", "Z", "a", "é"],
        ["007", "7", "99999999999999999999"],
    ]
    assert whole.column("item_id").to_pylist() in expected


def test_the_batch_is_a_file_of_its_own(tmp_path: Path) -> None:
    path = spread(classification(texts()), tmp_path / "data", 3)
    report = labelnext.run(settings(tmp_path, path))
    manifest = json.loads((tmp_path / "ranking" / "manifest.json").read_text())
    lines = (tmp_path / "ranking" / manifest["batch"]["path"]).read_text().splitlines()
    assert [json.loads(line) for line in lines] == report.ranking.to_rows()
    assert manifest["batch"]["rows"] == 50


def test_a_batch_that_is_the_pool_is_written_whole_and_not_held(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from labelnext.runs.large import findings

    monkeypatch.setattr(findings, "_HELD", 100)
    table = classification(texts())
    how = {"selection": {"budget": None}}
    report = labelnext.run(settings(tmp_path, spread(table, tmp_path / "data", 3), **how))
    whole = in_memory(tmp_path, table, **how)
    assert_same(written(tmp_path / "ranking"), whole)
    manifest = json.loads((tmp_path / "ranking" / "manifest.json").read_text())
    lines = (tmp_path / "ranking" / manifest["batch"]["path"]).read_text().splitlines()
    rows = whole.drop_columns(["batch"]).to_pylist()
    assert [json.loads(line) for line in lines] == rows
    assert manifest["batch"]["rows"] == report.counts["batch"] == len(rows) > 100
    assert report.ranking.to_rows() == rows[:100]
    (notice,) = [n for n in report.notices if n.code == "large_batch"]
    assert f"the first 100 of the batch's {len(rows):,}" in notice.message


def test_the_report_counts_notices_over_all_parts(tmp_path: Path) -> None:
    rows = [[0.5, 0.4999]] * 10
    table = pa.table({"item_id": texts(10), "probabilities": rows})
    report = labelnext.run(settings(tmp_path, spread(table, tmp_path / "data", 5)))
    (notice,) = report.notices
    assert notice.code == "renormalised"
    assert "in 5 parts, 10 items" in notice.message
    assert sorted(notice.item_ids) == sorted(texts(10))
    assert report.next_items[0]["reason"].startswith("0 0.50")


def test_ids_that_stand_in_two_parts_are_refused(tmp_path: Path) -> None:
    table = pa.table({"item_id": ["a", "b", "a"], "probabilities": [[1.0, 0.0]] * 3})
    with pytest.raises(WriteFailed, match="item_ids must be distinct; got ids more than once: a"):
        labelnext.run(settings(tmp_path, spread(table, tmp_path / "data", 3)))
    assert not (tmp_path / "ranking" / "manifest.json").exists()


def test_a_dry_run_looks_at_the_first_part_and_writes_nothing(tmp_path: Path) -> None:
    path = spread(classification(texts()), tmp_path / "data", 4)
    report = labelnext.run(settings(tmp_path, path), dry_run=True)
    assert report.dry_run
    assert report.counts["items"] == 1_000
    assert "first of 4 parts alone, 1,000 of 4,000 rows" in report.to_text()
    assert not (tmp_path / "ranking").exists()
    assert not (tmp_path / "state").exists()


def test_a_dry_run_of_a_labelled_first_part_says_nothing_of_the_others(tmp_path: Path) -> None:
    path = tmp_path / "data"
    path.mkdir()
    for number, label in enumerate(("x", None)):
        columns = {"probabilities": [[0.5, 0.5]], "label": pa.array([label], pa.string())}
        pq.write_table(pa.table({"item_id": [f"{number}"], **columns}), path / f"{number}.parquet")
    source = {"adapter": "files", "path": str(path), "classes": ["x", "y"]}
    report = labelnext.run(settings(tmp_path, path, source=source), dry_run=True)
    assert report.counts["ranked"] == 0
    assert report.why_nothing == "every item of the first part is labelled"


def test_a_check_looks_at_the_first_part(tmp_path: Path) -> None:
    path = spread(classification(texts()), tmp_path / "data", 4)
    result = check(settings(tmp_path, path))
    assert result.ok
    assert "4,000 items in 4 parts" in result.findings[0].message


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"selection": {"method": "badge"}}, r"selection.method must be one of .*\bk_center, "),
        ({"acquisition": {"name": "entropy", "calibrate": "auto"}}, "calibrate must be off"),
        (
            {"acquisition": {"name": "entropy", "of": "objects", "no_objects": "quota"}},
            "no_objects must be first or last",
        ),
        (
            {"acquisition": {"name": "entropy", "options": {"class_weights": "difficulty"}}},
            "class_quality must be given",
        ),
        ({"write": {"output": "ranking.csv"}}, "write.output must be a folder"),
    ],
)
def test_what_needs_the_whole_pool_is_refused(
    tmp_path: Path, changes: dict[str, Any], rule: str
) -> None:
    path = spread(classification(texts(10)), tmp_path / "data", 2)
    with pytest.raises(ConfigError, match=rule):
        labelnext.run(settings(tmp_path, path, **changes))


def test_a_folder_without_parquet_files_is_named(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    with pytest.raises(NotFound, match="is empty"):
        labelnext.run(settings(tmp_path, tmp_path / "data"))


def test_a_glob_takes_the_files_it_matches(tmp_path: Path) -> None:
    path = spread(classification(texts()), tmp_path / "data", 4)
    report = labelnext.run(settings(tmp_path, path / "00[01].parquet"))
    assert report.counts["items"] == 2_000


def test_an_address_of_the_web_is_to_be_downloaded(tmp_path: Path) -> None:
    source = {"adapter": "files", "path": "https://example.org/p.csv"}
    with pytest.raises(ConfigError, match="a URL that pyarrow supports.*download it"):
        labelnext.run(settings(tmp_path, tmp_path, source=source))


def test_a_url_with_a_password_is_refused(tmp_path: Path) -> None:
    source = {"adapter": "files", "path": "s3://key:secret@bucket/pool"}
    with pytest.raises(ConfigError, match="must not contain a user or password") as refused:
        labelnext.run(settings(tmp_path, tmp_path, source=source))
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize("url", ["gs://", "s3:///", "file://"])
def test_a_url_of_nothing_is_refused_at_once(tmp_path: Path, url: str) -> None:
    source = {"adapter": "files", "path": url}
    with pytest.raises(ConfigError, match="a URL must name a bucket or folder; got"):
        labelnext.run(settings(tmp_path, tmp_path, source=source))

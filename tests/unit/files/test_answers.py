"""Tables with one confidence per item: in memory and in parts, and what is written of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from benchmarks.same_answer import difference

import labelnext
from labelnext import Objects, Pool, open_adapter, rank
from labelnext.errors import InvalidInput
from labelnext.quality.reliability import trust
from labelnext.runs.large.export import source_of_pool, table_of_pool

SURENESS = [0.99, 0.06, 0.5, None, 0.3, 0.12]
IDS = list("abcdef")
ORDER = ["b", "f", "e", "c", "a"]


def table(**columns: Any) -> pa.Table:
    given = {"prediction": ["x", "y", "x", None, "z", "y"], "confidence": SURENESS, **columns}
    return pa.table({"item_id": IDS, **{k: v for k, v in given.items() if v is not None}})


def read(folder: Path, rows: pa.Table, **source: Any) -> Pool:
    pq.write_table(rows, folder / "t.parquet")
    return open_adapter("files", directory=folder, path="t.parquet", **source).read()


def ranked(pool: Pool) -> list[str]:
    return list(rank(pool).item_ids)


def test_a_class_with_its_confidence_is_least_confident_first(tmp_path: Path) -> None:
    pool = read(tmp_path, table())
    assert ranked(pool) == ORDER
    assert pool.classes == ("x", "y", "z")
    assert pool.predicted_classes.tolist() == [0, 1, 0, -1, 2, 1]
    assert pool.missing.tolist() == [False, False, False, True, False, False]


def test_a_table_of_no_rows_is_an_empty_pool(tmp_path: Path) -> None:
    assert len(read(tmp_path, table().slice(0, 0))) == 0


@pytest.mark.parametrize("name", ["t.csv", "t.jsonl"])
def test_texts_hold_the_same(tmp_path: Path, name: str) -> None:
    rows = [
        {"item_id": i, "prediction": p, "confidence": c}
        for i, p, c in zip(IDS, table().column("prediction").to_pylist(), SURENESS, strict=True)
    ]
    text = "\n".join(map(json.dumps, rows))
    if name == "t.csv":
        cells = [",".join("" if v is None else str(v) for v in row.values()) for row in rows]
        text = "\n".join(["item_id,prediction,confidence", *cells])
    (tmp_path / name).write_text(text + "\n")
    assert ranked(open_adapter("files", directory=tmp_path, path=name).read()) == ORDER


def test_columns_of_other_names_are_named(tmp_path: Path) -> None:
    rows = pa.table({"item_id": IDS, "said": ["x"] * 6, "sure": SURENESS})
    pool = read(tmp_path, rows, columns={"prediction": "said", "confidence": "sure"})
    assert ranked(pool) == ORDER


@pytest.mark.parametrize("kind", ["positions", "dictionary", "none"])
def test_predictions_may_be_positions_a_dictionary_or_left_out(tmp_path: Path, kind: str) -> None:
    columns = {
        "positions": pa.array([0, 1, 0, None, 2, 1]),
        "dictionary": pa.array(["x", "y", "x", None, "z", "y"]).dictionary_encode(),
        "none": None,
    }
    pool = read(tmp_path, table(prediction=columns[kind]))
    assert ranked(pool) == ORDER
    expected = [-1] * 6 if kind == "none" else [0, 1, 0, -1, 2, 1]
    assert pool.predicted_classes.tolist() == expected


def test_uncertainties_come_highest_first(tmp_path: Path) -> None:
    pool = read(tmp_path, table(prediction=None, confidence=None, uncertainty=SURENESS))
    assert ranked(pool) == ORDER[::-1]
    assert rank(pool).scores.tolist() == pytest.approx([0.99, 0.5, 0.3, 0.12, 0.06])


def test_several_columns_are_a_committee(tmp_path: Path) -> None:
    rows = table(confidence_old=[0.9, 0.9, 0.9, None, 0.9, 0.9], said_old=["x"] * 6)
    names = {
        "prediction": ["said_old", "prediction"],
        "confidence": ["confidence_old", "confidence"],
    }
    pool = read(tmp_path, rows, columns=names)
    assert pool.version_names == ("old", "confidence")
    # a agrees: (0.9 + 0.99)/2; c agrees: (0.9 + 0.5)/2; b, e, f differ: 0.9/2
    assert dict(zip(rank(pool).item_ids, rank(pool).scores.round(3), strict=True)) == {
        **{"b": 0.55, "e": 0.55, "f": 0.55},
        **{"c": 0.3, "a": 0.055},
    }
    with pytest.raises(InvalidInput, match="as many columns as columns.confidence; got 1 and 2"):
        read(tmp_path, rows, columns={**names, "prediction": "said_old"})


def test_probabilities_count_where_there_are_any(tmp_path: Path) -> None:
    pool = read(tmp_path, table(probabilities=[[0.5, 0.5, 0]] * 6))
    assert pool.answers == ()
    assert pool.probabilities is not None


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"confidence": [0.5, 95, 1, 1, 1, 1]}, "confidence must be in .0, 1.; got 95 for item b"),
        ({"confidence": ["high"] * 6}, "confidence must be numbers; got string"),
        (
            {"prediction": [0.5] * 6},
            "prediction must be one of positions from 0; got 0.5",
        ),
    ],
)
def test_what_is_no_confidence_is_refused(
    tmp_path: Path, columns: dict[str, Any], message: str
) -> None:
    with pytest.raises(InvalidInput, match=message):
        read(tmp_path, table(**columns))


def test_an_unknown_class_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="prediction must be one of x, y; got 'z'"):
        read(tmp_path, table(), classes=["x", "y"])


def test_arrays_without_offsets_hold_one_confidence_each(tmp_path: Path) -> None:
    sure = np.array([np.nan if s is None else s for s in SURENESS])
    np.savez(tmp_path / "t.npz", item_ids=IDS, confidences=sure, class_ids=[0, 1, 0, 0, 2, 1])
    assert ranked(open_adapter("files", directory=tmp_path, path="t.npz").read()) == ORDER


def committee(n_items: int, n_versions: int) -> Pool:
    """Answers with ties, missing ones and NaN; some items are labelled."""
    rng = np.random.default_rng(0)
    sets = []
    for _ in range(n_versions):
        there = rng.random(n_items) > 0.1
        sure = np.round(rng.random(int(there.sum())), 2)
        sure[rng.random(len(sure)) < 0.02] = np.nan
        ids = rng.integers(-1, 4, len(sure))
        offsets = np.concatenate([[0], np.cumsum(there)])
        sets.append(Objects(offsets, sure, class_ids=ids, whole_items=True))
    names = [f"item {i:04d}" for i in rng.permutation(n_items)]
    return Pool(
        names,
        objects=sets[0] if n_versions == 1 else tuple(sets),
        classes=["a", "b", "c", "d"],
        labels=np.where(rng.random(n_items) < 0.1, rng.integers(0, 4, n_items), -1),
    )


@pytest.mark.parametrize("acquisition", ["auto", "least_confidence", "mean_object_confidence"])
@pytest.mark.parametrize("n_versions", [1, 2])
def test_parts_give_the_ranking_of_the_pool_in_memory(
    tmp_path: Path, n_versions: int, acquisition: str
) -> None:
    pool = committee(300, n_versions)
    rows = table_of_pool(pool)
    (tmp_path / "data").mkdir()
    for number in range(3):
        part = rows.slice(number * 100, 100)
        pq.write_table(part, tmp_path / "data" / f"{number}.parquet", row_group_size=50)
    report = labelnext.run(
        {
            "source": {"adapter": "files", "path": str(tmp_path / "data"), **source_of_pool(pool)},
            "acquisition": {"name": acquisition},
            "selection": {"budget": 50},
            "write": {"output": str(tmp_path / "ranking")},
            "state": str(tmp_path / "state"),
            "report": {"path": None},
        }
    )
    whole = rank(pool, acquisition, budget=50)
    assert difference(whole, tmp_path / "ranking") is None
    assert report.ranking.of == "items"
    assert report.objects_per_item is None
    assert not {"without objects", "below the floor"} & report.counts.keys()
    judged = [version.to_dict() for version in trust(pool)]
    assert [v["n"] for v in report.calibration] == [v["n"] for v in judged]
    assert [v["ece"] for v in report.calibration] == pytest.approx([v["ece"] for v in judged])


def test_a_part_without_any_prediction_changes_nothing(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    nothing = pa.table({"item_id": ["n"], "prediction": pa.nulls(1), "confidence": pa.nulls(1)})
    pq.write_table(nothing, tmp_path / "data" / "0.parquet")
    pq.write_table(table(), tmp_path / "data" / "1.parquet")
    config = {
        "source": {"adapter": "files", "path": str(tmp_path / "data"), "classes": ["x", "y", "z"]},
        "write": {"output": str(tmp_path / "ranking")},
        "state": str(tmp_path / "state"),
        "report": {"path": None},
    }
    report = labelnext.run(config)
    assert report.ranking.item_ids.tolist() == ORDER
    assert report.next_items[0]["reason"] == "y 0.06"
    assert report.counts["missing"] == 2


@pytest.mark.parametrize("n_versions", [1, 2])
def test_what_is_exported_is_read_back(tmp_path: Path, n_versions: int) -> None:
    pool = committee(30, n_versions)
    back = read(tmp_path, table_of_pool(pool), **source_of_pool(pool))
    assert back.fingerprint() == pool.fingerprint()


@pytest.mark.parametrize("ending", ["jsonl", "parquet"])
def test_a_mapping_of_one_class_is_one_confidence_over_the_whole_range(
    tmp_path: Path, ending: str
) -> None:
    sure = {f"i{n}": round(0.03 + 0.07 * n, 2) for n in (5, 0, 13, 2, 9, 1, 12)}
    rows = [{"item_id": i, "probabilities": {f"c{i[1:]}": p}} for i, p in sure.items()]
    if ending == "jsonl":
        (tmp_path / "p.jsonl").write_text("\n".join(map(json.dumps, rows)))
    else:
        pq.write_table(pa.Table.from_pylist(rows), tmp_path / "p.parquet")
    pool = open_adapter("files", directory=tmp_path, path=f"p.{ending}").read()
    assert labelnext.rank(pool).item_ids.tolist() == sorted(sure, key=lambda item: sure[item])


def test_an_odd_confidence_in_a_mapping_of_one_class_is_left_out(tmp_path: Path) -> None:
    sure = [*(0.05 * n for n in range(1, 20)), 7.5]
    rows = [{"item_id": f"i{n}", "probabilities": {f"c{n % 3}": p}} for n, p in enumerate(sure)]
    (tmp_path / "p.jsonl").write_text("\n".join(map(json.dumps, rows)))
    pool = open_adapter("files", directory=tmp_path, path="p.jsonl").read()
    assert labelnext.rank(pool).item_ids.tolist() == [f"i{n}" for n in range(19)]
    assert ("left_out", ("i19",)) in [(n.code, n.item_ids) for n in pool.notices]

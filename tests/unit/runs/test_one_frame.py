"""Every command says the same of one file and of a folder of three; differences are listed."""

from __future__ import annotations

import itertools
import json
import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

import labelnext
from labelnext.cli import app
from labelnext.cli.console import out
from labelnext.errors import WriteFailed
from labelnext.journal import Journal
from labelnext.journal.journal import journals
from labelnext.quality.stopping import snapshots
from labelnext.runs.check import check
from labelnext.runs.run import explain
from labelnext.runs.status import status
from labelnext.runs.undo import resume, runs, undo

N = 500
PAGE = Path(__file__).parents[3] / "docs" / "large-pools.md"

#: Keys of a report that differ, each with a row in the table of docs/large-pools.md.
OF_ITS_OWN = {"config", "created", "input_hash", "output", "path", "run_id", "seconds", "target"}
DIFFERENT = OF_ITS_OWN | {"steps", "undo", "versions", "recipe.options"}


def classification() -> pa.Table:
    rng = np.random.default_rng(5)
    rows: list[Any] = rng.dirichlet([1.0, 0.6, 0.4], N).round(6).tolist()
    rows = [[r[0], r[1], 1 - r[0] - r[1]] for r in rows]
    for i in rng.choice(N, 12, replace=False):
        rows[i] = None
    labels = np.where(rng.random(N) < 0.2, rng.integers(0, 3, N), -1).tolist()
    return pa.table(
        {
            "item_id": [f"img-{i}" for i in rng.permutation(N)],
            "probabilities": rows,
            "label": labels,
            "embedding": rng.normal(size=(N, 4)).round(4).tolist(),
        }
    )


def detections() -> pa.Table:
    rng = np.random.default_rng(6)
    names = np.array(["car", "bus", "van"])
    objects: list[Any] = []
    truth: list[Any] = []
    for _ in range(N):
        n = int(rng.integers(0, 4))
        found = [
            {"confidence": float(c), "class": str(k), "box": [0.1 * j, 0.1, 0.1 * j + 0.08, 0.3]}
            for j, (c, k) in enumerate(
                zip(rng.random(n).round(3), rng.choice(names, n), strict=True)
            )
        ]
        objects.append(found)
        done = rng.random() < 0.2
        truth.append([{"class": o["class"], "box": o["box"]} for o in found[:2]] if done else None)
    objects[7] = None
    return pa.table({"item_id": [f"img-{i}" for i in range(N)], "objects": objects, "truth": truth})


KINDS = {
    "items": (classification, {"classes": ["a", "b", "c"]}, {"name": "auto"}),
    "objects": (detections, {"classes": ["car", "bus", "van"]}, {"name": "auto"}),
    "floor": (
        detections,
        {"classes": ["car", "bus", "van"]},
        {"name": "entropy", "of": "objects", "floor": 0.3},
    ),
}


def configured(folder: Path, kind: str, *, large: bool) -> Path:
    """A configuration of the same items, as one file or as three."""
    make, source, acquisition = KINDS[kind]
    folder.mkdir()
    table = make()
    if large:
        (folder / "items").mkdir()
        for number in range(3):
            part = table.slice(number * 200, 200)
            pq.write_table(part, folder / "items" / f"{number}.parquet")
    else:
        pq.write_table(table, folder / "items.parquet")
    config = {
        "source": {
            "adapter": "files",
            "path": "items" if large else "items.parquet",
            **source,
        },
        "acquisition": acquisition,
        "selection": {"budget": 20},
        "write": {"output": "ranking" if large else "ranking.parquet"},
    }
    path = folder / "labelnext.yaml"
    path.write_text(json.dumps(config))
    return path


@pytest.fixture(params=KINDS)
def both(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Path, Path]:
    whole = configured(tmp_path / "whole", request.param, large=False)
    return whole, configured(tmp_path / "parts", request.param, large=True)


def assert_alike(whole: Any, parts: Any, where: str = "") -> None:
    """Equal, numbers but for the rounding of a sum."""
    if where.lstrip(".") in DIFFERENT:
        return
    if isinstance(whole, Mapping):
        assert list(whole) == list(parts), where
        for key in whole:
            assert_alike(whole[key], parts[key], f"{where}.{key}")
    elif isinstance(whole, (list, tuple)):
        assert len(whole) == len(parts), where
        for number, pair in enumerate(zip(whole, parts, strict=True)):
            assert_alike(*pair, f"{where}.{number}")
    elif isinstance(whole, float) and isinstance(parts, float):
        step = 2e-3 if where == ".scores.median" else 1e-9  # the median to a 3,000th of the range
        assert math.isclose(whole, parts, rel_tol=1e-9, abs_tol=step), (where, whole, parts)
    else:
        assert whole == parts, where


def report_of(config: Path) -> dict[str, Any]:
    data: dict[str, Any] = json.loads(labelnext.run(config).to_json())
    return data


def test_run_reports_the_same(both: tuple[Path, Path]) -> None:
    whole, parts = (report_of(config) for config in both)
    assert_alike(whole, parts)
    assert whole["classes"]
    assert whole["calibration"]


def test_scores_that_differ_by_rounding_alone_are_one_bar(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    orders = list(itertools.permutations([0.9, 0.8, 0.7]))
    table = pa.table(
        {
            "item_id": [f"img-{i}" for i in range(6)],
            "objects": [[{"confidence": c, "class": "car"} for c in order] for order in orders],
        }
    )
    monkeypatch.setitem(
        KINDS, "alike", (lambda: table, {"classes": ["car"]}, {"name": "mean_object_confidence"})
    )
    reports = [
        report_of(configured(tmp_path / f"{large}", "alike", large=large))
        for large in (False, True)
    ]
    for report in reports:
        assert sorted(report["scores"]["pool"])[-2:] == [0, 6]
        assert report["scores"]["median"] == pytest.approx(0.8)
    assert_alike(*reports)


def test_run_again_says_the_same_of_a_run_that_broke_off(
    both: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    said = []
    for config in both:
        break_off(config, monkeypatch)
        report = labelnext.run(config)
        said.append([re.sub(r"\d{8}T[\d-]+", "RUN", n.message) for n in report.notices])
    assert said[0] == said[1]
    assert "run RUN was interrupted earlier; this run overwrites what it left behind." in said[0]


def break_off(config: Path | dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """A run whose disk is full after its first snapshot."""

    def full(self: Journal, kind: str, **data: Any) -> None:
        original(self, kind, **data)
        if kind == "before":
            raise WriteFailed("no space is left.")

    original = Journal.record
    with monkeypatch.context() as patch:
        patch.setattr(Journal, "record", full)
        with pytest.raises(WriteFailed):
            labelnext.run(config)


def test_resume_undo_and_runs_say_the_same(
    both: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[list[Any]] = []
    for config in both:
        output = next(iter(json.loads(config.read_text())["write"].values()))
        break_off(config, monkeypatch)
        states = [[(j.what, j.status) for j in runs(config)]]
        resume(config)
        states.append([(j.what, j.status) for j in runs(config)])
        written = (config.parent / output).exists()
        journal, stayed = undo(config)
        gone = config.parent / output
        left = gone.is_file() or (gone / "manifest.json").exists()
        seen.append([*states, written, stayed, left, [(j.what, j.status) for j in runs(config)]])
        assert journal.undone
    assert seen[0] == seen[1]
    assert seen[0][2:5] == [True, [], False]


def test_status_and_its_signals_say_the_same(both: tuple[Path, Path]) -> None:
    said = []
    for config in both:
        for _ in range(3):
            labelnext.run(config)
        data = status(config).to_dict()
        for run in data["runs"]:
            del run["run_id"]
        del data["newest"]
        said.append(data)
    assert_alike(*said)
    assert [run["n_ranked"] for run in said[0]["runs"]] == [said[0]["runs"][0]["n_ranked"]] * 3


def test_history_keeps_the_same_of_every_item(both: tuple[Path, Path]) -> None:
    kept = []
    for config in both:
        labelnext.run(config)
        (snapshot,) = snapshots(config.parent / ".labelnext" / "history")
        order = np.argsort(snapshot.item_ids)
        items = (snapshot.item_ids[order].tolist(), snapshot.predicted[order].tolist())
        kept.append((snapshot.to_dict() | {"run_id": ""}, items, sorted(snapshot.scores.tolist())))
    assert kept[0] == kept[1]


def test_the_journal_keeps_the_same_recipe(both: tuple[Path, Path]) -> None:
    kept = []
    for config in both:
        labelnext.run(config)
        (journal,) = journals(config.parent / ".labelnext")
        last = journal.notes.get("recipe", journal.header)["recipe"]
        kept.append({k: v for k, v in last.items() if k != "options"})
    assert kept[0] == kept[1]


def test_check_finds_the_same_functions_and_obstacles(both: tuple[Path, Path]) -> None:
    whole, parts = (check(config) for config in both)
    assert (whole.ok, whole.obstacles) == (parts.ok, parts.obstacles)


def test_explain_says_the_same(both: tuple[Path, Path]) -> None:
    whole, parts = (explain(config, "img-3").to_dict() for config in both)
    assert_alike(whole, parts)


def test_the_printed_report_has_the_same_lines(
    both: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(out, "_width", 400)
    printed = []
    for config in both:
        result = CliRunner().invoke(app, ["run", str(config)])
        assert result.exit_code == 0, result.output
        text = result.output.replace(str(config.parent), "HERE")
        lines = [
            line
            for line in text.splitlines()
            if not re.search(r"Scored? 500|(Write|Wrote) \d+", line)
        ]
        printed.append([re.sub(r"HERE\S*", "PATH", " ".join(line.split())) for line in lines])
    assert printed[0] == printed[1]


def test_every_key_that_differs_has_a_row_with_its_reason() -> None:
    section = PAGE.read_text("utf-8").partition("## What differs from a pool in memory\n")[2]
    rows = [line.split("|") for line in section.partition("\n## ")[0].splitlines() if "|" in line]
    named = {name for row in rows for name in re.findall(r"`([^`]+)`", row[1])}
    assert named >= DIFFERENT - {"config", "created", "path", "run_id"}
    assert all(row[4].strip() for row in rows)

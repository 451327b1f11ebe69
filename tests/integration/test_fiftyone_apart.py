"""Runs of different names on one dataset write nothing in common: each goes without the others."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

import labelnext
from labelnext.errors import ConfigError, LabelnextWarning
from labelnext.runs.undo import undo
from tests.integration.fiftyone_runs import fill, state

pytest_plugins = ("tests.integration.mongod",)


@pytest.fixture
def filled(dataset: Any) -> Any:
    """Five samples; the fifth has no prediction."""
    return fill(dataset)


def configured(dataset: Any, folder: Path, run: str) -> dict[str, Any]:
    return {
        "source": {"adapter": "fiftyone", "dataset": dataset.name, "pred_field": "pred"},
        "selection": {"budget": 2},
        "write": {"run": run},
        "report": {"path": None},
        "state": str(folder / "state"),
    }


def saved(folder: Path, config: dict[str, Any], name: str) -> Path:
    path = folder / f"{name}.yaml"
    path.write_text(json.dumps(config))
    return path


@pytest.mark.parametrize("maker", ["files", "python"])
def test_an_earlier_run_goes_without_a_later_one_of_another_name(
    filled: Any, tmp_path: Path, maker: str
) -> None:
    before = state(filled)
    first, second = (configured(filled, tmp_path, run) for run in ("one", "two"))
    asked: list[Any] = [first, second]
    if maker == "files":
        asked = [saved(tmp_path, c, c["write"]["run"]) for c in (first, second)]
    one = labelnext.run(asked[0])
    alone = copy.deepcopy(state(filled))
    two = labelnext.run(asked[1])
    assert not [n for n in two.notices if n.code == "shared_target"]
    undo(asked[0], one.run_id)
    left = state(filled)
    assert {*left["runs"]} == {"other", "two"}
    assert {*left["views"]} == {"mine", "two-batch", "two-all"}
    assert filled.values("two.rank") == [
        row.get("one", {}).get("rank") for row in alone["documents"]
    ]
    undo(asked[1], two.run_id)
    assert state(filled) == before


def test_runs_of_one_name_are_undone_in_turn(filled: Any, tmp_path: Path) -> None:
    before = state(filled)
    config = configured(filled, tmp_path, "one")
    alpha, beta = (saved(tmp_path, config, name) for name in ("alpha", "beta"))
    labelnext.run(alpha)
    with pytest.warns(LabelnextWarning, match="alpha.yaml also writes"):
        report = labelnext.run(beta)
    (notice,) = [n for n in report.notices if n.code == "shared_target"]
    assert notice.message.startswith("alpha.yaml also writes to the same place")
    with pytest.raises(ConfigError, match=r"of .*beta.yaml builds on it"):
        undo(alpha)
    undo(beta)
    undo(alpha)
    assert state(filled) == before


def test_one_configuration_whose_run_got_another_name_is_undone_in_turn(
    filled: Any, tmp_path: Path
) -> None:
    before = state(filled)
    path = saved(tmp_path, configured(filled, tmp_path, "one"), "alpha")
    first = labelnext.run(path).run_id
    saved(tmp_path, configured(filled, tmp_path, "two"), "alpha")
    labelnext.run(path)
    with pytest.raises(ConfigError, match="builds on it"):
        undo(path, first)
    undo(path)
    undo(path)
    assert state(filled) == before

"""Predictions of a side file are joined to a dataset's samples by what a field holds."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

import labelnext
from labelnext.config import load_config
from tests.integration.test_fiftyone_read import add

pytest_plugins = ("tests.integration.mongod",)


@pytest.mark.parametrize("keys", [["090", "099", "100", "1e3"], ["90", "099", "+1", "1.0"]])
def test_ids_of_a_table_are_the_text_that_they_are(
    dataset: Any, tmp_path: Path, keys: list[str]
) -> None:
    check_joined(dataset, tmp_path, keys, keys)


def test_whole_numbers_of_a_field_are_ids_without_a_point(dataset: Any, tmp_path: Path) -> None:
    check_joined(dataset, tmp_path, [9.0, 10.0, 11.5, -3.0], ["9", "10", "11.5", "-3"])


def check_joined(dataset: Any, tmp_path: Path, values: Sequence[Any], keys: list[str]) -> None:
    """All rows are joined to the samples, and ranked by them."""
    add(dataset, *({"code": value} for value in values), classes=["cat", "dog"])
    chances = [0.5, 0.75, 0.875, 1.0]
    rows = [f"{key},{p},{1 - p}" for key, p in zip(keys, chances, strict=True)]
    (tmp_path / "p.csv").write_text("\n".join(["item_id,p_cat,p_dog", *rows]) + "\n")
    config = load_config(
        {
            "source": {
                "adapter": "fiftyone",
                "dataset": dataset.name,
                "key": "code",
                "predictions": {"file": str(tmp_path / "p.csv"), "key": "item_id"},
            },
            "acquisition": {"name": "margin"},
            "selection": {"budget": 2},
            "write": {"run": "next"},
            "report": {"path": None},
            "state": str(tmp_path / "state"),
        }
    )
    labelnext.run(config)
    dataset.reload()
    ranked = dataset.load_saved_view("next-all")
    assert list(ranked.values("code")) == list(values)
    assert list(ranked.values("next.score")) == [0.0, 0.5, 0.75, 1.0]  # margins

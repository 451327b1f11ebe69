"""Samples, views and datasets are found by the names that people see, or the likeliest is said."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from labelnext.adapter import open_adapter
from labelnext.errors import InvalidInput, NotFound
from labelnext.runs.run import explain
from tests.integration.fiftyone_runs import fill, opened

pytest_plugins = ("tests.integration.mongod",)


@pytest.fixture
def filled(dataset: Any) -> Any:
    """Five samples, a.png to e.png, and the saved view mine."""
    return fill(dataset)


def test_a_sample_is_found_by_what_people_see_of_it(filled: Any) -> None:
    sample = filled.match({"name": "b"}).first()
    address = f"http://localhost:5151/datasets/{filled.name}?id={sample.id}"
    for seen in (sample.id, sample.filepath, "b.png", "images/b.png", address):
        assert opened(filled, key=None).item_of(seen) == sample.id
        assert opened(filled, key="name").item_of(seen) == "b"
    for unknown in ("png", ".png", "B.png", "", "b.pn", "http://localhost/?id=b"):
        assert opened(filled, key=None).item_of(unknown) is None


def test_a_file_name_of_two_samples_is_nobodys(filled: Any) -> None:
    import fiftyone as fo

    filled.add_sample(fo.Sample("/other/b.png"))
    adapter = opened(filled, key=None)
    assert adapter.item_of("b.png") is None
    assert adapter.item_of("/other/b.png") == filled.last().id


def test_explain_takes_a_file_name(filled: Any, tmp_path: Path) -> None:
    source = {"adapter": "fiftyone", "dataset": filled.name, "pred_field": "pred"}
    why = explain({"source": source, "state": str(tmp_path)}, "b.png")
    assert why.item_id == filled.match({"name": "b"}).first().id


@pytest.mark.parametrize(("option", "meant"), [("view", "mine"), ("dataset", None)])
def test_the_likeliest_name_is_said(filled: Any, option: str, meant: str | None) -> None:
    right = meant or filled.name
    wrong = {"dataset": filled.name, option: right[:-1]}
    with pytest.raises(NotFound, match=f"{option} must be") as caught:
        open_adapter("fiftyone", pred_field="pred", **wrong).read()
    assert caught.value.hint == f"did you mean {right!r}?"


def test_a_field_of_another_kind_is_answered_by_those_that_fit(filled: Any) -> None:
    with pytest.raises(InvalidInput, match="got 'name' of StringField") as caught:
        open_adapter("fiftyone", dataset=filled.name, pred_field="name").read()
    assert caught.value.hint == "fields of labels: pred."

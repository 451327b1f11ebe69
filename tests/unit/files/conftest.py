"""Tables of formats with rows of a test's own."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from labelnext.adapter import formats as adapter_formats
from labelnext.adapter.formats import Format, get_format
from labelnext.support.plugins import Table, instance_of
from labelnext_adapters.files.options import source_model

PROJECT = tomllib.loads((Path(__file__).parents[3] / "pyproject.toml").read_text("utf-8"))
BUILT_IN = sorted(PROJECT["project"]["entry-points"]["labelnext.formats"])


@pytest.fixture
def hold(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """A function that makes a table of formats with these rows alone."""

    def put(rows: dict[str, Format]) -> None:
        table = Table("labelnext.tests", "format", instance_of(Format), rows)
        monkeypatch.setattr(adapter_formats, "FORMATS", table)
        source_model.cache_clear()

    yield put
    source_model.cache_clear()


@pytest.fixture
def also(hold: Callable[..., None]) -> Callable[..., None]:
    """A function that adds formats to the table, as an installed package would."""

    def add(*formats: Format) -> None:
        hold({name: get_format(name) for name in BUILT_IN} | {f.name: f for f in formats})

    return add

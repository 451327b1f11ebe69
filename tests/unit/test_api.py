from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

import labelnext
from labelnext.acquisition import ACQUISITIONS
from labelnext.selection import SELECTIONS
from labelnext.support.plugins import Table

PUBLIC = {
    "Pool",
    "Objects",
    "Ranking",
    "Report",
    "probe",
    "rank",
    "replay",
    "review",
    "run",
    "send",
    "undo",
    "resume",
    "fetch",
    "load_config",
    "get_acquisition",
    "acquisition_names",
    "get_selection",
    "selection_names",
    "open_adapter",
    "adapter_names",
    "LabelnextError",
}


def test_public_names_are_exactly_these() -> None:
    assert set(labelnext.__all__) == PUBLIC
    assert set(dir(labelnext)) >= PUBLIC
    assert len(dir(labelnext)) == len(set(dir(labelnext)))


@pytest.mark.parametrize("name", sorted(PUBLIC))
def test_public_name_is_importable_and_documented(name: str) -> None:
    assert getattr(labelnext, name).__doc__


def test_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'rnak'"):
        _ = labelnext.rnak


def test_functions_are_importable_by_name() -> None:
    from labelnext import acquisition, selection

    for module, table in ((acquisition, ACQUISITIONS), (selection, SELECTIONS)):
        lacking = [name for name in table.own_names() if not callable(getattr(module, name, None))]
        assert not lacking, f"{module.__name__}/__init__.py must import {', '.join(lacking)}"


@pytest.mark.parametrize("table", [ACQUISITIONS, SELECTIONS], ids=lambda table: table.group)
def test_every_row_has_an_example_by_hand(table: Table[Any]) -> None:
    lacking = [n for n in table.own_names() if ">>>" not in (table.get(n).function.__doc__ or "")]
    assert not lacking, f"the docstring of {lacking} needs an Example: a call (>>>) and its value"


def test_the_seeds_six_functions_are_there() -> None:
    seed = {"least_confidence", "margin", "variance", "entropy", "mean_object_confidence"}
    assert seed <= set(labelnext.acquisition_names())
    assert "image_diversity" in labelnext.selection_names()


HEAVY = (
    "fiftyone",
    "label_studio_sdk",
    "sklearn",
    "matplotlib",
    "numba",
    "pandas",
    "pyarrow",
    "click",
)


def test_import_of_labelnext_and_its_adapters_loads_no_platform() -> None:
    code = (
        "import sys, labelnext\n"
        "from labelnext.adapter import get_adapter\n"
        "labelnext.rank, labelnext.Pool, labelnext.load_config\n"
        "[get_adapter(name) for name in labelnext.adapter_names()]\n"
        f"print([m for m in {HEAVY!r} if m in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"


def test_core_never_imports_an_adapter() -> None:
    code = (
        "import sys, labelnext\n"
        "[getattr(labelnext, name) for name in labelnext.__all__]\n"
        "import labelnext.cli\n"
        "foreign = ('labelnext_', 'fiftyone', 'label_studio')\n"
        "print([m for m in sys.modules if m.startswith(foreign)])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"


def test_dir_shows_no_imports() -> None:
    assert {name for name in dir(labelnext) if not name.startswith("__")} == {*labelnext.__all__}

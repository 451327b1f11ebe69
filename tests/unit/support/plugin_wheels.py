"""Wheels of other people's packages, made and installed into a folder as pip does it."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path

#: One row for each of the four tables.
EXAMPLE = '''
from pathlib import Path

import numpy as np

from labelnext.acquisition import AcquisitionFunction
from labelnext.adapter import Adapter, Finding, Options, WriteOptions
from labelnext.adapter.formats import Format
from labelnext.pool import Pool
from labelnext.selection import SelectionMethod


def gini(probabilities, *, power=2):
    return 1 - (np.asarray(probabilities) ** power).sum(axis=-1)


def lowest_first(utilities, budget=None, *, skip=0):
    return np.argsort(utilities, kind="stable")[skip:][:budget]


class ExampleOptions(Options):
    example_separator: str = " "
    """What stands between the numbers of a line."""


def read(path, options, context):
    rows = [line.split(options.example_separator) for line in Path(path).read_text().splitlines()]
    numbers = [[float(cell) for cell in row[1:]] for row in rows]
    return Pool([row[0] for row in rows], probabilities=numbers)


class ExampleSource(Options):
    shelf: str
    """Where the items stand."""


class ExampleAdapter(Adapter):
    name = "example"
    requires = ()
    install = "pip install labelnext_example"
    SourceOptions = ExampleSource
    WriteOptions = WriteOptions

    def __init__(self, source, write, context):
        self.source = source

    def check(self):
        return [Finding("ok", "The shelf is there.")]

    def read(self):
        return Pool(["a"], probabilities=[[0.5, 0.5]])

    def plan(self, ranking):
        raise NotImplementedError

    def performer(self, journal):
        raise NotImplementedError


SCORE = AcquisitionFunction(
    "example_score", gini, of=("items",), direction="high", range="[0, 1 - 1/K]",
    summary="an impurity of Gini", references="Gini (1912)",
)
PICK = SelectionMethod(
    "example_pick", lowest_first, complexity="O(n log n)", guarantee="the lowest scores",
    summary="an order upside down", references="none",
)
FORMAT = Format("example", "an id and numbers", (".example",), ExampleOptions, read)
'''

EXAMPLE_ROWS = {
    "labelnext.acquisitions": {"example_score": "labelnext_example:SCORE"},
    "labelnext.selections": {"example_pick": "labelnext_example:PICK"},
    "labelnext.formats": {"example": "labelnext_example:FORMAT"},
    "labelnext.adapters": {"example": "labelnext_example:ExampleAdapter"},
}

#: Everything that can be wrong with a row.
FAULTY = '''
from labelnext.acquisition import get_acquisition
from labelnext.adapter import Options
from labelnext.adapter.formats import Format

MARGIN = get_acquisition("margin")
TEXT = "no row at all"


class PathOptions(Options):
    path: str = ""
    """Which every source has."""


class Empty:
    name = "example_empty"


CSV = Format("csv", "CSV of another kind", (".csv",), Options, len)
EXAMPLE = Format("example", "an example of another kind", (".example",), Options, len)
PATHS = Format("example_paths", "paths", (".example_paths",), PathOptions, len)
'''

FAULTY_ROWS = {
    "labelnext.acquisitions": {
        "margin": "labelnext_faulty:MARGIN",
        "example_lost": "labelnext_faulty.nowhere:SCORE",
        "example_unnamed": "labelnext_faulty:MARGIN",
    },
    "labelnext.selections": {
        "example_raising": "labelnext_faulty.raising:PICK",
        "example_text": "labelnext_faulty:TEXT",
        "example_absent": "labelnext_faulty:ABSENT",
    },
    "labelnext.formats": {
        "csv": "labelnext_faulty:CSV",
        "example": "labelnext_faulty:EXAMPLE",
        "example_paths": "labelnext_faulty:PATHS",
    },
    "labelnext.adapters": {
        "example_text": "labelnext_faulty:TEXT",
        "example_empty": "labelnext_faulty:Empty",
    },
}


def install(
    place: Path, package: str, modules: Mapping[str, str], rows: Mapping[str, Mapping[str, str]]
) -> None:
    """Make the wheel of a package and install it by pip.

    Args:
        place: a folder; the wheel lies in it, what is installed in `site` below it.
        package: its name, of version 1.0.
        modules: their texts by their paths in the package.
        rows: entry points by their group.
    """
    groups = [
        "\n".join([f"[{group}]", *(f"{name} = {target}" for name, target in points.items())])
        for group, points in rows.items()
    ]
    about = f"{package}-1.0.dist-info"
    files = {
        **{f"{package}/{path}": text for path, text in modules.items()},
        f"{about}/METADATA": f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n",
        f"{about}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{about}/entry_points.txt": "\n\n".join(groups) + "\n",
    }
    files[f"{about}/RECORD"] = "".join(f"{path},,\n" for path in (*files, f"{about}/RECORD"))
    wheel = place / f"{package}-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for path, text in files.items():
            archive.writestr(path, text)
    options = ("--quiet", "--no-deps", "--no-index", "--disable-pip-version-check")
    command = [sys.executable, "-m", "pip", "install", *options]
    subprocess.run([*command, "--target", str(place / "site"), str(wheel)], check=True)

"""Every example of CONTRIBUTING.md, put into a copy of the package and used."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

ROOT = Path(__file__).parents[2]
ANCHORS = {
    "plugin/labelnext/acquisition/__init__.py": (
        '        AcquisitionFunction(\n            "least_confidence",'
    ),
    "plugin/labelnext/selection/__init__.py": '        SelectionMethod(\n            "auto",',
    "adapters/labelnext_adapters/label_studio_format/controls.py": '    "Choices": _ITEMS,',
}

USE = """
import json, pathlib, sys
import labelnext
from labelnext.acquisition import acquisition_names
from labelnext.adapter.formats import format_names
from labelnext.config.schema import json_schema
from labelnext.selection import selection_names
from labelnext_adapters.label_studio_format.controls import CONTROLS

here = pathlib.Path(sys.argv[1])
base = {"write": {"output": "ranking.csv"}, "report": {"path": None}}

def order(name, source, **how):
    folder = here / f"run of {name}"
    folder.mkdir()
    output = folder / ("ranking" if name == "parts" else "ranking.csv")
    config = {
        "source": {"adapter": "files", **source},
        "write": {"output": str(output)},
        "state": str(folder / "state"),
        "report": {"path": None},
        **how,
    }
    return labelnext.run(config).ranking.item_ids.tolist()

outermost = {"acquisition": {"name": None}, "selection": {"method": "outermost", "budget": 3}}
print(json.dumps({
    "names": ["gini" in acquisition_names(), "outermost" in selection_names(),
              "scores" in format_names(), "StarLabels" in CONTROLS],
    "schema": [name in json.dumps(json_schema()) for name in ("gini", "outermost", "scores")],
    "gini": order("gini", {"path": str(here / "items.scores")}, acquisition={
        "name": "gini", "options": {"normalise": True}}),
    "left out": [[n.code, n.item_ids] for n in labelnext.open_adapter(
        "files", path=here / "items.scores").read().notices],
    "known": str(labelnext.open_adapter("files", path=here / "items.txt").check()[0].message),
    "whole": order("whole", {"path": str(here / "whole.parquet")}, **outermost),
    "parts": order("parts", {"path": str(here / "parts")}, **outermost),
    "stars": labelnext.open_adapter(
        "files", path=here / "export.json", label_config=here / "setup.xml", labels=None
    ).read().objects.confidences.tolist(),
}))
"""


def blocks() -> list[tuple[str, str, str]]:
    """What each example is, where it goes, and its text."""
    page = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    found = re.findall(r"```\w+\n# (file|row|file, appended): ([^\n]+)\n(.*?)```", page, re.DOTALL)
    return [(kind, path.partition(",")[0], text) for kind, path, text in found]


#: What a newcomer is told to run, with the tests that know a row by its name or read a table.
NARROW = [
    "tests/unit/test_api.py::test_functions_are_importable_by_name",
    "tests/unit/test_api.py::test_every_row_has_an_example_by_hand",
    "tests/unit/test_architecture.py",
    "tests/unit/test_docs.py::test_every_acquisition_function_is_in_the_table_with_its_direction",
    "tests/unit/test_docs.py::test_what_is_read_without_the_site_follows_the_tables",
    "tests/unit/config/test_example.py",
    "tests/unit/config/test_config.py::test_minimal_config_gets_the_shared_defaults",
    "tests/unit/files/test_formats.py",
    "tests/unit/ranking/test_options.py::test_a_value_that_no_option_takes_is_refused_by_its_name",
]
BY_NAME = ["tests/unit/test_invariants.py", "tests/unit/selection", "tests/fuzz/test_oracle.py"]
WRITTEN = [
    "plugin/labelnext/acquisition/gini.py",
    "plugin/labelnext/selection/outermost.py",
    "adapters/labelnext_adapters/files/formats/scores.py",
]


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the repository with all examples in it."""
    ignored = shutil.ignore_patterns("__pycache__")
    for folder in ("plugin", "adapters", "docs", "tests"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=ignored)
    for path in ROOT.glob("*.*"):
        if path.is_file():
            shutil.copy(path, tmp_path)
    project = (ROOT / "pyproject.toml").read_text("utf-8")
    for kind, name, text in blocks():
        path = tmp_path / name
        if kind == "file":
            assert not path.exists()
            path.write_text(text, "utf-8")
        elif kind == "file, appended":
            main = "def main() -> None:"
            path.write_text(path.read_text("utf-8").replace(main, f"{text}\n\n{main}"), "utf-8")
        elif name == "pyproject.toml":
            heading = '[project.entry-points."labelnext.formats"]\n'
            assert heading in project
            project = project.replace(heading, heading + text)
        else:
            path.write_text(with_row(path.read_text("utf-8"), ANCHORS[name], text), "utf-8")
    (tmp_path / "pyproject.toml").write_text(project, "utf-8")
    about = tmp_path / "plugin" / "labelnext-0.1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: labelnext\nVersion: 0.1.0\n")
    groups = tomllib.loads(project)["project"]["entry-points"]
    lines = [
        line
        for group, entries in groups.items()
        for line in (f"[{group}]", *(f"{name} = {where}" for name, where in entries.items()))
    ]
    (about / "entry_points.txt").write_text("\n".join(lines), "utf-8")
    return tmp_path


def with_row(module: str, anchor: str, text: str) -> str:
    """A module with a row before the anchor, and with the imports that stand above the row."""
    lines = text.strip().splitlines(keepends=True)
    imports = "".join(line for line in lines if line.startswith("from "))
    row = "".join(f"        {line}" for line in lines if line.strip() and line not in imports)
    assert module.count(anchor) == 1
    future = "from __future__ import annotations\n"
    return module.replace(anchor, f"{row}\n{anchor}").replace(future, future + imports, 1)


def python_in(copy: Path) -> Callable[..., str]:
    """A function that runs Python on the packages of the copy and returns what it printed."""
    paths = os.pathsep.join(str(copy / folder) for folder in ("plugin", "adapters"))
    env = {**os.environ, "PYTHONPATH": paths}

    def python(*arguments: str, folder: Path | None = None) -> str:
        command = [sys.executable, *arguments]
        done = subprocess.run(
            command, env=env, cwd=folder, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr + done.stdout
        return done.stdout

    return python


def test_the_tests_take_every_example_as_it_is(copy: Path) -> None:
    python = python_in(copy)
    said = python("docs/written.py", folder=copy).splitlines()
    assert said == [
        "Wrote README.md.",
        "Wrote docs/architecture.md.",
        "Wrote config.example.yaml.",
    ]
    row = "| `gini` | high | [0, 1 − 1/K] | class probabilities of items |\n"
    assert row in (copy / "README.md").read_text("utf-8")
    line = "  # separator: ' '             # for scores: what separates the numbers on a line\n"
    assert line in (copy / "config.example.yaml").read_text("utf-8")
    quiet = ("-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist")
    assert " passed" in python(*quiet, *NARROW, folder=copy)
    assert " passed" in python(*quiet, *BY_NAME, "-k", "gini or outermost", folder=copy)
    assert "2 passed" in python(*quiet, "--doctest-modules", *WRITTEN, folder=copy)


def test_the_examples_are_written_as_the_rules_want(copy: Path) -> None:
    python = python_in(copy)
    paths = [str(copy / path) for path in WRITTEN]
    for command in (["check", "-q"], ["format", "-q", "--check"]):
        python("-m", "ruff", *command, "--no-cache", *paths, folder=copy)


def test_every_example_works_where_the_page_says(copy: Path, tmp_path: Path) -> None:
    assert len(blocks()) == 8
    text = "#scores cat dog\na 0.9 0.1\nb 0.5 0.5\nd 0.2\nc 0.7 0.3\n"
    for name in ("items.scores", "items.txt"):
        (tmp_path / name).write_text(text)
    points = {"a": [0.0, 0.1], "b": [5.0, 0.0], "c": [0.1, 0.0], "d": [0.0, -4.0], "e": [-3.0, 0.0]}
    table = pa.table({"item_id": list(points), "embedding": list(points.values())})
    pq.write_table(table, tmp_path / "whole.parquet")
    (tmp_path / "parts").mkdir()
    for number, rows in enumerate(np.array_split(np.arange(5), 2)):
        part = table.slice(int(rows[0]), len(rows))
        pq.write_table(part, tmp_path / "parts" / f"{number}.parquet")
    box = {"x": 10, "y": 10, "width": 20, "height": 20, "starlabels": ["sun"]}
    region = {"from_name": "s", "to_name": "i", "type": "starlabels", "value": box, "score": 0.75}
    task = {"id": 1, "data": {"image": "x"}, "predictions": [{"result": [region]}]}
    (tmp_path / "export.json").write_text(json.dumps([task]))
    (tmp_path / "setup.xml").write_text(
        '<View><Image name="i" value="$image"/><StarLabels name="s" toName="i">'
        '<Label value="sun"/></StarLabels></View>'
    )
    python = python_in(copy)
    said = json.loads(python("-c", USE, str(tmp_path)))
    assert said["names"] == [True] * 4
    assert said["schema"] == [True] * 3
    # 1 − Σ p² is 0.18, 0.5 and 0.42; twice that with `normalise`.
    assert said["gini"] == ["b", "c", "a"]
    assert said["left out"] == [["short_lines", ["d"]]]
    assert said["known"].endswith("it begins with #scores.")
    # The mean is (0.42, −0.78): b is 4.6 from it, e 3.5, d 3.2, c 0.8 and a 1.0.
    assert said["whole"] == ["b", "e", "d"]
    # Parts of three and two; of b, a, c and d, e the three farthest from the mean of all five.
    assert said["parts"] == ["b", "e", "d"]
    assert said["stars"] == [0.75]
    command = "from labelnext.cli import main; main()"
    assert python("-c", command, "hello") == "Hello.\n"
    assert "scores" in python("-c", command, "formats")
    assert "gini" in python("-c", command, "acquisitions")
    python("-c", command, "init", "files", "--output", str(tmp_path / "new.yaml"))
    assert "separator" in (tmp_path / "new.yaml").read_text("utf-8")

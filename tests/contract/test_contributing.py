"""Every example of CONTRIBUTING.md, put into a copy of the package and used."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
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
    "gini": order("gini", {"path": str(here / "items.scores")}, acquisition={"name": "gini"}),
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


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the package with all examples in it."""
    for folder in ("plugin", "adapters"):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=ignored)
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


def test_every_example_works_where_the_page_says(copy: Path, tmp_path: Path) -> None:
    assert len(blocks()) == 8
    (tmp_path / "items.scores").write_text("a 0.9 0.1\nb 0.5 0.5\nc 0.7 0.3\n")
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
    paths = os.pathsep.join(str(copy / folder) for folder in ("plugin", "adapters"))
    env = {**os.environ, "PYTHONPATH": paths}

    def python(*arguments: str) -> str:
        command = [sys.executable, *arguments]
        done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    said = json.loads(python("-c", USE, str(tmp_path)))
    assert said["names"] == [True] * 4
    assert said["schema"] == [True] * 3
    # 1 − Σ p² is 0.18, 0.5 and 0.42.
    assert said["gini"] == ["b", "c", "a"]
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

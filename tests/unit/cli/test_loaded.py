"""What each command loads: of the heavy packages, only those that it needs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = (
    "PIL",
    "duckdb",
    "fiftyone",
    "jinja2",
    "label_studio_sdk",
    "matplotlib",
    "msgspec",
    "numba",
    "numpy",
    "pyarrow",
    "pycocotools",
    "pydantic",
    "ray",
    "rich._emoji_codes",
    "rich.table",
    "scipy",
    "sklearn",
    "threadpoolctl",
)
# Rooms of our own that a small CSV file needs nothing of.
ROOMS = (
    "labelnext.runs.large",
    "labelnext_adapters.files.huggingface",
    "labelnext_adapters.files.llm",
    "labelnext_adapters.files.vision.arrays",
    "labelnext_adapters.files.vision.documents",
    "labelnext_adapters.files.vision.findings",
    "labelnext_adapters.fiftyone.options",
)
# What ranks; a list of runs needs nothing of it.
RANKING = (
    "labelnext.acquisition",
    "labelnext.config.config",
    "labelnext.pool",
    "labelnext.ranking",
    "labelnext.selection",
    "labelnext_adapters.files.formats",
    "labelnext_adapters.label_studio",
)
TABLES = {"msgspec", "numpy", "pyarrow", "pydantic", "rich.table"}
WATCHED = HEAVY + ROOMS + RANKING
PROGRAM = f"""
import atexit, sys
import rich.console, rich.text  # what they load is theirs: tables, before rich 15
watched = [m for m in {WATCHED!r} if m not in sys.modules]
loaded = lambda: print([m for m in watched if m in sys.modules], file=sys.stderr)
atexit.register(loaded)
from labelnext.cli import main
main()
"""


def loaded_by(folder: Path, *words: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *words],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return set(eval(done.stderr.splitlines()[-1]))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "p.csv").write_text("id,cat,dog\na,0.6,0.4\nb,0.9,0.1\n")
    source = "source: {adapter: files, path: p.csv}\n"
    server = "source: {adapter: label-studio, url: 'http://127.0.0.1:9', project: 1}\n"
    (tmp_path / "server.yaml").write_text(server)
    (tmp_path / "page.yaml").write_text(source)
    (tmp_path / "none.yaml").write_text(f"{source}report: {{path: null}}\n")
    return tmp_path


@pytest.mark.parametrize(
    ("words", "allowed"),
    [
        (["--help"], set()),
        (["--version"], set()),
        (["undo", "--help"], set()),
        (["runs", "none.yaml"], {"pydantic"}),
        (["runs", "server.yaml"], {"pydantic", "labelnext_adapters.label_studio"}),
        (["check", "none.yaml"], {*TABLES, *RANKING}),
        (["run", "none.yaml"], {*TABLES, *RANKING}),
        (["run", "page.yaml"], {*TABLES, *RANKING, "PIL", "jinja2"}),
    ],
)
def test_command_loads_no_more_than_it_needs(
    folder: Path, words: list[str], allowed: set[str]
) -> None:
    assert loaded_by(folder, *words) <= allowed


def test_runs_are_listed_without_what_ranks_them(folder: Path) -> None:
    assert loaded_by(folder, "run", "none.yaml") >= {"numpy", "pyarrow", "labelnext.acquisition"}
    assert (folder / ".labelnext").is_dir()
    assert loaded_by(folder, "runs", "none.yaml") == {"pydantic"}


def test_end_of_a_command_is_not_searched_for_cycles(folder: Path) -> None:
    program = """
import atexit, gc, sys
atexit.register(lambda: print(len(gc.get_objects()), file=sys.stderr))
from labelnext.cli import main
main()
"""
    words = [sys.executable, "-c", program, "runs", "none.yaml"]
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=True)
    assert int(done.stderr) < 1_000


def test_duckdb_reports_nothing_as_leaked(folder: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    (folder / "parts").mkdir()
    for part in ("a", "b"):
        table = pa.table({"item_id": [part], "probabilities": [[0.6, 0.4]]})
        pq.write_table(table, folder / "parts" / f"{part}.parquet")
    (folder / "parts.yaml").write_text("source: {adapter: files, path: parts}\n")
    words = [sys.executable, "-c", PROGRAM, "run", "parts.yaml"]
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=True)
    assert "duckdb" in done.stderr.splitlines()[-1]  # and nothing behind that line

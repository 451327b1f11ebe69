"""Rows that installed packages add to the tables, as a user meets them in another process."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest

from labelnext.errors import ConfigError, LabelnextWarning, MissingExtra, UnknownName
from labelnext.support import plugins
from labelnext.support.plugins import Table, instance_of
from tests.unit.support.plugin_wheels import EXAMPLE, EXAMPLE_ROWS, FAULTY, FAULTY_ROWS, install

DOCS = Path(__file__).parents[3] / "docs"

#: Runs commands one after the other in one process, and prints what each said.
COMMANDS = """
import contextlib, io, json, sys
from labelnext.cli import main

said = []
for arguments in json.loads(sys.argv[1]):
    out, err, code = io.StringIO(), io.StringIO(), 0
    sys.argv = ["labelnext", *arguments]
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            main()
        except SystemExit as end:
            code = end.code or 0
    said.append([code, out.getvalue(), err.getvalue()])
print(json.dumps(said))
"""

TABLES = """
import json, sys
sys.path.insert(0, sys.argv[1])
import tables
from labelnext.pool import Pool
from labelnext.config.schema import json_schema
from labelnext.config.template import config_template
from labelnext_adapters.fiftyone.app.choices import acquisition_choices, selection_choices

pool = Pool(["a", "b"], probabilities=[[0.9, 0.1], [0.5, 0.5]])
print(json.dumps({
    "schema": json_schema(),
    "init files": config_template("files"),
    "init example": config_template("example"),
    "docs": {name: make() for name, make in tables.TABLES.items()},
    "form acquisitions": [vars(choice) for choice in acquisition_choices(pool)],
    "form selections": [vars(choice) for choice in selection_choices(pool)],
}))
"""


def python(code: str, *arguments: str, site: Path, folder: Path | None = None) -> Any:
    """What a script prints as JSON, where the packages of a folder are installed."""
    environment = {**os.environ, "PYTHONPATH": str(site), "COLUMNS": "250"}
    command = [sys.executable, "-c", code, *arguments]
    done = subprocess.run(
        command, env=environment, cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where a package with a row for each table is installed."""
    place = tmp_path_factory.mktemp("example")
    install(place, "labelnext_example", {"__init__.py": EXAMPLE}, EXAMPLE_ROWS)
    return place / "site"


@pytest.fixture(scope="module")
def faulty_site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where that package is installed, and one all of whose rows are broken."""
    place = tmp_path_factory.mktemp("faulty")
    install(place, "labelnext_example", {"__init__.py": EXAMPLE}, EXAMPLE_ROWS)
    modules = {"__init__.py": FAULTY, "raising.py": "raise RuntimeError('no luck\\ntoday')\n"}
    install(place, "labelnext_faulty", modules, FAULTY_ROWS)
    return place / "site"


CONFIG = """
source: {adapter: files, path: pool.example}
acquisition: {name: example_score}
selection: {method: example_pick, budget: 2}
report: {path: null}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A pool in the format of the example; 1 − Σ p² is 0.18, 0.5 and 0.42."""
    (tmp_path / "pool.example").write_text("a 0.9 0.1\nb 0.5 0.5\nc 0.7 0.3\n")
    (tmp_path / "c.yaml").write_text(CONFIG)
    return tmp_path


def test_commands_list_the_rows_of_a_package_and_rank_by_them(site: Path, folder: Path) -> None:
    (folder / "e.yaml").write_text("source: {adapter: example, shelf: first}\n")
    lists = ["acquisitions", "selections", "formats", "adapters", "plugins"]
    commands = [*lists, "run c.yaml", "check e.yaml"]
    said = python(COMMANDS, json.dumps([c.split() for c in commands]), site=site, folder=folder)
    assert [(code, err) for code, _, err in said] == [(0, "")] * len(commands)
    out = dict(zip(commands, (out for _, out, _ in said), strict=True))
    assert "an impurity of Gini" in out["acquisitions"]
    assert "an order upside down" in out["selections"]
    assert "an id and numbers" in out["formats"]
    assert "example" in out["adapters"]
    assert "The shelf is there." in out["check e.yaml"]
    for group, rows in EXAMPLE_ROWS.items():
        for name, target in rows.items():
            row = [group.removeprefix("labelnext."), name, "labelnext_example 1.0", target, "yes"]
            lines = [line.split("\t") for line in out["plugins"].splitlines()]
            assert row in lines
    with (folder / "ranking.csv").open() as file:
        ranked = [
            (row["item_id"], float(row["score"]), row["batch"]) for row in csv.DictReader(file)
        ]
    assert [(item, batch) for item, _, batch in ranked] == [
        ("a", "true"), ("c", "true"), ("b", "false"),
    ]  # fmt: skip
    assert [score for _, score, _ in ranked] == pytest.approx([0.18, 0.42, 0.5])


def test_schema_templates_pages_and_forms_know_the_rows_of_a_package(site: Path) -> None:
    told = python(TABLES, str(DOCS), site=site)
    properties = told["schema"]["properties"]
    assert "example_score" in properties["acquisition"]["properties"]["name"]["anyOf"][0]["enum"]
    assert "example_pick" in properties["selection"]["properties"]["method"]["enum"]
    sources = {source["title"]: source["properties"] for source in properties["source"]["anyOf"]}
    assert sources["example"]["shelf"]["description"] == "Where the items stand."
    assert "example" in sources["files"]["format"]["anyOf"][0]["enum"]
    separator = sources["files"]["example_separator"]["description"]
    assert separator == "What stands between the numbers of a line. Read by example."
    for word in ("example_score", "example_pick", "example_separator: ' '", " example,"):
        assert word in told["init files"].replace("\n  #", ""), word
    assert "shelf:  # required" in told["init example"]
    assert "| `example_score` | high |" in told["docs"]["acquisitions"]
    assert "| `example_pick` |" in told["docs"]["selections"]
    assert (
        "| `example` | .example | an id and numbers | `example_separator` |"
        in told["docs"]["formats"]
    )
    assert "## source: example" in told["docs"]["configuration"]
    scores = {choice["name"]: choice for choice in told["form acquisitions"]}
    assert (scores["example_score"]["summary"], scores["example_score"]["obstacle"]) == (
        "an impurity of Gini",
        None,
    )
    assert "example_pick" in {choice["name"] for choice in told["form selections"]}


def test_options_of_a_package_are_checked_and_used(site: Path, folder: Path) -> None:
    (folder / "pool.example").write_text("a;0.9;0.1\nb;0.5;0.5\n")
    source = "source:\n  adapter: files\n  path: {}\n  example_separator: ';'\n"
    (folder / "right.yaml").write_text(source.format("pool.example") + CONFIG.split("\n", 2)[2])
    (folder / "wrong.yaml").write_text(source.format("pool.csv"))
    (folder / "power.yaml").write_text(CONFIG.replace("_score}", "_score, options: {powr: 3}}"))
    commands = [["run", name] for name in ("right.yaml", "wrong.yaml", "power.yaml")]
    right, wrong, power = python(COMMANDS, json.dumps(commands), site=site, folder=folder)
    assert right[0] == 0
    assert wrong[2] == (
        "Error: wrong.yaml, line 4: source.example_separator must be left out of csv files; "
        "it belongs to example. Hint: csv reads classes, multilabel, scale, logits, "
        "columns, labels_are, delimiter, decimal and encoding.\n"
    )
    assert "acquisition.options.powr must be one of per_cost, power" in power[2]


#: What is said of each row of the faulty package, by the command that lists its table.
CAUSES = {
    "acquisitions": {
        "example_lost": "importing it raised ModuleNotFoundError: No module named "
        "'labelnext_faulty.nowhere'",
        "example_unnamed": "its name must match the entry point's; got 'margin'",
        "margin": "the name is taken by labelnext itself",
    },
    "selections": {
        "example_absent": "importing it raised AttributeError: module 'labelnext_faulty' has no "
        "attribute 'ABSENT'",
        "example_raising": "importing it raised RuntimeError: no luck today",
        "example_text": "it must be an instance of SelectionMethod; got str",
    },
    "formats": {
        "csv": "the name is taken by package labelnext 0.1.0",
        "example": "the name is taken by package labelnext_example 1.0",
        "example_paths": "path is an option of every source, and cannot be its own",
    },
    "adapters": {
        "example_empty": "Empty must have requires, install, SourceOptions, WriteOptions, read, "
        "check",
        "example_text": "it must be a class; got str",
    },
}


def test_rows_that_cannot_be_used_are_named_with_their_cause(faulty_site: Path) -> None:
    said = python(COMMANDS, json.dumps([[command] for command in CAUSES]), site=faulty_site)
    for (command, causes), (code, out, err) in zip(CAUSES.items(), said, strict=True):
        group = f"labelnext.{command}"
        assert code == 0
        assert "example" in out
        assert err.splitlines() == [
            f"Warning: package labelnext_faulty 1.0: its entry point {name} = "
            f"{FAULTY_ROWS[group][name]} of {group} can't be used: {cause}."
            for name, cause in causes.items()
        ]


def test_broken_packages_break_no_command(faulty_site: Path, folder: Path) -> None:
    (folder / "lost.yaml").write_text(CONFIG.replace("example_score", "example_lost"))
    commands = ["run c.yaml", "check c.yaml", "schema", "init files", "plugins --json"]
    lists = json.dumps([c.split() for c in (*commands, "run lost.yaml")])
    *fine, lost = python(COMMANDS, lists, site=faulty_site, folder=folder)
    assert [code for code, _, _ in fine] == [0] * len(commands)
    rows = {(row["group"], row["name"], row["package"]): row for row in json.loads(fine[-1][1])}
    for group, points in FAULTY_ROWS.items():
        for name, target in points.items():
            row = rows[group, name, "labelnext_faulty"]
            assert (row["version"], row["target"], row["loads"]) == ("1.0", target, False)
            assert row["cause"]
    assert rows["labelnext.formats", "csv", "labelnext"]["loads"]
    assert rows["labelnext.adapters", "example", "labelnext_example"]["loads"]
    assert lost[0] == 1
    assert lost[2] == (
        "Error: lost.yaml, line 3: acquisition.name must be usable; 'example_lost' of "
        f"package labelnext_faulty 1.0 isn't: {CAUSES['acquisitions']['example_lost']}. "
        "Hint: reinstall or update that package; its author can mend what is named.\n"
    )


def test_installed_packages_are_looked_through_once_and_not_for_help() -> None:
    code = """
import contextlib, importlib.metadata, io, json, sys
calls, real = [], importlib.metadata.entry_points

def entry_points(**groups):  # pydantic asks, too
    calls.extend({sys._getframe(1).f_globals["__name__"]} - {"pydantic.plugin._loader"})
    return real(**groups)

importlib.metadata.entry_points = entry_points
from labelnext.cli import main
counts = []
for command in ("--help", "run --help", "acquisitions", "formats", "adapters", "schema"):
    sys.argv = ["labelnext", *command.split()]
    with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):
        main()
    counts.append(len(calls))
print(json.dumps(counts))
"""
    assert python(code, site=Path()) == [0, 0, 1, 1, 1, 1]


@pytest.fixture
def points(monkeypatch: pytest.MonkeyPatch) -> list[EntryPoint]:
    """Entry points that take the place of those installed; numbers are the rows of the table."""
    made: list[EntryPoint] = []
    monkeypatch.setattr(plugins, "entries", lambda group: tuple(made))
    monkeypatch.setattr(plugins, "_told", set())
    return made


def fractions(built_in: dict[str, Any] | None = None) -> Table[Any]:
    return Table("labelnext.tests", "number", instance_of(int), built_in)


def test_a_table_without_packages_is_what_is_built_in(points: list[EntryPoint]) -> None:
    assert fractions().names() == []
    assert fractions({"one": 1}).names() == ["one"]
    assert fractions({"one": 1}).get("one") == 1
    with pytest.raises(UnknownName, match=r"number must be one of one; got 'on'. Hint: did you"):
        fractions({"one": 1}).get("on")


def test_a_built_in_row_is_had_without_a_look_at_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plugins, "entries", None)
    assert fractions({"one": 1}).get("one") == 1


def test_a_row_that_is_asked_for_and_broken_is_an_error_each_time(
    points: list[EntryPoint],
) -> None:
    table = fractions()
    points.append(EntryPoint("gone", "labelnext_gone:GONE", "labelnext.tests"))
    with pytest.raises(MissingExtra, match="number must be usable; 'gone'"):
        table.get("gone")
    points[:] = [EntryPoint("pi", "math:pi", "labelnext.tests")]
    for _ in range(2):
        with pytest.raises(ConfigError, match="'pi' of package .*an instance of int; got float"):
            table.get("pi")
    with pytest.warns(LabelnextWarning, match="pi = math:pi of labelnext.tests can't be used"):
        assert table.names() == []
    assert table.names() == []  # said once

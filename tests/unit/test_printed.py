"""Whatever is printed can be pasted: commands, options, configuration keys and make's targets."""

from __future__ import annotations

import ast
import re
import shlex
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import click
import pytest

from labelnext.cli import app
from labelnext.config.schema import json_schema
from tests.unit.cli.test_commands import COMMANDS, labelnext

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
SOURCES = sorted(path for root in ("plugin", "adapters") for path in (ROOT / root).rglob("*.py"))
OTHERS = [ROOT / "config.example.yaml", ROOT / "docker" / "compose.yaml"]
SECTIONS = ("source", "acquisition", "selection", "write", "report", "replay", "review", "ray")


def texts(path: Path) -> Iterator[str]:
    """What a file says: a page or file whole, of Python its strings."""
    content = path.read_text("utf-8")
    if path.suffix != ".py":
        yield content
        return
    for node in ast.walk(ast.parse(content)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def in_code(text: str) -> Iterator[str]:
    """The command lines of a page: those in blocks, and those between backticks."""
    blocks = re.findall(r"(?ms)^ *```\w*\n(.*?)^ *```", text)
    for line in "\n".join(blocks).replace("\\\n", " ").splitlines():
        told = re.match(r"\$?\s*(?:\.venv/bin/)?labelnext( [a-z].*|$)", line.strip())
        if told:
            yield told[1]
    prose = re.sub(r"(?ms)^ *```.*?^ *```", "", text)
    yield from re.findall(r"(?<!`)`(?:\.venv/bin/)?labelnext( [a-z][^`\n]*)`", prose)
    indented = re.findall(r"(?m)^ {4}(?:\.venv/bin/)?labelnext( [a-z].*)$", prose)
    yield from (line for line in indented if line.split()[0] in COMMANDS)


def fault(line: str) -> str | None:
    """Why a command line can't be given; None if it can. Without arguments it is a mention."""
    line = line.partition(" > ")[0]  # of the shell
    words = [word for word in shlex.split(line, comments=True) if word != "…"]
    group: Any = app
    with click.Context(app, **app.context_settings) as context:
        while hasattr(group, "get_command") and words:
            name = words.pop(0)
            group = group.get_command(context, name)
            if group is None:
                return f"no command {name}"
    if all(word.startswith("-") for word in words):
        words = ["labelnext.yaml", *words] if words else ["--help"]
    try:
        group.make_context(group.name, words, parent=context, resilient_parsing=words == ["--help"])
    except click.UsageError as error:
        return str(error.format_message())
    return None


@pytest.mark.parametrize("page", [*PAGES, *OTHERS], ids=lambda page: page.name)
def test_every_command_of_a_page_can_be_given(page: Path) -> None:
    lines = list(in_code(page.read_text("utf-8")))
    assert {line: why for line in lines if (why := fault(line))} == {}


def test_every_example_of_help_can_be_given() -> None:
    examples = [
        line.strip()
        for path in SOURCES
        for text in texts(path)
        if text.startswith("Example: labelnext")
        for line in re.findall(r"labelnext( [^,]+)(?:, then|$)", text)
    ]
    assert len(examples) > 20
    assert {line: why for line in examples if (why := fault(line))} == {}


def calls_of_how() -> list[list[str]]:
    """The words of each `how(…)` in the source; what isn't a constant is a name of a file."""
    found = []
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            named = isinstance(node, ast.Call) and getattr(node.func, "id", "") == "how"
            if not named or any(keyword.arg == "program" for keyword in node.keywords):
                continue
            words = [a.value if isinstance(a, ast.Constant) else "x.yaml" for a in node.args]
            if not any(isinstance(a, ast.Starred) for a in node.args) and words[0] != "x.yaml":
                found.append([str(word) for word in words])
    return found


def test_every_command_of_a_message_can_be_given() -> None:
    lines = [shlex.join(words) for words in calls_of_how()]
    assert len(lines) > 20
    assert {line: why for line in lines if (why := fault(line))} == {}


@cache
def keys() -> dict[str, set[str]]:
    """The keys of each section, of all adapters."""
    found = {}
    for name, schema in json_schema()["properties"].items():
        kinds = schema.get("anyOf", [schema])
        found[name] = {key for kind in kinds for key in kind.get("properties", {})}
    return found


@pytest.mark.parametrize("section", [*SECTIONS, "send"])
def test_every_key_that_is_named_exists(section: str) -> None:
    pattern = re.compile(rf"(?<![\w./-]){section}\.([a-z_]+)(?![\w(/.])")
    others = {"md", "html", "py", "yaml", "csv", "svg", "png", "options"}  # files; of any section
    named = {
        (path.name, key)
        for path in [*PAGES, *SOURCES, *OTHERS]
        for text in texts(path)
        if not text.startswith(("ray", "report."))  # a module, a file of a template
        for key in pattern.findall(text)
    }
    assert {(page, key) for page, key in named if key not in keys()[section] | others} == set()


def test_every_target_of_make_exists() -> None:
    targets = set(re.findall(r"(?m)^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8")))
    named = {
        (path.name, target)
        for path in PAGES
        for pair in re.findall(r"`make ([a-z-]+)|^ {4}make ([a-z-]+)", path.read_text("utf-8"))
        for target in pair
        if target
    }
    assert len(named) > 5
    assert {(page, target) for page, target in named if target not in targets} == set()


INIT = "init files p.csv"
#: What was done, and the commands that the last command prints.
SCENES: dict[str, tuple[list[str], list[str]]] = {
    "init of a file": ([INIT], ["check labelnext.yaml"]),
    "init under another name": (
        ["init files p.csv --output 'my own.yaml'"],
        ["check 'my own.yaml'"],
    ),
    "a run": ([INIT, "run labelnext.yaml"], ["undo labelnext.yaml"]),
    "nothing to undo": (
        [
            INIT,
            "init --output b.yaml files p.csv",
            "run b.yaml",
            "undo labelnext.yaml",
        ],
        ["runs labelnext.yaml --all"],
    ),
    "no configuration": (["run labelnext.yaml"], ["init"]),
    "a file of no format": (
        ["init --output c.yaml files strange.json", "check c.yaml"],
        ["formats"],
    ),
}


@pytest.mark.parametrize("scene", SCENES)
def test_every_command_that_a_command_prints_works_there(scene: str, tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_text("id,cat,dog\na,0.2,0.8\nb,0.5,0.5\n")
    (tmp_path / "strange.json").write_text('{"weights": 3}')
    steps, expected = SCENES[scene]
    for step in steps:
        last = labelnext(*shlex.split(step), folder=tmp_path)
    printed = re.sub(r"\s+", " ", f"{last.stdout} {last.stderr}")
    for line in expected:
        assert f"labelnext {line}" in printed
        done = labelnext(*shlex.split(line), folder=tmp_path)
        assert (done.returncode, done.stderr) == (0, ""), (line, done)
    left = printed
    for line in expected:
        left = left.replace(f"labelnext {line}", "")
    assert not re.search(rf"labelnext ({'|'.join(COMMANDS)})\b", left), left

"""The tree that docs/architecture.md shows is the tree on disk, and its limits hold."""

from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path

from tests.integration.conftest import FIRST

ROOT = Path(__file__).parents[2]
CORE = ROOT / "plugin" / "labelnext"
ADAPTERS = ROOT / "adapters" / "labelnext_adapters"
MODULES = [path for root in (CORE, ADAPTERS) for path in sorted(root.rglob("*.py"))]
LONG = "# Long: "


def shown() -> set[str]:
    """The modules that the page names, as paths below their source root."""
    page = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    tree = page.partition("## What goes where")[2].split("```")[1]
    folders: list[tuple[int, str]] = []
    names = set()
    for line in tree.strip("\n").splitlines():
        indent = len(line) - len(line.lstrip())
        first = line.split()[0]
        while folders and folders[-1][0] >= indent:
            folders.pop()
        if first.endswith("/"):
            folders.append((indent, first))
        else:
            names |= {"".join(f for _, f in folders) + f"{word}.py" for word in line.split()}
    return names


def test_the_page_shows_the_tree_on_disk() -> None:
    kept = {
        str(path.relative_to(ROOT).as_posix()) for path in MODULES if path.name != "__init__.py"
    }
    gone, new = sorted(shown() - kept), sorted(kept - shown())
    rooms = "a new folder needs a line in docs/architecture.md, by hand; then run `make tables`"
    assert (gone, new) == ([], []), rooms


def test_the_core_has_at_most_ten_floors_and_sixteen_rooms() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    contracts = project["tool"]["importlinter"]["contracts"]
    (core,) = [c for c in contracts if c.get("containers") == ["labelnext"]]
    assert core["type"] == "layers"
    assert core["exhaustive"]
    assert len(core["layers"]) <= 10
    assert sum(path.is_dir() and path.name != "__pycache__" for path in CORE.iterdir()) <= 16


def test_no_module_is_longer_than_400_lines() -> None:
    of_tests = [*(ROOT / "tests").rglob("*.py"), *(ROOT / "benchmarks").rglob("*.py")]
    checked = [*MODULES, *of_tests]
    long = {p.name: n for p in checked if (n := len(p.read_text("utf-8").splitlines())) > 400}
    assert not long


def test_the_integration_modules_that_begin_first_are_there() -> None:
    folder = ROOT / "tests" / "integration"
    assert [name for name in FIRST if not (folder / f"test_{name}.py").is_file()] == []


def test_no_function_is_longer_than_60_lines_without_a_reason() -> None:
    long = []
    for path in MODULES:
        text = path.read_text("utf-8")
        lines = text.splitlines()
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                body = lines[node.lineno - 1 : node.end_lineno]
                if len(body) > 60 and not any(LONG in line for line in body):
                    long.append(f"{path.name}: {node.name} has {len(body)} lines")
    assert not long


def test_no_modules_import_one_another_in_a_circle() -> None:
    imports = {name_of(path): imported(path) for path in MODULES}
    done: set[str] = set()

    def visit(name: str, above: tuple[str, ...]) -> None:
        assert name not in above, " imports ".join((*above[above.index(name) :], name))
        if name not in done:
            for other in sorted(imports[name] & imports.keys()):
                visit(other, (*above, name))
            done.add(name)

    for name in imports:
        visit(name, ())


def name_of(path: Path) -> str:
    root = CORE.parent if CORE in path.parents else ADAPTERS.parent
    parts = path.relative_to(root).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imported(path: Path) -> set[str]:
    """What a module imports when it is loaded; the type checker's own imports are left out."""
    names = set()
    for node in ast.parse(path.read_text("utf-8")).body:
        if isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
        elif isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
    return {name for name in names if re.match(r"labelnext(_adapters)?\b", name)}

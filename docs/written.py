"""Writes what is read without the site: tables, the tree of modules, options, the notebooks.

`make tables` runs it. A test says when something has to be written again.
"""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic.fields import FieldInfo

from labelnext.acquisition import ACQUISITIONS, AcquisitionFunction, get_acquisition
from labelnext.adapter.formats import FORMATS, get_format
from labelnext.adapter.options import described

ROOT = Path(__file__).parents[1]
#: The folders whose modules the tree names.
NAMED = ("plugin/labelnext/", "adapters/labelnext_adapters/")
WIDTH = 108
COMMENT = 31  # where comments begin in config.example.yaml


def main() -> None:
    """Write the files again, and name those that changed."""
    for name, fill in FILLS.items():
        path = ROOT / name
        before = path.read_text("utf-8") if path.exists() else ""
        after = fill(before)
        if after != before:
            path.write_text(after, "utf-8")
            print(f"Wrote {name}.")


def readme(text: str) -> str:
    """README with a row for each acquisition function; the words of its last column are kept."""
    head = "| name | labelled first | range | needs |\n|---|---|---|---|\n"
    before, _, after = text.partition(head)
    table = re.match(r"(?:\|.*\n)*", after)
    rest = after[table.end() :] if table else after
    needs = dict(re.findall(r"(?m)^\| `(\w+)` \|.*\| ([^|]+) \|$", after))
    rows = ""
    for name in ACQUISITIONS.own_names():
        f = get_acquisition(name)
        cells = (f"`{name}`", f.direction, f.range, needs.get(name, needed(f)))
        rows += f"| {' | '.join(cells)} |\n"
    return before + head + rows + rest


def needed(function: AcquisitionFunction) -> str:
    """What a function needs, in the words of README."""
    versions = " of M model versions" if function.members else ""
    items = f"class probabilities{versions or ' of items'}"
    objects = f"objects{versions}" + " with embeddings" * function.embeddings
    if function.of == ("items",):
        return items
    if function.of == ("objects",):
        return objects
    return f"{items}, or {'of each object' if function.vectors else objects}"


def architecture(text: str) -> str:
    """The page with the modules of each folder that it shows, as they are on disk."""
    before, head, after = text.partition("## What goes where\n\n```\n")
    tree, end, rest = after.partition("```\n")
    folders: list[tuple[int, str]] = []
    lines = []
    for line in tree.splitlines():
        indent = len(line) - len(line.lstrip())
        first = line.split()[0]
        if not first.endswith("/"):
            continue  # modules, which are written again below their folder
        while folders and folders[-1][0] >= indent:
            folders.pop()
        folders.append((indent, first))
        path = "".join(name for _, name in folders)
        lines.append(line)
        if path.startswith(NAMED):
            names = sorted(p.stem for p in (ROOT / path).glob("*.py") if p.stem != "__init__")
            margin = " " * (indent + 2)
            lines += textwrap.wrap(
                " ".join(names), WIDTH, initial_indent=margin, subsequent_indent=margin
            )
    return before + head + "\n".join(lines) + "\n" + end + rest


def example(text: str) -> str:
    """The example with every option of a file format; what is there already stays as it is."""
    start = text.index("  # files (with adapter: files)\n")
    end = text.index("\nacquisition:", start)
    block = text[start:end]
    known = set(re.findall(r"(?m)^  # (\w+): ", block))
    for option, readers in _options().items():
        if option not in known:
            block += _line(option, readers)
    return text[:start] + block + text[end:]


def notebook(name: str) -> str:
    """The notebook of a script, whose cells begin with ``# %%``."""
    script = (ROOT / "docs" / "tutorials" / "notebooks" / f"{name}.py").read_text("utf-8")
    cells = []
    for number, part in enumerate(re.split(r"(?m)^# %%", script)[1:]):
        kind, _, body = part.partition("\n")
        lines = body.strip("\n").splitlines(keepends=True)
        cell: dict[str, Any] = {"cell_type": "code", "execution_count": None, "outputs": []}
        if "markdown" in kind:
            cell = {"cell_type": "markdown"}
            lines = [line.removeprefix("#").removeprefix(" ") for line in lines]
        cells.append({"id": f"cell-{number}", "metadata": {}, "source": lines, **cell})
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    whole = {
        "cells": cells,
        "metadata": {"kernelspec": kernel, "language_info": {"name": "python"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return json.dumps(whole, indent=1, ensure_ascii=False) + "\n"


def _options() -> Mapping[str, list[tuple[str, FieldInfo]]]:
    """The names of the formats that read each option, and the option."""
    options: dict[str, list[tuple[str, FieldInfo]]] = {}
    for name in FORMATS.own_names():
        for option, field in described(get_format(name).Options).items():
            options.setdefault(option, []).append((name, field))
    return options


def _line(option: str, readers: list[tuple[str, FieldInfo]]) -> str:
    """An option with its default and the first sentence of its docstring."""
    default: Any = readers[0][1].get_default(call_default_factory=True)
    value = yaml.safe_dump(default, default_flow_style=True).removesuffix("...\n").strip()
    sentence = re.split(r"\.(?:\s|$)", " ".join((readers[0][1].description or "").split()))[0]
    if not sentence[1:2].isupper():
        sentence = sentence[:1].lower() + sentence[1:]
    names = ", ".join(name for name, _ in readers)
    return f"  # {option}: {value}".ljust(COMMENT - 1) + f" # for {names}: {sentence}\n"


#: What fills each file.
FILLS: Mapping[str, Callable[[str], str]] = {
    "README.md": readme,
    "docs/architecture.md": architecture,
    "config.example.yaml": example,
    **{
        f"docs/tutorials/notebooks/{name}.ipynb": lambda _, name=name: notebook(name)
        for name in ("mnist", "diversity", "detection")
    },
}

if __name__ == "__main__":
    main()

"""Fills tables and the footer of the documentation from the package, while the site is built."""

from __future__ import annotations

import inspect
import math
from importlib.metadata import metadata
from typing import Any

import yaml

import labelnext
from labelnext.acquisition import acquisition_names, get_acquisition
from labelnext.adapter.formats import format_names, get_format
from labelnext.config.schema import json_schema
from labelnext.selection import INPUTS, get_selection, selection_names


def on_config(config: Any, **_: Any) -> Any:
    """Put the version and the repository below every page.

    Not as `repo_url`, for which the theme's pages ask GitHub how many stars there are.
    """
    urls = dict(url.split(", ") for url in metadata("labelnext").get_all("Project-URL") or [])
    link = f'<a href="{urls["Repository"]}">Repository</a>'
    config.copyright = f"labelnext {labelnext.__version__} · {link}"
    return config


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Replace ``<!-- table: NAME -->`` by the table of that name."""
    for name, make in TABLES.items():
        mark = f"<!-- table: {name} -->"
        if mark in markdown:
            markdown = markdown.replace(mark, make())
    return markdown


def acquisitions() -> str:
    """The acquisition functions."""
    rows = []
    for name in acquisition_names():
        f = get_acquisition(name)
        rows.append((f"`{name}`", f.direction, f.range, f.summary, f.references))
    return _table(("name", "labelled first", "range", "what it is", "reference"), rows)


def selections() -> str:
    """The selection methods."""
    rows = []
    for name in selection_names():
        m = get_selection(name)
        needs = ", ".join(dict.fromkeys(INPUTS[n] for n in m.needs)) or "nothing"
        rows.append((f"`{name}`", needs, m.complexity, m.summary, m.guarantee, m.references))
    headings = ("name", "needs", "cost", "what it picks", "what holds of the batch", "reference")
    return _table(headings, rows)


def formats() -> str:
    """The file formats."""
    rows = []
    for name in format_names():
        f = get_format(name)
        options = ", ".join(f"`{option}`" for option in f.Options.model_fields) or "none"
        rows.append((f"`{name}`", f.known_by, f.summary, options))
    return _table(("format", "what is recognised", "what it reads", "options"), rows)


def configuration() -> str:
    """Every key of the configuration, from its JSON Schema."""
    schema = json_schema()
    parts = []
    for name, section in schema["properties"].items():
        if "anyOf" in section and name in ("source", "write", "send"):
            parts += [f"## {name}: {v['title']}\n\n{_keys(v, schema)}" for v in section["anyOf"]]
        elif section.get("properties"):
            parts.append(f"## {name}\n\n{_keys(section, schema)}")
    rest = {n: s for n, s in schema["properties"].items() if _is_plain(n, s)}
    parts.append(f"## At the top\n\n{_keys({'properties': rest}, schema)}")
    return "\n\n".join(parts)


def commands() -> str:
    """The commands with their help."""
    import click

    from labelnext.cli import app

    context = click.Context(app, info_name="labelnext", **app.context_settings)
    parts = []
    for name in app.list_commands(context):
        command = app.get_command(context, name)
        usage = " ".join(command.collect_usage_pieces(click.Context(command, parent=context)))
        rows = [_parameter(p) for p in command.params if p.name not in ("config", "help")]
        subcommands = getattr(command, "commands", {})
        rows += [(f"`{name} {sub}`", "", part.help) for sub, part in subcommands.items()]
        text = inspect.cleandoc(command.help or "")
        parts.append(f"## labelnext {name}\n\n```text\nlabelnext {name} {usage}\n```\n\n{text}")
        if command.epilog:
            parts.append("Example: `" + command.epilog.removeprefix("Example: ") + "`")
        if rows:
            parts.append(_table(("argument or option", "default", "meaning"), rows))
    return "\n\n".join(parts)


def _parameter(parameter: Any) -> tuple[str, str, str]:
    """The row of an argument or option."""
    is_argument = parameter.param_type_name == "argument"
    name = parameter.metavar or parameter.name if is_argument else ", ".join(parameter.opts)
    given = parameter.to_info_dict()["default"]
    default = "required" if parameter.required else ""
    switch = not is_argument and (parameter.is_flag or parameter.count)
    if given is not None and not switch:
        default = f"`{given}`"
    return f"`{name.strip('[]')}`", default, parameter.help


TABLES = {
    "acquisitions": acquisitions,
    "selections": selections,
    "formats": formats,
    "configuration": configuration,
    "commands": commands,
}


def _is_plain(name: str, section: dict[str, Any]) -> bool:
    return name not in ("source", "write", "send") and not section.get("properties")


def _keys(section: dict[str, Any], schema: dict[str, Any]) -> str:
    required = section.get("required", [])
    rows = []
    for name, entry in section["properties"].items():
        default = "required" if name in required else f"`{_shown(entry)}`"
        rows.append((f"`{name}`", _kind(entry, schema), default, entry.get("description", "")))
    return _table(("key", "values", "default", "meaning"), rows)


def _shown(entry: dict[str, Any]) -> str:
    value = entry.get("const", entry.get("default"))
    if isinstance(value, str):
        return value
    shown = yaml.safe_dump(value, default_flow_style=True, width=math.inf)
    return shown.removesuffix("...\n").strip()


def _kind(entry: dict[str, Any], schema: dict[str, Any]) -> str:
    if "$ref" in entry:
        made = schema["$defs"][entry["$ref"].rpartition("/")[2]]
        return "mapping" if made.get("properties") else _kind(made, schema)
    if "const" in entry:
        return str(entry["const"])
    if "enum" in entry:
        return ", ".join(map(str, entry["enum"]))
    if "anyOf" in entry:
        return " or ".join(dict.fromkeys(_kind(part, schema) for part in entry["anyOf"]))
    names = {"string": "text", "integer": "whole number", "object": "mapping", "array": "list"}
    return names.get(entry.get("type", ""), entry.get("type", "anything"))


def _table(headings: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [headings, tuple("---" for _ in headings), *rows]
    cells = [[str(cell).replace("|", "\\|").replace("\n", " ") for cell in row] for row in lines]
    return "\n".join(f"| {' | '.join(row)} |" for row in cells)

"""Write a commented configuration for a platform, from the models that check it."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from labelnext.adapter.capabilities import Capability, can
from labelnext.adapter.options import described
from labelnext.adapter.registry import get_adapter, source_options
from labelnext.config.sections import SECTIONS
from labelnext.config.source import Rest, Source
from labelnext.support.started import by_name

_NOT_YET = {"calibrate", "engine", "purpose"}  # one value each so far: no choice to offer


def config_template(
    adapter_name: str,
    source_values: Mapping[str, Any] | None = None,
    path: Path = Path("labelnext.yaml"),
    *,
    in_parts: bool = False,
) -> str:
    """A YAML configuration with every key of the platform, its default and a comment.

    Args:
        adapter_name: one of `adapter_names()`.
        source_values: keys of `source` that are known, relative to the current folder; with them,
            only the keys that go with them are written.
        path: where it is going to be, for the commands in its comments.
        in_parts: whether the pool is read in parts, so that its ranking is a folder.

    Raises:
        UnknownName: if the adapter isn't known.
    """
    adapter, given = get_adapter(adapter_name), dict(source_values or {})
    options = adapter.SourceOptions
    if given:
        options = source_options(adapter, given, Path())
    fields = {n: f for n, f in described(options).items() if not given or f.description}
    source = {
        **{n: fields[n] for n in given if n in fields},
        **fields,
        **_without(Source, {"adapter", *fields}),
    }
    parts = [
        f"# {by_name('run', path)}\n"
        "# yaml-language-server: $schema=labelnext.schema.json\n"
        "# (labelnext schema > labelnext.schema.json)\n",
        f"source:\n  adapter: {adapter_name}\n"
        + _keys(source.items(), "  ", _offered(options), given, _prefix(adapter_name)),
    ]
    for name, model in {
        "acquisition": SECTIONS["acquisition"],
        "selection": SECTIONS["selection"],
        "write": adapter.WriteOptions,
        "report": SECTIONS["report"],
        "replay": SECTIONS["replay"],
    }.items():
        fields = _without(model, _NOT_YET)
        named: dict[str, Any] = {**_named_after(path, fields, in_parts and name == "write")}
        if name == "selection" and given.get("model") is not None:
            named["method"] = "auto"
        parts.append(f"{name}:\n" + _keys(fields.items(), "  ", _offered(model), named))
    if can(adapter, Capability.GIVES_BATCHES):
        sent = f"# To label a batch elsewhere ({by_name('send', path)}), add a section send:\n"
        parts.insert(
            -2,
            sent + "# send:\n#   adapter: label-studio\n#   url: http://localhost:8080\n"
            "#   api_key: ${LABEL_STUDIO_API_KEY}\n",
        )
    parts.append(_keys(_without(Rest, _NOT_YET).items(), ""))
    return "\n".join(parts)


def _named_after(path: Path, fields: Mapping[str, FieldInfo], as_folder: bool) -> dict[str, Path]:
    """What a configuration writes, by key: files of its own name, unless that is the usual one.

    So two configurations in a folder don't overwrite each other's files.
    """
    named = {}
    for name, field in fields.items():
        if not isinstance(field.default, Path) or not field.default.suffix:
            continue
        file = field.default
        if path.stem != "labelnext":
            file = Path(f"{path.stem}-{file.name.removeprefix('labelnext-')}")
        named[name] = file.with_suffix("") if as_folder else file
    return named


def _without(model: type[BaseModel], names: set[str]) -> dict[str, FieldInfo]:
    return {n: f for n, f in described(model).items() if n not in names}


def _offered(model: type[BaseModel]) -> dict[str, list[str]]:
    """The allowed names of each key that installed packages can extend."""
    open_keys = [n for n, f in model.model_fields.items() if callable(f.json_schema_extra)]
    schema = model.model_json_schema()["properties"] if open_keys else {}
    kinds = {n: schema[n].get("anyOf", [schema[n]]) for n in open_keys}
    return {n: [name for kind in kinds[n] for name in kind.get("enum", ())] for n in open_keys}


def _keys(
    fields: Iterable[tuple[str, FieldInfo]],
    indent: str,
    offered: Mapping[str, Sequence[str]] | None = None,
    given: Mapping[str, Any] | None = None,
    prefix: str = "",
) -> str:
    """The lines of these keys; a secret comes from a variable whose name starts with `prefix`."""
    text = ""
    for name, field in fields:
        comment = field.description or ""
        if offered and name in offered:
            comment += f" One of: {', '.join(offered[name])}."
        for line in textwrap.wrap(comment, 90 - len(indent), break_on_hyphens=False):
            text += f"{indent}# {line}\n"
        if given and name in given:
            text += f"{indent}{name}: {_scalar(given[name])}\n"
        elif field.is_required():
            value = "${" + prefix + name.upper() + "}" if "Secret" in str(field.annotation) else ""
            text += f"{indent}{name}: {value}  # required\n".replace(":   #", ":  #")
        else:
            text += f"{indent}{name}: {_scalar(field.get_default(call_default_factory=True))}\n"
    return text


def _prefix(adapter_name: str) -> str:
    """Of the environment variables that hold an adapter's secrets: LABEL_STUDIO_."""
    return re.sub(r"\W", "_", adapter_name).upper() + "_"


def secret_variables(text: str) -> list[str]:
    """The environment variables that a template needs.

    Example:
        >>> secret_variables("  api_key: ${LABEL_STUDIO_API_KEY}  # required")
        ['LABEL_STUDIO_API_KEY']
    """
    return re.findall(r"^  [^#\n]*\$\{(\w+)\}", text, re.MULTILINE)


def required_keys(text: str) -> list[str]:
    """The keys of `source` that a template leaves to the user.

    Example:
        >>> required_keys("  url:  # required")
        ['url']
    """
    return re.findall(r"^  (\w+):  # required$", text, re.MULTILINE)


def _scalar(value: Any) -> str:
    shown = str(value) if isinstance(value, Path) else value
    return yaml.safe_dump(shown, default_flow_style=True).removesuffix("...\n").strip()

"""What a key that nobody knows was probably meant to be."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import fields

from pydantic import BaseModel

from labelnext.adapter.options import WriteOptions
from labelnext.adapter.registry import adapter_names, get_adapter
from labelnext.config.document import Document, Location
from labelnext.config.source import Source
from labelnext.errors import ConfigError, LabelnextError
from labelnext.support.written import hint_of_colons

CHOICES = {"acquisition": "name", "selection": "method"}
"""The key that a section is about."""
LEADING = CHOICES | {"source": "adapter", "write": "output", "report": "path", "replay": "path"}
"""The key that somebody means who writes a value in place of a section."""
PLAIN = re.compile(r"[A-Za-z_./][\w./-]{0,79}")
"""A name or path that needs no quotes."""
_WORDS = {  # other tools' words for a key, wherever they stand
    "selection.budget": "batch_size count k limit n n_instances n_items n_queries num number size",
    "selection.seed": "random_seed random_state",
    "acquisition.name": "acquisition_function function query_strategy scorer",
    "selection.method": "algorithm sampler",
    "acquisition.name or selection.method": "strategy",
    "source.api_key": "access_token token",
    "source.dataset": "dataset_name",
    "source.path": "file filename folder path",
    "source.project": "project_id",
    "source.key": "id id_column id_field",
    "write.output": "file filename out output_file output_path path",
}


def unknown_key(document: Document, location: Location, known: Sequence[str]) -> ConfigError:
    """The error for a key that is not known, with the key that was probably meant.

    Args:
        document: the configuration's text.
        location: of the key.
        known: the keys that could stand there.
    """
    section, key = str(location[0]), str(location[-1])
    near = difflib.get_close_matches(key.lower(), known, n=1)
    if colon := hint_of_colons(key):
        hint = colon
    elif len(location) < 3 and (owners := _owners(key, section)):
        hint = f"it is a key for source.adapter: {' or '.join(owners)}."
    elif meant := near if len(location) > 2 else _meant(key, section, near):
        hint = f"did you mean {' or '.join(meant)}?"
    else:
        hint = f"known keys: {', '.join(sorted(known))}."
    return document.error(location, "is not a known key.", hint=hint)


def _meant(key: str, section: str, near: list[str]) -> list[str]:
    """The keys that one of a section, or of the top, may stand for; `near` are spelled like it."""
    return _usual(key, section) or near or _constraint(key) or _elsewhere(key)


def _owners(key: str, section: str) -> list[str]:
    """The adapters that have a key of `source` or `write`."""
    owners = []
    for name in adapter_names() if section in ("source", "write") else ():
        with suppress(LabelnextError):  # its module needs a package that isn't installed
            adapter = get_adapter(name)
            options = adapter.SourceOptions if section == "source" else adapter.WriteOptions
            if key in options.model_fields:
                owners.append(name)
    return owners


def _usual(key: str, section: str) -> list[str]:
    """The key that this word stands for, if possible in the same section."""
    if key in ("name", "method") and section in CHOICES:
        return [f"{section}.{CHOICES[section]}"]
    meant = [path for path, words in _WORDS.items() if key in words.split()]
    return [path for path in meant if path.startswith(f"{section}.")] or meant[:1]


def _constraint(key: str) -> list[str]:
    """The place of a constraint on batches, which every method takes as one of its options."""
    from labelnext.selection.constraints import Constraints

    known = {one.name for one in fields(Constraints)}
    return [f"selection.options.{key}"] if key in known else []


def _elsewhere(key: str) -> list[str]:
    """The keys with their sections that have this name, or else are spelled like it."""
    from labelnext.config.sections import SECTIONS

    models: dict[str, type[BaseModel]] = {"source": Source, "write": WriteOptions, **SECTIONS}
    same = [f"{name}.{key}" for name, model in models.items() if key in model.model_fields]
    return same or _alike(key, models)


def _alike(key: str, models: Mapping[str, type[BaseModel]]) -> list[str]:
    """The keys of any section or adapter that are spelled like this one, with their sections."""
    paths: dict[str, list[str]] = {}
    for name, model in models.items():
        for other in model.model_fields:
            paths.setdefault(other, []).append(f"{name}.{other}")
    for adapter in adapter_names():
        with suppress(LabelnextError):  # its module needs a package that isn't installed
            for other in get_adapter(adapter).SourceOptions.model_fields:
                paths.setdefault(other, []).append(f"source.{other}")
    near = difflib.get_close_matches(key, paths, n=1)
    return list(dict.fromkeys(paths[near[0]])) if near else []

"""The outline of a configuration: what it reads and writes, without how it ranks."""

from __future__ import annotations

import difflib
import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel

from labelnext.adapter.formats import format_names, recognised
from labelnext.adapter.options import Options, SendOptions, WriteOptions
from labelnext.adapter.protocol import Adapter
from labelnext.adapter.registry import adapter_names, get_adapter, get_target, source_options
from labelnext.config.document import DEEPEST, Document, Location, parse
from labelnext.config.source import Rest, Source
from labelnext.config.unknown_keys import LEADING, PLAIN, unknown_key
from labelnext.errors import ConfigError, LabelnextError, remember_secrets_in, shown
from labelnext.support.models import Refused, validated
from labelnext.support.refused import refusals_told
from labelnext.support.started import how
from labelnext.support.written import hint_of_colons, meant

SECTION_NAMES = ("acquisition", "selection", "report", "replay", "review", "watch", "ray")
"""The sections that say how to rank, and what else to do with it."""

_NONE = {"false", "no", "off", "none"}  # what people write for null

_Model = TypeVar("_Model", bound=BaseModel)


class Located:
    """A configuration with a place.

    Attributes:
        path: path of the file; None if the configuration came from a mapping.
        rest: the top-level keys.
    """

    path: Path | None
    rest: Rest

    @property
    def directory(self) -> Path:
        """The folder that relative paths start from."""
        return Path() if self.path is None else self.path.parent

    @property
    def state(self) -> Path:
        """The folder of the journals."""
        return self.directory / self.rest.state.expanduser()


@dataclass(frozen=True)
class Outline(Located):
    """What a configuration reads and writes; each section is checked when it is first asked for.

    Attributes:
        document: the configuration as it is written.
        rest: the top-level keys.
        path: path of the file; None if the configuration came from a mapping.
    """

    document: Document
    rest: Rest
    path: Path | None

    @cached_property
    def source(self) -> Source:
        """The keys of `source` that all adapters share."""
        section = section_of(self.document, "source")
        if "adapter" not in section:
            near = difflib.get_close_matches("adapter", section, n=1)
            raise self.document.error(
                ("source",),
                f"must name its adapter, one of {', '.join(adapter_names())}.",
                hint=f"write adapter in place of {near[0]}." if near else None,
            )
        common = {k: v for k, v in section.items() if _is_shared(k, v)}
        return checked_as(self.document, Source, common, ("source",))

    @cached_property
    def adapter(self) -> type[Adapter]:
        """The adapter of `source`."""
        found: type[Adapter] = _looked_up(
            self.document, ("source", "adapter"), get_adapter, self.source.adapter
        )
        return found

    @cached_property
    def source_options(self) -> Options:
        """The adapter's own keys of `source`."""
        adapter = self.adapter
        options = {
            k: v for k, v in section_of(self.document, "source").items() if not _is_shared(k, v)
        }
        if "embeddings" in options and "embeddings" not in adapter.SourceOptions.model_fields:
            made = {"adapter": adapter.name, "embeddings": options.pop("embeddings")}
            checked_as(self.document, Source, made, ("source",))
        texts = {
            k: None if meant(v) is None else str(v) if isinstance(v, str) else v
            for k, v in options.items()
        }
        model = source_options(adapter, texts, self.directory)
        known = [*Source.model_fields, *model.model_fields]
        return checked_as(self.document, model, options, ("source",), known)

    @cached_property
    def write(self) -> WriteOptions:
        """How the ranking is written back."""
        options = checked_as(
            self.document, self.adapter.WriteOptions, section_of(self.document, "write"), ("write",)
        )
        return options.for_review() if self.rest.purpose == "review" else options

    @cached_property
    def send(self) -> SendOptions:
        """Where people label a batch, and where their labels go."""
        section = section_of(self.document, "send")
        common = {k: v for k, v in section.items() if k in SendOptions.model_fields}
        name = checked_as(self.document, SendOptions, common, ("send",)).adapter
        target = _looked_up(self.document, ("send", "adapter"), get_target, name)
        options: SendOptions = checked_as(self.document, target.SendOptions, section, ("send",))
        return options


@refusals_told()
def load_outline(config: Path | str | Mapping[str, Any]) -> Outline:
    """Read a configuration, and check its top-level keys.

    Args:
        config: path of a YAML file, or its content as a mapping.

    Raises:
        NotFound: if the file doesn't exist.
        ConfigError: if it isn't YAML, or a top-level key is wrong.
    """
    document = _document(config)
    _remember_secrets(document.data)
    known = ["source", "write", "send", *SECTION_NAMES, *Rest.model_fields]
    for key in document.data:
        if key not in known:
            raise unknown_key(document, (key,), known)
    given = {k: v for k, v in document.data.items() if k in Rest.model_fields}
    rest = checked_as(document, Rest, given, ())
    return Outline(document, rest, document.path)


def _document(config: Path | str | Mapping[str, Any]) -> Document:
    if isinstance(config, Mapping):
        _refuse_loops(config)
        return Document(dict(config))
    if not isinstance(config, str | os.PathLike):
        raise ConfigError(
            f"config must be the path of a YAML file, or a mapping; got {type(config).__name__}.",
            hint="labelnext.rank ranks a pool." if type(config).__name__ == "Pool" else None,
        )
    return _parsed(Path(config))


def _parsed(path: Path) -> Document:
    """The document in a file; predictions in its place are called what they are."""
    try:
        return parse(path)
    except ConfigError as error:
        if path.exists() and path.suffix not in (".yaml", ".yml"):
            with suppress(LabelnextError):  # it is in no format of predictions
                held = f"it holds predictions ({recognised(path).name})"
                error.hint = f"{held}; {how('init', 'files', path)} writes a configuration."
        raise


def _refuse_loops(part: object, depth: int = 0, done: set[int] | None = None) -> None:
    """Refuse what YAML can't hold either: data within itself, or nested too deep.

    Raises:
        ConfigError: if there is some.
    """
    done = set() if done is None else done
    if not isinstance(part, Mapping | list | tuple) or id(part) in done:
        return
    if depth > DEEPEST:
        raise ConfigError(f"config must not hold itself, and be at most {DEEPEST} levels deep.")
    for inner in part.values() if isinstance(part, Mapping) else part:
        _refuse_loops(inner, depth + 1, done)
    done.add(id(part))


def _remember_secrets(data: object) -> None:
    """Remember the passwords and tokens that texts seem to hold, wherever they are."""
    waiting, seen = [data], set[int]()
    while waiting:
        part = waiting.pop()
        if isinstance(part, str):
            remember_secrets_in(part)
        elif isinstance(part, (Mapping, list, tuple)) and id(part) not in seen:
            seen.add(id(part))
            waiting += [*part.keys(), *part.values()] if isinstance(part, Mapping) else part


def section_of(document: Document, name: str) -> dict[str, Any]:
    """The keys of a section as they are written.

    Raises:
        ConfigError: if it isn't a mapping.
    """
    value = document.data.get(name)
    if meant(value) is None:
        return {}
    if not isinstance(value, dict):
        rule = f"must be a mapping of keys to values; got {shown(value)}."
        hint = hint_of_colons(value)
        if not hint and name in LEADING and isinstance(value, str) and PLAIN.fullmatch(value):
            hint = f"write {name}: {{{LEADING[name]}: {_meant_by(name, value)}}}."
        raise document.error((name,), rule, hint=hint)
    return value


def _meant_by(section: str, value: str) -> str:
    """What somebody means who writes a value in place of a section, spelt as it is known."""
    from labelnext.acquisition import acquisition_names
    from labelnext.selection import selection_names

    if value.lower() in _NONE:
        return "null"
    names = {"acquisition": acquisition_names, "selection": selection_names}
    known = names[section]() if section in names else []
    return next(iter(difflib.get_close_matches(value.lower(), known, n=1)), value)


def checked_as(
    document: Document,
    model: type[_Model],
    data: Mapping[str, Any],
    location: Location,
    known: list[str] | None = None,
) -> _Model:
    """The keys of a section as a model.

    Args:
        document: the configuration.
        model: the model.
        data: those keys of the section that are the model's.
        location: key path of the section.
        known: all keys that may stand there; None for those of the model.

    Raises:
        ConfigError: if a key or value is wrong; the message names the key, file and line.
    """
    try:
        return validated(model, data)
    except Refused as refused:
        inside = _as_written(document.at(location), refused.location)
        where = document.place(location, inside, absent=refused.missing)
        if refused.known is not None:
            nested = len(refused.location) > 1
            keys = refused.known if nested or known is None else known
            raise unknown_key(document, where, keys) from None
        raise document.error(where, refused.text, hint=refused.hint) from None


def _as_written(section: Any, inside: Location) -> Location:
    """The way to a key of `embeddings`, which may stand one level deeper: {from: {size: 224}}."""
    if len(inside) > 1 and inside[0] == "embeddings" and isinstance(section, Mapping):
        written = section.get("embeddings")
        deeper = written.get("from") if isinstance(written, Mapping) else None
        if isinstance(deeper, Mapping) and inside[1] in deeper:
            return ("embeddings", "from", *inside[1:])
    return inside


def _is_shared(key: str, value: Any) -> bool:
    """Whether a key of `source` means the same for all adapters.

    Embeddings to be made are a mapping; anything else is an adapter's own key, such as a field.
    """
    return key in Source.model_fields and (key != "embeddings" or isinstance(value, Mapping))


def _looked_up(document: Document, location: Location, get: Callable[[str], Any], name: str) -> Any:
    try:
        return get(name)
    except LabelnextError as error:
        message, hint = error.message.removeprefix(f"{location[-1]} "), error.hint
        if location == ("source", "adapter") and name in format_names():
            hint = f"{name} is a format of files: write adapter: files, format: {name}."
        raise document.error(location, message, hint=hint) from error

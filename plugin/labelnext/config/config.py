"""Load a configuration: YAML in, typed settings out; errors name the key, file and line."""

from __future__ import annotations

import difflib
import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel

from labelnext.adapter.formats import format_names, recognised
from labelnext.adapter.options import Options, SendOptions, WriteOptions
from labelnext.adapter.protocol import Adapter
from labelnext.adapter.registry import (
    adapter_names,
    get_adapter,
    get_target,
    open_adapter,
    source_options,
)
from labelnext.config.document import DEEPEST, Document, Location, parse
from labelnext.config.recipe import check_recipe, recipe_of, review_recipe, with_options
from labelnext.config.sections import (
    SECTIONS,
    Acquisition,
    Ray,
    Replay,
    ReportSettings,
    Rest,
    Review,
    Selection,
    Source,
    Watch,
)
from labelnext.config.unknown_keys import LEADING, PLAIN, unknown_key
from labelnext.errors import (
    ConfigError,
    LabelnextError,
    masked_data,
    remember_secrets_in,
    shown,
)
from labelnext.journal.plan import Progress
from labelnext.ranking.recipe import Recipe
from labelnext.selection.quotas import check_columns
from labelnext.support.models import Refused, validated
from labelnext.support.refused import refusals_told
from labelnext.support.started import how
from labelnext.support.written import hint_of_colons, meant

_Model = TypeVar("_Model", bound=BaseModel)


@dataclass(frozen=True)
class Config:
    """A checked configuration.

    Attributes:
        source: the keys of `source` that all adapters share.
        source_options: the adapter's own keys of `source`.
        write: how the ranking is written back.
        acquisition: how items are scored.
        selection: how the batch is chosen.
        send: where people label a batch, and where their labels go.
        report: the report settings.
        replay: how to replay active learning.
        review: how to review labels.
        watch: when to rank again, and what to run before.
        ray: how to connect to Ray.
        rest: the top-level keys.
        path: path of the file; None if the configuration came from a mapping.
        memory: what adapters keep from one run of the process to the next; None to keep nothing.
    """

    source: Source
    source_options: Options
    write: WriteOptions
    acquisition: Acquisition
    selection: Selection
    send: SendOptions
    report: ReportSettings
    replay: Replay
    review: Review
    watch: Watch
    ray: Ray
    rest: Rest
    path: Path | None = None
    memory: dict[str, Any] | None = None

    @property
    def directory(self) -> Path:
        """The folder that relative paths start from."""
        return Path() if self.path is None else self.path.parent

    @property
    def state(self) -> Path:
        """The folder of the journals."""
        return self.directory / self.rest.state.expanduser()

    @cached_property
    def recipe(self) -> Recipe:
        """How to score items and choose a batch; choices that depend on the data stay open."""
        if self.rest.purpose == "review":
            return review_recipe(self.acquisition, self.selection, self.review)
        return recipe_of(self.acquisition, self.selection, self.directory)

    def open_adapter(self, progress: Progress | None = None) -> Adapter:
        """The adapter of `source`, ready to read.

        Raises:
            MissingExtra: if its SDK is not installed.
        """
        options = self.source_options
        return open_adapter(
            self.source.adapter,
            write=self.write,
            directory=self.directory,
            key=self.source.key,
            progress=progress,
            memory=self.memory,
            metadata=self.source.metadata,
            state=self.state,
            **{name: getattr(options, name) for name in type(options).model_fields},
        )

    def _made(self) -> dict[str, Any]:
        """The embeddings to be made, whose key an adapter may have too."""
        made = self.source.embeddings
        return {} if made is None else {"embeddings": _dump(made)}

    def changed(self, *, budget: int | None = None, output: Path | None = None) -> Config:
        """A copy with the budget or ranking file from the command line.

        Raises:
            ConfigError: if `budget` is below 1.
        """
        config = self
        if budget is not None:
            if budget < 1:
                raise ConfigError(f"budget must be a whole number of at least 1; got {budget!r}.")
            selection = self.selection.model_copy(update={"budget": budget})
            config = replace(config, selection=selection)
        if output is not None:
            # Like any path in a shell: relative to the current folder, not the configuration's.
            remember_secrets_in(str(output))
            write = self.write.model_copy(update={"output": output.absolute()})
            config = replace(config, write=write)
        return config

    def to_dict(self) -> dict[str, Any]:
        """The configuration as JSON-able data, with secrets masked."""
        data: dict[str, Any] = {
            "source": {**_dump(self.source), **_dump(self.source_options), **self._made()},
            "acquisition": _dump(self.acquisition),
            "selection": _dump(self.selection),
            "write": _dump(self.write),
            "send": _dump(self.send),
            "report": _dump(self.report),
            "replay": _dump(self.replay),
            "review": _dump(self.review),
            "watch": _dump(self.watch),
            "ray": _dump(self.ray),
        }
        return data | _dump(self.rest)


@refusals_told()
def load_config(config: Path | str | Mapping[str, Any]) -> Config:
    """Read and check a configuration.

    Args:
        config: path of a YAML file, or its content as a mapping.

    Raises:
        NotFound: if the file doesn't exist.
        ConfigError: if the configuration is wrong; the message names the key, file and line.
    """
    if isinstance(config, Mapping):
        _refuse_loops(config)
        return _checked(Document(dict(config)))
    if not isinstance(config, str | os.PathLike):
        raise ConfigError(
            f"config must be the path of a YAML file, or a mapping; got {type(config).__name__}."
        )
    return _checked(_parsed(Path(config)))


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


def _checked(document: Document) -> Config:
    _remember_secrets(document.data)
    known = ["source", "write", "send", *SECTIONS, *Rest.model_fields]
    for key in document.data:
        if key not in known:
            raise unknown_key(document, (key,), known)
    sections: dict[str, Any] = {
        name: _validated(document, model, _section(document, name), (name,))
        for name, model in SECTIONS.items()
    }
    given = {k: v for k, v in document.data.items() if k in Rest.model_fields}
    rest = _validated(document, Rest, given, ())
    section = _section(document, "source")
    source, adapter = _source(document, section)
    if source.model is not None and rest.purpose == "label":
        sections["selection"] = sections["selection"].of_probe()
    sections["acquisition"], sections["selection"] = with_options(
        document, sections["acquisition"], sections["selection"]
    )
    write = _validated(document, adapter.WriteOptions, _section(document, "write"), ("write",))
    config = Config(
        source=source,
        source_options=_own_options(document, adapter, section),
        write=write.for_review() if rest.purpose == "review" else write,
        rest=rest,
        send=_send(document),
        path=document.path,
        **sections,
    )
    check_recipe(
        document,
        config.acquisition,
        config.selection,
        lambda: check_columns(config.recipe.constraints.quotas, source.metadata),
    )
    return config


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


def _source(document: Document, section: dict[str, Any]) -> tuple[Source, type[Adapter]]:
    """The keys of `source` that all adapters share, and the adapter."""
    if "adapter" not in section:
        near = difflib.get_close_matches("adapter", section, n=1)
        raise document.error(
            ("source",),
            f"must name its adapter, one of {', '.join(adapter_names())}.",
            hint=f"write adapter in place of {near[0]}." if near else None,
        )
    common = {k: v for k, v in section.items() if _is_shared(k, v)}
    source = _validated(document, Source, common, ("source",))
    return source, _looked_up(document, ("source", "adapter"), get_adapter, source.adapter)


def _is_shared(key: str, value: Any) -> bool:
    """Whether a key of `source` means the same for all adapters.

    Embeddings to be made are a mapping; anything else is an adapter's own key, such as a field.
    """
    return key in Source.model_fields and (key != "embeddings" or isinstance(value, Mapping))


def _own_options(document: Document, adapter: type[Adapter], section: Mapping[str, Any]) -> Options:
    directory = Path() if document.path is None else document.path.parent
    options = {k: v for k, v in section.items() if not _is_shared(k, v)}
    if "embeddings" in options and "embeddings" not in adapter.SourceOptions.model_fields:
        _validated(
            document,
            Source,
            {"adapter": adapter.name, "embeddings": options.pop("embeddings")},
            ("source",),
        )
    texts = {
        k: None if meant(v) is None else str(v) if isinstance(v, str) else v
        for k, v in options.items()
    }
    model = source_options(adapter, texts, directory)
    known = [*Source.model_fields, *model.model_fields]
    return _validated(document, model, options, ("source",), known)


def _send(document: Document) -> SendOptions:
    section = _section(document, "send")
    common = {k: v for k, v in section.items() if k in SendOptions.model_fields}
    name = _validated(document, SendOptions, common, ("send",)).adapter
    target = _looked_up(document, ("send", "adapter"), get_target, name)
    options: SendOptions = _validated(document, target.SendOptions, section, ("send",))
    return options


def _looked_up(document: Document, location: Location, get: Callable[[str], Any], name: str) -> Any:
    try:
        return get(name)
    except LabelnextError as error:
        message, hint = error.message.removeprefix(f"{location[-1]} "), error.hint
        if location == ("source", "adapter") and name in format_names():
            hint = f"{name} is a format of files: write adapter: files, format: {name}."
        raise document.error(location, message, hint=hint) from error


def _section(document: Document, name: str) -> dict[str, Any]:
    value = document.data.get(name)
    if meant(value) is None:
        return {}
    if not isinstance(value, dict):
        rule = f"must be a mapping of keys to values; got {shown(value)}."
        hint = hint_of_colons(value)
        if not hint and name in LEADING and isinstance(value, str) and PLAIN.fullmatch(value):
            hint = f"write {name}: {{{LEADING[name]}: {value}}}."
        raise document.error((name,), rule, hint=hint)
    return value


def _validated(
    document: Document,
    model: type[_Model],
    data: Mapping[str, Any],
    location: Location,
    known: list[str] | None = None,
) -> _Model:
    try:
        return validated(model, data)
    except Refused as refused:
        where = document.place(location, refused.location, absent=refused.missing)
        if refused.known is not None:
            nested = len(refused.location) > 1
            keys = refused.known if nested or known is None else known
            raise unknown_key(document, where, keys) from None
        raise document.error(where, refused.text, hint=refused.hint) from None


def _dump(model: BaseModel) -> dict[str, Any]:
    data: dict[str, Any] = model.model_dump(mode="json", fallback=repr)
    masks: dict[str, Any] = masked_data(data)
    return masks

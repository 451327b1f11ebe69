"""Load a configuration: YAML in, typed settings out; errors name the key, file and line."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, SecretStr, ValidationError

from labelnext.adapter.options import Options, SendOptions, WriteOptions
from labelnext.adapter.protocol import Adapter
from labelnext.adapter.registry import (
    adapter_names,
    get_adapter,
    get_target,
    open_adapter,
    source_options,
)
from labelnext.config.document import Document, Location, parse
from labelnext.config.recipe import check_recipe, recipe_of, review_recipe
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
)
from labelnext.errors import ConfigError, LabelnextError
from labelnext.journal.plan import Progress
from labelnext.ranking.recipe import Recipe

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
        ray: how to connect to Ray.
        rest: the top-level keys.
        path: path of the file; None if the configuration came from a mapping.
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
    ray: Ray
    rest: Rest
    path: Path | None = None

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
        own = self.source_options
        return open_adapter(
            self.source.adapter,
            write=self.write,
            directory=self.directory,
            key=self.source.key,
            progress=progress,
            **{name: getattr(own, name) for name in type(own).model_fields},
        )

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
            write = self.write.model_copy(update={"output": output.absolute()})
            config = replace(config, write=write)
        return config

    def to_dict(self) -> dict[str, Any]:
        """The configuration as JSON-able data, with secrets masked."""
        data: dict[str, Any] = {
            "source": {**_dump(self.source), **_dump(self.source_options)},
            "acquisition": _dump(self.acquisition),
            "selection": _dump(self.selection),
            "write": _dump(self.write),
            "send": _dump(self.send),
            "report": _dump(self.report),
            "replay": _dump(self.replay),
            "review": _dump(self.review),
            "ray": _dump(self.ray),
        }
        return data | _dump(self.rest)


def load_config(config: Path | str | Mapping[str, Any]) -> Config:
    """Read and check a configuration.

    Args:
        config: path of a YAML file, or its content as a mapping.

    Raises:
        NotFound: if the file doesn't exist.
        ConfigError: if the configuration is wrong; the message names the key, file and line.
    """
    if isinstance(config, Mapping):
        return _checked(Document(dict(config), {}, None))
    return _checked(parse(Path(config)))


def _checked(document: Document) -> Config:
    known = ["source", "write", "send", *SECTIONS, *Rest.model_fields]
    for key in document.data:
        if key not in known:
            raise _unknown_key(document, (key,), known)
    source = _section(document, "source")
    if "adapter" not in source:
        raise document.error(
            ("source",), f"must name its adapter, one of {', '.join(adapter_names())}."
        )
    try:
        adapter = get_adapter(source["adapter"])
    except LabelnextError as error:
        raise document.error(
            ("source", "adapter"), error.message.removeprefix("adapter "), hint=error.hint
        ) from error
    common = {k: v for k, v in source.items() if k in Source.model_fields}
    own = {k: v for k, v in source.items() if k not in Source.model_fields}
    sections = {
        name: _validated(document, model, _section(document, name), (name,))
        for name, model in SECTIONS.items()
    }
    given = {k: v for k, v in document.data.items() if k in Rest.model_fields}
    rest = _validated(document, Rest, given, ())
    write = _validated(document, adapter.WriteOptions, _section(document, "write"), ("write",))
    config = Config(
        source=_validated(document, Source, common, ("source",)),
        source_options=_own_options(document, adapter, own),
        write=write.for_review() if rest.purpose == "review" else write,
        rest=rest,
        send=_send(document),
        path=document.path,
        **sections,  # type: ignore[arg-type]  # by name, of the table above
    )
    check_recipe(document, config.acquisition, config.selection, lambda: config.recipe)
    return config


def _own_options(document: Document, adapter: type[Adapter], own: dict[str, Any]) -> Options:
    directory = Path() if document.path is None else document.path.parent
    model = source_options(adapter, own, directory)
    known = [*Source.model_fields, *model.model_fields]
    return _validated(document, model, own, ("source",), known)


def _send(document: Document) -> SendOptions:
    section = _section(document, "send")
    name = section.get("adapter", SendOptions().adapter)
    try:
        target = get_target(name)
    except LabelnextError as error:
        raise document.error(
            ("send", "adapter"), error.message.removeprefix("adapter "), hint=error.hint
        ) from error
    options: SendOptions = _validated(document, target.SendOptions, section, ("send",))
    return options


def _section(document: Document, name: str) -> dict[str, Any]:
    value = document.data.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise document.error((name,), f"must be a mapping of keys to values; got {value!r}.")
    return value


def _validated(
    document: Document,
    model: type[_Model],
    data: Mapping[str, Any],
    location: Location,
    known: list[str] | None = None,
) -> _Model:
    try:
        return model.model_validate(data)
    except ValidationError as error:
        problems = error.errors(include_url=False)
        problem = problems[0]
        absent = problem["type"] == "missing"
        where = document.place(location, problem["loc"], absent=absent)
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        if problem["type"] == "extra_forbidden":
            raise _unknown_key(document, where, known or [*model.model_fields]) from None
        if problem["type"] == "missing":
            raise document.error(where, f"must be given{more}.") from None
        cause = problem.get("ctx", {}).get("error")
        if isinstance(cause, LabelnextError):
            message = cause.message.partition(" must ")[2]
            raise document.error(where, f"must {message}{more}", hint=cause.hint) from None
        rule = problem["msg"].removeprefix("Value error, ")
        rule = rule.replace("Input should be", "must be", 1)
        secret = _is_secret(model, problem["loc"])
        value = "" if secret else f"; got {_masked(repr(document.shown(where)))}"
        raise document.error(where, f"{rule}{value}{more}.") from None


def _unknown_key(document: Document, location: Location, known: list[str]) -> ConfigError:
    near = difflib.get_close_matches(str(location[-1]), known, n=1)
    hint = f"did you mean {near[0]}?" if near else f"known keys: {', '.join(sorted(known))}."
    return document.error(location, "is not a known key.", hint=hint)


def _is_secret(model: type[BaseModel], location: Location) -> bool:
    field = model.model_fields.get(str(location[0])) if location else None
    if field is None:
        return False
    return field.annotation is SecretStr or SecretStr in get_args(field.annotation)


def _dump(model: BaseModel) -> dict[str, Any]:
    data: dict[str, Any] = model.model_dump(mode="json", fallback=repr)
    return {k: _masked(v) if isinstance(v, str) else v for k, v in data.items()}


def _masked(text: str) -> str:
    """The text with the user and password of any URL masked."""
    return re.sub(r"//[^/@\s]*@", "//***@", text)

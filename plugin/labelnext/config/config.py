"""YAML to typed settings: ``${ENV}``, unknown keys refused, errors with key path, file and line."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args

from pydantic import BaseModel, Field, SecretStr, ValidationError, field_validator

from labelnext.acquisition import AUTO, Unit, acquisition_names, get_acquisition
from labelnext.acquisition.objects import NoObjects, Reduction
from labelnext.adapter.protocol import (
    Adapter,
    Options,
    SendOptions,
    WriteOptions,
    adapter_names,
    get_adapter,
    open_adapter,
    source_options,
)
from labelnext.config.document import Document, Location, parse
from labelnext.config.recipe import check_recipe, recipe_of, review_recipe
from labelnext.errors import ConfigError, LabelnextError
from labelnext.journal.journal import Progress
from labelnext.quality.reviews import LabelScore
from labelnext.ranking.recipe import Purpose, Recipe
from labelnext.ranking.strategy import Strategy
from labelnext.selection import get_selection, selection_names
from labelnext.support.plugins import offers
from labelnext.targets import get_target

_Model = TypeVar("_Model", bound=BaseModel)


class Predictions(Options):
    """A side file whose probabilities or objects replace those of the platform."""

    file: Path
    """In any format of the files adapter."""
    key: str = "item_id"
    """The column that holds the ids of the items."""


class Source(Options):
    """Where the items come from; the adapter's own keys stand beside these."""

    adapter: str
    """Name of the adapter."""
    key: str | None = None
    """What an item's id is: a data key or field; the platform's own id when null."""
    predictions: Predictions | None = None
    """A side file with predictions: {file: …, key: the column that holds the ids}."""


class Acquisition(Options):
    """How items are scored."""

    name: str | None = Field(AUTO, json_schema_extra=offers(lambda: [AUTO, *acquisition_names()]))
    """The acquisition function (labelnext acquisitions); null where selection needs no score;
    auto: the margin of items, or the weighted sum of the entropies of objects."""
    of: Unit = "items"
    """What is scored: items by their class probabilities, or objects, then reduced."""
    reduce: Reduction | None = None
    """How the scores of an item's objects become one: mean, max, min, sum, mean_top_k or
    weighted_sum, the sum with a weight for each class; null: mean, if auto does not choose."""
    floor: float | None = Field(None, ge=0, le=1)
    """Objects with a lower confidence do not count; null: 0, if auto does not choose."""
    no_objects: NoObjects | None = None
    """Where items come in which nothing was detected: first, last, or quota: a tenth of every
    batch; null: first, if auto does not choose."""
    calibrate: Literal["off", "auto"] = "off"
    """auto: scale probabilities by a temperature fitted on labelled items, where that helps."""
    options: dict[str, Any] = Field(default_factory=dict)
    """Further options of the function, such as base of entropy or class_weights of objects."""

    @field_validator("name")
    @classmethod
    def _known(cls, name: str | None) -> str | None:
        return name if name in (None, AUTO) else get_acquisition(name).name

    @field_validator("calibrate", mode="before")
    @classmethod
    def _off(cls, value: object) -> object:
        return "off" if value is False else value  # YAML reads a bare off as false


class Selection(Options):
    """How the batch is chosen."""

    method: str = Field("top_k", json_schema_extra=offers(selection_names))
    """The selection method (labelnext selections)."""
    budget: int | None = Field(100, ge=1)
    """Size of the batch; the whole pool when null."""
    seed: int = Field(0, ge=0)
    """Of the method; the same seed gives the same batch."""
    options: dict[str, Any] = Field(default_factory=dict)
    """Further options of the method, such as n_clusters of image_diversity."""

    @field_validator("method")
    @classmethod
    def _known(cls, name: str) -> str:
        return get_selection(name).name


class ReportSettings(Options):
    """The report."""

    path: Path | None = Path("labelnext-report.html")
    """The HTML page; none when null."""


_STRATEGIES = ("least_confidence", "margin", "entropy", "variance", "image_diversity")


class Replay(Options):
    """The replay of active learning on the labelled items (labelnext replay)."""

    strategies: list[str] = Field(default_factory=lambda: list(_STRATEGIES))
    """What to compare with random: acquisition functions, selection methods, or margin/k_center."""
    by: Literal["auto", "embeddings", "predictions"] = "auto"
    """embeddings: models are trained on them; predictions: stored rankings are compared with the
    labels and with the next model version; auto: the first where there are embeddings."""
    model: str = "sklearn.linear_model.LogisticRegression"
    """Import path of a scikit-learn classifier, trained on the standardised embeddings."""
    model_options: dict[str, Any] = Field(default_factory=lambda: {"max_iter": 1000})
    """Of the classifier's constructor."""
    initial: int = Field(20, ge=2)
    """Labels at the start, chosen at random."""
    batch: int = Field(20, ge=1)
    """Labels of each round."""
    rounds: int = Field(10, ge=1)
    """Rounds after the start."""
    seeds: int = Field(20, ge=2)
    """Starts, the same for every strategy; below 20 the figures are luck."""
    test_size: float = Field(0.4, gt=0, lt=1)
    """Share of the labelled items on which accuracy is measured."""
    workers: int | None = Field(None, ge=1)
    """Processes; one for each processor when null. The figures do not depend on it."""
    path: Path | None = Path("labelnext-replay.html")
    """The HTML page; none when null."""

    @field_validator("strategies")
    @classmethod
    def _known(cls, strategies: list[str]) -> list[str]:
        return [Strategy.parse(text).name for text in strategies]


class Review(Options):
    """The review of labels (purpose: review)."""

    score: LabelScore = "auto"
    """How the doubt in a class is measured: self_confidence, normalized_margin or
    confidence_weighted_entropy; auto is the first, or ActiveLab where several people labelled."""


class Ray(Options):
    """How Ray is reached, with engine: ray."""

    address: str | None = None
    """Of a cluster, such as ray://head:10001, or auto; null starts Ray on this machine."""


class Rest(Options):
    """The other keys."""

    state: Path = Path(".labelnext")
    """Folder of the journals, one a run, beside this file; undo and resume need it."""
    engine: Literal["local", "ray"] = "local"
    """Where a pool of many files is scored: on this machine, or by Ray."""
    purpose: Purpose = "label"
    """What the ranking is for: label ranks what has no label; review ranks the labels that there
    are, the most doubtful first, and needs labelnext[review]."""


SECTIONS: dict[str, type[BaseModel]] = {
    "acquisition": Acquisition,
    "selection": Selection,
    "report": ReportSettings,
    "replay": Replay,
    "review": Review,
    "ray": Ray,
}


@dataclass(frozen=True)
class Config:
    """A checked configuration.

    Attributes:
        source: the keys of `source` that every adapter shares.
        source_options: the adapter's own keys of `source`.
        write: the keys of `write`.
        acquisition: how items are scored.
        selection: how the batch is chosen.
        send: where people label a batch, and where their labels go.
        report: the report.
        replay: how active learning is replayed.
        review: how labels are reviewed.
        ray: how Ray is reached.
        rest: the keys without a section.
        path: of the file; None when it came from a mapping.
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
        """The folder in which relative paths begin."""
        return Path() if self.path is None else self.path.parent

    @property
    def state(self) -> Path:
        """The folder of the journals."""
        return self.directory / self.rest.state.expanduser()

    @cached_property
    def recipe(self) -> Recipe:
        """How items are scored and a batch chosen; what depends on the data is still open."""
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
        """A copy with another budget or ranking file, as given on the command line.

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
            # As the shell means it: from the current folder, not from that of the configuration.
            write = self.write.model_copy(update={"output": output.absolute()})
            config = replace(config, write=write)
        return config

    def to_dict(self) -> dict[str, Any]:
        """As JSON-able data, with secrets masked."""
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
        NotFound: if there is no such file.
        ConfigError: for anything wrong in it, with the key path, the file and the line.
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
    """A text without the user and password of a URL."""
    return re.sub(r"//[^/@\s]*@", "//***@", text)

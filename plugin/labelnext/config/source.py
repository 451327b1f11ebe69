"""The keys that say where items come from and where journals are, as typed settings."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import (
    BeforeValidator,
    Field,
    StrictBool,
    WrapValidator,
    create_model,
    field_validator,
    model_validator,
)

from labelnext.adapter.options import Options
from labelnext.errors import ConfigError, shown, unknown
from labelnext.probes.choice import Choice
from labelnext.support.classifiers import Keys
from labelnext.support.kinds import Misfit, fit
from labelnext.support.store import is_url


def _on_this_machine(value: Any) -> Any:
    if isinstance(value, str) and is_url(value):
        raise ValueError("must be a path on this machine")
    return value


HerePath = Annotated[Path, BeforeValidator(_on_this_machine)]


class Predictions(Options):
    """A side file whose probabilities or objects replace the platform's own."""

    file: Path
    """Path of the file, in any format that the files adapter reads."""
    key: str = "item_id"
    """Column that holds the items' ids."""


class Probe(Options):
    """A classifier on the embeddings, which learns from the labels so far."""

    probe: str = "logistic"
    """logistic, nearest, regression (of numbers), or the import path of a classifier with
    scikit-learn's methods."""
    options: dict[str, Any] = Field(default_factory=dict)
    """Options of the classifier's constructor, such as {C: 0.1} for logistic."""
    allow_import: StrictBool = False
    """Let probe be a class of any module: importing a module runs its code. Otherwise it must be
    one of scikit-learn, XGBoost, LightGBM or CatBoost."""

    @property
    def choice(self) -> Choice:
        """The classifier."""
        return Choice(self.probe, self.options, self.allow_import, PROBE_KEYS)

    @model_validator(mode="after")
    def _known(self) -> Self:
        self.choice.check()
        return self


PROBE_KEYS = Keys("source.model.probe", "source.model.options", "source.model.allow_import")


def _probe_kinds(schema: dict[str, Any]) -> None:
    schema["anyOf"] = [{"const": "probe"}, Probe.model_json_schema(), {"type": "null"}]


class _OfOnnx(Options):
    onnx: Path | None = None
    """File of a model in ONNX format that takes an image; its first output is the embedding."""
    size: int = Field(224, ge=1, le=4096)
    """For a model: the side of the square that it takes, in pixels."""
    mean: list[float] = Field(default_factory=lambda: [0.485, 0.456, 0.406])
    """For a model: what is subtracted from red, green and blue in [0, 1]."""
    std: list[float] = Field(default_factory=lambda: [0.229, 0.224, 0.225])
    """For a model: by what they are divided then."""

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if (self.kind == "onnx") != (self.onnx is not None):
            raise ValueError("must name a file as onnx, or be from text or images")
        if len(self.mean) != 3 or len(self.std) != 3 or 0 in self.std:
            raise ValueError("must have three numbers each for mean and std, and none of std 0")
        return self

    @property
    def kind(self) -> str:
        """What embeddings are made of: text, images or onnx."""
        return str(getattr(self, "from"))


if TYPE_CHECKING:
    Embeddings = _OfOnnx
else:  # `from` is a word of Python, which no class body can name
    _FROM = "What to make them of: text, images, or onnx, a model of images."
    Embeddings = create_model(
        "Embeddings",
        __base__=_OfOnnx,
        **{"from": (Literal["text", "images", "onnx"], Field(description=_FROM))},
    )


def _of_kind(value: Any, check: Callable[[Any], Any]) -> Any:
    """Takes {from: {onnx: …, size: …}} as {from: onnx, onnx: …, size: …}."""
    if not isinstance(value, Mapping) or ("onnx" in value and "from" not in value):
        if value is not None and not isinstance(value, _OfOnnx):
            raise ValueError("must be a mapping such as {from: text} or {from: {onnx: model.onnx}}")
        return check(value)
    inner = value.get("from")
    for key in inner if isinstance(inner, Mapping) else ():
        if key not in _OfOnnx.model_fields:
            raise unknown("a key of from", str(key), _OfOnnx.model_fields)
    rest = {k: v for k, v in value.items() if k != "from"}
    whole = {**rest, "from": "onnx", **inner} if isinstance(inner, Mapping) else value
    try:
        fit(whole.get("onnx"), Path | None)
    except Misfit as misfit:
        message = f"embeddings must have as onnx {misfit.rule}; got {shown(misfit.value)}."
        raise ConfigError(message, hint=misfit.hint) from None
    return check(whole)


def _of_name(value: Any, check: Callable[[Any], Any]) -> Any:
    if value == "probe":
        return Probe()
    if value is not None and not isinstance(value, Mapping | Probe):
        raise ValueError("must be probe, or a mapping such as {probe: nearest}")
    return check(value)


class Source(Options):
    """Where the items come from; each adapter adds its own keys."""

    adapter: str
    """Name of the adapter (labelnext adapters)."""
    key: str | None = None
    """Data key or field that holds an item's id; null: the platform's own id."""
    metadata: list[str] = Field(default_factory=list)
    """Further columns to read, such as [city, weather], by which quotas can go: columns of a table,
    keys of JSON records or of Label Studio's tasks, fields of FiftyOne's samples."""
    predictions: Predictions | None = None
    """Side file with predictions: {file: predictions.parquet, key: item_id}."""
    model: Annotated[Probe | None, WrapValidator(_of_name)] = Field(
        None, json_schema_extra=_probe_kinds
    )
    """probe: predict with a classifier that learns from the embeddings and the labels so far; more
    is said as {probe: nearest, options: {n_neighbors: 5}}. null: use stored predictions."""

    embeddings: Annotated[Embeddings | None, WrapValidator(_of_kind)] = None
    """Embeddings that labelnext makes itself and keeps in the state folder: {from: text}, {from:
    images}, or {from: {onnx: model.onnx, size: 224}}, a model of images on this machine (needs
    labelnext[onnx])."""

    @field_validator("metadata")
    @classmethod
    def _named(cls, metadata: list[str]) -> list[str]:
        from labelnext.pool.texts import KINDS

        if len({*metadata}) < len(metadata) or not all(metadata) or {*metadata} & {*KINDS}:
            raise ValueError(f"must be different names, none of them {' or '.join(KINDS)}")
        return metadata

    @property
    def probe(self) -> Choice | None:
        """The classifier of `model`; None without one."""
        return None if self.model is None else self.model.choice


class Rest(Options):
    """The top-level keys."""

    state: HerePath = Path(".labelnext")
    """Folder for the journals, one per run; undo and resume need it."""
    engine: Literal["local", "ray"] = "local"
    """Where to score a pool of many files: on this machine (local), or with Ray."""
    purpose: Literal["label", "review"] = "label"
    """label: rank unlabelled items; review: rank existing labels, most doubtful first (needs
    labelnext[review])."""

"""The keys that say where items come from and where journals are, as typed settings."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BeforeValidator,
    Field,
    StrictBool,
    WrapValidator,
    field_validator,
    model_validator,
)

from labelnext.adapter.options import Options
from labelnext.config.embeddings import Embeddings, of_kind
from labelnext.probes.choice import Choice
from labelnext.support.classifiers import Keys
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
    """Further columns to read for quotas, such as [city, weather]: columns of a table, keys of JSON
    records or of Label Studio's tasks, fields of FiftyOne's samples."""
    predictions: Predictions | None = None
    """Side file with predictions: {file: predictions.parquet, key: item_id}."""
    model: Annotated[Probe | None, WrapValidator(_of_name)] = Field(
        None, json_schema_extra=_probe_kinds
    )
    """probe: predict with a classifier that learns from the embeddings and the labels so far; more
    is said as {probe: nearest, options: {n_neighbors: 5}}. null: use stored predictions."""

    embeddings: Annotated[Embeddings | None, WrapValidator(of_kind)] = None
    """Embeddings that labelnext makes itself and keeps in the state folder: {from: text}, {from:
    images}, {from: {onnx: model.onnx, size: 224}}, a model of images on this machine (needs
    labelnext[onnx]), or {from: {sentence-transformers: all-MiniLM-L6-v2}}: likewise model2vec and
    fastembed for texts, timm and open_clip for images, where these packages and the model are."""

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
    threads: int | None = Field(None, ge=1)
    """Maximum number of computing threads; null: all cores that this process may use."""
    purpose: Literal["label", "review"] = "label"
    """label: rank unlabelled items; review: rank existing labels, most doubtful first (needs
    labelnext[review])."""

"""The sections of the configuration as typed settings."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, Field, field_validator

from labelnext.acquisition import AUTO, Unit, acquisition_names, get_acquisition
from labelnext.acquisition.objects import NoObjects, Reduction
from labelnext.adapter.options import Options
from labelnext.quality.reviews import LabelScore
from labelnext.ranking.recipe import Purpose
from labelnext.ranking.strategy import Strategy
from labelnext.selection import get_selection, selection_names
from labelnext.support.plugins import offers

_STRATEGIES = ("least_confidence", "margin", "entropy", "variance", "image_diversity")


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

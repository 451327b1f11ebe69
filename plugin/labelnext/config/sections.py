"""The sections of the configuration as typed settings."""

from __future__ import annotations

import re
import shlex
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, Field, StrictBool, ValidationInfo, field_validator

from labelnext.acquisition import AUTO, Unit, acquisition_names, get_acquisition
from labelnext.acquisition.objects import NoObjects, Reduction
from labelnext.adapter.options import Options
from labelnext.config.outline import SECTION_NAMES
from labelnext.config.source import HerePath
from labelnext.quality.reviews import LabelScore
from labelnext.ranking.strategy import Strategy
from labelnext.selection import get_selection, selection_names
from labelnext.support.annotations import Later
from labelnext.support.files import PAGE_ENDINGS
from labelnext.support.plugins import offers
from labelnext.support.store import host_and_port

# What only a shell acts on: variables, also in double quotes, and outside of quotation marks what
# stands between commands and before files.
_LITERAL = re.compile(r"'[^']*'|\\.")
_QUOTED = re.compile(_LITERAL.pattern + r'|"[^"]*"')
_VARIABLE = re.compile(r"\$\{?[A-Za-z_]\w*\}?")
_BETWEEN = re.compile(r"(?<!\S)(?:&&?|\|\|?|\d?>>?(?!=)\S*|<)(?!\S)|;(?!\S)")

_STRATEGIES = ("least_confidence", "margin", "entropy", "variance", "image_diversity")


class Acquisition(Options):
    """How items are scored."""

    name: str | None = Field(AUTO, json_schema_extra=offers(lambda: [AUTO, *acquisition_names()]))
    """The acquisition function (labelnext acquisitions); auto: margin for class probabilities,
    least_confidence for one confidence per item, entropy for objects and independent classes, bald
    or committee_certainty for several model versions; null if the selection method needs no
    score."""
    of: Unit | None = None
    """What to score: items (by their class probabilities), or objects (then reduced); null: items
    if they have probabilities, else objects."""
    reduce: Reduction | None = None
    """How an item's object scores become one: mean, max, min, sum, mean_top_k or weighted_sum (a
    sum with class weights); null: auto's choice, or mean if you name a function."""
    floor: float | None = Field(None, ge=0, le=1)
    """Ignore objects with a lower confidence; null: auto's choice, or 0 if you name a function."""
    no_objects: NoObjects | None = None
    """Where items without detections go: first, last, or quota (a tenth of every batch); null:
    auto's choice, or first if you name a function."""
    calibrate: Literal["off", "auto"] = "off"
    """auto: scale probabilities by a temperature fitted on labelled items, if it helps."""
    options: dict[str, Later] = Field(default_factory=dict)
    """More options, such as {base: 2} for entropy or {class_weights: difficulty} for
    weighted_sum."""

    @field_validator("name")
    @classmethod
    def _known(cls, name: str | None) -> str | None:
        return name if name in (None, AUTO) else get_acquisition(name).name


class Selection(Options):
    """How the batch is chosen."""

    method: str = Field("top_k", json_schema_extra=offers(selection_names))
    """The selection method (labelnext selections); with source.model, auto unless you name one."""
    budget: int | None = Field(100, ge=1)
    """Size of the batch; null: the whole pool."""
    seed: int = Field(0, ge=0)
    """Random seed; the same seed gives the same batch."""
    options: dict[str, Later] = Field(default_factory=dict)
    """More options, such as {n_clusters: 10} for image_diversity."""

    @field_validator("method")
    @classmethod
    def _known(cls, name: str) -> str:
        return get_selection(name).name

    def of_probe(self) -> Selection:
        """A copy whose method is auto, unless one was named: it can start without predictions."""
        if "method" in self.model_fields_set:
            return self
        return self.model_copy(update={"method": AUTO})


class ReportSettings(Options):
    """The report of a run."""

    path: HerePath | None = Path("labelnext-report.html")
    """The HTML page; null: none."""
    thumbnails: int = Field(50, ge=0, le=1000)
    """How many of the next items the page shows with their picture or text; 0: none."""
    map: Literal["pca", "umap"] = "pca"
    """How the page's map places items by their embeddings: pca (two main axes), or umap, which
    takes longer and needs the package umap-learn."""

    @field_validator("map")
    @classmethod
    def _check_map(cls, kind: str) -> str:
        if kind == "umap" and find_spec("umap") is None:
            raise ValueError("must be pca until umap-learn is installed (pip install umap-learn)")
        return kind


class Replay(Options):
    """A replay of active learning on your labelled items (labelnext replay)."""

    strategies: list[str] = Field(default_factory=lambda: list(_STRATEGIES))
    """What to compare with random: acquisition functions, selection methods, or pairs such as
    margin/k_center."""
    by: Literal["auto", "embeddings", "predictions"] = "auto"
    """embeddings: train models; predictions: compare stored rankings with labels and later model
    versions; auto: embeddings if there are any."""
    model: str = "sklearn.linear_model.LogisticRegression"
    """Import path of a classifier with scikit-learn's methods, trained on the standardised
    embeddings."""
    model_options: dict[str, Any] = Field(default_factory=lambda: {"max_iter": 1000})
    """Options of the classifier's constructor."""
    allow_import: StrictBool = False
    """Let model be a class of any module: importing a module runs its code. Otherwise it must be
    one of scikit-learn, XGBoost, LightGBM or CatBoost."""
    initial: int = Field(20, ge=2)
    """Labels at the start, chosen at random."""
    batch: int = Field(20, ge=1)
    """Labels per round."""
    rounds: int = Field(10, ge=1)
    """Rounds after the start."""
    seeds: int = Field(20, ge=2, le=1_000_000)
    """Random starts, the same for every strategy; with fewer than 20, the figures are luck."""
    test_size: float = Field(0.4, gt=0, lt=1)
    """Share of the labelled items held out to measure accuracy."""
    workers: int | None = Field(None, ge=1)
    """Number of processes; null: one per processor. It doesn't change the figures."""
    path: HerePath | None = Path("labelnext-replay.html")
    """The HTML page; null: none."""

    @field_validator("strategies")
    @classmethod
    def _known(cls, strategies: list[str]) -> list[str]:
        return [Strategy.parse(text).name for text in strategies]


class Review(Options):
    """A review of your labels (purpose: review)."""

    score: LabelScore = "auto"
    """How to measure doubt in a label: self_confidence, normalized_margin or
    confidence_weighted_entropy; auto: the first, or ActiveLab if several people labelled."""


class Watch(Options):
    """The loop that ranks again as labels come in (labelnext watch)."""

    labels: int = Field(20, ge=1)
    """Rank again after this many new labels."""
    minutes: float | None = Field(None, gt=0)
    """Also rank again after this many minutes, if anything was labelled since; null: never."""
    command: str | list[str] | None = None
    """Your command that trains and predicts before each ranking, such as python train.py; it runs
    in the configuration's folder, without a shell. null: none."""
    shell: StrictBool = Field(False, validate_default=True)
    """Run the command by the shell, for pipes and variables."""
    timeout: float | None = Field(60, gt=0)
    """Minutes after which the command is ended; null: never."""
    predictions: HerePath | None = None
    """File or folder where the command puts its predictions; null: a .parquet file in the state
    folder, or source.predictions.file."""
    version: str = Field("round-{round}", min_length=1)
    """Name of the model version (Label Studio) or field (FiftyOne) for the predictions of a
    round."""

    listen: str | None = None
    """label-studio: host and port where watch takes the server's webhooks, so that it looks at
    once, and shows its figures at /metrics; such as 127.0.0.1:8765. null: it only polls."""
    callback: str | None = None
    """Address under which the server reaches `listen`; null: http://<listen>."""
    page: HerePath | None = None
    """Page of labelnext status --html that watch writes after each ranking; an open page reloads
    every minute. null: none."""

    @field_validator("page")
    @classmethod
    def _check_page(cls, page: Path | None) -> Path | None:
        if page is not None and page.suffix.lower() not in PAGE_ENDINGS:
            raise ValueError("must be a path that ends in .html")
        return page

    @field_validator("listen")
    @classmethod
    def _check_listen(cls, listen: str | None) -> str | None:
        where = None if listen is None else host_and_port(listen)
        if listen is not None and (where is None or not where[1]):
            raise ValueError("must be a host and a port from 1 to 65535, such as 127.0.0.1:8765")
        return listen

    @field_validator("callback")
    @classmethod
    def _check_callback(cls, callback: str | None, info: ValidationInfo) -> str | None:
        if callback is not None and not re.match(r"https?://[^\s/?#]+", callback):
            raise ValueError("must be an address that begins with http:// or https://")
        if callback is not None and info.data.get("listen") is None:
            raise ValueError("must be left out without listen")
        return callback

    @field_validator("command")
    @classmethod
    def _check_command(cls, command: str | list[str] | None) -> str | list[str] | None:
        if command is None:
            return None
        try:
            words = shlex.split(command) if isinstance(command, str) else command
        except ValueError as error:
            raise ValueError("must have a second quotation mark for each first") from error
        if not words or not words[0]:
            raise ValueError("must name a program")
        return command

    @field_validator("shell")
    @classmethod
    def _check_shell(cls, shell: bool, info: ValidationInfo) -> bool:
        command = info.data.get("command")
        if shell or not isinstance(command, str):
            return shell
        variable = _VARIABLE.search(_LITERAL.sub("", command))
        if found := variable or _BETWEEN.search(_QUOTED.sub("_", command)):
            raise ValueError(f"must be true where the command has {found[0]!r}")
        return shell

    @field_validator("version")
    @classmethod
    def _check_version(cls, version: str) -> str:
        if re.search(r"[{}]", version.replace("{round}", "")):
            raise ValueError("must be a name, with {round} for the round's number")
        return version


class Ray(Options):
    """How to connect to Ray (engine: ray)."""

    address: str | None = None
    """Address of a cluster, such as ray://head:10001, or auto; null: start Ray on this machine."""


_MODELS = (Acquisition, Selection, ReportSettings, Replay, Review, Watch, Ray)
SECTIONS: dict[str, type[BaseModel]] = dict(zip(SECTION_NAMES, _MODELS, strict=True))

"""Report: what a run read, chose and wrote, as text, JSON and one self-contained HTML page."""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from labelnext.errors import masked, masked_data, without_secrets
from labelnext.pool.objects import Notice
from labelnext.ranking.ranking import Ranking
from labelnext.report.cards import Card
from labelnext.report.pool_map import PoolMap
from labelnext.support.words import counted, done


@dataclass(frozen=True, eq=False)
class Report:
    """What a run found and did.

    Attributes:
        run: name of the run.
        run_id: id of the run's journal; None if nothing was written.
        created: time, ISO 8601, UTC.
        adapter: name of the adapter.
        target: where the run wrote, in words.
        dry_run: whether this was a dry run, which writes nothing.
        counts: items, predicted, missing, labelled, unscored, ranked, batch; for detections also
            items without objects, and items whose objects are all below the floor.
        ids: ids of the missing and unscored items.
        notices: what was adjusted, left out or looks wrong.
        scores: distribution of the scores: edges, pool and batch counts; None without scores.
        classes: predictions per class in the pool and in the batch; None without any.
        objects_per_item: mean number of objects that reach the floor, in the pool and in the
            batch; None without objects.
        next_items: the next items, with rank, priority, score and reason.
        steps: what was written, or would be.
        stays: what an undo can't remove.
        next_steps: what to do now.
        undo: the command that undoes the run.
        config: the configuration without secrets.
        versions: versions of the packages.
        calibration: each model version's confidence compared with its accuracy, as in
            `labelnext.quality.reliability.Trust`; empty without labelled items that have
            predictions.
        seed: seed of the selection.
        input_hash: SHA-256 of the items that were read, independent of their order.
        seconds: duration of each stage, in seconds.
        recipe: how the ranking was made, as in `labelnext.ranking.recipe.Recipe`.
        ranking: the ranking itself; not part of the JSON.
        cards: the next items as the page shows them; not part of the JSON.
        pool_map: where the items lie by their embeddings, if there are any; not part of the JSON.
        address: where people begin to label; None if there is no address.
        path: path of the HTML page, if it was written.
        output: path of the ranking file, if one was written.
    """

    run: str
    run_id: str | None
    created: str
    adapter: str
    target: str
    dry_run: bool
    counts: Mapping[str, int]
    ids: Mapping[str, Sequence[str]]
    notices: Sequence[Notice]
    scores: Mapping[str, Any] | None
    classes: Sequence[Mapping[str, Any]] | None
    objects_per_item: Mapping[str, float] | None
    next_items: Sequence[Mapping[str, Any]]
    steps: Sequence[str]
    stays: Sequence[str]
    next_steps: Sequence[str]
    undo: str
    config: Mapping[str, Any]
    versions: Mapping[str, str]
    calibration: Sequence[Mapping[str, Any]]
    seed: int
    input_hash: str
    seconds: Mapping[str, float]
    recipe: Mapping[str, Any] | None
    ranking: Ranking = field(repr=False)
    cards: Sequence[Card] = field(default=(), repr=False)
    pool_map: PoolMap | None = field(default=None, repr=False)
    address: str | None = None
    path: Path | None = None
    output: Path | None = None

    @property
    def reservation(self) -> str:
        """What makes figures that compare predictions with labels too good; empty for nothing."""
        doubts = [notice for notice in self.notices if notice.code in _TOO_GOOD]
        n_items = len({item for notice in doubts for item in notice.item_ids})
        if not n_items:
            return ""
        return f"{counted(n_items, 'label')} came before their prediction, or from it"

    @property
    def out_of_fold(self) -> bool:
        """Whether a probe predicted each labelled item without its label."""
        return any(notice.code == "probe" for notice in self.notices)

    @property
    def nothing_ranked(self) -> str:
        """Why nothing was ranked although something was to be; empty otherwise."""
        review = self.ranking.purpose == "review"
        n = self.counts["labelled" if review else "unscored"]
        if self.counts["ranked"] or not n:
            return ""
        what = counted(n, "labelled item" if review else "item")
        recipe = self.ranking.recipe
        by_vectors = not review and recipe is not None and "embeddings" in recipe.method.inputs
        usable = "usable prediction" + (" or embedding" if by_vectors else "")
        return f"nothing was ranked: {what} {'has' if n == 1 else 'have'} no {usable}."

    @property
    def why_nothing(self) -> str:
        """Why no item is next, where none is."""
        if self.ranking.purpose == "review":
            return "no labelled item has a prediction"
        if self.nothing_ranked:
            return "no item that isn't labelled can be scored"
        if not self.counts["items"]:
            return "there are no items"
        if self.counts["ranked"]:
            return "no item fits into the budget and the other limits on the batch"
        every = self.counts["labelled"] == self.counts["items"]
        return "every item is labelled" + ("" if every else " or left out")

    def to_dict(self) -> dict[str, Any]:
        """The report as JSON-able data; `batch` holds the whole batch."""
        data = {f.name: getattr(self, f.name) for f in fields(self) if f.name not in _NOT_JSON}
        data["notices"] = [vars(notice) for notice in self.notices]
        data["path"] = None if self.path is None else str(self.path)
        data["output"] = None if self.output is None else str(self.output)
        data["batch"] = self.ranking.to_rows()
        for name in ("target", "steps", "stays", "next_steps", "undo", "path", "output"):
            data[name] = masked_data(data[name])
        return data

    def to_json(self) -> str:
        """The report as JSON text."""
        text = json.dumps(self.to_dict(), indent=2, ensure_ascii=False, default=str)
        return without_secrets(text)

    def to_text(self) -> str:
        """The report in a few lines, for a terminal or a log."""
        lines = [f"labelnext {self.run}: {self.target}", counts_line(self.counts)]
        if self.address is not None:
            lines.insert(0, f"label at: {self.address}")
        if self.objects_line:
            lines.append(self.objects_line)
        lines += self.calibration_lines()
        lines += [f"warning: {notice.message}" for notice in self.notices]
        lines += [f"would: {step}" if self.dry_run else done(step) for step in self.steps]
        lines += [f"next: {step}" for step in self.next_steps]
        if self.path is not None:
            lines.append(f"report: {self.path}")
        return masked("\n".join(lines))

    __str__ = to_text

    @property
    def names_versions(self) -> bool:
        """Whether the measured model versions need names: not a single one without a name."""
        return [found["name"] for found in self.calibration] != ["1"]

    @property
    def objects_line(self) -> str:
        """How many objects an item has, in the pool and in the batch; empty without objects."""
        if self.objects_per_item is None:
            return ""
        floor = (self.recipe or {}).get("floor")
        which = f", of those with a confidence of at least {floor:g}" if floor else ""
        means = (f"{mean:.2f} in the {part}" for part, mean in self.objects_per_item.items())
        return f"objects per item: {', '.join(means)}{which}"

    def calibration_lines(self) -> list[str]:
        """The calibration in words: of the first model versions, and how many more there are."""
        lines = [
            calibration_line(calibration, self.reservation, named=self.names_versions)
            for calibration in self.calibration[:VERSIONS]
        ]
        more = len(self.calibration) - VERSIONS
        return lines if more <= 0 else [*lines, f"and of {counted(more, 'more version')}"]

    def to_html(self) -> str:
        """The report as one self-contained HTML page."""
        from labelnext.report.page import render

        return without_secrets(render(self))

    _repr_html_ = to_html


VERSIONS = 5
"""Of how many model versions a report describes the calibration."""

_NOT_JSON = ("ranking", "cards", "pool_map")
_COUNTS = {
    "predicted": "with a prediction",
    "missing": "without a prediction",
    "unscored": "without a score",
    "batch": "in the batch",
}


def counts_line(counts: Mapping[str, int]) -> str:
    """The counts of a report in words.

    Example:
        >>> counts_line({"items": 1, "missing": 0, "labelled": 1, "ranked": 0, "batch": 0})
        '1 item, 0 without a prediction, 1 labelled, 0 ranked, 0 in the batch'
    """
    return ", ".join(
        counted(n, "item") if name == "items" else f"{n:,} {_COUNTS.get(name, name)}"
        for name, n in counts.items()
    )


_TOO_GOOD = ("in_sample_predictions", "accepted_predictions")


def calibration_line(
    calibration: Mapping[str, Any], reservation: str = "", *, named: bool = True
) -> str:
    """The calibration of a model version in words.

    Args:
        calibration: as in `Report.calibration`.
        reservation: as `Report.reservation`; empty if there is none.
        named: whether to name the version, which has a name or is one of several.
    """
    labelled = counted(calibration["n"], f"labelled {calibration['of'].removesuffix('s')}")
    whose = f" of version {calibration['name']}" if named else ""
    better = reservation and f"; better than it is: {reservation}"
    if calibration["confidence"] == 1:  # votes, or classes alone
        right = f"accuracy{whose} on {labelled}: {calibration['accuracy']:.3f}"
        return f"{right}; no confidence is stated{better}"
    return (
        f"calibration{whose} on {labelled}: mean confidence "
        f"{calibration['confidence']:.3f}, accuracy {calibration['accuracy']:.3f}, "
        f"ECE {calibration['ece']:.3f}, "
        f"Brier {calibration['brier']:.3f}, log loss {calibration['nll']:.3f}{better}"
    )


def versions(modules: Sequence[str]) -> dict[str, str]:
    """Versions of Python, labelnext and the packages of the named modules."""
    packages = {"python": platform.python_version()}
    for name in dict.fromkeys(("labelnext", "numpy", "scikit-learn", *modules)):
        try:
            packages[name.replace("_", "-")] = version(name)
        except PackageNotFoundError:
            continue
    return packages

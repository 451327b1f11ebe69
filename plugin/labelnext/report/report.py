"""Report: what was read, chosen and written, as text, JSON and one self-contained HTML page."""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from labelnext.pool.objects import Notice
from labelnext.ranking.ranking import Ranking


@dataclass(frozen=True, eq=False)
class Report:
    """What a run found and did.

    Attributes:
        run: name of the run.
        run_id: of the journal; None when nothing was written.
        created: time, ISO 8601, UTC.
        adapter: name of the adapter.
        target: what was written to, for people.
        dry_run: nothing was written.
        counts: items, predicted, missing, labelled, unscored, ranked, batch; of detections also
            those without objects, and those whose objects are all below the floor.
        ids: the ids behind the counts of exceptions: missing and unscored.
        notices: what was adjusted, left out or looks wrong.
        scores: distribution of the scores: edges, pool and batch counts; None without scores.
        classes: for each class its predictions in the pool and in the batch; None without any.
        objects_per_item: mean number of objects that reach the floor, in the pool and in the
            batch; None without objects.
        next_items: the next items, with rank, priority, score and the reason.
        steps: what was written, or would be.
        stays: what an undo cannot take back.
        next_steps: what to do now.
        undo: how to take the run back.
        config: the configuration without secrets.
        versions: of the packages.
        calibration: of each model version, its confidence against how often it was right, as
            `labelnext.quality.reliability.Trust` has it; empty without labelled items that have
            predictions.
        seed: of the selection.
        input_hash: SHA-256 of what was read, whatever the order of its rows.
        seconds: time of each stage.
        recipe: how the ranking was made, as `labelnext.ranking.recipe.Recipe` has it.
        ranking: the ranking itself; not part of the JSON.
        path: of the HTML page, if it was written.
        output: the ranking file, if one was written.
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
    path: Path | None = None
    output: Path | None = None

    def to_dict(self) -> dict[str, Any]:
        """As JSON-able data; the batch in full as `batch`."""
        data = {f.name: getattr(self, f.name) for f in fields(self) if f.name != "ranking"}
        data["notices"] = [vars(notice) for notice in self.notices]
        data["path"] = None if self.path is None else str(self.path)
        data["output"] = None if self.output is None else str(self.output)
        data["batch"] = self.ranking.to_rows()
        return data

    def to_json(self) -> str:
        """As JSON text."""
        return json.dumps(self.to_dict(), indent=2, ensure_ascii=False, default=str)

    def to_text(self) -> str:
        """A few lines for a terminal or a log."""
        counts = ", ".join(f"{n} {name}" for name, n in self.counts.items())
        lines = [f"labelnext {self.run}: {self.target}", counts]
        if self.objects_per_item is not None:
            lines.append(f"objects per item: {per_item(self.objects_per_item)}")
        lines += [calibration_line(found) for found in self.calibration]
        lines += [f"warning: {notice.message}" for notice in self.notices]
        did = "would" if self.dry_run else "did"
        lines += [f"{did}: {step}" for step in self.steps]
        lines += [f"next: {step}" for step in self.next_steps]
        if self.path is not None:
            lines.append(f"report: {self.path}")
        return "\n".join(lines)

    __str__ = to_text

    def to_html(self) -> str:
        """One page that needs nothing but itself."""
        from labelnext.report.page import render

        return render(self)

    _repr_html_ = to_html


def calibration_line(found: Mapping[str, Any]) -> str:
    """The calibration of a model version, for people."""
    return (
        f"calibration, version {found['name']}: {found['n']} labelled {found['of']}, mean "
        f"confidence {found['confidence']:.3f}, right {found['accuracy']:.3f}, ECE "
        f"{found['ece']:.3f}, Brier {found['brier']:.3f}, log loss {found['nll']:.3f}"
    )


def per_item(objects_per_item: Mapping[str, float]) -> str:
    """How many objects an item has, for people."""
    return ", ".join(f"{mean:.2f} in the {part}" for part, mean in objects_per_item.items())


def versions(modules: Sequence[str]) -> dict[str, str]:
    """Versions of Python, of our own packages and of the named modules' distributions."""
    found = {"python": platform.python_version()}
    for name in dict.fromkeys(("labelnext", "numpy", "scikit-learn", *modules)):
        try:
            found[name.replace("_", "-")] = version(name)
        except PackageNotFoundError:
            continue
    return found

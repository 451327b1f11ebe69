"""What a replay showed: curves with intervals, the difference from random, and one advice."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from labelnext.errors import InvalidInput
from labelnext.ranking.strategy import RANDOM
from labelnext.replays.curves import Curve, Protocol

_RESAMPLES = 4000


@dataclass(frozen=True)
class Outcome:
    """One strategy over all seeds; accuracies and differences are shares, in [0, 1].

    Attributes:
        strategy: its name.
        accuracies: mean learning curve, from the start on.
        low: lower end of its 95 % interval at each round.
        high: upper end.
        difference: mean over seeds of the curve's mean after the start, less random's.
        interval: bootstrap interval of the difference, at 95 % over all strategies together.
        wins: seeds in which it was above random.
        balanced_difference: the same difference in balanced accuracy.
        labels_to_match: labels with which its mean curve reaches random's last accuracy; None if
            it does not.
        recall_differences: for each class, final recall less random's; None where not measured.
        recall_intervals: 95 % bootstrap interval of each, for itself; None where not measured.
        recall_wins: seeds in which the class's final recall was above random's.
        class_labels_to_match: for each class, labels with which its mean recall reaches random's
            last one; None if it does not, or where it was not measured.
    """

    strategy: str
    accuracies: list[float]
    low: list[float]
    high: list[float]
    difference: float
    interval: tuple[float, float]
    wins: int
    balanced_difference: float
    labels_to_match: int | None
    recall_differences: list[float | None]
    recall_intervals: list[tuple[float, float] | None]
    recall_wins: list[int]
    class_labels_to_match: list[int | None]


@dataclass(frozen=True)
class ReplayReport:
    """What a replay showed.

    Attributes:
        outcomes: random first, then the strategies as configured.
        labels: number of labels at each point of the curves.
        n_items: labelled items in all.
        n_seeds: paired starts.
        classes: names.
        protocol: model and sizes.
        advice: one sentence.
        path: of the HTML page, if one was asked for.
    """

    outcomes: list[Outcome]
    labels: list[int]
    n_items: int
    n_seeds: int
    classes: tuple[str, ...]
    protocol: dict[str, Any]
    advice: str
    path: Path | None = None

    @classmethod
    def of(
        cls,
        curves: Sequence[Curve],
        protocol: Protocol,
        classes: Sequence[str],
        n_items: int,
        *,
        path: Path | None = None,
    ) -> ReplayReport:
        """The report of these curves; random must be among the strategies.

        Raises:
            InvalidInput: if a strategy lacks a seed that another has, or random is missing.
        """
        names = list(dict.fromkeys(curve.strategy for curve in curves))
        table = {(curve.strategy, curve.seed): curve for curve in curves}
        seeds = sorted({curve.seed for curve in curves})
        if RANDOM not in names or len(table) != len(names) * len(seeds):
            raise InvalidInput("curves must hold every strategy, random too, for every seed.")
        labels = [protocol.initial + r * protocol.batch for r in range(protocol.rounds + 1)]
        rows = {name: [table[name, seed] for seed in seeds] for name in names}
        # So many strategies are compared with random at once that one may look good by luck.
        level = 0.05 / max(len(names) - 1, 1)
        outcomes = [_outcome(rows[name], rows[RANDOM], labels, level) for name in names]
        outcomes.sort(key=lambda outcome: outcome.strategy != RANDOM)
        return cls(
            outcomes,
            labels,
            n_items,
            len(seeds),
            tuple(classes),
            asdict(protocol),
            _advice(outcomes, labels, len(seeds)),
            path,
        )

    def to_dict(self) -> dict[str, Any]:
        """As JSON-able data."""
        return {**asdict(self), "path": None if self.path is None else str(self.path)}

    def to_json(self) -> str:
        """As JSON text."""
        return json.dumps(self.to_dict(), indent=2, ensure_ascii=False)

    def to_html(self) -> str:
        """One page with the curves, that needs nothing but itself."""
        from labelnext.replays.page import render_replay

        return render_replay(self)


def _outcome(
    mine: Sequence[Curve], base: Sequence[Curve], labels: Sequence[int], level: float
) -> Outcome:
    curves = np.array([curve.accuracies for curve in mine])
    random = np.array([curve.accuracies for curve in base])
    gains = curves[:, 1:].mean(axis=1) - random[:, 1:].mean(axis=1)
    balanced = [
        np.mean(a.balanced[1:]) - np.mean(b.balanced[1:]) for a, b in zip(mine, base, strict=True)
    ]
    low, high = zip(*(_interval(column, 0.05) for column in curves.T), strict=True)
    by_class, random_by_class = (np.array([c.recalls for c in cs]) for cs in (mine, base))
    recalls = by_class[:, -1] - random_by_class[:, -1]
    known = ~np.isnan(recalls).all(axis=0)
    return Outcome(
        mine[0].strategy,
        curves.mean(axis=0).tolist(),
        list(low),
        list(high),
        float(gains.mean()),
        _interval(gains, level),
        int((gains > 0).sum()),
        float(np.mean(balanced)),
        _reached(curves, random, labels),
        [float(np.nanmean(c)) if k else None for c, k in zip(recalls.T, known, strict=True)],
        [
            _interval(c[~np.isnan(c)], 0.05) if k else None
            for c, k in zip(recalls.T, known, strict=True)
        ],
        (recalls > 0).sum(axis=0).tolist(),
        [
            _reached(by_class[:, :, c], random_by_class[:, :, c], labels) if k else None
            for c, k in enumerate(known)
        ],
    )


def _reached(
    curves: NDArray[np.floating], random: NDArray[np.floating], labels: Sequence[int]
) -> int | None:
    """Labels with which the mean of the curves reaches the last mean of random's, if it does."""
    reached = np.flatnonzero(np.nanmean(curves, axis=0) >= np.nanmean(random, axis=0)[-1])
    return int(labels[reached[0]]) if reached.size else None


def _interval(values: NDArray[np.floating], level: float) -> tuple[float, float]:
    """Percentile bootstrap interval of the mean (Efron 1979); the same for the same values."""
    rng = np.random.default_rng(0)
    means = values[rng.integers(len(values), size=(_RESAMPLES, len(values)))].mean(axis=1)
    low, high = np.quantile(means, [level / 2, 1 - level / 2])
    return float(low), float(high)


def _advice(outcomes: Sequence[Outcome], labels: Sequence[int], n_seeds: int) -> str:
    others = [outcome for outcome in outcomes if outcome.strategy != RANDOM]
    better = [outcome for outcome in others if outcome.interval[0] > 0]
    if not others:
        return "Only random was replayed: name strategies to compare it with."
    if not better:
        best = max(others, key=lambda outcome: outcome.difference)
        return (
            f"None of the {len(others)} strategies was reliably better; {best.strategy}, the best "
            f"of them, is no better than random on your data ({_points(best.difference)} points, "
            f"between {_points(best.interval[0])} and {_points(best.interval[1])})."
        )
    best = max(better, key=lambda outcome: outcome.difference)
    match = (
        f" It reached random's last accuracy with {best.labels_to_match} labels instead of "
        f"{labels[-1]}."
        if best.labels_to_match is not None and best.labels_to_match < labels[-1]
        else ""
    )
    return (
        f"Take {best.strategy}: {_points(best.difference)} points of accuracy over random on "
        f"average (between {_points(best.interval[0])} and {_points(best.interval[1])}), better in "
        f"{best.wins} of {n_seeds} starts.{match}"
    )


def _points(share: float) -> str:
    return f"{100 * share:+.1f}"

"""Results of a replay: curves with intervals, the gain over random, and advice."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from labelnext.errors import InvalidInput, without_secrets
from labelnext.ranking.strategy import RANDOM
from labelnext.replays.curves import Curve, Protocol
from labelnext.support.words import counted

_RESAMPLES = 4000


@dataclass(frozen=True)
class Outcome:
    """One strategy over all seeds; accuracies and differences are shares, in [0, 1].

    Attributes:
        strategy: its name.
        accuracies: mean learning curve, including the start.
        low: lower end of its 95 % interval at each round.
        high: upper end.
        difference: mean over seeds of the curve's mean after the start, minus random's.
        interval: bootstrap interval of the difference, at 95 % for all strategies jointly.
        wins: seeds in which it beat random.
        balanced_difference: the same difference in balanced accuracy.
        labels_to_match: labels its mean curve needs to reach random's final accuracy; None if it
            never does.
        recall_differences: for each class, final recall minus random's; None if not measured.
        recall_intervals: 95 % bootstrap interval for each class; None if not measured.
        recall_wins: seeds in which the class's final recall beat random's.
        class_labels_to_match: for each class, labels its mean recall needs to reach random's final
            recall; None if it never does, or if not measured.
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
    """The results of a replay.

    Attributes:
        outcomes: random first, then the strategies in configured order.
        labels: number of labels at each point of the curves.
        n_items: labelled items in total.
        n_seeds: paired starts.
        classes: names.
        protocol: model and sizes.
        advice: one sentence.
        path: of the HTML page, if requested.
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
        """Make the report from curves; random must be among the strategies.

        Raises:
            InvalidInput: if the strategies have different seeds, or random is missing.
        """
        names = list(dict.fromkeys(curve.strategy for curve in curves))
        table = {(curve.strategy, curve.seed): curve for curve in curves}
        seeds = sorted({curve.seed for curve in curves})
        if RANDOM not in names or len(table) != len(names) * len(seeds):
            raise InvalidInput("curves must have every strategy, including random, for every seed.")
        labels = [protocol.initial + r * protocol.batch for r in range(protocol.rounds + 1)]
        by_name = {name: [table[name, seed] for seed in seeds] for name in names}
        # Bonferroni: with many comparisons, one strategy may look good by luck.
        level = 0.05 / max(len(names) - 1, 1)
        outcomes = [_outcome(by_name[name], by_name[RANDOM], labels, level) for name in names]
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
        """A self-contained page with the curves."""
        from labelnext.replays.page import render_replay

        return without_secrets(render_replay(self))


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
    """Labels the mean curve needs to reach random's final mean; None if it never does."""
    reached = np.flatnonzero(np.nanmean(curves, axis=0) >= np.nanmean(random, axis=0)[-1])
    return int(labels[reached[0]]) if reached.size else None


def _interval(values: NDArray[np.floating], level: float) -> tuple[float, float]:
    """Percentile bootstrap interval of the mean (Efron 1979), deterministic."""
    rng = np.random.default_rng(0)
    means = values[rng.integers(len(values), size=(_RESAMPLES, len(values)))].mean(axis=1)
    low, high = np.quantile(means, [level / 2, 1 - level / 2])
    return float(low), float(high)


def _advice(outcomes: Sequence[Outcome], labels: Sequence[int], n_seeds: int) -> str:
    others = [outcome for outcome in outcomes if outcome.strategy != RANDOM]
    better = [outcome for outcome in others if outcome.interval[0] > 0]
    if not others:
        return "Only random was replayed; name strategies to compare with it."
    if not better:
        best = max(others, key=lambda outcome: outcome.difference)
        return (
            f"No strategy reliably beat random. The best of {len(others)}, {best.strategy}, "
            f"is no better than random on your data ({_points(best.difference)} points, "
            f"between {_points(best.interval[0])} and {_points(best.interval[1])})."
        )
    best = max(better, key=lambda outcome: outcome.difference)
    mine, randoms = best.labels_to_match, outcomes[0].labels_to_match or labels[-1]
    match = (
        f" It reached random's final accuracy with {mine} labels instead of {randoms}."
        if mine is not None and mine < randoms
        else ""
    )
    return (
        f"Use {best.strategy}: {_points(best.difference)} points of accuracy over random on "
        f"average (between {_points(best.interval[0])} and {_points(best.interval[1])}), better in "
        f"{best.wins} of {counted(n_seeds, 'start')}.{match}"
    )


def _points(share: float) -> str:
    return f"{100 * share:+.1f}"

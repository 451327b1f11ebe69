"""Does a replay find the effects that another simulation found, in sign and size?

    python -m benchmarks.quality.effects [--only "wine, logistic regression"] [--store FOLDER]
                                         [--standardise]

The other figures were measured before labelnext was written, by code that does not know it. Each
cell holds points of accuracy over random, wins, and the rounds after which random's last accuracy
is reached; first labelnext's, then the other's. The splits, and so the figures, are not the same.
Curves that are done are kept in the folder.
"""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from benchmarks.quality.simulate import (
    COLD,
    at_random,
    compared,
    first_batch,
    learning_curve,
    least_informative,
)
from benchmarks.quality.tasks import Task, load
from sklearn.preprocessing import StandardScaler

from labelnext.ranking.strategy import Strategy
from labelnext.replays.curves import Protocol
from labelnext.replays.outcomes import Outcome, ReplayReport
from labelnext.replays.simulate import simulate

SEEDS = range(20)
REGRESSION, FOREST = "logistic regression", "random forest"
MODELS = {
    REGRESSION: ("sklearn.linear_model.LogisticRegression", {"max_iter": 500}),
    FOREST: ("sklearn.ensemble.RandomForestClassifier", {"n_estimators": 100}),
}
Theirs = tuple[float, int, int | None]  # points, wins of 20, rounds

STRATEGIES = (
    "entropy",
    "least_confidence",
    "margin",
    "variance",
    "badge",
    "cluster_margin",
    "k_center",
)
#: By data and model: random's mean accuracy; each strategy as above; margin the wrong way round.
THEIRS: dict[tuple[str, str], tuple[float, list[Theirs], Theirs]] = {
    ("digits", REGRESSION): (
        88.7,
        [
            (-0.3, 7, 10),
            (1.6, 18, 8),
            (3.1, 20, 7),
            (0.6, 13, 9),
            (3.2, 20, 7),
            (4.4, 20, 6),
            (0.9, 16, 10),
        ],
        (-25.7, 0, None),
    ),
    ("digits", FOREST): (
        87.1,
        [
            (1.2, 15, 9),
            (3.1, 19, 7),
            (5.2, 20, 7),
            (1.6, 14, 8),
            (2.3, 19, 10),
            (6.2, 20, 5),
            (-1.2, 5, 11),
        ],
        (-41.9, 0, None),
    ),
    ("breast cancer", REGRESSION): (
        94.5,
        [
            (1.9, 19, 4),
            (1.9, 19, 4),
            (1.9, 19, 4),
            (1.9, 19, 4),
            (1.5, 17, 6),
            (1.8, 18, 5),
            (-0.2, 11, 12),
        ],
        (-7.2, 4, None),
    ),
    ("breast cancer", FOREST): (
        92.8,
        [
            (2.4, 19, 3),
            (2.4, 19, 3),
            (2.4, 19, 3),
            (2.4, 19, 3),
            (1.3, 17, 6),
            (2.4, 19, 3),
            (-1.7, 9, None),
        ],
        (-8.6, 3, None),
    ),
    ("wine", REGRESSION): (
        93.6,
        [
            (1.6, 13, 5),
            (2.1, 15, 4),
            (2.3, 14, 4),
            (1.8, 14, 4),
            (1.5, 16, 6),
            (2.5, 18, 3),
            (0.8, 11, 6),
        ],
        (-9.4, 1, None),
    ),
    ("imbalanced digits", REGRESSION): (
        92.2,
        [
            (2.2, 20, 6),
            (2.6, 19, 6),
            (3.2, 20, 5),
            (2.5, 20, 6),
            (3.2, 20, 5),
            (3.5, 20, 4),
            (2.6, 20, 5),
        ],
        (-15.3, 0, None),
    ),
}
#: Balanced accuracy on the imbalanced digits, in the order of the strategies; all won 20 of 20.
THEIR_BALANCED = (13.1, 12.9, 12.8, None, 12.2, 11.9, 11.5)
COLD_METHODS = ("image_diversity", "typiclust", "k_center")
#: A first batch without a model, 30 splits: random's accuracy, then each method's.
THEIR_COLD = {
    ("digits", 10): (41.9, 64.9, 62.1, 38.7),
    ("digits", 20): (58.7, 71.8, 76.6, 59.5),
    ("digits", 50): (78.5, 78.9, 87.6, 82.1),
    ("wine", 3): (54.0, 84.5, 86.2, 54.6),
    ("wine", 12): (90.9, 92.3, 94.4, 90.0),
    ("breast cancer", 4): (82.0, 85.6, 88.5, 71.9),
    ("breast cancer", 16): (92.2, 88.4, 93.9, 91.0),
}


def main() -> None:
    """Print one table for each kind of figure, a row at a time."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", help="one row: data, model")
    parser.add_argument("--standardise", action="store_true", help="the points of all data")
    parser.add_argument("--cold", action="store_true", help="the first batches as well")
    parser.add_argument("--store", type=Path, help="folder in which curves are kept")
    parser.add_argument("--workers", type=int, default=1)
    arguments = parser.parse_args()
    warnings.filterwarnings("ignore", message=".*converge.*")
    head("data, model", "random", *STRATEGIES, "margin reversed")
    for (data, model), (accuracy, theirs, backwards) in THEIRS.items():
        name = f"{data}, {model}"
        if arguments.only not in (None, name):
            continue
        task = load(data)
        if arguments.standardise:
            task = replace(task, points=StandardScaler().fit_transform(task.points))
        random, *others = replayed(task, model, arguments.store, arguments.workers)
        cells = [f"{100 * np.mean(random.accuracies[1:]):.1f} / {accuracy:.1f}"]
        cells += [
            f"{shown(100 * o.difference, o.wins, rounds(o, task))} / {shown(*other)}"
            for o, other in zip(others, theirs, strict=True)
        ]
        mean, wins = reversed_margin(
            replace(task, balanced=False, model="forest" if model == FOREST else "regression")
        )
        row(name, *cells, f"{mean:+.1f} ({wins}) / {shown(*backwards)}".removesuffix(" [–]"))
        if data == "imbalanced digits":
            row("the same, balanced accuracy", "", *balanced_cells(others), "")
    if arguments.cold or arguments.only is None:
        head("data, first batch", "random", *COLD_METHODS)
        for (data, budget), accuracies in THEIR_COLD.items():
            row(f"{data}, {budget}", *cold_cells(load(data), budget, accuracies))


def replayed(task: Task, model: str, store: Path | None, workers: int) -> list[Outcome]:
    """The outcomes of labelnext's own replay, random first."""
    path, options = MODELS[model]
    protocol = Protocol(path, options, task.first, task.batch, task.rounds, test_size=0.4)
    strategies = [Strategy.parse(name) for name in ("random", *STRATEGIES)]
    names = [str(c) for c in range(task.classes.max() + 1)]
    curves = simulate(
        task.points,
        task.classes,
        len(names),
        strategies,
        protocol,
        seeds=SEEDS,
        workers=workers,
        store=store,
    )
    return ReplayReport.of(curves, protocol, names, len(task.classes)).outcomes


def reversed_margin(task: Task) -> tuple[float, int]:
    """Points over random, and wins, of the batches that a wrong sign would label."""
    ours, random = (
        np.array([learning_curve(task, choose, seed) for seed in SEEDS])
        for choose in (least_informative, at_random)
    )
    mean, wins, *_ = compared(ours, random)
    return 100 * mean, wins


def rounds(outcome: Outcome, task: Task) -> int | None:
    """Rounds after which random's last accuracy is reached."""
    match = outcome.labels_to_match
    return None if match is None else (match - task.first) // task.batch


def balanced_cells(outcomes: list[Outcome]) -> Iterator[str]:
    for outcome, theirs in zip(outcomes, THEIR_BALANCED, strict=True):
        other = "" if theirs is None else f" / {theirs:+.1f}"
        yield f"{100 * outcome.balanced_difference:+.1f}{other}"


def cold_cells(task: Task, budget: int, theirs: tuple[float, ...]) -> Iterator[str]:
    """Accuracy of random, then of each method the difference; the other's after the stroke."""
    methods = ("random", *COLD_METHODS)
    found = {
        name: np.array([first_batch(task, COLD[name], seed, budget) for seed in range(30)])
        for name in methods
    }
    yield f"{100 * found['random'].mean():.1f} / {theirs[0]:.1f}"
    for name, accuracy in zip(methods[1:], theirs[1:], strict=True):
        mean, wins, *_ = compared(found[name], found["random"])
        yield f"{100 * mean:+.1f} ({wins}) / {accuracy - theirs[0]:+.1f}"


def shown(points: float, wins: int, after: int | None) -> str:
    return f"{points:+.1f} ({wins}) [{after or '–'}]"


def head(*cells: str) -> None:
    print()
    row(*cells)
    row(*("---" for _ in cells))


def row(*cells: str) -> None:
    print(f"| {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()

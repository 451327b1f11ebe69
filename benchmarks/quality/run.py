"""How much better than random is each method? Paired seeds, on real data.

    python -m benchmarks.quality.run [--seeds 20] [--mnist FOLDER] [--only digits]
                                     [--methods random,margin]

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
    compared,
    first_batch,
    learning_curve,
)
from benchmarks.quality.tasks import load

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
    parser.add_argument("--only", help="one data set")
    parser.add_argument("--methods", help="some methods of the curves, by comma, random first")
    arguments = parser.parse_args()
    warnings.filterwarnings("ignore", message=".*converge.*")
    names = [
        "digits",
        "imbalanced digits",
        "breast cancer",
        "wine",
        *(["mnist"] if arguments.mnist else []),
    ]
    for name in [arguments.only] if arguments.only else names:
        task = load(name, arguments.mnist)
        seeds = range(arguments.seeds)
        curves = {
            label: np.array([learning_curve(task, choose, seed) for seed in seeds])
            for label, choose in STRATEGIES.items()
            if not arguments.methods or label in arguments.methods.split(",")
        }
        show(f"{name}: mean accuracy of {task.rounds} rounds of {task.batch}", curves)
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


if __name__ == "__main__":
    main()

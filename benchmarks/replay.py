"""How long does the replay of a default configuration take, and does it depend on the workers?

    python -m benchmarks.replay

Scikit-learn's digits, logistic regression, 20 starts, 10 rounds, random and the five strategies
that `labelnext replay` compares when none are named; with two processes and with one.
"""

from __future__ import annotations

import time

from sklearn.datasets import load_digits

from labelnext.config.sections import Replay
from labelnext.ranking.strategy import RANDOM, Strategy
from labelnext.replays.curves import Curve, Protocol
from labelnext.replays.outcomes import ReplayReport
from labelnext.replays.simulate import simulate


def main() -> None:
    """Print both times, their ratio, whether the figures are the same, and the advice."""
    two, seconds = replayed(2)
    print(f"two processes: {seconds:.1f} s", flush=True)
    one, alone = replayed(1)
    print(f"one: {alone:.1f} s; ratio {alone / seconds:.2f}")
    print(f"the same {len(one)} curves: {one == two}")
    names = [str(digit) for digit in range(10)]
    report = ReplayReport.of(one, Protocol(), names, 1797)
    for o in report.outcomes:
        low, high = (100 * end for end in o.interval)
        print(
            f"{o.strategy}: {100 * o.difference:+.1f} ({low:+.1f} to {high:+.1f}), {o.wins} wins, "
            f"{o.labels_to_match} labels; by class {o.class_labels_to_match}"
        )
    print(report.advice)


def replayed(workers: int) -> tuple[list[Curve], float]:
    """The curves, and the seconds that they took, starting the processes included."""
    features, labels = load_digits(return_X_y=True)
    strategies = [Strategy.parse(name) for name in (RANDOM, *Replay().strategies)]
    start = time.perf_counter()
    curves = simulate(
        features, labels, 10, strategies, Protocol(), seeds=range(20), workers=workers
    )
    return curves, time.perf_counter() - start


if __name__ == "__main__":
    main()

"""How long a pool in parts takes on a cluster, what it moves and what it costs: simulated.

    python -m benchmarks.plan_large --rows 1000000000 --score 0.8

Each part, and each range of the order, goes to the processor that is free first, as Ray has it; how
long it takes varies. The constants below were measured on two processors
(`benchmarks.large_pools`), for ten classes as float32. State your own; what they come to on many
processors was not measured.
"""

from __future__ import annotations

import argparse
import heapq
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

PART = 32_000_000  # bytes of a part
RANGE = 4_000_000  # items of a range of the order, of a large pool
ROW, SCORE_ROW = 49, 18  # bytes of a row in the source, and of its score
RESULT = 10_000  # bytes that come back for a part, most of them counts of scores
SPREAD = 0.3  # standard deviation of the logarithm of a part's seconds


@dataclass(frozen=True)
class Constants:
    """What was measured.

    Attributes:
        score: core seconds to score a million rows.
        batch: core seconds to find the batch alone in a million rows, and to look at them for the
            report.
        sort: core seconds to sort a million rows of parts, and to look at them for the report.
        rank: core seconds to rank a million rows of a range.
        command: seconds where the command runs for a million rows, for either.
        alone: seconds where the command runs for any pool, beside those.
        piece: core seconds for what a range reads of the parts that were sorted together.
        start: seconds until the workers of a cluster that is up begin.
        price: dollars for a processor and an hour.
    """

    score: float = 1.0
    batch: float = 0.13
    sort: float = 0.48
    rank: float = 0.37
    command: float = 0.002
    alone: float = 0.6
    piece: float = 0.00025
    start: float = 4.0
    price: float = 0.05


def n_parts_of(rows: int) -> int:
    """The number of parts."""
    return max(1, -(-rows * ROW // PART))


def in_workers(seconds: float, n_tasks: int, n_workers: int, seed: int = 0) -> float:
    """Seconds until the last task is done, of so many core seconds in all.

    Example:
        >>> 60 < in_workers(1000, 1500, 1) / in_workers(1000, 1500, 64) <= 64
        True
    """
    tasks = np.random.default_rng(seed).lognormal(0, SPREAD, n_tasks)
    free = [0.0] * n_workers
    for task in (tasks * seconds / tasks.sum()).tolist():
        heapq.heapreplace(free, free[0] + task)
    return max(free)


def ordering(rows: int, n_workers: int, known: Constants) -> float:
    """Seconds until the last range is ranked, once all parts are sorted."""
    n_ranges, millions = -(-rows // RANGE), rows / 1e6
    n_groups = min(n_parts_of(rows), 2 * n_ranges)  # of up to half the rows of a range
    ranking = known.rank * millions + known.piece * n_groups * n_ranges
    sorting = in_workers(known.sort * millions, n_groups, n_workers)
    ranked = in_workers(ranking, n_ranges, n_workers)
    return sorting + ranked + known.command * millions + known.alone


def batch_alone(rows: int, n_workers: int, known: Constants) -> float:
    """Seconds until the batch is found, once all parts are scored."""
    millions = rows / 1e6
    found = in_workers(known.batch * millions, n_parts_of(rows), n_workers)
    return found + known.command * millions + known.alone


def whole(
    rows: int, n_workers: int, after: Callable[[int, int, Constants], float], known: Constants
) -> float:
    """Seconds until the last part is scored and what comes after it is done."""
    scores = known.start + in_workers(known.score * rows / 1e6, n_parts_of(rows), n_workers)
    return scores + after(rows, n_workers, known)


def line(rows: int, n_workers: int, known: Constants) -> list[str]:
    """What a run takes, moves and costs where the batch alone is wanted."""
    millions = rows / 1e6
    scores = known.start + in_workers(known.score * millions, n_parts_of(rows), n_workers)
    batch, order = batch_alone(rows, n_workers, known), ordering(rows, n_workers, known)
    hours = (n_workers + 2) * (scores + batch) / 3600  # two where the command runs
    return [
        f"{rows:,}",
        str(n_workers),
        *map(as_time, (scores, batch, order)),
        *map(as_size, (rows * ROW, rows * SCORE_ROW, n_parts_of(rows) * RESULT)),
        f"${hours * known.price:.2f}",
    ]


def as_time(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"


def as_size(n_bytes: float) -> str:
    return f"{n_bytes / 1e9:.0f} GB" if n_bytes >= 1e9 else f"{n_bytes / 1e6:.0f} MB"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, nargs="+", default=[10**8, 10**9, 10**10])
    parser.add_argument("--workers", type=int, nargs="+", default=[2, 16, 64])
    for name, value in vars(Constants()).items():
        parser.add_argument(f"--{name}", type=float, default=value)
    told = vars(parser.parse_args())
    known = Constants(**{name: told[name] for name in vars(Constants())})
    head = (
        "rows, processors, scoring, batch alone, or all ranked, read, scores, to the command, cost"
    )
    print("| " + " | ".join(head.split(", ")) + " |")
    print("|" + "---:|" * 9)
    for rows in told["rows"]:
        for n_workers in told["workers"]:
            print("| " + " | ".join(line(rows, n_workers, known)) + " |")


if __name__ == "__main__":
    main()

"""Does a ranking save labelled boxes? Rounds of active learning with a detector on made images.

Every contender starts from the same images, and in every round buys images, best first, until it
has paid for 40 boxes. Curves are compared at equal numbers of labelled boxes.

    python -m benchmarks.detection.rounds [FIRST_SEED [N_SEEDS [FILE]]]   # adds to the file's lines
    python -m benchmarks.detection.rounds report FILE
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from benchmarks.detection.shapes import Detector, Images, make_images, mean_average_precision
from labelnext import Pool, rank

N_POOL, N_TEST, N_FIRST, N_ROUNDS, N_BOXES = 300, 150, 12, 5, 40
N_IMAGES = 16  # a batch where it is chosen as one: about 40 boxes
GRID = np.arange(60, 201, 20)  # labelled boxes at which all curves are known

_ENTROPY = {"acquisition": "entropy", "of": "objects", "floor": 0.1, "no_objects": "last"}
_WEIGHTED = {**_ENTROPY, "reduce": "weighted_sum"}
_DIFFICULT = {**_WEIGHTED, "class_weights": "difficulty"}
_DIVERSE = {"selection": "object_diversity", "budget": N_IMAGES}
CONTENDERS: Mapping[str, dict[str, Any]] = {
    "random": {},
    "mean object confidence": {"acquisition": "mean_object_confidence"},
    "entropy, mean": {**_ENTROPY, "reduce": "mean"},
    "entropy, sum": {**_ENTROPY, "reduce": "sum"},
    "auto": {"acquisition": "auto"},
    "the same, floor 0.3": {**_WEIGHTED, "floor": 0.3},
    "the same, floor 0.3, per cost": {**_WEIGHTED, "floor": 0.3, "per_cost": True},
    "entropy, weighted by difficulty": _DIFFICULT,
    "the same, diverse objects (PPAL)": {**_DIFFICULT, **_DIVERSE},
    "weighted sum, diverse objects": {**_WEIGHTED, **_DIVERSE},
    "distinct entropy": {**_ENTROPY, "acquisition": "distinct_entropy"},
    "committee certainty, min": {
        "acquisition": "committee_certainty",
        "floor": 0.3,
        "reduce": "min",
        "no_objects": "last",
    },
}


def curve(pool: Images, test: Images, options: Mapping[str, Any], seed: int) -> list[list[float]]:
    """Labelled boxes, labelled images and mAP, before the first round and after each."""
    rng = np.random.default_rng(seed)
    labelled = rng.permutation(N_POOL)[:N_FIRST]
    n_members = 3 if str(options.get("acquisition", "")).startswith("committee") else 1
    points = []
    for _ in range(N_ROUNDS + 1):
        members = [Detector(pool, labelled, seed + 1000 * m) for m in range(n_members)]
        quality = mean_average_precision(members[0].detect(test), test.truth)
        n_boxes = int(pool.truth.counts[labelled].sum())
        points.append([n_boxes, len(labelled), round(quality, 5)])
        order = _order(pool, members, labelled, options, rng)
        paid = np.cumsum(pool.truth.counts[order])
        labelled = np.append(labelled, order[: np.searchsorted(paid, N_BOXES) + 1])
    return points


def _order(
    pool: Images,
    members: list[Detector],
    labelled: np.ndarray,
    options: Mapping[str, Any],
    rng: np.random.Generator,
) -> np.ndarray:
    """The images that are left, best first."""
    if not options:
        return rng.permutation(np.setdiff1d(np.arange(N_POOL), labelled))
    found = tuple(member.detect(pool) for member in members)
    done = np.isin(np.arange(N_POOL), labelled)
    view = Pool(
        range(N_POOL),
        objects=found if len(found) > 1 else found[0],
        truth=pool.truth,
        labelled=done,
    )
    return rank(view, **options).pool_order.astype(int)


def run_seed(seed: int, names: list[str] | None = None) -> dict[str, list[list[float]]]:
    """The curves of all contenders on one made pool."""
    rng = np.random.default_rng([seed, 7])
    pool, test = make_images(rng, N_POOL), make_images(rng, N_TEST)
    with threadpool_limits(1):  # the products are too small for two threads
        return {name: curve(pool, test, CONTENDERS[name], seed) for name in names or CONTENDERS}


def height(points: list[list[float]]) -> float:
    """Mean mAP over the grid of labelled boxes."""
    boxes, _, quality = np.array(points).T
    return float(np.interp(GRID, boxes, quality).mean())


def report(runs: list[dict[str, list[list[float]]]]) -> None:
    print(f"{len(runs)} paired seeds; mAP at IoU 0.5, mean over {GRID[0]} to {GRID[-1]} boxes")
    print(f"{'':40}{'mAP':>7}{'more than random':>22}{'wins':>8}{'at 200':>9}{'boxes/image':>13}")
    base = np.array([height(r["random"]) for r in runs])
    for name in CONTENDERS:
        if any(name not in r for r in runs):
            continue
        own = np.array([height(r[name]) for r in runs])
        gain = own - base
        error = gain.std(ddof=1) / np.sqrt(len(runs)) if len(runs) > 1 else np.nan
        end = np.mean([np.interp(200, *np.array(r[name])[:, [0, 2]].T) for r in runs])
        bought = np.mean(
            [(r[name][-1][0] - r[name][0][0]) / (r[name][-1][1] - N_FIRST) for r in runs]
        )
        wins = "" if name == "random" else f"{(gain > 0).sum()}/{len(runs)}"
        print(
            f"{name:40}{own.mean():>7.3f}{gain.mean():>+13.3f} ± {error:.3f}"
            f"{wins:>10}{end:>9.3f}{bought:>10.2f}"
        )


def main() -> None:
    arguments = sys.argv[1:]
    if arguments[:1] == ["report"]:
        report([json.loads(line) for line in Path(arguments[1]).read_text().splitlines()])
        return
    first = int(arguments[0]) if arguments else 0
    n = int(arguments[1]) if len(arguments) > 1 else 3
    runs = []
    for seed in range(first, first + n):
        runs.append(run_seed(seed))
        if len(arguments) > 2:
            with Path(arguments[2]).open("a") as file:
                file.write(json.dumps(runs[-1]) + "\n")
    report(runs)


if __name__ == "__main__":
    main()

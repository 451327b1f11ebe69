"""How far can a real detector's confidences be trusted, and would its rankings find its errors?

The 355 road images of `benchmarks.detection.cars`, with ground truth taken for people's labels.

    python -m benchmarks.detection.trust [FOLDER]
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmarks.detection.cars import FOLDER, load
from labelnext.quality.reliability import trust
from labelnext.replays.stored import replay_stored

STRATEGIES = ("mean_object_confidence", "least_confidence", "entropy")


def main() -> None:
    """Print the calibration of the boxes, and how early each ranking finds the wrong images."""
    pool, truth = load(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER)
    labelled = replace(pool, truth=truth, labelled=np.ones(len(pool), dtype=bool))
    (found,) = trust(labelled)
    print(f"{found.n} boxes: mean confidence {found.confidence:.3f}, right {found.accuracy:.3f},")
    print(f"ECE {found.ece:.3f}, Brier {found.brier:.3f}, log loss {found.nll:.3f}")
    print(f"\n{'confidence':>10}{'right':>8}{'boxes':>8}")
    bins = (found.bins.confidences, found.bins.accuracies, found.bins.counts)
    for confidence, accuracy, count in zip(*bins, strict=True):
        print(f"{confidence:>10.2f}{accuracy:>8.2f}{count:>8}")
    print(f"\n{'strategy':26}{'wrong images in the first 10 %':>32}{'area':>8}")
    for row in replay_stored(labelled, STRATEGIES).rows:
        low, high = row.interval
        first = f"{100 * row.shares[1]:.0f} % of {row.n_targets}"
        print(f"{row.strategy:26}{first:>32}{row.area:>8.2f} ({low:.2f} to {high:.2f})")


if __name__ == "__main__":
    main()

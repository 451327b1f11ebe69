"""How fast are the uncertainties? Against scikit-activeml, modAL and plain numpy.

    python -m benchmarks.scores [narrow|middle|wide] [--cpu]

"labelnext" checks its input, as a user calls it; "labelnext, checked before" is the formula on
rows that are known to be distributions; "labelnext, not compiled" is numpy alone, as where there is
no compiler. The peers check little or nothing.
"""

from __future__ import annotations

import tracemalloc
import warnings
from collections.abc import Callable
from typing import Any
from unittest.mock import patch

import numpy as np

from benchmarks.contenders import ARGUMENTS, show, show_cold, timed
from labelnext import acquisition
from labelnext.acquisition import kernels
from labelnext.support import loops

NAMES = ("entropy", "margin", "least_confidence", "variance")
#: Against whom, and at least how many times as fast.
BARS = {
    "narrow": {
        "entropy": {"scikit-activeml": 9, "numpy": 6},
        "margin": {"modAL": 9, "numpy": 7},
        "least_confidence": {"numpy": 8},
        "variance": {"numpy": 8},
    },
    "middle": {
        "entropy": {"scikit-activeml": 5, "numpy": 3},
        "margin": {"numpy": 3},
        "least_confidence": {"numpy": 1},
        "variance": {"numpy": 2},
    },
    "wide": {
        "entropy": {"scikit-activeml": 5, "numpy": 3},
        "margin": {"numpy": 3},
        "least_confidence": {"numpy": 1},
        "variance": {"numpy": 1},
    },
}


class _Model:
    """What modAL asks of a classifier."""

    def predict_proba(self, rows: np.ndarray, **_: object) -> np.ndarray:
        return rows


def not_compiled(function: Callable[..., Any], *arguments: Any) -> Any:
    """The result of numpy alone, as where there is no compiler."""
    with patch.object(loops, "_library", lambda: None):
        return function(*arguments)


def numpy_score(name: str, p: np.ndarray) -> np.ndarray:
    if name == "entropy":
        return -(p * np.log(np.where(p > 0, p, 1))).sum(axis=1)
    if name == "margin":
        top = np.partition(p, -2, axis=1)[:, -2:]
        return top[:, 1] - top[:, 0]
    return 1 - p.max(axis=1) if name == "least_confidence" else p.var(axis=1)


def contenders(name: str, rows: np.ndarray) -> dict[str, object]:
    from modAL import uncertainty as modal
    from skactiveml.pool import uncertainty_scores

    ours = getattr(acquisition, name)
    found = {
        "labelnext": lambda: ours(rows),
        "labelnext, checked before": lambda: kernels.score_rows(rows, [name], check=False),
        "labelnext, not compiled": lambda: not_compiled(ours, rows),
        "numpy": lambda: numpy_score(name, rows),
    }
    theirs = {
        "entropy": "entropy",
        "margin": "margin_sampling",
        "least_confidence": "least_confident",
    }
    if name in theirs:
        found["scikit-activeml"] = lambda: uncertainty_scores(rows, method=theirs[name])
    in_modal = {
        "entropy": modal.classifier_entropy,
        "margin": modal.classifier_margin,
        "least_confidence": modal.classifier_uncertainty,
    }
    if name in in_modal:
        found["modAL"] = lambda: in_modal[name](_Model(), rows)
    return found


def main(shape: str) -> None:
    n, c = {"narrow": (1_000_000, 10), "middle": (200_000, 80), "wide": (100_000, 1000)}[shape]
    rows = np.random.default_rng(0).standard_exponential((n, c), dtype=np.float32)
    rows /= rows.sum(axis=1, keepdims=True)
    for name in NAMES:
        assert np.allclose(getattr(acquisition, name)(rows), numpy_score(name, rows), atol=1e-5)
        seconds = timed(contenders(name, rows), turns=6 if shape == "wide" else 40)
        bars = [
            (ours, peer, bar)
            for peer, bar in BARS[shape][name].items()
            for ours in ("labelnext", "labelnext, checked before")
        ]
        show(f"{name}, {n:,} × {c} float32", seconds, bars)
    four = {
        "labelnext": lambda: acquisition.uncertainties(rows),
        "numpy": lambda: [numpy_score(name, rows) for name in NAMES],
    }
    show(f"all four, {n:,} × {c} float32", timed(four, 10), [("labelnext", "numpy", 5)])
    tracemalloc.start()
    results = acquisition.uncertainties(rows)
    peak = tracemalloc.get_traced_memory()[1] - sum(r.nbytes for r in results.values())
    tracemalloc.stop()
    print(f"\ntemporaries of all four: {peak / 2**20:.1f} MiB; the bar is 16")


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    for shape in ARGUMENTS or BARS:
        main(shape)
    print("\ncold, a single row")
    for name in (*NAMES, "uncertainties"):
        show_cold(
            name,
            f"from labelnext.acquisition import {name}",
            f"{name}([[0.5, 0.5]])",
        )

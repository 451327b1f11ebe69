"""A probe's classifier: trained on all labelled items, and on all but a fold of them."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from labelnext.probes.choice import Choice
from labelnext.probes.folds import N_FOLDS, folds_of
from labelnext.probes.space import Space, blocks
from labelnext.support.classifiers import training

VERSION = "probe"
"""The name of the probe as a model version."""

PER_CLASS = 2  # labels of a class that are needed, so that one can be held out


@dataclass(frozen=True)
class Learner:
    """Trains the classifier of a probe.

    Attributes:
        choice: the classifier.
        space: the embeddings.
        seed: of the folds and the classifier.
    """

    choice: Choice
    space: Space
    seed: int

    def probabilities(
        self,
        rows: NDArray[np.intp],
        classes: NDArray[np.integer],
        counts: NDArray[np.integer],
        item_ids: NDArray[np.str_],
    ) -> NDArray[np.float64]:
        """Out of fold for the items that are learned from, from all of these for the others.

        Args:
            rows: positions of the items to learn from, by id.
            classes: shape (n_rows,), from 0 to n_classes − 1, each at least twice.
            counts: shape (n_classes,), how often.
            item_ids: of all items.

        Returns:
            Shape (n_items, n_classes); 0 for items without an embedding.
        """
        from threadpoolctl import threadpool_limits

        out = np.zeros((len(item_ids), len(counts)))
        points = self.space.of(rows)
        folds = folds_of(item_ids[rows], classes, self.seed)
        others = np.ones(len(item_ids), dtype=bool)
        others[rows] = False
        rest = self.space.order[others[self.space.order]]
        # One thread: sums depend on the number, and products this small are faster alone.
        with threadpool_limits(limits=1), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for fold in range(N_FOLDS):
                held = folds == fold
                if held.any():
                    model = self._fitted(points[~held], classes[~held], len(counts))
                    out[rows[held]] = self._predicted(model, points[held], len(counts))
            model = self._fitted(points, classes, len(counts))
            for block in blocks(rest):
                out[block] = self._predicted(model, self.space.of(block), len(counts))
        return out

    def _fitted(
        self, points: NDArray[np.float64], classes: NDArray[np.integer], n_classes: int
    ) -> Any:
        counts = np.bincount(classes, minlength=n_classes)
        model = self.choice.estimator(counts, self.seed)
        with training(self.choice.path, self.choice.keys):
            model.fit(points, classes)
        return model

    def _predicted(
        self, model: Any, points: NDArray[np.float64], n_classes: int
    ) -> NDArray[np.float64]:
        out = np.zeros((len(points), n_classes))
        with training(self.choice.path, self.choice.keys):
            out[:, np.asarray(model.classes_, dtype=np.intp)] = model.predict_proba(points)
            if not np.isfinite(out).all():
                raise ValueError("it predicts numbers that aren't finite")
        return out

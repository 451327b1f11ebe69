"""Which classifier a probe is, and with which options."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import isqrt
from typing import TYPE_CHECKING, Any

from labelnext.errors import ConfigError, UnknownName, unknown
from labelnext.support.classifiers import Keys, check_importable, new_classifier

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

KINDS = {
    "logistic": "sklearn.linear_model.LogisticRegression",
    "nearest": "sklearn.neighbors.KNeighborsClassifier",
    "regression": "sklearn.ensemble.ExtraTreesRegressor",
}
"""The models that have a name, by import path."""

REGRESSION = "regression"
"""The one that learns numbers: a committee of trees, each of another sample of the labels."""

KEYS = Keys("model", "options", "allow_import")
"""The parameters of `labelnext.probe`."""

_ITERATIONS = 1000
# Each split chooses from a third of the dimensions. With the root of their number, the error was
# up to a third larger; 50 trees are nearly as good as 100.
_OF_TREES: dict[str, Any] = {"n_estimators": 50, "bootstrap": True, "max_features": 1 / 3}
_NEIGHBOURS = 10  # and at most the square root of the number of labels


@dataclass(frozen=True)
class Choice:
    """A classifier of standardised embeddings, or a regression on them.

    Attributes:
        name: logistic, nearest, regression, or an import path.
        options: of the model's constructor.
        allow_import: whether an import path may lead to any module.
        keys: what these settings are called in messages.
    """

    name: str = "logistic"
    options: Mapping[str, Any] = field(default_factory=dict)
    allow_import: bool = False
    keys: Keys = KEYS

    @property
    def path(self) -> str:
        """The import path."""
        return KINDS.get(self.name, self.name)

    def check(self) -> None:
        """Check the name without importing anything.

        Raises:
            UnknownName: if it is neither a known name nor an import path.
            ConfigError: if its module isn't allowed.
        """
        if self.name in KINDS:
            return
        if "." not in self.name:
            error = unknown(self.keys.model, self.name, KINDS)
            path = "name a class by its import path: sklearn.ensemble.RandomForestClassifier."
            near = f"{error.hint} Or " if error.hint else ""
            raise UnknownName(error.message, hint=near + path)
        check_importable(self.path, self.allow_import, self.keys)

    @property
    def weights(self) -> Mapping[str, Any] | None:
        """The weights of classes by name; None if there are none, or one word for all."""
        weights = self.options.get("class_weight")
        if not isinstance(weights, Mapping):
            return None
        return {str(name): weight for name, weight in weights.items()}

    def of_classes(self, names: Sequence[str]) -> Choice:
        """The choice for classes that are numbered from 0: weights by name become those by number.

        Example:
            >>> Choice(options={"class_weight": {"cat": 5}}).of_classes(["dog", "cat"]).options
            {'class_weight': {0: 1.0, 1: 5}}
        """
        if (weights := self.weights) is None:
            return self
        numbered = {number: weights.get(name, 1.0) for number, name in enumerate(names)}
        return replace(self, options={**self.options, "class_weight": numbered})

    def estimator(self, counts: NDArray[np.integer] | None = None, seed: int = 0) -> Any:
        """A new model.

        Args:
            counts: shape (n_classes,), labels of each class; None of numbers, and to try the
                settings.
            seed: for its random state, if it has one.

        Raises:
            ConfigError: if it can't be imported or made.
        """
        self.check()
        options = dict(self.options)
        if self.name == "logistic":
            options.setdefault("max_iter", _ITERATIONS)
            if counts is not None and rare(counts):
                options.setdefault("class_weight", "balanced")
        if self.name == "nearest":
            options.setdefault("weights", "distance")
            n = _NEIGHBOURS**2 if counts is None else int(counts.sum())
            neighbours = options.setdefault("n_neighbors", min(_NEIGHBOURS, isqrt(n)))
            if counts is not None and isinstance(neighbours, int):
                options["n_neighbors"] = min(neighbours, n)
        predicts = "predict_proba"
        if self.name == REGRESSION:
            predicts = "predict"
            options = self._of_trees(options)
        return new_classifier(
            self.path,
            options,
            seed,
            allow_import=self.allow_import,
            keys=self.keys,
            predicts=predicts,
        )

    def _of_trees(self, options: dict[str, Any]) -> dict[str, Any]:
        """The options of a committee of which some members haven't seen a labelled item."""
        options = {**_OF_TREES, **options}
        key, n_trees = f"{self.keys.options}.n_estimators", options["n_estimators"]
        if isinstance(n_trees, int) and n_trees < _OF_TREES["n_estimators"]:
            raise ConfigError(
                f"{key} must be at least {_OF_TREES['n_estimators']}, so that each labelled item "
                f"is missing from some trees' samples; got {n_trees}."
            )
        if not options["bootstrap"]:
            raise ConfigError(
                f"{self.keys.options}.bootstrap must be true, so that each labelled item is "
                f"missing from some trees' samples; got {options['bootstrap']!r}."
            )
        return options


def rare(counts: NDArray[np.integer]) -> bool:
    """Whether a class has less than half of an even share of the labels.

    Example:
        >>> import numpy as np
        >>> rare(np.array([6, 4])), rare(np.array([8, 2]))
        (False, True)
    """
    return bool(2 * len(counts) * counts.min() < counts.sum())

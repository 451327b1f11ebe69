"""The table of acquisition functions: arrays in, scores out.

A new one is a function in a module of this package and one entry in `_FUNCTIONS`.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from labelnext.acquisition.objects import counted, mean_object_confidence
from labelnext.acquisition.uncertainty import entropy, least_confidence, margin, variance
from labelnext.errors import InvalidInput, unknown
from labelnext.pool import Objects, Pool

Unit = Literal["items", "objects"]


@dataclass(frozen=True)
class AcquisitionFunction:
    """A row of the table.

    Attributes:
        name: as in the configuration.
        function: ``f(predictions, **options) -> (n_items,)``, the textbook value.
        of: what it can score: items by their class distribution, or items by their objects.
        vectors: objects must carry class probability vectors.
        direction: whether high or low values are labelled first.
        range: of the value, K being the number of classes.
        summary: one line for people.
        references: where the formula comes from.
    """

    name: str
    function: Callable[..., NDArray[np.floating]]
    of: tuple[Unit, ...]
    direction: Literal["high", "low"]
    range: str
    summary: str
    references: str
    vectors: bool = False

    @property
    def options(self) -> Mapping[str, Any]:
        """The function's options and their defaults."""
        parameters = inspect.signature(self.function).parameters.values()
        return {p.name: p.default for p in parameters if p.kind is p.KEYWORD_ONLY}

    def default_of(self, pool: Pool) -> Unit:
        """What to score when the caller does not say: items where the pool can, else objects."""
        possible = [unit for unit in self.of if self.obstacle(pool, unit) is None]
        return possible[0] if possible else self.of[0]

    def obstacle(self, pool: Pool, of: Unit | None = None) -> str | None:
        """Why this function cannot score the pool, as a sentence; None when it can."""
        of = of or self.default_of(pool)
        if of not in self.of:
            return f"{self.name} scores {self.of[0]}, not {of}"
        if of == "items":
            if pool.probabilities is None:
                hint = "" if pool.objects is None else "; its objects can be scored: of: objects"
                return f"{self.name} needs class probabilities, and the pool has none{hint}"
            if pool.probabilities.ndim == 3:
                return f"{self.name} needs one model version, and the pool holds several"
            if pool.multilabel:
                return f"{self.name} needs probabilities that sum to 1, and the pool is multilabel"
            return None
        if pool.objects is None:
            return f"{self.name} needs detected objects, and the pool has none"
        if isinstance(pool.objects, tuple):
            return f"{self.name} needs one model version, and the pool holds several"
        if self.vectors and pool.objects.probabilities is None:
            return f"{self.name} needs a class probability vector for each object"
        return None

    def score(
        self, pool: Pool, *, of: Unit | None = None, **options: Any
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Textbook scores, and what selection maximises.

        Args:
            pool: the items.
            of: items or objects; see `default_of`.
            options: of the function.

        Returns:
            Scores, shape (n_items,), NaN where there is no prediction or it holds NaN; and
            utilities, shape (n_items,), larger is labelled sooner, ±inf for items without
            objects, as `no_objects` puts them.

        Raises:
            InvalidInput: if the pool does not hold what the function needs.
        """
        of = of or self.default_of(pool)
        obstacle = self.obstacle(pool, of)
        if obstacle:
            raise InvalidInput(f"{obstacle}.", hint=self._advice(pool))
        predictions = pool.probabilities if of == "items" else pool.objects
        known = self.options
        if of == "items" and (wrong := sorted(_OBJECT_OPTIONS & options.keys())):
            raise InvalidInput(
                f"{wrong[0]} must be left out when items are scored by their own probabilities; "
                f"got {options[wrong[0]]!r}.",
                hint="of: objects scores an item by its objects.",
            )
        scores = np.array(self.function(predictions, **options), dtype=np.float64)
        scores[pool.missing] = np.nan
        utilities = scores if self.direction == "high" else -scores
        if of == "objects" and isinstance(predictions, Objects):
            policy = options.get("no_objects", known["no_objects"])
            empty = ~_any_counted(predictions, options.get("floor", known["floor"]))
            utilities = np.where(
                empty & ~pool.missing, np.inf if policy == "first" else -np.inf, utilities
            )
        return scores, utilities

    def _advice(self, pool: Pool) -> str:
        able = [f.name for f in _FUNCTIONS.values() if f.obstacle(pool) is None]
        if able:
            return f"this pool allows: {', '.join(able)}."
        return "check where the predictions are read from; image_diversity needs embeddings alone."


_OBJECT_OPTIONS = {"reduce", "k", "floor", "no_objects"}


def _any_counted(objects: Objects, floor: float) -> NDArray[np.bool_]:
    return objects.where(counted(objects, floor)).counts > 0


_FUNCTIONS = {
    f.name: f
    for f in (
        AcquisitionFunction(
            "least_confidence",
            least_confidence,
            of=("items", "objects"),
            direction="high",
            range="[0, 1 − 1/K]",
            summary="1 − max p: how far the best class is from certain",
            references="Lewis and Gale (1994); Settles (2009), 3.1",
        ),
        AcquisitionFunction(
            "margin",
            margin,
            of=("items", "objects"),
            direction="low",
            range="[0, 1]",
            summary="p1 − p2: how close the two best classes are",
            references="Scheffer, Decomain and Wrobel (2001); Settles (2009), 3.1",
            vectors=True,
        ),
        AcquisitionFunction(
            "variance",
            variance,
            of=("items", "objects"),
            direction="low",
            range="[0, (K − 1)/K²]",
            summary="variance across the class probabilities, population form",
            references="Encord Active, Acquisition functions (2023)",
            vectors=True,
        ),
        AcquisitionFunction(
            "entropy",
            entropy,
            of=("items", "objects"),
            direction="high",
            range="[0, ln K] nats",
            summary="−Σ p ln p: spread over all classes",
            references="Shannon (1948); Settles (2009), 3.1",
        ),
        AcquisitionFunction(
            "mean_object_confidence",
            mean_object_confidence,
            of=("objects",),
            direction="low",
            range="[0, 1]",
            summary="mean confidence of the detected objects",
            references="Encord Active, Acquisition functions (2023)",
        ),
    )
}


def get_acquisition(name: str) -> AcquisitionFunction:
    """The acquisition function of that name.

    Raises:
        UnknownName: with the nearest right name.

    Example:
        >>> get_acquisition("margin").direction
        'low'
    """
    if name not in _FUNCTIONS:
        raise unknown("acquisition", str(name), _FUNCTIONS)
    return _FUNCTIONS[name]


def acquisition_names() -> list[str]:
    """The names of all acquisition functions, in the order of the table.

    Example:
        >>> "entropy" in acquisition_names()
        True
    """
    return list(_FUNCTIONS)


__all__ = [
    "AcquisitionFunction",
    "acquisition_names",
    "entropy",
    "get_acquisition",
    "least_confidence",
    "margin",
    "mean_object_confidence",
    "variance",
]

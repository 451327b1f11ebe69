"""A row of the table of acquisition functions: what it needs, and how it scores a pool."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from labelnext.acquisition.objects import counted, labels_as_objects
from labelnext.errors import InvalidInput
from labelnext.pool import Objects, Pool

Unit = Literal["items", "objects"]

_OF_OBJECTS = {"reduce", "k", "floor", "no_objects"}
_OF_LABELS = {"reduce", "k"}  # a multilabel item's labels are reduced too, but all of them count


@dataclass(frozen=True)
class AcquisitionFunction:
    """A row of the table.

    Attributes:
        name: as in the configuration.
        function: ``f(predictions, **options) -> (n_items,)``, the textbook value.
        of: what it can score: items by their class distribution, or items by their objects.
        direction: whether high or low values are labelled first.
        range: of the value, K being the number of classes and M that of members.
        summary: one line for people.
        references: where the formula comes from.
        vectors: objects must carry class probability vectors.
        members: it compares several model versions, and needs two at least.
        multilabel: it can score items whose classes are independent, label by label.
    """

    name: str
    function: Callable[..., NDArray[np.floating]]
    of: tuple[Unit, ...]
    direction: Literal["high", "low"]
    range: str
    summary: str
    references: str
    vectors: bool = False
    members: bool = False
    multilabel: bool = False

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
        predictions = pool.probabilities if of == "items" else pool.objects
        if predictions is None:
            if of == "objects":
                return f"{self.name} needs detected objects, and the pool has none"
            hint = "" if pool.objects is None else "; its objects can be scored: of: objects"
            return f"{self.name} needs class probabilities, and the pool has none{hint}"
        n_members = _n_members(predictions)
        if self.members and n_members < 2:
            return f"{self.name} needs several model versions, and the pool holds one"
        if not self.members and n_members > 1:
            return f"{self.name} needs one model version, and the pool holds several"
        if of == "items" and pool.multilabel and not self.multilabel:
            return f"{self.name} needs probabilities that sum to 1, and the pool is multilabel"
        if self.vectors and isinstance(predictions, Objects) and predictions.probabilities is None:
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
            raise InvalidInput(f"{obstacle}.", hint=_advice(pool))
        if of == "items":
            _refuse_object_options(pool, options)
        scores = np.array(self.function(_predictions(pool, of), **options), dtype=np.float64)
        scores[pool.missing] = np.nan
        utilities = scores if self.direction == "high" else -scores
        if of == "objects":
            chosen = {**self.options, **options}
            empty = without_objects(pool, chosen["floor"])
            end = np.inf if chosen["no_objects"] == "first" else -np.inf
            utilities = np.where(empty, end, utilities)
        return scores, utilities


def without_objects(pool: Pool, floor: float) -> NDArray[np.bool_]:
    """Items with a prediction, none of whose objects reaches the floor in any version.

    Shape (n_items,).
    """
    sets = pool.objects if isinstance(pool.objects, tuple) else (pool.objects,)
    empty = ~pool.missing
    for objects in sets:
        if objects is not None:
            empty &= objects.where(counted(objects, floor)).counts == 0
    return empty


def _predictions(pool: Pool, of: Unit) -> object:
    if of == "objects":
        return pool.objects
    if pool.multilabel and pool.probabilities is not None:
        return labels_as_objects(pool.probabilities)
    return pool.probabilities


def _n_members(predictions: NDArray[np.floating] | Objects | tuple[Objects, ...]) -> int:
    if isinstance(predictions, Objects):
        return 1
    if isinstance(predictions, tuple):
        return len(predictions)
    return len(predictions) if predictions.ndim == 3 else 1


def _refuse_object_options(pool: Pool, options: Mapping[str, Any]) -> None:
    allowed = _OF_LABELS if pool.multilabel else set()
    wrong = sorted((_OF_OBJECTS - allowed) & options.keys())
    if wrong:
        raise InvalidInput(
            f"{wrong[0]} must be left out when items are scored by their own probabilities; "
            f"got {options[wrong[0]]!r}.",
            hint="of: objects scores an item by its objects.",
        )


def _advice(pool: Pool) -> str:
    from labelnext.acquisition import acquisition_names, get_acquisition

    able = [name for name in acquisition_names() if get_acquisition(name).obstacle(pool) is None]
    if able:
        return f"this pool allows: {', '.join(able)}."
    return "check where the predictions are read from; image_diversity needs embeddings alone."

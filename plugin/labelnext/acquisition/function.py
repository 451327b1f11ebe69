"""A row of the table of acquisition functions: what it needs, and how it scores a pool."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from labelnext.acquisition.costs import expected_costs
from labelnext.acquisition.objects import alone, labels_as_objects, object_statistics
from labelnext.acquisition.weights import weighted_objects
from labelnext.errors import InvalidInput
from labelnext.pool.objects import Objects
from labelnext.pool.pool import Pool

Unit = Literal["items", "objects"]

_OF_OBJECTS = {"reduce", "k", "floor", "no_objects", "class_weights", "class_quality"}
_OF_LABELS = {"reduce", "k"}  # a multilabel item's labels are reduced too, but all of them count

# Options that do not reach the function: name -> (the option they belong to, their default).
_SHARED: Mapping[str, tuple[str, Any]] = {
    "class_weights": ("reduce", "counts"),
    "class_quality": ("reduce", None),
    "no_objects_share": ("no_objects", 0.1),
}


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
        embeddings: objects must carry embeddings.
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
    embeddings: bool = False
    members: bool = False
    multilabel: bool = False

    @property
    def own_options(self) -> dict[str, Any]:
        """The options that reach the function itself, and their defaults."""
        parameters = inspect.signature(self.function).parameters.values()
        return {p.name: p.default for p in parameters if p.kind is p.KEYWORD_ONLY}

    @property
    def options(self) -> Mapping[str, Any]:
        """The options and their defaults: the function's own, and those for items by objects."""
        own = self.own_options
        shared = _SHARED if "objects" in self.of else {}
        options = {**own, **{n: v for n, (needed, v) in shared.items() if needed in own}}
        return {**options, "per_cost": False} if self.direction == "high" else options

    def default_of(self, pool: Pool) -> Unit:
        """What to score when the caller does not say: items where the pool can, else objects."""
        possible = [unit for unit in self.of if self.obstacle(pool, unit) is None]
        return possible[0] if possible else self.of[0]

    def obstacle(self, pool: Pool, of: Unit | None = None) -> str | None:
        """Why this function cannot score the pool, as a sentence; None when it can."""
        of = of or self.default_of(pool)
        if of not in self.of:
            return f"{self.name} scores {self.of[0]}, not {of}"
        n_members = len(pool.object_sets)
        if of == "items":
            n_members = 0 if pool.members is None else len(pool.members)
        if not n_members:
            if of == "objects":
                return f"{self.name} needs detected objects, and the pool has none"
            hint = "" if pool.objects is None else "; its objects can be scored: of: objects"
            return f"{self.name} needs class probabilities, and the pool has none{hint}"
        if self.members and n_members < 2:
            return f"{self.name} needs several model versions, and the pool holds one"
        if not self.members and n_members > 1:
            return f"{self.name} needs one model version, and the pool holds several"
        if of == "items" and pool.multilabel and not self.multilabel:
            return f"{self.name} needs probabilities that sum to 1, and the pool is multilabel"
        if of == "objects" and n_members == 1:
            return self._obstacle_of_objects(pool.object_sets[0])
        return None

    def _obstacle_of_objects(self, objects: Objects) -> str | None:
        """What the objects of one model version lack; None where it is nothing."""
        if not len(objects.confidences):
            return None
        if self.vectors and objects.probabilities is None:
            return f"{self.name} needs a class probability vector for each object"
        if self.embeddings and objects.embeddings is None:
            return f"{self.name} needs an embedding of each object"
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
            utilities, shape (n_items,), larger is labelled sooner: ±inf for items without
            objects, as `no_objects` puts them; divided by the item's cost with ``per_cost``; with
            ``no_objects="quota"`` places in the order, 1 for the first.

        Raises:
            InvalidInput: if the pool does not hold what the function needs.
        """
        of = of or self.default_of(pool)
        obstacle = self.obstacle(pool, of)
        if obstacle:
            raise InvalidInput(f"{obstacle}.")
        if of == "items":
            _refuse_object_options(pool, options)
        chosen = {**self.options, **options}
        _refuse_idle_weights(chosen, options)
        predictions = predictions_of(pool, of, chosen)
        known = self.own_options
        own = {name: value for name, value in options.items() if name in known}
        if "n_classes" in known:  # which those that happen to occur are not
            own.setdefault("n_classes", pool.n_classes)
        scores = np.array(self.function(predictions, **own), dtype=np.float64)
        scores[pool.missing] = np.nan
        utilities = scores if self.direction == "high" else -scores
        if chosen.get("per_cost"):
            utilities = scores / _costs(pool)
        if of == "objects":
            empty = without_objects(pool, chosen["floor"])
            if chosen["no_objects"] == "quota":
                return scores, _spread(utilities, empty, pool, chosen["no_objects_share"])
            end = np.inf if chosen["no_objects"] == "first" else -np.inf
            utilities = np.where(empty, end, utilities)
        return scores, utilities

    def score_objects(self, pool: Pool, **options: Any) -> dict[str, NDArray[np.float64]]:
        """Each object's own score, before they are reduced.

        Args:
            pool: the items, with objects of one model version.
            options: of the function; those that reduce objects are passed over.

        Returns:
            For each item's id, shape (n_objects,), in the order of its objects.

        Raises:
            InvalidInput: if the pool does not hold what the function needs.
        """
        obstacle = self.obstacle(pool, "objects")
        if obstacle or len(pool.object_sets) != 1:
            reason = obstacle or f"{self.name} compares objects, so that none has its own score"
            raise InvalidInput(f"{reason}.", hint="leave write.objects out.")
        (objects,) = pool.object_sets
        own = {n: v for n, v in options.items() if n in self.own_options and n not in _OF_OBJECTS}
        scores = np.asarray(self.function(alone(objects), **own), dtype=np.float64)
        parts = np.split(scores, objects.offsets[1:-1])
        return dict(zip(pool.item_ids.tolist(), parts, strict=False))


def without_objects(pool: Pool, floor: float) -> NDArray[np.bool_]:
    """Items with a prediction, none of whose objects reaches the floor in any version.

    Shape (n_items,).
    """
    empty = ~pool.missing
    for objects in pool.object_sets:
        empty &= object_statistics(objects, floor=floor).count == 0
    return empty


def _spread(
    utilities: NDArray[np.float64], empty: NDArray[np.bool_], pool: Pool, share: float
) -> NDArray[np.float64]:
    """Utilities by which items without objects are evenly the given share of every batch.

    The first one comes at the end of the first 1/share places, by id; labelled items, which are
    never ranked, take no place.
    """
    if not 0 < share < 1:
        raise InvalidInput(f"no_objects_share must be above 0 and below 1; got {share!r}.")
    order = pool.tie_order[~pool.labelled[pool.tie_order]]
    bare = order[empty[order]]
    full = order[~empty[order] & ~np.isnan(utilities[order])]
    full = full[np.argsort(-utilities[full], kind="stable")]
    # The j-th bare item stands before the full item at j/share − j, so that both sides keep order.
    before = np.round(np.arange(1, len(bare) + 1) * (1 / share - 1)) - 0.5
    places = np.concatenate([np.arange(len(full), dtype=np.float64), before])
    out: NDArray[np.float64] = np.full(len(pool), np.nan)
    ranked = np.concatenate([full, bare])[np.argsort(places, kind="stable")]
    out[ranked] = 1 - np.arange(len(ranked)) / max(len(ranked), 1)
    return out


def _costs(pool: Pool) -> NDArray[np.float64]:
    """The pool's costs; without any, those expected from its (newest) objects."""
    if pool.costs is not None:
        return pool.costs
    if pool.newest_objects is None:
        raise InvalidInput(
            "per_cost needs costs or detected objects, and the pool has neither.",
            hint="name the column with the costs in source.",
        )
    return expected_costs(pool.newest_objects)


def predictions_of(pool: Pool, of: Unit, options: Mapping[str, Any]) -> object:
    """What a function is given: rows of one member or of all, or objects of one version or of all.

    Args:
        pool: the items; it holds what the function needs, see `AcquisitionFunction.obstacle`.
        of: items or objects.
        options: all of them, with their defaults.
    """
    if of == "objects" and len(pool.object_sets) > 1 and options.get("reduce") != "weighted_sum":
        return pool.object_sets
    if of == "objects" or pool.multilabel:
        return objects_of(pool, of, options)
    members = pool.members
    return pool.mean_probabilities if members is not None and len(members) == 1 else members


def objects_of(pool: Pool, of: Unit, options: Mapping[str, Any]) -> Objects:
    """The objects that are scored one by one: weighted where asked for, or labels as objects.

    Args:
        pool: with objects of one model version, or probabilities of independent classes.
        of: items or objects.
        options: all of them, with their defaults.

    Raises:
        InvalidInput: if the objects cannot be weighted.
    """
    if of == "objects":
        if options.get("reduce") == "weighted_sum":
            return weighted_objects(pool, options["class_weights"], options["class_quality"])
        (objects,) = pool.object_sets
        return objects
    assert pool.mean_probabilities is not None, "the obstacle would have said so"
    return labels_as_objects(pool.mean_probabilities)


def _refuse_object_options(pool: Pool, options: Mapping[str, Any]) -> None:
    allowed = _OF_LABELS if pool.multilabel else set()
    wrong = sorted((_OF_OBJECTS - allowed) & options.keys())
    if wrong:
        raise InvalidInput(
            f"{wrong[0]} must be left out when items are scored by their own probabilities; "
            f"got {options[wrong[0]]!r}.",
            hint="of: objects scores an item by its objects.",
        )


def _refuse_idle_weights(chosen: Mapping[str, Any], options: Mapping[str, Any]) -> None:
    idle = {"class_weights", "class_quality"} & options.keys()
    if idle and chosen.get("reduce") != "weighted_sum":
        raise InvalidInput(
            f"{min(idle)} must be left out unless reduce is weighted_sum; "
            f"got reduce {chosen.get('reduce')!r}."
        )

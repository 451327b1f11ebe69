"""AcquisitionFunction: what a function needs, and how it scores a pool."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from labelnext.acquisition.costs import expected_costs
from labelnext.acquisition.lone import with_own_doubt
from labelnext.acquisition.objects import alone, labels_as_objects, object_statistics
from labelnext.acquisition.weights import weighted_objects
from labelnext.errors import InvalidInput, LabelnextError
from labelnext.pool.checks import unmasked
from labelnext.pool.objects import Objects
from labelnext.pool.pool import Pool
from labelnext.pool.read_only import read_only
from labelnext.support.annotations import Between, NotNegative, Share
from labelnext.support.rows import check_row, naming
from labelnext.support.signatures import checked, fitted_options, option_kinds
from labelnext.support.words import counted

Unit = Literal["items", "objects"]

_OF_OBJECTS = {"reduce", "k", "floor", "no_objects", "class_weights", "class_quality"}
_OF_LABELS = {"reduce", "k"}  # a multilabel item's labels are reduced too, but none is ignored

_Weights = Literal["counts", "difficulty"] | Mapping[str | int, NotNegative]
_Quality = Mapping[str | int, Share] | None

# Options that aren't passed to the function: the option they belong to, their default and kind.
_SHARED: Mapping[str, tuple[str, Any, Any]] = {
    "class_weights": ("reduce", "counts", _Weights),
    "class_quality": ("reduce", None, _Quality),
    "no_objects_share": ("no_objects", 0.1, Between),
}


@dataclass(frozen=True)
class AcquisitionFunction:
    """An acquisition function with its requirements.

    Attributes:
        name: as in the configuration.
        function: ``f(predictions, **options) -> (n_items,)``, the textbook value; the row's
            refuses options that don't fit its annotations.
        of: what it can score: items by their class distribution, or items by their objects.
        direction: whether high or low values are labelled first.
        range: of the value, for K classes and M members.
        summary: one line shown to users.
        references: where the formula comes from.
        vectors: objects must have class probability vectors.
        embeddings: objects must have embeddings.
        members: it compares model versions and needs at least two.
        multilabel: it can score items with independent classes, label by label.
        answers: it can score items by one confidence each (`Pool.answers`).
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
    answers: bool = False

    def __post_init__(self) -> None:
        """Check that each field has its type: a direction that is misspelt would turn the order.

        Raises:
            LabelnextError: if one has not; a fault in the row.
        """
        check_row(self, "acquisition function", of=get_args(Unit), direction=("high", "low"))
        object.__setattr__(self, "function", checked(self.function))

    @property
    def own_options(self) -> dict[str, Any]:
        """The options passed to the function itself, with their defaults."""
        parameters = inspect.signature(self.function).parameters.values()
        return {p.name: p.default for p in parameters if p.kind is p.KEYWORD_ONLY}

    @property
    def options(self) -> Mapping[str, Any]:
        """All options with their defaults, including those for scoring items by objects."""
        passed = self.own_options
        shared = _SHARED if "objects" in self.of else {}
        options = {**passed, **{n: v for n, (needed, v, _) in shared.items() if needed in passed}}
        return {**options, "per_cost": False} if self.direction == "high" else options

    @property
    def kinds(self) -> Mapping[str, Any]:
        """The annotation of each option."""
        shared = {name: kind for name, (_, _, kind) in _SHARED.items()}
        return {**shared, "per_cost": bool, **option_kinds(self.function)}

    def default_of(self, pool: Pool) -> Unit:
        """What to score by default: items if possible or nothing else is there, else objects."""
        if pool.answers:
            return "items"
        possible = [unit for unit in self.of if self.obstacle(pool, unit) is None]
        only_objects = pool.members is None and pool.object_sets and "objects" in self.of
        return possible[0] if possible else "objects" if only_objects else self.of[0]

    def unit_on(self, pool: Pool, of: Unit | None) -> Unit:
        """What is scored when `of` is asked for: one confidence per item is the item's own."""
        return self.default_of(pool) if of is None or pool.answers else of

    def obstacle(self, pool: Pool, of: Unit | None = None) -> str | None:
        """Why this function can't score the pool, as a sentence without a full stop, or None."""
        of = self.unit_on(pool, of)
        if pool.answers:
            return None if self.answers else self._obstacle_of_answers()
        if of not in self.of:
            return f"{self.name} scores {self.of[0]}, not {of}"
        n_members = len(pool.object_sets)
        if of == "items":
            n_members = 0 if pool.members is None else len(pool.members)
        if not n_members:
            if of == "objects":
                return f"{self.name} needs detected objects, but the pool has none"
            able = "objects" in self.of and self.obstacle(pool, "objects") is None
            hint = "; set of: objects to score its objects" if able else ""
            return f"{self.name} needs class probabilities, but the pool has none{hint}"
        if self.members and n_members < 2:
            return f"{self.name} needs several model versions, but the pool has one"
        if not self.members and n_members > 1:
            return f"{self.name} needs one model version, but the pool has several"
        if of == "items" and pool.multilabel and not self.multilabel:
            return f"{self.name} needs probabilities that sum to 1, but the pool is multilabel"
        if of == "objects" and n_members == 1:
            return self._obstacle_of_objects(pool.object_sets[0])
        return None

    def _obstacle_of_answers(self) -> str:
        """What one confidence per item lacks."""
        if self.of == ("objects",):
            needed = "detected objects"
        else:
            needed = "the probabilities of all classes"
        return f"{self.name} needs {needed}, but the pool has one confidence per item"

    def _obstacle_of_objects(self, objects: Objects) -> str | None:
        """What the objects of one model version lack; None if nothing."""
        if not len(objects.confidences):
            return None
        if self.vectors and objects.probabilities is None:
            return f"{self.name} needs a class probability vector for each object"
        if self.embeddings and objects.embeddings is None:
            return f"{self.name} needs an embedding for each object"
        return None

    def score(
        self, pool: Pool, *, of: Unit | None = None, **options: Any
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Score a pool.

        Args:
            pool: the items.
            of: items or objects; see `default_of`. With one confidence per item, both are the same.
            options: of the function.

        Returns:
            Textbook scores, shape (n_items,), NaN without a prediction or if it has NaN; and
            utilities, shape (n_items,), which selection maximises. Utilities are ±inf for items
            without objects, depending on `no_objects`, and divided by the item's cost with
            ``per_cost``. With ``no_objects="quota"`` they fall from 1 along the order.

        Raises:
            InvalidInput: if the pool lacks what the function needs, or an option is wrong.
        """
        options = fitted_options(options, self.kinds)
        of = self.unit_on(pool, of)
        obstacle = self.obstacle(pool, of)
        if obstacle:
            raise InvalidInput(f"{obstacle}.")
        if of == "items":
            _refuse_object_options(pool, options)
        chosen = {**self.options, **options}
        _refuse_idle_weights(chosen, options)
        predictions = predictions_of(pool, of, chosen)
        known = self.own_options
        passed = {name: value for name, value in options.items() if name in known}
        if "n_classes" in known:  # some classes may not occur in the predictions
            passed.setdefault("n_classes", pool.n_classes)
        with naming("acquisition function", self.name, self.function):
            scores = self._checked(self.function(read_only(predictions), **passed), len(pool))
        scores[pool.missing] = np.nan
        utilities = scores if self.direction == "high" else -scores
        if self.members and of == "items":
            utilities = with_own_doubt(utilities, pool)
        if chosen.get("per_cost"):
            utilities = utilities / _costs(pool)
        if of == "objects":
            empty = without_objects(pool, chosen["floor"])
            if chosen["no_objects"] == "quota":
                return scores, _spread(utilities, empty, pool, chosen["no_objects_share"])
            end = np.inf if chosen["no_objects"] == "first" else -np.inf
            utilities = np.where(empty, end, utilities)
        return scores, utilities

    def _checked(self, values: Any, n: int) -> NDArray[np.float64]:
        """A copy of what the function returned, if it is a real number for each item or object."""
        unmasked(f"the scores of {self.name}", values)
        scores = np.asarray(values)
        if scores.shape != (n,) or scores.dtype.kind not in "fiub":
            raise LabelnextError(
                f"the acquisition function {self.name} must return {counted(n, 'real number')}, "
                f"one for each item; got {scores.dtype} of shape {scores.shape}.",
                hint="this is a fault in the function; nothing was written.",
            )
        return scores.astype(np.float64)

    def score_objects(self, pool: Pool, **options: Any) -> dict[str, NDArray[np.float64]]:
        """Score each object by itself, before reduction to items.

        Args:
            pool: the items, with objects of one model version.
            options: of the function; those for reducing objects are ignored.

        Returns:
            Scores of shape (n_objects,) by item id, in the order of the item's objects.

        Raises:
            InvalidInput: if the pool lacks what the function needs.
        """
        obstacle = self.obstacle(pool, "objects")
        if pool.answers or obstacle or len(pool.object_sets) != 1:
            obstacle = "the pool has no objects to score" if pool.answers else obstacle
            reason = obstacle or f"{self.name} compares objects, so a single object has no score"
            raise InvalidInput(f"{reason}.", hint="leave write.objects out.")
        (objects,) = pool.object_sets
        passed = self.own_options.keys() - _OF_OBJECTS
        passed_options = {n: v for n, v in options.items() if n in passed}
        with naming("acquisition function", self.name, self.function):
            n = len(objects.confidences)
            scores = self._checked(self.function(read_only(alone(objects)), **passed_options), n)
        parts = np.split(scores, objects.offsets[1:-1])
        return dict(zip(pool.item_ids.tolist(), parts, strict=False))


def without_objects(pool: Pool, floor: float) -> NDArray[np.bool_]:
    """Items with a prediction but no object above the floor in any version, shape (n_items,)."""
    empty = ~pool.missing
    for objects in pool.object_sets:
        empty &= object_statistics(objects, floor=floor).count == 0
    return empty


def _spread(
    utilities: NDArray[np.float64], empty: NDArray[np.bool_], pool: Pool, share: float
) -> NDArray[np.float64]:
    """Utilities that spread items without objects evenly, as the given share of every batch.

    They come in id order, the first at the end of the first 1/share ranks. Labelled items are
    skipped, since they aren't ranked.
    """
    order = pool.tie_order[pool.candidates[pool.tie_order]]
    bare = order[empty[order]]
    full = order[~empty[order] & ~np.isnan(utilities[order])]
    full = full[np.argsort(-utilities[full], kind="stable")]
    # The j-th bare item comes before the full item at j/share − j, so both keep their order.
    before = np.round(np.arange(1, len(bare) + 1) * (1 / share - 1)) - 0.5
    keys = np.concatenate([np.arange(len(full), dtype=np.float64), before])
    out: NDArray[np.float64] = np.full(len(pool), np.nan)
    ranked = np.concatenate([full, bare])[np.argsort(keys, kind="stable")]
    out[ranked] = 1 - np.arange(len(ranked)) / max(len(ranked), 1)
    return out


def _costs(pool: Pool) -> NDArray[np.float64]:
    """The pool's costs; without any, the costs expected from its objects."""
    if pool.costs is not None:
        return pool.costs
    if pool.shown_objects is None:
        raise InvalidInput(
            "per_cost needs costs or detected objects, but the pool has neither.",
            hint="add costs to the pool; in a configuration, name their column in source.",
        )
    return expected_costs(pool.shown_objects)


def predictions_of(pool: Pool, of: Unit, options: Mapping[str, Any]) -> object:
    """The predictions passed to a function: probabilities or objects, of one version or all.

    Args:
        pool: the items, without an `AcquisitionFunction.obstacle`.
        of: items or objects.
        options: all options, with their defaults.
    """
    if pool.answer is not None:
        return pool.answer
    if of == "objects" and len(pool.object_sets) > 1 and options.get("reduce") != "weighted_sum":
        return pool.object_sets
    if of == "objects" or pool.multilabel:
        return objects_of(pool, of, options)
    members = pool.members
    return pool.mean_probabilities if members is not None and len(members) == 1 else members


def objects_of(pool: Pool, of: Unit, options: Mapping[str, Any]) -> Objects:
    """The objects to score one by one, weighted if requested; labels become objects.

    Args:
        pool: with objects of one model version, or probabilities of independent classes.
        of: items or objects.
        options: all options, with their defaults.

    Raises:
        InvalidInput: if the objects can't be weighted.
    """
    if of == "objects":
        if options.get("reduce") == "weighted_sum":
            return weighted_objects(pool, options["class_weights"], options["class_quality"])
        (objects,) = pool.object_sets
        return objects
    assert pool.mean_probabilities is not None, "checked by obstacle"
    return labels_as_objects(pool.mean_probabilities)


def _refuse_object_options(pool: Pool, options: Mapping[str, Any]) -> None:
    allowed = _OF_LABELS if pool.multilabel else set()
    wrong = sorted((_OF_OBJECTS - allowed) & options.keys())
    if wrong:
        column = "confidence" if pool.answers else "probabilities"
        raise InvalidInput(
            f"{wrong[0]} must be left out when items are scored by their own {column}; "
            f"got {options[wrong[0]]!r}.",
            hint=None if pool.answers else "set `of` to objects to score items by their objects.",
        )


def _refuse_idle_weights(chosen: Mapping[str, Any], options: Mapping[str, Any]) -> None:
    idle = {"class_weights", "class_quality"} & options.keys()
    if idle and chosen.get("reduce") != "weighted_sum":
        raise InvalidInput(
            f"{min(idle)} must be left out unless reduce is weighted_sum; "
            f"got reduce {chosen.get('reduce')!r}."
        )

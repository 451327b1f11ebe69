"""Recipe: how to score a pool and select a batch, with every name and option checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from functools import cached_property
from typing import Any, Literal

import numpy as np

from labelnext.acquisition import (
    AUTO,
    AUTO_FUNCTIONS,
    AcquisitionFunction,
    Unit,
    auto_acquisition,
    get_acquisition,
)
from labelnext.acquisition.objects import NoObjects, Reduction
from labelnext.errors import InvalidInput, shown, unknown
from labelnext.pool.pool import Pool
from labelnext.ranking.doubt import gives_opinion
from labelnext.selection import SelectionMethod, get_selection
from labelnext.selection.auto import auto_options, auto_selection, classes_seen, few_labels
from labelnext.selection.constraints import Constraints
from labelnext.selection.hellinger import has_embeddings, has_shares, n_anchors
from labelnext.selection.likeness import Likeness
from labelnext.selection.vectors import Coordinates, Space
from labelnext.support.signatures import fitted_options, option_kinds

Purpose = Literal["label", "review"]
Calibrate = Literal["off", "auto"]

NOT_TRAINED = "probe_not_trained"
"""The notice of a pool whose probe has too few labels so far."""

_NAMES = {"acquisition": str | None, "of": Unit | None}
_REDUCING = {"reduction": "reduce", "floor": "floor", "no_objects": "no_objects"}  # to options


@dataclass(frozen=True)
class Recipe:
    """How to score a pool and select a batch.

    `asked` makes one from names and options before any data is read; `resolved` fills in what
    depends on the data, once, with reasons. The report, the journal, `labelnext explain` and large
    pools all use the same recipe.

    Attributes:
        acquisition: name of the function; `auto` until resolved; None without one.
        unit: what is scored, items or objects; None until resolved, or without a function.
        reduction: how an item's object scores are combined; None without reduction.
        floor: confidence below which objects are ignored, in [0, 1]; None when scoring items.
        no_objects: where items without objects come; None when scoring items.
        options: further options of the function.
        calibrate: whether probabilities may be scaled by a temperature.
        selection: name of the method; `auto` until resolved.
        selection_options: options of the method.
        space: how distances are measured, see `Space`.
        limits: limits on the batch, see `Constraints`.
        likeness: what the batch should be like, see `Likeness`.
        budget: size of the batch; None for the whole pool.
        seed: of the method.
        purpose: label ranks unlabelled items, review ranks existing labels.
        reasons: choices made by labelnext, by key, with a one-sentence reason.
    """

    acquisition: str | None = AUTO
    unit: Unit | None = None
    reduction: Reduction | None = None
    floor: float | None = None
    no_objects: NoObjects | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    calibrate: Calibrate = "off"
    selection: str = "top_k"
    selection_options: Mapping[str, Any] = field(default_factory=dict)
    space: Mapping[str, Any] = field(default_factory=dict)
    limits: Mapping[str, Any] = field(default_factory=dict)
    likeness: Mapping[str, Any] = field(default_factory=dict)
    budget: int | None = None
    seed: int = 0
    purpose: Purpose = "label"
    reasons: Mapping[str, str] = field(default_factory=dict)

    @property
    def function(self) -> AcquisitionFunction | None:
        """The acquisition function; None without one, or while it is `auto`."""
        if self.acquisition in (None, AUTO) or self.purpose == "review":
            return None
        return get_acquisition(str(self.acquisition))

    @property
    def scored(self) -> bool:
        """Whether items have utilities, by a function or by what they are like."""
        return self.acquisition is not None or bool(self.likeness.get("similar_to"))

    @property
    def method(self) -> SelectionMethod:
        """The selection method."""
        return get_selection(self.selection)

    @property
    def scoring(self) -> dict[str, Any]:
        """Options for `AcquisitionFunction.score`, besides the pool and the unit."""
        stated = {name: getattr(self, attribute) for attribute, name in _REDUCING.items()}
        return {**{n: v for n, v in stated.items() if v is not None}, **self.options}

    @cached_property
    def constraints(self) -> Constraints:
        """The limits on the batch."""
        return Constraints(**self.limits)

    def to_dict(self) -> dict[str, Any]:
        """As JSON-able data."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Recipe:
        """The inverse of `to_dict`; unknown keys from other versions are ignored."""
        known = {f.name for f in fields(cls)}
        return cls(**{name: value for name, value in data.items() if name in known})


def asked(
    acquisition: str | None = AUTO,
    *,
    options: Mapping[str, Any],
    budget: int | None = None,
    selection: str = "top_k",
    seed: int = 0,
    unit: Unit | None = None,
) -> Recipe:
    """Make a recipe from names and options; each option is routed by name.

    Args:
        acquisition: name of the function, auto, or None.
        options: of the function, the method, `Space`, `Constraints` and `Likeness`.
        budget: size of the batch; None for the whole pool.
        selection: name of the method.
        seed: of the method.
        unit: what to score; None for whatever the pool allows.

    Raises:
        UnknownName: for an unknown name or option.
        InvalidInput: if an option is ambiguous, or a value is invalid.

    Example:
        >>> asked("entropy", options={"base": 2, "per_group": 1}).limits
        {'per_group': 1}
    """
    check_whole("budget", budget, 1, "leave it out to rank the whole pool.")
    check_whole("seed", seed, 0)
    fitted_options({"acquisition": acquisition, "of": unit}, _NAMES)
    method = get_selection(selection)
    takers = takers_of(acquisition, method)
    for name in options:
        by = [taker for taker, names in takers.items() if name in names]
        if not by:
            raise unknown("option", name, set().union(*takers.values()))
        if len(by) > 1:
            raise InvalidInput(f"option {name} is ambiguous: both {by[0]} and {by[1]} have it.")
    fitted = fitted_options(options, kinds_of(acquisition, method))
    scoring, choosing, space, limits, likeness = (
        {n: v for n, v in fitted.items() if n in names} for names in takers.values()
    )
    Constraints(**limits)
    Likeness(**likeness).check(method)
    return Recipe(
        acquisition=acquisition,
        unit=unit,
        options=scoring,
        selection=method.name,
        selection_options=choosing,
        space=space,
        limits=limits,
        likeness=likeness,
        budget=budget,
        seed=seed,
    )


def takers_of(acquisition: str | None, method: SelectionMethod) -> dict[str, set[str]]:
    """The option names of the function, the method, the space, the constraints and the likeness.

    Args:
        acquisition: name of the function; `auto` has the options of all functions it may choose.
        method: the selection method.

    Raises:
        UnknownName: if there is no such function.
    """
    names = AUTO_FUNCTIONS if acquisition == AUTO else (acquisition,) if acquisition else ()
    scoring = set().union(*(get_acquisition(name).options for name in names))
    return {
        acquisition or "": scoring,
        method.name if method.name != acquisition else f"selection {method.name}": {
            *method.options
        },
        "distances": {f.name for f in fields(Space)} if "embeddings" in method.inputs else set(),
        "constraints": {f.name for f in fields(Constraints)},
        "likeness": {f.name for f in fields(Likeness)},
    }


def kinds_of(acquisition: str | None, method: SelectionMethod) -> dict[str, Any]:
    """The annotation of each option that `takers_of` names.

    Args:
        acquisition: name of the function, auto or None.
        method: the selection method.
    """
    names = AUTO_FUNCTIONS if acquisition == AUTO else (acquisition,) if acquisition else ()
    return {
        **option_kinds(Constraints),
        **option_kinds(Likeness),
        **option_kinds(Space),
        **method.kinds,
        **{n: kind for name in names for n, kind in get_acquisition(name).kinds.items()},
    }


def resolved(recipe: Recipe, pool: Pool, n_labels: tuple[int, int] | None = None) -> Recipe:
    """Fill in everything that depends on the data.

    That is: `auto`, the unit, how objects are reduced, and the number of clusters.

    Args:
        recipe: from `asked` or a configuration; a resolved recipe stays as it is.
        pool: the pool to rank.
        n_labels: of a larger pool that the pool is a part of, the labelled items with an embedding,
            and `few_labels`; those of the pool when None.

    Raises:
        UnknownName: if the function auto chooses doesn't have an option.
        InvalidInput: if the pool lacks required data.
    """
    if recipe.selection == AUTO and not_trained(pool):
        # There are no scores yet; whatever shall score later must not stop the start.
        recipe = replace(recipe, acquisition=None, unit=None, options={})
    recipe = _with_function(recipe, pool)
    method = recipe.method
    if not recipe.scored and "utilities" in method.needs:
        hint = "image_diversity needs none, and source.model: probe learns from your labels."
        if not_trained(pool):
            hint = "set selection.method: auto, which goes by coverage until the probe is trained."
        elif not len(pool):
            hint = "add items first, then predictions of them with scores."
        elif pool.embeddings is None:
            hint = (
                "add predictions with scores. No model yet? Set source.model: probe, which learns "
                "from your labels, and source.embeddings: {from: text} or {from: images}."
            )
        message = f"acquisition must be named for the selection {method.name}; got null"
        if why := recipe.reasons.get("acquisition"):  # auto's
            message = f"{method.name} needs predictions, but {why.partition(': ')[2].rstrip('.')}"
        raise InvalidInput(f"{message}{known_reasons(pool)}.", hint=hint)
    if recipe.selection == AUTO:
        recipe = _with_method(recipe, pool, n_labels)
    if (
        "embeddings" in recipe.method.needs
        and recipe.space.get("space") is None
        and pool.embeddings is None
        and has_shares(pool)
    ):
        why = f"The pool has no embeddings, so {recipe.selection} went by class probabilities."
        recipe = replace(
            recipe,
            space={**recipe.space, "space": "probabilities"},
            reasons={**recipe.reasons, "space": why},
        )
    if "n_clusters" in method.required and "n_clusters" not in recipe.selection_options:
        n_clusters = _default_clusters(pool)
        recipe = replace(
            recipe,
            selection_options={**recipe.selection_options, "n_clusters": n_clusters},
            reasons={**recipe.reasons, "n_clusters": f"{n_clusters}, one per class."},
        )
    return recipe


def not_trained(pool: Pool) -> str:
    """Why nothing is predicted, if that is because a probe has too few labels; else empty."""
    causes = [notice.message for notice in pool.notices if notice.code == NOT_TRAINED]
    return causes[0] if causes and pool.missing.all() else ""


def _with_method(recipe: Recipe, pool: Pool, n_labels: tuple[int, int] | None) -> Recipe:
    """The recipe with the selection method that auto chooses, and the reason."""
    scored, space = recipe.scored, _auto_space(recipe, pool, whole=n_labels is None)
    opinion = scored and n_labels is None and gives_opinion(pool, recipe)
    n_classes = None if pool.probabilities is None else pool.probabilities.shape[-1]
    few = few_labels(n_classes, classes_seen(pool.labels))
    name, why = auto_selection(
        *(n_labels or (n_anchors(pool, space), few)),
        scored=scored,
        space=space,
        n_classes=n_classes,
        opinion=opinion,
        alike=bool(recipe.likeness.get("similar_to")),
    )
    reasons = {**recipe.reasons, "selection": f"auto chose {name}: {why}."}
    measured = {"space": space} if space == "probabilities" else {}
    return replace(
        recipe,
        selection=name,
        selection_options=auto_options(name, space, opinion=opinion),
        space={**recipe.space, **measured},
        reasons=reasons,
    )


def _auto_space(recipe: Recipe, pool: Pool, *, whole: bool) -> Coordinates | None:
    """What the method that auto chooses measures distances by; None for the best scores.

    In a whole pool without embeddings, class probabilities: of two classes, scores tell as much.
    """
    asked: Coordinates | None = recipe.space.get("space")
    if asked == "probabilities" or has_embeddings(pool):
        return asked or "embeddings"
    several = pool.probabilities is not None and pool.probabilities.shape[-1] > 2
    plain = asked is None and several and not pool.multilabel
    return "probabilities" if plain and whole and recipe.scored else None


def _with_function(recipe: Recipe, pool: Pool) -> Recipe:
    """Fill in the function, the unit, and how objects are reduced."""
    name, unit, reasons = recipe.acquisition, recipe.unit, recipe.reasons
    chosen: dict[str, Any] = {}
    if name == AUTO:
        choice = auto_acquisition(pool, unit)
        name, unit, chosen = choice.name, choice.of or unit, dict(choice.options)
        reasons = {**reasons, "acquisition": str(choice)}
    if name is None:
        if recipe.options:
            raise InvalidInput(
                f"option {min(recipe.options)} must be left out without an acquisition function; "
                f"got {shown(recipe.options[min(recipe.options)])}."
            )
        return replace(recipe, acquisition=None, unit=None, reasons=reasons)
    function = get_acquisition(name)
    unit = function.unit_on(pool, unit)
    if pool.missing.all() and known_reasons(pool) and (lack := function.obstacle(pool, unit)):
        raise InvalidInput(f"{lack}{known_reasons(pool)}.")
    defaults = {n: v for n, v in function.options.items() if n in _REDUCING.values()}
    if unit == "objects" or pool.multilabel:
        reduced = _REDUCING if unit == "objects" else {"reduction": "reduce"}
        stated = {name: getattr(recipe, attribute) for attribute, name in reduced.items()}
        chosen = {**{n: defaults[n] for n in stated if n in defaults}, **chosen}
        chosen |= {n: v for n, v in stated.items() if v is not None and n in function.options}
    for option in recipe.options:
        if option not in function.options:
            raise unknown("option", option, function.options)
    chosen |= recipe.options
    return replace(
        recipe,
        acquisition=name,
        unit=unit,
        **{attribute: chosen.pop(name, None) for attribute, name in _REDUCING.items()},
        options=chosen,
        reasons=reasons,
    )


# Notices that explain why nothing was predicted.
_CAUSES = ("no_predictions", "maybe_logits", NOT_TRAINED)


def known_reasons(pool: Pool) -> str:
    """What reading found that leaves every item without a prediction; empty if nothing did."""
    if not pool.missing.all():
        return ""
    causes = [notice for notice in pool.notices if notice.code in _CAUSES]
    about_items = causes or [notice for notice in pool.notices if notice.item_ids] or pool.notices
    return "".join(f". {notice.message.rstrip('.')}" for notice in about_items[:3])


def _default_clusters(pool: Pool) -> int:
    """The number of classes.

    Raises:
        InvalidInput: if it is unknown.
    """
    if pool.n_classes is None:
        raise InvalidInput(
            "n_clusters must be given for a pool without classes; got None.",
            hint="set n_clusters, or name the pool's classes.",
        )
    return pool.n_classes


def check_whole(what: str, value: object, least: int, hint: str | None = None) -> None:
    """Raise InvalidInput unless a value is a whole number of at least `least`, or no budget."""
    if value is None and what == "budget":
        return
    kind = () if isinstance(value, bool) else (int, np.integer)
    if not isinstance(value, kind) or not least <= value < 2**63:
        raise InvalidInput(
            f"{what} must be a whole number of at least {least}; got {shown(value)}.", hint=hint
        )

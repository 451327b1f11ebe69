"""rank(): scores a pool and selects the next batch."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from labelnext.acquisition import AUTO, Unit, advice
from labelnext.errors import InvalidInput, LabelnextError, LabelnextWarning, listed
from labelnext.pool.objects import Notice, Objects
from labelnext.pool.pool import Pool, must_be_pool
from labelnext.ranking.doubt import check_doubt
from labelnext.ranking.groups import grouped
from labelnext.ranking.ranking import Ranking, priorities
from labelnext.ranking.recipe import Purpose as Purpose
from labelnext.ranking.recipe import Recipe, asked, known_reasons, resolved
from labelnext.selection import INPUTS, SelectionMethod
from labelnext.selection.constraints import Constraints
from labelnext.selection.hellinger import vectors_of_pool
from labelnext.selection.likeness import Likeness
from labelnext.selection.sorting import stable_order
from labelnext.selection.vectors import LARGEST, Array, Points, Space, finite_rows
from labelnext.support.words import counted

# Methods take one prediction per item, for any number of model versions.
_OF_ALL_VERSIONS = {"probabilities": "mean_probabilities", "objects": "newest_objects"}
# Notices of a pool that name items without an embedding.
_NO_EMBEDDING = (
    "broken_image",
    "broken_text",
    "no_embedding",
    "no_image",
    "no_text",
    "probe_without_embedding",
)
_OF_LABELLED = ("labelled_embeddings", "labelled_classes")


def rank(
    pool: Pool,
    acquisition: str | None = AUTO,
    *,
    budget: int | None = None,
    selection: str = "top_k",
    seed: int = 0,
    of: Unit | None = None,
    **options: Any,
) -> Ranking:
    """Score a pool and select the next batch.

    Args:
        pool: the items; labelled ones are left out.
        acquisition: name of the acquisition function; auto picks one that suits the pool, see
            `auto_acquisition`; None if the selection method needs no score.
        budget: size of the batch; the whole pool when None or larger than it.
        selection: name of the selection method.
        seed: of the selection method.
        of: score items by their own distribution or by their objects; when None, whatever the
            pool allows.
        options: options of the acquisition function, the selection method, `Space` (how distances
            are measured), `Constraints` (limits on the batch) or `Likeness` (what it should be
            like); each is routed by name.

    Returns:
        The ranking, independent of the order of the pool's rows.

    Raises:
        UnknownName: for an unknown name or option.
        InvalidInput: if the pool lacks required data, or `budget` is below 1.

    Example:
        >>> pool = Pool(["a", "b", "c"], probabilities=[[0.9, 0.1], [0.5, 0.5], [0.6, 0.4]])
        >>> rank(pool, "margin", budget=2).item_ids.tolist()
        ['b', 'c']
    """
    must_be_pool(pool)
    recipe = asked(
        acquisition, options=options, budget=budget, selection=selection, seed=seed, unit=of
    )
    return ranked(pool, resolved(recipe, pool))


def ranked(pool: Pool, recipe: Recipe) -> Ranking:
    """Rank a pool by a resolved recipe.

    Args:
        pool: the items; labelled ones are left out.
        recipe: from `resolved`.

    Raises:
        InvalidInput: if the pool lacks required data.
    """
    check_doubt(pool, recipe)
    function, constraints = recipe.function, recipe.constraints
    scores: NDArray[np.float64] = np.full(len(pool), np.nan)
    utilities = None
    if function is not None:
        if obstacle := function.obstacle(pool, recipe.unit):
            raise InvalidInput(f"{obstacle}.", hint=advice(pool))
        scores, utilities = function.score(pool, of=recipe.unit, **recipe.scoring)
    space, likeness, notices = Space(**recipe.space), Likeness(**recipe.likeness), list[Notice]()
    if likeness.similar_to:
        utilities, similarities, notices = likeness.weigh(pool, utilities, space.space)
        scores = similarities if function is None else scores
    by_vectors = "embeddings" in recipe.method.inputs
    vectors = vectors_of_pool(pool, space.space) if by_vectors else None
    excluded, unknown_ids = constraints.excluded(pool)
    notices += unknown_ids + auto_notices(recipe)
    free = pool.candidates & ~excluded
    if constraints.groups_as_items:
        groups = grouped(pool, recipe.method, constraints, free, utilities, vectors, space.space)
        limits, every = groups.limits(pool, constraints), groups.pool.candidates
        parts = (groups.pool, recipe, limits, every, groups.utilities, groups.vectors)
        chosen, others, usable, more = _chosen(*parts)
        batch, rest, usable = groups.members(chosen), groups.members(others), usable[groups.codes]
        more.append(groups.notice(chosen))
    else:
        batch, rest, usable, more = _chosen(pool, recipe, constraints, free, utilities, vectors)
    notices += more
    rows = np.concatenate([batch, rest])
    unscored = ~usable & free
    unscored[batch] = False
    if by_vectors and space.space != "probabilities":
        notices += _without_embedding(pool, recipe, unscored, utilities)
    order = pool.tie_order
    return Ranking(
        item_ids=pool.item_ids[batch],
        ranks=np.arange(1, len(batch) + 1),
        priorities=priorities(len(rows))[: len(batch)],
        scores=scores[batch],
        pool_order=pool.item_ids[rows],
        pool_scores=scores[rows],
        unscored_ids=tuple(pool.item_ids[order[unscored[order]]].tolist()),
        acquisition=recipe.acquisition,
        of=recipe.unit,
        direction=None if function is None else function.direction,
        selection=recipe.selection,
        seed=recipe.seed,
        notices=tuple(notices),
        recipe=recipe,
    )


def _chosen(
    pool: Pool,
    recipe: Recipe,
    constraints: Constraints,
    free: NDArray[np.bool_],
    utilities: NDArray[np.floating] | None,
    vectors: Array | None,
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.bool_], list[Notice]]:
    """The batch and the other candidates, both in order; which items are usable; and notices.

    Args:
        pool: the items, or their groups as items.
        recipe: with the method.
        constraints: on the batch.
        free: shape (n_items,), whether an item may be chosen.
        utilities: shape (n_items,), larger is labelled sooner, NaN without one; or None.
        vectors: shape (n_items, n_dimensions), what distances are measured by; or None.
    """
    method, space = recipe.method, Space(**recipe.space)
    usable = _usable(method, pool, utilities, vectors)
    order = pool.tie_order
    candidates = order[(usable & free)[order]]
    options = dict(recipe.selection_options)
    if method.seeded:
        options["seed"] = recipe.seed
    inputs = _Inputs(method, pool, utilities, usable, vectors, space, recipe.seed)

    def choose(
        left: NDArray[np.intp], taken: NDArray[np.intp], wanted: int | None
    ) -> NDArray[np.intp]:
        if method.prefix and constraints.any:
            wanted = None
        chosen = left[:0]
        for number, tier in enumerate(_tiers(pool, left)):
            lacking = None if wanted is None else wanted - len(chosen)
            if not number or (len(tier) and lacking != 0):
                before = np.concatenate([taken, chosen])
                picks = method.choose(inputs.of(tier, before), len(tier), lacking, options)
                chosen = np.concatenate([chosen, tier[picks]])
        return chosen

    notices: list[Notice] = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", LabelnextWarning)
        if constraints.any:
            batch, notices = constraints.fill(pool, candidates, recipe.budget, choose)
        else:
            batch = choose(candidates, candidates[:0], recipe.budget)
    messages = [str(w.message) for w in caught if issubclass(w.category, LabelnextWarning)]
    notices += [Notice("selection", message) for message in dict.fromkeys(messages)]
    chosen = np.zeros(len(pool), dtype=np.intp)
    np.add.at(chosen, batch, 1)
    if chosen.max(initial=0) > 1:  # never, by the checks above: no batch holds an item twice
        raise LabelnextError(f"{method.name} chose {pool.item_ids[chosen.argmax()]} twice.")
    rest = candidates[:0]
    if utilities is not None:
        rest = candidates[chosen[candidates] == 0]
        rest = rest[stable_order(utilities[rest])]
        rest = np.concatenate(_tiers(pool, rest))
    return batch, rest, usable, notices


def _without_embedding(
    pool: Pool,
    recipe: Recipe,
    unscored: NDArray[np.bool_],
    utilities: NDArray[np.floating] | None,
) -> list[Notice]:
    """A notice of items that aren't ranked for lack of an embedding, unless one tells already.

    Args:
        pool: the items.
        recipe: with a method that goes by embeddings.
        unscored: shape (n_items,), whether an item isn't ranked although it could be labelled.
        utilities: shape (n_items,), NaN without one; or None.
    """
    told = {item for n in pool.notices if n.code in _NO_EMBEDDING for item in n.item_ids}
    order = pool.tie_order
    rows = order[unscored[order]]
    if utilities is not None:
        rows = rows[~np.isnan(utilities[rows])]
    if pool.embeddings is not None:
        there = (np.abs(pool.embeddings[rows].astype(np.float64)) <= LARGEST).all(axis=1)
        rows = rows[~there]
    ids = [item for item in pool.item_ids[rows].tolist() if item not in told]
    if not ids:
        return []
    message = (
        f"{recipe.selection} goes by embeddings, so it leaves out {counted(len(ids), 'item')} "
        f"without one that can be used: {listed(ids)}."
    )
    return [Notice("no_embedding", message, tuple(ids))]


def _tiers(pool: Pool, rows: NDArray[np.intp]) -> list[NDArray[np.intp]]:
    """These positions in their order: those that come first, then the deferred ones."""
    if pool.deferred is None:
        return [rows]
    late = pool.deferred[rows]
    return [rows[~late], rows[late]]


def auto_notices(recipe: Recipe) -> list[Notice]:
    """What auto chose, for the report; margin, the usual choice, isn't mentioned."""
    usual = {"acquisition"} if recipe.acquisition == "margin" else set()
    keys = [key for key in ("acquisition", "selection", "space") if key in recipe.reasons]
    return [Notice(key, recipe.reasons[key]) for key in keys if key not in usual]


def _usable(
    method: SelectionMethod,
    pool: Pool,
    utilities: NDArray[np.floating] | None,
    vectors: Array | None,
) -> NDArray[np.bool_]:
    """Which items have all inputs of the method, shape (n_items,)."""
    usable = np.ones(len(pool), dtype=bool) if utilities is None else ~np.isnan(utilities)
    if vectors is not None:
        usable &= finite_rows(Points(vectors), pool.item_ids)
    if "probabilities" in method.inputs and pool.mean_probabilities is not None:
        usable &= ~np.isnan(pool.mean_probabilities).any(axis=1)
    if pool.newest_objects is not None and "objects" in method.inputs:
        usable &= _finite_objects(pool.newest_objects)
    return usable


def _finite_objects(objects: Objects) -> NDArray[np.bool_]:
    """Items whose objects have embeddings without NaN or infinity, shape (n_items,)."""
    whole = np.ones(len(objects), dtype=bool)
    if objects.embeddings is not None:
        whole[objects.item_positions[~finite_rows(Points(objects.embeddings))]] = False
    return whole


@dataclass(frozen=True)
class _Inputs:
    """The inputs a method takes from the pool."""

    method: SelectionMethod
    pool: Pool
    utilities: NDArray[np.floating] | None
    usable: NDArray[np.bool_]
    vectors: Array | None
    space: Space
    seed: int

    @cached_property
    def _points(self) -> Callable[[NDArray[np.intp]], Points]:
        """Points of pool rows, in a space learnt from all usable rows, in id order."""
        order = self.pool.tie_order
        rows = order[self.usable[order]]
        assert self.vectors is not None
        return self.space.of(self.vectors, rows, seed=self.seed)

    @cached_property
    def _finite(self) -> NDArray[np.bool_]:
        assert self.vectors is not None
        return finite_rows(Points(self.vectors))

    def of(self, candidates: NDArray[np.intp], taken: NDArray[np.intp]) -> dict[str, Any]:
        """The inputs for some candidates; items already taken count as labelled."""
        return {name: self._column(name, candidates, taken) for name in self.method.inputs}

    def _column(self, name: str, candidates: NDArray[np.intp], taken: NDArray[np.intp]) -> Any:
        source = name.removeprefix("labelled_").removeprefix("taken_")
        source = "labels" if name == "labelled_classes" else source
        of_pool = _OF_ALL_VERSIONS.get(source, source)
        columns = {"utilities": self.utilities, "embeddings": self.vectors}
        column = columns[source] if source in columns else getattr(self.pool, of_pool)
        if column is None or (name == "predicted_classes" and not (column >= 0).any()):
            if name not in self.method.needs:
                return None
            cause = known_reasons(self.pool)
            raise InvalidInput(
                f"{self.method.name} needs {INPUTS[name]}, but the pool has none{cause}.",
                hint="add them to the pool (in a configuration, by source), or use top_k.",
            )
        if source == "objects":
            return column.take(candidates if name == source else taken)
        if name in _OF_LABELLED:
            done = self.pool.labelled & self._finite
            done[taken] = self._finite[taken]
            order = self.pool.tie_order
            rows = order[done[order]]
            return self._points(rows) if source == "embeddings" else column[rows]
        if name == "embeddings":
            return self._points(candidates)
        return column[candidates]

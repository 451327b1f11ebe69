"""The batch of a pool that is read in parts, from what the parts kept."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from labelnext.adapter.protocol import Part
from labelnext.pool.id_order import id_order
from labelnext.pool.objects import Notice
from labelnext.pool.pool import Pool
from labelnext.ranking.recipe import Recipe
from labelnext.runs.large.choices import picks_in_rounds
from labelnext.runs.large.guide import Guide, labels_of
from labelnext.runs.large.order import Scores
from labelnext.runs.large.score_part import Scoring
from labelnext.runs.large.second_round import second_round
from labelnext.selection.constraints import Constraints
from labelnext.selection.image_diversity import in_rounds
from labelnext.selection.quotas import shared
from labelnext.selection.stochastic import disturbed
from labelnext.selection.top_k import top_k
from labelnext.selection.typiclust import turns
from labelnext.support.store import Store

if TYPE_CHECKING:
    import pyarrow as pa


def batch_of(
    scoring: Scoring,
    scores: Scores,
    parts: Sequence[Part],
    store: Store,
    guide: Guide | None,
    n_ranked: int,
) -> tuple[pa.Table | None, list[Notice]]:
    """The batch in its order with item_id and score; None where it is simply what comes first.

    Args:
        scoring: with the recipe.
        scores: of all parts.
        parts: of the pool.
        store: of what the parts kept.
        guide: where the method goes by embeddings.
        n_ranked: how many could be chosen.
    """
    recipe = scoring.recipe
    if guide is not None and picks_in_rounds(recipe):
        return second_round(scoring, scores.integers, parts, store, guide, n_ranked)
    if guide is not None:
        drawn = f"{len(guide.sample):,} items"
        about = "; so is how typical an item is" if recipe.selection == "typiclust" else ""
        message = f"{recipe.selection} learnt its centres from a sample of {drawn}{about}."
        return _of_clusters(recipe, scores, guide), [Notice("sample", message)]
    notices = _unknown(recipe.constraints, scores)
    if recipe.selection == "stochastic":
        return _drawn(recipe, scores), notices
    if not recipe.constraints.any:
        return None, notices
    batch, limit_notices = _within_limits(recipe, scores)
    return batch, notices + limit_notices


def _of_clusters(recipe: Recipe, scores: Scores, guide: Guide) -> pa.Table:
    """The lists of the clusters, merged over all parts, and taken from in turns."""
    import pyarrow as pa

    n, firsts = len(guide.centres), np.zeros(len(guide.centres), dtype=np.intp)
    sizes, largest = np.zeros(n, dtype=np.intp), 0.0
    cluster_rows = scores.rows(
        "SELECT cluster, count(*), max(distance) FROM scores WHERE cluster IS NOT NULL "
        f"GROUP BY cluster ORDER BY min({scores.tie.split(',')[0]})"
    )
    for index, (cluster, size, farthest) in enumerate(cluster_rows):
        sizes[cluster], firsts[cluster] = size, index
        largest = max(largest, farthest)
    n_picks = min(recipe.budget or 0, int(sizes.sum()))
    if recipe.selection == "typiclust":
        order = turns(labels_of(guide), sizes, firsts, n_picks)
        most, by = np.bincount(order, minlength=n), "distance"
    else:
        rounds = 0
        while np.minimum(sizes, rounds).sum() < n_picks:
            rounds += 1
        order, most = None, np.minimum(sizes, rounds)
        # Equal but for rounding is equal, as in `comparable`.
        by = f"round(distance / {max(largest, 1e-300)!r}, 9)"
    lists = _heads(scores, by, sizes, most)
    clusters = lists.column("cluster").to_numpy()
    if order is None:
        ids = np.array(lists.column("item_id").to_pylist(), dtype=np.str_)
        rows = _by_id(ids, scores.integers)
        distances = lists.column("place").to_numpy()
        picks = rows[in_rounds(distances[rows], clusters[rows], sizes)][:n_picks]
    else:
        starts = np.searchsorted(clusters, np.arange(n))
        picks = starts[order] + _places(order)
    return lists.take(pa.array(picks)).select(["item_id", "score"])


def _drawn(recipe: Recipe, scores: Scores) -> pa.Table:
    """The best after noise, which comes to the items by id, as it does in memory."""
    import pyarrow as pa

    ((least, before),) = scores.rows(
        "SELECT min(utility) FILTER (isfinite(utility)), count(*) FILTER (utility = 'inf') "
        "FROM scores"
    )
    rng = np.random.default_rng(recipe.seed)
    kept: list[pa.Table] = []
    keys: NDArray[np.float64] = np.empty(0)
    for table in scores.tables(
        "SELECT item_id, score, utility, rank() OVER (ORDER BY utility DESC) AS place FROM scores "
        f"WHERE utility IS NOT NULL ORDER BY {scores.tie}"
    ):
        utilities = table.column("utility").to_numpy()
        ranks = table.column("place").to_numpy() - before
        noise = rng.gumbel(size=len(table))
        drawn = disturbed(utilities, noise, ranks, least or 0.0, **recipe.selection_options)
        keys = np.concatenate([keys, drawn])
        best = np.sort(top_k(keys, recipe.budget))  # the order of the ids is that of ties
        whole = pa.concat_tables([*kept, table.select(["item_id", "score"])])
        kept, keys = [whole.take(pa.array(best))], keys[best]
    return pa.concat_tables(kept).take(pa.array(top_k(keys, recipe.budget)))


def _heads(scores: Scores, by: str, sizes: NDArray[np.intp], most: NDArray[np.intp]) -> pa.Table:
    """The first items of each cluster's list, cluster after cluster."""
    import pyarrow as pa

    starts, first, kept = np.cumsum(sizes) - sizes, 0, []
    for table in scores.tables(
        f"SELECT item_id, score, cluster, {by} AS place FROM scores WHERE cluster IS NOT NULL "
        f"ORDER BY cluster, place, {scores.tie}"
    ):
        clusters = table.column("cluster").to_numpy()
        places = np.arange(first, first + len(table)) - starts[clusters]
        kept.append(table.filter(pa.array(places < most[clusters])))
        first += len(table)
    return pa.concat_tables(kept)


def _within_limits(recipe: Recipe, scores: Scores) -> tuple[pa.Table, list[Notice]]:
    """What the limits leave of the best scores: of each kind no more can come in than its limit."""
    import pyarrow as pa

    limits = recipe.constraints
    scores.add("included", pa.table({"item_id": pa.array([str(i) for i in limits.include])}))
    can_come = "utility IS NOT NULL OR item_id IN (SELECT item_id FROM included)"
    quotas: dict[Any, dict[Any, int]] = {
        kind: shared(quota, _sizes(scores, kind, can_come), recipe.budget or 0, kind)
        if isinstance(quota, str)
        else {str(name): most for name, most in quota.items()}
        for kind, quota in limits.quotas.items()
    }
    quotas = {kind: quota for kind, quota in quotas.items() if quota}  # shares of nothing are none
    limits = replace(limits, quota=quotas, quota_of="class")
    kept = pa.concat_tables(
        _candidates(
            limits,
            quotas,
            recipe.budget,
            scores.tables(
                f"SELECT * FROM scores WHERE {can_come} "
                f"ORDER BY utility DESC NULLS LAST, {scores.tie}"
            ),
        )
    )
    ids = np.array(kept.column("item_id").to_pylist(), dtype=np.str_)
    pool = _pool_of(kept, ids, limits)
    utilities = kept.column("utility").to_numpy()
    order = _by_id(ids, scores.integers)
    candidates = order[(~np.isnan(utilities))[order]]

    def choose(
        left: NDArray[np.intp], taken: NDArray[np.intp], wanted: int | None
    ) -> NDArray[np.intp]:
        return left[top_k(utilities[left], wanted)]

    batch, notices = limits.fill(pool, candidates, recipe.budget, choose)
    return kept.take(pa.array(batch)).select(["item_id", "score"]), notices


def _sizes(scores: Scores, kind: str, condition: str) -> dict[str, int]:
    """How many items of each class, group or value of metadata meet a condition."""
    column = '"' + f"of {kind}".replace('"', '""') + '"'
    rows = f"SELECT {column}, count(*) FROM scores WHERE {condition} GROUP BY {column}"
    return dict(scores.rows(rows))


def _candidates(
    limits: Constraints,
    quotas: Mapping[str, Mapping[str, int]],
    budget: int | None,
    tables: Iterator[pa.Table],
) -> Iterator[pa.Table]:
    """Of tables sorted by utility, the rows that can still come in.

    Of the items that are alike in all that is limited, no more come in than the least limit.
    """
    import pyarrow as pa

    everything = np.inf if budget is None else float(budget)
    known: dict[str, dict[str, int]] = {kind: {} for kind in (*quotas, "")}
    counts: dict[tuple[int, ...], int] = {}
    included = {str(i) for i in limits.include}
    for table in tables:
        room: NDArray[np.float64] = np.full(len(table), everything)
        kinds: list[NDArray[np.int64]] = [np.zeros(len(table), dtype=np.int64)]
        for kind, quota in quotas.items():
            codes, names = _codes(table.column(f"of {kind}"), known[kind])
            # What has no quota of its own shares what is left.
            rest = everything - sum(quota.values())
            room = np.minimum(room, np.array([float(quota.get(n, rest)) for n in names])[codes])
            others = np.array([n not in quota for n in names])
            kinds.append(np.where(others[codes], -1, codes))
        if limits.per_group is not None:
            codes, names = _codes(table.column("group"), known[""])
            grouped = np.array([n != "" for n in names])[codes]
            room = np.where(grouped, np.minimum(room, limits.per_group), room)
            kinds.append(np.where(grouped, codes, -1))
        alike = kinds[0]
        for codes in kinds[1:]:
            alike = np.unique(alike * (codes.max(initial=0) + 2) + codes, return_inverse=True)[1]
        _, first, inverse, here = np.unique(
            alike, return_index=True, return_inverse=True, return_counts=True
        )
        keys = list(map(tuple, np.stack(kinds, axis=1)[first].tolist()))
        before = np.array([counts.get(key, 0) for key in keys])
        fits = _places(inverse) + before[inverse] < room
        counts |= dict(zip(keys, (before + here).tolist(), strict=True))
        if included:
            names = table.column("item_id").to_pylist()
            fits |= np.array([name in included for name in names], dtype=bool)
        yield table.filter(pa.array(fits))


def _codes(column: Any, known: dict[str, int]) -> tuple[NDArray[np.int64], list[str]]:
    """A number for each value, the same in all tables, and the values by number."""
    encoded = column.combine_chunks().dictionary_encode()
    names = encoded.dictionary.to_pylist()
    codes = np.array([known.setdefault(name, len(known)) for name in names], dtype=np.int64)
    row_codes: NDArray[np.int64] = codes[encoded.indices.to_numpy()]
    return row_codes, list(known)


def _places(keys: NDArray[np.intp]) -> NDArray[np.intp]:
    """How many equal keys stand before each: [5, 7, 5] gives [0, 0, 1]."""
    order = np.argsort(keys, kind="stable")
    ordered = keys[order]
    starts = np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1])[: len(keys)])
    lengths = np.diff(np.append(starts, len(keys)))
    places = np.empty(len(keys), dtype=np.intp)
    places[order] = np.arange(len(keys)) - np.repeat(starts, lengths)
    return places


def _pool_of(kept: pa.Table, ids: NDArray[np.str_], limits: Constraints) -> Pool:
    """What is left of the pool: of the predictions, which class came first."""
    columns: dict[str, Any] = {"labelled": kept.column("labelled").to_numpy()}
    columns["groups"] = kept.column("group").to_pylist()
    held = {kind: kept.column(f"of {kind}").to_pylist() for kind in limits.quotas}
    if (names := held.pop("class", None)) is not None:
        classes = sorted({*filter(None, names), *limits.quotas["class"]})
        codes = np.array([classes.index(n) if n else -1 for n in names], dtype=np.intp)
        columns["probabilities"] = np.append(np.eye(len(classes)), [[0.0] * len(classes)], 0)[codes]
        columns |= {"classes": classes, "missing": codes < 0}
    if (groups := held.pop("group", None)) is not None:
        columns["groups"] = groups
    return Pool(ids, metadata=held, **columns)


def _by_id(ids: NDArray[np.str_], integers: bool) -> NDArray[np.intp]:
    """The order of some ids, as all ids of the pool go."""
    return id_order(ids) if integers else np.argsort(ids, kind="stable")


def _unknown(limits: Constraints, scores: Scores) -> list[Notice]:
    """A notice of excluded ids that no part holds."""
    import pyarrow as pa

    names = [str(i) for i in limits.exclude]
    if not names:
        return []
    scores.add("excluded", pa.table({"item_id": pa.array(names)}))
    text = "SELECT item_id FROM scores WHERE item_id IN (SELECT item_id FROM excluded)"
    return limits.excluded(Pool([row[0] for row in scores.rows(text)]))[1]

"""Explains an item's rank: its parts, their scores, and what would change it."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from labelnext.acquisition import AcquisitionFunction, get_acquisition
from labelnext.acquisition.box_committee import cluster_certainty
from labelnext.acquisition.matching import merge_boxes
from labelnext.acquisition.objects import alone
from labelnext.errors import NotFound
from labelnext.pool.objects import Objects
from labelnext.pool.pool import Pool
from labelnext.ranking.ranking import Ranking
from labelnext.ranking.reasons import class_name, objects_scored, own_options, reason
from labelnext.selection import get_selection
from labelnext.selection.constraints import Constraints
from labelnext.support.words import NO_SUCH_ID

_SEARCHED = 20_000  # ids among which a similar one is looked for
_MOST = 20  # parts listed
_NAMED = 3  # objects whose removal is computed


@dataclass(frozen=True)
class Explanation:
    """Explanation of an item's rank.

    Attributes:
        item_id: of the item.
        place: its rank in the whole pool; None if it isn't ranked.
        n_ranked: number of ranked items.
        status: in words: in the batch, beyond it, or why it isn't ranked.
        score: the textbook value; None without one.
        rule: how the score is computed.
        reason: a one-line summary.
        parts: its objects, labels, classes or box clusters, each with its contribution,
            None for a model version without a prediction, and for a number that is missing.
        changes: what would move the item, as sentences.
        link: where to open the item; None if there is no address.
        address: where people begin to label; None if there is no address.
        name: what people call the item; None where that is its id.
    """

    item_id: str
    place: int | None
    n_ranked: int
    status: str
    score: float | None
    rule: str
    reason: str
    parts: Sequence[Mapping[str, Any]]
    changes: Sequence[str]
    link: str | None = None
    address: str | None = None
    name: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """As JSON-able data."""
        return asdict(self)


def explain_item(pool: Pool, ranking: Ranking, item_id: str) -> Explanation:
    """Explain an item's rank.

    Args:
        pool: the ranked pool.
        ranking: of the pool.
        item_id: of the item.

    Raises:
        NotFound: if the pool has no such item.

    Example:
        >>> from labelnext.ranking import rank
        >>> pool = Pool(["a", "b"], objects=Objects([0, 1, 3], [0.9, 0.8, 0.5]))
        >>> why = explain_item(pool, rank(pool, "mean_object_confidence"), "b")
        >>> why.place, why.score, [part["confidence"] for part in why.parts]
        (1, 0.65, [0.8, 0.5])
    """
    matches = np.flatnonzero(pool.item_ids == str(item_id))
    if not matches.size:
        near = _like(str(item_id), pool.item_ids.tolist())
        raise NotFound(
            f"no item is called {item_id!r}.",
            hint=f"did you mean {near}?" if near else NO_SUCH_ID,
        )
    row = int(matches[0])
    positions = np.flatnonzero(ranking.pool_order == str(item_id))
    rank = int(positions[0]) + 1 if positions.size else None
    score = None if rank is None else float(ranking.pool_scores[rank - 1])
    rule, parts, changes = _causes(pool, ranking, row, rank, score)
    return Explanation(
        str(item_id),
        rank,
        len(ranking.pool_order),
        _status(pool, ranking, row, rank),
        None if score is None else _known(score),
        rule,
        reason(pool, row, ranking.of, ranking.recipe),
        parts,
        changes,
    )


def _like(written: str, ids: list[str]) -> str | None:
    """The id that is most like what somebody wrote: nearly the same, or the shortest around it."""
    near = difflib.get_close_matches(written, ids if len(ids) <= _SEARCHED else [], n=1)
    return next(iter(near), None) or min((i for i in ids if written in i), key=len, default=None)


def _causes(
    pool: Pool, ranking: Ranking, row: int, rank: int | None, score: float | None
) -> tuple[str, list[dict[str, Any]], list[str]]:
    """The rule an item ranks by, what its score is made of, and what would change its rank."""
    likeness = {} if ranking.recipe is None else ranking.recipe.likeness
    weighed = bool(likeness.get("similar_to"))
    together = ranking.recipe is not None and bool(ranking.recipe.constraints.groups_as_items)
    if pool.missing[row]:
        return "no score, as the item has no prediction", [], []
    if ranking.acquisition is None:
        by_method = "the selection method decides"
        decides = "how similar it is to the named items" if weighed else by_method
        return f"no acquisition function: {decides}", [], []
    function = get_acquisition(ranking.acquisition)
    options = {} if ranking.recipe is None else ranking.recipe.scoring
    rule = _rule(function, ranking, pool, options)
    rule += "; the order also weighs how similar it is to the named items" * weighed
    rule += "; its whole group ranks as one item" * together
    parts = _parts(pool, row, function, ranking, options)
    changes: list[str] = []
    if rank is not None and score is not None and not (np.isnan(score) or weighed or together):
        changes = [
            *_threshold(ranking, rank),
            *_without_each(pool, row, function, ranking, options, rank),
        ]
    return rule, parts, changes


def _status(pool: Pool, ranking: Ranking, row: int, rank: int | None) -> str:
    if rank is not None:
        inside = rank <= len(ranking)
        of_all = f"rank {rank:,} of {len(ranking.pool_order):,}"
        return f"{of_all}, {'in' if inside else 'beyond'} the batch"
    if not pool.candidates[row]:
        done = pool.labelled[row]
        return f"not ranked: {'already labelled' if done else 'nobody is given it any more'}"
    if pool.missing[row]:
        return "not ranked: no prediction"
    if pool.item_ids[row] in ranking.unscored_ids:
        return "not ranked: its prediction has NaN, or the selection method lacks an input"
    return "not ranked: left out by the selection method or a constraint"


def _rule(
    function: AcquisitionFunction, ranking: Ranking, pool: Pool, options: Mapping[str, Any]
) -> str:
    chosen = {**function.options, **options}
    text = f"{function.name}: {function.summary}; {function.direction} is labelled first"
    if ranking.of == "objects" or pool.multilabel:
        unit = "objects" if ranking.of == "objects" else "labels"
        how = chosen.get("reduce", "mean")
        text += f"; {unit} reduced by {how}"
    if ranking.of == "objects":
        text += f", floor {chosen['floor']:g}, items without objects {chosen['no_objects']}"
    return text + ("; per cost" if chosen.get("per_cost") else "")


def _parts(
    pool: Pool,
    row: int,
    function: AcquisitionFunction,
    ranking: Ranking,
    options: Mapping[str, Any],
) -> list[dict[str, Any]]:
    if ranking.of == "objects" and len(pool.object_sets) > 1:
        return _cluster_parts(pool, pool.object_sets, row, {**function.options, **options})
    if ranking.of == "objects" or pool.multilabel:
        return _object_parts(pool, row, function, ranking, options)
    if pool.answers:
        return _answer_parts(pool, row)
    if pool.members is None:
        return []
    vectors = pool.members[:, row]
    whole = vectors[~np.isnan(vectors).any(axis=1)]
    order = np.argsort(-whole.sum(axis=0), kind="stable")[:_MOST]
    members = [f"version {m + 1}" for m in range(len(vectors))] if len(vectors) > 1 else None
    return [
        {
            "class": class_name(pool, int(c)),
            **{
                name: _known(vector[c])
                for name, vector in zip(members or ["probability"], vectors, strict=True)
            },
        }
        for c in order
    ]


def _known(value: float) -> float | None:
    """A number as JSON has it; None for NaN."""
    return None if np.isnan(value) else float(value)


def _answer_parts(pool: Pool, row: int) -> list[dict[str, Any]]:
    """The item's confidence, by model version."""
    several = len(pool.answers) > 1
    parts = []
    for number, answers in enumerate(pool.answers, 1):
        start, end = answers.offsets[row : row + 2].tolist()
        ids = answers.class_ids
        parts += [
            {
                **({"version": f"version {number}"} if several else {}),
                **({} if ids is None else {"class": class_name(pool, int(ids[i]))}),
                "confidence": _known(answers.confidences[i]),
            }
            for i in range(start, end)
        ]
    return parts


def _object_parts(
    pool: Pool,
    row: int,
    function: AcquisitionFunction,
    ranking: Ranking,
    options: Mapping[str, Any],
) -> list[dict[str, Any]]:
    """The item's objects (or labels): class, confidence, score, and whether each counts.

    Of a label that is its probability: the confidence in it is that in the likelier answer.
    """
    objects = objects_scored(pool, ranking.of or "items", function, options).take(np.array([row]))
    n = len(objects.confidences)
    scores = function.function(alone(objects), **own_options(function, options, without=True))
    floor = float(options.get("floor", 0.0)) if ranking.of == "objects" else 0.0
    ids = np.arange(n) if ranking.of == "items" else objects.class_ids
    known, labels = objects.confidences, ranking.of == "items"
    if labels and pool.mean_probabilities is not None:
        known = pool.mean_probabilities[row]
    order = np.argsort(-known, kind="stable")[:_MOST].tolist()
    return [
        {
            "class": "object" if ids is None else class_name(pool, int(ids[i])),
            "probability" if labels else "confidence": _known(known[i]),
            "score": _known(scores[i]),
            **({} if objects.weights is None else {"weight": float(objects.weights[i])}),
            "counts": not objects.confidences[i] < floor,
        }
        for i in order
    ]


def _cluster_parts(
    pool: Pool, versions: tuple[Objects, ...], row: int, options: Mapping[str, Any]
) -> list[dict[str, Any]]:
    clusters = merge_boxes(
        versions, iou=options["iou"], floor=options["floor"], start=row, stop=row + 1
    )
    n_classes = options.get("n_classes") or pool.n_classes
    certainty = cluster_certainty(clusters, versions, n_classes)
    parts = []
    for i, members in enumerate(clusters.members[:_MOST].tolist()):
        classes = [
            "-" if m < 0 else "object" if v.class_ids is None else class_name(pool, v.class_ids[m])
            for v, m in zip(versions, members, strict=True)
        ]
        parts.append(
            {
                "class by version": ", ".join(classes),
                "semantic": float(certainty.semantic[i]),
                "spatial": float(certainty.spatial[i]),
                "occurrence": float(certainty.occurrence[i]),
                "certainty": float(certainty.product[i]),
            }
        )
    return parts


def _threshold(ranking: Ranking, rank: int) -> list[str]:
    """The score that would move an item into or out of the batch."""
    n = len(ranking)
    if n in (0, len(ranking.pool_order)):
        return []
    if ranking.selection != "top_k":
        picks = get_selection(ranking.selection).summary
        return [f"{ranking.selection} picks {picks}: the score alone doesn't decide."]
    recipe = ranking.recipe
    if recipe is not None and replace(recipe.constraints, exclude=()) != Constraints():
        return ["the batch has limits or wishes of its own: the score alone doesn't decide."]
    edge = ranking.pool_scores[n - 1 if rank > n else n]
    inwards, outwards = ("above", "below") if ranking.direction == "high" else ("below", "above")
    if rank > n:
        return [f"a score {inwards} {edge:.4g} (the last item in the batch) would bring it in."]
    return [f"a score {outwards} {edge:.4g} (the first item beyond the batch) would take it out."]


def _without_each(
    pool: Pool,
    row: int,
    function: AcquisitionFunction,
    ranking: Ranking,
    options: Mapping[str, Any],
    rank: int,
) -> list[str]:
    """How removing each of the most influential objects would change the score."""
    if ranking.of != "objects" or len(pool.object_sets) != 1:
        return []
    objects = objects_scored(pool, "objects", function, options).take(np.array([row]))
    passed = own_options(function, options)
    floor = float(options.get("floor", 0.0))
    rows = np.flatnonzero(~(objects.confidences < floor))
    if len(rows) < 2:
        return []
    everything = float(function.function(objects, **passed)[0])
    effects = []
    for i in rows.tolist():
        kept = np.arange(len(objects.confidences)) != i
        effects.append(float(function.function(objects.where(kept), **passed)[0]))
    order = np.argsort(-np.abs(np.array(effects) - everything), kind="stable")[:_NAMED]
    ids = objects.class_ids
    return [
        f"without {'object' if ids is None else class_name(pool, int(ids[rows[j]]))} "
        f"{objects.confidences[rows[j]]:.2f}, the score would be {effects[j]:.4g}"
        f"{_about(ranking, effects[j], rank, options)}."
        for j in order.tolist()
    ]


def _about(ranking: Ranking, score: float, rank: int, options: Mapping[str, Any]) -> str:
    """The item's approximate rank with this score, if the score alone decides."""
    if ranking.selection != "top_k" or options.get("per_cost"):
        return ""
    scores = np.delete(ranking.pool_scores, rank - 1)
    better = scores > score if ranking.direction == "high" else scores < score
    return f", about rank {int(np.count_nonzero(better)) + 1}"

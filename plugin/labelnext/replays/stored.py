"""Replay of stored predictions: would a version's ranking have found its mistakes?

No model is trained, so this can't measure accuracy. It measures how early a version's ranking finds
the items it got wrong, and the items on which the next version changed its prediction. A random
order finds any share of them in the same share of the items.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray

from labelnext.acquisition import AUTO, acquisition_names, get_acquisition
from labelnext.acquisition.matching import hits
from labelnext.errors import InvalidInput, without_secrets
from labelnext.pool.objects import Objects
from labelnext.pool.pool import Pool
from labelnext.ranking.recipe import Recipe, resolved
from labelnext.selection.sorting import stable_order
from labelnext.support.words import counted, joined

SHARES = (0.05, 0.1, 0.2, 0.3, 0.5)
_FIRST = 0.1
_CONFIDENT = 0.5  # objects below it are ignored
_LEAST = 5  # targets needed for a comparison
WRONG, CHANGED = "where prediction and label differ", "changed in the next version"
_NONE = {
    WRONG: f"{WRONG}: no item with a prediction is labelled",
    CHANGED: f"{CHANGED}: none of its items is in there",
}


@dataclass(frozen=True)
class Found:
    """How early a strategy's ranking of one version finds its targets.

    Attributes:
        version: number of the version, from 1.
        name: of the version; its number if the source has no name.
        target: what should be found.
        strategy: the acquisition function.
        n_items: ranked items.
        n_targets: items that should come early.
        shares: share of the targets in the first 5, 10, 20, 30 and 50 % of the ranking.
        area: chance that a target ranks before another item, in [0, 1]; 0.5 for random.
        interval: of the area, at 95 % for all rows jointly.
    """

    version: int
    name: str
    target: str
    strategy: str
    n_items: int
    n_targets: int
    shares: list[float]
    area: float
    interval: tuple[float, float]


@dataclass(frozen=True)
class StoredReport:
    """The results of a replay of stored predictions.

    Attributes:
        rows: one per version, target and strategy.
        left_out: strategies that couldn't be replayed, with the reason, and targets too rare.
        advice: one sentence.
        path: of the HTML page, if requested.
    """

    rows: list[Found]
    left_out: list[str]
    advice: str
    path: Path | None = None

    def to_dict(self) -> dict[str, Any]:
        """As JSON-able data."""
        return {**asdict(self), "path": None if self.path is None else str(self.path)}

    def to_json(self) -> str:
        """As JSON text."""
        return json.dumps(self.to_dict(), indent=2, ensure_ascii=False)

    def to_html(self) -> str:
        """A self-contained page with the table and a plot for each version and target."""
        from labelnext.replays.page import render_stored

        return without_secrets(render_stored(self))


def replay_stored(
    pool: Pool,
    strategies: Sequence[str],
    *,
    recipe: Recipe | None = None,
    path: Path | None = None,
) -> StoredReport:
    """Compare each version's rankings with the labels, and with the next version.

    With a recipe, its own function comes first, and all functions score as `run` would by it: with
    its unit, reduction, floor, place of items without objects, and options such as class weights.

    Args:
        pool: with class probabilities, boxes, or predicted classes with a confidence each, of one
            or more versions, oldest first. An image counts as wrong or changed if a box of
            confidence 0.5 or more has no match of its class with an IoU of at least 0.5.
        strategies: acquisition functions, or auto; those that can't rank stored predictions are
            listed in `left_out`.
        recipe: of the configuration; the functions' own defaults when None.
        path: of the page.

    Raises:
        InvalidInput: if there are no predictions, or neither labels nor a second version.

    References:
        DeLong, DeLong and Clarke-Pearson (1988), for the area and its interval.

    Example:
        >>> rows = [[0.9, 0.1]] * 15 + [[0.6, 0.4]] * 5
        >>> pool = Pool(range(20), probabilities=rows, labels=[0] * 15 + [1] * 5)
        >>> (row,) = replay_stored(pool, ["margin"]).rows
        >>> row.n_targets, row.area
        (5, 1.0)
    """
    versions = _versions(pool)
    if not versions:
        raise InvalidInput(
            "replay of stored predictions needs class probabilities or boxes, or a predicted class "
            "with a confidence for each item."
        )
    left_out: list[str] = []
    targets = _comparable(pool, versions, left_out)
    if not targets and not left_out:
        raise InvalidInput(
            "replay of stored predictions needs labels or a second model version; the source has "
            "neither.",
            hint="name several versions in source, oldest first.",
        )
    usable = _usable(versions[-1], _recipes(strategies, recipe), left_out)
    level = 0.05 / max(len(targets) * len(usable), 1)
    rows = []
    for version, target, known, aims in targets:
        for how in usable:
            row = _found(versions[version - 1], how, version, target, known, aims, level)
            if isinstance(row, str):
                left_out.append(row)
            else:
                rows.append(row)
    return StoredReport(rows, left_out, _advice(rows), path)


def _comparable(pool: Pool, versions: Sequence[Pool], left_out: list[str]) -> list[_Target]:
    """The targets with enough items; adds the others to `left_out`."""
    comparable = []
    for version, target, known, aims in _targets(pool, versions):
        n_aims, others = int((known & aims).sum()), int((known & ~aims).sum())
        if min(n_aims, others) < _LEAST:
            name, total = pool.version_names[version - 1], n_aims + others
            few = f"{target}: {n_aims} of {counted(total, 'item')}" if total else _NONE[target]
            left_out.append(f"version {name}, {few}")
        else:
            comparable.append((version, target, known, aims))
    return comparable


def _versions(pool: Pool) -> list[Pool]:
    """One unlabelled pool per version, oldest first."""
    if pool.members is not None and not pool.multilabel:
        return [
            Pool(pool.item_ids, probabilities=m, classes=pool.classes, versions=[name])
            for m, name in zip(pool.members, pool.version_names, strict=True)
        ]
    if pool.answers:
        return [
            Pool(pool.item_ids, objects=o, classes=pool.classes, versions=[name])
            for o, name in zip(pool.answers, pool.version_names, strict=True)
            if o.class_ids is not None
        ]
    return [
        Pool(
            pool.item_ids,
            objects=o,
            classes=pool.classes,
            versions=[name],
            missing=pool.missing if o.missing is None else o.missing,
            truth=pool.truth,  # class weights count its objects
            labelled=pool.labelled,
            open=np.ones(len(pool), dtype=np.bool_),
        )
        for o, name in zip(pool.object_sets, pool.version_names, strict=False)
        if o.boxes is not None
    ]


def _recipes(strategies: Sequence[str], recipe: Recipe | None) -> list[Recipe]:
    """How each strategy scores, the configured one first."""
    base = Recipe() if recipe is None else replace(recipe, purpose="label")
    first = [] if recipe is None or recipe.acquisition is None else [str(recipe.acquisition)]
    made = []
    for name in dict.fromkeys([*first, *strategies]):
        known_options = {**base.options} if name in first else {}
        if name not in first and name in acquisition_names():
            known = get_acquisition(name).options
            known_options = {
                option: value for option, value in base.options.items() if option in known
            }
        unit = base.unit if name in first else None
        made.append(replace(base, acquisition=name, unit=unit, options=known_options, reasons={}))
    return made


def _usable(version: Pool, recipes: Sequence[Recipe], left_out: list[str]) -> list[Recipe]:
    """Those that can rank a version, each way to score once; adds the others to `left_out`."""
    usable: list[Recipe] = []
    seen = set()
    for recipe in recipes:
        name = str(recipe.acquisition)
        if name != AUTO and name not in acquisition_names():
            left_out.append(f"{name}: not an acquisition function")
            continue
        try:
            whole = resolved(recipe, version)
            if whole.function is None:
                raise InvalidInput(whole.reasons["acquisition"])
            if obstacle := whole.function.obstacle(version, whole.unit):
                raise InvalidInput(obstacle)
            whole.function.score(version, of=whole.unit, **whole.scoring)
        except InvalidInput as error:
            left_out.append(f"{name}: {error.message.rstrip('.')}")
            continue
        way = (whole.acquisition, whole.unit, repr(whole.scoring))
        if way not in seen:
            usable.append(recipe)
        seen.add(way)
    return usable


_Target = tuple[int, str, NDArray[np.bool_], NDArray[np.bool_]]
"""Version, target, the items that can be judged, and which of them should be found."""


def _targets(pool: Pool, versions: Sequence[Pool]) -> Iterator[_Target]:
    for number, version in enumerate(versions, 1):
        following = versions[number] if number < len(versions) else None
        objects = version.newest_objects
        if objects is not None:
            seen = ~version.missing
            if pool.truth is not None and (pool.labelled & seen).any():
                yield number, WRONG, pool.labelled & seen, _differ(objects, pool.truth)
            if following is not None and following.newest_objects is not None:
                both = seen & ~following.missing
                yield number, CHANGED, both, _differ(objects, following.newest_objects)
            continue
        predicted = version.predicted_classes
        if pool.labels is not None and (pool.labels >= 0).any():
            yield number, WRONG, (predicted >= 0) & (pool.labels >= 0), predicted != pool.labels
        if following is not None:
            later = following.predicted_classes
            yield number, CHANGED, (predicted >= 0) & (later >= 0), predicted != later


def _differ(first: Objects, second: Objects) -> NDArray[np.bool_]:
    """Items in which either side has a confident object without a match in the other."""
    one, two = (o.where(o.confidences >= _CONFIDENT) for o in (first, second))
    owners = one.item_positions[hits(one, two)]
    matched = np.bincount(owners, minlength=len(one))
    return one.counts + two.counts > 2 * matched


def _found(
    version_pool: Pool,
    recipe: Recipe,
    version: int,
    target: str,
    known: NDArray[np.bool_],
    aims: NDArray[np.bool_],
    level: float,
) -> Found | str:
    """How early the targets are found; a text if too few of the items get a score."""
    whole = resolved(recipe, version_pool)
    assert whole.function is not None  # by `_usable`
    _, scored = whole.function.score(version_pool, of=whole.unit, **whole.scoring)
    name = f"{AUTO} ({whole.acquisition})" if recipe.acquisition == AUTO else whole.function.name
    order = version_pool.tie_order  # ties must not depend on the order of the rows
    items = order[(known & ~np.isnan(scored))[order]]
    utilities, aimed = scored[items], aims[items]
    n_aims, others = int(aimed.sum()), int((~aimed).sum())
    if min(n_aims, others) < _LEAST:
        of = f"version {version_pool.version_names[0]}, {target}"
        return f"{of}: {name} has scores for {n_aims} of these and {counted(others, 'other item')}"
    ranked = aimed[stable_order(utilities)]
    cuts = [max(round(share * len(items)), 1) for share in SHARES]
    mean, error = area(utilities[aimed], utilities[~aimed])
    reach = NormalDist().inv_cdf(1 - level / 2) * error
    return Found(
        version,
        version_pool.version_names[0],
        target,
        name,
        len(items),
        n_aims,
        [float(ranked[:cut].sum() / n_aims) for cut in cuts],
        mean,
        (max(mean - reach, 0.0), min(mean + reach, 1.0)),
    )


def area(targets: NDArray[np.floating], others: NDArray[np.floating]) -> tuple[float, float]:
    """Chance that a target has a higher utility than another item, and its standard error.

    Args:
        targets: shape (n_targets,), at least two.
        others: shape (n_others,), at least two; a tie counts half.

    References:
        DeLong, DeLong and Clarke-Pearson (1988).

    Example:
        >>> area(np.array([3.0, 1.0]), np.array([1.0, 0.0]))[0]
        0.875
    """
    below, above = _shares_below(others, targets), 1 - _shares_below(targets, others)
    variance = below.var(ddof=1) / len(targets) + above.var(ddof=1) / len(others)
    return float(below.mean()), float(np.sqrt(variance))


def _shares_below(some: NDArray[np.floating], values: NDArray[np.floating]) -> NDArray[np.float64]:
    """For each value, the share of `some` below it; ties count half."""
    order = np.sort(some)
    twice = np.searchsorted(order, values, "left") + np.searchsorted(order, values, "right")
    shares: NDArray[np.float64] = twice / (2 * len(some))
    return shares


def _advice(rows: Sequence[Found]) -> str:
    if not rows:
        return (
            f"Nothing could be compared: it takes {_LEAST} items whose prediction differs from "
            f"their label, or changed in the next version, and {_LEAST} others. With embeddings of "
            "the labelled items, replay trains models instead."
        )
    target = WRONG if any(row.target == WRONG for row in rows) else CHANGED
    newest = max(row.version for row in rows if row.target == target)
    candidates = [row for row in rows if row.target == target and row.version == newest]
    best = max(candidates, key=lambda row: row.area)
    of = f" of version {best.name}" if len({row.version for row in rows}) > 1 else ""
    where = f"the items{of} {target if target == WRONG else f'that {target}'}"
    if best.interval[0] <= 0.5:
        return (
            f"No ranking finds {where} reliably earlier than a random order on your data. The best "
            f"is {best.strategy} (AUC {best.area:.2f}; random: 0.50)."
        )
    rivals = [row.strategy for row in candidates if row.interval[1] >= best.area and row != best]
    found = (
        f"{100 * best.shares[1]:.0f}% of them in the first {100 * _FIRST:.0f}% of the ranking "
        f"(AUC {best.area:.2f}, between {best.interval[0]:.2f} and {best.interval[1]:.2f}; "
        "random: 0.50)."
    )
    if not rivals:
        return f"{best.strategy} finds {where} earliest: {found}"
    does = "does" if len(rivals) == 1 else "do"
    return (
        f"{best.strategy} finds {where} earlier than a random order: {found} "
        f"{joined(rivals)} {does} about as well: the difference may be chance."
    )

"""Replay of stored predictions: would a version's ranking have found what it got wrong?

No model is trained, so nothing can be said of accuracy. What can be: how early in the ranking of
a version stand the items whose label proves that version wrong, and those about which the next
version changed its mind. A random order finds any share of them in the same share of the items.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray

from labelnext.acquisition import acquisition_names, get_acquisition
from labelnext.errors import InvalidInput
from labelnext.pool import Pool
from labelnext.selection.order import stable_order

SHARES = (0.05, 0.1, 0.2, 0.3, 0.5)
_FIRST = 0.1
_LEAST = 5  # items to find below which nothing is said
WRONG, CHANGED = "wrong by their label", "changed in the next version"


@dataclass(frozen=True)
class Found:
    """How early a strategy's ranking of one version finds what it should.

    Attributes:
        version: number of the version, from 1.
        target: what is to be found.
        strategy: the acquisition function.
        n_items: items that were ranked.
        n_targets: those among them that should come early.
        shares: share of the targets in the first 5, 10, 20, 30 and 50 % of the ranking.
        area: chance that a target stands before another item, in [0, 1]; random has 0.5.
        interval: of the area, at 95 % over all rows together.
    """

    version: int
    target: str
    strategy: str
    n_items: int
    n_targets: int
    shares: list[float]
    area: float
    interval: tuple[float, float]


@dataclass(frozen=True)
class StoredReport:
    """What a replay of stored predictions showed.

    Attributes:
        rows: for each version, target and strategy.
        left_out: strategies that could not be replayed, with the reason; and targets too rare.
        advice: one sentence.
        path: of the HTML page, if one was asked for.
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
        """One page with the table and a curve for each version, that needs nothing but itself."""
        from labelnext.page import render_stored

        return render_stored(self)


def replay_stored(
    pool: Pool, strategies: Sequence[str], *, path: Path | None = None
) -> StoredReport:
    """Compare each version's rankings with its labels, and with the version after it.

    Args:
        pool: with class probabilities, of one version or of several from the oldest to the newest.
        strategies: acquisition functions; what needs a model to be trained is left out, and said.
        path: where the page will be.

    Raises:
        InvalidInput: if nothing can be compared: no class probabilities, or neither labels nor a
            second version.

    References:
        DeLong, DeLong and Clarke-Pearson (1988), of the area and its interval.

    Example:
        >>> rows = [[0.9, 0.1]] * 15 + [[0.6, 0.4]] * 5
        >>> pool = Pool(range(20), probabilities=rows, labels=[0] * 15 + [1] * 5)
        >>> (found,) = replay_stored(pool, ["margin"]).rows
        >>> found.n_targets, found.area
        (5, 1.0)
    """
    if pool.probabilities is None or pool.multilabel:
        raise InvalidInput("replay of stored predictions needs class probabilities of items.")
    versions = pool.probabilities if pool.probabilities.ndim == 3 else pool.probabilities[None]
    if len(versions) == 1 and (pool.labels is None or not (pool.labels >= 0).any()):
        raise InvalidInput(
            "replay of stored predictions needs labels, or a second model version; the source has "
            "neither.",
            hint="name several versions in source, the oldest first.",
        )
    usable, left_out = _usable(pool, strategies, versions)
    targets = []
    for version, target, rows, aims in _targets(pool, versions):
        if min(aims.sum(), (~aims).sum()) < _LEAST:
            left_out.append(f"version {version}, {target}: {int(aims.sum())} of {len(aims)} items")
        else:
            targets.append((version, target, rows, aims))
    level = 0.05 / max(len(targets) * len(usable), 1)
    rows_of = [
        _found(pool, versions[version - 1], name, version, target, rows, aims, level)
        for version, target, rows, aims in targets
        for name in usable
    ]
    return StoredReport(rows_of, left_out, _advice(rows_of), path)


def _usable(
    pool: Pool, strategies: Sequence[str], versions: NDArray[np.floating]
) -> tuple[list[str], list[str]]:
    one = _version(pool, versions[-1], np.arange(len(pool)))
    usable, left_out = [], []
    for name in dict.fromkeys(strategies):
        if name not in acquisition_names():
            left_out.append(f"{name}: it is no acquisition function alone")
        elif obstacle := get_acquisition(name).obstacle(one):
            left_out.append(f"{name}: {obstacle}")
        else:
            usable.append(name)
    return usable, left_out


def _version(pool: Pool, rows: NDArray[np.floating], items: NDArray[np.intp]) -> Pool:
    """Some items as they were when that version was new: with its predictions, unlabelled."""
    return Pool(pool.item_ids[items], probabilities=rows[items], classes=pool.classes)


def _targets(
    pool: Pool, versions: NDArray[np.floating]
) -> Iterator[tuple[int, str, NDArray[np.intp], NDArray[np.bool_]]]:
    """Version, target, the items that can be judged, and which of them are to be found."""
    known = np.isfinite(versions).all(axis=2)
    predicted = np.where(known, np.nan_to_num(versions).argmax(axis=2), -1)
    order = pool.tie_order  # equal areas must not depend on the order of the rows
    for number in range(len(versions)):
        if pool.labels is not None:
            rows = order[(known[number] & (pool.labels >= 0))[order]]
            yield number + 1, WRONG, rows, predicted[number, rows] != pool.labels[rows]
        if number + 1 < len(versions):
            rows = order[(known[number] & known[number + 1])[order]]
            yield number + 1, CHANGED, rows, predicted[number, rows] != predicted[number + 1, rows]


def _found(
    pool: Pool,
    probabilities: NDArray[np.floating],
    name: str,
    version: int,
    target: str,
    rows: NDArray[np.intp],
    aims: NDArray[np.bool_],
    level: float,
) -> Found:
    function = get_acquisition(name)
    _, utilities = function.score(_version(pool, probabilities, rows), of="items")
    ranked = aims[stable_order(utilities)]
    cuts = [max(round(share * len(rows)), 1) for share in SHARES]
    mean, error = area(utilities[aims], utilities[~aims])
    reach = NormalDist().inv_cdf(1 - level / 2) * error
    return Found(
        version,
        target,
        name,
        len(rows),
        int(aims.sum()),
        [float(ranked[:cut].sum() / aims.sum()) for cut in cuts],
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
    """For each value the share of `some` that lies below it, ties counted half."""
    order = np.sort(some)
    twice = np.searchsorted(order, values, "left") + np.searchsorted(order, values, "right")
    shares: NDArray[np.float64] = twice / (2 * len(some))
    return shares


def _advice(rows: Sequence[Found]) -> str:
    if not rows:
        return "Nothing could be compared: too few items were wrong or changed."
    target = WRONG if any(row.target == WRONG for row in rows) else CHANGED
    newest = max(row.version for row in rows if row.target == target)
    own = [row for row in rows if row.target == target and row.version == newest]
    best = max(own, key=lambda row: row.area)
    where = f"the items of version {newest} that are {target}".replace("are changed", "changed")
    if best.interval[0] <= 0.5:
        return (
            f"No ranking finds {where} reliably earlier than a random order on your data; the best "
            f"is {best.strategy} ({best.area:.2f}, where random has 0.50)."
        )
    return (
        f"{best.strategy} finds {where} the earliest: {100 * best.shares[1]:.0f} % of them in the "
        f"first {100 * _FIRST:.0f} % ({best.area:.2f}, between {best.interval[0]:.2f} and "
        f"{best.interval[1]:.2f}, where random has 0.50)."
    )

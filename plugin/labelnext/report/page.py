"""The HTML report of a run."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from labelnext.ranking.reasons import DOUBTFUL
from labelnext.report.cards import Card
from labelnext.report.plots import (
    BATCH_COLOUR,
    POOL_COLOUR,
    Axis,
    Series,
    plot_svg,
    reliability_svg,
)
from labelnext.report.pool_map import PoolMap
from labelnext.report.report import VERSIONS
from labelnext.report.templating import filled_template

if TYPE_CHECKING:
    from markupsafe import Markup

    from labelnext.report.report import Report

_MOST_CLASSES = 20


def render(report: Report) -> str:
    """The HTML report of a run, self-contained: a browser fetches nothing else."""
    cards = report.cards or [Card.of_row(row) for row in report.next_items]
    return filled_template(
        "report.html.j2",
        report=report,
        cards=cards,
        classes=sorted({name for card in cards for name in card.classes}),
        scored=any(card.score is not None for card in cards),
        any_boxes=any(card.picture and card.boxes for card in cards),
        illustrated=any(card.picture or card.text for card in cards),
        doubtful=DOUBTFUL,
        versions_shown=VERSIONS,
        pool_map=None if report.pool_map is None else _drawn(report.pool_map, cards),
        config=json.dumps(report.config, indent=2, ensure_ascii=False),
        score_plot=None if report.scores is None else _score_plot(report, report.scores),
        class_plot=_class_plot(report.classes or ()),
        reliability_plots=[
            reliability_svg(calibration["bins"]) for calibration in report.calibration
        ],
    )


def _drawn(pool_map: PoolMap, cards: Sequence[Card]) -> dict[str, Any]:
    """The paths of the map: dots, crosses, and a diamond for each item of the batch."""
    ranks = {card.item_id: card.rank for card in cards}
    batch = [
        {"name": name, "target": ranks.get(name), "path": f"M{x:.1f} {y - 6:.1f}l6 6-6 6-6-6z"}
        for name, (x, y) in zip(pool_map.names, pool_map.batch.tolist(), strict=True)
    ]
    return {
        "rest": "".join(f"M{x:.1f} {y:.1f}h0" for x, y in pool_map.rest.tolist()),
        "labelled": "".join(
            f"M{x - 4:.1f} {y - 4:.1f}l8 8m0-8l-8 8" for x, y in pool_map.labelled.tolist()
        ),
        "batch": batch[::-1],  # the next item lies on top
        "share": pool_map.share,
        "n_points": pool_map.n_points,
        "n_items": pool_map.n_items,
    }


def _score_plot(report: Report, scores: Mapping[str, Any]) -> Markup:
    edges = scores["edges"]
    first = "high first" if report.ranking.direction == "high" else "low first"
    series = [
        Series(
            part,
            colour,
            bars=[(a, 0, b, n) for a, b, n in zip(edges, edges[1:], scores[part], strict=False)],
        )
        for part, colour in (("pool", POOL_COLOUR), ("batch", BATCH_COLOUR))
    ]
    most = max(*scores["pool"], *scores["batch"])
    x = Axis.around(f"{report.ranking.acquisition} ({first})", (edges[0], edges[-1]))
    return plot_svg(x, Axis("items", 0, 1.05 * most, whole=True), series, height=130)


def _class_plot(classes: Sequence[Mapping[str, Any]]) -> Markup | None:
    """The classes' shares; None where nothing that is ranked has a predicted class."""
    if not any(row["pool"] or row["batch"] for row in classes):
        return None
    by_size = sorted(range(len(classes)), key=lambda i: -classes[i]["pool"] - classes[i]["batch"])
    shown = [classes[i] for i in sorted(by_size[:_MOST_CLASSES])]
    series, most = [], 0.0
    for part, colour, shift in (("pool", POOL_COLOUR, -0.38), ("batch", BATCH_COLOUR, 0.0)):
        total = max(sum(row[part] for row in classes), 1)
        shares = [100 * row[part] / total for row in shown]
        most = max(most, *shares)
        bars = [(0, k + shift, share, k + shift + 0.38) for k, share in enumerate(shares)]
        series.append(Series(part, colour, bars=bars))
    x = Axis("share of predictions, %", 0, 1.05 * most)
    y = Axis("", len(shown) - 0.4, -0.6, names=[row["class"] for row in shown])
    return plot_svg(x, y, series, height=10 + 23 * len(shown))

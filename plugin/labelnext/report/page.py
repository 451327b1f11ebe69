"""The HTML report of a run."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from labelnext.report.plots import (
    BATCH_COLOUR,
    POOL_COLOUR,
    Plot,
    add_legend,
    as_svg,
    filled_template,
    new_figure,
    reliability_svg,
)

if TYPE_CHECKING:
    from labelnext.report.report import Report

_MOST_CLASSES = 20


def render(report: Report) -> str:
    """The HTML report of a run, self-contained: a browser fetches nothing else."""
    scores = None if report.scores is None else _score_plot(report, report.scores)
    classes = _class_plot(report.classes) if report.classes else None
    reliability = [reliability_svg(found["bins"]) for found in report.calibration]
    return filled_template(
        "report.html.j2",
        [plot for plot in (scores, classes, *reliability) if plot is not None],
        report=report,
        config=json.dumps(report.config, indent=2, ensure_ascii=False),
        score_plot=scores,
        class_plot=classes,
        reliability_plots=reliability,
    )


def _score_plot(report: Report, scores: Mapping[str, Any]) -> Plot:
    figure, axes = new_figure(2.6)
    edges = np.array(scores["edges"])
    width = np.diff(edges)
    axes.bar(edges[:-1], scores["pool"], width, align="edge", color=POOL_COLOUR, label="pool")
    axes.bar(edges[:-1], scores["batch"], width, align="edge", color=BATCH_COLOUR, label="batch")
    first = "high first" if report.ranking.direction == "high" else "low first"
    axes.set_xlabel(f"{report.ranking.acquisition} ({first})")
    axes.set_ylabel("items")
    add_legend(axes)
    return as_svg(figure)


def _class_plot(classes: Sequence[Mapping[str, Any]]) -> Plot:
    by_size = sorted(range(len(classes)), key=lambda i: -classes[i]["pool"] - classes[i]["batch"])
    shown = [classes[i] for i in sorted(by_size[:_MOST_CLASSES])]
    totals = {part: max(sum(row[part] for row in classes), 1) for part in ("pool", "batch")}
    figure, axes = new_figure(0.9 + 0.32 * len(shown))
    places = np.arange(len(shown))
    for part, colour, shift in (("pool", POOL_COLOUR, -0.2), ("batch", BATCH_COLOUR, 0.2)):
        shares = [100 * row[part] / totals[part] for row in shown]
        axes.barh(places + shift, shares, 0.38, color=colour, label=part)
    axes.set_yticks(places, [row["class"] for row in shown], parse_math=False)
    axes.invert_yaxis()
    axes.set_xlabel("share of predictions, %")
    add_legend(axes)
    return as_svg(figure)

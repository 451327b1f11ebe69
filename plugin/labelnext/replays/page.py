"""The HTML pages of replays."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from labelnext.report.plots import COLOURS, QUIET_COLOUR, Axis, Series, plot_svg
from labelnext.report.templating import filled_template

if TYPE_CHECKING:
    from markupsafe import Markup

    from labelnext.replays.outcomes import ReplayReport
    from labelnext.replays.stored import StoredReport


def render_replay(report: ReplayReport) -> str:
    """The page of a replay."""
    return filled_template("replay.html.j2", report=report, curves=_curve_plot(report))


def render_stored(report: StoredReport) -> str:
    """The page of a replay of stored predictions."""
    groups = {(row.version, row.target): row.name for row in report.rows}
    plots = [
        (f"Version {name}: {target}", _found_plot(report, version, target))
        for (version, target), name in groups.items()
    ]
    return filled_template("stored.html.j2", report=report, plots=plots)


def _found_plot(report: StoredReport, version: int, target: str) -> Markup:
    from labelnext.replays.stored import SHARES

    looked = [0.0, *(100 * share for share in SHARES)]
    last = looked[-1]
    series = [Series("random", QUIET_COLOUR, line=[(0, 0), (last, last)], dashed=True)]
    rows = [row for row in report.rows if (row.version, row.target) == (version, target)]
    for row, colour in zip(rows, itertools.cycle(COLOURS), strict=False):
        points = [*zip(looked, [0.0, *(100 * share for share in row.shares)], strict=True)]
        series.append(Series(row.strategy, colour, line=points, dots=points))
    most = max(last, *(100 * row.shares[-1] for row in rows))
    x, y = Axis("top of the ranking, % of items", 0, 1.02 * last), Axis("found, %", 0, 1.05 * most)
    return plot_svg(x, y, series, height=170)


def _curve_plot(report: ReplayReport) -> Markup:
    colours = itertools.chain([QUIET_COLOUR], itertools.cycle(COLOURS))
    series = [
        Series(
            outcome.strategy,
            colour,
            line=[*zip(report.labels, outcome.accuracies, strict=True)],
            dashed=colour == QUIET_COLOUR,
            band=[*zip(report.labels, outcome.low, outcome.high, strict=True)],
        )
        for outcome, colour in zip(report.outcomes, colours, strict=False)
    ]
    ends = [end for outcome in report.outcomes for end in (*outcome.low, *outcome.high)]
    x = Axis.around("labels", report.labels, whole=True)
    return plot_svg(x, Axis.around("accuracy on held-out items", ends), series, height=210)

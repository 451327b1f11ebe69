"""The HTML pages of replays."""

from __future__ import annotations

from typing import TYPE_CHECKING

from labelnext.report.plots import add_legend, as_svg, filled_template, new_figure

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

    figure, axes = new_figure(3.0)
    looked = [0, *(100 * share for share in SHARES)]
    axes.plot(looked, looked, "--", color="#52606d", label="random")
    for row in report.rows:
        if (row.version, row.target) == (version, target):
            axes.plot(looked, [0, *(100 * s for s in row.shares)], ".-", label=row.strategy)
    axes.set_xlabel("top of the ranking, % of items")
    axes.set_ylabel("found, %")
    add_legend(axes)
    return as_svg(figure)


def _curve_plot(report: ReplayReport) -> Markup:
    figure, axes = new_figure(3.6)
    for number, outcome in enumerate(report.outcomes):
        colour = "#52606d" if number == 0 else f"C{number - 1}"
        style = "--" if number == 0 else "-"
        axes.plot(report.labels, outcome.accuracies, style, color=colour, label=outcome.strategy)
        axes.fill_between(
            report.labels, outcome.low, outcome.high, color=colour, alpha=0.12, linewidth=0
        )
    axes.set_xlabel("labels")
    axes.set_ylabel("accuracy on held-out items")
    add_legend(axes)
    return as_svg(figure)

"""The HTML pages of the reports: templates with plots as inline SVG."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from labelnext.replays.outcomes import ReplayReport
    from labelnext.replays.stored import StoredReport
    from labelnext.report.report import Report

_POOL, _BATCH = "#b8c4d0", "#d9480f"
_MOST_CLASSES = 20
_BARS = ("counts", "confidences", "accuracies")


def render(report: Report) -> str:
    """The page of a run, with nothing in it that a browser would have to fetch."""
    return _filled(
        "report.html.j2",
        report=report,
        config=json.dumps(report.config, indent=2, ensure_ascii=False),
        score_plot=None if report.scores is None else _score_plot(report, report.scores),
        class_plot=_class_plot(report.classes) if report.classes else None,
        reliability_plots=[reliability_svg(found["bins"]) for found in report.calibration],
    )


def render_replay(report: ReplayReport) -> str:
    """The page of a replay."""
    return _filled("replay.html.j2", report=report, curves=_curve_plot(report))


def render_stored(report: StoredReport) -> str:
    """The page of a replay of stored predictions."""
    groups = {(row.version, row.target): row.name for row in report.rows}
    plots = [
        (f"Version {name}: {target}", _found_plot(report, version, target))
        for (version, target), name in groups.items()
    ]
    return _filled("stored.html.j2", report=report, plots=plots)


def _found_plot(report: StoredReport, version: int, target: str) -> str:
    from labelnext.replays.stored import SHARES

    figure, axes = _figure(3.0)
    looked = [0, *(100 * share for share in SHARES)]
    axes.plot(looked, looked, "--", color="#52606d", label="random")
    for row in report.rows:
        if (row.version, row.target) == (version, target):
            axes.plot(looked, [0, *(100 * s for s in row.shares)], ".-", label=row.strategy)
    axes.set_xlabel("first items of the ranking, %")
    axes.set_ylabel("found, %")
    _legend(axes)
    return _svg(figure)


def _filled(name: str, **values: object) -> str:
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("labelnext", "report/templates"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    return environment.get_template(name).render(**values)


def reliability_svg(bins: Mapping[str, Sequence[float | None]]) -> str:
    """The reliability diagram as SVG: a bar for each bin, a line where confidence is accuracy.

    Args:
        bins: counts, confidences and accuracies of bins of equal width over [0, 1], as an entry of
            `Report.calibration` has them; None for an empty bin.
    """
    filled = [row for row in zip(*(bins[k] for k in _BARS), strict=True) if row[0]]
    counts, confidences, accuracies = (np.array(c) for c in zip(*filled, strict=True))
    figure, axes = _figure(3.4)
    axes.plot([0, 1], [0, 1], "--", color="#52606d", label="calibrated")
    width = 0.9 / len(bins["counts"])
    axes.bar(confidences, accuracies, width, color=_POOL, label="share that was right")
    axes.plot(confidences, accuracies, ".", color=_BATCH)
    for x, y, n in zip(confidences, accuracies, counts, strict=True):
        axes.annotate(f"{n:,}", (x, y), (0, 3), textcoords="offset points", ha="center", size=7)
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1.08)
    axes.set_xlabel("confidence")
    axes.set_ylabel("share that was right")
    _legend(axes)
    return _svg(figure)


def _curve_plot(report: ReplayReport) -> str:
    figure, axes = _figure(3.6)
    for number, outcome in enumerate(report.outcomes):
        colour = "#52606d" if number == 0 else f"C{number - 1}"
        style = "--" if number == 0 else "-"
        axes.plot(report.labels, outcome.accuracies, style, color=colour, label=outcome.strategy)
        axes.fill_between(
            report.labels, outcome.low, outcome.high, color=colour, alpha=0.12, linewidth=0
        )
    axes.set_xlabel("labels")
    axes.set_ylabel("accuracy on held-out items")
    _legend(axes)
    return _svg(figure)


def _score_plot(report: Report, scores: Mapping[str, Any]) -> str:
    figure, axes = _figure(2.6)
    edges = np.array(scores["edges"])
    width = np.diff(edges)
    axes.bar(edges[:-1], scores["pool"], width, align="edge", color=_POOL, label="pool")
    axes.bar(edges[:-1], scores["batch"], width, align="edge", color=_BATCH, label="batch")
    first = "high first" if report.ranking.direction == "high" else "low first"
    axes.set_xlabel(f"{report.ranking.acquisition} ({first})")
    axes.set_ylabel("items")
    _legend(axes)
    return _svg(figure)


def _class_plot(classes: Sequence[Mapping[str, Any]]) -> str:
    by_size = sorted(range(len(classes)), key=lambda i: -classes[i]["pool"] - classes[i]["batch"])
    shown = [classes[i] for i in sorted(by_size[:_MOST_CLASSES])]
    totals = {part: max(sum(row[part] for row in classes), 1) for part in ("pool", "batch")}
    figure, axes = _figure(0.9 + 0.32 * len(shown))
    places = np.arange(len(shown))
    for part, colour, shift in (("pool", _POOL, -0.2), ("batch", _BATCH, 0.2)):
        shares = [100 * row[part] / totals[part] for row in shown]
        axes.barh(places + shift, shares, 0.38, color=colour, label=part)
    axes.set_yticks(places, [row["class"] for row in shown], parse_math=False)
    axes.invert_yaxis()
    axes.set_xlabel("share of predictions, %")
    _legend(axes)
    return _svg(figure)


def _legend(axes: Any) -> None:
    """Above the plot, where it hides nothing and no place has to be searched for."""
    entries = len(axes.get_legend_handles_labels()[0])
    place = {"loc": "lower left", "bbox_to_anchor": (0, 1), "borderaxespad": 0.2}
    axes.legend(frameon=False, ncols=min(entries, 4), **place)


def _figure(height: float) -> tuple[Figure, Any]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.2, height), layout="constrained")
    axes = figure.subplots()
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes


def _svg(figure: Figure) -> str:
    import matplotlib as mpl

    buffer = io.StringIO()
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "labelnext"}):
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    text = buffer.getvalue()
    return text[text.index("<svg") :]

"""The HTML pages of the reports: templates with plots as inline SVG."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from labelnext.replay_report import ReplayReport
    from labelnext.report import Report

_POOL, _BATCH = "#b8c4d0", "#d9480f"
_MOST_CLASSES = 20


def render(report: Report) -> str:
    """The page of a run, with nothing in it that a browser would have to fetch."""
    return _filled(
        "report.html.j2",
        report=report,
        config=json.dumps(report.config, indent=2, ensure_ascii=False),
        score_plot=None if report.scores is None else _score_plot(report, report.scores),
        class_plot=_class_plot(report.classes) if report.classes else None,
    )


def render_replay(report: ReplayReport) -> str:
    """The page of a replay."""
    return _filled("replay.html.j2", report=report, curves=_curve_plot(report))


def _filled(name: str, **values: object) -> str:
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("labelnext", ""),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    return environment.get_template(name).render(**values)


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
    axes.legend(frameon=False)
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
    axes.legend(frameon=False)
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
    axes.legend(frameon=False)
    return _svg(figure)


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

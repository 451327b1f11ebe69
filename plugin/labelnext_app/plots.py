"""The plots of the panel, as Plotly takes them."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from itertools import pairwise
from typing import Any

import numpy as np

from labelnext_adapters.fiftyone.app.sample_map import KINDS, SampleMap
from labelnext_adapters.fiftyone.app.summary import RunSummary

POOL, BATCH = "#8a8f98", "#ff6d04"  # told apart on white and on black
_OTHER = "#3b82f6"
MOST = 15  # classes or groups
BARE = {"displayModeBar": False, "scrollZoom": False}
LASSO = {
    "displayModeBar": True,
    "scrollZoom": False,
    "modeBarButtonsToRemove": ["toImage", "autoScale2d", "zoomIn2d", "zoomOut2d"],
}
_HEAD = 30
_UNSEEN_TICKS = {"ticks": "outside", "ticklen": 6, "tickcolor": "rgba(0, 0, 0, 0)"}
_COLOURS = (
    f"<span style='color:{POOL}'>■</span> ranked   <span style='color:{BATCH}'>■</span> batch"
)


def layout(x: str, y: str, height: int = 260) -> dict[str, Any]:
    """A plot with named axes; above it stands which colour is which.

    Args:
        x: title of the horizontal axis.
        y: title of the vertical axis.
        height: in pixels, which the panel keeps free while the plot loads.
    """
    return {
        # With a distance, Plotly makes room for a title; else it lies over long labels.
        # Ticks that nobody sees, and the suffix below, keep the zeros of both axes apart.
        "xaxis": {"title": {"text": x, "standoff": 12}, "automargin": True, **_UNSEEN_TICKS},
        "yaxis": {"title": {"text": y, "standoff": 8}, "automargin": True, "ticksuffix": " "},
        "barmode": "overlay",
        "bargap": 0.05,
        # A title, because beside long labels a legend wraps and lies over the bars.
        "title": {"text": _COLOURS, "font": {"size": 14}, "x": 0, "xref": "container"}
        | {"xanchor": "left", "y": 1, "yref": "container", "yanchor": "top", "pad": {"t": 4}},
        "showlegend": False,
        "margin": {"l": 50, "r": 10, "t": _HEAD, "b": 44},
        "hoverlabel": {"align": "left"},
        "height": height,
    }


def scores_layout(most: int, x: str, y: str) -> dict[str, Any]:
    """The layout of `scores`.

    Args:
        most: samples that one bar stands for.
        x: title of the horizontal axis.
        y: title of the vertical axis.
    """
    made = layout(x, y)
    if most <= 5:
        made["yaxis"] |= {"dtick": 1}  # else Plotly counts halves
    return made


def shares_layout(n: int, x: str, y: str) -> dict[str, Any]:
    """The layout of `shares`.

    Args:
        n: how many classes or groups there are.
        x: title of the horizontal axis.
        y: title of the vertical axis.
    """
    made = layout(x, y, 84 + 26 * min(n, MOST))
    made["yaxis"] |= {"type": "category", "dtick": 1}
    return made


def map_layout(axes: Sequence[str]) -> dict[str, Any]:
    """The layout of `points`: axes without numbers, which mean nothing to a person.

    Args:
        axes: what the two are.
    """
    x, y = axes
    made = layout(x, y, 400)
    del made["title"]
    # Plotly's buttons stand above the map, and in a narrow panel the legend has three lines.
    legend = {"orientation": "h", "x": 0, "y": -0.16, "yanchor": "top", "itemsizing": "constant"}
    made |= {"showlegend": True, "legend": legend}
    for axis in ("xaxis", "yaxis"):
        made[axis] |= {"showticklabels": False, "zeroline": False}
    return {**made, "dragmode": "lasso", "hovermode": "closest"}


def scores(summary: RunSummary) -> list[dict[str, Any]]:
    """How many samples have a score in each range, and how many of them are in the batch."""
    edges = summary.edges
    middles = [(a + b) / 2 for a, b in pairwise(edges)]
    ranges = [f"{a:.3g} to {b:.3g}" for a, b in pairwise(edges)]
    parts = ((summary.pool, "ranked", POOL), (summary.batch, "batch", BATCH))
    said = {"ranked": f"ranked {summary.items}", "batch": f"{summary.items} of the batch"}
    return [
        {
            "type": "bar",
            "x": middles,
            "y": list(counts),
            "name": name,
            "marker": {"color": color},
            "hovertext": [
                f"{n:,} {said[name]}<br>with a score of {text}"
                for n, text in zip(counts, ranges, strict=True)
            ],
            "hoverinfo": "text",
        }
        for counts, name, color in parts
    ]


def shares(counts: tuple[tuple[str, int, int], ...], what: str) -> list[dict[str, Any]]:
    """Bars show shares, because the batch is much smaller; names include the counts.

    Args:
        counts: for each class or group how often it is in the ranked samples and in the batch.
        what: what is counted, in the plural.
    """
    rows = counts[:MOST][::-1]
    names = [f"{_short(label)} ({n_batch:,} of {n:,})" for label, n, n_batch in rows]
    # Bars of one name would lie over each other; readers see no difference.
    names = [name + _UNSEEN * names[:at].count(name) for at, name in enumerate(names)]
    traces = []
    for at, name, color in ((1, "ranked", POOL), (2, "batch", BATCH)):
        total = sum(int(row[at]) for row in counts) or 1
        part = [round(100 * int(row[at]) / total, 1) for row in rows]
        whole = "all that are ranked" if at == 1 else "the batch"
        traces.append(
            {
                "type": "bar",
                "orientation": "h",
                "y": names,
                "x": part,
                "name": name,
                "marker": {"color": color},
                "width": 0.7 if at == 1 else 0.35,
                "hovertext": [
                    f"{_plain(row[0])}: {int(row[at]):,} {what},<br>{share:g}% of those in {whole}"
                    for row, share in zip(rows, part, strict=True)
                ],
                "hoverinfo": "text",
            }
        )
    return traces


_UNSEEN = "\u200b"


def _short(label: str) -> str:
    """A name that leaves room for bars; long ones often differ at the end only."""
    return _plain(label if len(label) <= 18 else f"{label[:10]}…{label[-7:]}")


def _plain(text: str) -> str:
    """A text as it is: Plotly takes `<unk>` for markup, and shows nothing."""
    return escape(text, quote=False)


def points(drawn: SampleMap, *, by_score: bool) -> list[dict[str, Any]]:
    """The map: a trace for each kind of sample, or one whose colour is the score.

    Args:
        drawn: the map.
        by_score: whether the colour is the score.
    """
    texts = [
        f"{_plain(name)}<br>{_standing(kind, rank, score)}"
        for name, kind, rank, score in zip(
            drawn.names, drawn.kinds.tolist(), drawn.ranks, drawn.scores.tolist(), strict=True
        )
    ]
    if by_score:
        rows = np.flatnonzero(np.isfinite(drawn.scores))
        marker = {
            "color": drawn.scores[rows].round(4).tolist(),
            "colorscale": "Viridis",
            "showscale": True,
            "size": 6,
            "colorbar": {"title": {"text": "score", "side": "right"}, "thickness": 10},
        }
        return [_trace(drawn, rows, texts, "score", marker)]
    kinds = ((0, _OTHER, 5), (1, POOL, 5), (2, BATCH, 7))
    traces = []
    for kind, color, size in kinds:
        rows = np.flatnonzero(drawn.kinds == kind)
        if len(rows):
            marker = {"color": color, "size": size, "opacity": 0.85}
            traces.append(_trace(drawn, rows, texts, KINDS[kind], marker))
    return traces


def _standing(kind: int, rank: int | None, score: float) -> str:
    if rank is None:
        return KINDS[0]
    place = "in the batch" if kind == 2 else "ranked"
    return f"{place}, rank {rank:,}" + (f", score {score:.3f}" if score == score else "")


def _trace(
    drawn: SampleMap, rows: Any, texts: list[str], name: str, marker: dict[str, Any]
) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "markers",
        "x": drawn.points[rows, 0].round(4).tolist(),
        "y": drawn.points[rows, 1].round(4).tolist(),
        "ids": [drawn.ids[i] for i in rows],
        "hovertext": [texts[i] for i in rows],
        "hoverinfo": "text",
        "name": name,
        "marker": marker,
    }

"""Plots as inline SVG, and the HTML templates."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from labelnext.support.words import counted, some

if TYPE_CHECKING:
    from matplotlib.figure import Figure


POOL_COLOUR, BATCH_COLOUR = "#b8c4d0", "#d9480f"
# A page may not have styles inside its elements: its security policy names the one it has.
_COLOURS = {
    "#000000": "currentColor",
    POOL_COLOUR: "var(--pool)",
    BATCH_COLOUR: "var(--batch)",
    "#52606d": "var(--quiet)",
}
_TAG = re.compile(r"<[^<>]*>")
_STYLE = re.compile(r'\sstyle="([^"]*)"')
_STYLE_SHEET = re.compile(r"<style[^<]*</style>")
_GROUP = re.compile(r'^<g id="[^"]*">$')
_SIZE = re.compile(r"[\d.]+px")
_BARS = ("counts", "confidences", "accuracies")


def filled_template(name: str, **values: object) -> str:
    """An HTML page: the named template, filled with escaped values."""
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("labelnext", "report/templates"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.globals.update(counted=counted, some=some)
    return environment.get_template(name).render(**values)


def reliability_svg(bins: Mapping[str, Sequence[float | None]]) -> str:
    """The reliability diagram as SVG: a bar per bin, and a line where confidence equals accuracy.

    Args:
        bins: counts, confidences and accuracies of equally wide bins over [0, 1], as in an entry
            of `Report.calibration`; None for an empty bin.
    """
    filled = [row for row in zip(*(bins[k] for k in _BARS), strict=True) if row[0]]
    counts, confidences, accuracies = (np.array(c) for c in zip(*filled, strict=True))
    figure, axes = new_figure(3.4)
    axes.plot([0, 1], [0, 1], "--", color="#52606d", label="calibrated")
    width = 0.9 / len(bins["counts"])
    axes.bar(confidences, accuracies, width, color=POOL_COLOUR, label="share that was right")
    axes.plot(confidences, accuracies, ".", color=BATCH_COLOUR)
    for x, y, n in zip(confidences, accuracies, counts, strict=True):
        axes.annotate(f"{n:,}", (x, y), (0, 3), textcoords="offset points", ha="center", size=7)
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1.08)
    axes.set_xlabel("confidence")
    axes.set_ylabel("share that was right")
    add_legend(axes)
    return as_svg(figure)


def add_legend(axes: Any) -> None:
    """Add a legend above the plot, where it hides nothing."""
    entries = len(axes.get_legend_handles_labels()[0])
    place = {"loc": "lower left", "bbox_to_anchor": (0, 1), "borderaxespad": 0.2}
    axes.legend(frameon=False, ncols=min(entries, 4), **place)


def new_figure(height: float) -> tuple[Figure, Any]:
    """An empty plot of page width.

    Args:
        height: in inches.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.2, height), layout="constrained")
    axes = figure.subplots()
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes


def as_svg(figure: Figure) -> str:
    """A plot as an SVG element; the same plot gives the same bytes."""
    import matplotlib as mpl

    buffer = io.StringIO()
    # The text stays text, so the browser's fonts count, and not what matplotlib's lack.
    with (
        warnings.catch_warnings(),
        mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "labelnext"}),
    ):
        warnings.filterwarnings("ignore", "Glyph .* missing from", UserWarning)
        plain = {"Date": None, "Creator": None, "Format": None, "Type": None}
        figure.savefig(buffer, format="svg", metadata=plain, transparent=True)
    text = buffer.getvalue()
    text = _STYLE_SHEET.sub("", text[text.index("<svg") :])
    return _TAG.sub(lambda tag: _STYLE.sub(_attributes, _GROUP.sub("<g>", tag[0])), text)


def _attributes(style: re.Match[str]) -> str:
    """A style attribute as attributes of their own, in colours that follow the page's."""
    given = dict(part.split(":", 1) for part in style[1].split(";") if ":" in part)
    kept = []
    for name, value in ((name.strip(), value.strip()) for name, value in given.items()):
        if name == "font":  # of older versions: style, size and families
            size = _SIZE.search(value)
            name, value = "font-size", size[0] if size else "10px"
        if name != "font-family":  # the page's own
            kept.append(f' {name}="{_COLOURS.get(value, value)}"')
    return "".join(kept)

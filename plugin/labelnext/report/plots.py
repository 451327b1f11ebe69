"""Plots as inline SVG, and the HTML pages, whose policy lets nothing be fetched or run."""

from __future__ import annotations

import base64
import hashlib
import io
import re
import warnings
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

import numpy as np

from labelnext.support.words import counted

if TYPE_CHECKING:
    from matplotlib.figure import Figure


POOL_COLOUR, BATCH_COLOUR = "#b8c4d0", "#d9480f"
_FORBIDDEN = re.compile(r"[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # in XML
_BARS = ("counts", "confidences", "accuracies")


class Plot(str):
    """A plot as an SVG element, which a template doesn't escape.

    Attributes:
        style: its style sheet, which the page's policy must allow.
    """

    __slots__ = ("style",)

    style: str

    @classmethod
    def of(cls, svg: str, style: str) -> Plot:
        """A plot of an element that holds this sheet."""
        plot = cls(svg)
        plot.style = style
        return plot

    def __html__(self) -> str:
        """The element."""
        return str(self)


def filled_template(name: str, plots: Iterable[Plot], **values: object) -> str:
    """An HTML page: the named template, filled with escaped values.

    Its content security policy allows its own style sheets, by their hashes, and nothing else:
    whatever the data hold, a browser runs no script and asks no server.

    Args:
        name: of the template.
        plots: those among the values.
        values: what the template names.
    """
    import jinja2
    from markupsafe import Markup

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("labelnext", "report/templates"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.globals["counted"] = counted
    style = Markup(environment.get_template("style.css").render())  # noqa: S704  # a file of ours
    policy = _policy([style, *(plot.style for plot in plots)])
    return environment.get_template(name).render(style=style, policy=policy, **values)


def _policy(styles: Iterable[str]) -> str:
    hashes = [base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in styles]
    allowed = " ".join(f"'sha256-{one}'" for one in dict.fromkeys(hashes))
    return f"default-src 'none'; style-src {allowed}; base-uri 'none'; form-action 'none'"


def reliability_svg(bins: Mapping[str, Sequence[float | None]]) -> Plot:
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


def as_svg(figure: Figure) -> Plot:
    """A plot as an SVG element; the same plot gives the same bytes."""
    import matplotlib as mpl

    buffer = io.StringIO()
    # The text stays text, so the browser's fonts count, and not what matplotlib's lack.
    with (
        warnings.catch_warnings(),
        mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "labelnext"}),
    ):
        warnings.filterwarnings("ignore", "Glyph .* missing from", UserWarning)
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    return _in_page(buffer.getvalue())


def _in_page(svg: str) -> Plot:
    """A drawing as an element of a page: without namespaces, all its styles in one sheet.

    A policy can name a sheet by its hash, but no attribute. The drawing is parsed, because
    matplotlib leaves quotes in texts as they are, and characters that XML forbids.
    """
    root = ElementTree.fromstring(_FORBIDDEN.sub("\N{REPLACEMENT CHARACTER}", svg))  # noqa: S314  # matplotlib's own
    rules: dict[str, None] = {}
    for parent in root.iter():
        for child in [*parent]:
            name = child.tag.rpartition("}")[2]
            if name in ("metadata", "style"):
                parent.remove(child)
            if name == "style":
                rules[child.text or ""] = None
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
        found = {key.rpartition("}")[2]: text for key, text in element.attrib.items()}
        if declared := found.pop("style", ""):
            # Named by what it says, as the plots of a page share their rules.
            found["class"] = "p" + hashlib.sha256(declared.encode()).hexdigest()[:12]
            rules[f".{found['class']} {{{declared}}}"] = None
        element.attrib.clear()
        element.attrib.update(found)
    sheet = ElementTree.Element("style")
    sheet.text = "\n".join(rules)
    root.insert(0, sheet)
    return Plot.of(ElementTree.tostring(root, encoding="unicode"), sheet.text)

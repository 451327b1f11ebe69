"""Plots as inline SVG, and the HTML pages, whose policy lets nothing be fetched or run."""

from __future__ import annotations

import base64
import hashlib
import io
import re
import warnings
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

import numpy as np

from labelnext.support.words import counted, done, some

if TYPE_CHECKING:
    from markupsafe import Markup
    from matplotlib.figure import Figure


POOL_COLOUR, BATCH_COLOUR = "#b8c4d0", "#d9480f"
_FORBIDDEN = re.compile(r"[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # in XML
# A policy can name a sheet by its hash, but no style attribute: they become plain attributes.
_COLOURS = {
    "#000000": "currentColor",
    POOL_COLOUR: "var(--pool)",
    BATCH_COLOUR: "var(--batch)",
    "#52606d": "var(--quiet)",
}
_SIZE = re.compile(r"[\d.]+px")
_BARS = ("counts", "confidences", "accuracies")


def filled_template(name: str, **values: object) -> str:
    """An HTML page: the named template, filled with escaped values.

    Its content security policy allows our own style sheet and script, by their hashes, and the
    pictures inside the page, and nothing else: whatever the data hold, a browser runs no other
    script and asks no server.

    Args:
        name: of the template.
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
    environment.globals.update(counted=counted, done=done, some=some)
    style, script = (
        Markup(environment.get_template(asset).render())  # noqa: S704  # files of ours
        for asset in ("style.css", "script.js")
    )
    policy = (
        f"default-src 'none'; img-src data:; style-src {_hashed(style)}; "
        f"script-src {_hashed(script)}; base-uri 'none'; form-action 'none'"
    )
    page = environment.get_template(name)
    return page.render(style=style, script=script, policy=policy, **values)


def _hashed(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def reliability_svg(bins: Mapping[str, Sequence[float | None]]) -> Markup:
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
    legend = {"loc": "lower left", "bbox_to_anchor": (0, 1), "borderaxespad": 0.2}
    axes.legend(frameon=False, ncols=min(entries, 4), **legend)


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


def as_svg(figure: Figure) -> Markup:
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
    return _in_page(buffer.getvalue())


def _in_page(svg: str) -> Markup:
    """A drawing as an element of a page: without namespaces and styles, in the page's colours.

    It is parsed, because matplotlib leaves quotes in texts as they are, and characters that XML
    forbids.
    """
    from markupsafe import Markup

    root = ElementTree.fromstring(_FORBIDDEN.sub("\N{REPLACEMENT CHARACTER}", svg))  # noqa: S314  # matplotlib's own
    for parent in root.iter():
        for child in [*parent]:
            if child.tag.rpartition("}")[2] in ("metadata", "style"):
                parent.remove(child)
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
        attributes = {key.rpartition("}")[2]: text for key, text in element.attrib.items()}
        attributes |= _attributes(attributes.pop("style", ""))
        if element.tag == "g":
            attributes.pop("id", None)  # nothing refers to a group, and plots would share its name
        element.attrib.clear()
        element.attrib.update(attributes)
    root.set("stroke-linejoin", "round")
    return Markup(ElementTree.tostring(root, encoding="unicode"))  # noqa: S704  # escaped by it


def _attributes(style: str) -> dict[str, str]:
    """The declarations of a style attribute, in colours that follow the page's."""
    kept = {}
    for name, _, value in (part.strip().partition(":") for part in style.split(";")):
        name, value = name.strip(), value.strip()
        if name == "font":  # of older versions: style, size and families
            size = _SIZE.search(value)
            name, value = "font-size", size[0] if size else "10px"
        if name and name != "font-family":  # the page's own
            kept[name] = _COLOURS.get(value, value)
    return kept

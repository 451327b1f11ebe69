"""Plots as SVG elements: bars, lines, bands and dots on two linear axes."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from labelnext.report.templating import templates

if TYPE_CHECKING:
    from markupsafe import Markup

# The page's colours, which follow its light or dark mode, and others where there is no page.
POOL_COLOUR = "var(--pool, #b8c4d0)"
BATCH_COLOUR = "var(--batch, #d9480f)"
QUIET_COLOUR = "var(--quiet, #52606d)"
#: Of series without a meaning of their own: seen on white and on a dark page.
COLOURS = (
    *("#2b7fc4", "#d9730d", "#2a9d55", "#d64545", "#9461c9"),
    *("#a0674b", "#cf5fa8", "#7b858f", "#8f8f1f", "#1c97a6"),
)
_WIDTH = 480  # units; a page shows up to 640 pixels, a phone 358
_SIZE = 13  # of texts on a phone, in units: the most room that they take; elsewhere it is 11
_ROW = 17  # of the legend
_FORBIDDEN = re.compile(r"[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # in XML
_NARROW, _BROAD = frozenset(" .,:;'|!()[]ijlftrI"), frozenset("mwMW@%&")
_BARS = ("counts", "confidences", "accuracies")


@dataclass(frozen=True)
class Axis:
    """A linear axis.

    Args:
        title: what it shows.
        low: its value at the left or the bottom.
        high: its value at the right or the top.
        names: texts of the values 0, 1, …, instead of numbers.
        whole: whether only whole numbers are marked.
    """

    title: str
    low: float
    high: float
    names: Sequence[str] = ()
    whole: bool = False

    @property
    def span(self) -> float:
        """From low to high, never 0."""
        return self.high - self.low or 1.0

    @classmethod
    def around(cls, title: str, values: Iterable[float], *, whole: bool = False) -> Axis:
        """An axis with a little room on both sides of the values."""
        values = [float(value) for value in values]
        low, high = min(values), max(values)
        room = (high - low) / 20 or 0.5
        return cls(title, low - room, high + room, whole=whole)

    def marks(self, most: int) -> list[tuple[float, str]]:
        """At most that many round values, 1, 2 or 5 times a power of ten apart, and their texts."""
        if self.names:
            return [*enumerate(map(str, self.names))]
        least = self.span / most
        power = 10.0 ** math.floor(math.log10(least))
        step = next(k * power for k in (1, 2, 5, 10) if k * power >= least * (1 - 1e-9))
        step = max(step, 1.0) if self.whole else step
        first = math.ceil(self.low / step - 1e-9)
        last = math.floor((self.low + self.span) / step + 1e-9)
        values = [k * step for k in range(first, last + 1)]
        return [(value, _number(value, step, max(map(abs, values)))) for value in values]


@dataclass(frozen=True)
class Series:
    """One entry of the legend, in the units of the axes.

    Args:
        label: its name; one without a name is not in the legend.
        colour: of all its parts.
        bars: left, bottom, right and top of each; those without an area are left out.
        line: x and y of the points of a line.
        dashed: how the line is drawn.
        band: x, lowest and highest y around a line.
        dots: x and y of each.
        texts: x, y and text of each, written above its place.
    """

    label: str
    colour: str
    bars: Iterable[tuple[float, float, float, float]] = ()
    line: Iterable[tuple[float, float]] = ()
    dashed: bool = False
    band: Iterable[tuple[float, float, float]] = ()
    dots: Iterable[tuple[float, float]] = ()
    texts: Iterable[tuple[float, float, str]] = ()


def plot_svg(x: Axis, y: Axis, series: Sequence[Series], *, height: float) -> Markup:
    """A plot as an SVG element; the same plot gives the same text.

    Args:
        x: the horizontal axis.
        y: the vertical axis.
        series: what is drawn, later ones over earlier ones.
        height: of the area between the axes; the plot is 480 wide.
    """
    from markupsafe import Markup

    levels = y.marks(max(2, int(height / 26)))
    beside = [_fitting(text, 0.45 * _WIDTH) for _, text in levels]
    left = 26 + max(map(_width, beside))
    marks = _fitting_marks(x, _WIDTH - left)
    right = _WIDTH - max(10, _width(marks[-1][1]) / 2 + 2)
    legend, n_rows = _legend([one for one in series if one.label], left)
    top = _ROW * n_rows + 10
    bottom = top + height

    def across(value: float) -> float:
        return left + (right - left) * ((value - x.low) / x.span)

    def up(value: float) -> float:
        return bottom - height * ((value - y.low) / y.span)

    svg = templates().get_template("plot.svg.j2")
    text = svg.render(
        width=_WIDTH,
        height=bottom + 43,
        area=(left, top, right, bottom),
        legend=legend,
        row=_ROW,
        x_title=_fitting(x.title, right - left),
        y_title=_fitting(y.title, height + 20),
        x_marks=[(across(value), text) for value, text in marks],
        y_marks=[(up(value), t) for (value, _), t in zip(levels, beside, strict=True)],
        drawn=[_drawn(one, across, up) for one in series],
    )
    return Markup(_FORBIDDEN.sub("\N{REPLACEMENT CHARACTER}", text))  # noqa: S704  # escaped by it


def reliability_svg(bins: Mapping[str, Sequence[float | None]]) -> Markup:
    """The reliability diagram as SVG: a bar per bin, and a line where confidence equals accuracy.

    A dot marks the mean confidence and the accuracy of each bin, a number how many it holds.

    Args:
        bins: counts, confidences and accuracies of equally wide bins over [0, 1], as in an entry
            of `Report.calibration`; None for an empty bin.
    """
    rows = [*enumerate(zip(*(bins[k] for k in _BARS), strict=True))]
    filled: list[Any] = [(k / len(rows), *row) for k, row in rows if row[0]]
    width = 1 / len(rows)
    series = [
        Series(
            "share that was right",
            POOL_COLOUR,
            bars=[(start, 0, start + width, share) for start, _, _, share in filled],
            texts=[(start + width / 2, share, _short(n)) for start, n, _, share in filled],
        ),
        Series("calibrated", QUIET_COLOUR, line=[(0, 0), (1, 1)], dashed=True),
        Series("", BATCH_COLOUR, dots=[(mean, share) for _, _, mean, share in filled]),
    ]
    x, y = Axis("confidence", 0, 1), Axis("share that was right", 0, 1.08)
    return plot_svg(x, y, series, height=190)


def _fitting_marks(axis: Axis, room: float) -> list[tuple[float, str]]:
    """As many marks as stand side by side."""
    for most in range(8, 1, -1):
        marks = axis.marks(most)
        if len(marks) * (max(_width(text) for _, text in marks) + 12) <= room:
            break
    return marks


def _number(value: float, step: float, largest: float) -> str:
    """A mark's text: all digits that tell it from the next one, and no more."""
    power = math.floor(math.log10(step) + 1e-9)
    if power < -5 or largest >= 1e9:
        text = f"{value:.{math.floor(math.log10(max(largest, step)) + 1e-9) - power + 1}g}"
    else:
        text = f"{value:,.{max(0, -power)}f}"
    return text.replace("-", "−") if value < 0 else text


def _short(n: float) -> str:
    """A count of at most four digits, with a letter for what they leave out."""
    for letter in ("", "k", "M", "G", "T"):
        if n < 10_000 or letter == "T":
            break
        n /= 1000
    return f"{n:,.0f}{letter}"


def _width(text: str) -> float:
    """About the width of a text, in units: a browser alone knows it."""
    return _SIZE * sum(_share(letter) for letter in text)


def _share(letter: str) -> float:
    if unicodedata.east_asian_width(letter) in "WF":
        return 1.05
    if letter in _NARROW:
        return 0.4
    return 0.95 if letter in _BROAD else 0.72 if letter.isupper() else 0.6


def _fitting(text: str, room: float) -> str:
    """The text, or as much of it as there is room for."""
    if _width(text) <= room:
        return text
    while text and _width(f"{text}…") > room:
        text = text[:-1]
    return f"{text}…"


def _legend(series: Sequence[Series], left: float) -> tuple[list[dict[str, Any]], int]:
    """The entries of a legend with their places, side by side while there is room; and its rows."""
    entries: list[dict[str, Any]] = []
    x, row = left, 0
    for one in series:
        label = _fitting(one.label, _WIDTH - left - 26)
        width = 26 + _width(label)
        if x > left and x + width > _WIDTH:
            x, row = left, row + 1
        entries.append({"series": one, "label": label, "x": x, "row": row})
        x += width + 14
    return entries, row + 1


def _drawn(series: Series, across: Any, up: Any) -> dict[str, Any]:
    """The paths of a series, and its texts."""

    def path(points: Iterable[tuple[float, float]]) -> str:
        return "L".join(f"{across(x):.1f} {up(y):.1f}" for x, y in points)

    band = [*series.band]
    edge = [(x, high) for x, _, high in band] + [(x, low) for x, low, _ in band[::-1]]
    return {
        "series": series,
        "bars": "".join(
            f"M{across(a):.1f} {up(b):.1f}V{up(d):.1f}H{across(c):.1f}V{up(b):.1f}z"
            for a, b, c, d in series.bars
            if a != c and b != d
        ),
        "band": f"M{path(edge)}z" if band else "",
        "line": f"M{points}" if (points := path(series.line)) else "",
        "dots": "".join(f"M{across(x):.1f} {up(y):.1f}h0" for x, y in series.dots),
        "texts": [(across(x), up(y), text) for x, y, text in series.texts],
    }

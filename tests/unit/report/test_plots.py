"""Plots as SVG: places by hand, texts as given, and round marks."""

from __future__ import annotations

import operator
import re
from xml.etree import ElementTree

import pytest

from labelnext.report.plots import COLOURS, Axis, Series, plot_svg, reliability_svg


def drawn(*args: object, **options: object) -> ElementTree.Element:
    return ElementTree.fromstring(plot_svg(*args, **options))  # type: ignore[arg-type]


def of_class(root: ElementTree.Element, name: str) -> ElementTree.Element:
    (found,) = (one for one in root.iter() if one.get("class") == name)
    return found


def numbers(text: str | None) -> list[float]:
    return [float(found) for found in re.findall(r"-?[\d.]+", text or "")]


def texts(root: ElementTree.Element, name: str) -> list[str]:
    group = of_class(root, name)
    return [one.text or "" for one in group.findall("text") if one.get("class") != "title"]


def test_a_plot_without_series_or_range_has_two_axes() -> None:
    root = drawn(Axis("x", 0, 0), Axis("y", 5, 5), [], height=100)
    assert [of_class(root, name).findall("text")[-1].text for name in ("across", "up")] == [
        "x",
        "y",
    ]


@pytest.mark.parametrize(
    ("low", "high", "most", "expected"),
    [
        (0, 1, 5, ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]),
        (0.03, 0.17, 4, ["0.05", "0.10", "0.15"]),
        (-30, 30, 3, ["−20", "0", "20"]),
        (0, 105_000, 5, ["0", "50,000", "100,000"]),
        (0, 4e-9, 4, ["0", "1e-09", "2e-09", "3e-09", "4e-09"]),
        (1e9, 1e9 + 4, 2, ["1000000000", "1000000002", "1000000004"]),
        (-1e300, 1e300, 2, ["−1e+300", "0", "1e+300"]),
    ],
)
def test_marks_are_round_and_told_from_each_other(
    low: float, high: float, most: int, expected: list[str]
) -> None:
    assert [text for _, text in Axis("", low, high).marks(most)] == expected


def test_counts_are_marked_at_whole_numbers() -> None:
    assert [text for _, text in Axis("", 0, 2.1, whole=True).marks(8)] == ["0", "1", "2"]


def test_bars_and_lines_lie_where_the_axes_say() -> None:
    bars = Series("b", "red", bars=[(0, 0, 5, 1), (5, 0, 10, 0), (5, 0, 10, 2)])
    line = Series("l", "blue", line=[(0, 0), (10, 4)], band=[(0, 1, 2), (10, 3, 4)])
    root = drawn(Axis("x", 0, 10), Axis("y", 0, 4), [bars, line], height=100)
    left, top, bottom, right = numbers(of_class(root, "axes").get("d"))
    assert bottom - top == 100
    middle = pytest.approx((left + right) / 2, abs=0.1)
    path = of_class(root, "bars").get("d")
    assert path is not None
    first, second = (numbers(bar) for bar in path.split("M")[1:])  # the second given has no area
    assert first == [left, bottom, bottom - 25, middle, bottom]
    assert second == [middle, bottom, bottom - 50, right, bottom]
    assert numbers(of_class(root, "line").get("d")) == [left, bottom, right, top]
    at = [bottom - 25 * y for y in (2, 4, 3, 1)]
    assert numbers(of_class(root, "band").get("d")) == [
        *(left, at[0], right, at[1]),
        *(right, at[2], left, at[3]),
    ]


def test_texts_stay_texts_whatever_they_hold() -> None:
    hostile = "</text><script>x</script>&\x00\x1b\ud800"
    series = [Series(hostile, "red", bars=[(0, 0, 1, 1)], texts=[(0, 0, hostile)])]
    names = Axis(hostile, 0.5, -0.5, names=[hostile])
    svg = plot_svg(Axis(hostile, 0, 1), names, series, height=100)
    assert "<script" not in svg
    shown = "".join(ElementTree.fromstring(svg).itertext())
    assert shown.count("</text><script>x</script>&\ufffd\ufffd\ufffd") == 4  # the name is cut
    svg.encode()


def test_names_that_are_too_long_end_in_dots_and_wide_letters_sooner() -> None:
    names = Axis("", 2.5, -0.5, names=["cat", "n" * 60, "自" * 60])
    root = drawn(Axis("x", 0, 1), names, [Series("", "red")], height=90)
    short, latin, wide = texts(root, "up")
    assert short == "cat"
    assert re.fullmatch("n{20,35}…", latin)
    assert re.fullmatch("自{12,18}…", wide)


def test_a_legend_goes_on_below_where_its_names_are_many() -> None:
    series = [Series(f"strategy {k}", COLOURS[k], line=[(0, 0), (1, 1)]) for k in range(9)]
    legend = of_class(drawn(Axis("", 0, 1), Axis("", 0, 1), series, height=90), "names")
    assert texts(legend, "names") == [f"strategy {k}" for k in range(9)]
    places = [(float(t.get("y", 0)), float(t.get("x", 0))) for t in legend.findall("text")]
    assert places == sorted(places)
    assert len({y for y, _ in places}) == 3
    assert max(x for _, x in places) < 400


def test_reliability_diagram_shows_filled_bins_alone() -> None:
    bins = {
        "counts": [0, 3, 12_345, 0],
        "confidences": [None, 0.3, 0.75, None],
        "accuracies": [None, 0.5, 1.0, None],
    }
    svg = reliability_svg(bins)
    root = ElementTree.fromstring(svg)
    left, _, bottom, right = numbers(of_class(root, "axes").get("d"))
    full = bottom - 190 / 1.08  # a share of 1
    first, second = ((of_class(root, "bars").get("d")) or "").split("M")[1:]
    quarter = (right - left) / 4
    tops = [bottom + (full - bottom) / 2, full]
    for bar, start, top in zip((first, second), (1, 2), tops, strict=True):
        x0, y0, y1, x1, _ = numbers(bar)
        assert (x0, x1) == pytest.approx(
            (left + start * quarter, left + (start + 1) * quarter), abs=0.06
        )
        assert (y0, y1) == pytest.approx((bottom, top), abs=0.06)
    xs = numbers(of_class(root, "dots").get("d"))[::3]
    assert xs == pytest.approx([left + 0.3 * 4 * quarter, left + 3 * quarter], abs=0.06)
    assert [one.text for one in root.iter("text") if one.get("class") == "note"] == ["3", "12k"]


@pytest.mark.parametrize("colour", COLOURS)
def test_colours_are_seen_on_white_and_on_the_dark_page(colour: str) -> None:
    def luminance(value: str) -> float:  # WCAG 2.2
        channels = [int(value[k : k + 2], 16) / 255 for k in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
        return sum(map(operator.mul, [0.2126, 0.7152, 0.0722], linear))

    for ground in ("#ffffff", "#161b21"):
        dark, light = sorted((luminance(colour), luminance(ground)))
        assert (light + 0.05) / (dark + 0.05) >= 3

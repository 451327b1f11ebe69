"""How the parts of the panel are laid out, in wide and narrow windows."""

from __future__ import annotations

from base64 import b64encode
from pathlib import Path
from typing import Any

from fiftyone.operators import types

from .common import ICON

WRAPPED = {
    "grid": {"sx": {"display": "flex", "flexWrap": "wrap", "& > *": {"width": "auto !important"}}}
}


# Beside each other: all six pictures where the panel is wider than the length that is named, else
# three. The middle value is far above or far below the others.
_COLUMN = "clamp((100% - 40px) / 6, (420px - 100%) * 999, (100% - 16px) / 3)"
THREE_OR_SIX = {
    "grid": {
        "sx": {
            "display": "grid",
            "gridAutoFlow": "row !important",
            "gap": "8px",
            "gridTemplateColumns": f"repeat(auto-fill, minmax({_COLUMN}, 1fr))",
            "maxWidth": "1000px",
            "& > *": {"width": "auto !important", "minWidth": 0},
            "& img": {"aspectRatio": "4 / 3", "objectFit": "contain", "display": "block"},
        }
    }
}
# Long names and reasons are broken rather than that the table is wider than the panel.
NARROW = {
    "minWidth": 0,
    "& th, & td": {"padding": "4px 6px"},
    "& :is(th, td):nth-of-type(even)": {"overflowWrap": "anywhere", "minWidth": "4.5em"},
    # A table is as wide as the panel, so this is how much of it the names of files take.
    "& :is(th, td):nth-of-type(2)": {"width": "26%"},
}
# The same in a form, where a word may be wider than its column of a narrow window.
BROKEN = {"minWidth": 0, "& th, & td": {"padding": "4px 6px", "overflowWrap": "anywhere"}}
# Tabs of two lines rather than that the last one is cut off in a narrow window.
SHRINKING = {"tab": {"sx": {"minHeight": 48, "minWidth": 0, "flexShrink": 1, "px": [1, 2]}}}
ONLY_ICONS = {  # screen readers still get the buttons' labels
    "& th:last-of-type": {"fontSize": 0},
    "& td button": {"fontSize": 0, "minWidth": 0, "padding": "4px"},
    "& td button span": {"margin": 0},
}


def column() -> Any:
    """One column, as wide as the panel."""
    # Without this, the widest content decides the width of the grid's only column.
    shrinking = {"grid": {"sx": {"& > *": {"minWidth": 0}}}}
    return types.GridView(
        orientation="vertical", columns=1, gap=2, pad=2, componentsProps=shrinking
    )


def icon() -> str:
    """The plugin's icon as an address, in a colour that is seen on white and on black."""
    svg = (Path(__file__).parent / ICON.lstrip("/")).read_bytes()
    return f"data:image/svg+xml;base64,{b64encode(svg).decode()}"

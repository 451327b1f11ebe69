"""The columns of a new tab: what people need first is shown, everything else can be switched on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from labelnext_adapters.label_studio.server.client import Client
from labelnext_adapters.label_studio.server.task import FIELDS

_SHOWN = ("id", "total_annotations", "annotators", "predictions_results", "predictions_score")
_PRIORITY, _WHY = "_priority", "_why"
_WIDTHS = {
    "id": 70,
    "total_annotations": 70,
    "annotators": 120,
    "predictions_results": 230,
    "predictions_score": 130,
}
_TEXT_WIDTH, _PRIORITY_WIDTH = 320, 190
# The reason comes last; these leave room for it on a screen 1366 pixels wide.
_NARROW_RESULTS, _NARROW_MEDIA = 120, 180


def tab_columns(
    client: Client, project: int, media: Sequence[str], *, why: bool = False
) -> dict[str, Any]:
    """Which columns a new tab hides, and how wide the others are, as a tab's data has them.

    The open edition keeps the order of the columns: those of tasks, then those of their data.

    Args:
        client: the server.
        project: its number.
        media: data keys with the image or text of a task; all keys are shown if there are none.
        why: whether the reason why a task is next is shown.
    """
    answer = client.get_json("api/dm/columns/", project=project)
    rows = answer.get("columns") if isinstance(answer, dict) else None
    columns = [row for row in rows or () if isinstance(row, dict) and not row.get("children")]
    hidden: list[str] = []
    widths: dict[str, int] = {}
    for column in columns:
        name, of_data = str(column.get("id")), column.get("parent") == "data"
        key = f"tasks:data.{name}" if of_data else f"tasks:{name}"
        if not (_is_told(name, media, why) if of_data else name in _SHOWN):
            hidden.append(key)
        elif not of_data:
            widths[key] = _WIDTHS[name]
        elif name in FIELDS:
            widths[key] = _PRIORITY_WIDTH if name.endswith(_PRIORITY) else _TEXT_WIDTH
        else:
            widths[key] = _NARROW_MEDIA if why else _TEXT_WIDTH
    if why and "tasks:predictions_results" in widths:
        widths["tasks:predictions_results"] = _NARROW_RESULTS
    if not columns:
        return {}
    # Beside an open task there is room for little.
    beside = [key for key in widths if key.removeprefix("tasks:") in _SHOWN[1:]]
    return {
        "hiddenColumns": {"explore": hidden, "labeling": [*hidden, *beside]},
        "columnsWidth": widths,
    }


def _is_told(name: str, media: Sequence[str], why: bool) -> bool:
    """Whether the column of a data key is shown."""
    if name in FIELDS:
        return name.endswith(_PRIORITY) or (why and name.endswith(_WHY))
    return name in media or not media

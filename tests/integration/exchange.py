"""What the tests of batches between FiftyOne and Label Studio share."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.integration.label_studio_server import LabelStudio

# Margins .8, .2, .4, .0: the order of labelling is d, b, c, a.
ROWS = {"a": [0.9, 0.1], "b": [0.6, 0.4], "c": [0.7, 0.3], "d": [0.5, 0.5]}


def image(folder: Path, name: str) -> str:
    """A picture of 40 by 20 pixels."""
    from PIL import Image

    path = folder / f"{name}.png"
    Image.new("RGB", (40, 20), (ord(name[0]), 90, 90)).save(path)
    return str(path)


def settings(server: LabelStudio, dataset: Any, folder: Path, **send: Any) -> dict[str, Any]:
    return {
        "source": {"adapter": "fiftyone", "dataset": dataset.name, "pred_field": "pred"},
        "selection": {"budget": 3},
        "send": {"url": server.url, "api_key": server.token, **send},
        "report": {"path": None},
        "state": str(folder / "state"),
    }


def made(server: LabelStudio, dataset: Any) -> dict[str, Any]:
    """The one project that was made for a dataset."""
    found = server.api("GET", "/api/projects/", page_size=1000)["results"]
    (project,) = [p for p in found if str(dataset._doc.id) in (p["description"] or "")]
    return dict(project)


def tasks(server: LabelStudio, project: int) -> list[dict[str, Any]]:
    """By rising number."""
    page = server.api(
        "GET", "/api/tasks", project=project, fields="all", page_size=100, resolve_uri=False
    )
    return sorted(page["tasks"], key=lambda task: int(task["id"]))


def choose(server: LabelStudio, task: int, label: str, **more: Any) -> Any:
    value = {"choices": [label]}
    region = {"from_name": "label", "to_name": "image", "type": "choices", "value": value}
    body = {"result": [region], **more}
    return server.api("POST", f"/api/tasks/{task}/annotations/", body)


def draw(server: LabelStudio, task: int, boxes: Sequence[tuple[str, Sequence[float]]]) -> Any:
    """Boxes in percent."""
    result = [
        {
            "from_name": "label",
            "to_name": "image",
            "type": "rectanglelabels",
            "value": {
                **dict(zip(("x", "y", "width", "height"), sides, strict=True)),
                "rotation": 0,
                "rectanglelabels": [label],
            },
        }
        for label, sides in boxes
    ]
    return server.api("POST", f"/api/tasks/{task}/annotations/", {"result": result})


def ranked(folder: Path, **changes: Any) -> dict[str, Any]:
    """The configuration of a pool in the folder `pool`."""
    return {
        "source": {"adapter": "files", "path": str(folder / "pool")},
        "acquisition": {"name": "margin"},
        "selection": {"budget": 2},
        "write": {"output": str(folder / "ranking")},
        "report": {"path": None},
        "state": str(folder / "state"),
        **changes,
    }


def commands(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., str]:
    """Runs `labelnext` with some arguments; gives what it printed, on one line."""
    from labelnext.cli import app

    def said(*arguments: str) -> str:
        monkeypatch.setattr(sys, "argv", ["labelnext", *arguments])
        app(standalone_mode=False)
        return " ".join(capsys.readouterr().out.split())

    return said

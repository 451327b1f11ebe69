"""Placeholders that explain how to install labelnext if the App's Python lacks it."""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import fiftyone.operators as foo
from fiftyone.operators import types

ICON = "/assets/icon.svg"


def _requirement() -> str:
    """Our package by name, or the folder that this plugin came from: a clone, mostly."""
    here = Path(__file__).resolve().parent
    if (here.parents[1] / "pyproject.toml").is_file():  # the plugin is a link into a clone
        return f"{here.parents[1]}[fiftyone]"
    for note in here.parent.glob("labelnext-*.dist-info/direct_url.json"):
        folder = Path(unquote(urlsplit(str(json.loads(note.read_text("utf-8"))["url"])).path))
        if folder.exists():
            return f"{folder}[fiftyone]"
    return "labelnext[fiftyone]"


INSTALL = shlex.join([sys.executable, "-m", "pip", "install", _requirement()])
TEXT = (
    "The App's Python doesn't have **labelnext**. Install it there, then reload this page:"
    f"\n\n```\n{INSTALL}\n```"
)


def _explanation() -> types.Property:
    inputs = types.Object()
    inputs.md(TEXT, name="install")
    return types.Property(inputs, view=types.View(label="labelnext is not installed"))


class _Missing(foo.Operator):
    name: str
    label: str

    @property
    def config(self) -> Any:
        return foo.OperatorConfig(
            self.name, label=self.label, icon=ICON, risk_level="LOW", view_target=False
        )

    def resolve_input(self, ctx: Any) -> Any:
        return _explanation()

    def execute(self, ctx: Any) -> None:
        raise ModuleNotFoundError(TEXT.replace("\n", " "))


class RankSamples(_Missing):
    """Placeholder for the operator that ranks."""

    name, label = "rank_samples", "Rank samples to label"


class CompareRankings(_Missing):
    """Placeholder for the operator that compares."""

    name, label = "compare_rankings", "Compare rankings"


class ManageRuns(_Missing):
    """Placeholder for the operator that manages runs."""

    name, label = "manage_runs", "Manage rankings"


class SendBatch(_Missing):
    """Placeholder for the operator that sends."""

    name, label = "send_batch", "Send batch to Label Studio"


class FetchAnnotations(_Missing):
    """Placeholder for the operator that fetches."""

    name, label = "fetch_annotations", "Fetch annotations"


class LabelNext(foo.Panel):
    """Placeholder for the panel."""

    @property
    def config(self) -> Any:
        """As FiftyOne wants it."""
        return foo.PanelConfig("label_next", "Label next", icon=ICON)

    def render(self, ctx: Any) -> Any:
        """How to install labelnext."""
        return _explanation()


PARTS = (RankSamples, CompareRankings, ManageRuns, SendBatch, FetchAnnotations, LabelNext)

"""The operators "Send batch to Label Studio" and "Fetch annotations"."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import fiftyone.operators as foo
from fiftyone.operators import types

import labelnext
from labelnext.errors import LabelnextError
from labelnext.runs.exchange import Exchange
from labelnext_adapters.fiftyone.app.app import state_folder
from labelnext_adapters.fiftyone.write.fetched_labels import check_label_field

from .common import choose, operator_config, refuse, run_form

# The names under which FiftyOne itself looks for them, for dataset.annotate().
URL, API_KEY = "FIFTYONE_LABELSTUDIO_URL", "FIFTYONE_LABELSTUDIO_API_KEY"
_LATEST, _TRUTH = "latest", "ground_truth"


class SendBatch(foo.Operator):
    """Send the batch of a ranking to Label Studio."""

    @property
    def config(self) -> Any:
        """As FiftyOne wants it."""
        return operator_config(
            "send_batch",
            "Send batch to Label Studio",
            "Makes a task of each sample of the batch, with its prediction, in order.",
            "HIGH",
        )

    def resolve_input(self, ctx: Any) -> Any:
        """A ranking and a project; then what would be sent."""

        def fill(inputs: Any, names: list[str]) -> None:
            if not has_secrets(ctx, inputs):
                return
            inputs.view_target(ctx, action_description="Send the batch's samples of")
            choose(inputs, "run", names, label="Ranking", default=names[0])
            _project(inputs, "One is made for this dataset, and found again, when this is empty")
            inputs.str(
                "document_root",
                label="Folder that Label Studio shows by itself",
                description="Images below it are not uploaded; all are when this is empty",
            )
            run = ctx.params.get("run") or names[0]
            _preview(inputs, lambda: labelnext.send(settings(ctx), run, dry_run=True))

        return run_form(ctx, "Send batch to Label Studio", fill)

    def execute(self, ctx: Any) -> dict[str, Any]:
        """Send it."""
        sent = labelnext.send(settings(ctx), ctx.params["run"], progress=_progress(ctx))
        return _result(sent)

    def resolve_output(self, ctx: Any) -> Any:
        """What was sent, and the address of the tab."""
        return _output("Send batch to Label Studio")


class FetchAnnotations(foo.Operator):
    """Bring back what people said in Label Studio."""

    @property
    def config(self) -> Any:
        """As FiftyOne wants it."""
        return operator_config(
            "fetch_annotations",
            "Fetch annotations",
            "Writes what people said in Label Studio into a field of its own.",
            "MEDIUM",
        )

    def resolve_input(self, ctx: Any) -> Any:
        """A field and a project; then what would be written."""
        inputs = types.Object()
        if has_secrets(ctx, inputs):
            inputs.view_target(ctx, action_description="Fetch the labels of")
            field = inputs.str(
                "field",
                label="Field for the labels",
                description="A new one, or one that was fetched before",
                default="labels",
                required=True,
            )
            _project(inputs, "The one that was made for this dataset, when this is empty")
            radio = types.RadioGroup()
            radio.add_choice(_LATEST, label="The latest annotation of each task")
            radio.add_choice(_TRUTH, label="The one that is marked as ground truth")
            inputs.enum("labels", radio.values(), view=radio, default=_LATEST)
            try:
                check_label_field(ctx.dataset, ctx.params.get("field") or "labels")
            except LabelnextError as error:
                refuse(field, str(error))
            else:
                _preview(inputs, lambda: labelnext.fetch(settings(ctx), dry_run=True))
        return types.Property(inputs, view=types.View(label="Fetch annotations"))

    def execute(self, ctx: Any) -> dict[str, Any]:
        """Fetch, and show the labelled samples."""
        fetched = labelnext.fetch(settings(ctx), progress=_progress(ctx))
        field = ctx.params.get("field") or "labels"
        if not ctx.delegated and fetched.counts["changed"]:
            ctx.dataset.reload()  # the App read the dataset before the field was made
            if ctx.dataset.get_field(field) is not None:
                ctx.ops.set_view(view=ctx.dataset.exists(field))
        return _result(fetched)

    def resolve_output(self, ctx: Any) -> Any:
        """What was written."""
        return _output("Fetch annotations")


def settings(ctx: Any) -> dict[str, Any]:
    """The configuration that a form stands for.

    Args:
        ctx: of the operator.
    """
    params = ctx.params
    send = {
        "url": ctx.secret(URL),
        "api_key": ctx.secret(API_KEY),
        "project": params.get("project"),
        "document_root": params.get("document_root") or None,
        "field": params.get("field") or "labels",
        "labels": params.get("labels") or _LATEST,
    }
    return {
        "source": {"adapter": "fiftyone", "dataset": ctx.target_view()},
        "send": send,
        "report": {"path": None},
        "state": str(state_folder(ctx.dataset)),
    }


def has_secrets(ctx: Any, inputs: Any) -> bool:
    """Whether the App knows a Label Studio; the form says what to set if it does not.

    Args:
        ctx: of the operator.
        inputs: the form.
    """
    missing = [name for name in (URL, API_KEY) if not ctx.secret(name)]
    if missing:
        notice = types.Warning(
            label="Label Studio is not known yet",
            description=f"Set {' and '.join(missing)} in the environment of the App (in FiftyOne "
            "Enterprise: its secrets) to the address of the server and a Personal Access Token.",
        )
        refuse(inputs.view("secrets", notice), notice.description)
    return not missing


def _project(inputs: Any, description: str) -> None:
    inputs.int("project", label="Number of a project", description=description, min=1)


def _preview(inputs: Any, look: Callable[[], Exchange]) -> None:
    """What would be done, or why nothing can be."""
    try:
        found = look()
    except LabelnextError as error:
        notice = types.Error(label="This cannot be done", description=str(error))
        refuse(inputs.view("problem", notice), str(error))
        return
    inputs.md(_text(found), name="preview")


def _progress(ctx: Any) -> Any:
    """Shown for delegated work alone: in the App the result comes at the end."""
    if not ctx.delegated:
        return None
    return lambda stage, done, total: ctx.set_progress(done / total if total else None, stage)


def _text(found: Exchange) -> str:
    counts = ", ".join(f"{n:,} {name}" for name, n in found.counts.items())
    lines = [f"**{found.target}**: {counts}", *(notice.message for notice in found.notices)]
    lines += [f"- {step}" for step in found.steps] or ["Nothing to write: all is as it should be."]
    return "\n".join(f"{line}\n" for line in lines)


def _result(found: Exchange) -> dict[str, Any]:
    steps = (re.sub(r"https?://\S*[^\s.]", r"[\g<0>](\g<0>)", line) for line in found.next_steps)
    return {"done": _text(found), "next": "\n\n".join(steps)}


def _output(label: str) -> Any:
    outputs = types.Object()
    outputs.str("done", view=types.MarkdownView())
    outputs.str("next", view=types.MarkdownView())
    return types.Property(outputs, view=types.View(label=label))

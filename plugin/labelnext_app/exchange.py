"""The operators "Send batch to Label Studio" and "Fetch annotations"."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import fiftyone.operators as foo
from fiftyone.operators import types

import labelnext
from labelnext.errors import LabelnextError, NothingSent
from labelnext.journal.plan import Progress
from labelnext.runs.exchange import Exchange
from labelnext.support.words import counted, done
from labelnext_adapters.fiftyone.app.app import state_folder
from labelnext_adapters.fiftyone.app.words import in_words
from labelnext_adapters.fiftyone.read.held import sendable
from labelnext_adapters.fiftyone.read.own_runs import run_names
from labelnext_adapters.fiftyone.write.fetched_labels import check_label_field

from .common import (
    are_odd,
    carried_out,
    choose,
    choose_several,
    operator_config,
    refuse,
    run_form,
    say_how_to_schedule,
    whole,
)
from .gone import of_dataset

# The names that FiftyOne's own dataset.annotate() uses.
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
            "Creates one Label Studio task per sample of the batch, in order, with predictions.",
            "HIGH",
            execute_as_generator=True,
        )

    @of_dataset
    def resolve_input(self, ctx: Any) -> Any:
        """A ranking and a project; then what would be sent."""

        def fill(inputs: Any, names: list[str]) -> None:
            if not has_secrets(ctx, inputs):
                return
            choose(inputs, "run", names, label="Ranking", default=names[0])
            _project(inputs, "Leave empty to create a project for this dataset and reuse it later")
            inputs.str(
                "document_root",
                label="Label Studio's local files folder",
                description="Images in it aren't uploaded; leave empty to upload all images",
            )
            run = ctx.params.get("run") or names[0]
            _more(inputs, ctx.dataset, run)
            _preview(inputs, lambda: labelnext.send(settings(ctx), run, dry_run=True))
            say_how_to_schedule(inputs)

        return run_form(ctx, "Send batch to Label Studio", fill)

    def execute(self, ctx: Any) -> Any:
        """Send it."""
        config, run = settings(ctx), ctx.params.get("run") or run_names(ctx.dataset)[0]
        return carried_out(
            ctx,
            lambda progress: _result(labelnext.send(config, run, progress=progress)),
            lambda _: self.resolve_output(ctx),
        )

    def resolve_output(self, ctx: Any) -> Any:
        """What was sent, and a link to the tab."""
        return _output("Send batch to Label Studio")


class FetchAnnotations(foo.Operator):
    """Fetch annotations from Label Studio."""

    @property
    def config(self) -> Any:
        """As FiftyOne wants it."""
        return operator_config(
            "fetch_annotations",
            "Fetch annotations",
            "Writes annotations from Label Studio to a separate field.",
            "MEDIUM",
            execute_as_generator=True,
        )

    @of_dataset
    def resolve_input(self, ctx: Any) -> Any:
        """A field and a project; then what would be written."""
        inputs = types.Object()
        if not are_odd(ctx, inputs) and has_secrets(ctx, inputs):
            field = inputs.str(
                "field",
                label="Field for the labels",
                description="A new field, or one used for an earlier fetch",
                default="labels",
            )
            _project(inputs, "Leave empty to use the project created for this dataset")
            radio = types.RadioGroup()
            radio.add_choice(_LATEST, label="The latest annotation of each task")
            radio.add_choice(_TRUTH, label="The annotation marked as ground truth")
            inputs.enum("labels", radio.values(), view=radio, default=_LATEST)
            try:
                check_label_field(ctx.dataset, ctx.params.get("field") or "labels")
            except LabelnextError as error:
                refuse(field, in_words(error))
            else:
                _preview(inputs, lambda: labelnext.fetch(settings(ctx), dry_run=True))
        return whole(inputs, "Fetch annotations")

    def execute(self, ctx: Any) -> Any:
        """Fetch, and show the labelled samples."""
        config, field = settings(ctx), ctx.params.get("field") or "labels"
        changed: list[int] = []

        def fetch(progress: Progress) -> dict[str, Any]:
            fetched = labelnext.fetch(config, progress=progress)
            changed.append(fetched.counts["changed"])
            return _result(fetched)

        def show() -> Iterator[Any]:
            if any(changed):
                ctx.dataset.reload()  # the App loaded the dataset before the field existed
                if ctx.dataset.get_field(field) is not None:
                    yield ctx.ops.set_view(view=ctx.dataset.exists(field))

        return carried_out(ctx, fetch, lambda _: self.resolve_output(ctx), show)

    def resolve_output(self, ctx: Any) -> Any:
        """What was written."""
        return _output("Fetch annotations")


def settings(ctx: Any) -> dict[str, Any]:
    """The configuration for a form's parameters.

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
        "fields": params.get("fields") or [],
        "attributes": params.get("attributes") or [],
        "labels": params.get("labels") or _LATEST,
    }
    return {
        "source": {"adapter": "fiftyone", "dataset": ctx.dataset},
        "send": send,
        "report": {"path": None},
        "state": str(state_folder(ctx.dataset)),
    }


def has_secrets(ctx: Any, inputs: Any) -> bool:
    """Whether Label Studio's address and token are set; if not, the form says what to set.

    Args:
        ctx: of the operator.
        inputs: the form.
    """
    missing = [name for name in (URL, API_KEY) if not ctx.secret(name)]
    if missing:
        notice = types.Warning(
            label="Label Studio isn't set up yet",
            description=f"Set {' and '.join(missing)} in the App's environment (in FiftyOne "
            "Enterprise: its secrets) to the server's address and a Personal Access Token.",
        )
        refuse(inputs.view("secrets", notice), notice.description)
    return not missing


def _project(inputs: Any, description: str) -> None:
    inputs.int("project", label="Project number", description=description, min=1)


def _more(inputs: Any, dataset: Any, run: str) -> None:
    """Ask for further fields, and for attributes of objects, if there are any."""
    fields, attributes = sendable(dataset, run)
    if fields:
        about = "People label them in the same project; each comes back into a field of its own"
        choose_several(inputs, "fields", fields, label="Further fields", description=about)
    if attributes:
        about = "People see and correct them on each object"
        choose_several(inputs, "attributes", attributes, label="Attributes", description=about)


def _preview(inputs: Any, look: Callable[[], Exchange]) -> None:
    """Show what would be done, or the error."""
    try:
        planned = look()
    except NothingSent:
        notice = types.Warning(label="Nothing was sent yet", description=_UNSENT)
        refuse(inputs.view("unsent", notice), f"{notice.label}. {notice.description}")
        return
    except LabelnextError as error:
        notice = types.Error(label="This can't be done", description=in_words(error))
        refuse(inputs.view("problem", notice), notice.description)
        return
    inputs.md(_text(planned), name="preview")


_UNSENT = (
    "Run 'Send batch to Label Studio' first, or enter the number of a project in which tasks name "
    "the samples of this dataset."
)


def _text(exchange: Exchange, said: Callable[[str], str] = str) -> str:
    """What is done, as a list; `said` puts each step into words."""
    lines = [_heading(exchange), *(notice.message for notice in exchange.notices)]
    lines += [f"- {said(step)}" for step in exchange.steps] or [exchange.nothing]
    return "\n".join(f"{line}\n" for line in lines)


def _heading(exchange: Exchange) -> str:
    """What it is about, with the counts; nothing has changed yet where nothing is written."""
    counts = dict(exchange.counts)
    if exchange.what == "send":
        samples = counted(counts["in the batch"], "sample")
        return f"**The batch of {samples}, in {exchange.target}:**"
    if exchange.dry_run:
        del counts["changed"]
    said = ", ".join(f"{n:,} {name}" for name, n in counts.items())
    return f"**Labels of {exchange.target}:** {said}"


def _result(exchange: Exchange) -> dict[str, Any]:
    known = exchange.nothing.casefold()
    steps = [in_words(step) for step in exchange.next_steps if step.casefold() not in known]
    links = (re.sub(r"https?://\S*[^\s.]", r"[\g<0>](\g<0>)", step) for step in steps)
    return {"done": _text(exchange, done), "next": "\n\n".join(links)}


def _output(label: str) -> Any:
    outputs = types.Object()
    outputs.str("done", view=types.MarkdownView())
    outputs.str("next", view=types.MarkdownView())
    return whole(outputs, label)

"""The operator "Rank samples to label"."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import fiftyone.operators as foo
from fiftyone import DatasetView
from fiftyone.operators import types

import labelnext
from labelnext.acquisition import acquisition_names
from labelnext.errors import LabelnextError
from labelnext.journal.plan import Progress
from labelnext_adapters.fiftyone.app.choices import looked_at, preview
from labelnext_adapters.fiftyone.app.measured import COLUMNS, measure
from labelnext_adapters.fiftyone.app.offered import (
    MEASURE,
    completed,
    offered_by,
    reading_of,
    settings_of,
    unit_of,
)
from labelnext_adapters.fiftyone.app.words import in_words
from labelnext_adapters.fiftyone.options import FiftyOneSource
from labelnext_adapters.fiftyone.write.manage import batch_view

from .common import (
    ICON,
    are_odd,
    carried_out,
    failure,
    operator_config,
    whole,
    with_progress,
)
from .gone import of_dataset
from .looks import BROKEN
from .rank_form import fill
from .target import ask_target, target_view


class RankSamples(foo.Operator):
    """Rank samples by their predictions, and show the batch."""

    @property
    def config(self) -> Any:
        """As FiftyOne wants it."""
        return operator_config(
            "rank_samples",
            "Rank samples to label",
            "Ranks samples by how much labelling them helps. Writes a field, two saved views and a "
            "run; you can delete all of them later.",
            "MEDIUM",
            execute_as_generator=True,
        )

    def resolve_placement(self, ctx: Any) -> Any:
        """A button above the grid."""
        button = types.Button(label="Rank samples to label", icon=ICON, prompt=True)
        return types.Placement(types.Places.SAMPLES_GRID_SECONDARY_ACTIONS, button)

    @of_dataset
    def resolve_input(self, ctx: Any) -> Any:
        """The form, with the choices the samples allow."""
        inputs = types.Object()
        if are_odd(ctx, inputs):
            return whole(inputs, "Rank samples to label")
        ask_target(ctx, inputs, "Rank")
        view = target_view(ctx)
        try:
            fill(ctx, inputs, view)
        except LabelnextError as error:
            text = in_words(error)
            if isinstance(view, DatasetView):
                text += " Or choose other samples above."
            notice = types.Error(label="These samples can't be read", description=text)
            inputs.view("problem", notice).invalid = True
        return whole(inputs, "Rank samples to label")

    def execute(self, ctx: Any) -> Any:
        """Rank, then show the batch in order; or measure, and show the figures."""
        if ctx.params.get("purpose") == MEASURE:
            return carried_out(ctx, lambda progress: _measured(ctx, progress), _figures)
        return self._rank(ctx)

    def resolve_output(self, ctx: Any) -> Any:
        """The figures, where something was measured."""
        return _figures(ctx.results or {})

    def _rank(self, ctx: Any) -> Iterator[Any]:
        try:
            config = _settings(ctx)
            report = yield from with_progress(
                ctx, lambda progress: labelnext.run(config, progress=progress)
            )
        except LabelnextError as error:
            if not ctx.delegated:
                yield from failure(ctx, error)
            raise
        if ctx.delegated:
            return
        ctx.dataset.reload()  # the App loaded the dataset before the run was written
        if len(report.ranking):
            # Not by name: the App doesn't know views saved just now. Not after reload_dataset,
            # which would show the old view again; set_view also brings the new field.
            yield ctx.ops.set_view(view=batch_view(ctx.dataset, report.run))
        else:
            yield ctx.ops.reload_dataset()
        batch, ranked = len(report.ranking), report.counts["ranked"]
        notes = "".join(f" {in_words(notice.message)}" for notice in report.notices)
        # Last: the App stops listening once the dialog is closed.
        items = "frames" if config["source"]["frames"] else "samples"
        done = f"Batch: {batch:,} of {ranked:,} ranked {items}.{notes}"
        yield ctx.ops.set_progress(progress=1, label=done)


def _settings(ctx: Any) -> dict[str, Any]:
    """The configuration for what the form says, completed."""
    view = target_view(ctx)
    read = reading_of(ctx.params, view)
    where = {name: read[name] for name in ("slice", "frames")}
    with looked_at(view, FiftyOneSource(dataset=view, **where)) as items:
        params = completed({**ctx.params, "selected": ctx.selected}, offered_by(items))
        params["of"] = _unit(params, items, reading_of(params, view))
    return settings_of(params, view)


def _measured(ctx: Any, progress: Progress) -> dict[str, Any]:
    measured = measure(_settings(ctx), progress=progress)
    return {"text": "\n\n".join(measured.lines), "rows": measured.rows}


def _figures(results: dict[str, Any]) -> types.Property:
    outputs = types.Object()
    if "text" in results:
        outputs.str("text", view=types.MarkdownView())
    if results.get("rows"):
        table = types.TableView(componentsProps={"table": {"sx": BROKEN}})
        for name, label in COLUMNS.items():
            table.add_column(name, label=label)
        outputs.list("rows", types.Object(), view=table)
    return whole(outputs, "Measure predictions")


def _unit(params: dict[str, Any], items: Any, read: dict[str, Any]) -> str | None:
    """What the chosen function scores, as the form judged it by the first samples."""
    if params["acquisition"] not in acquisition_names():
        return None
    pool = preview(items, FiftyOneSource(dataset=items, **{**read, "slice": None}))
    return unit_of(params, pool)

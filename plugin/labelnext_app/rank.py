"""The operator "Rank samples to label"."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, get_args

import fiftyone.operators as foo
from fiftyone.operators import types

import labelnext
from labelnext.acquisition import AUTO
from labelnext.acquisition.objects import Reduction
from labelnext.errors import LabelnextError
from labelnext.selection import get_selection, selection_names
from labelnext_adapters.fiftyone.app.app import state_folder
from labelnext_adapters.fiftyone.app.choices import (
    Choice,
    acquisition_choices,
    embedding_choices,
    has_frames,
    label_fields,
    looked_at,
    prediction_choices,
    preview,
    selection_choices,
)
from labelnext_adapters.fiftyone.app.own_views import scope_of
from labelnext_adapters.fiftyone.database.connection import open_collection
from labelnext_adapters.fiftyone.database.fields import field_path
from labelnext_adapters.fiftyone.options import FiftyOneSource
from labelnext_adapters.fiftyone.read.label_types import LABELS
from labelnext_adapters.fiftyone.read.own_runs import check_run_name, refuse_foreign, registered
from labelnext_adapters.fiftyone.write.manage import batch_view

from .common import (
    ICON,
    ask_target,
    choose,
    operator_config,
    refuse,
    say_how_to_schedule,
    target_view,
    with_progress,
)

NO_SCORE = "none"
NOTHING = "nothing"


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

    def resolve_input(self, ctx: Any) -> Any:
        """The form, with the choices the samples allow."""
        inputs = types.Object()
        ask_target(ctx, inputs, "Rank")
        try:
            _form(ctx, inputs)
        except LabelnextError as error:
            notice = types.Error(label="These samples can't be read", description=str(error))
            inputs.view("problem", notice).invalid = True
        return types.Property(inputs, view=types.View(label="Rank samples to label"))

    def execute(self, ctx: Any) -> Iterator[Any]:
        """Rank, then show the batch in order."""
        config = settings(ctx.params, target_view(ctx))
        try:
            report = yield from with_progress(
                ctx, lambda progress: labelnext.run(config, progress=progress)
            )
        except LabelnextError as error:
            if not ctx.delegated:
                yield ctx.ops.notify(str(error), variant="error")
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
        notes = "".join(f" {notice.message}" for notice in report.notices)
        # Last: the App stops listening once the dialog is closed.
        done = f"Batch: {batch:,} of {ranked:,} ranked samples.{notes}"
        yield ctx.ops.set_progress(progress=1, label=done)


def settings(params: dict[str, Any], collection: Any) -> dict[str, Any]:
    """The configuration for the form's parameters.

    Args:
        params: of the form.
        collection: the samples to rank.
    """
    kind, _, where = (params.get("labelled") or "").partition(":")
    name = params.get("acquisition")
    source = {
        "adapter": "fiftyone",
        "dataset": collection,
        **_reading(params, collection),
        "embeddings": params.get("embeddings") if _uses_embeddings(params) else None,
        "gt_field": where if kind == "field" else None,
        "label_tag": where if kind == "tag" else None,
    }
    reduce = {"reduce": params["reduce"]} if params.get("reduce") else {}
    return {
        "source": source,
        "acquisition": {"name": None if name == NO_SCORE else name, **reduce},
        "selection": {
            "method": params.get("method", "top_k"),
            "budget": params.get("budget", 100),
            "seed": params.get("seed", 0),
        },
        "write": {"run": params.get("run", "labelnext")},
        "report": {"path": None},
        "state": str(state_folder(collection._root_dataset)),
    }


def _reading(params: dict[str, Any], collection: Any) -> dict[str, Any]:
    """The fields to read; parameters left over from another dataset are ignored."""
    pred = params.get("pred_field")
    others = [name for name in params.get("others") or () if name != pred]
    frames = collection.media_type == "video" and bool(params.get("frames"))
    return {
        "slice": params.get("slice") if collection.media_type == "group" else None,
        "frames": frames or collection._is_frames,
        "pred_field": [pred, *others] if others else pred,
        "pred_values": params.get("pred_values") or "confidence",
        "embeddings": params.get("embeddings"),
    }


def _uses_embeddings(params: dict[str, Any]) -> bool:
    """Whether the selection method looks at embeddings; reading them takes time and memory."""
    method = params.get("method", "top_k")
    inputs = get_selection(method).inputs if method in selection_names() else ()
    return any("embeddings" in name for name in inputs)


def _form(ctx: Any, inputs: Any) -> None:
    view = target_view(ctx)
    _kind_of_items(inputs, view)
    read = _reading(ctx.params, view)
    where = {name: read[name] for name in ("slice", "frames")}
    with looked_at(view, FiftyOneSource(dataset=view, **where)) as items:
        predictions, vectors = prediction_choices(items), embedding_choices(items)
        able = [choice.name for choice in predictions if choice.obstacle is None]
        if not able and not vectors:
            _nothing(inputs, predictions)
            return
        pred = _predictions(ctx.params, inputs, predictions, able)
        if read["pred_field"] is None or pred not in able:
            read["pred_field"] = pred if pred in able else _first(able, ())
        labels = label_fields(items)
        labelled = _labelled(ctx.params, inputs, items, [n for n in labels if n != pred], able)
        _scope(inputs, view, items, read, labelled)
        if vectors:
            choose(
                inputs,
                "embeddings",
                [choice.name for choice in vectors],
                label="Embeddings",
                description="Only needed by diversity-based selection methods",
                required=False,
            )
        source = FiftyOneSource(dataset=items, **{**read, "slice": None})
        _functions(ctx.params, inputs, preview(items, source))
    _numbers(inputs)
    _run_name(ctx, inputs, read["frames"])
    say_how_to_schedule(inputs)


def _kind_of_items(inputs: Any, view: Any) -> None:
    """Ask for the group slice, and whether to rank frames instead of videos."""
    if view.media_type == "group":
        slices = view._root_dataset.group_slices
        default = view._root_dataset.default_group_slice
        choose(inputs, "slice", slices, label="Slice of each group", default=default)
    if has_frames(view):
        inputs.bool(
            "frames",
            label="Rank frames",
            description="Rank individual frames by their own fields instead of whole videos",
            default=False,
            view=types.CheckboxView(),
        )


def _nothing(inputs: Any, predictions: Sequence[Choice]) -> None:
    lines = [
        "These samples have no predictions with confidence, logits or probabilities, and no "
        "embeddings.",
        *(f"{choice.name}: {choice.obstacle}." for choice in predictions),
    ]
    notice = types.Warning(label="Nothing to rank by", description=" ".join(lines))
    inputs.view("nothing", notice).invalid = True


def _predictions(
    params: dict[str, Any], inputs: Any, choices: Sequence[Choice], able: Sequence[str]
) -> str | None:
    """Ask for the model's prediction field, and further models' fields for a committee."""
    if not able:
        return None
    usual = _first(able, ("predictions", "prediction"))
    pred = str(params.get("pred_field") or usual)
    _table({"pred_field": pred}, inputs, "pred_field", choices, "Predictions", default=str(usual))
    kinds = {choice.name: choice.summary for choice in choices if choice.obstacle is None}
    kind = kinds.get(pred)
    if kind is not None and kind not in LABELS:
        radio = types.RadioGroup()
        radio.add_choice("confidence", label="High values mean the model is certain")
        radio.add_choice("uncertainty", label="High values mean the model is uncertain")
        inputs.enum("pred_values", radio.values(), view=radio, default="confidence")
    alike = [name for name in able if name != pred and kinds[name] == kind]
    if alike:
        dropdown = types.DropdownView(
            multiple=True,
            label="Other models",
            description="More fields of the same kind, for functions that compare models",
        )
        for name in alike:
            dropdown.add_choice(name, label=name)
        inputs.list("others", types.String(), view=dropdown, required=False)
    return pred


def _functions(params: dict[str, Any], inputs: Any, pool: labelnext.Pool) -> None:
    """Ask for the acquisition function and the selection method."""
    scores = acquisition_choices(pool)
    able = [choice.name for choice in scores if choice.obstacle is None]
    scores.append(Choice(NO_SCORE, "no score: for image_diversity", None))
    acquisition = _table(
        params, inputs, "acquisition", scores, "Acquisition function",
        default=(able or [NO_SCORE])[0],
    )  # fmt: skip
    named = params.get("acquisition", AUTO) not in (AUTO, NO_SCORE)
    if pool.object_sets and named:
        choose(
            inputs,
            "reduce",
            get_args(Reduction),
            label="How to combine the scores of an image's objects",
            default="mean",
        )
    _table(params, inputs, "method", selection_choices(pool), "Selection method", default="top_k")
    if params.get("acquisition") == NO_SCORE and params.get("method", "top_k") == "top_k":
        refuse(acquisition, "top_k needs an acquisition function: choose one, or another method.")


def _first(names: Sequence[str], liked: Sequence[str]) -> str | None:
    return next((name for name in liked if name in names), names[0] if names else None)


def _labelled(
    params: dict[str, Any],
    inputs: Any,
    view: Any,
    fields: Sequence[str],
    predicted: Sequence[str],
) -> str:
    """Ask how to recognise samples that are already labelled; returns the answer."""
    dropdown = types.DropdownView(
        label="Already labelled", description="Samples with this are left out"
    )
    values = [("field:" + name, f"a label in {name}") for name in fields]
    values += [("tag:" + tag, f"the tag {tag}") for tag in view.distinct("tags")[:50]]
    values.append((NOTHING, "nothing yet"))
    for value, label in values:
        dropdown.add_choice(value, label=label)
    truths = ["field:" + name for name in fields if name not in predicted]
    default = _first(truths, ["field:ground_truth"]) or NOTHING
    inputs.enum("labelled", [v for v, _ in values], view=dropdown, default=default)
    chosen = params.get("labelled")
    return chosen if chosen in dict(values) else default


def _scope(inputs: Any, view: Any, items: Any, read: dict[str, Any], labelled: str) -> None:
    """Say how many of the dataset's items a run would rank, and why not the others."""
    if read["frames"]:  # `items` holds those of a few videos: counting all would copy all
        dataset = view._root_dataset
        n = view.count() if view._is_frames else view.count("frames")
        text = f"Looks at **{n:,} of {dataset.count('frames'):,}** frames of {dataset.name}"
        inputs.md(f"{text}; labelled frames and those without a prediction stay out.", name="scope")
        return
    whole = view._root_dataset
    if read["slice"] is not None or view.media_type == "group":
        whole = open_collection(whole, None, read["slice"])
    kind, _, where = labelled.partition(":")
    pred = read["pred_field"]
    scope = scope_of(
        whole,
        items,
        pred_fields=[pred] if isinstance(pred, str) else pred or (),
        gt_field=where if kind == "field" else None,
        tag=where if kind == "tag" else None,
    )
    parts = (
        (scope.n_items - scope.n_target, "outside the chosen view"),
        (scope.n_labelled, "labelled already"),
        (scope.n_without, "without a prediction"),
    )
    why = ", ".join(f"{n:,} {what}" for n, what in parts if n)
    text = (
        f"Ranks **{scope.n_ranked:,} of {scope.n_items:,}** samples of {whole._root_dataset.name}"
    )
    inputs.md(f"{text}{f' ({why})' if why else ''}.", name="scope")


def _table(
    params: dict[str, Any],
    inputs: Any,
    name: str,
    choices: Sequence[Choice],
    label: str,
    default: str,
) -> Any:
    """A dropdown of functions, each with its summary or the reason it's unavailable."""
    dropdown = types.DropdownView(label=label)
    for choice in choices:
        dropdown.add_choice(
            choice.name,
            label=choice.name if choice.obstacle is None else f"{choice.name} (not available)",
            description=choice.obstacle or choice.summary,
            disabled=choice.obstacle is not None,
        )
    names = [choice.name for choice in choices]
    prop = inputs.enum(name, names, view=dropdown, default=default, required=True)
    chosen = next((c for c in choices if c.name == params.get(name)), None)
    if chosen is not None and chosen.obstacle is not None:
        refuse(prop, f"{chosen.obstacle}.")
    return prop


def _numbers(inputs: Any) -> None:
    inputs.int(
        "budget", label="Budget", description="Size of the batch", default=100, min=1, required=True
    )
    inputs.int(
        "seed", label="Seed", description="The same seed gives the same batch", default=0, min=0
    )


def _run_name(ctx: Any, inputs: Any, frames: bool) -> None:
    prop = inputs.str(
        "run",
        label="Run name",
        description="Also the name of the field it writes",
        default="labelnext",
        required=True,
    )
    run = ctx.params.get("run", "labelnext")
    try:
        check_run_name(run)
        refuse_foreign(ctx.dataset, run, field_path(run, frames))
    except LabelnextError as error:
        refuse(prop, str(error))
        return
    if registered(ctx.dataset, run) is not None:
        inputs.view("replaces", types.Notice(label=f"This replaces the earlier run {run}."))

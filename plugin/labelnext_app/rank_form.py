"""The form that ranks, on its first two levels: what is recommended, and what to choose."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fiftyone.operators import types

import labelnext
from labelnext.acquisition import AUTO
from labelnext.errors import InvalidInput, LabelnextError
from labelnext.support.words import counted
from labelnext_adapters.fiftyone.app.choices import (
    Choice,
    acquisition_choices,
    has_frames,
    labels_obstacle,
    looked_at,
    preview,
    review_obstacle,
    selection_choices,
)
from labelnext_adapters.fiftyone.app.limits import SINGLE
from labelnext_adapters.fiftyone.app.offered import (
    MEASURE,
    NO_SCORE,
    NOTHING,
    REVIEW,
    Offered,
    budget_of,
    completed,
    offered_by,
    reading_of,
    unit_of,
)
from labelnext_adapters.fiftyone.app.words import in_words
from labelnext_adapters.fiftyone.database.fields import field_path
from labelnext_adapters.fiftyone.options import FiftyOneSource
from labelnext_adapters.fiftyone.read.label_types import LABELS
from labelnext_adapters.fiftyone.read.own_runs import check_run_name, refuse_foreign, registered

from .common import choose, choose_able, choose_several, refuse, say_how_to_schedule
from .looks import SHRINKING
from .rank_limits import ToRank, everything, like_selected
from .rank_outlook import outlook, scope_to_rank

_LEVELS = {"rank": "Rank", "more": "More", "everything": "Everything"}


def fill(ctx: Any, inputs: Any, view: Any) -> None:
    """Add what can be chosen, and what would come of it.

    Args:
        ctx: of the operator.
        inputs: the form.
        view: the samples to rank.
    """
    _kind_of_items(inputs, view)
    read = reading_of(ctx.params, view)
    where = {name: read[name] for name in ("slice", "frames")}
    with looked_at(view, FiftyOneSource(dataset=view, **where)) as items:
        offered = offered_by(items)
        if not (offered.able or offered.vectors) or not len(items):
            _nothing(inputs, offered, view, items)
            return
        params = completed({**ctx.params, "selected": ctx.selected}, offered)
        field = params["labelled"].removeprefix("field:")
        labels = field if field in offered.labels else None
        purpose = _purpose(inputs, params, items, labels, offered, read["frames"])
        params["purpose"] = purpose
        level = _level(inputs, params)
        read = reading_of(params, view)
        if read["pred_field"] is not None and params["pred_field"] not in offered.able:
            read["pred_field"] = next(iter(offered.able), None)
        try:
            pool = preview(items, FiftyOneSource(dataset=items, **{**read, "slice": None}))
        except LabelnextError:
            if len(offered.able) > 1:  # another one may be readable
                _predictions(inputs, params, offered)
            raise
        params["of"] = unit_of(params, pool)
        scope = scope_to_rank(view, items, read, params)
        ranked = ToRank(params, view, items, offered, pool)
        _controls(inputs, ranked, level)
        unseen = types.Object()  # what somebody chose on another level counts, too
        if purpose == "label" and level != "everything":
            _controls(unseen, ranked, "everything")
            unseen.str("run", label=f"Run name {params['run']}", default="labelnext")
    if purpose != MEASURE:  # which writes nothing
        _run_name(ctx, inputs, params, read["frames"], shown=level != "rank")
    _elsewhere(ctx, inputs, unseen)
    outlook(inputs, params, view, read, scope, pool)
    if level != "rank":
        say_how_to_schedule(inputs)


def _controls(inputs: Any, ranked: ToRank, level: str) -> None:
    """Ask for what a level shows."""
    params, offered = ranked.params, ranked.offered
    if params["purpose"] == MEASURE:
        _fields(inputs, params, offered)
    elif params["purpose"] == REVIEW:
        _fields(inputs, params, offered)
        _budget(inputs, params, level)
    elif level == "rank":
        if len(offered.predictions) > 1:
            _predictions(inputs, params, offered)
        _budget(inputs, params, level)
        if params["selected"]:
            like_selected(inputs, ranked)
    else:
        _fields(inputs, params, offered)
        _functions(inputs, params, ranked.pool, bool(offered.vectors))
        _budget(inputs, params, level)
        like_selected(inputs, ranked)
        if level == "everything":
            everything(inputs, ranked)


def _elsewhere(ctx: Any, inputs: Any, every: Any) -> None:
    """Name what was chosen on another level, and so counts without being seen."""
    chosen = [
        (label := prop.view.label or name)[:1].lower() + label[1:]
        for name, prop in every.properties.items()
        if name not in inputs.properties
        and ctx.params.get(name) not in (None, "", [], prop.default)
    ]
    if chosen:
        text = f"Chosen on another level, and in force: {', '.join(chosen)}"
        inputs.view("elsewhere", types.Notice(label=text))


def _kind_of_items(inputs: Any, view: Any) -> None:
    """Ask for the group slice, and whether to rank frames instead of videos."""
    if view.media_type == "group" and not view._is_dynamic_groups:
        slices = view._root_dataset.group_slices
        default = view._root_dataset.default_group_slice
        choose(
            inputs,
            "slice",
            slices,
            label="Slice of each group",
            description="Samples of the other slices stay out",
            default=default,
        )
    if has_frames(view):
        inputs.bool(
            "frames",
            label="Rank frames",
            description="Rank individual frames by their own fields instead of whole videos",
            default=False,
            view=types.CheckboxView(),
        )


def _nothing(inputs: Any, offered: Offered, view: Any, items: Any) -> None:
    """Say why nothing can be ranked, and what to do."""
    dataset = view._root_dataset
    if not len(dataset.view()):
        lines = [f"{dataset.name} has no samples yet. Add some with predictions, then come back."]
    elif not len(items):
        lines = ["The view has no samples. Remove its filters, or choose the dataset above."]
    elif has_frames(view) and not items._is_frames:
        lines = ["The videos have no predictions of their own. Tick Rank frames above: their "
                 "frames have fields of labels or predictions."]  # fmt: skip
    else:
        sliced = view.media_type == "group"
        lines = [
            "These samples have no predictions with confidence, logits or probabilities, and no "
            "embeddings.",
            *(f"{choice.name}: {choice.obstacle}." for choice in offered.predictions),
            "Choose another slice above, if one has predictions; else apply" if sliced else "Apply",
            "a model to the dataset, or compute embeddings, then come back.",
        ]
    notice = types.Warning(label="Nothing to rank by", description=" ".join(lines))
    inputs.view("nothing", notice).invalid = True


def _purpose(
    inputs: Any,
    params: Mapping[str, Any],
    items: Any,
    labels: str | None,
    offered: Offered,
    frames: bool,
) -> str:
    """Tabs for what to do; what isn't possible is no tab but a line that says why."""
    apart = labels_obstacle(items, params["pred_field"], labels, frames=frames)
    obstacle = apart or review_obstacle()
    if obstacle is not None and labels is not None:
        alike = [name for name in offered.alike(params["pred_field"]) if name != labels]
        other = f" Choose {alike[0]} as *Already labelled*, under *More*." if alike else ""
        cure = other if obstacle == apart else ""
        inputs.md(f"{in_words(obstacle)}{cure}", name="no_review")
    if apart is not None:
        return "label"
    tabs = types.TabsView(componentsProps=SHRINKING)
    tabs.add_choice("label", label="Rank samples")
    if obstacle is None:
        tabs.add_choice(REVIEW, label="Review labels")
    tabs.add_choice(MEASURE, label="Measure predictions")
    inputs.enum("purpose", tabs.values(), view=tabs, default="label")
    purpose = params["purpose"] if params["purpose"] in tabs.values() else "label"
    if purpose in _ABOUT:
        inputs.md(_ABOUT[purpose].format(labels=labels), name="about")
    return str(purpose)


_ABOUT = {
    REVIEW: "Ranks the labels in **{labels}**, most doubtful first, by your predictions.",
    MEASURE: "Says how often your predictions agree with the labels in **{labels}**, and which "
    "function finds those that don't. Writes nothing.",
}


def _level(inputs: Any, params: Mapping[str, Any]) -> str:
    """Ask how much of the form to show; only a ranking has levels."""
    if params["purpose"] != "label":
        return "more"
    tabs = types.TabsView(variant="rounded")
    for name, label in _LEVELS.items():
        tabs.add_choice(name, label=label)
    inputs.enum("level", tabs.values(), view=tabs, default="rank")
    return str(params["level"]) if params["level"] in _LEVELS else "rank"


def _fields(inputs: Any, params: Mapping[str, Any], offered: Offered) -> None:
    """Ask for the fields of predictions and labels."""
    if offered.able:
        _predictions(inputs, params, offered)
    ways = offered.labelled(params["pred_field"])
    compared = params["purpose"] != "label"
    if compared:
        fields = [way for way in ways if way.startswith("field:")]
        ways = {way: way.removeprefix("field:") for way in fields}
    choose(
        inputs,
        "labelled",
        ways,
        label="Labels" if compared else "Already labelled",
        description="What your predictions are compared with" if compared else _LEFT_OUT,
        default=params["labelled"],
        labels=ways,
    )


_LEFT_OUT = "Samples with this are left out"


def _predictions(inputs: Any, params: Mapping[str, Any], offered: Offered) -> None:
    """Ask for the model's prediction field, and further models' fields for a committee."""
    able, pred = offered.able, params["pred_field"]
    choose_able(
        inputs,
        "pred_field",
        offered.predictions,
        label="Predictions",
        chosen=pred,
        default=pred if pred in able else able[0],
    )
    kinds = {choice.name: choice.summary for choice in offered.predictions if not choice.obstacle}
    kind = kinds.get(pred)
    if kind is not None and kind not in LABELS:
        radio = types.RadioGroup()
        radio.add_choice("confidence", label="High values mean the model is certain")
        radio.add_choice("uncertainty", label="High values mean the model is uncertain")
        inputs.enum("pred_values", radio.values(), view=radio, default="confidence")
    alike = [name for name in able if name != pred and kinds[name] == kind]
    if alike and params["level"] != "rank":
        choose_several(
            inputs,
            "others",
            alike,
            label="Other models",
            description="More fields of the same kind, for functions that compare models",
        )
    if (looks := offered.looks.get(pred, ())) and params["level"] != "rank":
        choose(
            inputs,
            "object_embeddings",
            [NOTHING, *looks],
            label="Embeddings of objects",
            description="For functions and methods that go by what objects look like",
            default=NOTHING,
            labels={NOTHING: "none"},
        )


def _functions(
    inputs: Any, params: Mapping[str, Any], pool: labelnext.Pool, embedded: bool
) -> None:
    """Ask for the acquisition function and the selection method."""
    scores = acquisition_choices(pool)
    able = [choice.name for choice in scores if choice.obstacle is None]
    scores.append(Choice(NO_SCORE, "no score, for methods that go by embeddings alone", None))
    acquisition = choose_able(
        inputs,
        "acquisition",
        scores,
        label="Acquisition function",
        chosen=params["acquisition"],
        default=(able or [NO_SCORE])[0],
        labels={AUTO: "auto (recommended)"},
    )
    choose_able(
        inputs,
        "method",
        selection_choices(pool, embedded=embedded),
        label="Selection method",
        chosen=params["method"],
        default="top_k" if able else AUTO,
    )
    alone = params["acquisition"] == NO_SCORE and not params["like_selected"]
    if alone and params["method"] == "top_k":
        refuse(acquisition, "top_k needs an acquisition function: choose one, or another method.")


def _budget(inputs: Any, params: Mapping[str, Any], level: str) -> None:
    if level != "rank" and params["purpose"] != REVIEW:
        radio = types.RadioGroup(label="Budget in")
        radio.add_choice("samples", label="samples")
        radio.add_choice("hours", label="hours of labelling")
        inputs.enum("budget_in", radio.values(), view=radio, default="samples")
    if params["budget_in"] == "hours":
        time = inputs.float("hours", label="Hours", description="How long you can label", default=2)
        inputs.float(
            "seconds",
            label="Seconds for each sample",
            description="How long one sample takes, on average",
            default=30,
        )
        if budget_of(params) is None:
            refuse(time, "Enter hours and seconds above 0.")
        return
    size = "Size of the batch" if params["whole"] == SINGLE else "Size of the batch, in groups"
    prop = inputs.int("budget", label="Budget", description=size, default=100, min=1)
    if budget_of(params) is None:
        refuse(prop, "Enter a whole number of at least 1.")


def _run_name(
    ctx: Any, inputs: Any, params: Mapping[str, Any], frames: bool, *, shown: bool
) -> None:
    """Ask for the run's name, and say what a run of that name would replace."""
    run = params["run"] or ""
    prop = None
    if shown:
        prop = inputs.str(
            "run",
            label="Run name",
            description="Also the name of the field it writes",
            default=completed({"purpose": params["purpose"]}, Offered([], [], {}, [], []))["run"],
        )
    try:
        if not run:
            raise InvalidInput("Enter a name.")
        check_run_name(run)
        refuse_foreign(ctx.dataset, run, field_path(run, frames))
    except LabelnextError as error:
        text = in_words(error)
        if prop is None:
            notice = types.Error(label="Choose another run name, under More", description=text)
            prop = inputs.view("run_taken", notice)
        refuse(prop, text)
        return
    if (earlier := registered(ctx.dataset, run)) is not None:
        text = f"This replaces the earlier run {run} with its {counted(earlier.n_ranked, 'rank')}."
        inputs.view("replaces", types.Notice(label=text))

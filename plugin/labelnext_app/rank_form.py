"""The form that ranks, on its first two levels: what is recommended, and what to choose."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fiftyone.operators import types

import labelnext
from labelnext.acquisition import AUTO, auto_acquisition
from labelnext.errors import LabelnextError
from labelnext_adapters.fiftyone.app.choices import (
    Choice,
    acquisition_choices,
    has_frames,
    looked_at,
    preview,
    review_obstacle,
    selection_choices,
)
from labelnext_adapters.fiftyone.app.foreseen import Foreseen, foresee
from labelnext_adapters.fiftyone.app.limits import SINGLE
from labelnext_adapters.fiftyone.app.offered import (
    NO_SCORE,
    REVIEW,
    Offered,
    budget_of,
    completed,
    offered_by,
    reading_of,
    settings_of,
)
from labelnext_adapters.fiftyone.app.own_views import Scope, scope_of
from labelnext_adapters.fiftyone.app.words import in_words
from labelnext_adapters.fiftyone.database.connection import open_collection
from labelnext_adapters.fiftyone.database.fields import field_path
from labelnext_adapters.fiftyone.options import FiftyOneSource
from labelnext_adapters.fiftyone.read.label_types import LABELS
from labelnext_adapters.fiftyone.read.own_runs import check_run_name, refuse_foreign, registered

from .common import choose, choose_able, refuse, say_how_to_schedule
from .rank_limits import everything, like_selected

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
        if not offered.able and not offered.vectors:
            _nothing(inputs, offered)
            return
        params = completed({**ctx.params, "selected": ctx.selected}, offered)
        field = params["labelled"].removeprefix("field:")
        labels = field if field in offered.labels else None
        purpose = _purpose(inputs, params, items, labels, read["frames"])
        params["purpose"] = purpose
        level = _level(inputs, params)
        read = reading_of(params, view)
        if read["pred_field"] is not None and params["pred_field"] not in offered.able:
            read["pred_field"] = next(iter(offered.able), None)
        pool = preview(items, FiftyOneSource(dataset=items, **{**read, "slice": None}))
        scope = _scope(view, items, read, params)
        if purpose == REVIEW:
            _fields(inputs, params, offered)
            _budget(inputs, params, level)
        elif level == "rank":
            if len(offered.predictions) > 1:
                _predictions(inputs, params, offered)
            _budget(inputs, params, level)
            if ctx.selected:
                like_selected(inputs, params, items, offered, pool, view)
        else:
            _fields(inputs, params, offered)
            _functions(inputs, params, pool, bool(offered.vectors))
            _budget(inputs, params, level)
            like_selected(inputs, params, items, offered, pool, view)
            if level == "everything":
                everything(inputs, params, items, offered, pool)
    _run_name(ctx, inputs, params, read["frames"], shown=level != "rank")
    _outlook(inputs, params, view, read, scope, pool)
    say_how_to_schedule(inputs)


def _kind_of_items(inputs: Any, view: Any) -> None:
    """Ask for the group slice, and whether to rank frames instead of videos."""
    if view.media_type == "group":
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


def _nothing(inputs: Any, offered: Offered) -> None:
    lines = [
        "These samples have no predictions with confidence, logits or probabilities, and no "
        "embeddings.",
        *(f"{choice.name}: {choice.obstacle}." for choice in offered.predictions),
        "Apply a model to the dataset, or compute embeddings, then come back.",
    ]
    notice = types.Warning(label="Nothing to rank by", description=" ".join(lines))
    inputs.view("nothing", notice).invalid = True


def _purpose(
    inputs: Any, params: Mapping[str, Any], items: Any, labels: str | None, frames: bool
) -> str:
    """Tabs for what to do; a review that isn't possible is no tab but a line that says why."""
    obstacle = review_obstacle(items, params["pred_field"], labels, frames=frames)
    if obstacle is not None:
        if labels is not None:
            inputs.md(f"*{in_words(obstacle)}*", name="no_review")
        return "label"
    tabs = types.TabsView()
    tabs.add_choice("label", label="Rank samples")
    tabs.add_choice(REVIEW, label="Review labels")
    inputs.enum("purpose", tabs.values(), view=tabs, default="label")
    if params["purpose"] == REVIEW:
        text = f"Ranks the labels in **{labels}**, most doubtful first, by your predictions."
        inputs.md(text, name="about_review")
    return str(params["purpose"])


def _level(inputs: Any, params: Mapping[str, Any]) -> str:
    """Ask how much of the form to show; a review has one level."""
    if params["purpose"] == REVIEW:
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
    review = params["purpose"] == REVIEW
    choose(
        inputs,
        "labelled",
        [way for way in ways if way.startswith("field:")] if review else ways,
        label="Labels" if review else "Already labelled",
        description="The labels to check" if review else "Samples with this are left out",
        default=params["labelled"],
        labels=ways,
    )


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
        dropdown = types.DropdownView(
            multiple=True,
            label="Other models",
            description="More fields of the same kind, for functions that compare models",
        )
        for name in alike:
            dropdown.add_choice(name, label=name)
        inputs.list("others", types.String(), view=dropdown, required=False)


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


def _scope(view: Any, items: Any, read: dict[str, Any], params: Mapping[str, Any]) -> Scope | str:
    """How many of the dataset's items a run would rank; of frames, a sentence."""
    whole = view._root_dataset
    if read["frames"]:  # `items` holds those of a few videos: counting all would copy all
        n = view.count() if view._is_frames else view.count("frames")
        text = f"Looks at **{n:,} of {whole.count('frames'):,}** frames of {whole.name}"
        return f"{text}; labelled frames and those without a prediction stay out."
    if read["slice"] is not None or view.media_type == "group":
        whole = open_collection(whole, None, read["slice"])
    kind, _, where = params["labelled"].partition(":")
    pred = read["pred_field"]
    return scope_of(
        whole,
        items,
        pred_fields=[pred] if isinstance(pred, str) else pred or (),
        gt_field=where if kind == "field" else None,
        tag=where if kind == "tag" else None,
    )


def _outlook(
    inputs: Any,
    params: Mapping[str, Any],
    view: Any,
    read: dict[str, Any],
    scope: Scope | str,
    pool: labelnext.Pool,
) -> None:
    """Say what is recommended and why, what would be ranked, and what the batch would hold."""
    if isinstance(scope, str):
        inputs.md(scope, name="scope")
        return
    review = params["purpose"] == REVIEW
    seen: Foreseen | None = None
    if budget_of(params) is not None and read["pred_field"] in (params["pred_field"], None):
        n = scope.n_labelled if review else scope.n_ranked
        try:
            seen = foresee(settings_of(params, view), n)
        except LabelnextError as error:
            notice = types.Error(label="Not possible", description=in_words(error))
            refuse(inputs.view("problem", notice), notice.description)
    if not review:
        inputs.md(_recommended(params, seen, pool), name="recommended")
        inputs.md(_of_scope(scope, view._root_dataset.name), name="scope")
    if seen is not None:
        inputs.md(_batch(seen, review), name="foreseen")
    elif "problem" not in inputs.properties and budget_of(params) is not None:
        text = "*What the batch holds is being counted; it shows here with your next change.*"
        inputs.md(text, name="foreseen")


def _recommended(params: Mapping[str, Any], seen: Foreseen | None, pool: labelnext.Pool) -> str:
    """One sentence on the function and the method, and why."""
    name, method = params["acquisition"], params["method"]
    order = {
        "top_k": "the best scores come first",
        AUTO: f"{seen.selection} picks the batch" if seen else "the method suits the embeddings",
    }.get(method, f"{method} picks the batch")
    if params["like_selected"]:
        n = len(params["selected"])
        what = f"likeness to the {f'{n:,} selected samples' if n > 1 else 'selected sample'}"
        order = f"weighed by {what}; {order}" if name != NO_SCORE else f"ordered by {what}"
    if name == AUTO:
        head = "Recommended" if method in ("top_k", AUTO) else "Scores by"
        if seen is None:  # the first samples don't tell why: labels may be among the others
            return f"{head}: **{auto_acquisition(pool).name}**; {order}."
        why = seen.reasons.get("acquisition", "").rpartition(": ")[2].rstrip(".")
        return f"{head}: **{seen.acquisition}**{f', because {why}' if why else ''}; {order}."
    if name == NO_SCORE:
        return f"No score; {order}."
    return f"As you chose: **{name}**; {order}."


def _of_scope(scope: Scope, name: str) -> str:
    parts = (
        (scope.n_items - scope.n_target, "outside the chosen view"),
        (scope.n_labelled, "labelled already"),
        (scope.n_without, "without a prediction"),
    )
    why = ", ".join(f"{n:,} {what}" for n, what in parts if n)
    text = f"Ranks **{scope.n_ranked:,} of {scope.n_items:,}** samples of {name}"
    return f"{text}{f' ({why})' if why else ''}."


_SHOWN = 6  # classes


def _batch(seen: Foreseen, review: bool) -> str:
    return " ".join([_size(seen, review), *map(in_words, seen.remarks)])


def _size(seen: Foreseen, review: bool) -> str:
    what = "labelled samples" if review else "samples"
    head = f"The batch: **{seen.n_batch:,} of {seen.n_ranked:,}** {what}"
    if seen.of_groups:
        head = f"The batch: at most **{seen.n_batch:,} groups** of {seen.n_ranked:,} samples"
    if not seen.counts:
        return f"{head}."
    total = sum(n for _, n in seen.counts)
    first, rest = seen.counts[:_SHOWN], seen.counts[_SHOWN:]
    if seen.part is None:
        named = [f"{n:,} {label}" for label, n in first]
        more = [f"{sum(n for _, n in rest):,} of {len(rest)} other classes"] if rest else []
        unit = "with predictions of " if seen.of_objects else ""
        return f"{head}: {unit}{', '.join(named + more)}."
    named = [f"{n / total:.0%} {label}" for label, n in first]
    return f"{head}, about {', '.join(named)} (judged by {seen.part:,} samples)."


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
            default=completed({"purpose": params["purpose"]}, Offered([], [], [], [], []))["run"],
        )
    try:
        check_run_name(run)
        refuse_foreign(ctx.dataset, run, field_path(run, frames))
    except LabelnextError as error:
        text = in_words(error)
        if prop is None:
            notice = types.Error(label="Choose another run name, under More", description=text)
            prop = inputs.view("run_taken", notice)
        refuse(prop, text)
        return
    if registered(ctx.dataset, run) is not None:
        inputs.view("replaces", types.Notice(label=f"This replaces the earlier run {run}."))

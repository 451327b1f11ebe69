"""What the form that ranks says of what would come of it: what is ranked, and the batch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from fiftyone.operators import types

import labelnext
from labelnext.acquisition import AUTO, auto_acquisition
from labelnext.errors import LabelnextError
from labelnext_adapters.fiftyone.app.foreseen import Foreseen, foresee
from labelnext_adapters.fiftyone.app.offered import (
    MEASURE,
    NO_SCORE,
    REVIEW,
    budget_of,
    settings_of,
)
from labelnext_adapters.fiftyone.app.own_views import Scope, scope_of
from labelnext_adapters.fiftyone.app.words import in_words, plain, verbatim
from labelnext_adapters.fiftyone.database.connection import open_collection
from labelnext_adapters.fiftyone.read.fetched import fetched_fields

from .common import refuse


def scope_to_rank(
    view: Any, items: Any, read: dict[str, Any], params: Mapping[str, Any]
) -> Scope | str:
    """How many of the dataset's items a run would rank; of frames, a sentence.

    Args:
        view: the samples to rank.
        items: what is looked at: the samples, or some of their frames.
        read: of `reading_of`.
        params: of the form, completed.
    """
    whole = view._root_dataset
    if read["frames"]:  # `items` holds those of a few videos: counting all would copy all
        n = view.count() if view._is_frames else view.count("frames")
        text = f"Looks at **{n:,} of {whole.count('frames'):,}** frames of {verbatim(whole.name)}"
        return f"{text}; labelled frames and those without a prediction stay out."
    if read["slice"] is not None or view.media_type == "group":
        whole = open_collection(whole, None, read["slice"])
    elif whole.media_type == "group":  # a view of single samples, perhaps of several slices
        whole = whole.select_group_slices(media_type=view.media_type)
    kind, _, where = params["labelled"].partition(":")
    pred = read["pred_field"]
    return scope_of(
        whole,
        items,
        pred_fields=[pred] if isinstance(pred, str) else pred or (),
        gt_field=where if kind == "field" else None,
        tag=where if kind == "tag" else None,
    )


def outlook(
    inputs: Any,
    params: Mapping[str, Any],
    view: Any,
    read: dict[str, Any],
    scope: Scope | str,
    pool: labelnext.Pool,
) -> None:
    """Say what is recommended and why, what would be ranked, and what the batch would hold.

    Args:
        inputs: the form.
        params: of the form, completed.
        view: the samples to rank.
        read: of `reading_of`.
        scope: of `scope_to_rank`.
        pool: the first samples.
    """
    if isinstance(scope, str):
        if params["purpose"] not in (MEASURE, REVIEW):
            inputs.md(_recommended(params, None, pool), name="recommended")
        inputs.md(scope, name="scope")
        return
    if params["purpose"] == MEASURE:
        inputs.md(_compared(scope, view._root_dataset.name, "Compares"), name="scope")
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
    name = view._root_dataset.name
    nothing = not (scope.n_labelled if review else scope.n_ranked)
    if seen is not None and seen.part is None:  # what was read, not only looked up
        nothing = not seen.n_ranked
        if not review:
            scope = replace(scope, n_without=scope.n_target - scope.n_labelled - seen.n_ranked)
    if review:
        inputs.md(_compared(scope, name, "Checks"), name="scope")
    else:
        if not nothing:
            inputs.md(_recommended(params, seen, pool), name="recommended")
        ways = _ways(params["labelled"], fetched_fields(view))
        inputs.md(_of_scope(scope, name, ways), name="scope")
    if nothing and "problem" not in inputs.properties:
        _refuse_nothing(inputs, scope, review)
    elif seen is not None:
        inputs.md(_batch(seen, review), name="foreseen")
    elif "problem" not in inputs.properties and budget_of(params) is not None:
        text = "*What the batch holds is being counted; it shows here with your next change.*"
        inputs.md(text, name="foreseen")


def _refuse_nothing(inputs: Any, scope: Scope, review: bool) -> None:
    """Block the form: an empty ranking would only clear an earlier one."""
    label = "Nothing to check" if review else "Nothing to rank"
    if scope.n_target < scope.n_items:
        text = "Choose other samples."
    elif review or scope.n_without:
        text = "Apply a model to the dataset, then come back."
    else:
        text = "Every sample is labelled. Add some, then come back."
    notice = types.Warning(label=label, description=text)
    refuse(inputs.view("nothing_ranked", notice), f"{label}. {text}")


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
        why = plain(seen.reasons.get("acquisition", "").rpartition(": ")[2].rstrip("."))
        return f"{head}: **{seen.acquisition}**{f', because {why}' if why else ''}; {order}."
    if name == NO_SCORE:
        return f"No score; {order}."
    return f"As you chose: **{name}**; {order}."


def _ways(labelled: str, fetched: Sequence[str]) -> str:
    """By what samples are taken for labelled already."""
    kind, _, where = labelled.partition(":")
    fields = dict.fromkeys([*([where] if kind == "field" else []), *fetched])
    ways = [f"in {' or '.join(map(verbatim, fields))}"] if fields else []
    return " or ".join([*ways, *([f"by the tag {verbatim(where)}"] if kind == "tag" else [])])


def _compared(scope: Scope, name: str, verb: str) -> str:
    parts = (
        (scope.n_items - scope.n_target, "outside the chosen view"),
        (scope.n_target - scope.n_labelled, "without a label"),
    )
    why = ", ".join(f"{n:,} {what}" for n, what in parts if n)
    text = f"{verb} **{scope.n_labelled:,} of {scope.n_items:,}** samples of {verbatim(name)}"
    return f"{text}{f' ({why})' if why else ''}."


def _of_scope(scope: Scope, name: str, ways: str) -> str:
    parts = (
        (scope.n_items - scope.n_target, "outside the chosen view"),
        (scope.n_labelled, f"labelled already {ways}".rstrip()),
        (scope.n_without, "without a prediction that can be ranked"),
    )
    why = ", ".join(f"{n:,} {what}" for n, what in parts if n)
    text = f"Ranks **{scope.n_ranked:,} of {scope.n_items:,}** samples of {verbatim(name)}"
    return f"{text}{f' ({why})' if why else ''}."


_SHOWN = 6  # classes


def _batch(seen: Foreseen, review: bool) -> str:
    return " ".join([_size(seen, review), *map(in_words, seen.remarks)])


def _size(seen: Foreseen, review: bool) -> str:
    what = "labelled samples" if review else "samples"
    head = f"The batch: **{seen.n_batch:,} of {seen.n_ranked:,}** {what}"
    if seen.of_groups:
        head = f"The batch: at most **{seen.n_batch:,} groups** of {seen.n_ranked:,} samples"
    if seen.n_empty and seen.part is None:
        head = f"{head}, {seen.n_empty:,} of them without an object"
    if not seen.counts:
        return f"{head}."
    total = sum(n for _, n in seen.counts)
    shown = _SHOWN + (len(seen.counts) == _SHOWN + 1)  # one more needs no more room
    first, rest = seen.counts[:shown], seen.counts[shown:]
    predicted = "Predicted objects" if seen.of_objects else "Predicted"
    if seen.part is None:
        named = [f"{verbatim(label)} ({n:,})" for label, n in first]
        more = [f"{len(rest)} other classes ({sum(n for _, n in rest):,})"] if rest else []
        return f"{head}. {predicted}: {', '.join(named + more)}."
    named = [f"{verbatim(label)} ({n / total:.0%})" for label, n in first]
    return f"{head}. {predicted}, judged by {seen.part:,} samples: {', '.join(named)}."

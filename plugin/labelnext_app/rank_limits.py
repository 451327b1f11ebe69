"""The third level of the form that ranks: everything else that can be set."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, get_args

from fiftyone.operators import types

import labelnext
from labelnext.acquisition import AUTO
from labelnext.acquisition.objects import NoObjects, Reduction
from labelnext.errors import LabelnextError
from labelnext.support.annotations import Exponent, Positive, Similarity, words
from labelnext.support.kinds import Misfit, fit
from labelnext_adapters.fiftyone.app.limits import (
    BY_DISTANCE,
    BY_EMBEDDINGS,
    BY_IMAGES,
    KEEP,
    SINGLE,
    duplicate_choices,
    likeness_obstacle,
    quota_choices,
    whole_group_choices,
)
from labelnext_adapters.fiftyone.app.offered import EVENLY, NO_SCORE, NOTHING, Offered, numbers_of
from labelnext_adapters.fiftyone.app.words import in_words

from .common import choose, choose_able, refuse

_REDUCTIONS = {
    "mean": "the mean of its objects",
    "max": "the most doubtful object",
    "min": "the least doubtful object",
    "sum": "the sum over its objects",
    "mean_top_k": "the mean of its three most doubtful objects",
    "weighted_sum": "the sum, rare classes counting more",
}
_WITHOUT = {
    "first": "first in the ranking",
    "last": "last in the ranking",
    "quota": "a tenth of every batch",
}
_NEAR = {
    KEEP: "keep them",
    BY_EMBEDDINGS: "leave out, by similarity of embeddings",
    BY_DISTANCE: "leave out, by distance of embeddings",
    BY_IMAGES: "leave out, by what the images show",
}
_WHOLE = {
    SINGLE: "single samples",
    "max": "whole groups, by their most useful sample",
    "mean": "whole groups, by the mean of their samples",
    "min": "whole groups, by their least useful sample",
}
_QUOTAS = {
    "none": "no quota",
    "uniform": "the same number of each",
    "input": "as often as among the samples to rank",
    "numbers": "numbers of my own",
}


@dataclass(frozen=True)
class ToRank:
    """What the form knows of the samples to rank.

    Attributes:
        params: of the form, completed.
        view: what the grid shows of them.
        items: the samples, or the frames of theirs.
        offered: by the samples.
        pool: the first samples.
    """

    params: Mapping[str, Any]
    view: Any
    items: Any
    offered: Offered
    pool: labelnext.Pool


def everything(inputs: Any, ranked: ToRank) -> None:
    """Add objects, quotas, groups, embeddings, near-duplicates and seeds.

    Args:
        inputs: the form.
        ranked: the samples to rank.
    """
    params, offered, pool = ranked.params, ranked.offered, ranked.pool
    scored = params["acquisition"] != NO_SCORE
    if pool.object_sets and scored:
        _objects(inputs, params)
    elif scored and pool.probabilities is not None:
        inputs.bool(
            "calibrate",
            label="Calibrate probabilities",
            description="Scale them by a temperature fitted on labelled samples, if it helps",
            default=False,
            view=types.CheckboxView(),
        )
    frames = bool(ranked.items._is_frames)
    _quotas(inputs, params, offered, frames)
    _groups(inputs, params, offered, frames)
    if offered.vectors:
        choose(
            inputs,
            "embeddings",
            [choice.name for choice in offered.vectors],
            label="Embeddings",
            description="Used by methods that vary the batch, by likeness, and for near-duplicates",
            default=params["embeddings"],
        )
    _duplicates(inputs, params, ranked.items, offered)
    inputs.int(
        "seed", label="Seed", description="The same seed gives the same batch", default=0, min=0
    )


def like_selected(inputs: Any, ranked: ToRank) -> None:
    """Ask whether the batch should be like the samples that are selected in the grid.

    Args:
        inputs: the form.
        ranked: the samples to rank.
    """
    params, items = ranked.params, ranked.items
    selected = params["selected"]
    obstacle = likeness_obstacle(
        selected,
        items,
        ranked.pool,
        embedded=bool(ranked.offered.vectors),
        frames=items._is_frames and not ranked.view._is_frames,
    )
    n = len(selected)
    prop = inputs.bool(
        "like_selected",
        label=f"More like the {_selected(n)}",
        description=obstacle or "Favour what resembles them, such as what your model gets wrong",
        default=False,
        view=types.CheckboxView(read_only=obstacle is not None),
    )
    if not params["like_selected"]:
        return
    if obstacle is not None:
        refuse(prop, obstacle)
    strength = inputs.float(
        "like_strength",
        label="Weight of the likeness",
        description="An exponent: 2 favours close likeness more, 0.5 less",
        default=params["like_strength"],
    )
    if not _fits(params["like_strength"], Exponent):
        refuse(strength, f"Enter {words(Exponent)}.")


def _selected(n: int) -> str:
    return "selected sample" if n == 1 else f"{n:,} selected samples" if n else "selected samples"


def _fits(value: Any, kind: Any) -> bool:
    try:
        fit(value, kind)
    except Misfit:
        return False
    return True


def _duplicates(inputs: Any, params: Mapping[str, Any], items: Any, offered: Offered) -> None:
    """Ask what near-duplicates are told by, and how near they are."""
    near = params["near"]
    choose_able(
        inputs,
        "near",
        duplicate_choices(items, embedded=bool(offered.vectors)),
        label="Near-duplicates",
        chosen=near,
        default=KEEP,
        labels=_NEAR,
    )
    if near in (BY_EMBEDDINGS, BY_IMAGES):
        bits = "0.95 is 1 of 64 bits that differs, 0.8 is 6"
        like = inputs.float(
            "dedupe",
            label="Left out from this similarity",
            description=f"Of their hashes: {bits}" if near == BY_IMAGES else "A cosine, up to 1",
            default=params["dedupe"],
        )
        if not _fits(params["dedupe"], Similarity):
            refuse(like, "Enter a similarity above 0 and at most 1.")
    elif near == BY_DISTANCE:
        distance = inputs.float(
            "min_distance",
            label="Left out below this distance",
            description="Euclidean, of the embeddings as they are",
        )
        if not _fits(params.get("min_distance"), Positive):
            refuse(distance, "Enter a distance above 0.")


def _objects(inputs: Any, params: Mapping[str, Any]) -> None:
    """Ask how the scores of objects are taken together."""
    named = params["acquisition"] != AUTO
    if named:
        choose(
            inputs,
            "reduce",
            get_args(Reduction),
            label="An image's score",
            description="How the scores of its objects become one",
            default="mean",
            labels=_REDUCTIONS,
        )
    if named and params.get("reduce") == "weighted_sum":
        choose(
            inputs,
            "class_weights",
            ["counts", "difficulty"],
            label="Weights of classes",
            description="Which classes count more",
            default="counts",
            labels={
                "counts": "those with few labelled objects",
                "difficulty": "those the model is bad at",
            },
        )
    floor = inputs.float(
        "floor",
        label="Ignore objects below this confidence",
        description="Between 0 and 1; empty for 0.1 with auto, and 0 with other functions",
        required=False,
    )
    value = params.get("floor")
    if isinstance(value, (int, float)) and not 0 <= value <= 1:
        refuse(floor, "Enter a number from 0 to 1, or nothing.")
    choose(
        inputs,
        "no_objects",
        get_args(NoObjects),
        label="Samples without objects",
        description="Where they come",
        default="first" if named else "last",
        labels=_WITHOUT,
    )
    inputs.bool(
        "objects",
        label="Score each object, too",
        description="As an attribute of each label, to colour or filter boxes by it",
        default=False,
        view=types.CheckboxView(),
    )


def _quotas(inputs: Any, params: Mapping[str, Any], offered: Offered, frames: bool) -> None:
    choose(
        inputs,
        "quota",
        list(_QUOTAS),
        label="Quota",
        description="How many of each class, tag or group the batch holds",
        default="none",
        labels=_QUOTAS,
    )
    if params["quota"] == "none":
        return
    choose_able(
        inputs,
        "quota_of",
        quota_choices(
            tags=bool(offered.tags),
            group=None if params["groups"] == NOTHING else params["groups"],
            frames=frames,
            fields=bool(offered.groups),
            whole=params["whole"],
        ),
        label="Quota by",
        chosen=params["quota_of"],
        default="class",
        labels={"class": "predicted class", "tag": "sample tag", "group": "group, as named below"},
    )
    if params["quota"] in EVENLY:
        return
    numbers = inputs.str(
        "quota_numbers",
        label="Numbers",
        description="Such as night: 20, day: 30; the others share what is left of the budget",
    )
    try:
        numbers_of(params.get("quota_numbers") or "")
    except LabelnextError as error:
        refuse(numbers, in_words(error))


def _groups(inputs: Any, params: Mapping[str, Any], offered: Offered, frames: bool) -> None:
    if offered.groups:
        choose(
            inputs,
            "groups",
            [NOTHING, *offered.groups],
            label="Group",
            description="The field that names a sample's group, such as its scene",
            default=NOTHING,
            labels={NOTHING: "the video" if frames else "none"},
        )
    grouped = frames or params["groups"] != NOTHING
    choose_able(
        inputs,
        "whole",
        whole_group_choices(
            grouped=grouped, fields=bool(offered.groups), method=str(params["method"])
        ),
        label="The batch holds",
        chosen=params["whole"],
        default=SINGLE,
        labels=_WHOLE,
    )
    if grouped and params["whole"] == SINGLE:
        limit = inputs.int(
            "per_group",
            label="At most of each group",
            description="Samples of one group in the batch; empty for no limit",
            min=1,
            required=False,
        )
        value = params.get("per_group")
        if isinstance(value, (int, float)) and value < 1:
            refuse(limit, "Enter a whole number of at least 1, or nothing.")

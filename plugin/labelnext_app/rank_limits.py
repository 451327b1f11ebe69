"""The third level of the form that ranks: everything else that can be set."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args

from fiftyone.operators import types

import labelnext
from labelnext.acquisition import AUTO
from labelnext.acquisition.objects import NoObjects, Reduction
from labelnext.errors import LabelnextError
from labelnext_adapters.fiftyone.app.offered import EVENLY, NO_SCORE, NOTHING, Offered, numbers_of
from labelnext_adapters.fiftyone.app.words import in_words

from .common import choose, refuse

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
_QUOTAS = {
    "none": "no quota",
    "uniform": "the same number of each",
    "input": "as often as among the samples to rank",
    "numbers": "numbers of my own",
}


def everything(
    inputs: Any, params: Mapping[str, Any], offered: Offered, pool: labelnext.Pool, *, frames: bool
) -> None:
    """Add objects, quotas, groups, embeddings and seeds.

    Args:
        inputs: the form.
        params: of the form, completed.
        offered: by the samples.
        pool: the first samples.
        frames: whether frames are ranked.
    """
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
    _quotas(inputs, params, offered)
    _groups(inputs, params, offered, frames)
    if offered.vectors:
        choose(
            inputs,
            "embeddings",
            [choice.name for choice in offered.vectors],
            label="Embeddings",
            description="Only needed by methods that vary the batch, and to leave out duplicates",
            default=params["embeddings"],
        )
        dedupe = inputs.float(
            "dedupe",
            label="Leave out near-duplicates from this similarity",
            description="Cosine similarity of the embeddings, such as 0.95; empty for no limit",
            required=False,
        )
        value = params.get("dedupe")
        if isinstance(value, (int, float)) and not 0 < value <= 1:
            refuse(dedupe, "Enter a similarity above 0 and at most 1, or nothing.")
    inputs.int(
        "seed", label="Seed", description="The same seed gives the same batch", default=0, min=0
    )


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


def _quotas(inputs: Any, params: Mapping[str, Any], offered: Offered) -> None:
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
    of = {"class": "predicted class"}
    of |= {"tag": "sample tag"} if offered.tags else {}
    of |= {"group": "group, as named below"} if offered.groups else {}
    choose(
        inputs,
        "quota_of",
        list(of),
        label="Quota by",
        description="What is counted; a sample's class is that of its surest object",
        default="class",
        labels=of,
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
    if not offered.groups and not frames:
        return
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
    if params["groups"] != NOTHING or frames:
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

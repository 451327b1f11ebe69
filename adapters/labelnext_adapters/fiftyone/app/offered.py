"""What a dataset offers to a form, and what the form takes where nobody chose."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from labelnext.acquisition import AUTO, Unit, acquisition_names, get_acquisition
from labelnext.errors import InvalidInput
from labelnext.pool.pool import Pool
from labelnext.selection import get_selection, selection_names
from labelnext.selection.likeness import Likeness
from labelnext_adapters.fiftyone.app.app import state_folder
from labelnext_adapters.fiftyone.app.choices import (
    Choice,
    embedding_choices,
    group_fields,
    label_fields,
    object_vectors,
    prediction_choices,
)
from labelnext_adapters.fiftyone.app.foreseen import Kept, view_as_it_stands
from labelnext_adapters.fiftyone.app.limits import (
    BY_DISTANCE,
    BY_EMBEDDINGS,
    BY_IMAGES,
    KEEP,
    SINGLE,
)
from labelnext_adapters.fiftyone.read.label_types import LABELS, class_name

NO_SCORE = "none"
NOTHING = "nothing"
EVENLY = ("uniform", "input")
REVIEW, MEASURE = "review", "measure"
_MOST_TAGS = 50


@dataclass(frozen=True)
class Offered:
    """What a dataset or view holds that a ranking can use.

    Attributes:
        predictions: fields of predictions, and why one can't be used.
        vectors: embeddings of samples.
        labels: fields of labels, and their kinds.
        tags: of samples.
        groups: fields whose values can name a group.
        looks: by fields of predictions, the attributes with an embedding of each object.
    """

    predictions: Sequence[Choice]
    vectors: Sequence[Choice]
    labels: Mapping[str, str]
    tags: Sequence[str]
    groups: Sequence[str]
    looks: Mapping[str, Sequence[str]] = field(default_factory=dict)

    @property
    def able(self) -> list[str]:
        """The fields of predictions that can be used."""
        return [choice.name for choice in self.predictions if choice.obstacle is None]

    def labelled(self, pred_field: str | None) -> dict[str, str]:
        """How a sample can be told to be labelled: values for a form, and what they are called."""
        ways = {f"field:{name}": f"a label in {name}" for name in self.labels if name != pred_field}
        ways |= {f"tag:{tag}": f"the tag {tag}" for tag in self.tags}
        return {**ways, NOTHING: "nothing yet"}

    def alike(self, pred_field: str | None) -> list[str]:
        """The fields of labels of the kind of a field of predictions."""
        kinds = {choice.name: choice.summary for choice in self.predictions}
        kind = kinds.get(pred_field or "")
        return [n for n, other in self.labels.items() if other == kind and n not in self.able]


def offered_by(items: Any) -> Offered:
    """What a dataset or view holds; looked up once, as long as it stays as it is.

    Args:
        items: a dataset or view.
    """
    if items._is_generated:  # frames may change without a trace in their samples
        return _offered_by(items)
    offered: Offered = _OFFERED.get(view_as_it_stands(items), lambda: _offered_by(items))
    return offered


_OFFERED = Kept(8)


def _offered_by(items: Any) -> Offered:
    predictions = prediction_choices(items)
    return Offered(
        predictions=predictions,
        vectors=embedding_choices(items),
        labels=label_fields(items),
        tags=items.distinct("tags")[:_MOST_TAGS],
        groups=group_fields(items),
        looks={c.name: object_vectors(items, c.name) for c in predictions if not c.obstacle},
    )


def completed(params: Mapping[str, Any], offered: Offered) -> dict[str, Any]:
    """The parameters of the form that ranks, with what is taken where nobody chose.

    Args:
        params: of the form.
        offered: by the samples.
    """
    able = offered.able
    pred = params.get("pred_field") or _first(able, ("predictions", "prediction"))
    ways = offered.labelled(pred)
    labelled = params.get("labelled")
    if labelled not in ways:
        # A box says nothing about a class.
        truths = offered.alike(pred) or [name for name in offered.labels if name not in able]
        first = _first(truths, ["ground_truth"])
        labelled = NOTHING if first is None else f"field:{first}"
    vectors = [choice.name for choice in offered.vectors]
    run = "labelnext_review" if params.get("purpose") == REVIEW else "labelnext"
    defaults = {
        "level": "rank",
        "purpose": "label",
        "pred_values": "confidence",
        "acquisition": AUTO if able else NO_SCORE,
        "method": "top_k" if able else AUTO,
        "budget_in": "samples",
        "budget": 100,
        "hours": 2.0,
        "seconds": 30.0,
        "seed": 0,
        "run": run,
        "quota": "none",
        "quota_of": "class",
        "groups": NOTHING,
        "whole": SINGLE,
        "near": KEEP,
        "dedupe": 0.95,
        "like_selected": False,
        "like_strength": Likeness.similar_strength,
        "selected": [],
    }
    chosen = {name: params.get(name, default) for name, default in defaults.items()}
    looks = params.get("object_embeddings")
    vector = params.get("embeddings") or _first(vectors, ())
    return {
        **params,
        **chosen,
        "tags": list(offered.tags),
        "pred_field": pred,
        "object_embeddings": looks if looks in offered.looks.get(pred or "", ()) else NOTHING,
        "labelled": labelled,
        "embeddings": vector if vector in vectors or not vectors else vectors[0],
    }


def _first(names: Sequence[str], liked: Sequence[str]) -> str | None:
    return next((name for name in liked if name in names), names[0] if names else None)


def budget_of(params: Mapping[str, Any]) -> int | None:
    """How many samples a batch has room for; None where the form says nothing usable.

    Args:
        params: of the form, completed.

    Example:
        >>> budget_of({"budget_in": "hours", "hours": 2, "seconds": 30.0})
        240
    """
    if params["budget_in"] != "hours":
        budget = params["budget"]
        return budget if isinstance(budget, int) and budget >= 1 else None
    hours, seconds = params["hours"], params["seconds"]
    if not (_positive(hours) and _positive(seconds)):
        return None
    return max(1, int(hours * 3600 / seconds))


def _positive(value: object) -> bool:
    return isinstance(value, (int, float)) and math.isfinite(value) and value > 0


def numbers_of(text: str) -> dict[str, int]:
    """The numbers of a quota, as somebody types them: a name, a colon and a number each.

    Raises:
        InvalidInput: if a part is no name with a whole number, or a name comes twice.

    Example:
        >>> numbers_of("night: 20, traffic light: 5")
        {'night': 20, 'traffic light': 5}
    """
    numbers: dict[str, int] = {}
    for part in filter(None, (part.strip() for part in text.replace("\n", ",").split(","))):
        name, colon, number = (piece.strip() for piece in part.rpartition(":"))
        if not (colon and name and number.isdecimal()):
            raise InvalidInput(
                f"Each part must be a name, a colon and a number; got {part!r}.",
                hint="an example is night: 20, day: 30.",
            )
        if name in numbers:
            raise InvalidInput(f"Each name must come once; got {name!r} twice.")
        numbers[name] = int(number)
    return numbers


def reading_of(params: Mapping[str, Any], collection: Any) -> dict[str, Any]:
    """The keys of the source for the fields to read.

    Parameters that are left over from another dataset are ignored.

    Args:
        params: of the form.
        collection: the samples to rank.
    """
    pred = params.get("pred_field")
    others = [name for name in params.get("others") or () if name != pred]
    frames = collection.media_type == "video" and bool(params.get("frames"))
    schema = collection.get_frame_field_schema() if frames else collection.get_field_schema()
    looks = params.get("object_embeddings")
    scalar = pred in schema and class_name(schema[pred]) not in LABELS
    return {
        "slice": params.get("slice") if collection.media_type == "group" else None,
        "frames": frames or collection._is_frames,
        "pred_field": [pred, *others] if others else pred,
        "object_embeddings": None if looks == NOTHING else looks,
        # It may be left over from another field.
        "pred_values": (params.get("pred_values") if scalar else None) or "confidence",
    }


def settings_of(params: Mapping[str, Any], collection: Any) -> dict[str, Any]:
    """The configuration for the parameters of the form that ranks.

    Args:
        params: of the form, completed.
        collection: the samples to rank.

    Raises:
        InvalidInput: if the numbers of a quota can't be read.
    """
    kind, _, where = (params.get("labelled") or "").partition(":")
    source: dict[str, Any] = {
        "adapter": "fiftyone",
        "dataset": collection,
        **reading_of(params, collection),
        "gt_field": where if kind == "field" else None,
        "label_tag": where if kind == "tag" else None,
    }
    rest: dict[str, Any] = {
        "write": {"run": params["run"]},
        "report": {"path": None},
        "state": str(state_folder(collection._root_dataset)),
    }
    if params["purpose"] == REVIEW:
        return {
            "source": source,
            "selection": {"budget": budget_of(params)},
            "purpose": REVIEW,
            **rest,
        }
    if params["purpose"] == MEASURE:
        functions = [AUTO, *acquisition_names()]
        replay = {"by": "predictions", "strategies": functions, "path": None}
        return {
            "source": {**source, "embeddings": params["embeddings"]},
            "replay": replay,
            **rest,
        }
    limits, groups = _limits(params, frames=source["frames"])
    limits |= _likeness(params)
    if uses_embeddings(params):
        source["embeddings"] = params["embeddings"]
    if params.get("objects"):
        rest["write"]["objects"] = True
    return {
        "source": {**source, "groups": groups},
        "acquisition": _acquisition(params),
        "selection": {
            "method": params["method"],
            "budget": budget_of(params),
            "seed": params["seed"] or 0,
            "options": limits,
        },
        **rest,
    }


def _acquisition(params: Mapping[str, Any]) -> dict[str, Any]:
    name = params["acquisition"]
    if name == NO_SCORE:
        return {"name": None}
    # What the form asked of objects may be left over from another field or function.
    by_objects = params.get("of") == "objects"
    asked = ("of", "reduce", "no_objects") if by_objects else ("of", "no_objects")
    chosen = {key: params[key] for key in asked if params.get(key)}
    if isinstance(params.get("floor"), (int, float)):
        chosen["floor"] = params["floor"]
    if params.get("calibrate"):
        chosen["calibrate"] = "auto"
    if by_objects and params.get("class_weights") and params.get("reduce") == "weighted_sum":
        chosen["options"] = {"class_weights": params["class_weights"]}
    return {"name": name, **chosen}


def unit_of(params: Mapping[str, Any], pool: Pool) -> Unit | None:
    """What the chosen function scores in such a pool; None where labelnext chooses both.

    Args:
        params: of the form, completed.
        pool: of `preview`.
    """
    name = params["acquisition"]
    named = params["purpose"] == "label" and name in acquisition_names()
    return get_acquisition(name).default_of(pool) if named else None


def _limits(
    params: Mapping[str, Any], *, frames: bool
) -> tuple[dict[str, Any], str | list[str] | None]:
    """The limits on the batch, and what the groups of samples are."""
    limits: dict[str, Any] = {}
    quota, of = params["quota"], params["quota_of"]
    groups: str | list[str] | None = None if params["groups"] == NOTHING else params["groups"]
    grouped = frames or groups is not None
    if quota != "none":
        numbers = {} if quota in EVENLY else numbers_of(params.get("quota_numbers") or "")
        limits["quota"] = quota if quota in EVENLY else numbers
        if of != "class":
            limits["quota_of"] = "group"
        if of == "tag":
            groups = list(numbers) or list(params["tags"])
    if grouped and params["whole"] != SINGLE:
        limits["groups_as_items"] = params["whole"]
    elif grouped and isinstance(params.get("per_group"), int):
        limits["per_group"] = params["per_group"]
    if params["near"] in (BY_EMBEDDINGS, BY_IMAGES):
        limits |= {"dedupe": params["dedupe"], "dedupe_by": params["near"]}
    elif params["near"] == BY_DISTANCE:
        limits["min_distance"] = params.get("min_distance")
    return limits, groups


def _likeness(params: Mapping[str, Any]) -> dict[str, Any]:
    """What the batch should be like.

    Raises:
        InvalidInput: if that is the selected samples, and none are.
    """
    if not params["like_selected"]:
        return {}
    if not params["selected"]:
        raise InvalidInput("Some samples must be selected to rank what is like them; none are.")
    return {"similar_to": list(params["selected"]), "similar_strength": params["like_strength"]}


def uses_embeddings(params: Mapping[str, Any]) -> bool:
    """Whether a ranking looks at embeddings; reading them takes time and memory.

    Args:
        params: of the form, completed.
    """
    if params["near"] in (BY_EMBEDDINGS, BY_DISTANCE) or params["like_selected"]:
        return True
    method = params["method"]
    inputs = get_selection(method).inputs if method in selection_names() else ()
    return any("embeddings" in name for name in inputs)

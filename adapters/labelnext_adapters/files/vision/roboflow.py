"""Roboflow's inference JSON: detections and classes of images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from labelnext.errors import InvalidInput, listed
from labelnext.pool.pool import Pool
from labelnext_adapters.files.content.oddities import Unusable
from labelnext_adapters.files.content.values import probability
from labelnext_adapters.files.gather import Gathered
from labelnext_adapters.files.vision.detections import Detections, class_of
from labelnext_adapters.files.vision.documents import Document, Names, row_of, shown
from labelnext_adapters.files.vision.options import DetectionOptions
from labelnext_adapters.files.vision.ultralytics import is_result

_BOX = ("x", "y", "width", "height")
_SIGNS = frozenset({"image", "time", "inference_id", "top", "predicted_classes"})
_FOREIGN = frozenset({"data", "annotations"})  # of Label Studio


def inner(value: Any) -> Any:
    """A response, without what a workflow puts around it: a list of one, or a block's name.

    Example:
        >>> block = {"image": {}, "predictions": []}
        >>> inner([{"model_1": block, "count": 0}])["predictions"]
        []
    """
    if isinstance(value, list) and len(value) == 1:
        return inner(value[0])
    if not isinstance(value, dict):
        return value
    blocks = _blocks(value)
    n_told = sum(isinstance(one, dict) and "predictions" in one for one in value.values())
    if len(blocks) != 1 or n_told > 1 or _is_block(value):
        return value  # of an image, or of several by their names
    name = value.get("image")
    named = {"image_path": name} if isinstance(name, str) else {}
    return {**value, **named, **next(iter(blocks.values()))}


def _is_block(value: Any) -> bool:
    """Whether a value is what a block of a workflow, or a model, says of one image."""
    if not isinstance(value, dict) or not {"predictions", "image"} <= value.keys():
        return False
    told = value["predictions"]
    return isinstance(told, list) or (isinstance(told, dict) and not _is_block(told))


def _blocks(value: dict[str, Any]) -> dict[str, Any]:
    """What blocks say of an image, by their names."""
    if not _FOREIGN.isdisjoint(value):
        return {}
    bare = {name: inner(one) if isinstance(one, list) else one for name, one in value.items()}
    return {name: one for name, one in bare.items() if _is_block(one)}


def is_response(value: Any) -> bool:
    """Whether a value is the response for one image."""
    response = inner(value)
    if not isinstance(response, dict) or not _FOREIGN.isdisjoint(response):
        return False
    predictions = response.get("predictions")
    if not isinstance(predictions, list | dict):
        return False
    first = predictions[0] if isinstance(predictions, list) and predictions else None
    if isinstance(predictions, list) and predictions and not isinstance(first, dict):
        return False  # names or scores of classes
    if isinstance(first, dict) and ("confidence" not in first or is_result(first)):
        return False  # Hugging Face's label and score, or Ultralytics' name and number
    described = isinstance(first, dict) and {"class", "confidence"} <= first.keys()
    return described or not _SIGNS.isdisjoint(response)


def are_foreign(value: Any) -> bool:
    """Whether the predictions of a record are another tool's: of no class, or of Ultralytics."""
    response = inner(value)
    told = response.get("predictions") if isinstance(response, dict) else None
    first = told[0] if isinstance(told, list) and told else None
    return isinstance(first, dict) and (
        not {"class", "class_id"} & first.keys() or is_result(first)
    )


def has_several_blocks(value: Any) -> bool:
    """Whether a record holds what several blocks of a workflow say of its image."""
    response = inner(value)
    return isinstance(response, dict) and len(_blocks(response)) > 1 and not _is_block(response)


def _check_one_block(documents: Sequence[Document], responses: Sequence[Any]) -> None:
    for one, response in zip(documents, responses, strict=True):
        if has_several_blocks(response):
            raise InvalidInput(
                f"each image must have the predictions of one block of the workflow; {one.place} "
                f"has those of {listed(_blocks(response))}.",
                hint="keep one of them in the file: they say different things of the same image.",
            )


def read_responses(
    documents: Sequence[Document], options: DetectionOptions, key: str | None
) -> Pool:
    """The images, with their detections as objects, or with the scores of their classes.

    Args:
        documents: a response for each image.
        options: of the format.
        key: `source.key`.

    Raises:
        InvalidInput: if too much can't be used.
    """
    responses = [inner(one.value) for one in documents]
    _check_one_block(documents, responses)
    told = [r.get("predictions") for r in responses if isinstance(r, dict)]
    if sum(isinstance(predictions, dict) for predictions in told) > 0.5 * len(told):
        return _classified(documents, responses, options, key, multilabel=True)
    objects = [p for predictions in told if isinstance(predictions, list) for p in predictions]
    shaped = any(isinstance(p, dict) and not p.keys().isdisjoint(_BOX) for p in objects)
    if objects and not shaped:
        return _classified(documents, responses, options, key, multilabel=False)
    gathered, names = Gathered("detection", classes=options.classes), Names(key)
    detections = Detections(gathered, options.image_size)
    for position, (one, response) in enumerate(zip(documents, responses, strict=True)):
        name = _name(names, one, response, position)
        _add(detections, one, response, name)
    gathered.notices += names.notices()
    return detections.pool()


def _name(names: Names, one: Document, response: Any, position: int) -> Any:
    """The id of a response's image."""
    response = response if isinstance(response, dict) else {}
    image = response.get("image")
    records = [response, *([image] if isinstance(image, dict) else [])]
    name = image.get("name") if isinstance(image, dict) else None
    if names.key is None and isinstance(name, str) and name:
        return name
    return names.of(one, position, *records)


def _add(detections: Detections, one: Document, response: Any, name: Any) -> None:
    """The detections of an image."""
    gathered = detections.found
    predictions = response.get("predictions") if isinstance(response, dict) else None
    if not isinstance(predictions, list) or not predictions:
        with gathered.record(one.place, shown(name)):
            row = row_of(gathered, name)
            _check(one.value, predictions)
            gathered.nothing(row)
        return
    size = _size(response.get("image"))
    for number, prediction in enumerate(predictions, 1):
        with gathered.record(f"{one.place}, detection {number}", shown(name)):
            row = row_of(gathered, name)
            _check_record(prediction)
            kind = prediction.get("class")
            kind = class_of(prediction.get("class_id"), None) if kind is None else kind
            detections.add(row, kind, prediction["confidence"], _corners(prediction), size)


def _check(value: Any, predictions: Any) -> None:
    if isinstance(value, Unusable):
        raise value
    if not isinstance(predictions, list | dict):
        raise Unusable(f"it must be an object with predictions; got {value!r:.60}")


def _check_record(prediction: Any) -> None:
    if not isinstance(prediction, dict) or "confidence" not in prediction:
        raise Unusable(f"it must have class and confidence; got {prediction!r:.60}")


def _size(image: Any) -> tuple[Any, Any] | None:
    """Width and height of the image; None if they aren't there."""
    if not isinstance(image, dict) or image.get("width") is None or image.get("height") is None:
        return None
    return image["width"], image["height"]


def _corners(prediction: Mapping[str, Any]) -> Any:
    """The box x1 y1 x2 y2, from its centre; what can't be read stays as it is, and is counted."""
    values = [prediction.get(name) for name in _BOX]
    numbers = [v for v in values if isinstance(v, int | float) and not isinstance(v, bool)]
    if len(numbers) < 4:
        return values
    try:
        x, y, width, height = map(float, numbers)
    except OverflowError:
        return values
    return [x - width / 2, y - height / 2, x + width / 2, y + height / 2]


def _classified(
    documents: Sequence[Document],
    responses: Sequence[Any],
    options: DetectionOptions,
    key: str | None,
    *,
    multilabel: bool,
) -> Pool:
    """The images with the scores of their classes."""
    told = [
        _scores(one.value, response) for one, response in zip(documents, responses, strict=True)
    ]
    gathered = Gathered("image", classes=options.classes, multilabel=multilabel, likeliest=True)
    names = Names(key)
    for position, (one, response, scores) in enumerate(
        zip(documents, responses, told, strict=True)
    ):
        name = _name(names, one, response, position)
        with gathered.record(one.place, shown(name)):
            row = row_of(gathered, name)
            if isinstance(scores, Unusable):
                raise scores
            gathered.scores(row, scores)
    gathered.notices += names.notices()
    return gathered.pool()


def _scores(value: Any, response: Any) -> dict[str, float] | Unusable:
    """The scores by class, or why there are none."""
    predictions = response.get("predictions") if isinstance(response, dict) else None
    try:
        _check(value, predictions)
        if isinstance(predictions, dict):
            records = [
                {**told, "class": name} if isinstance(told, dict) else told
                for name, told in predictions.items()
            ]
        else:
            records = list(predictions or [])
        scores = {}
        for record in records:
            _check_record(record)
            name = record.get("class")
            if not isinstance(name, str):
                raise Unusable(f"a class must be a name; got {name!r:.60}")
            scores[name] = probability(record["confidence"], "confidence")
    except Unusable as error:
        return error
    return scores or Unusable("it has no classes")

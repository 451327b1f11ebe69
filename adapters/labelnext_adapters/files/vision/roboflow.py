"""Roboflow's inference JSON: detections and classes of images."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from labelnext.errors import InvalidInput, listed
from labelnext.pool.pool import Pool
from labelnext_adapters.files.content.oddities import Unusable
from labelnext_adapters.files.vision.boxes import from_middle
from labelnext_adapters.files.vision.documents import Document, Names
from labelnext_adapters.files.vision.findings import Finding, Images, Said, inside, said_of
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
    told = inside(response, "predictions")
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
    by_class = sum(isinstance(predictions, dict) for predictions in told) > 0.5 * len(told)
    objects = [p for predictions in told if isinstance(predictions, list) for p in predictions]
    shaped = any(isinstance(p, dict) and not p.keys().isdisjoint(_BOX) for p in objects)
    classified, names = by_class or (bool(objects) and not shaped), Names(key)
    pairs = list(zip(documents, responses, strict=True))
    images = Images(
        [one.place for one in documents],
        [_name(names, one, response, position) for position, (one, response) in enumerate(pairs)],
        [_said(one.value, response, classified=classified) for one, response in pairs],
        names.notices(),
    )
    return images.pool(options.classes, options.image_size, independent=by_class)


def _name(names: Names, one: Document, response: Any, position: int) -> Any:
    """The id of a response's image."""
    response = response if isinstance(response, dict) else {}
    image = response.get("image")
    records = [response, *([image] if isinstance(image, dict) else [])]
    name = inside(image, "name")
    if names.key is None and isinstance(name, str) and name:
        return name
    return names.of(one, position, *records)


def _said(value: Any, response: Any, *, classified: bool) -> Said | Unusable:
    """What a response says of its image, or why it can't be used."""
    predictions = inside(response, "predictions")
    if isinstance(value, Unusable):
        return value
    if isinstance(predictions, dict) and (predictions or classified):
        classified = True  # of this image, even among detections of others
        predictions = [
            {**told, "class": name} if isinstance(told, dict) else told
            for name, told in predictions.items()
        ]
    if predictions == {}:
        return Said(objects=[])
    if not isinstance(predictions, list):
        return Unusable(f"it must be an object with predictions; got {value!r:.60}")
    return said_of(
        map(_finding, predictions), classified=classified, size=_size(response.get("image"))
    )


def _finding(prediction: Any) -> Finding | Unusable:
    if not isinstance(prediction, dict) or "confidence" not in prediction:
        return Unusable(f"it must have class and confidence; got {prediction!r:.60}")
    kind, boxed = prediction.get("class"), not prediction.keys().isdisjoint(_BOX)
    kind = prediction.get("class_id") if kind is None and boxed else kind
    box = from_middle(*map(prediction.get, _BOX))
    return Finding(kind, prediction["confidence"], box)


def _size(image: Any) -> tuple[Any, Any] | None:
    """Width and height of the image; None if they aren't there."""
    if not isinstance(image, dict) or image.get("width") is None or image.get("height") is None:
        return None
    return image["width"], image["height"]

"""What SageMaker writes: outputs of batch transform, and manifests of Ground Truth."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from labelnext_adapters.files.content.oddities import Unusable
from labelnext_adapters.files.content.values import real
from labelnext_adapters.files.vision.boxes import of_sides
from labelnext_adapters.files.vision.findings import Finding, Said, Tool, inside, list_of, rows_of

_PREFIX = "__label__"
_METADATA = "-metadata"


def _outputs(value: Any) -> Any:
    """The outputs of a file, of which each line may hold several."""
    several = value if isinstance(value, list) else [value]
    told = [inside(one, "predictions") for one in several]
    if any(isinstance(one, list) and any(map(_is_output, one[:20])) for one in told):
        return [inner for one in told if isinstance(one, list) for inner in one]
    return value


def _is_output(value: Any) -> bool:
    if not isinstance(value, Mapping):
        return False
    if isinstance(value.get("label"), list) and isinstance(value.get("prob"), list):
        return True  # BlazingText
    if "predicted_label" in value and {"score", "probabilities"} & value.keys():
        return True  # Linear Learner, Autopilot
    told = value.get("prediction")
    alone = value.keys() <= {"prediction", "id"}  # of images and their objects
    return alone and isinstance(told, list) and all(isinstance(v, float | list) for v in told)


def _output(value: Mapping[str, Any]) -> Said:
    if "prob" in value:
        kinds = list_of(value["label"], "label")
        names = [str(kind).removeprefix(_PREFIX) for kind in kinds]
        return Said(classes=list(map(Finding, names, list_of(value["prob"], "prob", len(names)))))
    if isinstance(value.get("probabilities"), list):
        shares = value["probabilities"]
        kinds = list_of(value.get("labels", list(range(len(shares)))), "labels", len(shares))
        return Said(classes=list(map(Finding, map(str, kinds), shares)))
    told = value.get("score", value.get("prediction"))
    if not isinstance(told, list):  # the probability of class 1
        share = real(told, "score")
        return Said(classes=[Finding("0", 1 - share), Finding("1", share)])
    if "score" not in value and (not told or isinstance(told[0], list)):
        return Said(objects=[_object(row) for row in told])
    return Said(classes=[Finding(str(number), share) for number, share in enumerate(told)])


def _object(row: Any) -> Finding:
    """A row of a class, a confidence and the corners of a box."""
    numbers = list_of(row, "a detection")
    if len(numbers) != 6:
        raise Unusable(f"a detection must have six numbers; got {row!r:.80}")
    return Finding(int(real(numbers[0], "a class")), numbers[1], numbers[2:])


def _labelled(value: Any) -> str | None:
    """The attribute that a line of a manifest of Ground Truth is labelled with."""
    if not isinstance(value, Mapping) or not {"source-ref", "source"} & value.keys():
        return None
    for name, about in value.items():
        if name.endswith(_METADATA) and isinstance(about, Mapping) and "human-annotated" in about:
            return str(name).removesuffix(_METADATA)
    return None


def _manifest(value: Mapping[str, Any]) -> Said:
    attribute = _labelled(value) or ""
    about, told = value[attribute + _METADATA], value.get(attribute)
    name = value.get("source-ref")
    if about["human-annotated"] == "yes":
        return Said(name=name, skipped=True)
    kinds = about.get("class-map", {})
    if not isinstance(told, Mapping):
        shares = about.get("confidence-map")
        if isinstance(shares, Mapping) and isinstance(kinds, Mapping):
            several = [Finding(kinds.get(key, key), share) for key, share in shares.items()]
            return Said(classes=several, name=name)
        return Said(classes=[Finding(about.get("class-name"), about.get("confidence"))], name=name)
    drawn = rows_of(told.get("annotations"), "annotations")
    sure = rows_of(list_of(about.get("objects"), "objects", len(drawn)), "objects")
    size = rows_of(told.get("image_size") or [{}], "image_size")[0]
    sides = ("left", "top", "width", "height")
    objects = [
        Finding(
            kinds.get(str(one.get("class_id")), one.get("class_id")),
            confidence.get("confidence"),
            of_sides(one, *sides),
        )
        for one, confidence in zip(drawn, sure, strict=True)
    ]
    known = (size["width"], size["height"]) if {"width", "height"} <= size.keys() else None
    return Said(objects=objects, name=name, size=known)


SAGEMAKER = (
    Tool(
        _is_output,
        _output,
        "it has outputs of SageMaker",
        several=_outputs,
        fractions=True,
    ),
    Tool(
        lambda value: _labelled(value) is not None,
        _manifest,
        "its lines have a source and its label, as of Ground Truth",
    ),
)

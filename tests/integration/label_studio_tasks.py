"""Tasks of texts and images with what a model says of them, as Label Studio takes them."""

from __future__ import annotations

from typing import Any

from labelnext.pool import Pool

CHOICES = (
    '<View><Text name="text" value="$text"/><Choices name="kind" toName="text"{more}>'
    '<Choice value="good"/><Choice value="bad"/><Choice value="odd"/></Choices></View>'
)
TWO_TAGS = (
    '<View><Image name="image" value="$image"/><RectangleLabels name="box" toName="image">'
    '<Label value="car"/><Label value="bus"/></RectangleLabels>'
    '<Choices name="kind" toName="image"><Choice value="day"/><Choice value="night"/></Choices>'
    "</View>"
)

Json = dict[str, Any]


def choice(label: str, *, score: float | None = None, **value: Any) -> Json:
    region: Json = {"from_name": "kind", "to_name": "text", "type": "choices"}
    region["value"] = {"choices": [label], **value}
    return region if score is None else {**region, "score": score}


def text_task(*results: list[Json], version: str = "m1", score: float | None = None) -> Json:
    predictions = [{"model_version": version, "result": r, "score": score} for r in results]
    return {"data": {"text": "some text"}, "predictions": predictions}


def box(label: str | None = "car", **more: Any) -> Json:
    value = {"x": 10, "y": 20, "width": 30, "height": 40, "rotation": more.pop("rotation", 0)}
    labels = {} if label is None else {"rectanglelabels": [label]}
    return {
        "from_name": "box",
        "to_name": "image",
        "type": "rectanglelabels",
        "value": {**value, **labels, **more.pop("value", {})},
        **more,
    }


def image_task(*regions: Json, score: float | None = None, version: str = "m1") -> Json:
    prediction = {"model_version": version, "result": list(regions), "score": score}
    return {"data": {"image": "http://localhost/a.jpg"}, "predictions": [prediction]}


def codes(pool: Pool) -> list[str]:
    return [notice.code for notice in pool.notices]

"""Make the fixtures of MMDetection, torchvision, Roboflow, CVAT, VOC and pickles by hand.

python -m tests.formats.make_vision

MMDetection: what DetInferencer writes into outputs/preds. Roboflow: the response of the inference
server. CVAT: "CVAT for images 1.1". VOC: the XML of Pascal VOC with <score>.
"""

from __future__ import annotations

import json
import pickle
import shutil
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).parent
BOX = [10.0, 20.0, 50.0, 40.0]
IMAGES = {"bus": [0.9, 0.5], "zidane": [0.3], "empty": []}


def fresh(name: str) -> Path:
    folder = HERE / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def dump(path: Path, value: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value))


def arrays(scores: list[float], boxes: str, *, first: int = 0) -> dict[str, Any]:
    labels = [first + place % 2 for place in range(len(scores))]
    return {"labels": labels, "scores": scores, boxes: [BOX for _ in scores]}


def mmdetection() -> None:
    folder = fresh("mmdetection")
    for stem, scores in IMAGES.items():
        dump(folder / "outputs" / "preds" / f"{stem}.json", arrays(scores, "bboxes"))
        masks = [{"size": [80, 100], "counts": "0"} for _ in scores]
        value = arrays(scores, "bboxes") | {"masks": masks}
        dump(folder / "masks" / f"{stem}.json", value)
    instances = [
        {"img_path": f"{s}.jpg", "ori_shape": [80, 100], "pred_instances": arrays(c, "bboxes")}
        for s, c in IMAGES.items()
    ]
    dump(folder / "instances.json", instances)


def torchvision() -> None:
    folder = fresh("torchvision")
    images = {f"{stem}.jpg": arrays(scores, "boxes", first=1) for stem, scores in IMAGES.items()}
    dump(folder / "by_name.json", images)
    dump(folder / "list.json", list(images.values()))
    dump(folder / "named.json", [{"file_name": name, **one} for name, one in images.items()])


def pickles() -> None:
    folder = fresh("pickle")
    images = {
        f"{stem}.jpg": {
            "boxes": np.array([BOX for _ in scores], dtype=np.float32).reshape(-1, 4),
            "labels": np.ones(len(scores), dtype=np.int64),
            "scores": np.array(scores, dtype=np.float64),
        }
        for stem, scores in IMAGES.items()
    }
    for protocol in range(6):
        path = folder / f"torchvision_{protocol}.pkl"
        path.write_bytes(pickle.dumps(images, protocol))
    by_class = [
        [np.array([[*BOX, c] for c in scores]).reshape(-1, 5), np.zeros((0, 5))]
        for scores in IMAGES.values()
    ]
    (folder / "mmdetection_2.pkl").write_bytes(pickle.dumps(by_class))
    instances = [
        {"img_path": f"{stem}.jpg", "pred_instances": {
            "bboxes": np.array([BOX for _ in scores]).reshape(-1, 4),
            "labels": np.zeros(len(scores), dtype=np.int64), "scores": np.array(scores)}}
        for stem, scores in IMAGES.items()
    ]  # fmt: skip
    (folder / "mmdetection_3.pkl").write_bytes(pickle.dumps(instances))


def response(scores: list[float], *, name: str | None = None) -> dict[str, Any]:
    predictions = [
        {"x": 30.0, "y": 30.0, "width": 40.0, "height": 20.0, "confidence": score, "class": kind,
         "class_id": number, "detection_id": f"{number}-{score}"}
        for score, (number, kind) in zip(scores, enumerate(["person", "dog"]), strict=False)
    ]  # fmt: skip
    image = {"width": 100, "height": 80} | ({} if name is None else {"name": name})
    return {"time": 0.05, "image": image, "predictions": predictions}


def roboflow() -> None:
    folder = fresh("roboflow")
    dump(folder / "one.json", response([0.9, 0.5]))
    dump(folder / "list.json", [response(c, name=f"{s}.jpg") for s, c in IMAGES.items()])
    dump(folder / "nameless.json", [response(c) for c in IMAGES.values()])
    dump(folder / "by_name.json", {f"{s}.jpg": response(c) for s, c in IMAGES.items()})
    for stem, scores in IMAGES.items():
        dump(folder / "folder" / f"{stem}.json", response(scores))
    workflow = [{"image_path": f"{s}.jpg", "predictions": response(c)} for s, c in IMAGES.items()]
    dump(folder / "workflow.json", workflow)
    drawn = {"type": "base64", "value": "", "video_metadata": {"video_identifier": "image.[0]"}}
    blocks = [
        {"model_predictions": response(c), "image_path": f"{s}.jpg", "output_image": drawn}
        for s, c in IMAGES.items()
    ]
    dump(folder / "blocks.json", blocks)
    outputs = [{"file_name": f"{s}.jpg", "boxes": response(c)} for s, c in IMAGES.items()]
    dump(folder / "outputs.json", {"outputs": outputs, "profiler_trace": []})
    told = {"a": {"cat": 0.7, "dog": 0.3}, "b": {"dog": 0.55, "cat": 0.45}}
    single = {
        f"{stem}.jpg": {
            "image": {"width": 10, "height": 10},
            "predictions": [
                {"class": name, "class_id": i, "confidence": p}
                for i, (name, p) in enumerate(scores.items())
            ],
            "top": next(iter(scores)),
            "confidence": max(scores.values()),
        }
        for stem, scores in told.items()
    }
    dump(folder / "classified.json", single)
    several = {
        f"{stem}.jpg": {
            "image": {"width": 10, "height": 10},
            "predictions": {n: {"confidence": p, "class_id": 0} for n, p in scores.items()},
            "predicted_classes": list(scores),
        }
        for stem, scores in {"a": {"cat": 0.9, "dog": 0.8}, "b": {"cat": 0.5, "dog": 0.1}}.items()
    }
    dump(folder / "multilabel.json", several)


def cvat() -> None:
    folder = fresh("cvat")
    meta = "<version>1.1</version><meta><task><name>t</name><labels>" + "".join(
        f"<label><name>{name}</name><attributes/></label>" for name in ("person", "dog")
    ) + "</labels></task></meta>"  # fmt: skip
    shape = (
        '<box label="{label}" source="auto" occluded="0" xtl="10" ytl="20" xbr="50" ybr="40" '
        'z_order="0">{score}</box>'
    )
    score = '<attribute name="{name}">{value}</attribute>'

    def document(images: str) -> str:
        return f'<?xml version="1.0" encoding="utf-8"?>\n<annotations>{meta}{images}</annotations>'

    def image(number: int, stem: str, inner: str) -> str:
        head = f'<image id="{number}" name="{stem}.jpg" width="100" height="80">'
        return f"{head}{inner}</image>"

    def all_images(name: str | None) -> str:
        return document(
            "".join(
                image(
                    number,
                    stem,
                    "".join(
                        shape.format(
                            label=label,
                            score="" if name is None else score.format(name=name, value=value),
                        )
                        for value, label in zip(scores, ("person", "dog"), strict=False)
                    ),
                )
                for number, (stem, scores) in enumerate(IMAGES.items())
            )
        )

    (folder / "boxes.xml").write_text(all_images("score"))
    (folder / "confidence.xml").write_text(all_images("Confidence"))
    (folder / "labels.xml").write_text(all_images(None))
    polygon = '<polygon label="dog" score="{}" points="10,20;50.5,20;30,40"/>'
    ellipse = '<ellipse label="dog" score="{}" cx="30" cy="30" rx="20" ry="10"/>'
    mask = '<mask label="dog" score="{}" rle="1, 2" left="10" top="20" width="40" height="20"/>'
    shapes = image(0, "a", polygon.format(0.75) + ellipse.format(0.25))
    (folder / "shapes.xml").write_text(document(shapes + image(1, "b", mask.format(0.4))))
    tag = '<tag label="{}" source="auto"><attribute name="score">{}</attribute></tag>'
    tags = image(0, "a", tag.format("dog", 0.9)) + image(1, "b", tag.format("person", 0.6))
    (folder / "tags.xml").write_text(document(tags))
    (folder / "video.xml").write_text(document('<track id="0" label="dog"/>'))


def voc() -> None:
    folder = fresh("voc")
    box = "".join(
        f"<{n}>{v:.0f}</{n}>" for n, v in zip(("xmin", "ymin", "xmax", "ymax"), BOX, strict=True)
    )

    def document(stem: str, scores: list[float], tag: str | None) -> str:
        objects = "".join(
            f"<object><name>{name}</name><bndbox>{box}</bndbox>"
            + ("" if tag is None else f"<{tag}>{score}</{tag}>")
            + "</object>"
            for score, name in zip(scores, ("person", "dog"), strict=False)
        )
        size = "<size><width>100</width><height>80</height><depth>3</depth></size>"
        return f"<annotation><filename>{stem}.jpg</filename>{size}{objects}</annotation>\n"

    for kind, tag in {"scores": "score", "confidences": "confidence", "labels": None}.items():
        (folder / kind).mkdir()
        for stem, scores in IMAGES.items():
            (folder / kind / f"{stem}.xml").write_text(document(stem, scores, tag))


def main() -> None:
    for make in (mmdetection, torchvision, pickles, roboflow, cvat, voc):
        make()


if __name__ == "__main__":
    main()

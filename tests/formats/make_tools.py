"""Make the fixtures of MegaDetector, Darknet, LabelMe, VIA, FiftyOne, text lines, clouds and more.

python -m tests.formats.make_tools

By hand, to the published descriptions: MegaDetector's output format 1.6; Darknet's `-out`; LabelMe
5 with the `score` of X-AnyLabeling; Detectron2's Instances and its COCO evaluator; TensorFlow
Serving's predict API; PaddleX's and PaddleClas's results; the API references of Rekognition, Google
Vision, Azure Custom Vision, Vertex AI and Comprehend; FiftyOneDataset's samples.json; VIA 2 and 1;
VOC's development kit (comp4), mAP tools (a file an image), DOTA's Task1, KITTI's results; fastText.
"""

from __future__ import annotations

import json
from typing import Any

from tests.formats.make_vision import HERE, IMAGES, dump, fresh

KINDS = ("person", "dog")
#: The box 10 20 50 40 in an image of 100 × 80 pixels.
X1, Y1, X2, Y2 = 0.1, 0.25, 0.5, 0.5
CLASSES = {"a.jpg": {"cat": 0.7, "dog": 0.3}, "b.jpg": {"dog": 0.55, "cat": 0.45}}


def lines(path: Any, records: list[Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(record) + "\n" for record in records))


def found(scores: list[float]) -> list[tuple[int, str, float]]:
    return [(n, KINDS[n % 2], score) for n, score in enumerate(scores)]


def megadetector() -> None:
    folder = fresh("megadetector")
    images: list[Any] = [
        {
            "file": f"{stem}.jpg",
            "detections": [
                {"category": str(n + 1), "conf": s, "bbox": [X1, Y1, X2 - X1, Y2 - Y1]}
                for n, _, s in found(scores)
            ],
        }
        for stem, scores in IMAGES.items()
    ]
    head = {"info": {"format_version": "1.6", "detector": "MDV5A"},
            "detection_categories": {"1": "person", "2": "dog"}}  # fmt: skip
    dump(folder / "batch.json", {**head, "images": images})
    failed = {"file": "broken.jpg", "failure": "Failure image access", "detections": None}
    dump(folder / "failed.json", {**head, "images": [*images, failed]})
    wild = [
        {"file": f"{stem}.jpg", "detections": [
            {"category": kind, "confidence": s, "bbox": [10.0, 20.0, 50.0, 40.0]}
            for _, kind, s in found(scores)]}
        for stem, scores in IMAGES.items()
    ]  # fmt: skip
    dump(folder / "wildlife.json", wild)


def darknet() -> None:
    box = {"center_x": 0.3, "center_y": 0.375, "width": 0.4, "height": 0.25}
    frames = [
        {"frame_id": number, "filename": f"{stem}.jpg", "objects": [
            {"class_id": n, "name": kind, "relative_coordinates": box, "confidence": s}
            for n, kind, s in found(scores)]}
        for number, (stem, scores) in enumerate(IMAGES.items(), 1)
    ]  # fmt: skip
    dump(fresh("darknet") / "result.json", frames)


def labelme() -> None:
    folder = fresh("labelme")
    corners = [[10, 20], [50, 20], [50, 40], [10, 40]]

    def document(stem: str, scores: list[float], *, scored: bool) -> dict[str, Any]:
        shapes = [
            {"label": kind, "points": corners, "shape_type": "polygon", "flags": {}}
            | ({"score": s} if scored else {})
            for _, kind, s in found(scores)
        ]
        return {"version": "5.4.1", "flags": {}, "shapes": shapes, "imagePath": f"{stem}.jpg",
                "imageData": None, "imageHeight": 80, "imageWidth": 100}  # fmt: skip

    for stem, scores in IMAGES.items():
        dump(folder / "scores" / f"{stem}.json", document(stem, scores, scored=True))
        dump(folder / "labels" / f"{stem}.json", document(stem, scores, scored=False))


def detectron2() -> None:
    folder = fresh("detectron2")

    def instances(scores: list[float]) -> dict[str, Any]:
        return {"image_size": [80, 100], "pred_boxes": [[10, 20, 50, 40] for _ in scores],
                "scores": scores, "pred_classes": [n for n, _, _ in found(scores)]}  # fmt: skip

    bare = {f"{stem}.jpg": instances(scores) for stem, scores in IMAGES.items()}
    dump(folder / "by_name.json", bare)
    dump(
        folder / "instances.json",
        [{"file_name": n, "instances": {**one, "pred_boxes": {"tensor": one["pred_boxes"]}}}
         for n, one in bare.items()],
    )  # fmt: skip
    records = [
        {"image_id": stem, "instances": [
            {"image_id": stem, "category_id": n, "bbox": [10, 20, 40, 20], "score": s}
            for n, _, s in found(scores)]}
        for stem, scores in IMAGES.items()
    ]  # fmt: skip
    dump(folder / "records.json", records)


def tensorflow() -> None:
    folder = fresh("tensorflow")

    def image(scores: list[float]) -> dict[str, Any]:
        return {
            "num_detections": float(len(scores)),
            "detection_boxes": [[Y1, X1, Y2, X2] for _ in scores] + [[0, 0, 0, 0]],
            "detection_scores": [*scores, 0.0],
            "detection_classes": [*(float(n) for n, _, _ in found(scores)), 1.0],
        }

    images = {f"{stem}.jpg": image(scores) for stem, scores in IMAGES.items()}
    dump(folder / "by_name.json", images)
    dump(folder / "served.json", {"predictions": [{"key": n, **one} for n, one in images.items()]})
    batches = {name: {key: [value] for key, value in one.items()} for name, one in images.items()}
    dump(folder / "batches.json", batches)


def paddle() -> None:
    folder = fresh("paddle")
    for stem, scores in IMAGES.items():
        boxes = [
            {"cls_id": n, "label": kind, "score": s, "coordinate": [10.0, 20.0, 50.0, 40.0]}
            for n, kind, s in found(scores)
        ]
        value = {"input_path": f"{stem}.jpg", "page_index": None, "boxes": boxes}
        dump(folder / "boxes" / f"{stem}_res.json", value)
    told = [
        {"class_ids": list(range(len(scores))), "scores": list(scores.values()),
         "file_name": name, "label_names": list(scores)}
        for name, scores in CLASSES.items()
    ]  # fmt: skip
    dump(folder / "classes.json", told)


def rekognition() -> None:
    folder = fresh("cloud")
    box = {"BoundingBox": {"Left": X1, "Top": Y1, "Width": X2 - X1, "Height": Y2 - Y1}}

    def custom(scores: list[float]) -> dict[str, Any]:
        labels = [{"Name": k, "Confidence": s * 100, "Geometry": box} for _, k, s in found(scores)]
        return {"CustomLabels": labels}

    def labels(scores: list[float]) -> dict[str, Any]:
        told = [
            {"Name": k, "Confidence": s * 100, "Parents": [],
             "Instances": [{**box, "Confidence": s * 100}]}
            for _, k, s in found(scores)
        ]  # fmt: skip
        return {"Labels": told, "LabelModelVersion": "3.0"}

    dump(
        folder / "rekognition-custom.json", {f"{stem}.jpg": custom(c) for stem, c in IMAGES.items()}
    )
    for stem, scores in IMAGES.items():
        dump(folder / "rekognition" / f"{stem}.json", labels(scores))
    whole = [
        {"image": name, "Labels": [
            {"Name": kind, "Confidence": s * 100, "Instances": []} for kind, s in scores.items()]}
        for name, scores in CLASSES.items()
    ]  # fmt: skip
    lines(folder / "rekognition-labels.jsonl", whole)


def google() -> None:
    folder = HERE / "cloud"
    corners = [{"x": X1, "y": Y1}, {"x": X2, "y": Y1}, {"x": X2, "y": Y2}, {"x": X1, "y": Y2}]
    responses = [
        {"localizedObjectAnnotations": [
            {"mid": f"/m/{n}", "name": k, "score": s,
             "boundingPoly": {"normalizedVertices": corners}} for n, k, s in found(scores)],
         "context": {"uri": f"gs://bucket/{stem}.jpg"}}
        for stem, scores in IMAGES.items()
    ]  # fmt: skip
    dump(folder / "google-objects.json", {"responses": responses})
    labels = [
        {"file_name": name, "response": {"labelAnnotations": [
            {"mid": "/m/1", "description": k, "score": s, "topicality": s}
            for k, s in scores.items()]}}
        for name, scores in CLASSES.items()
    ]  # fmt: skip
    lines(folder / "google-labels.jsonl", labels)


def azure() -> None:
    folder = HERE / "cloud"
    box = {"left": X1, "top": Y1, "width": X2 - X1, "height": Y2 - Y1}
    head = {"id": "f2b5", "project": "p", "iteration": "i", "created": "2026-01-01T00:00:00Z"}
    for stem, scores in IMAGES.items():
        rows = [
            {"probability": s, "tagId": "t", "tagName": k, "boundingBox": box, "tagType": "Regular"}
            for _, k, s in found(scores)
        ]
        dump(folder / "azure" / f"{stem}.json", {**head, "predictions": rows})
    classes = {
        name: {**head, "predictions": [
            {"probability": s, "tagId": "t", "tagName": k} for k, s in scores.items()]}
        for name, scores in CLASSES.items()
    }  # fmt: skip
    dump(folder / "azure-classes.json", classes)


def vertex() -> None:
    folder = HERE / "cloud"

    def record(name: str, prediction: dict[str, Any]) -> dict[str, Any]:
        instance = {"content": f"gs://bucket/{name}", "mimeType": "image/jpeg"}
        return {"instance": instance, "prediction": prediction}

    objects = [
        record(f"{stem}.jpg", {
            "ids": [str(n) for n, _, _ in found(scores)],
            "displayNames": [k for _, k, _ in found(scores)],
            "confidences": scores, "bboxes": [[X1, X2, Y1, Y2] for _ in scores]})
        for stem, scores in IMAGES.items()
    ]  # fmt: skip
    lines(folder / "vertex-objects.jsonl", objects)
    classes = [
        record(name, {"ids": ["1", "2"], "displayNames": list(scores),
                      "confidences": list(scores.values())})
        for name, scores in CLASSES.items()
    ]  # fmt: skip
    lines(folder / "vertex-classes.jsonl", classes)


def comprehend() -> None:
    folder = HERE / "cloud"
    classes = [
        {"File": "docs.csv", "Line": str(line), "Classes": [
            {"Name": k, "Score": s} for k, s in scores.items()]}
        for line, scores in enumerate(CLASSES.values())
    ]  # fmt: skip
    lines(folder / "comprehend-classes.jsonl", classes)
    moods = [
        {"File": name, "Sentiment": "POSITIVE", "SentimentScore": {
            "Mixed": 0.0, "Negative": scores["dog"], "Neutral": 0.0, "Positive": scores["cat"]}}
        for name, scores in CLASSES.items()
    ]  # fmt: skip
    lines(folder / "comprehend-sentiment.jsonl", moods)


def texts() -> None:
    """OpenAI's moderation, Perspective, Google's and Azure's language, Comprehend's entities."""
    folder = HERE / "cloud"
    lines(folder / "moderation.jsonl", [
        {"id": "batch_req_1", "custom_id": name, "error": None, "response": {
            "status_code": 200, "body": {"id": "modr-1", "model": "omni-moderation-latest",
                "results": [{"flagged": True, "categories": dict.fromkeys(scores, True),
                             "category_scores": scores}]}}}
        for name, scores in CLASSES.items()
    ])  # fmt: skip
    lines(folder / "perspective.jsonl", [
        {"comment_id": name, "languages": ["en"], "attributeScores": {
            kind: {"spanScores": [{"begin": 0, "end": 4, "score": {"value": 0.1}}],
                   "summaryScore": {"value": score, "type": "PROBABILITY"}}
            for kind, score in scores.items()}}
        for name, scores in CLASSES.items()
    ])  # fmt: skip
    lines(folder / "google-categories.jsonl", [
        {"id": name, "response": {"categories": [
            {"name": kind, "confidence": score} for kind, score in scores.items()]}}
        for name, scores in CLASSES.items()
    ])  # fmt: skip
    documents = [
        {"id": name, "sentiment": "positive", "sentences": [], "warnings": [], "confidenceScores": {
            "positive": scores["cat"], "neutral": 0.0, "negative": scores["dog"]}}
        for name, scores in CLASSES.items()
    ]  # fmt: skip
    results = {"documents": documents, "errors": [], "modelVersion": "2022-11-01"}
    dump(folder / "azure-sentiment.json", {"kind": "SentimentAnalysisResults", "results": results})
    lines(folder / "comprehend-entities.jsonl", [
        {"File": f"{stem}.jpg", "Entities": [
            {"BeginOffset": n, "EndOffset": n + 1, "Score": s, "Text": "x", "Type": kind}
            for n, kind, s in found(scores)]}
        for stem, scores in IMAGES.items()
    ])  # fmt: skip


def analysed() -> None:
    """Azure's image analysis, Scale's tasks, SageMaker's outputs and manifests."""
    folder = HERE / "cloud"
    about = {"requestId": "r", "metadata": {"width": 100, "height": 80, "format": "Jpeg"}}
    dump(folder / "azure-objects.json", {
        f"{stem}.jpg": {**about, "objects": [
            {"rectangle": {"x": 10, "y": 20, "w": 40, "h": 20}, "object": kind, "confidence": s}
            for _, kind, s in found(scores)]}
        for stem, scores in IMAGES.items()
    })  # fmt: skip
    dump(folder / "azure-tags.json", {
        name: {"modelVersion": "2023-10-01", "metadata": {"width": 100, "height": 80},
               "tagsResult": {"values": [
                   {"name": kind, "confidence": score} for kind, score in scores.items()]}}
        for name, scores in CLASSES.items()
    })  # fmt: skip
    (folder / "sagemaker").mkdir()
    for stem, scores in IMAGES.items():
        rows = [[float(n), s, X1, Y1, X2, Y2] for n, _, s in found(scores)]
        dump(folder / "sagemaker" / f"{stem}.jpg.out", {"prediction": rows})
    lines(folder / "sagemaker-joined.jsonl.out", [
        {"id": name, "text": "x", "SageMakerOutput": {
            "predicted_label": "cat", "probability": max(scores.values()),
            "probabilities": list(scores.values()), "labels": list(scores)}}
        for name, scores in CLASSES.items()
    ])  # fmt: skip
    told = {"human-annotated": "no", "job-name": "j", "creation-date": "2026-01-01T00:00:00"}
    box = {"left": 10, "top": 20, "width": 40, "height": 20}
    lines(folder / "ground-truth-boxes.manifest", [
        {"source-ref": f"s3://bucket/{stem}.jpg",
         "drawn": {"image_size": [{"width": 100, "height": 80, "depth": 3}],
                   "annotations": [{"class_id": n % 2, **box} for n, _, _ in found(scores)]},
         "drawn-metadata": {**told, "objects": [{"confidence": s} for s in scores],
                            "class-map": {"0": "person", "1": "dog"},
                            "type": "groundtruth/object-detection"}}
        for stem, scores in IMAGES.items()
    ])  # fmt: skip
    lines(folder / "ground-truth-classes.manifest", [
        {"source-ref": f"s3://bucket/{name}", "kind": n, "kind-metadata": {
            **told, "class-name": max(scores, key=lambda kind: scores[kind]),
            "confidence": max(scores.values()), "type": "groundtruth/image-classification"}}
        for n, (name, scores) in enumerate(CLASSES.items())
    ])  # fmt: skip
    dump(folder / "scale.json", [
        {"task_id": f"t{stem}", "type": "imageannotation", "status": "completed",
         "params": {"attachment": f"s3://bucket/{stem}.jpg"},
         "response": {"annotations": [
             {"type": "box", "label": kind, **box, "confidence": s}
             for _, kind, s in found(scores)]}}
        for stem, scores in IMAGES.items() if scores
    ])  # fmt: skip


def fiftyone() -> None:
    folder = fresh("fiftyone")

    def sample(stem: str, **fields: Any) -> dict[str, Any]:
        return {"filepath": f"data/{stem}.jpg", "tags": [], "_media_type": "image", **fields}

    objects = [
        sample(
            stem,
            ground_truth={"_cls": "Classification", "label": "street"},
            predictions={"_cls": "Detections", "detections": [
                {"_cls": "Detection", "label": kind, "confidence": s,
                 "bounding_box": [X1, Y1, X2 - X1, Y2 - Y1]} for _, kind, s in found(scores)]},
        )
        for stem, scores in IMAGES.items()
    ]  # fmt: skip
    dump(folder / "export" / "samples.json", {"samples": objects})
    dump(folder / "export" / "metadata.json", {"media_type": "image", "version": "1.0"})
    one = {"bus": 0.9, "zidane": 0.3}
    told = [sample(stem, model={"_cls": "Classification", "label": "dog", "confidence": sure})
            for stem, sure in one.items()]  # fmt: skip
    dump(folder / "classes.json", {"samples": [*told, sample("empty", model=None)]})


def via() -> None:
    folder = fresh("via")
    shape = {"name": "rect", "x": 10, "y": 20, "width": 40, "height": 20}
    images = {
        f"{stem}.jpg{number}": {"filename": f"{stem}.jpg", "size": number, "file_attributes": {},
            "regions": [{"shape_attributes": shape,
                         "region_attributes": {"label": kind, "score": str(s)}}
                        for _, kind, s in found(scores)]}
        for number, (stem, scores) in enumerate(IMAGES.items(), 1)
    }  # fmt: skip
    dump(folder / "project.json", {"_via_settings": {}, "_via_img_metadata": images})
    old = {key: {**one, "regions": {str(n): r for n, r in enumerate(one["regions"])}}
           for key, one in images.items()}  # fmt: skip
    dump(folder / "version1.json", old)


def box_lines() -> None:
    folder = fresh("voc-text")
    numbers = {"comp4": "10 20 50 40", "Task1": "10 20 50 20 50 40 10 40"}
    names = {"comp4": "comp4_det_test_{}.txt", "Task1": "Task1_{}.txt"}
    for made, box in numbers.items():
        (folder / made).mkdir()
        for n, kind in enumerate(KINDS):
            told = "".join(f"{stem} {scores[n]} {box}\n" for stem, scores in IMAGES.items()
                           if n < len(scores))  # fmt: skip
            (folder / made / names[made].format(kind)).write_text(told)
    forms = {"middle": "{} 0.3 0.375 0.4 0.25 {}\n",
             "mean_average_precision": "{} {} 10 20 50 40\n",
             "kitti": "{} -1 -1 -10 10 20 50 40 -1 -1 -1 -1000 -1000 -1000 -10 {}\n"}  # fmt: skip
    for made, form in forms.items():
        (folder / made).mkdir()
        for stem, scores in IMAGES.items():
            told = "".join(form.format(kind, s) for _, kind, s in found(scores))
            (folder / made / f"{stem}.txt").write_text(told)
    (folder / "boxes").mkdir()  # numpy.savetxt of the boxes' data
    (folder / "mot").mkdir()
    for frame, (stem, scores) in enumerate(IMAGES.items(), 1):
        told = "".join(f"1.0e+01 20 50 40 {s} {n}\n" for n, _, s in found(scores))
        (folder / "boxes" / f"{stem}.txt").write_text(told)
        with (folder / "mot" / "det.txt").open("a") as file:
            file.writelines(f"{frame},{n + 1},10,20,40,20,{s},-1,-1,-1\n"
                            for n, _, s in found(scores))  # fmt: skip


def fasttext() -> None:
    folder = fresh("fasttext")
    told = [{"cat": 0.7, "dog": 0.3}, {"dog": 0.55, "cat": 0.45}, {"cat": 0.875, "dog": 0.125}]
    for name, most in (("all", 2), ("top", 1)):
        lines = [" ".join(f"__label__{kind} {p}" for kind, p in list(row.items())[:most])
                 for row in told]  # fmt: skip
        (folder / f"{name}.txt").write_text("\n".join([*lines, ""]))


def main() -> None:
    for make in (
        megadetector, darknet, labelme, detectron2, tensorflow, paddle, rekognition, google, azure,
        vertex, comprehend, texts, analysed, fiftyone, via, box_lines,
        fasttext,
    ):  # fmt: skip
        make()


if __name__ == "__main__":
    main()

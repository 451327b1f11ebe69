"""Make the fixtures of the big clouds' services.

python -m tests.formats.make_clouds

By hand, to the published descriptions: the API references of Rekognition, Google Vision, Azure
Custom Vision, Vertex AI and Comprehend, of moderation and of SageMaker.
"""

from __future__ import annotations

from typing import Any

from tests.formats.make_tools import CLASSES, X1, X2, Y1, Y2, found, lines
from tests.formats.make_vision import HERE, IMAGES, dump, fresh


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


def main() -> None:
    for make in (rekognition, google, azure, vertex, comprehend, texts, analysed):
        make()


if __name__ == "__main__":
    main()

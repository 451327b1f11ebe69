"""Make the fixtures of MegaDetector, Darknet, LabelMe, VIA, FiftyOne, text lines and more.

python -m tests.formats.make_tools

By hand, to the published descriptions: MegaDetector's output format 1.6; Darknet's `-out`; LabelMe
5 with the `score` of X-AnyLabeling; Detectron2's Instances and its COCO evaluator; TensorFlow
Serving's predict API; PaddleX's and PaddleClas's results; FiftyOneDataset's samples.json; VIA 2
and 1; Datumaro's, Supervisely's and V7's JSON; VOC's development kit (comp4), mAP tools (a file an
image), DOTA's Task1, KITTI's results; fastText. `make_clouds` makes those of the big clouds.
"""

from __future__ import annotations

import json
from typing import Any

from tests.formats.make_vision import IMAGES, dump, fresh

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


def datumaro() -> None:
    folder = fresh("datumaro")
    items = [
        {"id": f"{stem}.jpg", "image": {"path": "", "size": [80, 100]}, "annotations": [
            {"id": n, "type": "bbox", "attributes": {"score": s}, "label_id": n % 2,
             "bbox": [10, 20, 40, 20]} for n, _, s in found(scores)]}
        for stem, scores in IMAGES.items()
    ]  # fmt: skip
    labels = [{"name": kind, "parent": "", "attributes": []} for kind in KINDS]
    categories = {"label": {"labels": labels, "attributes": []}}
    dump(folder / "default.json", {"infos": {}, "categories": categories, "items": items})


def supervisely() -> None:
    folder = fresh("supervisely") / "ann"
    for stem, scores in IMAGES.items():
        objects = [
            {"classTitle": kind, "geometryType": "rectangle",
             "tags": [{"name": "confidence", "value": s}],
             "points": {"exterior": [[10, 20], [50, 40]], "interior": []}}
            for _, kind, s in found(scores)
        ]  # fmt: skip
        size = {"height": 80, "width": 100}
        dump(folder / f"{stem}.jpg.json", {"tags": [], "size": size, "objects": objects})


def darwin() -> None:
    folder = fresh("darwin") / "release"
    for stem, scores in IMAGES.items():
        annotations = [
            {"bounding_box": {"x": 10.0, "y": 20.0, "w": 40.0, "h": 20.0}, "id": f"{n}",
             "inference": {"confidence": s, "model": {"id": "m", "name": "m", "type": "external"}},
             "name": kind, "properties": [], "slot_names": ["0"]}
            for n, kind, s in found(scores)
        ]  # fmt: skip
        slot = {"height": 80, "width": 100, "slot_name": "0", "type": "image", "source_files": []}
        item = {"name": f"{stem}.jpg", "path": "/", "source_info": {}, "slots": [slot]}
        told = {"version": "2.0", "schema_ref": "", "item": item, "annotations": annotations}
        dump(folder / f"{stem}.json", told)


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
        megadetector, darknet, labelme, detectron2, tensorflow, paddle, fiftyone, via, datumaro,
        supervisely, darwin, box_lines, fasttext,
    ):  # fmt: skip
        make()


if __name__ == "__main__":
    main()

"""A record of each format, as its writer makes it."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet

from tests.formats.one_odd import BOX, NAN, Many


def stem(name: str) -> str:
    return name.removesuffix(".jpg")


def percent(p: Any) -> Any:
    return round(100 * p, 4) if isinstance(p, float) else p


def labelme(name: str, p: Any, _: Any) -> Any:
    shape = {"label": "cat", "points": [[10, 20], [50, 40]], "shape_type": "rectangle", "score": p}
    return {"shapes": [shape], "imagePath": name, "imageHeight": 80, "imageWidth": 100}


def label_studio(name: str, p: Any, _: Any) -> Any:
    value = {"x": 10, "y": 25, "width": 40, "height": 25, "rectanglelabels": ["cat"]}
    region = {"id": "r", "type": "rectanglelabels", "from_name": "label", "to_name": "image",
              "original_width": 100, "original_height": 80, "value": value, "score": p}  # fmt: skip
    return {"id": int(name[1:6]), "data": {"image": name}, "annotations": [],
            "predictions": [{"id": 1, "model_version": "m", "result": [region]}]}  # fmt: skip


def fiftyone(name: str, p: Any, _: Any) -> Any:
    found = {"_cls": "Detection", "label": "cat", "confidence": p, "bounding_box": [0.1] * 4}
    return {"filepath": name, "predictions": {"_cls": "Detections", "detections": [found]}}


def via(name: str, p: Any, _: Any) -> Any:
    shape = {"name": "rect", "x": 10, "y": 20, "width": 40, "height": 20}
    region = {"shape_attributes": shape, "region_attributes": {"label": "cat", "score": p}}
    return {"filename": name, "size": 1, "file_attributes": {}, "regions": [region]}


def datumaro(name: str, p: Any, _: Any) -> Any:
    one = {"id": 0, "type": "bbox", "attributes": {"score": p}, "label_id": 0, "bbox": BOX}
    return {"id": name, "image": {"path": "", "size": [80, 100]}, "annotations": [one]}


def supervisely(name: str, p: Any, _: Any) -> Any:
    one = {"classTitle": "cat", "geometryType": "rectangle",
           "tags": [{"name": "confidence", "value": p}],
           "points": {"exterior": [[10, 20], [50, 40]], "interior": []}}  # fmt: skip
    return {"tags": [], "size": {"height": 80, "width": 100}, "objects": [one]}


def darwin(name: str, p: Any, _: Any) -> Any:
    box = {"x": 10.0, "y": 20.0, "w": 40.0, "h": 20.0}
    one = {"bounding_box": box, "name": "cat", "inference": {"confidence": p}}
    slot = {"height": 80, "width": 100, "slot_name": "0"}
    return {"version": "2.0", "item": {"name": name, "slots": [slot]}, "annotations": [one]}


def roboflow(name: str, p: Any, _: Any) -> Any:
    one = {"x": 30.0, "y": 30.0, "width": 40.0, "height": 20.0, "confidence": p, "class": "cat",
           "class_id": 0}  # fmt: skip
    return {"time": 0.05, "image": {"width": 100, "height": 80}, "predictions": [one]}


def rekognition(name: str, p: Any, _: Any) -> Any:
    box = {"Left": 0.1, "Top": 0.1, "Width": 0.1, "Height": 0.1}
    label = {"Name": "cat", "Confidence": percent(p), "Geometry": {"BoundingBox": box}}
    return {"CustomLabels": [label]}


def azure(name: str, p: Any, q: Any) -> Any:
    pairs = [{"probability": s, "tagName": k} for k, s in (("cat", p), ("dog", q))]
    return {"id": "f", "project": "p", "iteration": "i", "predictions": pairs}


def completion(name: str, p: Any, _: Any) -> Any:
    message = {"role": "assistant", "content": None}
    text = f'{{"label": "cat", "confidence": {"NaN" if p != p else _json(p)}}}'
    body = {"choices": [{"index": 0, "message": {**message, "content": text}}]}
    return {"custom_id": name, "response": {"status_code": 200, "body": body}}


def _json(value: Any) -> str:
    import json

    return json.dumps(value)


def arrays(name: str, p: Any, _: Any) -> Any:
    return {"labels": [0], "scores": [p], "bboxes": [BOX]}


def darknet(name: str, p: Any, _: Any) -> Any:
    box = {"center_x": 0.3, "center_y": 0.375, "width": 0.4, "height": 0.25}
    one = {"class_id": 0, "name": "cat", "relative_coordinates": box, "confidence": p}
    return {"frame_id": int(name[1:6]) + 1, "filename": name, "objects": [one]}


def megadetector(name: str, p: Any, _: Any) -> Any:
    return {"file": name, "detections": [{"category": "1", "conf": p, "bbox": [0.1] * 4}]}


def paddle(name: str, p: Any, _: Any) -> Any:
    one = {"cls_id": 0, "label": "cat", "score": p, "coordinate": BOX}
    return {"input_path": name, "page_index": None, "boxes": [one]}


def served(name: str, p: Any, _: Any) -> Any:
    return {"num_detections": 1.0, "detection_boxes": [[0.1, 0.1, 0.5, 0.5]],
            "detection_scores": [p], "detection_classes": [1.0]}  # fmt: skip


def ultralytics(name: str, p: Any, _: Any) -> Any:
    box = {"x1": 10.0, "y1": 20.0, "x2": 50.0, "y2": 40.0}
    return [{"name": "cat", "class": 0, "confidence": p, "box": box}]


def supervision(name: str, p: Any, _: Any) -> Any:
    return {"x_min": 10, "y_min": 20, "x_max": 50, "y_max": 40, "class_id": 0, "confidence": p,
            "tracker_id": "", "class_name": "cat", "file_name": name}  # fmt: skip


def pipeline(name: str, p: Any, _: Any) -> Any:
    corners = dict(zip(("xmin", "ymin", "xmax", "ymax"), BOX, strict=True))
    return {"id": name, "output": [{"label": "cat", "score": p, "box": corners}]}


def classified(name: str, p: Any, q: Any) -> Any:
    return {"id": name, "output": [{"label": "cat", "score": p}, {"label": "dog", "score": q}]}


def instances(name: str, p: Any, _: Any) -> Any:
    return {"image_size": [80, 100], "pred_boxes": [BOX], "scores": [p], "pred_classes": [0]}


def table(records: list[Any]) -> pa.Table:
    names, rows = zip(*records, strict=True)
    return pa.table({"item_id": names, "probabilities": rows})


def parquet(folder: Path, records: list[Any]) -> Path:
    pyarrow.parquet.write_table(table(records), folder / "p.parquet")
    return folder / "p.parquet"


def flat_parquet(folder: Path, records: list[Any]) -> Path:
    names, rows = zip(*records, strict=True)
    cat, dog = zip(*rows, strict=True)
    columns = {"item_id": names, "p_cat": cat, "p_dog": dog}
    pyarrow.parquet.write_table(pa.table(columns), folder / "p.parquet")
    return folder / "p.parquet"


def parquets(folder: Path, records: list[Any]) -> Path:
    (folder / "p").mkdir()
    half = len(records) // 2
    for number, part in enumerate((records[:half], records[half:])):
        pyarrow.parquet.write_table(table(part), folder / "p" / f"{number}.parquet")
    return folder / "p"


def feather(folder: Path, records: list[Any]) -> Path:
    pyarrow.feather.write_feather(table(records), str(folder / "p.feather"))
    return folder / "p.feather"


def npz(folder: Path, records: list[Any]) -> Path:
    names, rows = zip(*records, strict=True)
    np.savez(folder / "p.npz", item_ids=names, probabilities=np.array(rows))
    return folder / "p.npz"


def npy(folder: Path, records: list[Any]) -> Path:
    names, rows = zip(*records, strict=True)
    np.save(folder / "p.npy", np.array(rows))
    (folder / "ids.txt").write_text("".join(f"{name}\n" for name in names))
    return folder / "p.npy"


def pickled(folder: Path, records: list[Any]) -> Path:
    images = {
        name: {"boxes": np.array([BOX], float), "labels": np.ones(1, int), "scores": np.array([p])}
        for name, (p, _) in records
    }
    (folder / "p.pkl").write_bytes(pickle.dumps(images))
    return folder / "p.pkl"


def cvat(folder: Path, records: list[Any]) -> Path:
    label = "<label><name>cat</name><attributes/></label>"
    meta = f"<version>1.1</version><meta><task><labels>{label}</labels></task></meta>"
    (folder / "p.xml").write_text(f"<annotations>{meta}{''.join(records)}</annotations>")
    return folder / "p.xml"


def drawn(name: str, p: Any, _: Any) -> str:
    box = 'label="cat" occluded="0" xtl="10" ytl="20" xbr="50" ybr="40"'
    score = f'<box {box}><attribute name="score">{p}</attribute></box>'
    return f'<image id="{int(name[1:6])}" name="{name}" width="100" height="80">{score}</image>'


def voc(name: str, p: Any, _: Any) -> str:
    box = "<bndbox><xmin>10</xmin><ymin>20</ymin><xmax>50</xmax><ymax>40</ymax></bndbox>"
    size = "<size><width>100</width><height>80</height><depth>3</depth></size>"
    found = f"<object><name>cat</name>{box}<score>{p}</score></object>"
    return f"<annotation><filename>{name}</filename>{size}{found}</annotation>"


def of_numbers(save: Callable[[Path, list[Any]], Path], **source: Any) -> Many:
    """A format of arrays, which hold numbers alone."""
    return Many(
        lambda n, p, q: (n, (p, q)), save, source=source, odd=[NAN, 7.5, -1.0], odd_records=[]
    )


VIA = {"_via_settings": {}, "_via_img_metadata": "here"}
MEGADETECTOR = {"info": {"format_version": "1.6"}, "detection_categories": {"1": "cat"},
                "images": "here"}  # fmt: skip
LABELS = {"label": {"labels": [{"name": "cat", "parent": "", "attributes": []}], "attributes": []}}
KITTI = "cat -1 -1 -10 10 20 50 40 -1 -1 -1 -1000 -1000 -1000 -10"

MANY: dict[str, Many] = {
    "csv, wide": Many(lambda n, p, q: f"{n},{p},{q}", "text", "id,p_cat,p_dog"),
    "csv, answers": Many(lambda n, p, q: f"{n},cat,{p}", "text", "id,prediction,confidence"),
    "csv, long": Many(lambda n, p, q: f"{n},cat,{p}\n{n},dog,{q}", "text", "id,class,score"),
    "csv, boxes": Many(lambda n, p, q: f"{n},cat,{p},0.1,0.1,0.5,0.5", "text",
                       "image,class,confidence,x1,y1,x2,y2"),
    "csv, cells": Many(lambda n, p, q: f'{n},"[{p}, {q}]"', "text", "id,probs"),
    "csv, replies": Many(lambda n, p, q: f'{n},"cat, {p}"', "text", "id,response"),
    "tsv, top 2": Many(lambda n, p, q: f"{n}\tcat\t{p}\tdog\t{q}", "text",
                       "id\tpred_1\tprob_1\tpred_2\tprob_2", "p.tsv"),
    "jsonl, list": Many(lambda n, p, q: {"item_id": n, "probabilities": [p, q]}, "lines"),
    "jsonl, mapping": Many(lambda n, p, q: {"id": n, "scores": {"cat": p, "dog": q}}, "lines"),
    "jsonl, any key": Many(lambda n, p, q: {"id": n, "stuff": {"cat": p, "dog": q}}, "lines"),
    "jsonl, answers": Many(lambda n, p, q: {
        "id": n, "prediction": "cat", "confidence": p}, "lines"),
    "jsonl, objects": Many(lambda n, p, q: {"item_id": n, "objects": [
        {"class": "cat", "confidence": p}]}, "lines"),
    "json, list": Many(lambda n, p, q: {"item_id": n, "probabilities": {"cat": p, "dog": q}}),
    "json, by name": Many(lambda n, p, q: {"cat": p, "dog": q}, "by name"),
    "json, boxes by name": Many(lambda n, p, q: [[*BOX, p, 0]], "by name"),
    "coco": Many(lambda n, p, q: {"image_id": stem(n), "category_id": 1, "bbox": BOX, "score": p}),
    "coco, data set": Many(
        lambda n, p, q: {"id": 1, "image_id": stem(n), "category_id": 1, "bbox": BOX, "score": p},
        head={"categories": [{"id": 1, "name": "cat"}], "annotations": "here"}),
    "mmdetection": Many(arrays, "folder"),
    "mmdetection, list": Many(lambda n, p, q: {"img_path": n, "pred_instances": arrays(n, p, q)}),
    "torchvision": Many(lambda n, p, q: {"boxes": [BOX], "labels": [1], "scores": [p]}, "by name"),
    "detectron2": Many(instances, "by name"),
    "roboflow": Many(roboflow, "by name"),
    "roboflow, folder": Many(roboflow, "folder"),
    "labelme": Many(labelme, "folder"),
    "label_studio": Many(label_studio, source={"key": "image"}),
    "fiftyone": Many(fiftyone, head={"samples": "here"}, name="samples.json"),
    "via": Many(via, "by name", VIA),
    "datumaro": Many(datumaro, head={"infos": {}, "categories": LABELS, "items": "here"}),
    "supervisely": Many(supervisely, "folder", name=".jpg.json"),
    "darwin": Many(darwin, "folder"),
    "cloud, rekognition": Many(rekognition, "by name"),
    "cloud, azure": Many(azure, "by name"),
    "llm": Many(completion, "lines"),
    "llm, replies": Many(lambda n, p, q: {"id": n, "response": f"cat ({p})"}, "lines"),
    "darknet": Many(darknet),
    "megadetector": Many(megadetector, head=MEGADETECTOR),
    "paddle": Many(paddle),
    "tensorflow": Many(served, "by name"),
    "ultralytics": Many(ultralytics, "by name"),
    "supervision": Many(supervision),
    "huggingface": Many(classified),
    "huggingface, boxes": Many(pipeline, "lines"),
    "fasttext": Many(lambda n, p, q: f"{n} __label__cat {p} __label__dog {q}", "text",
                     name="p.txt"),
    "yolo": Many(lambda n, p, q: f"0 0.5 0.4 0.2 0.1 {p}\n", "folder", name=".txt"),
    "parquet": of_numbers(parquet),
    "parquet, wide": of_numbers(flat_parquet),
    "parquet_folder": of_numbers(parquets),
    "arrow": of_numbers(feather),
    "npz": of_numbers(npz),
    "npy": of_numbers(npy, ids="ids.txt"),
    "pickle": of_numbers(pickled),
    "cvat": Many(drawn, cvat, odd=["high", "", "nan", "7.5"], odd_records=["<image/>", ""]),
    "voc": Many(voc, "folder", name=".xml", odd=["high", "", "nan", "7.5"],
                odd_records=["<annotation/>", "", "x", "<a>"]),
    "voc-text": Many(lambda n, p, q: f"{KITTI} {p}\n", "folder", name=".txt"),
}  # fmt: skip

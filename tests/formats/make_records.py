"""Make fixtures of class scores and objects under the names that others give them.

python -m tests.formats.make_records

By hand, to the published descriptions: Kaggle's PredictionString with and without a class, YOLOv5's
`--save-csv`, MMPretrain's results, Trainer.predict() of Transformers, scikit-learn's predict_proba,
Keras' class_names, fastai's vocab, lists of records as web services return them.
"""

from __future__ import annotations

import json
import pickle

import numpy as np

from tests.formats.make_tables import CLASSES, IMAGES, ITEMS
from tests.formats.make_tools import lines
from tests.formats.make_vision import dump, fresh


def main() -> None:
    folder = fresh("records")
    scores = np.array(list(ITEMS.values()))
    told = {item: dict(zip(CLASSES, row, strict=True)) for item, row in ITEMS.items()}
    dump(
        folder / "probabilities.json",
        [{"id": item, "predictions": [{"tag": k, "probability": p} for k, p in one.items()]}
         for item, one in told.items()],
    )  # fmt: skip
    lines(
        folder / "parallel.jsonl",
        [{"file": item, "classes": list(one), "confidences": list(one.values())}
         for item, one in told.items()],
    )  # fmt: skip
    lines(folder / "softmax.jsonl", [{"id": i, "softmax": row} for i, row in ITEMS.items()])
    lines(folder / "scores.jsonl", [{"id": item, "scores": one} for item, one in told.items()])
    dump(
        folder / "mmpretrain.json",
        [{"img_path": item, "pred_scores": row, "pred_label": int(np.argmax(row)),
          "pred_score": max(row), "pred_class": CLASSES[int(np.argmax(row))]}
         for item, row in ITEMS.items()],
    )  # fmt: skip
    rows = [list(row) for row in ITEMS.values()]
    beside = {"class_names": CLASSES, "filenames": list(ITEMS)}
    dump(folder / "keras.json", {"predictions": rows, **beside})
    dump(folder / "fastai.json", {"vocab": CLASSES, "preds": rows, "items": list(ITEMS)})
    dump(folder / "scikit-learn.json", {"classes": CLASSES, "proba": rows, "ids": list(ITEMS)})
    logits = np.log(scores + 1e-9)
    np.savez(folder / "trainer.npz", predictions=logits, item_ids=np.array(list(ITEMS)))
    plain = {"ids": list(ITEMS), "predictions": logits}
    (folder / "trainer.pkl").write_bytes(pickle.dumps(plain))
    box = ["10", "20", "50", "40"]
    kaggle = {
        "kaggle": ("image_id", ["dog"]),
        "kaggle-without-class": ("patientId", []),
    }
    for name, (key, kind) in kaggle.items():
        texts = [
            f"{image}," + " ".join(" ".join([*kind, str(c), *box]) for c in confidences)
            for image, confidences in IMAGES.items()
        ]
        (folder / f"{name}.csv").write_text("\n".join([f"{key},PredictionString", *texts, ""]))
    objects = [
        {"image": image, "detections": [
            {"name": "dog", "confidence": c, "bbox": [10, 20, 40, 20]} for c in confidences]}
        for image, confidences in IMAGES.items()
    ]  # fmt: skip
    (folder / "objects.json").write_text(json.dumps(objects))
    found = [f"{image},dog,{c}" for image, cs in IMAGES.items() for c in cs]
    (folder / "yolov5.csv").write_text("\n".join(["Image Name,Prediction,Confidence", *found, ""]))


if __name__ == "__main__":
    main()

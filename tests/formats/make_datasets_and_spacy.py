"""Writes the fixtures that the libraries `datasets` and `spacy` make themselves.

pip install datasets spacy pillow
python tests/formats/make_datasets_and_spacy.py
"""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import spacy
from datasets import ClassLabel, Dataset, DatasetDict, Features, Image, Sequence, Value
from PIL import Image as Picture
from spacy.tokens import Doc, DocBin, Span, SpanGroup

HERE = Path(__file__).parent


def picture(path: str) -> dict[str, object]:
    data = io.BytesIO()
    Picture.new("RGB", (2, 2)).save(data, "PNG")
    return {"bytes": data.getvalue(), "path": path}


def classification() -> Dataset:
    features = Features(
        {
            "image": Image(),
            "label": ClassLabel(names=["dog", "cat"]),
            "probabilities": Sequence(Value("float32")),
        }
    )
    rows = {
        "image": [picture(f"{name}.png") for name in "abcd"],
        "label": [-1, -1, 0, -1],
        "probabilities": [[0.9, 0.1], [0.45, 0.55], [0.5, 0.5], [0.3, 0.7]],
    }
    return Dataset.from_dict(rows, features=features)


def detection() -> Dataset:
    features = Features(
        {
            "image_id": Value("int64"),
            "width": Value("int32"),
            "height": Value("int32"),
            "objects": Sequence(
                {
                    "bbox": Sequence(Value("float32"), length=4),
                    "category": ClassLabel(names=["car", "bus"]),
                    "score": Value("float32"),
                }
            ),
        }
    )
    rows = {
        "image_id": [7, 8, 9],
        "width": [100] * 3,
        "height": [50] * 3,
        "objects": [
            {"bbox": [[10, 10, 20, 30]], "category": [1], "score": [0.9375]},
            {"bbox": [], "category": [], "score": []},
            {"bbox": [[0, 0, 50, 50], [1, 1, 2, 2]], "category": [0, 0], "score": [0.75, 0.625]},
        ],
    }
    return Dataset.from_dict(rows, features=features)


def outputs() -> Dataset:
    rows = {
        "file": ["a.wav", "b.wav"],
        "predictions": [
            [{"label": "yes", "score": 0.9}, {"label": "no", "score": 0.1}],
            [{"label": "no", "score": 0.6}, {"label": "yes", "score": 0.4}],
        ],
    }
    return Dataset.from_dict(rows)


def write_datasets(folder: Path) -> None:
    classification().save_to_disk(folder / "saved")
    DatasetDict(train=classification(), test=detection()).save_to_disk(folder / "splits")
    classification().to_parquet(folder / "classification.parquet")
    detection().to_parquet(folder / "detection.parquet")
    detection().to_json(folder / "detection.jsonl")
    outputs().to_parquet(folder / "outputs.parquet")


def write_spacy(folder: Path) -> None:
    nlp = spacy.blank("en")
    Doc.set_extension("item_id", default=None)
    texts = {"a": "Ada met Grace in Paris", "b": "Nothing here", "c": "Alan went to Bletchley"}
    spans = {"a": [(0, 1, "PERSON", 0.9375), (4, 5, "PLACE", 0.75)], "c": [(0, 1, "PERSON", 0.875)]}
    cats = {"a": 0.9, "b": 0.55, "c": 0.3}
    with_cats, with_spans = DocBin(), DocBin(store_user_data=True)
    for name, text in texts.items():
        doc = nlp(text)
        doc.cats = {"news": cats[name], "other": 1 - cats[name]}
        with_cats.add(doc)
        doc = nlp(text)
        doc._.item_id = name
        found = spans.get(name, [])
        scores = np.array([score for *_, score in found], dtype="float32")
        group = [Span(doc, start, end, label) for start, end, label, _ in found]
        doc.spans["sc"] = SpanGroup(doc, name="sc", spans=group, attrs={"scores": scores})
        with_spans.add(doc)
    with_cats.to_disk(folder / "cats.spacy")
    with_spans.to_disk(folder / "spans.spacy")


if __name__ == "__main__":
    write_datasets(HERE / "datasets")
    write_spacy(HERE / "spacy")

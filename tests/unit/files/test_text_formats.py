"""Hugging Face and spaCy: every fixture ranks as a few plain lines say."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow.parquet
import pytest

from labelnext.ranking import rank
from tests.formats.independent import FIXTURES
from tests.unit.files.text_fixtures import (
    by_margin,
    by_objects,
    filled,
    lines,
    opened,
    ranked,
    saved,
    whole,
)


def test_image_classification_keeps_the_mass_of_classes_not_named() -> None:
    records = whole("huggingface/image-classification.json")
    scores = {r["image"]: {c["label"]: c["score"] for c in r["predictions"]} for r in records}
    names = sorted({name for one in scores.values() for name in one})
    expected = by_margin({item: filled(one, names) for item, one in scores.items()})
    assert ranked("huggingface/image-classification.json", "huggingface") == expected
    pool = opened("huggingface/image-classification.json").read()
    assert pool.probabilities[1].tolist() == pytest.approx([0.25, 0.35, 0.4])


def test_audio_classification_by_id() -> None:
    outputs = whole("huggingface/audio-by-id.json")
    vectors = {item: [c["score"] for c in output] for item, output in outputs.items()}
    assert ranked("huggingface/audio-by-id.json", "huggingface") == by_margin(vectors)


def test_text_classification_with_one_label_each_ranks_the_least_confident_first() -> None:
    outputs = whole("huggingface/text-top1.json")
    expected = sorted(range(len(outputs)), key=lambda place: outputs[place]["score"])
    assert ranked("huggingface/text-top1.json", "huggingface") == [str(i) for i in expected]


def test_outputs_without_ids_are_numbered_and_say_so() -> None:
    codes = {n.code: n.message for n in opened("huggingface/text-top1.json").read().notices}
    assert "items are called 0, 1" in codes["numbered"]


def test_zero_shot_takes_its_ids_from_a_file_as_text() -> None:
    ids = (FIXTURES / "huggingface/zero-shot-ids.txt").read_text().split()
    outputs = whole("huggingface/zero-shot.json")
    vectors = {item: one["scores"] for item, one in zip(ids, outputs, strict=True)}
    order = ranked("huggingface/zero-shot.json", "huggingface", ids="huggingface/zero-shot-ids.txt")
    assert order == by_margin(vectors) == ["1e5", "three", "007"]


def test_detection_without_sizes_leaves_out_boxes_but_not_objects() -> None:
    outputs = whole("huggingface/detection.json")
    scores = {str(i): [one["score"] for one in output] for i, output in enumerate(outputs)}
    assert ranked("huggingface/detection.json", "huggingface") == by_objects(scores)
    pool = opened("huggingface/detection.json").read()
    (notice,) = [n for n in pool.notices if n.code == "no_boxes"]
    assert notice.item_ids == ("0", "2")
    assert pool.objects.boxes is None
    assert pool.objects.counts.tolist() == [1, 0, 2]


def test_detection_with_sizes_has_boxes_as_fractions() -> None:
    pool = opened("huggingface/detection-sized.jsonl").read()
    assert pool.objects.boxes.tolist() == [[0.05, 0.05, 0.55, 0.55]]
    assert ranked("huggingface/detection-sized.jsonl", "huggingface") == ["a.jpg", "b.jpg"]


def test_entities_are_objects() -> None:
    scores = {
        str(one["id"]): [span["score"] for span in one["entities"]]
        for one in lines("huggingface/entities.jsonl")
    }
    assert ranked("huggingface/entities.jsonl", "huggingface") == by_objects(scores)
    assert opened("huggingface/entities.jsonl").read().classes == ("LOC", "PER")


SAVED = ["datasets/saved", "datasets/classification.parquet", "datasets/splits"]


@pytest.mark.parametrize("name", SAVED)
def test_a_data_set_has_names_of_classes_and_paths_of_images(name: str) -> None:
    table = pyarrow.parquet.read_table(FIXTURES / "datasets/classification.parquet").to_pylist()
    vectors = {r["image"]["path"]: r["probabilities"] for r in table if r["label"] == -1}
    more = {"split": "train"} if name.endswith("splits") else {}
    assert ranked(name, "datasets", **more) == by_margin(vectors) == ["b.png", "d.png", "a.png"]
    pool = opened(name, **more).read()
    assert pool.classes == ("dog", "cat")
    assert pool.labels.tolist() == [-1, -1, 0, -1]
    pool = opened(name, key="image.path", **more).read()
    assert pool.item_ids.tolist() == ["a.png", "b.png", "c.png", "d.png"]


@pytest.mark.parametrize("name", ["detection.parquet", "detection.jsonl"])
def test_objects_as_a_struct_of_lists(name: str) -> None:
    scores = {str(r["image_id"]): r["objects"]["score"] for r in lines("datasets/detection.jsonl")}
    assert ranked(f"datasets/{name}", "datasets") == by_objects(scores) == ["9", "7", "8"]
    pool = opened(f"datasets/{name}").read()
    assert pool.objects.boxes[0].tolist() == pytest.approx([0.1, 0.2, 0.3, 0.8])
    assert pool.objects.class_ids.tolist() == [1, 0, 0]
    assert pool.classes == (("car", "bus") if name.endswith("parquet") else None)


def test_a_column_of_pipeline_outputs() -> None:
    table = pyarrow.parquet.read_table(FIXTURES / "datasets/outputs.parquet").to_pylist()
    vectors = {r["file"]: [c["score"] for c in r["predictions"]] for r in table}
    assert ranked("datasets/outputs.parquet", "datasets") == by_margin(vectors)


def test_one_confidence_ranks_over_the_whole_range(tmp_path: Path) -> None:
    sure = {f"i{place}": round(0.06 + place * 0.93 / 19, 2) for place in (7, 0, 19, 3, 12, 1, 18)}
    expected = sorted(sure, key=lambda item: sure[item])
    outputs = [{"id": i, "output": [{"label": f"c{i}", "score": p}]} for i, p in sure.items()]
    stated = [
        {"id": i, "output": json.dumps({"label": f"c{i}", "confidence": p})}
        for i, p in sure.items()
    ]
    traces = [{"id": i, "scores": [{"name": "good", "value": p}]} for i, p in sure.items()]
    for records, name in ((outputs, "huggingface"), (stated, "llm"), (traces, "llm")):
        adapter = saved(tmp_path, records)
        assert adapter._input.format.name == name
        assert rank(adapter.read()).item_ids.tolist() == expected


def test_ids_stay_text_in_every_format(tmp_path: Path) -> None:
    ids = ["007", "1e5", "2024-01-01", "true", "NaN"]
    output = [{"label": "a", "score": 0.6}, {"label": "b", "score": 0.4}]
    records = [{"id": i, "predictions": output} for i in ids]
    assert saved(tmp_path, records).read().item_ids.tolist() == ids
    answers = [{"id": i, "judge": j, "label": "a"} for i in ids for j in "xy"]
    assert saved(tmp_path, answers).read().item_ids.tolist() == ids
    documents = [{"id": i, "text": "t", "cats": {"a": 0.6, "b": 0.4}} for i in ids]
    assert saved(tmp_path, documents).read().item_ids.tolist() == ids


def test_people_s_labels_beside_outputs_are_labels(tmp_path: Path) -> None:
    output = [{"label": "cat", "score": 0.75}, {"label": "dog", "score": 0.25}]
    records = [
        {"id": "a", "label": "dog", "predictions": output},
        {"id": "b", "predictions": output},
    ]
    assert saved(tmp_path, records).read().labels.tolist() == [1, -1]


@pytest.mark.parametrize(("name", "ids"), [("cats.spacy", "012"), ("docs.jsonl", "xyz")])
def test_categories_of_spacy(name: str, ids: str) -> None:
    vectors = dict(zip(ids, ([0.9, 0.1], [0.55, 0.45], [0.3, 0.7]), strict=True))
    assert ranked(f"spacy/{name}", "spacy") == by_margin(vectors)


def test_spans_of_spacy_are_objects_and_ids_come_from_the_documents() -> None:
    expected = by_objects({"a": [0.9375, 0.75], "b": [], "c": [0.875]})
    assert ranked("spacy/spans.spacy", "spacy") == expected == ["a", "c", "b"]
    pool = opened("spacy/spans.spacy").read()
    assert pool.classes == ("PERSON", "PLACE")
    assert pool.objects.class_ids.tolist() == [0, 1, 0]

"""Lists of the likeliest classes, which leave some probability."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from labelnext import rank
from labelnext.adapter import open_adapter
from labelnext.errors import InvalidInput
from labelnext.pool import Pool

LISTS = {"a.jpg": [0.5, 0.3], "b.jpg": [0.6, 0.35], "c.jpg": [0.9, 0.05]}  # of cat and dog
REST = [[0.5, 0.3, 0.2], [0.6, 0.35, 0.05], [0.9, 0.05, 0.05]]


def pairs(scores: list[float]) -> list[dict[str, Any]]:
    return [{"label": n, "score": s} for n, s in zip(("cat", "dog"), scores, strict=True)]


def jsonl(records: list[dict[str, Any]]) -> str:
    return "".join(json.dumps(record) + "\n" for record in records)


def read(folder: Path, name: str, content: str, **options: Any) -> Pool:
    (folder / name).write_text(content)
    return open_adapter("files", directory=folder, path=name, **options).read()  # type: ignore[attr-defined,no-any-return]  # of the files adapter


FILES = {
    "pipeline.json": json.dumps({item: pairs(scores) for item, scores in LISTS.items()}),
    "records.jsonl": jsonl(
        [{"id": i, "top": pairs(scores), "x": 1} for i, scores in LISTS.items()]
    ),
    "parallel.json": json.dumps(
        [{"filename": i, "index": ["cat", "dog"], "prob": s} for i, s in LISTS.items()]
    ),
    "long.csv": "image,class,prob\n"
    + "".join(f"{i},cat,{s[0]}\n{i},dog,{s[1]}\n" for i, s in LISTS.items()),
    "ranked.csv": "image,top1_label,top1_prob,top2_label,top2_prob\n"
    + "".join(f"{i},cat,{s[0]},dog,{s[1]}\n" for i, s in LISTS.items()),
    "fasttext.txt": "".join(
        f"{i}\t__label__cat {s[0]} __label__dog {s[1]}\n" for i, s in LISTS.items()
    ),
}


@pytest.mark.parametrize("name", FILES)
def test_the_rest_of_lists_with_the_same_classes_is_another_class(
    tmp_path: Path, name: str
) -> None:
    pool = read(tmp_path, name, FILES[name])
    assert pool.classes == ("cat", "dog", "(other)")
    np.testing.assert_allclose(pool.mean_probabilities, REST)
    assert rank(pool).item_ids.tolist() == ["a.jpg", "b.jpg", "c.jpg"]


@pytest.mark.parametrize("name", FILES)
def test_stated_classes_leave_no_rest(tmp_path: Path, name: str) -> None:
    with pytest.raises(InvalidInput, match="must sum to 1.*source.classes"):
        read(tmp_path, name, FILES[name], classes=["cat", "dog"])
    whole = read(tmp_path, name, FILES[name], classes=["cat", "dog", "cow"])
    np.testing.assert_allclose(whole.mean_probabilities, REST)


@pytest.mark.parametrize(
    "text",
    [
        '{"id": "a", "probabilities": {"cat": 0.75, "dog": 0.25}}\n',
        '{"id": "a", "cat": 0.75, "dog": 0.25}\n',
    ],
)
def test_stated_classes_order_scores_by_name_and_never_rename_them(
    tmp_path: Path, text: str
) -> None:
    pool = read(tmp_path, "p.jsonl", text, classes=["dog", "cat"])
    assert pool.classes == ("dog", "cat")
    assert pool.mean_probabilities.tolist() == [[0.25, 0.75]]
    renamed = read(tmp_path, "p.jsonl", text, classes=["Katze", "Hund"])
    assert renamed.mean_probabilities.tolist() == [[0.75, 0.25]]
    with pytest.raises(InvalidInput, match="one of cat, Hund; got dog"):
        read(tmp_path, "p.jsonl", text, classes=["cat", "Hund"])


def test_a_mapping_leaves_the_rest_to_stated_classes(tmp_path: Path) -> None:
    text = '{"id": "a", "probabilities": {"cat": 0.75, "dog": 0.125}}\n'
    pool = read(tmp_path, "p.jsonl", text, classes=["cow", "dog", "cat"])
    assert pool.mean_probabilities.tolist() == [[0.125, 0.125, 0.75]]


def test_zero_shot_labels_are_all_classes(tmp_path: Path) -> None:
    outputs = [{"id": i, "labels": ["cat", "dog"], "scores": s} for i, s in LISTS.items()]
    with pytest.raises(InvalidInput, match="multilabel"):
        read(tmp_path, "o.jsonl", jsonl(outputs))


def test_ranked_classes_may_be_numbers(tmp_path: Path) -> None:
    table = "filename,top1_index,top1_prob,top2_index,top2_prob\na,3,.5,1,.4\nb,1,.9,7,.1\n"
    pool = read(tmp_path, "p.csv", table)
    assert pool.classes == ("1", "3", "7")
    np.testing.assert_allclose(pool.mean_probabilities, [[0.4, 0.5, 0.1], [0.9, 0, 0.1]])


@pytest.mark.parametrize(
    ("classes", "scores"),
    [
        ("top5_labels", "top5_probs"),
        ("top_k_classes", "top_k_scores"),
        ("Top3 Names", "Top3 Confidences"),
    ],
)
@pytest.mark.parametrize("ending", ["jsonl", "csv"])
def test_parallel_lists_may_say_how_many_they_hold(
    tmp_path: Path, classes: str, scores: str, ending: str
) -> None:
    rows = [{"id": i, classes: ["cat", "dog"], scores: s} for i, s in LISTS.items()]
    cells = [f'{r["id"]},"{r[classes]}","{r[scores]}"' for r in rows]
    text = "\n".join([f"id,{classes},{scores}", *cells]) if ending == "csv" else jsonl(rows)
    pool = read(tmp_path, f"p.{ending}", text)
    assert pool.classes == ("cat", "dog", "(other)")
    np.testing.assert_allclose(pool.mean_probabilities, REST)


@pytest.mark.parametrize("key", ["prediction", "predictions", "output", "result", "pred"])
@pytest.mark.parametrize("names", [("class", "confidence"), ("label", "score"), ("name", "prob")])
def test_a_record_of_a_class_and_its_score_is_an_answer(
    tmp_path: Path, key: str, names: tuple[str, str]
) -> None:
    sure = {"a": 0.06, "b": 0.99, "c": 0.5, "d": 0.33}
    said = [{"id": i, key: dict(zip(names, ("cat", p), strict=True))} for i, p in sure.items()]
    expected = ["a", "d", "c", "b"]
    assert rank(read(tmp_path, "p.jsonl", jsonl(said))).item_ids.tolist() == expected
    labelled = [{**one, "label": "cat" if one["id"] == "c" else None} for one in said]
    pool = read(tmp_path, "p.json", json.dumps(labelled))
    assert rank(pool).item_ids.tolist() == ["a", "d", "b"]

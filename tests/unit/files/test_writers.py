"""What other writers save, in their own layouts, is ranked as a few lines by hand say."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest

from labelnext import rank
from tests.unit.files.images import told
from tests.unit.files.reading import lines, notice, order, read

CAT = {"a": 0.9, "b": 0.45, "c": 0.7}  # b is the least certain, then c
DETECTED = {"a": [0.9, 0.5], "b": [0.3], "c": []}


def pairs(p: float, name: str) -> list[dict[str, Any]]:
    return [{name: "yes", "score": p}, {name: "no", "score": round(1 - p, 3)}]


@pytest.mark.parametrize("name", ["label", "answer", "token_str"])
def test_classes_of_pipelines_have_their_names(tmp_path: Path, name: str) -> None:
    records = [{"id": item, "output": pairs(p, name)} for item, p in CAT.items()]
    pool = read(tmp_path, "p.jsonl", lines(records))
    assert pool.classes == ("no", "yes")
    assert order(pool) == ["b", "c", "a"]


def test_structs_of_lists_are_class_scores(tmp_path: Path) -> None:
    records = [{"id": item, "prediction": {"label": ["cat", "dog"], "score": [p, 1 - p]}}
               for item, p in CAT.items()]  # fmt: skip
    pool = read(tmp_path, "p.jsonl", lines(records))
    assert pool.classes == ("cat", "dog")
    assert order(pool) == ["b", "c", "a"]


def test_ultralytics_probs_by_name(tmp_path: Path) -> None:
    images = {
        item: {"top1": 0, "top1conf": max(p, 1 - p), "top5": [0, 1], "top5conf": [p, 1 - p]}
        for item, p in CAT.items()
    }
    assert order(read(tmp_path, "p.json", images)) == ["b", "c", "a"]


def test_people_of_mmpose_by_name(tmp_path: Path) -> None:
    images = {
        item: [{"keypoints": [[1, 2], [3, 4]], "keypoint_scores": [0.9, 0.8],
                "bbox": [[1, 2, 3, 4]], "bbox_score": s} for s in scores]
        for item, scores in DETECTED.items()
    }  # fmt: skip
    assert told(read(tmp_path, "p.json", images)) == DETECTED


@pytest.mark.parametrize("tag", ["score", "confidence", "conf", "probability", "prob"])
def test_the_scores_of_voc_have_several_names(tmp_path: Path, tag: str) -> None:
    (tmp_path / "p").mkdir()
    box = "<bndbox><xmin>1</xmin><ymin>2</ymin><xmax>3</xmax><ymax>4</ymax></bndbox>"
    for item, scores in DETECTED.items():
        found = "".join(f"<object><name>x</name><{tag}>{s}</{tag}>{box}</object>" for s in scores)
        text = f"<annotation><filename>{item}</filename>{found}</annotation>"
        (tmp_path / "p" / f"{item}.xml").write_text(text)
    assert told(read(tmp_path, "p")) == DETECTED


@pytest.mark.parametrize("ids", ["ids", "filenames", "names", "image_ids", "file_names"])
@pytest.mark.parametrize("scores", ["y_pred_proba", "probas", "pred", "softmax", "pred_probs"])
def test_arrays_have_the_names_that_people_give_them(tmp_path: Path, ids: str, scores: str) -> None:
    rows = np.array([[p, 1 - p] for p in CAT.values()])
    np.savez(tmp_path / "p.npz", **{ids: np.array([*CAT]), scores: rows})
    assert order(read(tmp_path, "p.npz")) == ["b", "c", "a"]


@pytest.mark.parametrize("scores", ["softmax", "outputs"])
def test_the_likeliest_classes_beside_scores_are_no_scores(tmp_path: Path, scores: str) -> None:
    rows = np.array([[p, 1 - p] for p in CAT.values()])
    np.savez(tmp_path / "p.npz", ids=[*CAT], pred=rows.argmax(axis=1), **{scores: rows})
    pool = read(tmp_path, "p.npz")
    assert order(pool) == ["b", "c", "a"]
    assert "pred" in notice(pool, "not_read").message


def test_the_likeliest_classes_beside_confidences_are_theirs(tmp_path: Path) -> None:
    sure = np.array([*CAT.values()])
    np.savez(tmp_path / "p.npz", ids=[*CAT], pred=np.array([0, 1, 0]), confidences=sure)
    pool = read(tmp_path, "p.npz")
    assert order(pool) == ["b", "c", "a"]
    assert pool.top_classes.tolist() == [0, 1, 0]


def test_names_of_classes_are_no_ids(tmp_path: Path) -> None:
    rows = np.array([[p, 1 - p] for p in CAT.values()])
    np.savez(tmp_path / "p.npz", names=["cat", "dog"], probs=rows)
    pool = read(tmp_path, "p.npz")
    assert pool.classes == ("cat", "dog")
    assert pool.item_ids.tolist() == ["0", "1", "2"]


def test_a_second_array_of_scores_is_said_to_be_unread(tmp_path: Path) -> None:
    rows = np.array([[p, 1 - p] for p in CAT.values()])
    np.savez(tmp_path / "p.npz", ids=np.array([*CAT]), probs=rows, predictions=rows[::-1])
    pool = read(tmp_path, "p.npz")
    assert order(pool) == ["b", "c", "a"]
    assert "predictions" in notice(pool, "not_read").message


@pytest.mark.parametrize("answer", ["cat (90%)", '{"label": "cat", "confidence": 0.9}'])
def test_stated_confidences_in_parquet_have_a_cure(tmp_path: Path, answer: str) -> None:
    table = pa.table({"id": ["a", "b"], "response": [answer, answer]})
    pyarrow.parquet.write_table(table, tmp_path / "p.parquet")
    message = notice(read(tmp_path, "p.parquet"), "no_predictions").message
    assert "save the table as CSV or JSONL with source.format: llm" in message


@pytest.mark.parametrize("named", [False, True])
@pytest.mark.parametrize("name", ["p.jsonl", "p.json", "p.parquet"])
def test_numbers_written_as_texts_are_numbers_in_lists_too(
    tmp_path: Path, name: str, named: bool
) -> None:
    rows = {item: [str(p), str(round(1 - p, 3))] for item, p in CAT.items()}
    records = [
        {"id": item, "probs": dict(zip(("cat", "dog"), row, strict=True)) if named else row}
        for item, row in rows.items()
    ]
    if name == "p.parquet":
        pyarrow.parquet.write_table(pa.Table.from_pylist(records), tmp_path / name)
        pool = read(tmp_path, name)
    else:
        pool = read(tmp_path, name, lines(records) if name == "p.jsonl" else records)
    assert pool.probabilities is not None
    assert order(pool) == ["b", "c", "a"]


@pytest.mark.parametrize(
    "kind",
    [pa.large_list(pa.large_string()), pa.list_(pa.string(), 2),
     pa.struct([("cat", pa.large_string()), ("dog", pa.large_string())])],
)  # fmt: skip
def test_numbers_written_as_texts_are_numbers_in_every_type(
    tmp_path: Path, kind: pa.DataType
) -> None:
    rows: list[Any] = [[str(p), str(round(1 - p, 3))] for p in CAT.values()]
    if pa.types.is_struct(kind):
        rows = [dict(zip(("cat", "dog"), row, strict=True)) for row in rows]
    table = pa.table({"id": [*CAT], "probs": pa.array(rows, kind)})
    pyarrow.parquet.write_table(table, tmp_path / "p.parquet")
    assert order(read(tmp_path, "p.parquet")) == ["b", "c", "a"]


def test_one_odd_text_in_lists_of_numbers_decides_for_itself_alone(tmp_path: Path) -> None:
    records = [{"id": str(n), "probs": [str(n / 40), str(1 - n / 40)]} for n in range(40)]
    records[3]["probs"] = ["?", "0.5"]
    pool = read(tmp_path, "p.jsonl", lines(records))
    assert order(pool)[0] == "20"
    assert [*rank(pool).unscored_ids] == ["3"]
    assert "it has 1 text that is none, such as '?'" in notice(pool, "not_read").message


@pytest.mark.parametrize(
    "head",
    ["Predicted Class,Confidence Score", "label_pred,conf_pred", "ai_label,ai_confidence",
     "model_prediction,model_confidence"],
)  # fmt: skip
def test_answers_have_the_names_that_people_give_them(tmp_path: Path, head: str) -> None:
    rows = [f"{item},cat,{sure}" for item, sure in {"a": 0.9, "b": 0.55, "c": 0.7}.items()]
    pool = read(tmp_path, "p.csv", "\n".join([f"id,{head}", *rows]))
    assert order(pool) == ["b", "c", "a"]

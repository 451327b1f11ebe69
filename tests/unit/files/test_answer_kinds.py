"""Flair, Argilla, vLLM, lm-eval, MLflow, and judges with a column each."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from labelnext import rank
from labelnext.errors import InvalidInput
from tests.unit.files.reading import order, read


def lines(*records: Any) -> str:
    return "".join(json.dumps(record) + "\n" for record in records)


def flair(value: str, sure: float) -> dict[str, Any]:
    return {"value": value, "confidence": sure}


def argilla(name: str, value: Any, score: Any, *, listed: bool = False) -> dict[str, Any]:
    said = {"value": value, "score": score, "agent": "m"}
    suggestions: Any = {"topic": said}
    if listed:  # as version 1 has it
        suggestions = [{"question_name": "topic", **said}]
    return {"id": name, "status": "pending", "fields": {"text": "x"}, "metadata": {},
            "suggestions": suggestions, "responses": {}, "vectors": {}}  # fmt: skip


def entity(sure: float) -> dict[str, Any]:
    return {"text": "Bonn", "start_pos": 0, "end_pos": 4, "labels": [flair("LOC", sure)]}


#: Two answers with .9 and .55; the second is to be labelled first.
ANSWERED = {
    "flair": lines(*({"id": n, "text": "x", "labels": [flair(v, s)], "entities": []}
                     for n, v, s in (("007", "pos", 0.9), ("b", "neg", 0.55)))),
    "flair's entities": lines({"id": "007", "labels": [], "entities": [entity(0.9)]},
                              {"id": "b", "labels": [], "entities": [entity(0.55)]}),
    "flair by id": json.dumps({"007": flair("pos", 0.9), "b": flair("neg", 0.55)}),
    "argilla": lines(argilla("007", "pos", 0.9), argilla("b", "neg", 0.55)),
    "argilla 1": json.dumps([argilla("007", "pos", 0.9, listed=True),
                             argilla("b", "neg", 0.55, listed=True)]),
    "argilla's spans": lines(
        argilla("007", [{"label": "LOC", "start": 0, "end": 4}], [0.9]),
        argilla("b", [{"label": "LOC", "start": 0, "end": 4}], [0.55])),
    "argilla as a data set": lines(
        *({"id": n, "text": "x", "topic.suggestion": v, "topic.suggestion.score": s}
          for n, v, s in (("007", "pos", 0.9), ("b", "neg", 0.55)))),
    "an answer beside its score": lines(
        *({"id": n, "text": n, "sentiment": v, "sentiment_score": s}
          for n, v, s in (("007", "pos", 0.9), ("b", "neg", 0.55)))),
}  # fmt: skip


@pytest.mark.parametrize("text", ANSWERED.values(), ids=ANSWERED)
def test_the_least_confident_comes_first(tmp_path: Path, text: str) -> None:
    name = "p.jsonl" if text.count("\n") > 1 else "p.json"
    pool = read(tmp_path, name, text)
    assert order(pool) == ["b", "007"]
    assert pool.newest_objects is None or len(pool.newest_objects.confidences) == 2


def test_what_a_person_answered_in_argilla_is_the_label(tmp_path: Path) -> None:
    said = argilla("a", "pos", 0.9) | {"responses": {"topic": [{"value": "neg", "user_id": "u"}]}}
    pool = read(tmp_path, "p.json", [said, argilla("b", "neg", 0.55)])
    assert pool.labels.tolist() == [0, -1]
    assert pool.classes == ("neg", "pos")


def top(**tokens: float) -> dict[str, Any]:
    """The tokens of one place with their probabilities."""
    return {
        str(n): {"logprob": math.log(p), "rank": n, "decoded_token": token}
        for n, (token, p) in enumerate(tokens.items(), 1)
    }


@pytest.mark.parametrize("inside", [True, False])
def test_tokens_of_vllm(tmp_path: Path, inside: bool) -> None:
    told = {"a": top(yes=0.9, no=0.1), "b": top(no=0.55, yes=0.45)}
    outputs = {n: {"text": next(iter(p.values()))["decoded_token"], "token_ids": [1],
                   "logprobs": [p]} for n, p in told.items()}  # fmt: skip
    records = [
        {"request_id": n, **({"prompt": "?", "outputs": [one]} if inside else one)}
        for n, one in outputs.items()
    ]
    pool = read(tmp_path, "p.jsonl", lines(*records))
    assert pool.item_ids.tolist() == ["a", "b"]
    assert pool.classes == ("no", "yes")
    np.testing.assert_allclose(pool.mean_probabilities, [[0.1, 0.9], [0.55, 0.45]])


def test_samples_of_the_evaluation_harness_are_ranked_by_their_choices(tmp_path: Path) -> None:
    def sample(number: int, *shares: float) -> dict[str, Any]:
        numbers = [str(math.log(share) - 7) for share in shares]
        return {
            "doc_id": number, "doc": {"question": "?"}, "target": 0, "acc": 1.0,
            "arguments": [["?", " a"]], "resps": [[[n, "False"]] for n in numbers],
            "filtered_resps": [[n, "False"] for n in numbers],
        }  # fmt: skip

    pool = read(tmp_path, "p.jsonl", lines(sample(0, 0.75, 0.25), sample(1, 0.5, 0.5)))
    np.testing.assert_allclose(pool.mean_probabilities, [[0.75, 0.25], [0.5, 0.5]])
    assert order(pool) == ["1", "0"]
    record = sample(0, 0.75, 0.25)
    del record["filtered_resps"]
    pool = read(tmp_path, "q.jsonl", lines(record, sample(1, 0.5, 0.25, 0.25)))
    np.testing.assert_allclose(
        pool.mean_probabilities, [[0.75, 0.25, 0], [0.5, 0.25, 0.25]], atol=1e-9
    )


JUDGED = {
    "p.csv": "id,judge_1,judge_2,judge_3\n007,spam,spam,spam\nb,spam,ham,spam\nc,ham,eggs,spam\n",
    "p.tsv": "id\tRater A\tRater B\tRater C\n007\tx\tx\tx\nb\tx\ty\tx\nc\ty\tz\tx\n",
    "p.jsonl": lines(
        {"id": "007", "annotator_1": True, "annotator_2": True, "annotator_3": True},
        {"id": "b", "annotator_1": "true", "annotator_2": "false", "annotator_3": "true"},
        {"id": "c", "annotator_1": "maybe", "annotator_2": "true", "annotator_3": "false"},
    ),
    "ratings.csv": "id,judge_1,judge_2,judge_3\n007,5,5,5\nb,4,3,5\nc,1,5,3\n",
    "ratings.jsonl": lines(
        *({"id": n, "judge_1": a, "judge_2": b, "judge_3": c}
          for n, a, b, c in (("007", 5, 5, 5), ("b", 4, 3, 5), ("c", 1, 5, 3)))),
}  # fmt: skip


@pytest.mark.parametrize("name", JUDGED)
def test_items_on_which_judges_disagree_come_first(tmp_path: Path, name: str) -> None:
    pool = read(tmp_path, name, JUDGED[name])
    assert order(pool) == ["c", "b", "007"]
    if "ratings" not in name:
        assert pool.members.shape == (3, 3, 3)


def test_names_of_models_are_no_judgements(tmp_path: Path) -> None:
    duel = {"model_a": "gpt", "model_b": "claude", "winner": "model_a"}
    pool = read(tmp_path, "p.jsonl", lines({"id": 1, **duel}, {"id": 2, **duel}))
    assert pool.members is None


def test_columns_of_the_same_classes_are_told_how_to_be_judges(tmp_path: Path) -> None:
    pool = read(tmp_path, "p.csv", "id,gpt,claude\na,spam,spam\nb,spam,ham\nc,ham,ham\n")
    (notice,) = [n for n in pool.notices if n.code == "no_predictions"]
    assert "claude, gpt" in notice.message or "gpt, claude" in notice.message
    assert "call them judge_1, judge_2" in notice.message


def test_an_evaluation_table_of_mlflow_asks_for_its_columns(tmp_path: Path) -> None:
    table = {"columns": ["inputs", "outputs", "toxicity/v1/score"],
             "data": [["q", "x", 0.1], ["r", "y", 0.6]]}  # fmt: skip
    with pytest.raises(InvalidInput, match="column item_id") as caught:
        read(tmp_path, "p.json", table)
    assert "MLflow's toxicity/v1/score may be the confidence" in str(caught.value.hint)
    columns = {"item_id": "inputs", "confidence": "toxicity/v1/score"}
    pool = read(tmp_path, "p.json", table, columns=columns)
    assert rank(pool).item_ids.tolist() == ["q", "r"]
    assert not [n for n in pool.notices if n.code == "no_predictions"]


def test_records_of_argilla_without_a_suggestion_are_unknown(tmp_path: Path) -> None:
    bare = {"fields": {"text": "x"}, "responses": {}, "vectors": {}}
    others = [{"id": f"n{n}", "suggestions": said, **bare} for n, said in enumerate([{}, None, []])]
    text = lines(argilla("a", "pos", 0.9), argilla("b", "neg", 0.6), argilla("c", "neg", None))
    pool = read(tmp_path, "records.jsonl", text + lines(*others))
    assert order(pool) == ["b", "a"]
    assert pool.item_ids[pool.missing].tolist() == ["c", "n0", "n1", "n2"]
    assert not [one for one in pool.notices if one.code == "left_out"]

"""Answers of language models, judges and traces: every fixture ranks as a few plain lines say."""

from __future__ import annotations

import json
import math
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from labelnext.adapter import open_adapter
from labelnext.errors import InvalidInput
from labelnext.ranking import rank
from tests.unit.files.text_fixtures import (
    by_margin,
    lines,
    opened,
    ranked,
    saved,
)


def openai_vectors() -> dict[str, list[float]]:
    """The mass of tokens that begin no class, or aren't shown, in even shares of all classes."""
    begins = {"Pos": 0, "Neg": 1, "Neutral": 2, " neutral": 2}
    vectors = {}
    for record in lines("llm/openai-batch.jsonl"):
        if record["response"]["status_code"] != 200:
            continue
        first = record["response"]["body"]["choices"][0]["logprobs"]["content"][0]
        tops = {one["token"]: math.exp(one["logprob"]) for one in first["top_logprobs"]}
        named = [sum(p for t, p in tops.items() if begins.get(t) == i) for i in range(3)]
        unseen = [i for i in range(3) if named[i] == 0] or [0, 1, 2]
        strange = sum(p for token, p in tops.items() if token not in begins)
        hidden = 1 - sum(tops.values())
        vectors[record["custom_id"]] = [
            share + strange / 3 + (hidden / len(unseen) if i in unseen else 0)
            for i, share in enumerate(named)
        ]
    return vectors


def test_logprobs_of_an_openai_batch_keep_the_mass_that_is_left() -> None:
    classes = ["positive", "negative", "neutral"]
    expected = openai_vectors()
    assert expected["0007"] == pytest.approx([0.3 + 0.1 / 3, 0.4 + 0.1 / 3, 0.2 + 0.1 / 3])
    pool = opened("llm/openai-batch.jsonl", classes=classes).read()
    found = dict(zip(pool.item_ids.tolist(), pool.probabilities.tolist(), strict=True))
    assert {k: pytest.approx(v) for k, v in expected.items()} == found
    order = ranked("llm/openai-batch.jsonl", "llm", classes=classes)
    assert order[:3] == by_margin(expected)[:3] == ["0007", "0100", "0012"]


def test_failed_requests_are_left_out_and_counted() -> None:
    notices = opened("llm/openai-batch.jsonl", classes=["positive", "negative"]).read().notices
    (notice,) = [n for n in notices if n.code == "left_out"]
    assert "0500" in notice.item_ids
    notices = opened("llm/anthropic-batch.jsonl").read().notices
    (notice,) = [n for n in notices if n.code == "left_out"]
    assert notice.message == "Left out 1 of 12 answers: line 12 (item e): its request expired."


def test_stated_confidences_of_an_anthropic_batch() -> None:
    stated = {"a": 0.95, "b": 0.6, "c": 0.8, **{f"d{n}": 0.99 for n in range(8)}}
    expected = sorted(stated, key=lambda item: stated[item])
    assert ranked("llm/anthropic-batch.jsonl", "llm") == expected


def test_logprobs_of_a_gemini_batch() -> None:
    vectors = {}
    for record in lines("llm/gemini-batch.jsonl"):
        result = record["response"]["candidates"][0]["logprobsResult"]
        tops = result["topCandidates"][0]["candidates"]
        vectors[record["key"]] = [math.exp(one["logProbability"]) for one in tops]
    assert ranked("llm/gemini-batch.jsonl", "llm") == by_margin(vectors) == ["q2", "q3", "q1"]


def test_several_records_of_an_item_are_votes() -> None:
    votes: dict[str, Counter[str]] = {}
    for record in lines("llm/vertex-batch.jsonl"):
        text = record["response"]["candidates"][0]["content"]["parts"][0]["text"]
        name = record["request"]["labels"]["item"]
        votes.setdefault(name, Counter(cat=0, dog=0))[text.lower().strip(".")] += 1
    vectors = {item: [n / 3 for n in counts.values()] for item, counts in votes.items()}
    order = ranked("llm/vertex-batch.jsonl", "llm", key="request.labels.item")
    assert order == by_margin(vectors) == ["b", "a"]


@pytest.mark.parametrize("key", ["answer", "output", "response", "verdict", "generated_text"])
def test_answers_alone_that_repeat_an_item_are_votes(tmp_path: Path, key: str) -> None:
    said = [("a", "x"), ("a", "x"), ("b", "y"), ("b", "x"), ("b", "y"), ("a", "x")]
    lines = [json.dumps({"id": item, key: answer}) + "\n" for item, answer in said]
    (tmp_path / "o.jsonl").write_text("".join(lines))
    pool = open_adapter("files", directory=tmp_path, path="o.jsonl").read()
    assert pool.probabilities is not None
    assert (list(pool.classes), pool.item_ids.tolist()) == (["x", "y"], ["a", "b"])
    assert pool.probabilities.tolist() == [[1, 0], [pytest.approx(1 / 3), pytest.approx(2 / 3)]]


def test_several_choices_are_votes() -> None:
    pool = opened("llm/chat-n.json").read()
    assert pool.probabilities.tolist() == [[0.25, 0.75], [0.5, 0.5], [1, 0]]
    assert ranked("llm/chat-n.json", "llm") == ["b", "a", "c"]


def test_several_judges_are_a_committee() -> None:
    verdicts: dict[str, list[str]] = {}
    for record in lines("llm/judges.jsonl"):
        verdicts.setdefault(record["id"], []).append(record["verdict"])
    distinct = sorted(verdicts, key=lambda item: -len(set(verdicts[item])))
    assert ranked("llm/judges.jsonl", "llm") == distinct == ["z", "y", "x"]
    assert opened("llm/judges.jsonl").read().version_names == ("gpt", "claude", "gemini")


def test_whole_numbers_of_several_judges_are_classes() -> None:
    labels: dict[str, list[int]] = {}
    for record in lines("llm/judges-labels.jsonl"):
        labels.setdefault(record["id"], []).append(record["label"])
    distinct = sorted(labels, key=lambda item: -len(set(labels[item])))
    assert ranked("llm/judges-labels.jsonl", "llm") == distinct == ["z", "y", "x"]


@pytest.mark.parametrize("name", ["annotator", "evaluator", "rater"])
def test_several_people_are_judges(tmp_path: Path, name: str) -> None:
    said = {"a": ("cat", "cat"), "b": ("cat", "dog"), "c": ("dog", "dog")}
    records = [
        {"id": item, name: who, "label": label}
        for item, labels in said.items()
        for who, label in zip(("ann", "bob"), labels, strict=True)
    ]
    (tmp_path / "said.json").write_text(json.dumps(records))
    source = open_adapter("files", path="said.json", directory=tmp_path)
    assert rank(source.read()).item_ids.tolist() == ["b", "a", "c"]


def test_who_labelled_each_item_is_no_judge(tmp_path: Path) -> None:
    records = [
        {"id": "a", "annotator": "ann", "label": "cat", "p_cat": 0.75, "p_dog": 0.25},
        {"id": "b", "annotator": "ann", "label": "dog", "p_cat": 0.5, "p_dog": 0.5},
    ]
    (tmp_path / "said.json").write_text(json.dumps(records))
    pool = open_adapter("files", path="said.json", directory=tmp_path).read()
    assert pool.probabilities.tolist() == [[0.75, 0.25], [0.5, 0.5]]


def test_older_completions() -> None:
    pool = opened("llm/completions.jsonl").read()
    assert pool.probabilities.tolist() == [
        pytest.approx([0.55, 0.45]),
        pytest.approx([0.075, 0.925]),
    ]
    assert ranked("llm/completions.jsonl", "llm") == ["a", "b"]


def test_a_number_score_of_traces_ranks_the_lowest_first() -> None:
    scores = {r["id"]: r["scores"][0]["value"] for r in lines("llm/langfuse.jsonl")}
    order = ranked("llm/langfuse.jsonl", "llm", score_name="helpful")
    assert order == sorted(scores, key=lambda item: scores[item]) == ["t2", "t3", "t1"]


def test_named_scores_of_traces_are_votes() -> None:
    assert ranked("llm/phoenix.jsonl", "llm") == ["s2", "s1"]
    assert opened("llm/phoenix.jsonl").read().probabilities.tolist() == [[1, 0], [0.5, 0.5]]


def test_several_answers_may_stand_in_one_record(tmp_path: Path) -> None:
    votes = [
        {"id": "a", "responses": ["yes", "yes", "yes"]},
        {"id": "b", "responses": ["no", "yes"]},
    ]
    pool = saved(tmp_path, votes).read()
    assert pool.probabilities.tolist() == [[0, 1], [0.5, 0.5]]
    judged = [
        {"id": "a", "verdicts": {"m": "x", "n": "x"}},
        {"id": "b", "verdicts": {"m": "x", "n": "y"}},
    ]
    pool = saved(tmp_path, judged).read()
    assert rank(pool).item_ids.tolist() == ["b", "a"]
    assert pool.version_names == ("m", "n")


def test_the_logprob_of_the_answer_alone_is_its_confidence(tmp_path: Path) -> None:
    def record(name: str, *chances: float) -> dict[str, Any]:
        tokens = [
            {"token": t, "logprob": math.log(p)} for t, p in zip(("y", "es"), chances, strict=True)
        ]
        choice = {"message": {"content": "yes"}, "logprobs": {"content": tokens}}
        return {"custom_id": name, "response": {"body": {"choices": [choice]}}}

    pool = saved(tmp_path, [record("a", 0.8, 0.9), record("b", 0.5, 0.6)]).read()
    assert pool.answer.confidences.tolist() == pytest.approx([0.72, 0.3])


def test_logprobs_of_one_class_alone_ask_for_the_others(tmp_path: Path) -> None:
    def record(name: str, yes: float) -> dict[str, Any]:
        top = [{"token": t, "logprob": math.log(p)} for t, p in (("yes", yes), ("no", 1 - yes))]
        token = {"token": "yes", "logprob": math.log(yes), "top_logprobs": top}
        choice = {"message": {"content": "yes"}, "logprobs": {"content": [token]}}
        return {"custom_id": name, "response": {"body": {"choices": [choice]}}}

    records = [record("a", 0.9), record("b", 0.6)]
    with pytest.raises(InvalidInput, match="all are 'yes'. Hint: set source.classes to all"):
        saved(tmp_path, records).read()
    pool = saved(tmp_path, records, classes=["yes", "no"]).read()
    assert pool.probabilities.tolist() == [pytest.approx([0.9, 0.1]), pytest.approx([0.6, 0.4])]


def test_a_class_whose_first_token_begins_several(tmp_path: Path) -> None:
    def token(text: str, **tops: float) -> dict[str, Any]:
        top = [{"token": t, "logprob": math.log(p)} for t, p in tops.items()]
        return {"token": text, "logprob": math.log(tops[text]), "top_logprobs": top}

    first = token("not", not_=0.01, **{"not": 0.75, "entail": 0.24})
    content = [first, token("_entailed", _entailed=0.8, _neutral=0.2)]
    choice = {"message": {"content": "not_entailed"}, "logprobs": {"content": content}}
    records = [{"custom_id": n, "response": {"body": {"choices": [choice]}}} for n in "ab"]
    classes = ["entailed", "not_entailed", "not_neutral"]
    pool = saved(tmp_path, records, classes=classes).read()
    third = 0.01 / 2  # not_ may still be two of the classes
    assert pool.probabilities[0].tolist() == pytest.approx([0.24, 0.6 + third, 0.15 + third])


def test_more_than_a_tenth_of_odd_answers_stops_and_names_them(tmp_path: Path) -> None:
    said = ["yes", "no", "I can't help", *["yes"] * 5]
    records = [{"id": f"i{n}", "judge": "x", "label": one} for n, one in enumerate(said)]
    with pytest.raises(InvalidInput, match=r"can't use 1 of 8 answers: line 3 \(item i2\): its"):
        saved(tmp_path, records, classes=["yes", "no"]).read()


def test_answers_without_any_certainty_say_what_to_ask_for(tmp_path: Path) -> None:
    records = [{"custom_id": f"i{n}", "role": "assistant", "content": "yes"} for n in range(3)]
    with pytest.raises(InvalidInput, match="answers must say how certain they are") as caught:
        saved(tmp_path, records).read()
    assert "top_logprobs" in str(caught.value.hint)


def test_a_logprob_beside_an_answer_is_its_confidence(tmp_path: Path) -> None:
    records = [
        {"id": name, "model": "m", "response": "cat", "logprob": math.log(sure)}
        for name, sure in (("a", 0.9), ("b", 0.2), ("c", 0.5))
    ]
    pool = saved(tmp_path, records).read()
    assert pool.answer.confidences.tolist() == pytest.approx([0.9, 0.2, 0.5])


def test_the_same_answer_stated_several_times_has_the_mean_confidence(tmp_path: Path) -> None:
    told = [("a", 0.9), ("b", 0.2), ("a", 0.7), ("b", 0.4)]
    records = [
        {"custom_id": name, "response": {"body": {"choices": [
            {"message": {"content": json.dumps({"label": "cat", "confidence": sure})}}]}}}
        for name, sure in told
    ]  # fmt: skip
    pool = saved(tmp_path, records).read()
    assert pool.answer.confidences.tolist() == pytest.approx([0.8, 0.3])

"""Batches of Bedrock and ratings of judges, as strangers have them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from labelnext.adapter.formats import recognition
from labelnext.errors import InvalidInput
from tests.unit.files.reading import lines, notice, order, read

STATED = '{{"label": "pos", "confidence": {}}}'


BEDROCK: dict[str, Any] = {
    "nova": lambda text: {
        "output": {"message": {"role": "assistant", "content": [{"text": text}]}},
    },
    "titan": lambda text: {"inputTextTokenCount": 3, "results": [{"outputText": text}]},
    "llama": lambda text: {"generation": text, "prompt_token_count": 3, "stop_reason": "stop"},
    "mistral": lambda text: {"outputs": [{"text": text, "stop_reason": "stop"}]},
    "claude": lambda text: {"role": "assistant", "content": [{"type": "text", "text": text}]},
    "claude-without-role": lambda text: {"content": [{"text": text}], "stop_reason": "end_turn"},
    "cohere": lambda text: {"generations": [{"id": "g", "text": text, "finish_reason": "MAX"}]},
    "command-r": lambda text: {"response_id": "r", "text": text, "finish_reason": "COMPLETE"},
}


def batch(model: str, texts: Sequence[str]) -> list[dict[str, Any]]:
    shape = BEDROCK[model]
    return [
        {"modelOutput": shape(text), "modelInput": {}, "recordId": f"R{n}"}
        for n, text in enumerate(texts)
    ]


@pytest.mark.parametrize("model", sorted(BEDROCK))
def test_a_batch_of_bedrock_ranks(tmp_path: Path, model: str) -> None:
    texts = [STATED.format(sure) for sure in [0.9, 0.6, *[0.95] * 10]]
    failed = {"recordId": "F", "modelInput": {}, "error": {"errorMessage": "too long"}}
    pool = read(tmp_path, "b.jsonl.out", lines([*batch(model, texts), failed]))
    assert recognition(tmp_path / "b.jsonl.out").format.name == "llm"
    assert order(pool)[:2] == ["R1", "R0"]
    assert "its request failed: too long" in notice(pool, "left_out").message


@pytest.mark.parametrize("model", sorted(BEDROCK))
def test_a_batch_of_bedrock_without_confidence_says_so(tmp_path: Path, model: str) -> None:
    with pytest.raises(InvalidInput, match="answers must say how certain they are"):
        read(tmp_path, "b.jsonl", lines(batch(model, ["pos", "neg"])))


def test_confidences_of_up_to_100_name_the_setting_that_reads_them(tmp_path: Path) -> None:
    body = lines(batch("claude", [STATED.format(sure) for sure in (95, 60, 80)]))
    with pytest.raises(InvalidInput, match=r"got 95 \(for percentages, set source.scale: percent"):
        read(tmp_path, "b.jsonl", body)
    assert order(read(tmp_path, "b.jsonl", body, scale="percent")) == ["R1", "R2", "R0"]


def _top(p: float) -> list[dict[str, Any]]:
    shares = {"yes": p, "no": 0.95 - p}
    return [{"token": token, "logprob": math.log(share)} for token, share in shares.items()]


SERVED: dict[str, Any] = {
    "ollama": lambda p: {
        "response": "yes",
        "done": True,
        "logprobs": [{"token": "yes", "logprob": math.log(p), "top_logprobs": _top(p)}],
    },
    "ollama-chat": lambda p: {
        "message": {"role": "assistant", "content": "yes"},
        "done": True,
        "logprobs": [{"token": "yes", "logprob": math.log(p), "top_logprobs": _top(p)}],
    },
    "llama.cpp": lambda p: {
        "content": "yes",
        "completion_probabilities": [
            {
                "content": "yes",
                "probs": [{"tok_str": "yes", "prob": p}, {"tok_str": "no", "prob": 0.95 - p}],
            }
        ],
    },
    "tgi": lambda p: {
        "generated_text": "yes",
        "details": {
            "tokens": [{"id": 1, "text": "yes", "logprob": math.log(p)}],
            "top_tokens": [
                [{"text": one["token"], "logprob": one["logprob"]} for one in _top(p)],
            ],
        },
    },
}


@pytest.mark.parametrize("program", sorted(SERVED))
def test_tokens_of_programs_that_run_models_are_mapped_to_the_classes(
    tmp_path: Path, program: str
) -> None:
    chances = {"a": 0.8, "b": 0.5, "c": 0.2}
    records = [{"id": item, **SERVED[program](p)} for item, p in chances.items()]
    pool: Any = read(tmp_path, "p.jsonl", lines(records), classes=["yes", "no", "maybe"])
    # 0.05 is on no token that is shown, so that it is the third class's
    expected = [[p, 0.95 - p, 0.05] for p in chances.values()]
    assert pool.probabilities == pytest.approx(np.array(expected))
    assert order(pool) == ["b", "c", "a"]  # margins 0.05, 0.55 and 0.65


JUDGED = {"i0": (4, 4), "i1": (1, 5), "i2": (2, 4)}


@pytest.mark.parametrize("key", ["rating", "score"])
def test_ratings_of_judges_rank_by_their_spread(tmp_path: Path, key: str) -> None:
    records = [
        {"id": item, "judge": f"m{n}", key: number}
        for item, numbers in JUDGED.items()
        for n, number in enumerate(numbers)
    ]
    pool: Any = read(tmp_path, "r.jsonl", lines([*records, {"id": "one", "judge": "m0", key: 3}]))
    # standard deviations 0, 2 and 1 of at most 2
    assert pool.objects.confidences.tolist() == [1.0, 0.0, 0.5]
    assert order(pool) == ["i1", "i2", "i0"]
    assert "from 1 to 5" in notice(pool, "ratings").message
    assert notice(pool, "one_rating").item_ids == ("one",)


@pytest.mark.parametrize("key", ["ratings", "judges"])
def test_ratings_in_one_record_rank_by_their_spread(tmp_path: Path, key: str) -> None:
    records = [{"id": item, key: {"m0": a, "m1": b}} for item, (a, b) in JUDGED.items()]
    assert order(read(tmp_path, "r.jsonl", lines(records))) == ["i1", "i2", "i0"]


def test_one_rating_for_each_item_says_nothing_of_certainty(tmp_path: Path) -> None:
    records = [{"id": f"i{n}", "judge": "m", "rating": n} for n in range(3)]
    with pytest.raises(InvalidInput, match="ratings must come from several judges"):
        read(tmp_path, "r.jsonl", lines(records))


def test_failed_requests_of_a_batch_may_have_a_file_of_their_own(tmp_path: Path) -> None:
    failed = {"custom_id": "z", "response": {"status_code": 500, "body": {}}, "error": None}
    said = [
        {"custom_id": f"{i}{n}", "response": {"status_code": 200, "body": {"choices": [
            {"message": {"content": STATED.format(p)}}]}}}
        for i, p in (("a", 0.9), ("b", 0.6)) for n in range(5)
    ]  # fmt: skip
    (tmp_path / "batch_1_error.jsonl").write_text(lines([failed]))
    (tmp_path / "batch_1_output.jsonl").write_text(lines(said))
    pool = read(tmp_path, ".")
    assert order(pool) == [f"{i}{n}" for i in "ba" for n in range(5)]
    assert "status 500" in notice(pool, "left_out").message


def test_requests_are_no_answers(tmp_path: Path) -> None:
    asked = {"method": "POST", "url": "/v1/chat/completions", "body": {"messages": []}}
    text = lines([{"custom_id": i, **asked} for i in "abc"])
    with pytest.raises(InvalidInput, match="it is a request: the answers are in the batch's"):
        read(tmp_path, "p.jsonl", text)

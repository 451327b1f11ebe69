"""Confidences that a language model states, wherever its answer stands."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest

from labelnext.adapter import open_adapter
from labelnext.errors import InvalidInput
from labelnext.ranking import rank
from labelnext_adapters.files.llm.stated import json_in, paired
from tests.unit.files.reading import lines, order, read

STATED = [("a", "spam", 0.75), ("b", "ham", "40%"), ("c", "ham", 0.5)]


@pytest.mark.parametrize(
    "key",
    ["label", "answer", "prediction", "verdict", "output", "response", "completion", "result",
     "text", "content", "reply", "generated_text", "model_output", "raw_output"],
)  # fmt: skip
@pytest.mark.parametrize("form", ["object", "json", "fence"])
def test_a_stated_confidence_is_read_wherever_it_stands(
    tmp_path: Path, key: str, form: str
) -> None:
    records = []
    for item, label, sure in STATED:
        told: Any = {"label": label, "confidence": sure}
        if form != "object":
            told = json.dumps(told)
        records.append({"id": item, key: f"```json\n{told}\n```" if form == "fence" else told})
    (tmp_path / "o.jsonl").write_text("".join(json.dumps(one) + "\n" for one in records))
    pool = open_adapter("files", directory=tmp_path, path="o.jsonl").read()  # type: ignore[attr-defined]  # of the files adapter
    assert rank(pool).item_ids.tolist() == ["b", "c", "a"]


@pytest.mark.parametrize(
    "written", ["{0} ({1:.0%})", "{0}, {1:.0%}", "{0} {1:.0%}", "{0} with {1:.0%} confidence",
                "Label: {0}\nConfidence: {1:.0%}", "Label: {0}, confidence: {1}", "{0} | {1}"],
)  # fmt: skip
@pytest.mark.parametrize("key", ["response", "model_output", "answer"])
def test_confidences_stated_in_the_cells_of_a_table_are_read(
    tmp_path: Path, written: str, key: str
) -> None:
    told = [("a", "New York", 0.75), ("b", "GPT-4", 0.25), ("c", "GPT-4", 0.5)]
    rows = [f'{item},"{written.format(name, sure)}"' for item, name, sure in told]
    pool = read(tmp_path, "o.csv", "\n".join([f"id,{key}", *rows]))
    assert pool.classes == ("GPT-4", "New York")
    assert order(pool) == ["b", "c", "a"]


def test_a_few_answers_without_a_confidence_are_left_out(tmp_path: Path) -> None:
    told = [f"cat ({90 - i}%)" for i in range(20)]
    told[3] = "no idea"
    records = [{"id": str(i), "response": one} for i, one in enumerate(told)]
    pool = read(tmp_path, "o.jsonl", lines(records))
    assert len(pool) == 19
    assert any("'3'" in one.message or "line 4" in one.message for one in pool.notices)


def test_texts_to_label_are_no_answers(tmp_path: Path) -> None:
    records = [{"id": i, "text": f"good film ({i}0%)", "p": [0.5, 0.5]} for i in range(1, 4)]
    pool = read(tmp_path, "o.jsonl", lines(records))
    assert pool.probabilities is not None


@pytest.mark.parametrize(
    "text", ["a cat", "0.9", "1, 0.9", "Confidence: 0.9", "version 2", "cat (0.9), dog (0.8)",
             "cat: 0.9 because it purrs", "at 10:30", "3.5 / 5", "cat, 90", "Topic 1", "Topic 0",
             "Type-1", "stars: 1", "toxic=0"],
)  # fmt: skip
def test_other_texts_are_no_class_beside_its_confidence(text: str) -> None:
    assert paired(text) is None


@pytest.mark.parametrize("beside", [{"confidence": 0.75}, {"logprob": math.log(0.75)}])
@pytest.mark.parametrize("answer", ["up 20%", "Group 0.5", "Topic 1"])
def test_a_number_in_an_answer_is_none_of_its_confidence_that_stands_beside(
    tmp_path: Path, answer: str, beside: dict[str, float]
) -> None:
    records = [{"id": "a", "answer": answer, **beside}, {"id": "b", "answer": "x", **beside}]
    pool = read(tmp_path, "o.jsonl", lines(records), format="llm")
    assert pool.classes == (answer, "x")
    assert [one.confidences.round(9).tolist() for one in pool.answers] == [[0.75, 0.75]]


@pytest.mark.parametrize("answer", ["cat (1)", "cat, 1", "cat with a confidence of 1", "cat 1.0"])
def test_a_class_may_be_certain(answer: str) -> None:
    stated = paired(answer)
    assert stated is not None
    assert (stated["label"], float(stated["confidence"])) == ("cat", 1)


def test_numbered_classes_are_no_confidences(tmp_path: Path) -> None:
    records = [{"id": str(n // 3), "judge": f"m{n % 3}", "verdict": f"Topic {n % 2}"}
               for n in range(9)]  # fmt: skip
    assert read(tmp_path, "o.jsonl", lines(records)).classes == ("Topic 0", "Topic 1")


def test_where_no_answer_is_the_keys_that_are_read_are_named(tmp_path: Path) -> None:
    (tmp_path / "o.jsonl").write_text('{"id": "a", "told": "spam"}\n')
    adapter = open_adapter("files", directory=tmp_path, path="o.jsonl", format="llm")
    with pytest.raises(InvalidInput, match="it has no answer of a model") as caught:
        adapter.read()  # type: ignore[attr-defined]  # of the files adapter
    assert "source.answer_key" in (caught.value.hint or "")
    assert "label, class, category" in (caught.value.hint or "")


@pytest.mark.parametrize(
    "written",
    [
        'Sure! {{"label": "{0}", "confidence": {1}}} Hope it helps.',
        '<answer>{{"label": "{0}", "confidence": {1}}}</answer>',
        'It has {{curly}} words. {{"label": "{0}", "confidence": {1}}}',
        '{{"answer": {{"label": "{0}", "confidence": {1}}}}}',
        '[{{"label": "{0}", "confidence": {1}}}]',
        "{{'label': '{0}', 'confidence': {1}}}",
        '{{"Label": "{0}", "Confidence": {1}}}',
        '{{"predicted_label": "{0}", "confidence_score": {1}}}',
        '{{"reasoning": "x", "final_answer": "{0}", "my_confidence": "{1}"}}',
        "Label: {0}\nConfidence: {1}",
        "I think so.\n**Answer:** {0}\n**Confidence:** {1}\nBye.",
        "Label: {0}, Confidence: {1}",
        "Label: {0} (confidence: {1})",
        "Label: {0} | **Confidence**: {1}",
        "{0}, {1}",
        "{0} ({1})",
        "**{0}** ({1}).",
        "{0}: {1}",
        "{0} - {1}",
        "({0}, {1})",
        '"{0}" [{1}]',
        "{0} (confidence: {1})",
        "{0} with a confidence of {1}",
        "{0} {1}",
    ],
)
@pytest.mark.parametrize("chat", [False, True])
def test_a_stated_confidence_is_found_among_other_words(
    tmp_path: Path, written: str, chat: bool
) -> None:
    records: list[dict[str, Any]] = []
    for item, label, sure in [("a", "spam", 0.75), ("b", "ham", 0.25), ("c", "ham", 0.5)]:
        text = written.format(label, sure)
        message = {"choices": [{"message": {"role": "assistant", "content": text}}]}
        told = {"body": message} if chat else text
        records.append({"custom_id": item, "response": told})
    pool = read(tmp_path, "o.jsonl", lines(records))
    assert pool.classes == ("ham", "spam")
    assert order(pool) == ["b", "c", "a"]


@pytest.mark.parametrize(
    "written",
    ['{{"cat": {0}, "dog": {1}}}', '{{"probabilities": {{"cat": {0}, "dog": {1}}}}}',
     'So: {{"scores": {{"cat": {0}, "dog": {1}}}}}.', "cat: {0}, dog: {1}",
     "cat ({0})\ndog ({1})", "cat = {0:.1%} and dog = {1:.1%}"],
)  # fmt: skip
def test_stated_probabilities_are_class_scores(tmp_path: Path, written: str) -> None:
    shares = {"a": (0.875, 0.125), "b": (0.5, 0.5), "c": (0.25, 0.75)}
    records = [{"id": i, "response": written.format(*p)} for i, p in shares.items()]
    pool = read(tmp_path, "o.jsonl", lines(records))
    assert pool.classes == ("cat", "dog")
    assert pool.probabilities is not None
    assert pool.probabilities.tolist() == [list(p) for p in shares.values()]


@pytest.mark.parametrize(
    "text",
    [
        '[{"label": "a", "confidence": 0.9}, {"label": "b", "confidence": 0.2}]',
        '{"label": "a", "confidence": 0.9} or {"label": "b", "confidence": 0.2}',
        "Label: a",
        "Confidence: 0.9",
        "Label: a\nConfidence: high",
        "{" * 1000,
        "[" * 100_000,
        "a: b\n" * 20_000,
        "**" * 50_000,
    ],
)
def test_what_states_several_things_or_none_is_not_guessed(text: str) -> None:
    assert json_in(text) is None


def test_repeated_runs_are_votes(tmp_path: Path) -> None:
    said = {"a": "xxxx", "b": "xyxy", "c": "xxxy"}
    rows = [f"{i},{run},{one}" for i, all_ in said.items() for run, one in enumerate(all_)]
    pool = read(tmp_path, "o.csv", "\n".join(["id,run,answer", *rows]))
    assert order(pool) == ["b", "c", "a"]


@pytest.mark.timeout(30)  # some hundred times what it takes; a quadratic pattern takes longer
@pytest.mark.parametrize("part", ["\n", "_", "_\n", "a: b ", "- ", "a:\n", "```{", "a ", "a with "])
def test_long_texts_of_signs_end(part: str) -> None:
    assert json_in(part * (60_000 // len(part))) is None
    assert paired(part * (500 // len(part))) is None


def test_objects_between_fences_must_agree() -> None:
    one, other = (f'```json\n{{"label": "{label}"}}\n```' for label in ("spam", "ham"))
    assert json_in(f"First {one}, so again {one}") == {"label": "spam"}
    assert json_in(f"First {one}, no: {other}") is None


@pytest.mark.parametrize(
    "said",
    [
        '<think>{{"label": "ham", "score": 1}}</think>{{"label": "spam", "confidence": {0}}}',
        "<think>Label: ham\nConfidence: 0.1</think>\n\nLabel: spam\nConfidence: {0}",
        "Label: ham, I think\n</think>\nLabel: spam\nConfidence: {1}/10",
        '<thinking>ham (10%)</thinking> {{"label": "spam", "confidence": "{2} / 100"}}',
        "<reasoning>ham (10%)</reasoning>\nspam ({2}%)",
    ],
)
def test_what_a_model_thought_first_is_no_answer(tmp_path: Path, said: str) -> None:
    sure = {"a": 0.9, "b": 0.6, "c": 0.7}
    records = [{"id": i, "response": said.format(p, 10 * p, 100 * p)} for i, p in sure.items()]
    pool = read(tmp_path, "p.jsonl", lines(records))
    assert order(pool) == ["b", "c", "a"]
    assert pool.classes == ("spam",)


def test_votes_and_tokens_begin_after_the_thoughts(tmp_path: Path) -> None:
    votes = ["ax", "ax", "ax", "bx", "by", "bz", "cx", "cx", "cy"]
    said = [{"id": v[0], "answer": f"<think>{n}: x?</think>\n{v[1]}"} for n, v in enumerate(votes)]
    assert order(read(tmp_path, "p.jsonl", lines(said))) == ["b", "c", "a"]
    thought = [_token(t, 1.0) for t in ("<think>", "ham", "</think>", "\n")]
    answers = [
        {"id": i, "choices": [{"message": {"content": "<think>ham</think>\nspam"},
         "logprobs": {"content": [*thought, _token("spam", p)]}}]}
        for i, p in (("a", 0.9), ("b", 0.6), ("c", 0.7))
    ]  # fmt: skip
    pool = read(tmp_path, "q.jsonl", lines(answers), classes=["ham", "spam"], key="id")
    assert order(pool) == ["b", "c", "a"]
    assert pool.probabilities[0].tolist() == pytest.approx([0.1, 0.9])


def _token(text: str, p: float) -> dict[str, Any]:
    top = [{"token": text, "logprob": math.log(p)}]
    top += [{"token": "ham", "logprob": math.log(1 - p)}] if p < 1 else []
    return {"token": text, "logprob": math.log(p), "top_logprobs": top}


@pytest.mark.parametrize("names", [(True, False), (1, 0), ("true", False)])
@pytest.mark.parametrize("key", ["response", "label", "prediction"])
def test_a_class_in_an_object_may_be_true_or_a_number(
    tmp_path: Path, key: str, names: tuple[Any, Any]
) -> None:
    told = {"a": (names[0], 0.9), "b": (names[1], 0.6), "c": (names[0], 0.75)}
    records = [{"id": i, key: {"label": n, "confidence": p}} for i, (n, p) in told.items()]
    pool = read(tmp_path, "o.jsonl", lines(records))
    assert order(pool) == ["b", "c", "a"]
    assert pool.classes == (("0", "1") if type(names[0]) is int else ("false", "true"))


def test_several_answers_of_true_and_false_are_votes(tmp_path: Path) -> None:
    said = {"a": [True] * 4, "b": [True, False] * 2, "c": [True, True, True, False]}
    records = [{"id": item, "responses": answers} for item, answers in said.items()]
    assert order(read(tmp_path, "o.jsonl", lines(records))) == ["b", "c", "a"]

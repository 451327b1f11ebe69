"""Hugging Face, language models and spaCy: every fixture ranks as a few plain lines say."""

from __future__ import annotations

import json
import math
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow.parquet
import pytest

from labelnext.adapter import open_adapter
from labelnext.errors import InvalidInput
from labelnext.ranking import rank

FORMATS = Path(__file__).parents[2] / "formats"


def opened(name: str, **source: object) -> Any:
    return open_adapter("files", directory=FORMATS, path=name, **source)


def ranked(name: str, expected_format: str, **source: object) -> list[str]:
    adapter = opened(name, **source)
    assert adapter._input.format.name == expected_format
    order: list[str] = rank(adapter.read()).item_ids.tolist()
    return order


def lines(name: str) -> list[Any]:
    return [json.loads(line) for line in (FORMATS / name).read_text().splitlines()]


def whole(name: str) -> Any:
    return json.loads((FORMATS / name).read_text())


def margin(shares: list[float]) -> float:
    most, next_most = sorted(shares)[-1:-3:-1]
    return most - next_most


def by_margin(vectors: dict[str, list[float]]) -> list[str]:
    return sorted(vectors, key=lambda item: margin(vectors[item]))


def entropy(p: float) -> float:
    return 0.0 if p in (0, 1) else -p * math.log(p) - (1 - p) * math.log(1 - p)


def by_objects(confidences: dict[str, list[float]]) -> list[str]:
    return sorted(confidences, key=lambda item: -sum(map(entropy, confidences[item])))


def filled(scores: dict[str, float], names: list[str]) -> list[float]:
    """A top-k list with the rest of the mass on the classes that it doesn't name."""
    rest = 1 - sum(scores.values())
    lacking = [name for name in names if name not in scores]
    return [scores.get(name, rest / max(len(lacking), 1)) for name in names]


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
    ids = (FORMATS / "huggingface/zero-shot-ids.txt").read_text().split()
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
    table = pyarrow.parquet.read_table(FORMATS / "datasets/classification.parquet").to_pylist()
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
    table = pyarrow.parquet.read_table(FORMATS / "datasets/outputs.parquet").to_pylist()
    vectors = {r["file"]: [c["score"] for c in r["predictions"]] for r in table}
    assert ranked("datasets/outputs.parquet", "datasets") == by_margin(vectors)


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


def saved(folder: Path, records: list[Any], **source: object) -> Any:
    (folder / "a.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))
    return open_adapter("files", directory=folder, path="a.jsonl", **source)


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


def test_people_s_labels_beside_outputs_are_labels(tmp_path: Path) -> None:
    output = [{"label": "cat", "score": 0.75}, {"label": "dog", "score": 0.25}]
    records = [
        {"id": "a", "label": "dog", "predictions": output},
        {"id": "b", "predictions": output},
    ]
    assert saved(tmp_path, records).read().labels.tolist() == [1, -1]


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

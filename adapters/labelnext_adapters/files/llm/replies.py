"""What a language model replied, out of the records of the usual providers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from labelnext_adapters.files.content.oddities import Unusable
from labelnext_adapters.files.content.values import number_in
from labelnext_adapters.files.llm.judge_columns import columns_of_judges
from labelnext_adapters.files.llm.runners import choice_probabilities, outputs_in
from labelnext_adapters.files.llm.stated import (
    ANSWERS,
    CONFIDENCES,
    DISTRIBUTIONS,
    json_in,
    paired,
    told_in,
    usual_fields,
)

NO_ANSWER = "it has no answer of a model"
#: A token, its log probability, and those of the tokens that were considered at its place.
Token = tuple[str, Any, list[tuple[str, Any]]]

#: Keys that hold what a model wrote, which may be a structured answer.
WRITTEN = (
    "content", "reply", "generated_text", "generation", "model_output", "llm_output", "raw_output",
    "raw_response", "llm_response", "model_response", "output_text", "message",
)  # fmt: skip
#: Keys that hold nothing but what a model wrote.
REPLIES = ("answer", "verdict", "output", "response", "completion", *WRITTEN)
#: Keys that hold several answers: a list, or an object from model to answer.
LOGPROBS = ("logprob", "log_prob", "avg_logprob", "mean_logprob", "cumulative_logprob")
SEVERAL = ("answers", "responses", "completions", "samples", "generations", "verdicts", "judges")
JUDGES = (
    "judge", "judge_model", "judge_name", "model", "model_name", "model_id", "evaluator", "grader",
    "rater", "annotator",
)  # fmt: skip
#: Keys of a record with a list of objects, each what one judge said.
_PANELS = (*SEVERAL, "judgements", "judgments", "ratings", "votes", "reviews", "annotations")
_PEOPLE = (*JUDGES, "reviewer", "user")
_ENVELOPES = (
    "response", "body", "result", "message", "modelOutput", "completion", "output",
    "chat_completion",
)  # fmt: skip
_CLASSES = (str, bool, int)  # types of a class in a structured answer
_OF_LLAMA = {"stop_reason", "prompt_token_count", "generation_token_count"}
_OF_CLAUDE = {"id", "model", "content", "stop_reason", "stop_sequence", "stopReason", "usage"}
_ENDED = {"errored": "failed", "expired": "expired", "canceled": "was canceled"}
_REFUSED = {"content_filter", "refusal", "SAFETY", "RECITATION", "PROHIBITED_CONTENT", "BLOCKLIST"}


@dataclass(frozen=True)
class Reply:
    """One answer of a model.

    Attributes:
        text: what it said; None where it filled in fields only.
        tokens: the tokens of the text, if their probabilities are known.
        fields: of a structured answer.
    """

    text: str | None = None
    tokens: tuple[Token, ...] = ()
    fields: Mapping[str, Any] | None = None


def completion_in(record: Any) -> Mapping[str, Any] | None:
    """The completion in a record, inside the envelopes of batch files; None if there is none.

    Raises:
        Unusable: if the record says that the request failed.

    Example:
        >>> completion_in({"custom_id": "a", "response": {"body": {"choices": []}}})
        {'choices': []}
    """
    for _ in range(6):
        if not isinstance(record, Mapping):
            return None
        if is_completion(record):
            return record
        _refuse_failed(record)
        inside = [record[name] for name in _ENVELOPES if isinstance(record.get(name), Mapping)]
        if not inside:
            return None
        record = inside[0]
    return None


def is_completion(value: Any) -> bool:
    """Whether a value is what a model's API returns."""
    if not isinstance(value, Mapping):
        return False
    if isinstance(value.get("choices"), list) or isinstance(value.get("candidates"), list):
        return True
    if value.get("object") == "response" and isinstance(value.get("output"), list):
        return True
    if isinstance(value.get("promptFeedback"), Mapping):
        return True
    if _texts_of_bedrock(value) or outputs_in(value) or choice_probabilities(value):
        return True
    content = value.get("content")
    if value.get("role") == "assistant":
        return isinstance(content, list | str)
    return value.keys() <= _OF_CLAUDE and any("text" in part for part in _mappings(content))


def _texts_of_bedrock(value: Mapping[str, Any]) -> list[Any]:
    """The texts of Titan, Llama, Mistral and Cohere, as Bedrock returns them; empty if none."""
    if isinstance(value.get("generation"), str) and _OF_LLAMA & value.keys():
        return [value["generation"]]
    texts = [one.get("outputText") for one in _mappings(value.get("results"))]
    outputs = _mappings(value.get("outputs"))
    texts += [one.get("text") for one in outputs if "stop_reason" in one]
    of_cohere = [value, *_mappings(value.get("generations"))]
    texts += [one.get("text") for one in of_cohere if {"text", "finish_reason"} <= one.keys()]
    return [text for text in texts if isinstance(text, str)]


def _refuse_failed(record: Mapping[str, Any]) -> None:
    if {"custom_id", "method", "url", "body"} <= record.keys():
        raise Unusable("it is a request: the answers are in the batch's output file")
    error = record.get("error")
    if error:
        raise Unusable(f"its request failed: {_message(error)}")
    code = record.get("status_code")
    if isinstance(code, int) and not isinstance(code, bool) and code >= 300:
        raise Unusable(f"its request failed with status {code}")
    kind = record.get("type")
    if isinstance(kind, str) and kind in _ENDED:
        raise Unusable(f"its request {_ENDED[str(kind)]}")
    status = record.get("status")
    if isinstance(status, str) and status and "response" in record and not record["response"]:
        raise Unusable(f"its request failed: {status[:80]}")


def _message(error: Any) -> str:
    while isinstance(error, Mapping):
        told = (error.get(name) for name in ("message", "errorMessage", "error", "type"))
        error = next(filter(None, told), "error")
    return str(error)[:80]


def replies_in(record: Any, answer_key: str | None = None) -> list[Reply | str]:
    """The replies of a record: those of its completion, or its own answer.

    Args:
        record: of a file.
        answer_key: key of the answer; the usual ones when None.

    Returns:
        For each reply the reply, or why it can't be used.

    Raises:
        Unusable: if there is none.
    """
    completion = completion_in(record)
    if completion is not None:
        replies = [reply for reply in _choices(completion) if reply is not None]
        if not replies:
            raise Unusable("its completion holds no answer")
        return replies
    if isinstance(record, bool):
        return [Reply(str(record).lower())]
    if isinstance(record, str) and record.strip():
        return [Reply(record, fields=told_in(record))]
    if isinstance(record, Mapping):
        numbers = (*CONFIDENCES, *DISTRIBUTIONS, *LOGPROBS)
        told = told_in if all(record.get(name) is None for name in numbers) else json_in
        for name in (answer_key,) if answer_key else (*ANSWERS, *WRITTEN, *SEVERAL):
            value = record.get(name)
            if isinstance(value, bool | int) or (isinstance(value, str) and value.strip()):
                inside = told(value) if isinstance(value, str) else None
                return [Reply(str(value), fields=inside or record)]
            if isinstance(value, Mapping):
                return [Reply(fields=usual_fields(value))]
            if isinstance(value, list) and value:
                return [reply for one in value[:1000] for reply in replies_in(one, answer_key)]
    raise Unusable(NO_ANSWER)


def stated_in(record: Mapping[str, Any]) -> str | None:
    """The key of a structured answer, as JSON in a text or as an object, that states a confidence.

    Example:
        >>> stated_in({"id": "a", "content": '{"label": "spam", "confidence": 0.9}'})
        'content'
    """
    for name in (*ANSWERS, *WRITTEN):
        value = record.get(name)
        fields = json_in(value) if isinstance(value, str) else value
        if not isinstance(fields, Mapping):
            continue
        if fields is value and name != "label" and "label" in record:
            continue  # what people said, beside a prediction
        if isinstance(value, str) and not fields.keys().isdisjoint(DISTRIBUTIONS):
            return name
        if not {*CONFIDENCES[:3]} & fields.keys():
            continue
        if isinstance(value, str) or any(type(fields.get(one)) in _CLASSES for one in ANSWERS):
            return name
    return None


def are_paired(records: Sequence[Mapping[str, Any]]) -> bool:
    """Whether most records hold an answer that is nothing but a class beside a number.

    Example:
        >>> are_paired([{"id": "a", "response": "cat (90%)"}]), are_paired([{"text": "cat (90%)"}])
        (True, False)
    """
    names = [name for name in (*ANSWERS, *WRITTEN) if name != "text"]
    said = [[one for name in names if isinstance(one := r.get(name), str)] for r in records]
    scores = (*CONFIDENCES[:-1], *DISTRIBUTIONS, "p_", "prob")
    beside = any(str(name).lower().startswith(scores) for record in records for name in record)
    return not beside and sum(any(map(paired, one)) for one in said) > len(records) / 2


def by_judge(record: Any) -> list[tuple[str, Any]]:
    """The answers of several models in one record; the record itself if it has no such key.

    Example:
        >>> by_judge({"id": 1, "verdicts": {"m1": "yes", "m2": "no"}})
        [('m1', 'yes'), ('m2', 'no')]
        >>> by_judge({"id": 1, "judges": [{"name": "m1", "label": "yes"}]})
        [('m1', {'name': 'm1', 'label': 'yes'})]
    """
    if isinstance(record, Mapping) and not is_completion(record):
        for name in SEVERAL:
            inside = record.get(name)
            if isinstance(inside, Mapping) and inside:
                return [(str(judge), answer) for judge, answer in inside.items()]
        if (panel := panel_in(record)) is not None:
            return panel
    return [("", record)]


def panel_in(record: Mapping[str, Any]) -> list[tuple[str, Any]] | None:
    """The judges of a record, each with the object that holds its answer; None if it has none."""
    columns = columns_of_judges(record)
    if columns and not all(isinstance(number_in(one), float) for one in columns.values()):
        return [(name, {"label": one}) for name, one in columns.items()]
    for key in _PANELS:
        inside = record.get(key)
        if not isinstance(inside, list) or not inside:
            continue
        # An annotation's name may be that of a score.
        names = _PEOPLE if key == "annotations" else (*_PEOPLE, "name", "id")
        judges = [_judge_in(one, names) for one in inside]
        if all(judges):
            return list(zip(judges, inside, strict=True))
    return None


def _judge_in(one: Any, names: Sequence[str]) -> str:
    """The name of the judge of a judgement; empty if it has none, or no answer."""
    if not isinstance(one, Mapping):
        return ""
    if not any(type(one.get(name)) in _CLASSES for name in ANSWERS):
        return ""
    judges = (one.get(name) for name in names)
    return next((str(judge) for judge in judges if type(judge) in (str, int) and judge != ""), "")


def _choices(completion: Mapping[str, Any]) -> list[Reply | str | None]:
    """The replies of a completion of any provider; None for parts that are no answer."""
    choices, candidates = completion.get("choices"), completion.get("candidates")
    if isinstance(choices, list):
        return [_openai(choice) for choice in choices]
    if isinstance(candidates, list):
        return [_google(candidate) for candidate in candidates]
    if isinstance(completion.get("output"), list):
        return [_response(part) for part in completion["output"]]
    if "promptFeedback" in completion:
        return ["the model was kept from answering"]
    if shares := choice_probabilities(completion):
        return [Reply(fields={"probabilities": shares})]
    if outputs := outputs_in(completion):
        return [Reply(text, tokens, told_in(text)) for text, tokens in outputs]
    if texts := _texts_of_bedrock(completion):
        return [_plain(text) for text in texts]
    return [_anthropic(completion)]


def _plain(text: str) -> Reply | str:
    return Reply(text, fields=told_in(text)) if text.strip() else "the answer is empty"


def _openai(choice: Any) -> Reply | str | None:
    if not isinstance(choice, Mapping):
        return None
    message = choice.get("message")
    message = message if isinstance(message, Mapping) else {}
    if message.get("refusal") or choice.get("finish_reason") in _REFUSED:
        return "the model refused to answer"
    for call in _mappings(message.get("tool_calls")):
        function = call.get("function")
        arguments = function.get("arguments") if isinstance(function, Mapping) else None
        if isinstance(arguments, str):
            return Reply(fields=told_in(arguments) or {})
    text = message.get("content", choice.get("text"))
    if isinstance(message.get("parsed"), Mapping):
        return Reply(text if isinstance(text, str) else None, fields=message["parsed"])
    if isinstance(text, list):
        text = _joined(text)
    if not isinstance(text, str) or not text.strip():
        return "the answer is empty"
    logprobs = choice.get("logprobs")
    return Reply(text, _tokens(logprobs), told_in(text))


def _tokens(logprobs: Any) -> tuple[Token, ...]:
    """The tokens of chat completions, or of the older completions."""
    if not isinstance(logprobs, Mapping):
        return ()
    if isinstance(logprobs.get("content"), list):
        return _content_tokens(logprobs["content"])
    texts, log_probabilities, tops = (
        logprobs.get(n) for n in ("tokens", "token_logprobs", "top_logprobs")
    )
    if not isinstance(texts, list) or not isinstance(log_probabilities, list):
        return ()
    tokens: list[Token] = []
    for position, (text, number) in enumerate(zip(texts, log_probabilities, strict=False)):
        top = tops[position] if isinstance(tops, list) and position < len(tops) else None
        others = list(top.items()) if isinstance(top, Mapping) else []
        tokens.append((str(text), number, others))
    return tuple(tokens)


def _content_tokens(content: Any) -> tuple[Token, ...]:
    tokens: list[Token] = []
    for one in _mappings(content):
        others = [
            (str(other.get("token")), other.get("logprob"))
            for other in _mappings(one.get("top_logprobs"))
        ]
        tokens.append((str(one.get("token")), one.get("logprob"), others))
    return tuple(tokens)


def _response(part: Any) -> Reply | str | None:
    """A part of the output of OpenAI's Responses."""
    if not isinstance(part, Mapping) or part.get("type") not in ("message", "function_call"):
        return None
    if isinstance(part.get("arguments"), str):
        return Reply(fields=told_in(part["arguments"]) or {})
    for content in _mappings(part.get("content")):
        if content.get("type") == "refusal":
            return "the model refused to answer"
        text = content.get("text")
        if isinstance(text, str) and text.strip():
            return Reply(text, _content_tokens(content.get("logprobs")), told_in(text))
    return "the answer is empty"


def _anthropic(message: Mapping[str, Any]) -> Reply | str:
    content = message.get("content")
    if message.get("stop_reason") == "refusal":
        return "the model refused to answer"
    for part in _mappings(content):
        if part.get("type") == "tool_use" and isinstance(part.get("input"), Mapping):
            return Reply(fields=part["input"])
    text = content if isinstance(content, str) else _joined(content)
    return _plain(text)


def _google(candidate: Any) -> Reply | str | None:
    if not isinstance(candidate, Mapping):
        return None
    if candidate.get("finishReason") in _REFUSED:
        return "the model refused to answer"
    content = candidate.get("content")
    text = _joined(content.get("parts")) if isinstance(content, Mapping) else ""
    if not text.strip():
        return "the answer is empty"
    result = candidate.get("logprobsResult")
    result = result if isinstance(result, Mapping) else {}
    chosen, tops = _mappings(result.get("chosenCandidates")), _mappings(result.get("topCandidates"))
    tokens: list[Token] = []
    for position, one in enumerate(chosen):
        top = _mappings(tops[position].get("candidates")) if position < len(tops) else []
        others = [(str(o.get("token")), o.get("logProbability")) for o in top]
        tokens.append((str(one.get("token")), one.get("logProbability"), others))
    return Reply(text, tuple(tokens), told_in(text))


def _mappings(value: Any) -> list[Mapping[str, Any]]:
    return [one for one in value if isinstance(one, Mapping)] if isinstance(value, list) else []


def _joined(parts: Any) -> str:
    """The text of a message in parts, without what the model thought."""
    texts = (p.get("text") for p in _mappings(parts) if not p.get("thought"))
    return "".join(text for text in texts if isinstance(text, str))

"""What programs that run models write: vLLM, Ollama, llama.cpp, TGI; and samples of lm-eval."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

#: A text and its tokens, each with its log probability and those of the others at its place.
Output = tuple[str, tuple[tuple[str, Any, list[tuple[str, Any]]], ...]]


def outputs_in(value: Mapping[str, Any]) -> list[Output]:
    """The texts of a program that runs models, with their tokens; empty if it is something else.

    Example:
        >>> top = {"9": {"logprob": -0.1, "decoded_token": "yes"}}
        >>> outputs_in({"outputs": [{"text": "yes", "token_ids": [9], "logprobs": [top]}]})
        [('yes', (('yes', -0.1, [('yes', -0.1)]),))]
    """
    if served := _served(value):
        return [served]
    inside = value.get("outputs")
    parts = inside if isinstance(inside, list) and inside else [value]
    return [(one["text"], _tokens(one)) for one in parts if _is_output(one)]


def _served(value: Mapping[str, Any]) -> Output | None:
    """The text of Ollama, llama.cpp's server or Text Generation Inference; None if it is neither.

    Example:
        >>> _served({"response": "yes", "done": True, "logprobs": [{"token": "y", "logprob": -1}]})
        ('yes', (('y', -1, []),))
    """
    message, details = value.get("message"), value.get("details")
    if isinstance(value.get("completion_probabilities"), list):
        text, places = value.get("content"), value["completion_probabilities"]
    elif "done" in value and isinstance(value.get("logprobs"), list):
        written = message.get("content") if isinstance(message, Mapping) else None
        text, places = value.get("response", written), value["logprobs"]
    elif isinstance(details, Mapping) and isinstance(details.get("tokens"), list):
        text, places = value.get("generated_text"), details["tokens"]
    else:
        return None
    if not isinstance(text, str):
        return None
    beside = details.get("top_tokens") if isinstance(details, Mapping) else None
    tokens = []
    for number, place in enumerate(one for one in places if isinstance(one, Mapping)):
        tops = place.get("top_logprobs", place.get("probs"))
        if isinstance(beside, list) and number < len(beside):
            tops = beside[number]
        others = [_token(top) for top in tops or () if isinstance(top, Mapping)]
        name, logprob = _token(place)
        known = dict(others).get(name) if logprob is None else logprob
        tokens.append((name, known, others))
    return text, tuple(tokens)


def _token(told: Mapping[str, Any]) -> tuple[str, Any]:
    """A token and its log probability, None where it isn't said."""
    names = ("token", "tok_str", "text", "content")
    name = next((told[n] for n in names if isinstance(told.get(n), str)), "")
    share = told.get("prob")
    if isinstance(share, int | float) and not isinstance(share, bool) and share >= 0:
        return name, math.log(share) if share else -math.inf
    return name, told.get("logprob")


def _is_output(one: Any) -> bool:
    if not isinstance(one, Mapping) or not isinstance(one.get("text"), str):
        return False
    places = one.get("logprobs")
    if places is None and "token_ids" in one:
        return isinstance(one.get("cumulative_logprob"), float)
    if not isinstance(places, list) or not places or not isinstance(places[0], Mapping):
        return False
    return any(isinstance(t, Mapping) and "decoded_token" in t for t in places[0].values())


def _tokens(output: Mapping[str, Any]) -> tuple[tuple[str, Any, list[tuple[str, Any]]], ...]:
    if output["logprobs"] is None:  # how probable the whole text is, is there nevertheless
        return ((output["text"], output["cumulative_logprob"], []),)
    chosen = output.get("token_ids")
    ids = chosen if isinstance(chosen, list) else []
    tokens = []
    for number, place in enumerate(output["logprobs"]):
        known = place if isinstance(place, Mapping) else {}
        told = {str(key): one for key, one in known.items() if isinstance(one, Mapping)}
        others = [(str(one.get("decoded_token")), one.get("logprob")) for one in told.values()]
        best = min(told, key=lambda key: _rank(told[key]), default="")
        own = told.get(str(ids[number]) if number < len(ids) else best, told.get(best, {}))
        tokens.append((str(own.get("decoded_token")), own.get("logprob"), others))
    return tuple(tokens)


def _rank(token: Mapping[str, Any]) -> float:
    rank = token.get("rank")
    return rank if type(rank) is int else math.inf


def choice_probabilities(value: Mapping[str, Any]) -> dict[str, float] | None:
    """The probabilities of an item's choices, by their numbers, from a sample of lm-eval.

    None if it is something else, or its answers were written freely.

    Example:
        >>> choice_probabilities({"doc_id": 0, "filtered_resps": [["-1.0", "False"], [-1, True]]})
        {'0': 0.5, '1': 0.5}
    """
    replies = value.get("filtered_resps", value.get("resps"))
    if "doc_id" not in value or not isinstance(replies, list) or len(replies) < 2:
        return None
    try:
        pairs = [one[0] if len(one) == 1 else one for one in replies]
        numbers = [float(one) for one, greedy in pairs if str(greedy) in ("True", "False")]
    except (TypeError, ValueError, KeyError, IndexError):
        return None
    best = max(numbers, default=math.nan)
    if len(numbers) != len(replies) or not math.isfinite(best):
        return None
    shares = [math.exp(number - best) for number in numbers]
    total = sum(shares)
    return {str(n): share / total for n, share in enumerate(shares)}

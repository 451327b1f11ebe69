"""What programs that run models write: vLLM's outputs, and samples of lm-eval."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

#: A text and its tokens, each with its log probability and those of the others at its place.
Output = tuple[str, tuple[tuple[str, Any, list[tuple[str, Any]]], ...]]


def outputs_in(value: Mapping[str, Any]) -> list[Output]:
    """The texts of vLLM with their tokens; empty if it is something else.

    Example:
        >>> top = {"9": {"logprob": -0.1, "decoded_token": "yes"}}
        >>> outputs_in({"outputs": [{"text": "yes", "token_ids": [9], "logprobs": [top]}]})
        [('yes', (('yes', -0.1, [('yes', -0.1)]),))]
    """
    inside = value.get("outputs")
    parts = inside if isinstance(inside, list) and inside else [value]
    return [(one["text"], _tokens(one)) for one in parts if _is_output(one)]


def _is_output(one: Any) -> bool:
    if not isinstance(one, Mapping) or not isinstance(one.get("text"), str):
        return False
    places = one.get("logprobs")
    if not isinstance(places, list) or not places or not isinstance(places[0], Mapping):
        return False
    return any(isinstance(t, Mapping) and "decoded_token" in t for t in places[0].values())


def _tokens(output: Mapping[str, Any]) -> tuple[tuple[str, Any, list[tuple[str, Any]]], ...]:
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
